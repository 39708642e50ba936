"""From a message as received to an entry of the spool: its pilot and feed, no person's name, bounded size.

Promises: `entry` raises nothing for any bytes; a payload too large to decode keeps its first 64 KiB, its size and
its SHA-256; where a feed names persons, the id is replaced before the entry exists, or no body is kept at all.
"""

from collections.abc import Sequence
from hashlib import sha256
from typing import Any

import msgspec

from collectors.binary_mode import is_binary_mode, structured
from collectors.decoders.limits import MAX_BYTES, parse
from collectors.message import Fault, Undecodable
from collectors.pseudonym import PseudonymKeys
from collectors.spool_day import Entry
from collectors.topics import Place, Roster


class Intake:
    """Prepares entries for one catalogue."""

    def __init__(self, roster: Roster, keys: PseudonymKeys) -> None:
        self._roster = roster
        self._keys = keys

    def entry(
        self,
        topic: bytes | str,
        payload: bytes,
        received_ns: int,
        content_type: str = "",
        retained: bool = False,
        priority: int = 0,
        properties: Sequence[tuple[str, str]] = (),
    ) -> Entry:
        """The entry for one message; with a fault where it can be known already that nothing can be decoded."""
        name, fault = _name(topic)
        place = self._roster.place(name)
        if properties and len(payload) <= MAX_BYTES and is_binary_mode(properties, content_type):
            payload, fault = _structured(properties, content_type, payload, fault)
        size = len(payload)
        digest = ""
        if size > MAX_BYTES:
            fault = fault or Fault("decode", "too_large", f"the payload has {size} bytes; at most {MAX_BYTES} are read")
            digest, payload = sha256(payload).hexdigest(), payload[:MAX_BYTES]
        if place.feed is not None and place.feed.person_id is not None:
            digest = digest or sha256(payload).hexdigest()
            payload, fault = self._without_person(payload, place, place.feed.person_id, fault)
        elif place.feed is None and self._roster.may_name_persons(place.pilot):
            # A feed with persons under a mistyped topic looks like this, and its ids must not reach a disk either.
            digest, payload = digest or sha256(payload).hexdigest(), b""
        return Entry(
            received_ns,
            place.pilot,
            place.feed_id,
            name,
            payload,
            content_type,
            retained,
            priority,
            fault,
            size,
            digest,
        )

    def _without_person(
        self, payload: bytes, place: Place, path: str, fault: Fault | None
    ) -> tuple[bytes, Fault | None]:
        if fault is not None:
            return b"", fault
        try:
            body = parse(payload)
            person = _take(body, path)
            if isinstance(person, bool) or not isinstance(person, str | int) or person == "":
                raise Undecodable("identity", "no_person", f"there is no person's id at {path}; the body is not kept")
            home = body["data"] if isinstance(body.get("data"), dict) else body
            home["actor_key"] = self._keys.actor_key(place.pilot, str(person))
            return msgspec.json.encode(body), None
        except Undecodable as error:
            return b"", error.fault


def _structured(
    properties: Sequence[tuple[str, str]], content_type: str, payload: bytes, fault: Fault | None
) -> tuple[bytes, Fault | None]:
    try:
        return structured(properties, content_type, payload), fault
    except Undecodable as error:
        return payload, fault or error.fault


def _name(topic: bytes | str) -> tuple[str, Fault | None]:
    if isinstance(topic, str):
        return topic, None
    try:
        return topic.decode(), None
    except UnicodeDecodeError:
        return topic.decode("latin-1"), Fault("decode", "topic_not_utf8", "the topic is not UTF-8")


def _take(body: dict[str, Any], path: str) -> Any:
    """Remove and return the value at a dotted path; None when it is not there."""
    *way, last = path.split(".")
    here: Any = body
    for part in way:
        here = here.get(part) if isinstance(here, dict) else None
    return here.pop(last, None) if isinstance(here, dict) else None
