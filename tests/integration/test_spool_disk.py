"""A failing disk under the spool: it ends the work, and what was promised before is there after a restart."""

import subprocess
import sys
from pathlib import Path

from collectors.spool import Spool
from config.settings import Spool as SpoolSettings

ROOT = Path(__file__).parents[2]
FILLER = """
import resource, signal, sys
from pathlib import Path
from collectors.message import SpoolFailed, SpoolFull
from collectors.spool import Spool
from collectors.spool_day import Entry
from config.settings import Spool as SpoolSettings

signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
spool = Spool(Path(sys.argv[1]), SpoolSettings(), lease=True)
spool.append([])
resource.setrlimit(resource.RLIMIT_FSIZE, (400_000, 400_000))
promised = 0
try:
    while True:
        spool.append([Entry(1_551_484_800_000_000_000, "bremen", "app", "t", b"x" * 5000) for _ in range(7)])
        promised += 7
except SpoolFailed as error:
    print(promised, "failed", error)
except SpoolFull as error:
    print(promised, "full", error)
"""


def test_a_disk_that_answers_with_an_error_ends_the_work_and_keeps_what_was_promised(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", FILLER, str(tmp_path)], cwd=ROOT, capture_output=True, text=True, timeout=60, check=True
    )
    promised, how, sentence = done.stdout.split(" ", 2)
    assert how == "failed"
    assert "check it, then start again" in sentence
    assert int(promised) > 0
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    found = spool.pending(10_000)
    assert found is not None
    assert len(found[1]) >= int(promised)
    assert all(record.payload == b"x" * 5000 for record in found[1])
    assert spool.ledger() == spool.derived_ledger()
    spool.close()
