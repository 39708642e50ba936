"""From the spool to a real store: marks, touches, corrections, refusals, absences and cuts."""

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from collectors import dead_letters, ledger
from collectors.clock_rules import Window
from collectors.dead_changes import requeue
from collectors.delivery import Delivery, Hooks
from collectors.index import EventIndex
from collectors.ingest import Ingest
from collectors.intake import Intake
from collectors.message import RawMessage, SpoolFailed
from collectors.pseudonym import PseudonymKeys
from collectors.spool import Spool
from collectors.topics import Roster
from config.catalogue import Catalogue
from config.settings import Spool as SpoolSettings
from pipeline.model import Event, Refusal, Touch
from pipeline.store.port import PENDING_DELETION, StoreAway, StoreHeld, StoreRefused
from pipeline.store.sqlite import SQLiteStore
from tests.services.process import wait_until
from tests.unit.collectors.places import AIR, APP, NOW_NS, action, air, app, catalogue, pilot, reading

FAR = 2**62


class Cut(BaseException):
    """The process ends here."""


class Moody(SQLiteStore):
    """The embedded store with a will of its own: each entry of `moods` happens once, at the next write."""

    def __init__(self) -> None:
        super().__init__(":memory:", None)
        self.moods: list[Exception] = []
        self.refuse: set[str] = set()
        self.code = "too_old"
        self.order: list[str] = []
        self.deleted: list[Event] = []
        self.writes = 0
        self.kept_ns: int | None = None
        self.gate: threading.Event | None = None  # a write waits for it, if there is one

    def retention_ns(self) -> int | None:
        return self.kept_ns

    def delete(self, events: Iterable[Event]) -> None:
        gone = list(events)
        self.deleted += gone
        super().delete(gone)

    def write(self, events: Sequence[Event]) -> list[Refusal]:
        self.writes += 1
        assert len({e.pilot for e in events}) == 1, "one write never mixes pilots"
        self.order.append(events[0].pilot)
        if self.gate is not None:
            assert self.gate.wait(20)
        if self.moods:
            raise self.moods.pop(0)
        refused = [
            Refusal(event_id=e.event_id, code=self.code, reason="no") for e in events if e.event_id in self.refuse
        ]
        return super().write([e for e in events if e.event_id not in self.refuse]) + refused


class Bench:
    """A spool, a store and a delivery between them; `restart` is what a new process would do."""

    def __init__(self, folder: Path, cities: Catalogue) -> None:
        self.folder, self.roster = folder, Roster(cities, "main")
        self.intake = Intake(self.roster, PseudonymKeys(folder / "keys"))
        self.store = Moody()
        self.spool = Spool(folder, SpoolSettings(), lease=True)
        self.now = NOW_NS
        self.restart()

    def restart(self, batch: int = 100, **hooks: Callable[[], None]) -> None:
        self.stop = threading.Event()
        self.index = EventIndex(self.folder)
        self.delivery = Delivery(
            self.spool, self.index, Ingest(self.roster, Window()), self.roster, self.store,
            lambda: self.now, Hooks(**hooks), batch,
        )  # fmt: skip

    def end(self) -> None:
        """What the process does when it stops."""
        self.delivery.close()
        self.index.close()
        self.spool.close()

    def send(self, *payloads: bytes, topic: str = APP) -> None:
        self.spool.append([self.intake.entry(topic, p, self.now) for p in payloads])

    def deliver(self) -> None:
        while self.delivery.step(self.stop):
            pass

    @contextmanager
    def running(self) -> Iterator[threading.Thread]:
        """Deliver as in service: the next batch is prepared while one is written; ends with the block."""
        thread = threading.Thread(target=self.delivery.run, args=(self.stop, threading.Event()))
        thread.start()
        yield thread
        self.stop.set()
        thread.join(20)
        assert not thread.is_alive()

    def stored(self, stream: str = "usage", city: str = "bremen") -> list[Event]:
        return self.store.read(city, [stream], 0, FAR)

    def fates(self) -> dict[str, int]:
        return dict(self.spool.totals())


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, catalogue(pilot(app(consent="cohort"), air())))
    yield bench
    for counts in (bench.spool.ledger(), bench.spool.derived_ledger()):
        assert ledger.broken(ledger.total(counts.values())) == []
    assert bench.spool.ledger() == bench.spool.derived_ledger()
    assert ledger.audit(ledger.total(bench.spool.ledger().values()), bench.store, ["bremen"]) == []


def test_a_message_is_stored_touched_and_marked(bench: Bench) -> None:
    bench.send(action())
    bench.deliver()
    assert [e.event_id for e in bench.stored()] == ["app/e-1"]
    assert bench.store.touches() == [Touch(pilot="bremen", day="2019-03-01", seq=NOW_NS)]
    assert bench.fates() == {"received": 1, "written": 1, "points_in": 1, "points_written": 1}


MIXED = b"""[{"bn":"hall/","bt":1551398400,"n":"t","u":"Cel","v":20},{"n":"x","t":1,"u":"parsec","v":21},
{"n":"t","t":2,"v":"22"},{"n":"t","t":3,"u":"FAH","v":68}]"""


def hall(**other: object) -> Catalogue:
    values = {"t": {"quantity": "temperature"}, "x": {"quantity": "soil-temperature", **other}}
    return catalogue(pilot(app(consent="cohort"), air(decoder="senml", map={"values": values})))


def test_a_bad_point_costs_itself_alone_and_a_mend_writes_what_was_missing(bench: Bench) -> None:
    bench.roster = Roster(hall(), "main")
    bench.restart()
    bench.send(MIXED, topic=AIR)
    bench.deliver()
    first = bench.stored("sensor")
    assert [e.value for e in first] == [20.0, 20.0]
    assert bench.fates() == {
        "received": 1, "dead_lettered": 1, "points_in": 4, "points_written": 2, "points_dead_lettered": 2,
    }  # fmt: skip
    letters = {(one.point, one.code) for one in dead_letters.listed(bench.spool)}
    assert letters == {("record 2", "unknown_unit"), ("record 3", "bad_value")}

    bench.roster = Roster(hall(sent_unit="parsec"), "main")
    assert requeue(bench.spool).done == 1
    bench.restart()
    bench.deliver()
    assert [e.value for e in bench.stored("sensor")] == [20.0, 21.0, 20.0]
    assert [e for e in bench.stored("sensor") if e.value != 21.0] == first
    assert bench.fates() == {
        "received": 1, "dead_lettered": 1, "points_in": 4, "points_written": 3, "points_dead_lettered": 1,
    }  # fmt: skip


def test_what_a_mend_changes_about_the_good_points_of_a_message_is_changed_in_the_store(bench: Bench) -> None:
    bench.roster = Roster(hall(), "main")
    bench.restart()
    bench.send(MIXED.replace(b'"22"', b"22"), topic=AIR)
    bench.deliver()
    assert [e.value for e in bench.stored("sensor")] == [20.0, 22.0, 20.0]
    values = {
        "t": {"quantity": "temperature", "factor": 2},
        "x": {"quantity": "soil-temperature", "sent_unit": "parsec"},
    }
    mended = air(decoder="senml", map={"values": values, "device_level": 1})
    bench.roster = Roster(catalogue(pilot(app(consent="cohort"), mended)), "main")
    assert requeue(bench.spool).done == 1
    bench.restart()
    bench.deliver()
    assert [(e.device, e.value) for e in bench.stored("sensor")] == [
        ("bremen", 40.0), ("bremen", 21.0), ("bremen", 44.0), ("bremen", 136.0),
    ]  # fmt: skip
    assert {e.device for e in bench.store.deleted} == {"hall"}, "another device is another series: the old one goes"
    assert bench.fates() == {"received": 1, "written": 1, "points_in": 4, "points_written": 4}


def test_one_good_point_beside_a_bad_one_is_written_and_the_message_a_dead_letter(bench: Bench) -> None:
    bench.send(reading(pm10=1, pm25="x"), topic=AIR)
    bench.deliver()
    assert [e.value for e in bench.stored("sensor")] == [1.0]
    assert bench.fates() == {
        "received": 1, "dead_lettered": 1, "points_in": 2, "points_written": 1, "points_dead_lettered": 1,
    }  # fmt: skip
    assert [(one.point, one.code) for one in dead_letters.listed(bench.spool)] == [("pm2-5", "bad_value")]


def test_only_bad_points_of_several_kinds_are_a_dead_letter_each(bench: Bench) -> None:
    bench.send(reading(time="1970-01-01T00:00:00Z", pm10=1, pm25="x"), topic=AIR)
    bench.deliver()
    assert bench.fates() == {"received": 1, "dead_lettered": 1, "points_in": 2, "points_dead_lettered": 2}


def test_a_message_of_bad_points_beside_known_ones_is_a_dead_letter_again(bench: Bench) -> None:
    bench.roster = Roster(hall(), "main")
    bench.restart()
    bench.send(MIXED, MIXED, topic=AIR)
    bench.deliver()
    assert len(bench.stored("sensor")) == 2
    assert bench.fates() == {
        "received": 2, "dead_lettered": 2, "points_in": 6, "points_written": 2, "points_dead_lettered": 4,
    }  # fmt: skip


def test_the_touched_day_is_the_pilots_own(bench: Bench) -> None:
    bench.send(action(time="2019-03-01T23:30:00Z"))
    bench.deliver()
    assert [t.day for t in bench.store.touches()] == ["2019-03-02"]


def test_each_touch_is_later_than_the_last_even_when_the_clock_stands(bench: Bench) -> None:
    seqs = []
    for n in range(3):
        bench.send(action(f"e-{n}"))
        bench.deliver()
        seqs.append(bench.store.touches()[0].seq)
    assert seqs == [NOW_NS, NOW_NS + 1, NOW_NS + 2]


def test_the_same_message_again_is_a_duplicate(bench: Bench) -> None:
    bench.send(action(), action())
    bench.deliver()
    bench.send(action())
    bench.deliver()
    assert len(bench.stored()) == 1
    assert bench.fates()["duplicate"] == 2


def test_a_correction_replaces_the_old_point_and_touches_both_days(bench: Bench) -> None:
    bench.send(action(time="2019-02-20T12:00:00Z"))
    bench.deliver()
    (old,) = bench.stored()
    bench.now += 1000
    bench.send(action(time="2019-02-22T12:00:00Z", revision=1), action(time="2019-02-23T12:00:00Z"))
    bench.deliver()
    assert [(e.floor_ns, e.revision) for e in bench.stored()] == [(1_550_836_800_000_000_000, 1)]
    assert {t.day for t in bench.store.touches() if t.seq >= bench.now} == {"2019-02-20", "2019-02-22"}
    assert bench.store.deleted == [old], "a store that keys on time would keep both"
    assert [letter.code for letter in dead_letters.listed(bench.spool)] == ["id_reused"]


def test_an_event_and_its_correction_may_come_together(bench: Bench) -> None:
    bench.send(action(value=1), action(value=2, revision=1), action(value=3, revision=2))
    bench.deliver()
    assert [e.value for e in bench.stored()] == [3.0]
    assert bench.fates()["written"] == 3


def test_one_refused_point_costs_its_neighbours_nothing(bench: Bench) -> None:
    bench.send(reading(pm10=1, pm25=2), reading("d2", pm10=3), topic=AIR)
    bench.send(action())
    (bad,) = [e for e in Ingest(bench.roster, Window()).judge(_raw(reading(pm10=1, pm25=2))).events if e.value == 2]
    bench.store.refuse = {bad.event_id}
    bench.deliver()
    assert sorted(e.value or 0 for e in bench.stored("sensor")) == [1.0, 3.0]
    assert len(bench.stored()) == 1
    (letter,) = dead_letters.listed(bench.spool)
    assert (letter.stage, letter.code, letter.point) == ("write", "too_old", bad.event_id)
    assert bench.fates()["dead_lettered"] == 1
    bench.store.refuse = set()
    assert requeue(bench.spool).done == 1
    bench.deliver()
    assert sorted(e.value or 0 for e in bench.stored("sensor")) == [1.0, 2.0, 3.0]


def test_fields_without_a_reading_are_counted_by_that_reason(bench: Bench) -> None:
    bench.send(reading(pm10=1), reading("d2"), reading("d3", pm10=0, pm25=""), topic=AIR)
    bench.deliver()
    assert sorted(e.value or 0 for e in bench.stored("sensor")) == [0.0, 1.0]
    fates = bench.fates()
    assert (fates["dropped:no_reading"], fates["points_no_reading"], fates["written"]) == (1, 4, 2)


def test_an_absent_store_loses_nothing_and_is_asked_again(bench: Bench) -> None:
    bench.send(action())
    bench.store.moods = [StoreAway("away", retry_after_s=0.0), StoreAway("away", retry_after_s=0.0)]
    bench.deliver()
    assert len(bench.stored()) == 1
    assert bench.store.writes == 3
    assert bench.delivery.state == "ok"


def test_a_store_that_holds_us_off_keeps_everything_pending(bench: Bench) -> None:
    bench.send(action())
    bench.store.moods = [StoreHeld("bad token")]
    asked = threading.Thread(target=bench.delivery.run, args=(bench.stop, threading.Event()))
    asked.start()
    while bench.delivery.state != "held":
        assert asked.is_alive()
    bench.stop.set()
    asked.join(5)
    assert not asked.is_alive(), "stopping interrupts the wait"
    assert bench.fates() == {"received": 1, "pending": 1}
    bench.restart()
    bench.deliver()
    assert len(bench.stored()) == 1


@pytest.mark.parametrize("point", ["after_claim", "after_write", "after_touch", "after_mark"])
def test_a_cut_at_any_point_loses_and_doubles_nothing(bench: Bench, point: str) -> None:
    def cut() -> None:
        raise Cut

    bench.send(action("a"), action("b", value=1), reading(pm10=1, pm25=2))
    bench.send(reading(pm10=1, pm25=2), topic=AIR)
    bench.restart(**{point: cut})
    with pytest.raises(Cut):
        bench.deliver()
    bench.restart()
    bench.deliver()
    bench.send(action("b", value=5, revision=1))
    bench.restart(**{point: cut})
    with pytest.raises(Cut):
        bench.deliver()
    bench.restart()
    bench.deliver()
    assert sorted((e.event_id, e.value) for e in bench.stored()) == [("app/a", None), ("app/b", 5.0)]
    assert len(bench.stored("sensor")) == 2
    assert bench.store.touches()[0].seq > 0


def test_the_next_batch_is_claimed_while_one_is_written_and_no_message_is_read_twice(bench: Bench) -> None:
    claims: list[str] = []
    bench.send(*[action(f"e-{n}") for n in range(9)])
    bench.restart(batch=2, after_claim=lambda: claims.append("claimed"))
    bench.store.gate = threading.Event()
    with bench.running():
        wait_until(lambda: len(claims) == 2, 10, "the second claim")
        assert bench.stored() == []
        assert bench.fates()["pending"] == 9
        bench.store.gate.set()
        wait_until(lambda: bench.fates().get("written") == 9, 10, "all to be written")
    assert bench.store.writes == len(claims) == 5
    assert sorted(e.event_id for e in bench.stored()) == [f"app/e-{n}" for n in range(9)]


@pytest.mark.parametrize("cut_off", [True, False])
def test_a_correction_waits_for_what_it_replaces_and_a_duplicate_for_its_first(bench: Bench, cut_off: bool) -> None:
    """Both come while the first is being written; that it is cut off there must not make it a reused id."""
    claims: list[str] = []
    bench.send(action(value=1))
    bench.send(action(value=2, revision=1), action(value=1))
    bench.restart(batch=1, after_claim=lambda: claims.append("claimed"))
    bench.store.gate = threading.Event()
    with bench.running():
        wait_until(lambda: len(claims) >= 2, 10, "the claim of the correction")
        if cut_off:
            bench.store.moods = [StoreAway("gone")]
            bench.stop.set()
        bench.store.gate.set()
        if not cut_off:
            wait_until(lambda: bench.fates().get("pending", 0) == 0, 10, "all fates")
    bench.store.gate = None
    bench.restart()
    bench.deliver()
    assert [e.value for e in bench.stored()] == [2.0]
    assert {key: n for key, n in bench.fates().items() if not key.startswith("points")} == {
        "received": 3, "written": 2, "duplicate": 1,
    }  # fmt: skip
    assert dead_letters.counted(bench.spool) == {}


def test_what_ends_delivering_is_raised_even_while_the_store_is_away(bench: Bench) -> None:
    claims: list[str] = []

    def fail() -> None:
        claims.append("claimed")
        if len(claims) == 2:
            raise SpoolFailed("the disk is gone")

    bench.send(action("a"), action("b"))
    bench.restart(batch=1, after_claim=fail)
    bench.store.moods = [StoreAway("gone", retry_after_s=600)]
    with pytest.raises(SpoolFailed, match="the disk is gone"):
        bench.delivery.run(bench.stop, threading.Event())
    assert bench.fates()["pending"] == 2


def test_pilots_are_written_apart(tmp_path: Path) -> None:
    malmo = pilot(app(topic="pilots/malmo/usage/app"), slug="malmo")
    bench = Bench(tmp_path, catalogue(pilot(), malmo))
    bench.send(action())
    bench.send(action().replace(b"bremen", b"malmo"), topic="pilots/malmo/usage/app")
    bench.deliver()
    assert bench.store.writes == 2
    assert len(bench.stored(city="malmo")) == len(bench.stored()) == 1


def test_a_point_that_vanished_from_the_store_fails_the_audit(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue())
    bench.send(action("a"), action("b"))
    bench.deliver()
    counts = ledger.total(bench.spool.ledger().values())
    assert ledger.audit(counts, bench.store, ["bremen"]) == []
    bench.store.delete(bench.stored()[:1])
    assert ledger.audit(counts, bench.store, ["bremen"]) == ["bremen: 2 points were written but 1 are stored"]


def _raw(payload: bytes) -> RawMessage:
    return RawMessage(topic=AIR, payload=payload, received_ns=NOW_NS)


def test_points_of_a_shard_that_is_being_deleted_wait_a_minute_and_are_tried_once_more(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    clock = [0]
    monkeypatch.setattr("collectors.delivery.time.monotonic_ns", lambda: clock[0])
    bench = Bench(tmp_path, catalogue(pilot(), pilot(app(topic="pilots/malmo/usage/app"), slug="malmo")))
    malmo = action("m").replace(b"bremen", b"malmo")
    bench.send(action("stuck"), action("back"), action("fine"))
    bench.store.refuse, bench.store.code = {"app/stuck", "app/back"}, PENDING_DELETION
    bench.deliver()
    bench.send(malmo, topic="pilots/malmo/usage/app")
    bench.deliver()
    assert [e.event_id for e in bench.stored()] == ["app/fine"]
    assert len(bench.stored(city="malmo")) == 1, "another pilot waits for nothing"
    assert bench.fates()["pending"] == 2
    writes = bench.store.writes
    clock[0] = 59 * 10**9
    bench.deliver()
    assert bench.store.writes == writes
    clock[0] = 60 * 10**9
    bench.store.refuse = {"app/stuck"}
    bench.deliver()
    assert sorted(e.event_id for e in bench.stored()) == ["app/back", "app/fine"]
    assert [letter.code for letter in dead_letters.listed(bench.spool)] == [PENDING_DELETION]
    assert bench.spool.ledger() == bench.spool.derived_ledger()
    assert not bench.delivery._tried_again


def test_a_pilot_whose_points_are_refused_is_written_after_the_others(tmp_path: Path) -> None:
    malmo = pilot(app(topic="pilots/malmo/usage/app"), slug="malmo")
    bench = Bench(tmp_path, catalogue(pilot(), malmo))
    bench.store.refuse = {f"app/bad-{n}" for n in range(9)}
    for n in range(3):
        bench.send(*[action(f"bad-{3 * n + m}") for m in range(3)])
        bench.send(action(f"m-{n}").replace(b"bremen", b"malmo"), topic="pilots/malmo/usage/app")
        bench.deliver()
    assert bench.store.order == ["bremen", "malmo", "malmo", "bremen", "malmo", "bremen"]
    assert (len(bench.stored(city="malmo")), bench.fates()["dead_lettered"]) == (3, 9)


def test_what_is_older_than_the_store_keeps_is_set_aside_before_the_write(bench: Bench) -> None:
    bench.store.kept_ns = 10 * 86_400 * 10**9
    bench.now += 61 * 10**9
    bench.delivery._housekeeping()
    bench.send(action("old", "2019-02-10T12:00:00Z"), action("new"))
    bench.deliver()
    assert bench.fates()["written"] == 1
    assert [(one.stage, one.code) for one in dead_letters.listed(bench.spool)] == [("clock", "beyond_retention")]


def test_what_the_store_itself_refuses_is_no_messages_fault(bench: Bench) -> None:
    """A damaged store would else make dead letters of all that comes in a quiet hour, one by one."""
    bench.send(action())
    bench.store.moods = [StoreRefused("store.db is damaged; restore it from the backup")] * 3
    with pytest.raises(StoreRefused):
        bench.deliver()
    assert bench.fates() == {"received": 1, "pending": 1}
    bench.store.moods = []
    bench.deliver()
    assert bench.fates()["written"] == 1


def test_old_days_and_ids_go_while_messages_never_cease(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue())
    bench.send(action("first"))
    bench.deliver()
    bench.now += 11 * 86_400 * 10**9
    write, more = bench.store.write, 300

    def writes(events: Sequence[Event]) -> list[Refusal]:
        nonlocal more
        if bench.spool.days()[0] == "2019-03-02" or bench.index.days()[0] == "2019-03-02":
            more -= 1
            if more:
                bench.send(action(f"e-{more}"))  # there is always one more
        return write(events)

    bench.store.write = writes  # type: ignore[method-assign]
    bench.send(action("second"))
    with bench.running():
        wait_until(lambda: not bench.spool.has_pending(), 30, "the end")
    assert more, "the old day's file and its ids went before it ended"
