"""Does one size fit all? One answer per figure, in words that claim no more than the data allow.

Three sentences are possible. Without support for an interaction (p, corrected by Holm for the number of figures
tested, above 5 %): the data do not show that methods differ between pilots, which is not that they do not. With it:
how well methods do depends on the pilot. "No method is best in all pilots" is said only if, besides, each method is
beaten in one of its pilots at least by another method there (one-sided Welch tests, Bonferroni over the pairs; each
method must be beaten, so no correction over methods): an interaction alone may leave the same method best everywhere.
Source: indicators.md 4.2, E14.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np
from scipy import stats

from pipeline.findings import OneSize
from pipeline.fit.activities import UNKNOWN, Gathered
from pipeline.fit.figures import BY_NAME, Kind, parts
from pipeline.fit.interaction import PERMUTATIONS, Cells, Found, comparable, interaction

LEVEL: Final = 0.05
ASKED: Final = ("attendance", "contributions_per_hour", "answered", "influence", "perceived")
WORDS: Final = {
    "attendance": "attendance",
    "contributions_per_hour": "contributions per hour",
    "answered": "the share of contributions answered in time",
    "influence": "the share of inputs adopted",
    "perceived": "perceived influence",
}


@dataclass(frozen=True)
class _Asked:
    kind: Kind
    cells: dict[tuple[str, str], list[float]]
    found: Found | None


def one_size(seen: Sequence[Gathered], permutations: int = PERMUTATIONS) -> list[OneSize]:
    """The answer for each figure of `ASKED`, over these pilots; [] of no pilot."""
    if not seen:
        return []
    asked = [_ask(BY_NAME[name], seen, permutations) for name in ASKED]
    corrected = holm([one.found.p_value if one.found else None for one in asked])
    tests = sum(one.found is not None for one in asked)
    synthetic = {one.pilot for one in seen if one.synthetic}
    return [_answer(one, p, tests, synthetic) for one, p in zip(asked, corrected, strict=True)]


def cells_of(kind: Kind, seen: Sequence[Gathered]) -> dict[tuple[str, str], list[float]]:
    """What each activity says of a figure, by pilot and method; activities without a method are in none."""
    found: dict[tuple[str, str], list[float]] = {}
    for one in seen:
        if not set(kind.needs) <= one.reports:
            continue
        for activity in one.activities:
            if activity.method != UNKNOWN and (part := parts(kind, [activity])):
                found.setdefault((one.pilot, activity.method), []).append(kind.scale(part[0]))
    return found


def holm(p_values: Sequence[float | None]) -> list[float | None]:
    """P-values corrected for their number, None left out. Source: Holm 1979.

    >>> holm([0.01, None, 0.04])
    [0.02, None, 0.04]
    """
    known = sorted((p, place) for place, p in enumerate(p_values) if p is not None)
    found: list[float | None] = [None] * len(p_values)
    floor = 0.0
    for rank, (p, place) in enumerate(known):
        floor = max(floor, min(1.0, p * (len(known) - rank)))
        found[place] = floor
    return found


def all_beaten(cells: Cells) -> bool:
    """Whether every method is shown to be no best in one of its pilots at least; values are better when higher."""
    pilots = {pilot for pilot, _ in cells}
    used = {pilot: sorted(method for one, method in cells if one == pilot) for pilot in pilots}
    return all(_beaten(method, cells, used) for method in {method for _, method in cells})


def _beaten(method: str, cells: Cells, used: dict[str, list[str]]) -> bool:
    rivals = [(pilot, other) for pilot, names in used.items() if method in names for other in names if other != method]
    return any(
        _welch(cells[pilot, other], cells[pilot, method]) <= LEVEL / len(rivals) for pilot, other in sorted(rivals)
    )


def _welch(higher: Sequence[float], lower: Sequence[float]) -> float:
    if np.ptp(higher) == 0 and np.ptp(lower) == 0:
        return 1.0  # nothing varies, so nothing can be told from chance
    return float(stats.ttest_ind(higher, lower, equal_var=False, alternative="greater").pvalue)


def _ask(kind: Kind, seen: Sequence[Gathered], permutations: int) -> _Asked:
    cells = comparable(cells_of(kind, seen))
    return _Asked(kind, cells, interaction(cells, permutations))


def _answer(asked: _Asked, corrected: float | None, tests: int, synthetic: set[str]) -> OneSize:
    pilots, methods = sorted({one for one, _ in asked.cells}), sorted({one for _, one in asked.cells})
    found, what = asked.found, WORDS[asked.kind.name]
    if found is None or corrected is None:
        return OneSize(
            figure=asked.kind.name,
            p_value=None,
            statistic=None,
            permutations=0,
            activities=sum(len(values) for values in asked.cells.values()),
            pilots=pilots,
            methods=methods,
            status="insufficient_n",
            sentence=f"Whether one size fits all cannot be said of {what}: {_lacking(asked)}.",
            synthetic=bool(synthetic),
        )
    return OneSize(
        figure=asked.kind.name,
        p_value=found.p_value,
        statistic=found.statistic,
        permutations=found.permutations,
        activities=found.activities,
        pilots=pilots,
        methods=methods,
        sentence=_sentence(asked, found, corrected, tests, (len(pilots), len(methods))),
        synthetic=bool(synthetic & set(pilots)),
    )


def _lacking(asked: _Asked) -> str:
    """Why there is no test."""
    if asked.cells:
        return "it does not vary within methods and pilots, or their tables do not overlap enough"
    return "that needs two methods that two pilots both used, each at least 3 times in each"


def _sentence(asked: _Asked, found: Found, corrected: float, tests: int, size: tuple[int, int]) -> str:
    what = WORDS[asked.kind.name]
    basis = f"{found.activities} activities, {size[1]} methods in {size[0]} pilots"
    told = f"p = {corrected:.3f}" + (f" after correction for {tests} figures" if tests > 1 else "")
    if corrected > LEVEL:
        return (
            f"The data do not show that methods differ between pilots in {what} ({told}; {basis}); "
            "that is no proof that one size fits all."
        )
    better = {key: [asked.kind.better * value for value in values] for key, values in asked.cells.items()}
    start = f"How methods do in {what} depends on the pilot ({told}; {basis})"
    if all_beaten(better):
        return f"{start}. No method is best in all pilots that were compared."
    return f"{start}; whether one of them is best in all pilots stays open."
