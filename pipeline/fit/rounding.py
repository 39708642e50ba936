"""Findings of a stricter release: counts of people as multiples of a base, and shares of people made of such counts.

What is rounded loses its interval, which would tell of the exact count. Figures that count no people stay as they are.
"""

from typing import Final

from msgspec.structs import replace

from pipeline.findings import Figure, FitCell, SkillNeed, StageGroup
from pipeline.release import near

COUNTS: Final = ("attendance",)
SHARES: Final = ("no_show", "perceived")


def rounded_cell(cell: FitCell, base: int) -> FitCell:
    """A cell of the method-fit table; `base` of 0 rounds nothing."""
    if not base:
        return cell
    figures = {
        name: _count(one, base) if name in COUNTS else _share(one, base) if name in SHARES else one
        for name, one in cell.figures.items()
    }
    return replace(cell, figures=figures)


def rounded_group(cell: StageGroup, base: int) -> StageGroup:
    """A cell of the stage × group matrix."""
    if not base or cell.taking_part.value is None:
        return cell
    about = near(cell.taking_part.value, base)
    return replace(cell, taking_part=replace(cell.taking_part, value=float(about), n=about))


def rounded_need(need: SkillNeed, base: int) -> SkillNeed:
    """A skill, whose level rests on people who assessed it."""
    if not base or need.level.n is None:
        return need
    return replace(need, level=replace(need.level, n=near(need.level.n, base)))


def _count(one: Figure, base: int) -> Figure:
    if one.value is None:
        return one
    return replace(one, value=float(near(one.value, base)), lower=None, upper=None, interval="")


def _share(one: Figure, base: int) -> Figure:
    """
    >>> found = _share(Figure(value=25.0, n=32, lower=1.0, upper=2.0), 5)
    >>> found.value == 100 * 10 / 30, found.n, found.lower
    (True, 30, None)
    """
    if one.value is None or one.n is None:
        return one
    whole = max(near(one.n, base), base)
    hits = min(near(one.value * one.n / 100, base), whole)
    return replace(one, value=100 * hits / whole, n=whole, lower=None, upper=None, interval="")
