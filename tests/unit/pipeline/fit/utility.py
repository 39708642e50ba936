"""How much of the findings is hidden in the simulated cities, by single figures and under the rules of release.

Run `python -m tests.unit.pipeline.fit.utility`; the table is in docs/privacy.md.
"""

from collections import Counter
from collections.abc import Iterable

from pipeline.findings import Figure, FitCell
from pipeline.fit.activities import Gathered
from pipeline.fit.cells import fit_cells
from pipeline.fit.figures import BY_NAME
from pipeline.fit.matrix import PEOPLE, _counts, hidden, stage_groups
from tests.unit.pipeline.fit.test_planted import cities
from tests.unit.simulator.telling import MAIN_SEED

K = 5
SHARES = ("no_show", "perceived")


def shares(seen: Gathered) -> tuple[list[Figure], list[Figure]]:
    """Shares of people of cells with enough activities: each by itself, and as they are released."""
    alone, released = [], []
    for open_, told in zip(fit_cells(seen, 0), fit_cells(seen, K), strict=True):
        for name in SHARES:
            if open_.figures[name].status == "ok":
                few = any(0 < count < K for count in _sums(seen, open_, name))
                alone.append(Figure(status="suppressed" if few else "ok"))
                released.append(told.figures[name])
    return alone, released


def _sums(seen: Gathered, cell: FitCell, name: str) -> list[int]:
    """The counts of people of a cell: those counted, and all others."""
    people = BY_NAME[name].people
    assert people is not None
    mine = [
        people(one)
        for one in seen.activities
        if cell.stage in ("", one.stage)
        and cell.code in {"method": (one.method,), "tool": one.tools, "technique": one.techniques}.get(
            cell.dim, one.present or ()
        )
    ]  # fmt: skip
    return [sum(column) for column in zip(*mine, strict=True)]


def matrix(seen: Gathered) -> tuple[list[Figure], list[Figure]]:
    """Cells of the stage × group matrix in which somebody was: once for all time, and as they are released."""
    counts = _counts(seen.activities, PEOPLE)
    once = hidden(counts, K)
    told = {(one.stage, one.group): one.taking_part for one in stage_groups(seen, K)}
    return [Figure(status="suppressed" if key in once else "ok") for key in counts], [told[key] for key in counts]


def main() -> None:
    rows: dict[str, tuple[list[Figure], list[Figure]]] = {
        "shares of the method-fit table": ([], []),
        "stage × group": ([], []),
    }
    for seen in cities(MAIN_SEED)[0]:
        for name, found in zip(rows, (shares(seen), matrix(seen)), strict=True):
            for both, more in zip(rows[name], found, strict=True):
                both.extend(more)
    for name, (before, after) in rows.items():
        print(f"{name}: {len(after)} figures; alone or once: {_words(before)}; released: {_words(after)}")


def _words(figures: Iterable[Figure]) -> str:
    counts = Counter(one.status for one in figures)
    return ", ".join(f"{counts[status]} {status}" for status in ("ok", "incomplete", "suppressed"))


if __name__ == "__main__":
    main()
