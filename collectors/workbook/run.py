"""A filled workbook goes out as messages like any others, and every row gets its fate.

Promises: a row counts as sent only after the broker acknowledged its messages; importing again sends nothing that is
the same; a changed row goes out with a higher revision, which is the time of the import in ms; a row is sent only if
the collector's own decoder and clock window accept it; a refused row keeps no other from going.
"""

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from threading import Event as Signal
from typing import Any, Final, NamedTuple

import msgspec

from collectors.clock_rules import Window
from collectors.import_mapping import Pseudonym, WrongInput
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.topics import Roster
from collectors.ways_in import Clock, Send
from collectors.workbook.cells import Plain, Wrong, value_of
from collectors.workbook.events import Part, Parts, message, parts_of, withdrawals
from collectors.workbook.form import REASON
from collectors.workbook.memory import Memory, Sent, load_memory, save_memory
from collectors.workbook.reading import FilledRow, Reading, read_workbook
from collectors.workbook.rules import Known, Row, check
from config.catalogue import Catalogue, Feed
from config.vocabulary import Vocabulary

_STEP: Final = 200
_TOLD: Final = 20
NEW, CHANGED, UNCHANGED, WITHDRAWN, REFUSED, WAITING = "new", "changed", "unchanged", "withdrawn", "refused", "waiting"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Fate(msgspec.Struct, kw_only=True):
    """What became of one row. `waiting`: it is right, but the import was stopped before its turn."""

    sheet: str
    row: int
    id: str
    fate: str
    reason: str = ""


@dataclass
class Report:
    """What became of a workbook."""

    file: str
    fates: list[Fate] = field(default_factory=list)
    ignored: list[str] = field(default_factory=list)
    refused: dict[str, list[dict[str, Plain]]] = field(default_factory=dict)
    refused_file: Path | None = None

    @property
    def counts(self) -> Counter[str]:
        return Counter(fate.fate for fate in self.fates)

    @property
    def complete(self) -> bool:
        return not self.counts[REFUSED] and not self.counts[WAITING]

    def sentence(self) -> str:
        counts = self.counts
        sent = counts[NEW] + counts[CHANGED] + counts[WITHDRAWN]
        kinds = ", ".join(f"{counts[kind]:,} {kind}" for kind in (NEW, CHANGED, WITHDRAWN) if counts[kind])
        lines = [f"{self.file}: {sent:,} of {len(self.fates):,} rows sent" + (f" ({kinds})" if kinds else "")
                 + f", {counts[UNCHANGED]:,} unchanged, {counts[REFUSED]:,} refused."]  # fmt: skip
        refused = [fate for fate in self.fates if fate.fate == REFUSED]
        lines += [f"  {fate.sheet} row {fate.row}: {fate.reason}" for fate in refused[:_TOLD]]
        if len(refused) > _TOLD:
            lines.append(f"  and {len(refused) - _TOLD:,} more.")
        if self.refused_file is not None:
            lines.append(f"The refused rows are in {self.refused_file}; mend them there and import that file.")
        if self.ignored:
            lines.append(f"Not read, because it is not part of the workbook: {'; '.join(self.ignored)}.")
        if counts[WAITING]:
            lines.append(f"Stopped with {counts[WAITING]:,} rows waiting; run the same command again to continue.")
        return "\n".join(lines)

    def facts(self) -> dict[str, Any]:
        refused = None if self.refused_file is None else str(self.refused_file)
        return {"file": self.file, "complete": self.complete, "counts": dict(self.counts), "ignored": self.ignored,
                "refused_file": refused, "rows": msgspec.to_builtins(self.fates)}  # fmt: skip


class _Ready(NamedTuple):
    """A row that may go: its fate when it has, its messages, and what is remembered then."""

    fate: Fate
    kind: str
    messages: list[tuple[str, bytes]]
    row: Row
    sent: Sent


class WorkbookImport:
    """Imports workbooks into one feed of one pilot. `elsewhere` gives activities recorded by other ways, if asked."""

    def __init__(
        self, catalogue: Catalogue, vocabulary: Vocabulary, pilot: str, feed: str | None, folder: Path,
        pseudonym: Pseudonym, clock: Clock, elsewhere: Callable[[], Mapping[str, date]] = dict, again: bool = False,
    ) -> None:  # fmt: skip
        self._pilot, self._feed = pilot, feed_of(catalogue, pilot, feed)
        self._topic = "/".join(self._feed.id if level in ("+", "#") else level for level in self._feed.topic.split("/"))
        self._zone, self._vocabulary, self._pseudonym = catalogue.pilots[pilot].zone, vocabulary, pseudonym
        self._clock, self._elsewhere, self._again = clock, elsewhere, again
        self._ingest = Ingest(Roster(catalogue, "importer"), Window())
        self._path = folder / f"workbook-{pilot}-{self._feed.id}.json"

    def run(self, path: Path, way: Callable[[], AbstractContextManager[Send]], stop: Signal) -> Report:
        """Check everything, then send what is new or changed; `way` opens the connection only if there is any."""
        reading, memory = read_workbook(path), load_memory(self._path)
        report = Report(path.name, ignored=reading.ignored)
        now = self._clock()
        memory.revision = max(now // 1_000_000, memory.revision + 1)
        ready = self._judge_all(reading, memory, report, now)
        waiting = [one for one in ready if one.messages]
        if waiting and not stop.is_set():
            with way() as send:
                for start in range(0, len(waiting), _STEP):
                    if not stop.is_set():
                        self._send(waiting[start : start + _STEP], send, memory)
        return report

    def _send(self, batch: Sequence[_Ready], send: Send, memory: Memory) -> None:
        """Send, then remember: a kill in between sends these rows again, and their ids make that harmless."""
        send([one for ready in batch for one in ready.messages])
        for ready in batch:
            memory.rows[ready.row.name] = ready.sent
            if ready.row.sheet.name == "activities":
                memory.days[ready.row.id] = ready.row.values["date"].isoformat()
            ready.fate.fate = ready.kind
        save_memory(self._path, memory)

    def _judge_all(self, reading: Reading, memory: Memory, report: Report, now: int) -> list[_Ready]:
        today = (_EPOCH + timedelta(microseconds=now // 1000)).astimezone(self._zone).date()
        days = {activity: date.fromisoformat(day) for activity, day in memory.days.items()}
        known, seen, ready = Known(today, self._zone, days, elsewhere=self._elsewhere), dict[str, int](), list[_Ready]()
        for filled in reading.rows:
            fate = Fate(sheet=filled.sheet.title, row=filled.number, id=filled.cells[filled.sheet.key.field].text[:64],
                        fate=WAITING)  # fmt: skip
            report.fates.append(fate)
            try:
                row = self._row(filled)
                if row.name in seen:
                    raise Wrong(f'The id "{row.id}" is already used in row {seen[row.name]} of this sheet.')
                seen[row.name] = row.number
                check(row, known)
                ready.append(self._ready(row, fate, memory, now))
            except Wrong as error:
                fate.fate, fate.reason = REFUSED, str(error)
                report.refused.setdefault(filled.sheet.name, []).append(
                    {name: cell.value for name, cell in filled.cells.items()} | {REASON: str(error)}
                )
                if filled.sheet.name == "activities":
                    known.refused.setdefault(fate.id, fate.row)
                continue
            if row.sheet.name == "activities":
                known.days[row.id] = row.values["date"]
        return ready

    def _row(self, filled: FilledRow) -> Row:
        """All cells as values; every wrong cell of the row is named."""
        values, wrong = dict[str, Any](), list[str]()
        for column in filled.sheet.columns:
            try:
                values[column.field] = value_of(column, filled.cells[column.field], self._vocabulary)
            except Wrong as error:
                wrong.append(str(error))
        if wrong:
            raise Wrong(" ".join(wrong))
        return Row(filled.sheet, filled.number, values)

    def _ready(self, row: Row, fate: Fate, memory: Memory, now: int) -> _Ready:
        before = memory.rows.get(row.name)
        parts: Parts = parts_of(row, self._pseudonym)
        parts |= withdrawals(row.name, before.parts if before else {}, parts)
        digest = sha256(msgspec.json.encode([parts, self._topic])).hexdigest()[:32]
        places = {part: Part(event["time"], event["data"]["time_precision"]) for part, event in parts.items()}
        kind = WITHDRAWN if row.values.get("withdrawn") else NEW if before is None else CHANGED
        if before is not None and before.digest == digest and not self._again:
            fate.fate = UNCHANGED
            return _Ready(fate, UNCHANGED, [], row, before)
        messages = [(self._topic, message(event, self._pilot, self._feed.synthetic, memory.revision))
                    for event in parts.values()]  # fmt: skip
        for topic, payload in messages:
            judged = self._ingest.judge(RawMessage(topic=topic, payload=payload, received_ns=now))
            if judged.fault is not None:
                raise Wrong(f"The collector would not take this row: {judged.fault.text}.")
        return _Ready(fate, kind, messages, row, Sent(digest=digest, parts=places))


def feed_of(catalogue: Catalogue, pilot: str, feed: str | None) -> Feed:
    """The feed that a workbook goes to; raises WrongInput.

    That is the named one, else the pilot's first one that is `by_hand`, else its only one for engagement.
    """
    known = catalogue.pilots.get(pilot)
    if known is None:
        raise WrongInput(f'There is no pilot "{pilot}" in {catalogue.folder}; it has {", ".join(catalogue.pilots)}.')
    fitting = {one.id: one for one in known.feeds if one.stream == "engagement" and one.decoder == "cloudevents"}
    if feed is None:
        by_hand = [one.id for one in fitting.values() if one.by_hand]
        feed = by_hand[0] if by_hand else next(iter(fitting)) if len(fitting) == 1 else None
    if feed is not None and feed in fitting:
        return fitting[feed]
    if not fitting:
        raise WrongInput(f"Pilot {pilot} has no engagement feed that reads CloudEvents; add one to its file.")
    what = f'has no feed "{feed}" that takes a workbook' if feed else "has more than one feed that takes a workbook"
    raise WrongInput(f"Pilot {pilot} {what}; choose one with --feed: {', '.join(fitting)}.")
