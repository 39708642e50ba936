"""What requests from pages do to dead letters, without the broker: one request in, one answer out.

Promises: whatever comes in is answered or logged, counted, and raises nothing; the same id is done once and answered
alike; each request is logged with who asked; an answer has at most 60,000 bytes.
"""

import logging
from collections import OrderedDict
from typing import Literal

import msgspec

from collectors import dead_changes
from collectors.dead_kinds import kinds, samples
from collectors.dead_letters import DeadLetter, Selection, listed, parse_id
from collectors.letter_body import names_persons, printable, shown
from collectors.message import CollectorError
from collectors.spool import Spool
from collectors.topics import Roster
from pipeline.feed_report import Sample, iso_utc

log = logging.getLogger(__name__)
MOST_BYTES = 60_000
MOST_REQUEST = 16_384
_MOST_IDS = 200
_MOST_SHOWN = 20
_BODY = 2_000
_REMEMBERED = 256


class Request(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """What is asked. `requeue` and `purge` need a pilot or ids; `by` is who asked, for the log."""

    id: str
    do: Literal["requeue", "purge", "show", "sample"]
    by: str
    pilot: str | None = None
    feed: str | None = None
    code: str | None = None
    ids: list[str] = []


class ShownLetter(msgspec.Struct, frozen=True, omit_defaults=True):
    """One dead letter; `body` is None where `why_not` says why."""

    id: str
    pilot: str
    feed: str
    topic: str
    stage: str
    code: str
    text: str
    point: str
    attempts: int
    parked: bool
    first: str
    last: str
    size: int
    sha256: str
    body: str | None = None
    encoding: str = ""
    truncated: bool = False
    why_not: str = ""


class Answer(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a request: a number of messages, those skipped by reason, a sentence for the person who asked.

    `overrun` requests since the collector's start were not taken, since too many came at once.
    """

    id: str
    ok: bool
    done: int = 0
    skipped: dict[str, int] = {}
    sentence: str
    letters: list[ShownLetter] = []
    samples: list[Sample] = []
    cut: bool = False
    overrun: int = 0


_read = msgspec.json.Decoder(Request).decode


class Desk:
    """Does what requests ask, on one spool. `counts` are by outcome: done, refused, repeated, malformed, failed,
    and those that never came here (overrun)."""

    def __init__(self, spool: Spool, roster: Roster) -> None:
        self._spool, self._roster = spool, roster
        self._answered: OrderedDict[str, bytes] = OrderedDict()
        self.counts = {"done": 0, "refused": 0, "repeated": 0, "malformed": 0, "failed": 0, "overrun": 0}

    def answer(self, payload: bytes) -> bytes | None:
        """The answer to one request; None where nothing is known that it could be addressed to."""
        try:
            if len(payload) > MOST_REQUEST:
                raise ValueError(f"a request has at most {MOST_REQUEST} bytes")
            request = _read(payload)
        except (msgspec.MsgspecError, ValueError, RecursionError) as error:
            return self._malformed(payload, error)
        if known := self._answered.get(request.id):
            self.counts["repeated"] += 1
            log.info("control: %s was asked again and was answered alike", request.id[:64])
            return known
        answer = self._judged(request)
        log.log(
            logging.WARNING if request.do in ("requeue", "purge") else logging.INFO,
            "control: %s asked to %s (pilot %s, feed %s, code %s, %d ids): %s",
            *(_in_log(said) for said in (request.by, request.do, request.pilot, request.feed, request.code)),
            len(request.ids),
            answer.sentence,
        )
        encoded = _bounded(msgspec.structs.replace(answer, overrun=self.counts["overrun"]))
        self._answered[request.id] = encoded
        while len(self._answered) > _REMEMBERED:
            self._answered.popitem(last=False)
        return encoded

    def _malformed(self, payload: bytes, error: Exception) -> bytes | None:
        self.counts["malformed"] += 1
        log.warning("control: a request of %d bytes cannot be read: %s", len(payload), _in_log(str(error)))
        name = _id_of(payload)
        if name is None:
            return None
        sentence = f"The request cannot be read: {printable(str(error))[:300]}."
        return msgspec.json.encode(Answer(id=name, ok=False, sentence=sentence))

    def _judged(self, request: Request) -> Answer:
        try:
            selection = _selection(request)
            answer = self._do(request, selection)
        except ValueError as error:
            self.counts["refused"] += 1
            return Answer(id=request.id, ok=False, sentence=f"{printable(str(error))[:300]}.")
        except CollectorError as error:
            self.counts["failed"] += 1
            return Answer(id=request.id, ok=False, sentence=str(error))
        except Exception as error:  # an unknown mistake costs this request, never the collector
            log.exception("control: a request failed")
            self.counts["failed"] += 1
            return Answer(id=request.id, ok=False, sentence=f"The collector failed at it ({type(error).__name__}).")
        self.counts["done"] += 1
        return answer

    def _do(self, request: Request, selection: Selection) -> Answer:
        if request.do == "requeue":
            outcome = dead_changes.requeue(self._spool, selection)
            return _changed(request, outcome, "Requeued")
        if request.do == "purge":
            return _changed(request, dead_changes.purge(self._spool, selection), "Purged")
        if request.do == "show":
            letters = listed(self._spool, selection, limit=_MOST_SHOWN + 1)[::-1]
            some = [letter_shown(letter, self._roster) for letter in letters[:_MOST_SHOWN]]
            sentence = f"{len(some)} dead letters, newest first."
            return Answer(id=request.id, ok=True, done=len(some), sentence=sentence, letters=some,
                          cut=len(letters) > len(some))  # fmt: skip
        found = [(k, n) for k, n in kinds(self._spool).items() if _is_of(k, request)]
        found.sort(key=lambda one: -one[1].last_ns)
        some_kinds = samples(self._spool, found[:_MOST_SHOWN], self._roster)
        return Answer(id=request.id, ok=True, done=len(some_kinds), sentence=f"{len(found)} kinds of dead letters.",
                      samples=some_kinds, cut=len(found) > len(some_kinds))  # fmt: skip


def letter_shown(letter: DeadLetter, roster: Roster, most: int = _BODY) -> ShownLetter:
    """A letter with at most `most` bytes of its body."""
    body = shown(letter, roster, most)
    point = "" if names_persons(letter.pilot, letter.feed, letter.payload, roster) else letter.point
    return ShownLetter(
        letter.id,
        letter.pilot,
        letter.feed,
        printable(letter.topic)[:500],
        letter.stage,
        letter.code,
        printable(letter.text),
        printable(point),
        letter.attempts,
        letter.parked,
        iso_utc(letter.first_ns),
        iso_utc(letter.last_ns),
        letter.size,
        letter.sha256,
        *body,
    )


def _selection(request: Request) -> Selection:
    if not request.id or len(request.id) > 64 or not request.by or len(request.by) > 128:
        raise ValueError("a request needs an id of 1 to 64 characters and by, who asks, of 1 to 128")
    if len(request.ids) > _MOST_IDS:
        raise ValueError(f"a request names at most {_MOST_IDS} ids")
    if request.do in ("requeue", "purge") and not (request.pilot or request.ids):
        raise ValueError(f"to {request.do} needs a pilot or ids")
    if request.do == "purge" and not (request.ids or request.feed or request.code):
        raise ValueError("to purge needs ids, a feed or a code beside the pilot")
    ids = tuple(parse_id(text) for text in dict.fromkeys(request.ids))
    return Selection(request.pilot, request.feed, request.code, ids)


def _is_of(kind: tuple[str, str, str, str], request: Request) -> bool:
    pilot, feed, _, code = kind
    asked = ((request.pilot, pilot), (request.feed, feed), (request.code, code))
    return all(wanted is None or wanted == is_ for wanted, is_ in asked)


def _changed(request: Request, outcome: dead_changes.Outcome, verb: str) -> Answer:
    return Answer(id=request.id, ok=True, done=outcome.done, skipped=dict(outcome.skipped),
                  sentence=outcome.sentence(verb))  # fmt: skip


def _bounded(answer: Answer) -> bytes:
    while True:
        encoded = msgspec.json.encode(answer)
        if len(encoded) <= MOST_BYTES:
            return encoded
        answer = msgspec.structs.replace(answer, letters=answer.letters[:-1], samples=answer.samples[:-1], cut=True)


def _id_of(payload: bytes) -> str | None:
    """The id of what is no request otherwise, so that its sender learns what was wrong."""
    try:
        body = msgspec.json.decode(payload[:MOST_REQUEST])
    except (msgspec.MsgspecError, ValueError, RecursionError):
        return None
    name = body.get("id") if isinstance(body, dict) else None
    return name if isinstance(name, str) and 0 < len(name) <= 64 else None


def _in_log(said: str | None) -> str:
    """Bounded and without line breaks, as it comes from outside."""
    return "any" if said is None else printable(said).replace("\n", "·").replace("\t", "·")[:128]
