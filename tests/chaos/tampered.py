"""Faults inside the collector's processes: a `sitecustomize` that every Python of the row loads before anything else.

The code under test stays as it is; what is replaced is at a port: a decoder, or what SQLite answers to a commit.
"""

from tests.chaos.harness import ROOT, Place

# Payloads that hold these words end, hold up or upset their decoder, as a parser's own faults would.
POISONED_DECODER = """
import os, time
from collectors import decoders

plain = decoders.DECODERS["cloudevents"]

def poisoned(message, place):
    if b"poison-kill" in message.payload:
        os.kill(os.getpid(), 9)
    if b"poison-hang" in message.payload:
        while True:
            time.sleep(1)
    if b"poison-raise" in message.payload:
        raise RuntimeError("a parser's own fault")
    if b"poison-memory" in message.payload:
        raise MemoryError
    return plain(message, place)

decoders.DECODERS["cloudevents"] = poisoned
"""
# While the file named by FAULT_FILE says so, commits of the spool fail as a disk or a quota makes them fail.
FAILING_COMMITS = """
import os, sqlite3

real = sqlite3.connect

class Failing(sqlite3.Connection):
    def execute(self, sql, *more):
        if sql == "COMMIT" and fault():
            error = sqlite3.OperationalError("disk I/O error")
            error.sqlite_errorcode = sqlite3.SQLITE_IOERR_FSYNC if fault() == "eio" else sqlite3.SQLITE_IOERR_WRITE
            raise error
        return super().execute(sql, *more)

def fault():
    try:
        with open(os.environ["FAULT_FILE"]) as file:
            return file.read()
    except OSError:
        return ""

def connect(name, *more, **options):
    if "/spool/" in str(name):
        options["factory"] = Failing
    return real(name, *more, **options)

sqlite3.connect = connect
from collectors import spool_file
spool_file._no_room = lambda folder: fault() == "edquot"
"""


def tamper(place: Place, program: str) -> None:
    """Collectors of this place run `program` first, in each of their processes."""
    folder = place.folder / "site"
    folder.mkdir()
    (folder / "sitecustomize.py").write_text(program)
    place.environment["PYTHONPATH"] = f"{folder}:{ROOT}"
