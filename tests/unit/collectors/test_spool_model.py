"""The spool beside a plain list, under random appends, marks, crashes, damage and days: they never disagree.

A crash is the process ending without a close; a cut is a power failure, after which everything that was not synced is
gone: the WAL is cut at a random byte after its last sync.
"""

import shutil
import tempfile
from pathlib import Path

from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from collectors import dead_changes, dead_letters, ledger
from collectors.ledger import DEAD, DROPPED, DUPLICATE, PENDING, WRITTEN
from collectors.message import Fault
from collectors.replay import replay
from collectors.spool import Spool
from collectors.spool_day import DIRECT, REPLAY, Entry, Fate
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import APP, NOW_NS

DAY_NS = 86_400_000_000_000


class SpoolModel(RuleBasedStateMachine):
    """`model` holds, per message in order of arrival: day, priority, body, state; `gone` those of archived days."""

    @initialize()
    def begin(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="spool-model-"))
        self.spool = Spool(self.folder, SpoolSettings(), lease=True)
        self.model: list[list[object]] = []
        self.gone: list[list[object]] = []
        self.now = NOW_NS

    @rule(
        sizes=st.lists(st.integers(0, 5000), min_size=1, max_size=5),
        priority=st.sampled_from([0, 1]),
        bad=st.booleans(),
    )
    def append(self, sizes: list[int], priority: int, bad: bool) -> None:
        fault = Fault("decode", "not_json", "not JSON") if bad else None
        bodies = [b"%d:" % (len(self.model) + len(self.gone) + n) + b"x" * size for n, size in enumerate(sizes)]
        self.spool.append([Entry(self.now, "bremen", "app", APP, b, priority=priority, fault=fault) for b in bodies])
        self.model += [[self.now // DAY_NS, priority, body, DEAD if bad else PENDING, self.now] for body in bodies]

    @rule(limit=st.integers(1, 7), state=st.sampled_from([WRITTEN, DUPLICATE, DEAD, DROPPED]), skip=st.booleans())
    def deliver(self, limit: int, state: int, skip: bool) -> None:
        found = self.spool.pending(limit)
        waiting = sorted((m for m in self.model if m[3] == PENDING), key=lambda m: (m[1], m[0]))
        if found is None:
            assert not waiting
            return
        day, records = found
        same = [m for m in waiting if (m[0], m[1]) == (waiting[0][0], waiting[0][1])][:limit]
        assert [r.payload for r in records] == [m[2] for m in same]
        if not skip:
            fault = (Fault("write", "refused", "no"),) if state == DEAD else ()
            self.spool.mark(day, [Fate(r, state, "rule" * (state == DROPPED), faults=fault) for r in records], self.now)
            for message in same:
                message[3] = state

    @rule()
    def requeue(self) -> None:
        parked = {(x.day, x.seq) for x in dead_letters.listed(self.spool) if x.parked}
        if not parked:
            back = [m for m in self.gone if m[3] == DEAD]
            dead = [m for m in self.model if m[3] == DEAD]
            assert dead_changes.requeue(self.spool).done == len(dead) + len(back)
            for message in dead + back:
                message[1], message[3] = DIRECT, PENDING
            self.gone = [m for m in self.gone if m not in back]
            self.model = [*back, *self.model]

    @rule(hours=st.integers(1, 100))
    def replay(self, hours: int) -> None:
        since = self.now - hours * 3_600_000_000_000
        replay(self.spool, since, self.now + 1)
        for message in self.model:
            if message[3] == WRITTEN and int(str(message[4])) >= since:
                message[1], message[3] = REPLAY, PENDING

    @rule(hours=st.integers(1, 40))
    def time_passes(self, hours: int) -> None:
        self.now += hours * 3_600_000_000_000

    @rule()
    def unlink(self) -> None:
        if self.spool.unlink_old(self.now):
            kept = {(day - _EPOCH_DAY) for day in map(_ordinal, self.spool.days())}
            gone = [m for m in self.model if m[0] not in kept]
            assert all(m[3] != PENDING for m in gone)
            self.gone += gone
            self.model = [m for m in self.model if m[0] in kept]

    @rule(keep=st.floats(0, 1))
    def power_cut(self, keep: float) -> None:
        """Every commit that returned was synced: a copy of the files now, with later bytes cut, holds them all."""
        copy = Path(tempfile.mkdtemp(prefix="spool-model-"))
        synced = {path.name: path.stat().st_size for path in self.folder.glob("*.db-wal")}
        self._write_without_commit()
        for path in self.folder.glob("*.db*"):
            if not path.name.endswith("-shm"):
                content = path.read_bytes()
                if path.name.endswith("-wal"):
                    least = synced.get(path.name, 0)
                    content = content[: least + int(keep * (len(content) - least))]
                (copy / path.name).write_bytes(content)
        self._reopen(copy)

    @rule()
    def crash(self) -> None:
        copy = Path(tempfile.mkdtemp(prefix="spool-model-"))
        for path in self.folder.glob("*"):
            if not path.name.endswith("-shm"):
                shutil.copy(path, copy)
        self._reopen(copy)

    def _write_without_commit(self) -> None:
        """What a batch leaves in the files before its commit: pages that spilled into the WAL."""
        days = self.spool.days()
        if not days:
            return
        with self.spool.day(days[-1]).reading() as connection:
            connection.execute("PRAGMA cache_size=10").fetchall()
            connection.execute("BEGIN IMMEDIATE")
            for _ in range(30):
                connection.execute("INSERT INTO message(received_ns, monotonic_ns, pilot, feed, topic, payload)"
                                   " VALUES (1, 1, 'bremen', 'app', 't', zeroblob(5000))")  # fmt: skip
            self._spilled = [(path, path.read_bytes()) for path in self.folder.glob("*.db-wal")]
            connection.execute("ROLLBACK")
        for path, content in self._spilled:
            path.with_name(path.name + ".spilled").write_bytes(content)

    def _reopen(self, folder: Path) -> None:
        for path in folder.glob("*.spilled"):
            path.unlink()
        self.spool.close()
        shutil.rmtree(self.folder)
        self.folder = folder
        self.spool = Spool(folder, SpoolSettings(), lease=True)

    @invariant()
    def the_ledger_is_right(self) -> None:
        if not hasattr(self, "spool"):
            return
        here = set(self.spool.days())
        received = len(self.model) + sum(m[0] + _EPOCH_DAY in set(map(_ordinal, here)) for m in self.gone)
        booked = {day: +counts for day, counts in self.spool.ledger().items() if day in here}
        assert booked == self.spool.derived_ledger()
        assert ledger.broken(ledger.total(booked.values())) == []
        assert ledger.total(booked.values())["bremen", "app", "received"] == received

    def teardown(self) -> None:
        if hasattr(self, "spool"):
            self.spool.close()
            shutil.rmtree(self.folder)


def _ordinal(day: str) -> int:
    from datetime import date

    return date.fromisoformat(day).toordinal()


_EPOCH_DAY = _ordinal("1970-01-01")

TestSpoolAgreesWithAList = SpoolModel.TestCase
TestSpoolAgreesWithAList.settings = settings(
    max_examples=30, stateful_step_count=25, deadline=None, suppress_health_check=list(HealthCheck)
)
