"""InfluxDB line protocol to points, as strictly as InfluxData's own decoder.

Promises: linear in the size of the text; nothing but Undecodable is raised, with the number of the line; escapes are
undone only where the format has them; times stay in the sender's precision.
Source: InfluxDB line protocol reference; the corpus of github.com/influxdata/line-protocol.
"""

import math
import re
from collections.abc import Iterator
from typing import Any, NamedTuple

from collectors.message import Undecodable

_UNPRINTED = rb"\x00-\x1f\x7f"
_MEASUREMENT = re.compile(rb"(?:\\[ ,]|[^" + _UNPRINTED + rb" ,])*")
_KEY = re.compile(rb"(?:\\[ ,=]|[^" + _UNPRINTED + rb" ,=])*")
_TEXT = re.compile(rb'"((?:\\["\\]|[^"])*+)"')  # possessive: an escaped quote never closes, and no retry costs time
_BARE = re.compile(rb"[^,\r\n ]*")
_TIME = re.compile(rb"[-0-9]*")
_SPACES = re.compile(rb" *")
_COMMENT = re.compile(rb"#[^" + _UNPRINTED + rb"]*")
_END = re.compile(rb"\n|\r\n|\r?\Z")
_ESCAPED = re.compile(rb"\\([ ,=])")
_ESCAPED_IN_NAME = re.compile(rb"\\([ ,])")
_ESCAPED_IN_TEXT = re.compile(rb'\\(["\\])')
_INTEGER = re.compile(rb"-?\d{1,32}")
_FLOAT = re.compile(rb"-?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")
# A whole line without escapes, texts in quotes or signs beyond ASCII, as nearly all are: it may simply be split.
_PLAIN = re.compile(
    rb"([!-+\--\[\]-~]+)((?:,[!-+\--<>-\[\]-~]+=[!-+\--<>-\[\]-~]+)*) "
    rb"([!-+\--<>-\[\]-~]+=[!#-+\--\[\]-~]+(?:,[!-+\--<>-\[\]-~]+=[!#-+\--\[\]-~]+)*)"
    rb"(?: (-?(?:[0-8]\d{18}|\d{1,18})))?(?=\r?\n|\Z)"
)
_TRUE, _FALSE = (b"t", b"T", b"true", b"True", b"TRUE"), (b"f", b"F", b"false", b"False", b"FALSE")


class Point(NamedTuple):
    """One point; `raw` are its bytes, `time` is in the sender's precision."""

    name: str
    tags: dict[str, str]
    fields: list[tuple[str, Any]]
    time: int | None
    raw: bytes


def points(text: bytes) -> Iterator[Point]:
    """The points of a text, in their order; raises Undecodable at the first bad line.

    >>> next(points(b'cpu,host=a value=1i 5'))[:4]
    ('cpu', {'host': 'a'}, [('value', 1)], 5)
    """
    for _, point in numbered(text):
        if isinstance(point, Undecodable):
            raise point
        yield point


def numbered(text: bytes) -> Iterator[tuple[int, Point | Undecodable]]:
    """Each point, or what is wrong with its line, and the number of the line that it begins on, from 1.

    Reading goes on after the line on which the fault is seen: what a quoted text of a bad line holds is never
    taken for a point.
    """
    return _Reader(text).numbered()


class _Reader:
    def __init__(self, text: bytes) -> None:
        self._text, self._at = text, 0

    def numbered(self) -> Iterator[tuple[int, Point | Undecodable]]:
        line, counted = 1, 0
        while True:
            start = None
            try:
                if not self._skip_to_point():
                    return
                start = self._at
                found: Point | Undecodable = self._point()
            except Undecodable as error:
                start = self._at if start is None else start
                self._skip_line()
                found = error
            line, counted = line + self._text.count(b"\n", counted, start), start
            yield line, found

    def _skip_line(self) -> None:
        end = self._text.find(b"\n", self._at)
        self._at = len(self._text) if end < 0 else end + 1

    def _point(self) -> Point:
        if (found := _PLAIN.match(self._text, self._at)) and (point := self._plain(found)):
            return point
        start = self._at
        name = self._decoded(_ESCAPED_IN_NAME.sub(rb"\1", self._take(_MEASUREMENT)))
        if not name:
            raise self._wrong("there is no measurement")
        tags, fields = self._tags(), self._fields()
        time = self._time()
        raw = self._text[start : self._at]
        if not self._ends():
            raise self._wrong("something follows the time")
        return Point(name, tags, fields, time, raw.rstrip(b" "))

    def _plain(self, found: re.Match[bytes]) -> Point | None:
        """The point of a line that `_PLAIN` matches; None when a tag is given twice."""
        name, given_tags, given_fields, time = found.groups()
        tags = {}
        if given_tags:
            pairs = given_tags.decode()[1:].split(",")
            tags = dict(pair.split("=") for pair in pairs)
            if len(tags) < len(pairs):
                return None
        fields = []
        for pair in given_fields.split(b","):
            key, _, bare = pair.partition(b"=")
            fields.append((key.decode(), self._bare(bare)))
        self._at = found.end()
        self._ends()
        return Point(name.decode(), tags, fields, None if time is None else int(time), found[0])

    def _skip_to_point(self) -> bool:
        """Pass over empty lines and comments; False at the end of the text."""
        while True:
            self._take(_SPACES)
            if self._at >= len(self._text):
                return False
            if self._peek() == b"#":
                self._take(_COMMENT)
                if not self._ends():
                    raise self._wrong("a comment holds a control character")
            elif self._peek() not in (b"\n", b"\r"):
                return True
            elif not self._ends():
                raise self._wrong("a carriage return stands alone")

    def _tags(self) -> dict[str, str]:
        tags: dict[str, str] = {}
        while self._peek() == b",":
            self._at += 1
            key, value = self._key(), b""
            if key and self._peek() == b"=":
                self._at += 1
                value = self._take(_KEY)
            if not value:
                raise self._wrong("a tag lacks its name or value")
            if key in tags:
                raise self._wrong("a tag is given twice")
            tags[key] = self._decoded(_ESCAPED.sub(rb"\1", value))
        if self._peek() != b" ":
            raise self._wrong("there are no fields")
        self._take(_SPACES)
        return tags

    def _fields(self) -> list[tuple[str, Any]]:
        fields = []
        while True:
            key = self._key()
            if not key or self._peek() != b"=":
                raise self._wrong("a field lacks its name or value")
            self._at += 1
            fields.append((key, self._value()))
            if self._peek() != b",":
                break
            self._at += 1
        if self._peek() not in (b" ", b"\n", b"\r", b""):
            raise self._wrong("something follows a field's text")
        self._take(_SPACES)
        return fields

    def _key(self) -> str:
        return self._decoded(_ESCAPED.sub(rb"\1", self._take(_KEY)))

    def _value(self) -> Any:
        if self._peek() == b'"':
            found = _TEXT.match(self._text, self._at)
            if found is None:
                raise self._wrong("a text has no closing quote")
            self._at = found.end()
            return self._decoded(_ESCAPED_IN_TEXT.sub(rb"\1", found[1]))
        return self._bare(self._take(_BARE))

    def _bare(self, bare: bytes) -> Any:
        """A value that is no text in quotes."""
        if bare in _TRUE or bare in _FALSE:
            return bare in _TRUE
        kind, digits = bare[-1:], bare[:-1]
        if kind in (b"i", b"u") and _INTEGER.fullmatch(digits):
            whole = int(digits)
            if not (-(2**63) <= whole < 2**63 if kind == b"i" else 0 <= whole < 2**64 and digits[:1] != b"-"):
                raise self._wrong("a whole number does not fit in 64 bits")
            return whole
        if _FLOAT.fullmatch(bare) and math.isfinite(number := float(bare)):
            return number
        raise self._wrong("a field's value is no number, text, true or false")

    def _time(self) -> int | None:
        digits = self._take(_TIME)
        if not digits:
            return None
        if not _INTEGER.fullmatch(digits) or not -(2**63) <= int(digits) < 2**63:
            raise self._wrong("the time is not a whole number of 64 bits")
        if self._peek() not in (b" ", b"\n", b"\r", b""):
            raise self._wrong("the time is not a whole number")
        self._take(_SPACES)
        return int(digits)

    def _take(self, pattern: re.Pattern[bytes]) -> bytes:
        found = pattern.match(self._text, self._at)
        assert found is not None  # each of these patterns matches nothing too
        self._at = found.end()
        return found[0]

    def _peek(self) -> bytes:
        return self._text[self._at : self._at + 1]

    def _ends(self) -> bool:
        """Take the end of a line, if it is here."""
        found = _END.match(self._text, self._at)
        self._at = found.end() if found else self._at
        return found is not None

    def _decoded(self, token: bytes) -> str:
        try:
            return token.decode()
        except UnicodeDecodeError:
            raise Undecodable("decode", "not_utf8", "the payload is not UTF-8") from None

    def _wrong(self, what: str) -> Undecodable:
        line = self._text.count(b"\n", 0, self._at) + 1
        return Undecodable("decode", "not_line_protocol", f"line {line} is not line protocol: {what}")
