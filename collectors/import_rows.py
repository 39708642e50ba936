"""Rows of a file: CSV or JSON Lines, gzipped or not, each with its number; a bad row never ends the reading.

Promises: a row's number depends on the file alone, counted from 1 after the header; whatever cannot be read as a row is
given as Unmapped with its reason instead; a file that has none of the named columns raises WrongInput before any row.
"""

import csv
import gzip
import io
import os
import zlib
from collections.abc import Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from collectors.import_mapping import ImportMapping, Row, Unmapped, WrongInput

_GZIP = b"\x1f\x8b"
_DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
# How many rows of JSON Lines are looked at to learn which keys there are.
_SAMPLE = 100
# A cell above this is no measurement; the csv module's own limit, stated here because it decides.
csv.field_size_limit(131_072)


class Rows:
    """The rows of one file. `share` says how much of it has been read, from 0 to 1."""

    def __init__(self, path: Path, mapping: ImportMapping) -> None:
        self.path = path
        self._mapping = mapping
        self._raw: IO[bytes] | None = None
        self._size = 1

    @property
    def share(self) -> float:
        return 0.0 if self._raw is None or self._raw.closed else min(1.0, self._raw.tell() / self._size)

    def check(self) -> None:
        """Raise WrongInput when the file has not the columns that the mapping names."""
        present = self._columns()
        if missing := [column for column in self._mapping.columns() if column not in present]:
            raise WrongInput(
                f"{self.path} has no column {_listed(missing)}; it has {_listed(present) or 'no columns at all'}. "
                f"Correct the mapping, its delimiter or the file."
            )

    def __iter__(self) -> Generator[tuple[int, Row | Unmapped], None, None]:
        try:
            with self._text() as text:
                yield from enumerate(self._csv(text) if self._mapping.format == "csv" else self._jsonl(text), 1)
        except _DAMAGED:
            raise WrongInput(f"{self.path} is cut short or damaged: it does not unpack to its end.") from None

    @contextmanager
    def _text(self) -> Iterator[io.TextIOWrapper]:
        try:
            raw = self.path.open("rb")
        except OSError as error:
            raise WrongInput(f"{self.path} cannot be read: {error.strerror}; correct its name or rights.") from None
        with raw, ExitStack() as stack:
            self._raw, self._size = raw, max(1, os.fstat(raw.fileno()).st_size)
            packed = raw.read(len(_GZIP)) == _GZIP
            raw.seek(0)
            plain = cast(IO[bytes], stack.enter_context(gzip.GzipFile(fileobj=raw)) if packed else raw)
            yield stack.enter_context(self._wrapped(plain))

    def _wrapped(self, plain: IO[bytes]) -> io.TextIOWrapper:
        # Bytes that are not text are kept as they are until their row is judged; a BOM is no part of a name.
        name = self._mapping.encoding
        encoding = "utf-8-sig" if name.lower() in ("utf-8", "utf8") else name
        try:
            return io.TextIOWrapper(plain, encoding=encoding, errors="surrogateescape", newline="")
        except LookupError:
            raise WrongInput(f'the encoding "{name}" is unknown; write for example "utf-8" in the mapping.') from None

    def _columns(self) -> list[str]:
        if self._mapping.format == "jsonl":
            with closing(iter(self)) as rows:
                found = [row for _, row in islice(rows, _SAMPLE) if not isinstance(row, Unmapped)]
            return list(dict.fromkeys(key for row in found for key in row))
        try:
            with self._text() as text:
                return next(csv.reader(text, delimiter=self._mapping.delimiter), [])
        except (csv.Error, *_DAMAGED):
            return []

    def _csv(self, text: io.TextIOWrapper) -> Iterator[Row | Unmapped]:
        reader = csv.reader(text, delimiter=self._mapping.delimiter)
        header = next(reader, [])
        while True:
            try:
                cells = next(reader)
            except StopIteration:
                return
            except csv.Error as error:
                yield Unmapped("bad_csv", str(error))
                continue
            if not cells:
                continue
            if len(cells) != len(header):
                yield Unmapped("wrong_cells", f"the row has {len(cells)} cells, the header {len(header)}")
                continue
            yield dict(zip(header, cells, strict=True))

    def _jsonl(self, text: io.TextIOWrapper) -> Iterator[Row | Unmapped]:
        for line in text:
            if not line.strip():
                continue
            try:
                row: Any = msgspec.json.decode(line.encode(errors="surrogateescape"))
            except (msgspec.DecodeError, RecursionError, UnicodeError):
                yield Unmapped("bad_json", "the line is not JSON")
                continue
            yield row if isinstance(row, dict) else Unmapped("not_an_object", "the line is no JSON object")


def _listed(names: list[str]) -> str:
    shown = ", ".join(f'"{name[:60]}"' for name in names[:20])
    return shown + (f" and {len(names) - 20} more" if len(names) > 20 else "")
