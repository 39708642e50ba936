"""Each finding of doctor about the store, with the fault made for real on InfluxDB and on the embedded store."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from collectors.collector import Collector, spool_folder
from collectors.doctor import store as checks
from collectors.doctor.finding import Finding
from collectors.doctor.spool_look import SpoolLook, look
from collectors.doctor.store import Part
from collectors.mqtt import MqttPublisher
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.store import open_store
from pipeline.store.port import Store
from tests.integration.doctor_site import mqtt, only
from tests.services.influxdb import Influx
from tests.services.mosquitto import Mosquitto
from tests.services.process import free_port, wait_until
from tests.unit.collectors.places import AIR, air, app, catalogue, pilot, reading

DAY_S = 86_400


class Buckets:
    """Two empty buckets and tokens for them."""

    def __init__(self, server: Influx, retention_s: int = 0) -> None:
        self.server = server
        self.raw, self.derived = server.fresh_buckets(retention_s)

    def token(self, *rights: tuple[str, str]) -> str:
        permissions = [
            {"action": action, "resource": {"type": "buckets", "orgID": self.server.org_id,
                                            "id": self.server.bucket(getattr(self, name))["id"]}}
            for action, name in rights
        ]  # fmt: skip
        body = {"orgID": self.server.org_id, "permissions": permissions}
        return str(self.server.call("POST", "/api/v2/authorizations", body)["token"])

    def settings(self, token: str, **more: Any) -> Settings:
        table = {"url": self.server.url, "org": self.server.org, "token": token, "raw_bucket": self.raw,
                 "derived_bucket": self.derived, **more}  # fmt: skip
        return Settings(_env_file=None, store="influx", influx=table)


OF_COLLECTOR = (("read", "raw"), ("write", "raw"))


def found(
    settings: Settings, part: Part = "collector", places: Catalogue | None = None, ahead_s: float = 0
) -> list[Finding]:
    return list(checks.influx(settings, places or catalogue(), part, lambda: time.time_ns() + int(ahead_s * 1e9)))


def test_the_token_of_each_part_is_enough_and_no_more(influx: Influx) -> None:
    buckets = Buckets(influx)
    rights: dict[Part, tuple[tuple[str, str], ...]] = {
        "collector": OF_COLLECTOR,
        "pipeline": (("read", "raw"), ("read", "derived"), ("write", "derived")),
        "dashboard": (("read", "derived"),),
    }
    for part, allowed in rights.items():
        told = found(buckets.settings(buckets.token(*allowed)), part)
        assert {one.level for one in told if one.code != "retention"} == {"ok"}, [str(one) for one in told]
    assert only(told, "retention").level == "unknown"  # the dashboard's token may not know


def test_a_token_that_nobody_made(influx: Influx) -> None:
    told = only(found(Buckets(influx).settings("x" * 40)), "token")
    assert told.level == "problem"
    assert "does not accept our token" in told.what
    assert "PERISCOPE_INFLUX__TOKEN" in told.remedy


def test_a_token_that_may_only_read(influx: Influx) -> None:
    buckets = Buckets(influx)
    told = only(found(buckets.settings(buckets.token(("read", "raw")))), "token")
    assert told.level == "problem"
    assert "may not write the bucket of events" in told.what
    assert "deploy/influxdb/init.py" in told.remedy


def test_a_token_that_may_only_write(influx: Influx) -> None:
    buckets = Buckets(influx)
    told = found(buckets.settings(buckets.token(("write", "raw"))))
    assert "may not read the bucket of events" in only(told, "token").what
    assert only(told, "store").level == "ok"


def test_a_token_that_may_more_than_it_has_to(influx: Influx) -> None:
    buckets = Buckets(influx)
    told = only(found(buckets.settings(buckets.token(*OF_COLLECTOR, ("write", "derived")))), "token")
    assert told.level == "warn"
    assert "may also write the bucket of values" in told.what
    assert "--part" in told.remedy
    told = only(found(buckets.settings(influx.token)), "token")
    assert told.level == "warn"
    assert "read the tokens of others" in told.what


@pytest.mark.parametrize("wrong", [{"raw_bucket": "nowhere"}, {"org": "nobody"}])
def test_a_bucket_that_is_missing(influx: Influx, wrong: dict[str, str]) -> None:
    told = only(found(Buckets(influx).settings(influx.token, **wrong)), "store")
    assert told.level == "problem"
    assert "there is no bucket" in told.what
    assert "PERISCOPE_INFLUX__ORG" in told.remedy


def test_an_influxdb_that_is_not_there() -> None:
    settings = Settings(_env_file=None, store="influx", influx={"url": f"http://127.0.0.1:{free_port()}"})
    told = only(found(settings), "store")
    assert told.level == "problem"
    assert "cannot be reached" in told.what
    assert "PERISCOPE_INFLUX__URL" in told.remedy


@pytest.mark.parametrize(
    ("days", "feed", "said"),
    [
        (0, air(accept_since="2010-01-01"), None),
        (30, air(), None),
        (1, air(), "bremen/air may be 2 days late"),
        (30, air(accept_since="2010-01-01"), "bremen/air accepts events since 2010-01-01"),
    ],
)
def test_a_bucket_that_keeps_less_than_the_pilots_declare(influx: Influx, days: int, feed: Any, said: str) -> None:
    buckets = Buckets(influx, days * DAY_S)
    places = catalogue(pilot(app(lateness="1h"), feed))
    told = only(found(buckets.settings(buckets.token(*OF_COLLECTOR)), places=places), "retention")
    assert told.level == ("ok" if said is None else "problem")
    assert (said or "") in told.what
    assert said is None or "--retention" in told.remedy


@pytest.mark.parametrize(("ahead_s", "level"), [(0, "ok"), (3600, "problem"), (-3600, "problem")])
def test_clocks_of_two_machines_that_differ(influx: Influx, ahead_s: float, level: str) -> None:
    buckets = Buckets(influx)
    told = only(found(buckets.settings(buckets.token(*OF_COLLECTOR)), ahead_s=ahead_s), "clock")
    assert told.level == level
    assert level == "ok" or "3600 s apart" in told.what or "3599 s apart" in told.what


# The embedded store


def test_an_embedded_store_that_is_not_there_yet(tmp_path: Path) -> None:
    told = checks.embedded(Settings(_env_file=None, state=tmp_path))
    assert told.level == "unknown"
    assert list(tmp_path.iterdir()) == []


def test_an_embedded_store_that_is_damaged(tmp_path: Path) -> None:
    settings = Settings(_env_file=None, state=tmp_path)
    open_store(settings).close()
    assert checks.embedded(settings).level == "ok"
    (tmp_path / "store/raw.db").write_bytes(b"not a database, " * 1000)
    told = checks.embedded(settings)
    assert told.level == "problem"
    assert "raw.db" in told.what


# Store against ledger


@pytest.fixture(params=["sqlite", "influx"])
def settings(request: pytest.FixtureRequest, tmp_path: Path, mosquitto: Mosquitto) -> Settings:
    base = Settings(_env_file=None, state=tmp_path / "var", mqtt=mqtt(mosquitto))
    if request.param == "sqlite":
        return base
    buckets = Buckets(request.getfixturevalue("influx"))
    return buckets.settings(buckets.token(*OF_COLLECTOR)).model_copy(update={"state": base.state, "mqtt": base.mqtt})


@pytest.fixture
def written(settings: Settings) -> Iterator[Store]:
    """A store with 20 points that a collector wrote."""
    store = open_store(settings, "raw")
    collector = Collector(settings, catalogue(), store, time.time_ns)
    collector.start()
    wait_until(collector.receiver.ready.is_set, 10, "readiness")
    now = datetime.now(UTC) - timedelta(minutes=5)
    with MqttPublisher(settings.mqtt) as publisher:
        for n in range(20):
            publisher.publish(AIR, reading(time=(now + timedelta(seconds=n)).isoformat(), pm10=n))
    assert collector.wait_idle(30)
    collector.stop()
    yield store
    store.close()


def looked(settings: Settings) -> SpoolLook | None:
    return look(spool_folder(settings))


def test_a_stored_point_that_was_deleted(settings: Settings, written: Store) -> None:
    told = checks.audit(settings, lambda: looked(settings), whole=False)
    assert (told.level, told.code) == ("ok", "audit")
    assert "20 points" in told.what
    written.delete(written.read("bremen", ["sensor"], 0, 2**62)[7:8])
    told = checks.audit(settings, lambda: looked(settings), whole=False)
    assert told.level == "problem"
    assert "bremen: 20 points were written but 19 are stored" in told.what
    assert "periscope replay --since" in told.remedy
    assert "no point is missing" not in told.remedy
    (spool_folder(settings) / "spool-2020-01-01.db.damaged-0").write_bytes(b"damaged")
    assert "no point is missing" in checks.audit(settings, lambda: looked(settings), whole=False).remedy


def test_a_store_that_cannot_be_audited(influx: Influx, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    buckets = Buckets(influx, 30 * DAY_S)
    told = checks.audit(buckets.settings(buckets.token(*OF_COLLECTOR)), lambda: None, whole=False)
    assert told.level == "unknown"
    assert "lets old events go" in told.what
    told = checks.audit(buckets.settings("x" * 40), lambda: None, whole=False)
    assert "does not accept our token" in told.what
    monkeypatch.setattr(checks, "MOST_AUDITED", -1)
    told = checks.audit(Settings(_env_file=None, state=tmp_path), lambda: None, whole=False)
    assert "--audit" in told.remedy
    assert checks.audit(Settings(_env_file=None, state=tmp_path), lambda: None, whole=True).level == "ok"
