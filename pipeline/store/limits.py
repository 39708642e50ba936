"""What a point must be so that every adapter can hold it, and the one form in which it is kept.

Promises: a point refused here is refused whichever store is used; what is admitted fits InfluxDB's bounds on
tags, strings and times, so that one hostile point cannot cost its neighbours their batch.
Source: `ingest.md` 5 (I2, I4, I7) for the bounds.
"""

import math
import re
from collections.abc import Iterable, Sequence
from datetime import date
from functools import lru_cache
from operator import attrgetter
from typing import Any, Final

import msgspec

from pipeline.model import Event, Record, Refusal, Touch
from pipeline.store.port import StoreRefused
from pipeline.store.schema import TAGS

MIN_NS: Final = -(2**63) + 2
MAX_NS: Final = 2**63 - 2
MAX_TAG_BYTES: Final = 128
MAX_ID_BYTES: Final = 512
MAX_BODY_BYTES: Final = 1_000_000
MAX_COUNT: Final = 2**53  # above it a float skips whole numbers
MAX_DEPTH: Final = 64

_encode: Final = msgspec.json.Encoder().encode
_decode: Final = msgspec.json.Decoder(list[Event]).decode
_in_time: Final = attrgetter("time_ns", "event_id")
_KIND: Final = re.compile(r"[a-z][a-z0-9_]{0,39}", re.ASCII)


class Unrepresentable(ValueError):
    """A point that no store can hold: `code` for counters, the message for people."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


def admit(events: Iterable[Event]) -> tuple[list[tuple[Event, str]], list[Refusal]]:
    """Events that can be stored with their body, and the refusals of those that cannot."""
    admitted: list[tuple[Event, str]] = []
    refused: list[Refusal] = []
    for event in events:
        try:
            admitted.append((event, body_of(event)))
        except Unrepresentable as error:
            refused.append(Refusal(event_id=event.event_id, code=error.code, reason=str(error)))
    return admitted, refused


def body_of(event: Event) -> str:
    """The whole event as JSON; raises Unrepresentable."""
    problem = _series_problem(event.stream, event.pilot, event.feed, event.type, event.device, event.quantity)
    if problem is not None:
        raise Unrepresentable(*problem)
    if not MIN_NS <= event.time_ns <= MAX_NS:
        raise Unrepresentable("time_out_of_range", "time_ns is outside the years 1677 to 2262")
    if event.value is not None and not math.isfinite(event.value):
        raise Unrepresentable("not_finite", "value is not a finite number")
    if not -MAX_COUNT <= event.count <= MAX_COUNT:
        raise Unrepresentable("not_representable", "count is larger than a float can count")
    if not event.event_id or len(event.event_id.encode(errors="replace")) > MAX_ID_BYTES:
        raise Unrepresentable("bad_id", f"event_id is empty or longer than {MAX_ID_BYTES} bytes")
    try:
        body = _encode(event)
    except (ValueError, TypeError, OverflowError, RecursionError) as error:
        raise Unrepresentable("not_representable", f"cannot be written as JSON: {error}") from None
    if len(body) > MAX_BODY_BYTES:
        raise Unrepresentable("too_large", f"the event takes {len(body)} bytes, more than {MAX_BODY_BYTES}")
    if body.count(b"[") + body.count(b"{") > MAX_DEPTH and _depth(event.data) > MAX_DEPTH:
        raise Unrepresentable("too_deep", f"data is nested more than {MAX_DEPTH} levels deep")
    return body.decode()


def _depth(value: Any) -> int:
    """Levels of nesting, found without recursion: what is too deep to read back must not be stored."""
    depth, level = 0, [value]
    while level and depth <= MAX_DEPTH:
        depth += 1
        inner: list[Any] = []
        for item in level:
            inner += item.values() if isinstance(item, dict) else item
        level = [item for item in inner if isinstance(item, (dict, list, tuple))]
    return depth


@lru_cache(maxsize=65_536)
def _series_problem(
    stream: str, pilot: str, feed: str, type_: str, device: str, quantity: str
) -> tuple[str, str] | None:
    if stream not in TAGS:
        return "unknown_stream", f"stream is not one of {', '.join(TAGS)}"
    for name, text in (("pilot", pilot), ("feed", feed)):
        if not text:
            return "empty_tag", f"{name} is empty"
    parts = (("pilot", pilot), ("feed", feed), ("type", type_), ("device", device), ("quantity", quantity))
    for name, text in parts:
        try:
            size = len(text.encode())
        except UnicodeEncodeError:
            return "not_representable", f"{name} holds half a character (a lone surrogate)"
        if size > MAX_TAG_BYTES:
            return "tag_too_long", f"{name} is longer than {MAX_TAG_BYTES} bytes"
    return None


def events_of(bodies: Sequence[str]) -> list[Event]:
    """Bodies as events, in the order that every adapter promises: by time, then by id."""
    events = _decode("[" + ",".join(bodies) + "]")
    events.sort(key=_in_time)
    return events


def sayable(*texts: str) -> bool:
    """Whether texts are whole Unicode; others were never stored, so questions about them find nothing."""
    try:
        "".join(texts).encode()
    except UnicodeEncodeError:
        return False
    return True


def within(start_ns: int, end_ns: int) -> tuple[int, int]:
    """A range of time cut to what a 64-bit nanosecond can say."""
    return max(start_ns, MIN_NS), min(end_ns, MAX_NS + 1)


def check_records(records: Sequence[Record]) -> None:
    """Raise StoreRefused when a record can be kept by no store: these are made by ourselves, so it is a fault."""
    for record in records:
        name = f"record {record.kind!r} of {record.pilot!r}, key {record.key!r}"
        if not _KIND.fullmatch(record.kind) or record.kind in TAGS or record.kind == "touch":
            raise StoreRefused(f"{name}: the kind must be a plain word that is no stream")
        if max(len(record.pilot.encode(errors="replace")), len(record.key.encode(errors="replace"))) > MAX_TAG_BYTES:
            raise StoreRefused(f"{name}: pilot and key may have at most {MAX_TAG_BYTES} bytes")
        if not sayable(record.pilot, record.key):
            raise StoreRefused(f"{name}: holds half a character (a lone surrogate)")
        if len(record.body) > MAX_BODY_BYTES:
            raise StoreRefused(f"{name}: {len(record.body)} bytes, more than {MAX_BODY_BYTES}; split it")
        if b"\n" in record.body or b"\r" in record.body:  # InfluxDB's CSV answers change line breaks
            raise StoreRefused(f"{name}: its JSON must be on one line")
        if not MIN_NS <= record.time_ns <= MAX_NS:
            raise StoreRefused(f"{name}: its time is outside the years 1677 to 2262")
        try:
            record.body.decode()
        except UnicodeDecodeError:
            raise StoreRefused(f"{name}: its body is not UTF-8") from None


def latest(touches: Iterable[Touch]) -> dict[tuple[str, str], int]:
    """The highest sequence of each pilot-day in one call; raises StoreRefused for a day that is no ISO date."""
    found: dict[tuple[str, str], int] = {}
    for touch in touches:
        try:
            sound = date.fromisoformat(touch.day).isoformat() == touch.day and 0 <= touch.seq <= MAX_NS
        except ValueError:
            sound = False
        if not sound or not sayable(touch.pilot):
            raise StoreRefused(f"touch of {touch.pilot!r}: {touch.day!r} with sequence {touch.seq} is no touched day")
        found[touch.pilot, touch.day] = max(touch.seq, found.get((touch.pilot, touch.day), touch.seq))
    return found
