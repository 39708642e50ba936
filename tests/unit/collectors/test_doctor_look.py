"""Doctor reads the ledger as the spool itself does, archived days and those that came back included."""

from pathlib import Path

from collectors.dead_changes import requeue
from collectors.doctor.spool import spool as checks
from collectors.doctor.spool_look import look
from collectors.ledger import WRITTEN
from collectors.message import Fault
from collectors.spool import Spool
from collectors.spool_day import Entry, Fate
from config.settings import Spool as SpoolSettings
from tests.unit.collectors.places import APP, NOW_NS

HOUR_NS = 3_600 * 10**9


def entry(payload: bytes, fault: Fault | None = None, received_ns: int = NOW_NS) -> Entry:
    return Entry(received_ns, "bremen", "app", APP, payload, fault=fault)


def agrees(spool: Spool) -> None:
    found = look(spool.folder)
    assert found is not None
    assert found.ledgers == spool.ledger()
    told = {one.code: one.level for one in checks(found, 10**9, NOW_NS)}
    assert told["ledger"] == "ok"


def test_the_ledger_of_days_that_left_and_came_back_is_read_as_the_spool_reads_it(tmp_path: Path) -> None:
    folder = tmp_path / "main"
    spool = Spool(folder, SpoolSettings(), lease=True)
    bad = Fault("decode", "not_json", "no")
    spool.append([entry(b"1", bad), entry(b"2", bad)])
    agrees(spool)
    assert spool.unlink_old(NOW_NS + 100 * HOUR_NS)
    spool.append([entry(b"3", received_ns=NOW_NS + 99 * HOUR_NS)])
    agrees(spool)
    assert requeue(spool).done == 2
    agrees(spool)
    day, records = spool.pending(1) or ("", [])
    spool.mark(day, [Fate(records[0], WRITTEN, points=1)], NOW_NS)
    agrees(spool)
    spool.close()
    found = look(folder)
    assert found is not None
    assert not found.running
    assert sorted(found.ledgers) == ["2019-03-02", "2019-03-06"]
