"""Rows that could not be sent: a list of their numbers and reasons, and the rows themselves in a file to be mended.

Promises: the list holds nothing of a row; the file stands beside the one that was imported, where its content is
already, with the same columns, and is written for files that name no persons only; neither repeats a row after a kill.
"""

from itertools import count
from pathlib import Path

import msgspec

from collectors.import_checkpoint import Opened, listing
from collectors.import_mapping import ImportMapping, Unmapped
from collectors.import_source import STDIN

_encode = msgspec.json.Encoder().encode


class Rejects:
    """Gathers until `write`; with `keep` rows are kept too."""

    def __init__(self, opened: Opened, mapping: ImportMapping, keep: bool) -> None:
        self._opened = opened
        self._csv = mapping.format == "csv"
        self._list = listing(opened.record)
        self._file = _kept_in(opened) if keep else None
        self._listed: list[bytes] = []
        self._kept: list[bytes] = []
        self._reasons: list[str] = []
        # What was written after the last record of progress comes again.
        _cut(self._list, opened.progress.listed)
        if opened.progress.kept_in:
            _cut(Path(opened.progress.kept_in), opened.progress.kept)

    def add(self, number: int, line: int, error: Unmapped, raw: bytes) -> None:
        self._reasons.append(error.reason)
        self._listed.append(
            _encode({"row": number, "line": line, "reason": error.reason, "sentence": str(error)}) + b"\n"
        )
        # What a mapping leaves out on purpose is nothing to mend.
        if self._file is not None and error.reason != "left_out":
            self._kept.append(raw if raw.endswith(b"\n") else raw + b"\n")

    def write(self) -> list[str]:
        """Put on disk what was added since, and return its reasons."""
        reasons, progress = self._reasons, self._opened.progress
        if reasons:
            progress.listed += _append(self._list, self._listed)
        if self._kept and self._file is not None:
            head = [self._opened.rows.header] if self._csv and not progress.kept else []
            try:
                progress.kept += _append(self._file, head + self._kept)
                progress.kept_in = str(self._file)
            except OSError:  # a folder that we may only read: the list says which rows they are
                self._file = None
        self._reasons, self._listed, self._kept = [], [], []
        return reasons


def _kept_in(opened: Opened) -> Path | None:
    """Where rows go: votes.csv → votes.rejected.csv, or the next name that is free; None for standard input."""
    if opened.progress.kept_in:
        return Path(opened.progress.kept_in)
    path = opened.rows.path
    if path == STDIN:
        return None
    plain = path.with_suffix("") if path.suffix == ".gz" else path
    for number in count(1):
        name = f"{plain.stem}.rejected{'' if number == 1 else f'-{number}'}{plain.suffix}"
        if not (found := plain.with_name(name)).exists():
            return found
    raise AssertionError("there is always a next number")


def _append(path: Path, parts: list[bytes]) -> int:
    with path.open("ab") as file:
        return file.write(b"".join(parts))


def _cut(path: Path, size: int) -> None:
    if path.exists() and path.stat().st_size > size:
        with path.open("r+b") as file:
            file.truncate(size)
