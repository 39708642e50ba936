"""The lines of a file or of standard input, packed or not, with the place of each and the digest of all before it.

Promises: a line is at most 1 MiB in memory, the rest of a longer one is skipped; `at` counts the bytes of whole lines
given so far, unpacked and without a byte-order mark, and `digest` is theirs, so that what was read can be recognised
in a file that grew, was renamed or was packed. UTF-16 is recognised by its byte-order mark and given as UTF-8.
"""

import codecs
import gzip
import io
import os
import sys
import zlib
from collections.abc import Iterator
from contextlib import ExitStack
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from collectors.import_mapping import WrongInput

STDIN = Path("-")
DAMAGED = (EOFError, gzip.BadGzipFile, zlib.error)
HEAD = 65_536
MOST_LINE = 1_048_576
_GZIP = b"\x1f\x8b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
_WIDE = ("utf-16", "utf-32", "utf-7")


class Source:
    """An open file. `head` is its first 64 KiB as they are; `size` is None for standard input."""

    def __init__(self, path: Path, encoding: str) -> None:
        self.path = path
        self.at = 0
        self.long = False
        self.held_back = False
        self._digest, self._unhashed = sha256(), list[bytes]()
        self._stack = ExitStack()
        try:
            self._raw = _opened(path, self._stack)
            self.head = self._raw.peek(HEAD)[:HEAD]
            self.size = None if path == STDIN else os.fstat(self._raw.fileno()).st_size
            self._changed_ns = 0 if self.size is None else self._modified_ns()
            self.encoding = _known(encoding)
            self._lines = self._unpacked()
        except BaseException:
            self.close()
            raise

    @property
    def name(self) -> str:
        """What ids call it; two streams are told apart by what they begin with."""
        return f"stdin-{sha256(self.head).hexdigest()[:8]}" if self.path == STDIN else self.path.name

    @property
    def share(self) -> float | None:
        """How much was read, from 0 to 1; None where nobody knows."""
        return None if self.size is None else min(1.0, self._raw.tell() / max(1, self.size))

    @property
    def growing(self) -> bool:
        """Whether somebody wrote to the file since it was opened."""
        return self.size is not None and self._modified_ns() != self._changed_ns

    def lines(self) -> Iterator[bytes]:
        """Whole lines with their ends; after a line that was cut, `long` is True."""
        readline, unhashed = self._lines.readline, self._unhashed
        while line := readline(MOST_LINE):
            self.long = False
            if line[-1:] != b"\n":
                if len(line) == MOST_LINE:
                    yield self._cut(line)
                    continue
                if self.growing:  # somebody is still writing it
                    self.held_back = True
                    return
            unhashed.append(line)
            self.at += len(line)
            yield line

    def _cut(self, line: bytes) -> bytes:
        self.long = True
        part = line
        while part:
            self._unhashed.append(part)
            self.at += len(part)
            self.digest()
            part = b"" if part[-1:] == b"\n" else self._lines.readline(MOST_LINE)
        return line

    def digest(self) -> str:
        """SHA-256 of the first `at` bytes."""
        self._digest.update(b"".join(self._unhashed))
        self._unhashed.clear()
        return self._digest.hexdigest()

    def skip(self, count: int) -> str | None:
        """Read on to a place that was reached before; the digest up to there, or None where there is less."""
        self.digest()
        while self.at < count:
            part = self._lines.read(min(HEAD, count - self.at))
            if not part:
                return None
            self._digest.update(part)
            self.at += len(part)
        return self._digest.hexdigest()

    def ended(self) -> bool:
        """Whether nothing follows now."""
        return not self._lines.peek(1)

    def close(self) -> None:
        self._stack.close()

    def __enter__(self) -> "Source":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _modified_ns(self) -> int:
        return os.fstat(self._raw.fileno()).st_mtime_ns

    def _unpacked(self) -> io.BufferedReader:
        plain: Any = self._raw
        if plain.peek(2)[:2] == _GZIP:
            plain = io.BufferedReader(cast(Any, self._stack.enter_context(gzip.GzipFile(fileobj=plain))), HEAD)
        start = plain.peek(HEAD)[:HEAD]
        if start[:2] in _UTF16 or self.encoding.startswith(_WIDE):
            return self._narrowed(plain, "utf-16" if start[:2] in _UTF16 else self.encoding, "")
        if b"\r" in start and b"\n" not in start:  # as old spreadsheets end their lines
            return self._narrowed(plain, self.encoding, None)
        if start[:3] == codecs.BOM_UTF8:
            plain.read(3)
            self.encoding = "utf-8"
        if b"\0" in start[:200]:
            raise WrongInput(
                f'{self.path} is no text in {self.encoding}; save it as UTF-8, or write encoding = "utf-16-le" in the '
                "mapping if it is UTF-16 without a byte-order mark."
            )
        return cast(io.BufferedReader, plain)

    def _narrowed(self, plain: Any, encoding: str, newline: str | None) -> io.BufferedReader:
        self.encoding = "utf-8"
        return io.BufferedReader(_Narrowed(io.TextIOWrapper(plain, encoding, "surrogateescape", newline)), HEAD)


class _Joined(io.RawIOBase):
    """What was read of a stream before, then the rest of it."""

    def __init__(self, head: bytes, rest: Any) -> None:
        self._head, self._rest = head, rest

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._head:
            return int(self._rest.readinto1(buffer))
        count = min(len(buffer), len(self._head))
        buffer[:count], self._head = self._head[:count], self._head[count:]
        return count


class _Narrowed(io.RawIOBase):
    """Text as UTF-8 with newlines, so that all that follows may split it by bytes."""

    def __init__(self, text: io.TextIOWrapper) -> None:
        self._text = text
        self._rest = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            try:
                self._rest = self._text.read(8192).encode("utf-8", "surrogateescape")
            except UnicodeError:
                raise WrongInput("The file is damaged: it is not the UTF-16 that it begins as.") from None
        count = min(len(buffer), len(self._rest))
        buffer[:count], self._rest = self._rest[:count], self._rest[count:]
        return count


def _opened(path: Path, stack: ExitStack) -> io.BufferedReader:
    if path == STDIN:
        return io.BufferedReader(_Joined(sys.stdin.buffer.read(HEAD), sys.stdin.buffer), HEAD)
    try:
        return cast(io.BufferedReader, stack.enter_context(path.open("rb", buffering=HEAD)))
    except OSError as error:
        raise WrongInput(f"{path} cannot be read: {error.strerror}; correct its name or rights.") from None


def _known(encoding: str) -> str:
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        raise WrongInput(f'the encoding "{encoding}" is unknown; write for example "utf-8" in the mapping.') from None
    return "utf-8" if name == "utf-8-sig" else name
