"""What one row of the fault matrix shows, and the judgement that every row ends with.

An obligation is an event whose PUBACK the publisher saw. After the faults a fault-free phase drains everything;
then `lost` obligations are those the store has not, `spurious` are stored events that nobody published, and
`corrupted` are stored events whose content is not the function of their id. A row that moved too little, or that
should have seen a redelivery and saw none, proves nothing and fails.
"""

from dataclasses import dataclass, field


@dataclass(frozen=True)
class Outcome:
    """One row. `recovery_s` is from the last fault's end to the first progress, None where nothing stops."""

    row: str
    fault: str
    faults: int
    obligations: int
    lost: int
    spurious: int
    corrupted: int
    duplicates_seen: int
    recovery_s: float | None = None
    least_obligations: int = 1
    needs_duplicates: bool = False
    allowed_lost: int = 0
    problems: tuple[str, ...] = field(default=())

    def failures(self) -> list[str]:
        """One sentence for each promise that the row breaks; none when all hold."""
        found = list(self.problems)
        if self.obligations < self.least_obligations:
            found.append(f"only {self.obligations} obligations of at least {self.least_obligations}: proves nothing")
        if self.needs_duplicates and not self.duplicates_seen:
            found.append("no redelivery was seen: the way of repeated messages was not tried")
        if self.lost > self.allowed_lost:
            found.append(f"{self.lost} lost, {self.allowed_lost} allowed")
        found += [f"{n} {word}" for word, n in (("spurious", self.spurious), ("corrupted", self.corrupted)) if n]
        return [f"{self.row}: {sentence}" for sentence in found]


def table(outcomes: list[Outcome]) -> str:
    """The rows as text, one line each."""
    head = ("row", "faults", "obligations", "lost", "spurious", "corrupted", "duplicates", "recovery s", "fault")
    lines = [head] + [
        (
            o.row,
            str(o.faults),
            str(o.obligations),
            str(o.lost),
            str(o.spurious),
            str(o.corrupted),
            str(o.duplicates_seen),
            "-" if o.recovery_s is None else f"{o.recovery_s:.1f}",
            o.fault,
        )
        for o in outcomes
    ]
    widths = [max(len(line[i]) for line in lines) for i in range(len(head))]
    return "\n".join("  ".join(cell.ljust(w) for cell, w in zip(line, widths, strict=True)).rstrip() for line in lines)
