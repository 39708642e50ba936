"""The method-fit table, E14: pilot × stage × method, and the same by tool, technique and skill present.

Promises: every activity is in one cell of its method, and in one for each of its tools, techniques and skills; the
stage "" is all stages; a cell of fewer than 5 activities has no figures (status insufficient_n); P(best) compares only
methods with enough activities, within one pilot and stage. Nothing is ranked.
"""

from collections import defaultdict
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from pipeline.findings import Figure, FitCell
from pipeline.fit.activities import UNKNOWN, Gathered, HeldActivity
from pipeline.fit.best import probabilities
from pipeline.fit.figures import KINDS, figure, parts
from pipeline.fit.intervals import LEAST
from pipeline.fit.telling import Told, told_sums

ByCode = dict[str, list[HeldActivity]]
Key = tuple[str, str, str]  # stage, list and code

DIMS: Final[dict[str, Callable[[HeldActivity], Iterable[str]]]] = {
    "method": lambda one: (one.method,),
    "tool": lambda one: one.tools,
    "technique": lambda one: one.techniques,
    "skill": lambda one: one.present or (),
}


def fit_cells(seen: Gathered, k: int) -> list[FitCell]:
    """All cells of one pilot, in order of stage (all first), list and code; `k` is the catalogue's `disclosure_k`."""
    split = {
        (stage, dim): _split([one for one in seen.activities if stage in ("", one.stage)], codes_of)
        for stage in ("", *sorted({one.stage for one in seen.activities}))
        for dim, codes_of in DIMS.items()
    }
    told = _told(seen, split, k)
    return [cell for (stage, dim), by_code in split.items() for cell in _cells_of(seen, stage, dim, by_code, told, k)]


def _told(seen: Gathered, split: dict[tuple[str, str], ByCode], k: int) -> dict[str, dict[Key, Told]]:
    """By figure and cell, the activities of which sums of people may be told; methods are offered first."""
    order = sorted(split, key=lambda place: list(DIMS).index(place[1]))  # stable: all stages first
    found = {}
    for kind in KINDS if k > 1 else ():
        if kind.people is not None:
            usable = {
                (*place, code): [one for one in mine if not one.poor and kind.of(one) is not None]
                for place in order
                for code, mine in split[place].items()
            }
            found[kind.name] = told_sums(seen, usable, kind.people, kind.delay, k)
    return found


def _split(activities: Sequence[HeldActivity], codes_of: Callable[[HeldActivity], Iterable[str]]) -> ByCode:
    found: dict[str, list[HeldActivity]] = defaultdict(list)
    for one in activities:
        for code in codes_of(one):
            found[code].append(one)
    return dict(sorted(found.items()))


def _cells_of(
    seen: Gathered, stage: str, dim: str, by_code: ByCode, told: dict[str, dict[Key, Told]], k: int
) -> list[FitCell]:
    of = {
        code: {name: cells.get((stage, dim, code)) for name, cells in told.items()} for code in by_code
    }  # the part of each cell that may be told, by figure
    figures = {
        code: {kind.name: figure(kind, mine, seen.reports, k, of[code].get(kind.name)) for kind in KINDS}
        for code, mine in by_code.items()
    }
    best = _best(by_code, figures, of) if dim == "method" else {}
    return [
        FitCell(
            pilot=seen.pilot,
            stage=stage,
            dim=dim,
            code=code,
            activities=len(mine),
            figures=figures[code],
            best=best.get(code, {}),
            synthetic=seen.synthetic or any(one.synthetic for one in mine),
        )
        for code, mine in by_code.items()
    ]


def _best(
    by_code: ByCode, figures: dict[str, dict[str, Figure]], of: dict[str, dict[str, Told | None]]
) -> dict[str, dict[str, Figure]]:
    """P(best) by code and figure, among codes whose figure can be told, and of the activities that it tells."""
    found: dict[str, dict[str, Figure]] = defaultdict(dict)
    for kind in KINDS:
        entered = {}
        for code, mine in by_code.items():
            told = of[code].get(kind.name)
            known = parts(kind, mine if told is None else told[0])
            if code != UNKNOWN and figures[code][kind.name].value is not None and len(known) >= LEAST:
                entered[code] = known
        for code, figure_ in probabilities(kind, entered).items():
            found[code][kind.name] = figure_
    return found
