"""Keeps what operators record, corrects it, and knows how far it has come.

Promises: who may not record for a pilot changes nothing; saving the same draft twice records one thing; a correction
sends only what says something else, with a higher revision, and takes back what is said no more; of two corrections at
once the second is told so. Nothing is lost while the broker is away.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import msgspec

from config.catalogue import Catalogue, Feed, Pilot
from config.vocabulary import Vocabulary
from dashboard.access import rules
from dashboard.log.draft import Entry, Wrong, entry_in, fields_in, record_id
from dashboard.log.events import SOURCE, WITHDRAWN, Stated, check_in, events_of, payload, taken_back
from dashboard.log.fields import form_of
from dashboard.log.letters import as_stated, begins_ns, codes_in, feed_of, not_meanwhile, standing, times_in
from dashboard.log.post import Post
from dashboard.log.tokens import MINUTE_NS, Invitation
from dashboard.texts import _
from dashboard.viewer import Viewer
from pipeline.logbook import Letter, Logbook, Record

Clock = Callable[[], int]
SHOWN: Final = 30
MOST_CODES: Final = 2_000
_HOUR_NS: Final = 60 * MINUTE_NS
_OPEN_BEFORE_NS, _OPEN_AFTER_NS = 3 * _HOUR_NS, 12 * _HOUR_NS


@dataclass(frozen=True)
class Kept:
    """A record as it stands: how many of its letters wait for the broker, and how many people checked in."""

    record: Record
    waiting: int
    codes: int
    entry: Entry | None


class Desk:
    """`pseudonym` makes a person's key within a pilot; `note` writes into the audit."""

    def __init__(
        self,
        logbook: Logbook,
        catalogue: Catalogue,
        vocabulary: Vocabulary,
        post: Post,
        clock: Clock,
        pseudonym: Callable[[str, str], str],
        note: Callable[[str, str], None] = lambda who, what: None,
    ) -> None:
        self.form, self.post, self.clock = form_of(vocabulary), post, clock
        self._logbook, self._pseudonym, self._note = logbook, pseudonym, note
        feeds = {pilot.slug: feed_of(pilot) for pilot in catalogue.pilots.values()}
        self._places = {slug: (catalogue.pilots[slug], feed) for slug, feed in feeds.items() if feed is not None}

    @property
    def secret(self) -> bytes:
        """Signs invitations."""
        return self._logbook.secret

    def places(self, who: Viewer) -> Mapping[str, tuple[Pilot, Feed]]:
        """The pilots that somebody may record for, each with the feed of its records."""
        if not rules.may(who.role, "record"):
            return {}
        return {slug: self._places[slug] for slug in who.may_see(self._places)}

    def pilot(self, slug: str) -> Pilot | None:
        """A pilot that has a feed for records."""
        return self._places[slug][0] if slug in self._places else None

    # What operators do

    def save(self, who: Viewer, given: object) -> Record:
        """Record a draft, or correct what was recorded from it. Raises Wrong."""
        now_ns = self.clock()
        entry = entry_in(given, self.form, self.places(who), now_ns)
        with self._logbook.writing():
            known = self._logbook.record(entry.id)
            not_meanwhile(known, entry.pilot, given)
            if entry.what in ("cancelled", "closure") and self._logbook.codes(entry.id):
                raise Wrong({"what": _("People have checked in to it; withdraw it if nothing was held.")})
            record = self._write(known, entry, now_ns)
        self._note(who.name, f"record {record.id} of {record.pilot}, revision {record.revision}")
        self.post.wake()
        return record

    def withdraw(self, who: Viewer, record: str) -> Record:
        """Take a record back, with everybody who checked in to it. Raises Wrong."""
        now_ns = self.clock()
        with self._logbook.writing():
            known = self._mine(who, record)
            letters = [
                self._letter(known, one, taken_back(*standing(one)), now_ns)
                for one in self._logbook.letters(record)
                if one.type != WITHDRAWN
            ]
            gone = msgspec.structs.replace(
                known, state="withdrawn", revision=known.revision + 1, saved_ns=now_ns, arrived_ns=None
            )
            self._logbook.keep(gone, letters)
        self._note(who.name, f"withdraw {record} of {known.pilot}")
        self.post.wake()
        return gone

    def invite(self, who: Viewer, given: object) -> Invitation:
        """Open an activity, recorded or not yet, for check-in. Raises Wrong."""
        fields, now_ns, places = fields_in(given), self.clock(), self.places(who)
        slug, record = fields.get("pilot"), record_id(given)
        if not isinstance(slug, str) or slug not in places:
            raise Wrong({"pilot": _("Choose the pilot first.")})
        begins = begins_ns(fields, places[slug][0])
        if begins is None:
            raise Wrong({"date": _("Choose day and hour first: people can check in around them.")})
        with self._logbook.writing():
            known = self._logbook.record(record)
            if known is not None and (known.pilot != slug or known.state == "withdrawn"):
                raise Wrong({"": _("This record was withdrawn or belongs to another pilot; begin a new one.")})
            if known is None:
                body = msgspec.json.encode(Entry(id=record, pilot=slug, what="held", values=times_in(fields))).decode()
                self._logbook.keep(
                    Record(
                        id=record,
                        pilot=slug,
                        kind="activity",
                        state="open",
                        day=str(fields["date"]),
                        body=body,
                        revision=0,
                        made_ns=now_ns,
                        saved_ns=now_ns,
                    ),
                    [],
                )
        opens, ends = begins - _OPEN_BEFORE_NS, max(begins, now_ns) + _OPEN_AFTER_NS
        return Invitation(slug, record, opens - opens % MINUTE_NS, ends - ends % MINUTE_NS)

    def draft(self, who: Viewer, record: str) -> dict[str, Any]:
        """What a browser needs to go on with a record or correct it. Raises Wrong."""
        known = self._mine(who, record)
        entry = msgspec.json.decode(known.body, type=Entry)
        fields = {"id": entry.id, "pilot": entry.pilot, "what": entry.what, **entry.values}
        return {"fields": fields, "base": known.revision}

    def kept(self, who: Viewer) -> list[Kept]:
        """The newest records of the pilots that somebody may record for."""
        found = []
        for record in self._logbook.records(list(self.places(who)), SHOWN):
            letters = self._logbook.letters(record.id)
            entry = msgspec.json.decode(record.body, type=Entry)
            found.append(Kept(record, sum(one.sent_ns is None for one in letters), codes_in(letters).total(), entry))
        return found

    def note_arrivals(self, record: Record, recorded: Callable[[str, list[str]], Mapping[str, int]]) -> bool:
        """Whether all of a record is in the store as it stands now; `recorded` reads revisions by pilot and days."""
        if record.arrived_ns is not None:
            return True
        letters = self._logbook.letters(record.id)
        if any(one.sent_ns is None for one in letters):
            return False
        there = recorded(record.pilot, sorted({one.day for one in letters}))
        if any(there.get(f"{SOURCE}/{one.event_id}", -1) < one.revision for one in letters):
            return False
        self._logbook.arrived(record.id, record.revision, self.clock())
        return True

    def codes(self, who: Viewer, record: str) -> int:
        """How many people have checked in to a record that somebody may change; 0 to any other."""
        known = self._logbook.record(record)
        return self._logbook.codes(record).total() if known and known.pilot in self.places(who) else 0

    # What people do who check in

    def check_in(self, invitation: Invitation, code: str, group: str) -> bool:
        """Note that somebody who consented is there; False when they were noted already. Raises Wrong."""
        pilot = self._places[invitation.pilot][0]
        now_ns, key = self.clock(), self._pseudonym(invitation.pilot, code)
        with self._logbook.writing():
            record = self._open(invitation, now_ns)
            stated = check_in(key, group, record.id, pilot, now_ns)
            before = {one.event_id: one for one in self._logbook.letters(record.id)}
            mine = before.get(f"{record.id}/{stated.part}")
            if mine is not None and mine.type != WITHDRAWN:
                return False
            if codes_in(before.values()).total() >= MOST_CODES:
                raise Wrong({"": _("This activity takes no more check-ins.")})
            self._person(record, stated, group, mine, now_ns)
        self.post.wake()
        return True

    def check_out(self, invitation: Invitation, code: str) -> bool:
        """Take the attendance of somebody back, as consent can be; False when there is none. Raises Wrong."""
        pilot = self._places[invitation.pilot][0]
        now_ns, key = self.clock(), self._pseudonym(invitation.pilot, code)
        with self._logbook.writing():
            record = self._open(invitation, now_ns)
            part = check_in(key, "unknown", record.id, pilot, now_ns).part
            known = {one.event_id: one for one in self._logbook.letters(record.id)}.get(f"{record.id}/{part}")
            if known is None or known.type == WITHDRAWN:
                return False
            self._person(record, taken_back(*standing(known)), "", known, now_ns)
        self.post.wake()
        return True

    # Inside a transaction

    def _open(self, invitation: Invitation, now_ns: int) -> Record:
        record = self._logbook.record(invitation.record)
        if record is None or record.pilot != invitation.pilot or record.state == "withdrawn":
            raise Wrong({"": _("This activity was withdrawn.")})
        if not invitation.opens_ns <= now_ns < invitation.ends_ns:
            raise Wrong({"": _("Check-in is open from three hours before an activity until twelve hours after.")})
        return record

    def _person(self, record: Record, stated: Stated, group: str, known: Letter | None, now_ns: int) -> None:
        """Write one person's letter, then say anew how many came without a code."""
        letter = self._letter(record, known, stated, now_ns, group)
        record = msgspec.structs.replace(record, arrived_ns=None)
        self._logbook.keep(record, [letter])
        if record.state == "saved":
            entry = msgspec.json.decode(record.body, type=Entry)
            self._logbook.keep(record, self._changes(record, entry, now_ns))

    def _write(self, known: Record | None, entry: Entry, now_ns: int) -> Record:
        day = entry.values.get("date") or entry.values["first"]
        record = Record(
            id=entry.id,
            pilot=entry.pilot,
            kind=entry.kind,
            state="saved",
            day=day,
            body=msgspec.json.encode(entry).decode(),
            revision=known.revision if known else 0,
            made_ns=known.made_ns if known else now_ns,
            saved_ns=now_ns,
        )
        letters = self._changes(record, entry, now_ns)
        if known is not None and known.state == "saved" and not letters and known.body == record.body:
            return known  # the answer to the first time was lost on its way
        record = msgspec.structs.replace(record, revision=record.revision + 1)
        self._logbook.keep(record, letters)
        return record

    def _changes(self, record: Record, entry: Entry, now_ns: int) -> list[tuple[Letter, bytes]]:
        """The letters by which what was said becomes what the entry says; people's own check-ins stay."""
        pilot = self._places[record.pilot][0]
        letters = self._logbook.letters(record.id)
        before = {
            one.event_id.rpartition("/")[2]: one for one in letters if not one.code_of and "/code-" not in one.event_id
        }
        said = {part: as_stated(part, one) for part, one in before.items() if one.type != WITHDRAWN}
        after = events_of(entry, pilot, now_ns, codes_in(letters), said)
        found = []
        for part, stated in after.items():
            old = before.get(part)
            if stated is said.get(part) or (old is not None and old.digest == stated.digest()):
                continue
            found.append(self._letter(record, old, stated, now_ns))
        found += [
            self._letter(record, before[part], taken_back(*standing(before[part])), now_ns)
            for part in said
            if part not in after
        ]
        return found

    def _letter(
        self, record: Record, old: Letter | None, stated: Stated, now_ns: int, code_of: str = ""
    ) -> tuple[Letter, bytes]:
        pilot, feed = self._places[record.pilot]
        revision, event_id = (old.revision + 1 if old else 0), f"{record.id}/{stated.part}"
        letter = Letter(
            event_id=event_id,
            revision=revision,
            type=stated.type,
            place=stated.place,
            day=stated.day,
            code_of=code_of,
            digest=stated.digest(),
            topic=feed.topic,
            made_ns=now_ns,
        )
        return letter, payload(event_id, stated, pilot, feed, revision)

    def _mine(self, who: Viewer, record: str) -> Record:
        known = self._logbook.record(record)
        if known is None or known.pilot not in self.places(who):
            raise Wrong({"": _("There is no such record that you may change.")})
        if known.state == "withdrawn":
            raise Wrong({"": _("This record was withdrawn.")})
        return known
