"""What becomes of a message by what it says itself."""

from datetime import date
from zoneinfo import ZoneInfo

import pytest

from collectors.clock_rules import Window
from collectors.ingest import Ingest, Judged
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place, Roster
from config.catalogue import Feed
from tests.unit.collectors.places import AIR, APP, NOW_NS, action, air, app, catalogue, pilot, raw, reading

DAY_NS = 86_400_000_000_000


def judge(message: RawMessage, *feeds: Feed, window: Window | None = None) -> Judged:
    roster = Roster(catalogue(pilot(*feeds)), "main")
    return Ingest(roster, window or Window()).judge(message)


def code(judged: Judged) -> str:
    assert judged.fault is not None
    return f"{judged.fault.stage}/{judged.fault.code}"


def test_a_sound_message_becomes_an_event_of_its_topics_pilot() -> None:
    (event,) = judge(raw(action())).events
    assert (event.pilot, event.feed, event.stream, event.event_id) == ("bremen", "app", "usage", "app/e-1")


@pytest.mark.parametrize(
    ("topic", "expected"),
    [
        ("pilots/atlantis/usage/app", "identity/unknown_pilot"),
        ("pilots/bremen/usage/other", "identity/unknown_feed"),
        ("pilots", "identity/unknown_pilot"),
        ("pilots//usage/app", "identity/unknown_pilot"),
        ("pilots/bremen/usage/app/" + "/".join("x" * 20), "identity/unknown_feed"),
    ],
)
def test_a_topic_that_no_feed_declares_is_set_aside(topic: str, expected: str) -> None:
    assert code(judge(raw(action(), topic))) == expected


def test_a_persons_key_needs_consent() -> None:
    assert code(judge(raw(action(actor_key="k1ABCDEFGHIJKLMNOP")))) == "validate/consent"
    assert judge(raw(action(actor_key="k1ABCDEFGHIJKLMNOP", consent="cohort"))).events
    assert judge(raw(action(actor_key="k1ABCDEFGHIJKLMNOP")), app(consent="cohort")).events


def test_a_count_above_one_needs_consent_to_counting() -> None:
    assert code(judge(raw(action(count=2)))) == "validate/count"
    assert judge(raw(action(count=2, consent="count_only"))).events[0].count == 2
    assert judge(raw(action(count=1))).events


@pytest.mark.parametrize(
    ("time", "expected"),
    [
        ("2019-03-02T00:10:00Z", ""),
        ("2019-03-02T00:10:00.001Z", "clock/clock_skew"),
        ("1970-01-01T00:00:00Z", "clock/clock_skew"),
        ("2106-02-07T06:28:15Z", "clock/clock_skew"),
        ("2018-01-26T00:00:00Z", ""),
        ("2018-01-25T23:59:59.999Z", "clock/clock_skew"),
    ],
)
def test_the_clock_window_reaches_from_400_days_ago_to_ten_minutes_ahead(time: str, expected: str) -> None:
    judged = judge(raw(action(time=time)))
    assert (code(judged) if judged.fault else "") == expected


def test_a_declared_back_fill_opens_the_past_from_its_day_on() -> None:
    feed = app(accept_since=date(2015, 1, 1))
    assert judge(raw(action(time="2015-01-01T00:00:00+01:00")), feed).events
    assert code(judge(raw(action(time="2014-12-31T23:59:59+01:00")), feed)) == "clock/clock_skew"


def test_a_back_fill_never_reaches_beyond_what_the_store_keeps() -> None:
    judged = judge(raw(action(time="2019-02-01T00:00:00Z")), app(accept_since=date(2015, 1, 1)),
                   window=Window(retention_ns=10 * DAY_NS))  # fmt: skip
    assert code(judged) == "clock/beyond_retention"


def test_an_event_of_a_month_is_judged_by_the_months_start() -> None:
    judged = judge(raw(action(time="2019-03-01", time_precision="month")))
    assert judged.events


def test_retained_telemetry_is_state_and_no_event_but_a_heartbeat_counts() -> None:
    assert judge(raw(action(), retained=True)).dropped == "retained_replay"
    assert judge(raw(action(), retained=True), app(drop=[])).events
    beat = action().replace(b"action.performed", b"feed.heartbeat")
    assert judge(raw(beat, retained=True)).events[0].stream == "ops"


def test_a_feed_may_drop_what_is_simulated() -> None:
    feed = app(drop=["simulated"])
    assert judge(raw(action(synthetic=True)), feed).dropped == "simulated"
    assert judge(raw(action(synthetic=False)), feed).events
    assert judge(raw(action(synthetic=True))).events[0].synthetic


def test_a_message_without_a_reading_is_dropped_by_that_rule() -> None:
    judged = judge(raw(reading(pm10="", pm25=None), AIR))
    assert (judged.dropped, judged.empty, judged.events) == ("no_reading", 2, [])


def test_zero_is_a_reading() -> None:
    judged = judge(raw(reading(pm10=0), AIR))
    assert ([e.value for e in judged.events], judged.empty) == ([0.0], 1)


def test_readings_of_one_millisecond_stay_apart() -> None:
    events = judge(raw(reading(pm10=1, pm25=2), AIR)).events
    assert len({e.time_ns for e in events}) == len({e.event_id for e in events}) == 2


@pytest.mark.parametrize(
    ("payload", "expected"),
    [
        (b"[" * 100_000, "decode/too_large"),
        (b"[" * 60_000, "decode/too_deep"),
        (b'{"a":' * 33 + b"1" + b"}" * 33, "decode/too_deep"),
        (b"", "decode/not_json"),
        (b"\xff", "decode/not_utf8"),
        (b"null", "decode/not_an_object"),
        (b'{"id":"' + b"x" * 5000 + b'"}', "decode/long_string"),
        (b'{"id":[' + b"1," * 2000 + b"1]}", "decode/too_many_items"),
        (b'{"n":1' + b"0" * 5000 + b"}", "decode/number_too_large"),
        (b"x" * 10_000_000, "decode/too_large"),
    ],
)
def test_hostile_payloads_are_refused_with_their_reason(payload: bytes, expected: str) -> None:
    assert code(judge(raw(payload))) == expected


def test_a_point_outside_the_clock_window_costs_that_point_alone() -> None:
    feed = air(decoder="senml", map={"values": {"t": {"quantity": "temperature"}}})
    pack = b'[{"bn":"a/","n":"t","t":1551398400,"v":1},{"n":"t","t":1451398400,"v":2},{"n":"t","t":1551398401,"v":3}]'
    judged = judge(raw(pack, AIR), feed)
    assert [event.value for event in judged.events] == [1.0, 3.0]
    ((stage, code_, point),) = [(one.stage, one.code, one.point) for one in judged.faults]
    assert (stage, code_, point.endswith("/1/temperature")) == ("clock", "clock_skew", True)


def test_a_message_none_of_whose_points_is_sound_is_one_fault_if_all_are_alike() -> None:
    judged = judge(raw(reading(time="1970-01-01T00:00:00Z", pm10=1, pm25=2), AIR))
    assert (code(judged), judged.faults) == ("clock/clock_skew", ())
    judged = judge(raw(reading(time="1970-01-01T00:00:00Z", pm10=1, pm25="x"), AIR))
    assert (judged.events, judged.fault) == ([], None)
    assert {one.code for one in judged.faults} == {"clock_skew", "bad_value"}


def test_a_mistake_of_a_decoder_condemns_one_payload() -> None:
    def broken(message: RawMessage, place: Place) -> None:
        raise ZeroDivisionError

    roster = Roster(catalogue(), "main")
    judged = Ingest(roster, Window(), {"cloudevents": broken, "flat_json": broken}).judge(raw(action()))  # type: ignore[dict-item]
    assert code(judged) == "decode/decoder_error"


def test_the_ledger_of_the_collector_comes_in_as_an_ops_event() -> None:
    payload = action().replace(b"action.performed", b"collector.ledger")
    (event,) = judge(raw(payload, "periscope/ops/main/bremen")).events
    assert (event.stream, event.feed, event.pilot) == ("ops", "collector", "bremen")
    assert code(judge(raw(payload, "periscope/ops/other/bremen"))) == "identity/unknown_pilot"


def test_a_foreign_topic_belongs_to_the_pilot_that_declares_it() -> None:
    feed = air(topic="v1.0/+/Observations")
    roster = Roster(catalogue(pilot(feed)), "main")
    assert roster.place("v1.0/7/Observations").feed_id == "air"
    assert roster.filters() == ["pilots/#", "periscope/ops/main/+", "v1.0/+/Observations"]
    assert roster.place("v1.0/7/8/Observations").code == "unknown_pilot"


def test_a_window_without_any_bound_given_still_refuses_the_far_past() -> None:
    with pytest.raises(Undecodable, match="too old"):
        Window().check(NOW_NS - 500 * DAY_NS, NOW_NS, None, ZoneInfo("UTC"))


def test_the_topic_of_a_feed_is_taken_whole() -> None:
    assert judge(raw(action(), APP + "/")).fault is not None
