"""Rows of a file: CSV or JSON Lines, each with its number; a bad row never ends the reading.

Promises: a row's number depends on the content alone, counted from 1 after the header; whatever cannot be read as a row
is given as Unmapped with its reason instead; a file without the named columns raises WrongInput before any row. After
each row `mark` is exactly behind it, and reading can go on from there another time.
"""

import csv
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import msgspec

from collectors.import_mapping import ImportMapping, Row, Unmapped, WrongInput
from collectors.import_source import DAMAGED, STDIN, Source

# How many rows of JSON Lines are looked at to learn which keys there are.
_SAMPLE = 100
# A cell above this is no measurement; the csv module's own limit, stated here because it decides.
MOST_FIELD = 131_072
csv.field_size_limit(MOST_FIELD)


class Mark(NamedTuple):
    """How far a file was read: rows and lines given, bytes behind the last row, and the digest of all before it."""

    rows: int
    lines: int
    at: int
    digest: str


class Rows:
    """The rows of one open file or of standard input; raises WrongInput."""

    def __init__(self, path: Path, mapping: ImportMapping, check: bool = True) -> None:
        self.path, self._mapping = path, mapping
        self._number = self._lines = 0
        self._taken: list[bytes] = []
        self._header: list[str] = []
        self.header = b""
        self.source = Source(path, mapping.encoding) if path == STDIN else _opened(path, mapping)
        try:
            self._text = self._decoded()
            self._reader = csv.reader(self._text, delimiter=mapping.delimiter)
            present = self._read_header()
            if check:
                self._check(present)
        except BaseException:
            self.source.close()
            raise

    @property
    def mark(self) -> Mark:
        return Mark(self._number, self._lines, self.source.at, self.source.digest())

    @property
    def raw(self) -> bytes:
        """The last row as it stands in the file, as far as it fits in memory."""
        return b"".join(self._taken)

    @property
    def line(self) -> int:
        """The line on which the last row begins."""
        return self._lines - len(self._taken) + 1

    def resume(self, mark: Mark) -> bool:
        """Go on behind a mark that was reached before; False when what stands before it is not the same."""
        try:
            if mark.at < self.source.at or self.source.skip(mark.at) != mark.digest:
                return False
        except DAMAGED:
            return False
        self._number, self._lines = mark.rows, mark.lines
        return True

    def __iter__(self) -> Iterator[tuple[int, Row | Unmapped]]:
        rows = self._csv() if self._mapping.format == "csv" else self._jsonl()
        try:
            for row in rows:
                self._number += 1
                yield self._number, row
        except DAMAGED:
            raise WrongInput(f"{self.path} is cut short or damaged: it does not unpack to its end.") from None

    def close(self) -> None:
        self.source.close()

    def __enter__(self) -> "Rows":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _decoded(self) -> Iterator[str]:
        # Bytes that are not text are kept as they are until their row is judged.
        encoding, taken = self.source.encoding, self._taken
        for line in self.source.lines():
            taken.append(line)
            self._lines += 1
            yield line.decode(encoding, "surrogateescape")

    def _read_header(self) -> list[str]:
        """Read the first line of CSV, which is kept in `header` as it stands there."""
        if self._mapping.format == "csv":
            try:
                self._header = next(self._reader, [])
            except csv.Error:
                self._header = []
            self.header = self.raw
        return self._header

    def _check(self, present: list[str]) -> None:
        if self._mapping.format == "jsonl":
            if self.path == STDIN:
                return
            present = _keys(self.path, self._mapping)
        if missing := [column for column in self._mapping.columns() if column not in present]:
            raise WrongInput(
                f"{self.path} has no column {_listed(missing)}; it has {_listed(present) or 'no columns at all'}. "
                + self._remedy()
            )

    def _remedy(self) -> str:
        """What would help: another delimiter, if the first line shows one."""
        first = self.header.decode(self.source.encoding, "replace").rstrip("\r\n")
        for delimiter in (",", ";", "\t", "|"):
            if self._mapping.format == "csv" and set(self._mapping.columns()) <= set(first.split(delimiter)):
                return f"Its columns are separated otherwise: write delimiter = {_toml(delimiter)} in the mapping."
        return "Correct the mapping, its delimiter or the file."

    def _csv(self) -> Iterator[Row | Unmapped]:
        header, taken, width = self._header, self._taken, len(self._header)
        while True:
            taken.clear()
            try:
                cells = next(self._reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield self._bad("bad_csv", str(error))
                continue
            if any(len(cell) > MOST_FIELD for cell in cells):  # the parser's own limit belongs to the whole process
                yield self._bad("bad_csv", f"field larger than field limit ({MOST_FIELD})")
            elif len(cells) == width:
                yield dict(zip(header, cells, strict=True))
            elif cells:
                yield self._bad("wrong_cells", f"the row has {len(cells)} cells, the header {width}")

    def _bad(self, reason: str, sentence: str) -> Unmapped:
        if self.source.long:
            return Unmapped("too_long", "the line is longer than 1 MiB")
        return Unmapped(reason, sentence)

    def _jsonl(self) -> Iterator[Row | Unmapped]:
        decode, plain = msgspec.json.Decoder().decode, self.source.encoding == "utf-8"
        for text in self._text:
            line = self._taken[-1]
            if line.isspace():
                self._taken.clear()
                continue
            try:
                row: Any = decode(line if plain else text)
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                yield self._bad("bad_json", "the line is not JSON")
            else:
                yield row if isinstance(row, dict) else self._bad("not_an_object", "the line is no JSON object")
            self._taken.clear()


def _opened(path: Path, mapping: ImportMapping) -> Source:
    try:
        return Source(path, mapping.encoding)
    except DAMAGED:
        raise WrongInput(f"{path} is cut short or damaged: it does not unpack to its end.") from None


def _keys(path: Path, mapping: ImportMapping) -> list[str]:
    """The keys that the first rows of JSON Lines name."""
    with Rows(path, mapping, check=False) as rows:
        found = [row for _, row in islice(rows, _SAMPLE) if not isinstance(row, Unmapped)]
    return list(dict.fromkeys(key for row in found for key in row))


def _toml(delimiter: str) -> str:
    return '"\\t"' if delimiter == "\t" else f'"{delimiter}"'


def _listed(names: list[str]) -> str:
    shown = ", ".join(f'"{name[:60]}"' for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
