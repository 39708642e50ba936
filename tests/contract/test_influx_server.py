"""What only a real InfluxDB can show: rights of tokens, its log after a kill, points of other programs."""

import urllib.request
from collections.abc import Callable

import pytest

from pipeline.store.influx import InfluxStore
from pipeline.store.port import Mode, StoreHeld
from tests.contract.samples import EVER, T0, action, reading
from tests.services.influxdb import Influx

RIGHTS: dict[Mode, set[str]] = {
    "raw": {"read raw", "write raw"},
    "derived": {"read raw", "read derived", "write derived"},
    "read": {"read derived"},
}


@pytest.fixture
def buckets(influx: Influx) -> dict[str, str]:
    return dict(zip(("raw", "derived"), influx.fresh_buckets(), strict=True))


@pytest.fixture
def with_rights(influx: Influx, buckets: dict[str, str]) -> Callable[[set[str], Mode], InfluxStore]:
    def opened(rights: set[str], mode: Mode) -> InfluxStore:
        known = {name: influx.bucket(name)["id"] for name in buckets.values()}
        granted = [
            {"action": right.split()[0], "resource": {"type": "buckets", "id": known[buckets[right.split()[1]]]}}
            for right in rights
        ]
        answer = influx.call("POST", "/api/v2/authorizations", {"orgID": influx.org_id, "permissions": granted})
        return InfluxStore(influx.url, influx.org, answer["token"], buckets["raw"], buckets["derived"], mode=mode)

    return opened


@pytest.mark.parametrize("mode", RIGHTS)
def test_ping_passes_with_exactly_the_rights_that_the_page_names(
    with_rights: Callable[[set[str], Mode], InfluxStore], mode: Mode
) -> None:
    store = with_rights(RIGHTS[mode], mode)
    store.ping()
    store.close()


@pytest.mark.parametrize(("mode", "missing"), [(mode, right) for mode in RIGHTS for right in sorted(RIGHTS[mode])])
def test_ping_finds_each_right_that_is_missing(
    with_rights: Callable[[set[str], Mode], InfluxStore], mode: Mode, missing: str
) -> None:
    other = {"read raw", "read derived", "write raw", "write derived"} - {missing}
    store = with_rights(other, mode)
    with pytest.raises(StoreHeld):
        store.ping()
    store.close()


@pytest.mark.parametrize(
    ("org", "bucket", "token"),
    [
        ("nobody", None, None),
        (None, "no-such-bucket", None),
        (None, None, "wrong"),
        (None, None, ""),
    ],
)
def test_wrong_settings_hold_what_is_to_be_written(
    influx: Influx, buckets: dict[str, str], org: str | None, bucket: str | None, token: str | None
) -> None:
    store = InfluxStore(
        influx.url,
        org or influx.org,
        influx.token if token is None else token,
        bucket or buckets["raw"],
        buckets["derived"],
    )
    for call in (store.ping, lambda: store.write([action("e")]), lambda: store.read("milan", ["usage"], *EVER)):
        with pytest.raises(StoreHeld) as held:
            call()
        assert influx.token not in str(held.value)
    store.close()


def test_what_was_written_survives_a_kill_of_the_server(influx: Influx, buckets: dict[str, str]) -> None:
    store = InfluxStore(influx.url, influx.org, influx.token, buckets["raw"], buckets["derived"])
    told = [action(f"e{place}", T0 + place) for place in range(7000)]
    assert store.write(told) == []
    influx.kill()
    influx.start()
    assert store.read("milan", ["usage"], *EVER) == told
    store.close()


def test_a_field_of_another_type_by_another_program_costs_only_the_points_beside_it(
    influx: Influx, buckets: dict[str, str]
) -> None:
    line = f'sensor,pilot=athens,feed=air,device=d-1,quantity=temperature value="warm" {T0 - 10}'
    request = urllib.request.Request(
        f"{influx.url}/api/v2/write?org={influx.org}&bucket={buckets['raw']}&precision=ns",
        data=line.encode(),
        headers={"Authorization": f"Token {influx.token}"},
    )
    urllib.request.urlopen(request, timeout=30).close()
    store = InfluxStore(influx.url, influx.org, influx.token, buckets["raw"], buckets["derived"])
    refused = store.write([reading("a", None), reading("b", 1.0, T0 + 1), reading("c", None, T0 + 2)])
    assert [(refusal.event_id, refusal.code) for refusal in refused] == [("b", "type_conflict")]
    assert [event.event_id for event in store.read("athens", ["sensor"], *EVER)] == ["a", "c"]
    store.close()
