"""One person is erased: what is kept afterwards is what a world without them would keep, wherever it was cut off."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from collectors import ledger
from collectors.clock_rules import Window
from collectors.erasure import Erasure
from collectors.ingest import Ingest
from collectors.replay import replay
from collectors.tombstones import Tombstones
from pipeline.frozen import Frozen
from pipeline.operations import Operations
from pipeline.store.port import Store
from tests.unit.collectors.places import AIR, NOW_NS, action, air, app, catalogue, pilot, reading
from tests.unit.collectors.test_delivery import Bench

HERS, HIS = "k1HERS0000000000000000000A", "k1HIS00000000000000000000B"
STEPS = ("tombstone", "job", "journal", "index", "log", "store", "ledger", "touch")
CITIES = catalogue(pilot(app(consent="cohort"), air()))


class Cut(Exception):
    """The process ended here."""


class Town(Bench):
    """A bench whose next delivery knows who was erased, as a collector that is started knows it."""

    def __init__(self, folder: Path, store: Store | None = None) -> None:
        super().__init__(folder, CITIES)
        if store is not None:
            self.store = store  # type: ignore[assignment]
            self.begin()
        self.operations = Operations(":memory:")

    def begin(self) -> None:
        self.restart()
        self.delivery._ingest = Ingest(self.roster, Window(), is_erased=Tombstones(self.folder).covers)

    def erase(self, cut: str = "") -> None:
        def after(step: str) -> None:
            if step == cut:
                raise Cut

        self.delivery.close()
        self.index.close()
        stones = Tombstones(self.folder)
        frozen = Frozen(self.operations)
        work = Erasure(CITIES.pilots["bremen"], HERS, self.store, [self.spool], stones, frozen, None,
                       lambda: self.now, after)  # fmt: skip
        try:
            work.run()
        finally:
            self.begin()

    def adds_up(self) -> None:
        counts = self.spool.ledger()
        assert ledger.broken(ledger.total(counts.values())) == []
        assert counts == self.spool.derived_ledger()
        assert ledger.audit(ledger.total(counts.values()), self.store, ["bremen"]) == []

    def everything(self, folded: bool = False) -> bytes:
        """Every byte on disk, but for the keys; `folded` as SQLite leaves it once its log was taken into the file."""
        for path in self.folder.glob("spool-*.db") if folded else ():
            with closing(sqlite3.connect(path)) as connection:
                connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return b"".join(p.read_bytes() for p in sorted(self.folder.rglob("*")) if p.is_file() and p.suffix != ".key")


def act(number: int, who: str | None, **more: object) -> bytes:
    said = {} if who is None else {"actor_key": who, "consent": "cohort"}
    return action(f"e-{number}", time=f"2019-03-01T12:00:00.{number % 3:03}Z", **said, **more)


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.end()


def test_nothing_is_left_of_her_in_store_journal_dead_letters_and_index(town: Town) -> None:
    town.send(act(1, HERS), act(2, HIS), act(3, None), act(4, HERS, service_id=7), b'{"actor_key": "' + HERS.encode())
    town.send(reading(pm10=1), topic=AIR)
    town.deliver()
    town.erase()
    assert {event.actor_key for event in town.stored()} == {None, HIS}
    assert len(town.stored("sensor")) == 1
    assert HERS.encode() not in town.everything()
    assert HIS.encode() in town.everything()
    town.adds_up()
    with closing(sqlite3.connect(town.folder / "index.db")) as index:
        assert not index.execute("SELECT 1 FROM event WHERE event_id LIKE '%e-1'").fetchall()


@pytest.mark.parametrize("cut", STEPS)
def test_an_erasure_that_was_cut_off_is_finished_by_the_same_command(town: Town, cut: str) -> None:
    town.send(act(1, HERS), act(2, HIS), act(3, HERS))
    town.deliver()
    with pytest.raises(Cut):
        town.erase(cut)
    town.erase()
    assert [event.actor_key for event in town.stored()] == [HIS]
    assert HERS.encode() not in town.everything()
    assert town.spool.totals()["points_erased"] == 2
    assert Frozen(town.operations).erasures("bremen") == ["2019-03-01"]
    assert [touch.day for touch in town.store.touches()] == ["2019-03-01"]
    town.adds_up()


def test_what_comes_again_stays_away_and_is_counted(town: Town) -> None:
    sent = [act(1, HERS), act(2, HIS)]
    town.send(*sent)
    town.deliver()
    town.erase()
    town.send(*sent, act(9, HERS))
    town.deliver()
    assert replay(town.spool, 0, NOW_NS + 1, None, True).without_body == 3  # of her
    town.deliver()
    assert [event.actor_key for event in town.stored()] == [HIS]
    fates = town.fates()
    assert (fates["received"], fates["dropped:erased"], fates["duplicate"]) == (5, 2, 1)
    assert HERS.encode() not in town.everything(folded=True)
    town.adds_up()


def test_a_message_on_its_way_is_dropped_though_a_crash_had_left_it_written(town: Town) -> None:
    town.send(act(1, HERS))

    def end() -> None:
        raise KeyboardInterrupt

    town.restart(after_write=end)
    with pytest.raises(KeyboardInterrupt):
        town.deliver()
    assert len(town.stored()) == 1
    town.erase()
    town.deliver()
    assert town.stored() == []
    assert town.fates()["dropped:erased"] == 1
    assert HERS.encode() not in town.everything(folded=True)
    town.adds_up()


def test_a_restored_backup_is_erased_again_and_counted_once(town: Town) -> None:
    town.send(act(1, HERS), act(2, HIS))
    town.deliver()
    backup = town.stored()
    town.erase()
    town.store.write(backup)
    town.erase()
    assert [event.actor_key for event in town.stored()] == [HIS]
    assert town.spool.totals()["points_erased"] == 1
    town.adds_up()


def test_counting_first_changes_nothing(town: Town) -> None:
    town.send(act(1, HERS), b'{"actor_key": "' + HERS.encode())
    town.deliver()
    before = town.stored()
    work = Erasure(CITIES.pilots["bremen"], HERS, town.store, [town.spool], Tombstones(town.folder),
                   Frozen(town.operations), None, lambda: town.now)  # fmt: skip
    kept = work.count()
    assert (kept.events, kept.letters, kept.waiting) == (1, 1, 0)
    assert town.stored() == before
    assert not (town.folder / "erasures.db").exists()


@settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    who=st.lists(st.sampled_from([HERS, HIS, None]), min_size=1, max_size=8),
    at=st.integers(0, 8), cut=st.sampled_from(["", *STEPS]), again=st.booleans(),
)  # fmt: skip
def test_it_equals_a_world_without_her(
    tmp_path_factory: pytest.TempPathFactory, who: list[str | None], at: int, cut: str, again: bool
) -> None:
    sent = [act(number, one) for number, one in enumerate(who)]
    town, without = Town(tmp_path_factory.mktemp("with")), Town(tmp_path_factory.mktemp("without"))
    try:
        town.send(*sent[:at])
        town.deliver()
        town.send(*sent[at:])  # on their way while she is erased
        if cut:
            with suppress(Cut):
                town.erase(cut)
        town.erase()
        town.deliver()
        if again:
            town.send(*sent)
            town.deliver()
        without.send(*(payload for payload, one in zip(sent, who, strict=True) if one != HERS))
        without.deliver()
        assert town.stored() == without.stored()
        assert HERS.encode() not in town.everything(folded=True)
        town.adds_up()
    finally:
        town.end()
        without.end()
