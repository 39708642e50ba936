"""Past data from files, sent as messages like any others; running again continues where it stopped.

Promises: a row counts as sent only after the broker acknowledged it (or, with `direct`, after the spool committed it);
progress is kept per content of file, mapping and pilot, so a renamed file is not sent twice; rows that cannot be mapped
are counted by reason and listed by number, without their content, which may be personal.
"""

import hashlib
import os
import sys
import time
from collections import Counter
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, closing
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event as Signal
from typing import Any

import msgspec

from collectors.import_mapping import ImportMapping, Place, Pseudonym, Unmapped, payload_of
from collectors.import_rows import Rows
from collectors.ways_in import Message, Send

# Rows between two records of progress: at most this many are sent again after a kill.
_STEP = 500


class Progress(msgspec.Struct, kw_only=True):
    """What is known about one import; `rows` were dealt with, `sent` of them acknowledged."""

    file: str
    pilot: str
    rows: int = 0
    sent: int = 0
    rejected: dict[str, int] = {}
    done: bool = False


@dataclass
class Report:
    """What happened, file by file."""

    files: list[Progress] = field(default_factory=list)
    skipped: set[str] = field(default_factory=set)
    rejects: Path | None = None

    @property
    def complete(self) -> bool:
        return all(file.done for file in self.files)

    def sentence(self) -> str:
        return "\n".join(self._line(file) for file in self.files)

    def _line(self, file: Progress) -> str:
        bad = "".join(f", {count:,} {reason}" for reason, count in sorted(file.rejected.items()))
        refused = f"; not mapped: {bad[2:]} (listed in {self.rejects})" if bad else ""
        if file.file in self.skipped:
            return f"{file.file}: done before, {file.sent:,} of {file.rows:,} rows sent; --again sends them once more."
        state = "done" if file.done else "stopped; run the same command again to continue"
        return f"{file.file}: {state}, {file.sent:,} of {file.rows:,} rows sent{refused}."

    def facts(self) -> dict[str, Any]:
        return {"complete": self.complete, "files": msgspec.to_builtins(self.files)}


class Importer:
    """Sends files of one pilot with one mapping."""

    def __init__(
        self, mapping: ImportMapping, pilot: str, topic: str, folder: Path, pseudonym: Pseudonym, again: bool = False,
        revision: int = 0,
    ) -> None:  # fmt: skip
        self._mapping, self._pilot, self._topic, self._pseudonym = mapping, pilot, topic, pseudonym
        self._folder, self._again, self._revision = folder, again, revision
        folder.mkdir(parents=True, exist_ok=True)

    def run(self, paths: Sequence[Path], way: Callable[[], AbstractContextManager[Send]], stop: Signal) -> Report:
        """Check all files first, so that a wrong one is told before anything is sent; `way` opens the connection."""
        for path in paths:
            Rows(path, self._mapping).check()
        report = Report()
        waiting = []
        for path in paths:
            state = self._folder / f"{self._fingerprint(path)}.json"
            progress = self._load(state, path)
            report.files.append(progress)
            if progress.done:
                report.skipped.add(path.name)
            else:
                waiting.append((path, state, progress))
        if waiting:
            with way() as send:
                for path, state, progress in waiting:
                    if not stop.is_set():
                        self._file(path, state, progress, send, stop)
                    report.rejects = self._folder
        return report

    def _file(self, path: Path, state: Path, progress: Progress, send: Send, stop: Signal) -> None:
        rows, bar = Rows(path, self._mapping), _Bar(path.name)
        rejects = state.with_suffix(".rejects.jsonl")
        batch: list[Message] = []
        refused: list[dict[str, Any]] = []
        last = progress.rows
        with closing(bar), closing(iter(rows)) as numbered:
            for number, row in numbered:
                if number <= progress.rows:
                    continue
                last = number
                try:
                    if isinstance(row, Unmapped):
                        raise row
                    batch.append((self._topic, self._payload(row, path, number)))
                except Unmapped as error:
                    refused.append({"row": number, "reason": error.reason, "sentence": str(error)})
                if number - progress.rows >= _STEP:
                    self._step(state, rejects, progress, batch, refused, number, send)
                    bar.show(number, rows.share)
                    if stop.is_set():
                        return
            self._step(state, rejects, progress, batch, refused, last, send)
            progress.done = True
            _save(state, progress)
            bar.show(last, 1.0)

    def _payload(self, row: Any, path: Path, number: int) -> bytes:
        try:
            place = Place(self._pilot, path.name, number, self._revision)
            return payload_of(self._mapping, row, place, self._pseudonym)
        except UnicodeEncodeError:
            raise Unmapped("bad_encoding", f"the row is not {self._mapping.encoding} text") from None

    @staticmethod
    def _step(
        state: Path, rejects: Path, progress: Progress, batch: list[Message], refused: list[dict[str, Any]],
        row: int, send: Send,
    ) -> None:  # fmt: skip
        """Send, then record: a kill in between sends these rows again, and their ids make that harmless."""
        send(batch)
        counts = Counter(progress.rejected)
        counts.update(item["reason"] for item in refused)
        if refused:
            with rejects.open("ab") as file:
                file.writelines(msgspec.json.encode(item) + b"\n" for item in refused)
        progress.rows, progress.sent, progress.rejected = row, progress.sent + len(batch), dict(counts)
        _save(state, progress)
        batch.clear()
        refused.clear()

    def _fingerprint(self, path: Path) -> str:
        digest = hashlib.sha256(f"{self._pilot}\0{self._topic}\0{self._mapping.model_dump_json()}\0".encode())
        with path.open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
        return digest.hexdigest()[:32]

    def _load(self, state: Path, path: Path) -> Progress:
        fresh = Progress(file=path.name, pilot=self._pilot)
        if self._again:
            state.unlink(missing_ok=True)
        # The rejects of rows that will be tried again are listed again.
        if not state.exists():
            state.with_suffix(".rejects.jsonl").unlink(missing_ok=True)
            return fresh
        try:
            known = msgspec.json.decode(state.read_bytes(), type=Progress)
        except (msgspec.DecodeError, OSError):
            return fresh
        known.file = path.name
        return known


def _save(state: Path, progress: Progress) -> None:
    part = state.with_suffix(".part")
    with part.open("wb") as file:
        file.write(msgspec.json.encode(progress))
        file.flush()
        os.fsync(file.fileno())
    part.replace(state)


class _Bar:
    """A line on a terminal that says how far we are; silent elsewhere."""

    def __init__(self, name: str) -> None:
        self._name, self._began, self._shown = name, time.monotonic(), sys.stderr.isatty()

    def show(self, rows: int, share: float) -> None:
        if self._shown:
            full = int(30 * share)
            rate = rows / max(0.001, time.monotonic() - self._began)
            line = f"{self._name} [{'=' * full}{' ' * (30 - full)}] {share:4.0%} {rows:,} rows, {rate:,.0f}/s"
            print(f"\r\x1b[K{line}", end="", file=sys.stderr, flush=True)

    def close(self) -> None:
        if self._shown:
            print(file=sys.stderr)
