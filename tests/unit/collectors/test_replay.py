"""Written again after the store lost it: every point on its own nanosecond, and the ledger as before."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors import ledger
from collectors.dead_changes import purge, requeue
from collectors.dead_letters import Selection
from collectors.ledger import Counts
from collectors.replay import read_moment, replay
from collectors.topics import Roster
from pipeline.model import Event
from tests.unit.collectors.places import AIR, NOW_NS, action, air, app, catalogue, pilot, reading
from tests.unit.collectors.test_delivery import Bench

HOUR_NS = 3_600_000_000_000


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, catalogue(pilot(app(consent="cohort"), air()), pilot(app(), slug="milan")))
    yield bench
    assert bench.spool.ledger() == bench.spool.derived_ledger()
    assert audit(bench) == []


def audit(bench: Bench) -> list[str]:
    counts = totals(bench)
    assert ledger.broken(counts) == []
    return ledger.audit(counts, bench.store, ["bremen"])


def totals(bench: Bench) -> Counts:
    return ledger.total(bench.spool.ledger().values())


def lose(bench: Bench, *events: Event) -> None:
    """What the store loses behind the collector's back."""
    bench.store.delete(events or [*bench.stored(), *bench.stored("sensor")])


def test_lost_points_are_named_by_the_audit_and_written_again_where_they_were(bench: Bench) -> None:
    bench.send(*[action(f"e-{n}") for n in range(20)])
    bench.send(reading(pm10=1, pm25=2), topic=AIR)
    bench.deliver()
    before, stored = totals(bench), [*bench.stored(), *bench.stored("sensor")]
    lose(bench, *stored[3:7], stored[-1])
    assert audit(bench) == ["bremen: 22 points were written but 17 are stored"]
    assert replay(bench.spool, NOW_NS - HOUR_NS, NOW_NS + 1).done == 21
    assert totals(bench)["bremen", "app", "pending"] == 20
    bench.now += HOUR_NS
    bench.deliver()
    assert [*bench.stored(), *bench.stored("sensor")] == stored
    assert totals(bench) == before
    assert {t.day for t in bench.store.touches() if t.seq >= bench.now} == {"2019-03-01"}


def test_replaying_what_was_not_lost_changes_nothing(bench: Bench) -> None:
    bench.send(action("a"), action("a"), action("b"), b"bad", action("b", value=7))
    bench.deliver()
    before, stored = totals(bench), bench.stored()
    for _ in range(2):
        assert replay(bench.spool, 0, NOW_NS + 1).done == 2
        bench.deliver()
    assert (totals(bench), bench.stored()) == (before, stored)


def test_a_span_of_time_and_one_pilot_can_be_replayed_alone(bench: Bench) -> None:
    for _ in range(3):
        bench.send(action(f"e-{bench.now}"))
        bench.send(action(f"m-{bench.now}").replace(b"/bremen/", b"/milan/"), topic="pilots/milan/usage/app")
        bench.now += HOUR_NS
    bench.deliver()
    assert replay(bench.spool, NOW_NS + HOUR_NS, NOW_NS + 2 * HOUR_NS, "bremen").done == 1
    assert [r.received_ns for r in (bench.spool.pending(9) or ("", []))[1]] == [NOW_NS + HOUR_NS]
    bench.deliver()


def test_what_is_live_goes_before_what_is_replayed(bench: Bench) -> None:
    bench.send(action("old"))
    bench.deliver()
    replay(bench.spool, 0, NOW_NS + 1)
    bench.send(action("new"))
    assert b"new" in (bench.spool.pending(1) or ("", []))[1][0].payload
    bench.deliver()


def test_a_day_that_was_done_is_looked_at_again_at_once(bench: Bench) -> None:
    for day in range(4):
        bench.now = NOW_NS + day * 24 * HOUR_NS
        bench.send(action(f"e-{day}"))
    bench.deliver()
    lose(bench, bench.stored()[0])
    assert replay(bench.spool, NOW_NS, NOW_NS + 1).done == 1
    bench.deliver()
    assert len(bench.stored()) == 4


def test_a_corrected_event_stays_corrected(bench: Bench) -> None:
    bench.send(action(time="2019-02-20T12:00:00Z", value=1))
    bench.deliver()
    for revision, day in ((1, 21), (2, 22)):
        bench.send(action(time=f"2019-02-{day}T12:00:00Z", value=revision + 1, revision=revision))
        bench.deliver()
    before, stored = totals(bench), bench.stored()
    lose(bench)
    replay(bench.spool, 0, NOW_NS + 1)
    bench.deliver()
    assert (totals(bench), bench.stored()) == (before, stored)


def test_a_backup_from_before_two_corrections_ends_with_the_last_of_them(bench: Bench) -> None:
    bench.send(action(time="2019-02-20T12:00:00Z", value=1))
    bench.deliver()
    backup = bench.stored()
    for revision, day in ((1, 21), (2, 22)):
        bench.send(action(time=f"2019-02-{day}T12:00:00Z", value=revision + 1, revision=revision))
        bench.deliver()
    lose(bench)
    bench.store.write(backup)
    bench.store.deleted.clear()
    replay(bench.spool, 0, NOW_NS + 1)
    bench.deliver()
    assert [event.value for event in bench.stored()] == [3.0]
    assert backup[0].time_ns in {event.time_ns for event in bench.store.deleted}, "a store keyed by time keeps it else"


def test_a_place_that_was_left_is_not_taken_from_the_event_that_has_it_now(bench: Bench) -> None:
    bench.send(action("a", time="2019-02-20T12:00:00Z"))
    bench.deliver()
    (first,) = bench.stored()
    bench.send(action("a", time="2019-02-21T12:00:00Z", revision=1))
    bench.deliver()
    (second,) = bench.stored()
    neighbour = Event(event_id="app/b", pilot="bremen", feed="app", stream="usage", type="x", time_ns=first.time_ns)
    bench.store.write([neighbour])
    replay(bench.spool, 0, NOW_NS + 1)
    bench.deliver()
    assert bench.stored() == [neighbour, second]
    lose(bench, neighbour)


def test_the_stored_points_of_a_message_with_a_refused_one_come_back_too(bench: Bench) -> None:
    bench.send(reading(pm10=1, pm25=2), topic=AIR)
    bench.store.refuse = {"d1/2019-03-01T12:00:00Z/pm2-5"}
    bench.store.refuse = {event for event in _ids(bench) if "pm2-5" in event}
    bench.deliver()
    before, stored = totals(bench), bench.stored("sensor")
    assert (before["bremen", "air", "points_written"], before["bremen", "air", "points_dead_lettered"]) == (1, 1)
    lose(bench)
    assert replay(bench.spool, 0, NOW_NS + 1).done == 1
    bench.deliver()
    assert (totals(bench), bench.stored("sensor")) == (before, stored)
    bench.store.refuse = set()
    assert requeue(bench.spool).done == 1
    bench.deliver()
    assert len(bench.stored("sensor")) == 2


def _ids(bench: Bench) -> set[str]:
    from collectors.clock_rules import Window
    from collectors.ingest import Ingest

    record = (bench.spool.pending(1) or ("", []))[1][0]
    from collectors.delivery import _message

    return {event.event_id for event in Ingest(bench.roster, Window()).judge(_message(record)).events}


def test_a_message_whose_body_was_purged_is_told_and_not_replayed(bench: Bench) -> None:
    bench.send(reading(pm10=1, pm25=2), topic=AIR)
    bench.store.refuse = {event for event in _ids(bench) if "pm2-5" in event}
    bench.deliver()
    assert purge(bench.spool, Selection(feed="air")).done == 1
    outcome = replay(bench.spool, 0, NOW_NS + 1)
    assert (outcome.done, outcome.without_body) == (0, 1)


def test_a_message_whose_body_found_no_room_is_told_and_not_replayed(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue(pilot(air())))
    bench.spool.dead_room.most = 0
    bench.send(reading(pm10=1, pm25=2), topic=AIR)
    bench.store.refuse = {event for event in _ids(bench) if "pm2-5" in event}
    bench.deliver()
    outcome = replay(bench.spool, 0, NOW_NS + 1)
    assert (outcome.done, outcome.without_body) == (0, 1)


def test_a_feed_that_is_read_otherwise_by_now_is_written_as_it_is_read_now(bench: Bench) -> None:
    bench.send(reading(pm10=1), topic=AIR)
    bench.deliver()
    (stored,) = bench.stored("sensor")
    lose(bench)
    mended = air(
        map={"time": "at", "device": "device", "values": {"pm10": {"quantity": "pm10", "unit": "ug/m3", "factor": 3}}}
    )
    bench.roster = Roster(catalogue(pilot(mended)), "main")
    bench.restart()
    replay(bench.spool, 0, NOW_NS + 1)
    bench.deliver()
    (again,) = bench.stored("sensor")
    assert (again.time_ns, stored.value, again.value) == (stored.time_ns, 1.0, 3.0)


def test_a_cut_during_the_replay_loses_and_doubles_nothing(bench: Bench) -> None:
    bench.send(*[action(f"e-{n}") for n in range(5)])
    bench.deliver()
    before, stored = totals(bench), bench.stored()
    lose(bench)
    replay(bench.spool, 0, NOW_NS + 1)

    class Cut(BaseException):
        pass

    def cut() -> None:
        raise Cut

    bench.restart(after_write=cut)
    with pytest.raises(Cut):
        bench.deliver()
    bench.restart()
    bench.deliver()
    assert (totals(bench), bench.stored()) == (before, stored)


def test_how_far_the_journal_reaches_is_said(bench: Bench) -> None:
    assert "The journal is empty" in replay(bench.spool, 0, NOW_NS).sentence(0)
    bench.send(action())
    bench.deliver()
    outcome = replay(bench.spool, 0, NOW_NS + 1)
    assert "The journal begins at 2019-03-02T00:00:00.000000Z" in outcome.sentence(0)
    assert "journal" not in outcome.sentence(NOW_NS + 1)
    bench.deliver()


@pytest.mark.parametrize("text", ["yesterday", "", "12", "2019-13-01", "-3h"])
def test_what_is_no_time_is_refused_with_the_remedy(text: str) -> None:
    with pytest.raises(ValueError, match="12h"):
        read_moment(text, NOW_NS)


def test_times_are_read_with_and_without_a_zone() -> None:
    assert read_moment("2019-03-02", 0) == read_moment("2019-03-02T01:00+01:00", 0) == NOW_NS
    assert read_moment("2h", NOW_NS) == NOW_NS - 2 * HOUR_NS


def test_a_feed_that_names_another_device_by_now_leaves_no_point_of_the_old_one(tmp_path: Path) -> None:
    """In InfluxDB a device is part of what a point is: writing the new one does not overwrite the old."""
    old = Bench(tmp_path, catalogue(pilot(air())))
    old.send(reading(pm10=4, other="d2"), topic=AIR)
    old.deliver()
    old.end()
    values = {"pm10": {"quantity": "pm10", "unit": "ug/m3"}}
    new = Bench(tmp_path, catalogue(pilot(air(map={"time": "at", "device": "other", "values": values}))))
    new.store = old.store
    replay(new.spool, 0, new.now + 1)
    new.restart(after_claim=end_here)
    with pytest.raises(ZeroDivisionError):
        new.delivery._deliver(*(new.spool.pending(1) or ("", [])), new.stop)
    new.restart()
    new.deliver()
    assert [event.device for event in new.store.deleted] == ["d1"]
    assert [event.device for event in new.stored("sensor")] == ["d2"]
    assert new.fates() == {"received": 1, "written": 1, "points_in": 1, "points_written": 1}


def end_here() -> None:
    raise ZeroDivisionError


def test_what_a_wrong_map_dropped_comes_back_after_the_mend(bench: Bench) -> None:
    """A misspelt name makes no dead letter, so requeueing cannot help."""
    values = {"PM10": {"quantity": "pm10", "unit": "ug/m3"}}
    bench.roster = Roster(catalogue(pilot(air(map={"time": "at", "device": "device", "values": values}))), "main")
    bench.restart()
    bench.send(reading(pm10=1), reading(time="2019-03-01T13:00:00Z", pm10=2), topic=AIR)
    bench.deliver()
    assert replay(bench.spool, 0, NOW_NS + 1).done == 0
    bench.roster = Roster(catalogue(pilot(air())), "main")
    bench.restart()
    replay(bench.spool, NOW_NS + 1, 2**62, dropped=True)
    assert bench.fates()["dropped:no_reading"] == 2, "they were received before"
    assert replay(bench.spool, 0, NOW_NS + 1, "bremen", dropped=True).done == 2
    bench.deliver()
    assert [event.value for event in bench.stored("sensor")] == [1.0, 2.0]
    assert {fate: n for fate, n in bench.fates().items() if n} == {
        "received": 2, "written": 2, "points_in": 2, "points_written": 2,
        "points_no_reading": 2,
    }  # fmt: skip
