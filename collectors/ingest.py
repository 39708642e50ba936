"""Pure: one message from the spool → events that may be stored, or the reason why not.

Promises: every message gets exactly one answer and nothing but that answer; a bad point costs that point alone; the
pilot is the topic's; a person's key without consent, a count without consent to counting, and a time outside the clock
window never reach a store.
"""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from msgspec.structs import replace

from collectors.clock_rules import Window, floor_and_span
from collectors.decoders import DECODERS, Decoded, Decoder
from collectors.message import Fault, RawMessage, Undecodable
from collectors.topics import Place, Roster
from config.events import OPS_TYPES
from pipeline.model import Event


class Judged(NamedTuple):
    """Events to store and faults of single points, or one fault of the whole, or the rule by which it is dropped.

    `erased` where the message also told of somebody who was erased: its body is not to be kept.
    """

    events: list[Event]
    empty: int = 0
    fault: Fault | None = None
    dropped: str = ""
    faults: tuple[Fault, ...] = ()
    erased: bool = False


ERASED = "erased"
_UNKNOWN = {
    "unknown_pilot": "the topic names no pilot of this catalogue; mend the topic, or add the pilot's file and start "
    "the collector again",
    "unknown_feed": "the pilot declares no feed with this topic; mend the topic, or add it to the pilot's file and "
    "start the collector again",
}


class Ingest:
    """Judges messages for one catalogue. `is_erased` says of a pilot's actor key whether that person was erased."""

    def __init__(
        self,
        roster: Roster,
        window: Window,
        decoders: Mapping[str, Decoder] = DECODERS,
        is_erased: Callable[[str, str], bool] = lambda pilot, actor_key: False,
    ) -> None:
        self._roster = roster
        self.window = window
        self._decoders = decoders
        self._is_erased = is_erased

    def judge(self, message: RawMessage) -> Judged:
        """What becomes of one message, as far as the message itself says."""
        place = self._roster.place(message.topic)
        if place.feed is None:
            return Judged([], fault=Fault("identity", place.code, _UNKNOWN[place.code]))
        try:
            decoded = self._decoders[place.feed.decoder](message, place)
            if rule := _drop_rule(message, place, decoded.events):
                return Judged([], dropped=rule)
            left = [event for event in decoded.events if not self._of_erased(event)]
            if len(left) == len(decoded.events):
                return self._checked(decoded, message, place)
            if not left and not decoded.faults:
                return Judged([], dropped=ERASED, erased=True)
            return self._checked(decoded._replace(events=left), message, place)._replace(erased=True)
        except Undecodable as error:
            return Judged([], fault=error.fault)
        except Exception as error:  # a decoder's own mistake condemns this payload, never the stream
            return Judged([], fault=Fault("decode", "decoder_error", f"the decoder failed: {type(error).__name__}"))

    def _of_erased(self, event: Event) -> bool:
        return event.actor_key is not None and self._is_erased(event.pilot, event.actor_key)

    def _checked(self, decoded: Decoded, message: RawMessage, place: Place) -> Judged:
        """The events that may be stored; where none is and all fail alike, one fault of the whole message."""
        sound, faults = [], list(decoded.faults)
        for event in decoded.events:
            try:
                self._check(event, message, place)
            except Undecodable as error:
                faults.append(replace(error.fault, point=event.event_id))
            else:
                sound.append(event)
        if not sound and not faults:
            return Judged([], decoded.empty, dropped="no_reading")
        if not sound and len({(one.stage, one.code) for one in faults}) == 1:
            return Judged([], fault=replace(faults[0], point=""))
        return Judged(sound, decoded.empty, faults=tuple(faults))

    def _check(self, event: Event, message: RawMessage, place: Place) -> None:
        if event.actor_key is not None and event.consent != "cohort":
            raise Undecodable("validate", "consent", "an actor_key came without consent = cohort")
        if event.count > 1 and event.consent != "count_only":
            raise Undecodable("validate", "count", "a count above 1 needs consent = count_only")
        floor_ns = event.floor_ns
        if event.time_precision in ("day", "month"):
            floor_ns = floor_and_span(event.time_ns, event.time_precision, place.zone)[0]
        since = place.feed.accept_since if place.feed is not None else None
        self.window.check(floor_ns, message.received_ns, since, place.zone)


def _drop_rule(message: RawMessage, place: Place, events: list[Event]) -> str:
    if place.feed is None or not events or not (message.retained or events[0].synthetic):
        return ""
    if events[0].type in OPS_TYPES:
        return ""
    if message.retained and "retained_replay" in place.feed.drop:
        return "retained_replay"
    if "simulated" in place.feed.drop and events[0].synthetic:
        return "simulated"
    return ""
