"""What became of an import, in words and as facts: rows read, sent and rejected, then the collector's ledger."""

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Event as Signal
from typing import Any

from collectors.import_checkpoint import Opened, Progress, listing
from collectors.import_fates import Fates, FeedLedger

_REMEDIES = {
    "bad_encoding": 'for a file of a spreadsheet write encoding = "cp1252" in the mapping',
    "wrong_cells": "look for unquoted delimiters, or a last line that was cut off",
    "too_large": "shorten its texts, or leave columns out of the mapping",
}
ELSEWHERE = (
    "What became of them stands in the ledger of the collector, on its machine: `periscope dead-letters count` there, "
    "or the page Data quality."
)
GO_ON = "run the same command again to continue"


@dataclass
class Report:
    """`problem` is what ended it before its time; `fates` is None where the ledger is on another machine."""

    opened: list[Opened] = field(default_factory=list)
    skipped: set[int] = field(default_factory=set)
    problem: str = ""
    fates: Fates | None = None
    late: bool = False
    elsewhere: bool = False

    def add(self, opened: Opened) -> None:
        if opened.progress.done:
            self.skipped.add(len(self.opened))
        self.opened.append(opened)

    @property
    def files(self) -> list[Progress]:
        return [one.progress for one in self.opened]

    @property
    def complete(self) -> bool:
        return all(file.done for file in self.files) and not self.problem and not self.late

    @property
    def nothing_new(self) -> bool:
        return len(self.skipped) == len(self.opened)

    def tell_fates(self, ledger: FeedLedger, wait_s: float | None, stop: Signal, show: Callable[[str], None]) -> None:
        """Look into the collector's ledger, with `wait_s` when it has dealt with everything or the time is over."""
        first = min(self._ours(), key=lambda one: one.began_ns)
        before = first.ledger or {}
        if wait_s is not None and not self.problem:
            self.late = not ledger.wait(before, self._sent(), wait_s, stop, show)
        self.fates = ledger.since(before, first.began_ns)
        self.elsewhere = self.fates is None

    def sentence(self) -> str:
        lines = [line for number, one in enumerate(self.opened) for line in self._lines(number, one)]
        if self.fates is not None and not self.nothing_new:
            lines += self.fates.lines()
            if (came := self.fates.counts.get("received", 0)) < (sent := self._sent()):
                lines.append(f"  The collector took in {came:,} of {sent:,} so far; --wait waits for the rest.")
        elif self.elsewhere and not self.nothing_new:
            lines.append(ELSEWHERE)
        if self.late:
            lines.append("Not all of it was delivered when the time to wait was over; it goes on without us.")
        if self.problem:
            lines.append(f"Stopped: {self.problem.rstrip('.')}; what was sent is safe, {GO_ON}.")
        return "\n".join(lines)

    def _ours(self) -> list[Progress]:
        return [one.progress for number, one in enumerate(self.opened) if number not in self.skipped] or self.files

    def _sent(self) -> int:
        return sum(one.sent for one in self._ours())

    def facts(self) -> dict[str, Any]:
        return {
            "complete": self.complete,
            "problem": self.problem or None,
            "files": [self._file(number, one) for number, one in enumerate(self.opened)],
            "fates": None if self.fates is None else self.fates.facts(),
        }

    def _file(self, number: int, one: Opened) -> dict[str, Any]:
        file = one.progress
        return {
            "file": file.file, "pilot": file.pilot, "rows": file.rows, "sent": file.sent, "rejected": file.rejected,
            "done": file.done, "skipped": number in self.skipped, "note": one.note or None, "lines": file.lines,
            "rejected_list": str(listing(one.record)) if file.listed else None,
            "rejected_file": file.kept_in or None,
        }  # fmt: skip

    def _lines(self, number: int, one: Opened) -> list[str]:
        file, lines = one.progress, [one.note] if one.note else []
        counts = f"{file.sent:,} of {file.rows:,} rows sent"
        if number in self.skipped:
            return [*lines, f"{file.file}: done before, {counts}; --restart sends them once more."]
        state = "done" if file.done else f"stopped; {GO_ON}"
        lines.append(f"{file.file}: {state}, {counts}{self._rejected(one)}.")
        lines += [f"  {reason}: {_REMEDIES[reason]}." for reason in sorted(file.rejected) if reason in _REMEDIES]
        if one.rows.source.held_back:
            lines.append(f"  Its last line was still being written; {GO_ON} when it is whole.")
        return lines

    @staticmethod
    def _rejected(one: Opened) -> str:
        file = one.progress
        if not file.rejected:
            return ""
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in sorted(file.rejected.items()))
        text = f"; {sum(file.rejected.values()):,} rejected: {reasons} (listed in {listing(one.record)})"
        if file.kept:
            text += f"; mend them in {file.kept_in} and import that file"
        return text
