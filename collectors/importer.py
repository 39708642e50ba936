"""Past data from files, sent as messages like any others; running again continues where it stopped.

Promises: a row counts as sent only after the broker acknowledged it (or, with `direct`, after the spool committed it);
memory does not grow with the file; what was sent is remembered by content, so a renamed file is not sent twice and of a
file that grew only what is new; rows that cannot be sent are counted by reason, listed by number, and kept beside the
file to be mended, unless they name persons.
"""

from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Signal

from collectors.import_checkpoint import Checkpoints, Opened, save
from collectors.import_mapping import ImportMapping, Mapper, Pseudonym, Unmapped, WrongInput
from collectors.import_progress import ProgressLine
from collectors.import_rejects import Rejects
from collectors.import_report import Report
from collectors.message import CollectorError
from collectors.ways_in import Message, Way


@dataclass(frozen=True)
class Importer:
    """Sends files of one pilot with one mapping; `ledger` gives what the collector counted of its feed so far.

    `personal` says that rows name persons, so that nothing of a row may be kept; with `deliver` the way is opened even
    for files that were sent before, as long as something of the feed waits.
    """

    mapping: ImportMapping
    pilot: str
    topic: str
    folder: Path
    pseudonym: Pseudonym
    clock: Callable[[], int]
    restart: bool = False
    personal: bool = False
    deliver: bool = False
    ledger: Callable[[], dict[str, int]] = dict
    line: ProgressLine = field(default_factory=lambda: ProgressLine(quiet=True))

    def run(self, paths: Sequence[Path], way: Callable[[], AbstractContextManager[Way]], stop: Signal) -> Report:
        """Look at all files first, so that a wrong one is told before anything is sent; `way` opens the connection.

        Raises WrongInput or CollectorError where there is no way in; what goes wrong later is in the report.
        """
        report = Report()
        now_ns = self.clock()
        checkpoints = Checkpoints(self.folder, self.mapping, self.pilot, self.topic)
        with ExitStack() as files:
            opened = []
            for path in dict.fromkeys(paths):
                one = checkpoints.open(path, now_ns, self.restart)
                files.enter_context(one.rows)
                opened.append(one)
                report.add(one)
            waiting = [one for one in opened if not one.progress.done]
            for one in waiting:
                if one.progress.ledger is None:
                    one.progress.ledger = self.ledger()
            begun = False
            try:
                if waiting or (self.deliver and self.ledger().get("pending")):
                    with way() as send:
                        begun = True
                        for one in waiting:
                            if not stop.is_set():
                                _File(self, one, send, now_ns).send_all(stop)
            except (CollectorError, WrongInput) as error:
                if not begun:
                    raise  # there was no way in, so there is nothing to report
                report.problem = str(error)
            finally:
                self.line.close()
        return report


class _File:
    """One file on its way."""

    def __init__(self, job: Importer, opened: Opened, way: Way, now_ns: int) -> None:
        self._opened, self._rows, self._progress, self._way = opened, opened.rows, opened.progress, way
        self._line, self._topic = job.line, job.topic
        self._map = Mapper(job.mapping, job.pilot, opened.progress.file, job.pseudonym, now_ns // 1_000_000)
        self._rejects = Rejects(opened, job.mapping, keep=not job.personal)
        self._batch: list[Message] = []
        self._largest = way.largest - len(job.topic.encode())

    def send_all(self, stop: Signal) -> None:
        """Send what is left, or what fits in before `stop`."""
        progress, source = self._progress, self._rows.source
        self._line.begin(progress.file, progress.rows, source.share)
        begun, step = progress.rows, self._way.batch
        try:
            for number, row in self._rows:
                self._take(number, row)
                if number - begun >= step:
                    begun = number
                    self._step()
                    self._line.show(number, source.share)
                    if stop.is_set():
                        return
        except WrongInput:  # the file is damaged here; what came before is sound
            self._step()
            raise
        progress.done = True
        self._step()

    def _take(self, number: int, row: object) -> None:
        try:
            if isinstance(row, Unmapped):
                raise row
            payload = self._map(row, number)  # type: ignore[arg-type]
            if len(payload) > self._largest:
                raise Unmapped("too_large", f"its message has {len(payload)} bytes; at most {self._largest} are taken")
        except Unmapped as error:
            self._rejects.add(number, self._rows.line, error, self._rows.raw)
        else:
            self._batch.append((self._topic, payload))

    def _step(self) -> None:
        """Send, then record: a kill in between sends these rows again, and their ids make that harmless."""
        progress = self._progress
        self._way(self._batch)
        counts = Counter(progress.rejected)
        counts.update(self._rejects.write())
        progress.rejected, progress.sent = dict(counts), progress.sent + len(self._batch)
        progress.move(self._rows.mark)
        save(self._opened.record, progress)
        self._batch.clear()
