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

DIMS: Final[dict[str, Callable[[HeldActivity], Iterable[str]]]] = {
    "method": lambda one: (one.method,),
    "tool": lambda one: one.tools,
    "technique": lambda one: one.techniques,
    "skill": lambda one: one.present or (),
}


def fit_cells(seen: Gathered, k: int) -> list[FitCell]:
    """All cells of one pilot, in order of stage (all first), list and code; `k` is the catalogue's `disclosure_k`."""
    found = []
    for stage in ("", *sorted({one.stage for one in seen.activities})):
        within = [one for one in seen.activities if stage in ("", one.stage)]
        for dim, codes_of in DIMS.items():
            found += _cells_of(seen, stage, dim, _split(within, codes_of), k)
    return found


def _split(
    activities: Sequence[HeldActivity], codes_of: Callable[[HeldActivity], Iterable[str]]
) -> dict[str, list[HeldActivity]]:
    found: dict[str, list[HeldActivity]] = defaultdict(list)
    for one in activities:
        for code in codes_of(one):
            found[code].append(one)
    return dict(sorted(found.items()))


def _cells_of(seen: Gathered, stage: str, dim: str, by_code: dict[str, list[HeldActivity]], k: int) -> list[FitCell]:
    figures = {code: _figures(seen, mine, k) for code, mine in by_code.items()}
    best = _best(by_code, figures) if dim == "method" else {}
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


def _figures(seen: Gathered, activities: Sequence[HeldActivity], k: int) -> dict[str, Figure]:
    return {kind.name: figure(kind, activities, seen.reports, k) for kind in KINDS}


def _best(
    by_code: dict[str, list[HeldActivity]], figures: dict[str, dict[str, Figure]]
) -> dict[str, dict[str, Figure]]:
    """P(best) by code and figure, among codes whose figure can be told."""
    found: dict[str, dict[str, Figure]] = defaultdict(dict)
    for kind in KINDS:
        entered = {
            code: known
            for code, mine in by_code.items()
            if code != UNKNOWN and figures[code][kind.name].status == "ok" and len(known := parts(kind, mine)) >= LEAST
        }
        for code, figure_ in probabilities(kind, entered).items():
            found[code][kind.name] = figure_
    return found
