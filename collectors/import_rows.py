"""Rows of a file: CSV or JSON Lines, gzipped or not, each with its number; a bad row never ends the reading.

Promises: a row's number depends on the file alone, counted from 1 after the header; whatever cannot be read as a row is
given as Unmapped with its reason instead; a file that has none of the named columns raises WrongInput before any row.
"""

import csv
import gzip
import io
import zlib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import IO, Any, cast

import msgspec

from collectors.import_mapping import ImportMapping, Row, Unmapped, WrongInput

_GZIP = b"\x1f\x8b"
# How many rows of JSON Lines are looked at to learn which keys there are.
_SAMPLE = 100
# A cell above this is no measurement; the csv module's own limit, stated here because it decides.
csv.field_size_limit(131_072)


class Rows:
    """One open file. `share` says how much of it has been read, from 0 to 1."""

    def __init__(self, path: Path, mapping: ImportMapping) -> None:
        self.path = path
        self._mapping = mapping
        try:
            self._raw: IO[bytes] = path.open("rb")
        except OSError as error:
            raise WrongInput(f"{path} cannot be read: {error.strerror}; correct the file's name or rights.") from None
        self._size = max(1, path.stat().st_size)

    @property
    def share(self) -> float:
        return min(1.0, self._raw.tell() / self._size)

    def close(self) -> None:
        self._raw.close()

    def check(self) -> None:
        """Raise WrongInput when the file has not the columns that the mapping names."""
        wanted = self._mapping.columns()
        present = self._columns()
        if missing := [column for column in wanted if column not in present]:
            raise WrongInput(
                f"{self.path} has no column {_listed(missing)}; it has {_listed(present) or 'no columns at all'}. "
                f"Correct the mapping, its delimiter or the file."
            )

    def __iter__(self) -> Iterator[tuple[int, Row | Unmapped]]:
        text = self._text()
        rows = self._csv(text) if self._mapping.format == "csv" else self._jsonl(text)
        try:
            yield from enumerate(rows, 1)
        except (EOFError, gzip.BadGzipFile, zlib.error):
            raise WrongInput(f"{self.path} is cut short or damaged: it does not unpack to its end.") from None

    def _text(self) -> io.TextIOWrapper:
        self._raw.seek(0)
        packed = self._raw.read(2) == _GZIP
        self._raw.seek(0)
        plain = cast(IO[bytes], gzip.GzipFile(fileobj=self._raw)) if packed else self._raw
        # Bytes that are not text are kept as they are until their row is judged; a BOM is no part of a name.
        encoding = "utf-8-sig" if self._mapping.encoding.lower() in ("utf-8", "utf8") else self._mapping.encoding
        try:
            return io.TextIOWrapper(plain, encoding=encoding, errors="surrogateescape", newline="")
        except LookupError:
            raise WrongInput(f'the encoding "{self._mapping.encoding}" is unknown; write for example "utf-8".') from None

    def _columns(self) -> list[str]:
        if self._mapping.format == "csv":
            text = self._text()
            try:
                return next(csv.reader(text, delimiter=self._mapping.delimiter), [])
            except (csv.Error, EOFError, gzip.BadGzipFile, zlib.error):
                return []
            finally:
                text.detach()
        rows = [row for _, row in islice(self, _SAMPLE) if not isinstance(row, Unmapped)]
        return list(dict.fromkeys(key for row in rows for key in row))

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
