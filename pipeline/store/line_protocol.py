"""Points as lines of InfluxDB's line protocol, version 2; the only encoder there is.

Promises: numbers are floats unless a field is an integer by schema; times are integer nanoseconds; two
different texts never become the same tag, whatever they hold; no text can end its own quotes.
The prefix of a series (measurement and tags) is made once and kept.
Source: https://docs.influxdata.com/influxdb/v2/reference/syntax/line-protocol/ and the corpus of influxdata.
"""

import re
from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final
from urllib.parse import unquote

from pipeline.model import NS_PER_S, Event, Record
from pipeline.store.schema import TAGS, TOUCH_MEASUREMENT

Field = str | float | int | bool

# InfluxDB cannot hold these in a tag, drops them (\r), or cannot name them in a delete predicate (NUL, quotes).
_UNSAFE: Final = re.compile(r"[%\\\"'\x00-\x1f\x7f-\x9f]")
_EMPTY: Final = "%empty"  # cannot come from a text: a percent sign of the text becomes %25
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Noon after a day: no zone calls a later moment that day, so a touch outlives the events it is about.
_TOUCH_OFFSET: Final = timedelta(hours=36)


def tag_text(text: str) -> str:
    """A text as tag value: unsafe characters as %XX of their UTF-8, the empty text as `%empty`.

    >>> tag_text("Järntorget 3"), tag_text(""), tag_text('50% "x"')
    ('Järntorget 3', '%empty', '50%25 %22x%22')
    """
    if not text:
        return _EMPTY
    return _UNSAFE.sub(lambda found: "".join(f"%{byte:02X}" for byte in found.group().encode()), text)


def text_of_tag(tag: str) -> str:
    """The text that `tag_text` made this tag from.

    >>> text_of_tag("50%25 %22x%22"), text_of_tag("%empty")
    ('50% "x"', '')
    """
    return "" if tag == _EMPTY else unquote(tag)


def prefix(measurement: str, tags: Sequence[tuple[str, str]]) -> str:
    """Measurement and tags, escaped; raises ValueError where the protocol has no way to say it."""
    for name, value in tags:
        if not name or not value or "\n" in name + value or name.endswith("\\") or value.endswith("\\"):
            raise ValueError(f"tag {name!r} is empty, ends in a backslash or holds a line break")
    if not measurement or "\n" in measurement or measurement.endswith("\\") or measurement.startswith("#"):
        raise ValueError(f"measurement {measurement!r} cannot be written")
    start = measurement.replace(",", "\\,").replace(" ", "\\ ")
    return start + "".join(f",{_escape_key(name)}={_escape_key(value)}" for name, value in tags)


def fields(pairs: Sequence[tuple[str, Field]]) -> str:
    """Fields, escaped: strings in quotes, integers with `i`, floats and booleans plain."""
    return ",".join(f"{_escape_key(name)}={_value(value)}" for name, value in pairs)


def event_line(event: Event, body: str) -> str:
    """One raw event; `body` is the event as JSON."""
    start = _series(event.stream, event.pilot, event.feed, event.type, event.device, event.quantity)
    count = "1" if event.count == 1 else _number(event.count)
    line = f"{start} event_id={_quote(event.event_id)},body={_quote(body)},count={count}"
    if event.value is not None:
        line += f",value={_number(event.value)}"
    if event.actor_key is not None:
        line += f",actor_key={_quote(event.actor_key)}"
    return f"{line} {event.time_ns}"


def record_line(record: Record) -> str:
    start = prefix(record.kind, (("pilot", tag_text(record.pilot)), ("key", tag_text(record.key))))
    return f"{start} body={_quote(record.body.decode())} {record.time_ns}"


def touch_line(pilot: str, day: str, seq: int) -> str:
    """A touched day as one point, so that a later touch of the same day replaces it."""
    moment = datetime.combine(date.fromisoformat(day), datetime.min.time(), UTC) + _TOUCH_OFFSET
    seconds = (moment - _EPOCH) // timedelta(seconds=1)
    return f"{prefix(TOUCH_MEASUREMENT, (('pilot', tag_text(pilot)),))} seq={seq}i {seconds * NS_PER_S}"


def day_of_touch(rfc3339: str) -> str:
    """The ISO date of a touch, from its time as InfluxDB tells it."""
    return (datetime.fromisoformat(rfc3339) - _TOUCH_OFFSET).date().isoformat()


def event_tags(event: Event) -> tuple[tuple[str, str], ...]:
    """Names and values of the tags of an event: with measurement and time, all of its identity."""
    return tuple((name, tag_text(getattr(event, name))) for name in TAGS[event.stream])


@lru_cache(maxsize=65_536)
def _series(stream: str, pilot: str, feed: str, type_: str, device: str, quantity: str) -> str:
    texts = {"pilot": pilot, "feed": feed, "type": type_, "device": device, "quantity": quantity}
    return prefix(stream, tuple((name, tag_text(texts[name])) for name in TAGS[stream]))


def _escape_key(text: str) -> str:
    return text.replace(",", "\\,").replace("=", "\\=").replace(" ", "\\ ")


def _quote(text: str) -> str:
    if "\\" in text:
        text = text.replace("\\", "\\\\")
    return '"' + text.replace('"', '\\"') + '"'


def _number(value: float) -> str:
    """A float in the shortest form that comes back the same; a whole one without point is still a float."""
    return repr(float(value)).removesuffix(".0")


def _value(value: Field) -> str:
    if isinstance(value, str):
        return _quote(value)
    if isinstance(value, bool):
        return "true" if value else "false"
    return f"{value}i" if isinstance(value, int) else _number(value)
