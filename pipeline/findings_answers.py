"""What pages, the API and the export ask about the paper's questions; the same functions give the same numbers to all.

Promises: everything is judged by whole days that are over, lateness included; a pilot's rows are read again only when
its days were written anew; unknown pilots give nothing. Findings cover all time: windows of choice could be subtracted.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final

from config.catalogue import Catalogue, Pilot
from pipeline import impact as impacts
from pipeline import pairs
from pipeline.answers import Answers
from pipeline.effects.answers import effects_of
from pipeline.findings import (
    Counted,
    Effect,
    FitCell,
    OneSize,
    Pair,
    RetentionCell,
    Revision,
    RoleShare,
    SkillNeed,
    StageGroup,
    Verdict,
)
from pipeline.fit import coded, decisions, matrix, one_size, skills
from pipeline.fit.activities import Gathered, gather
from pipeline.fit.cells import fit_cells
from pipeline.fit.rounding import rounded_cell, rounded_group, rounded_need
from pipeline.history import History
from pipeline.indicators import INDICATORS
from pipeline.model import NS_PER_S
from pipeline.periods import day_of, iso, ordinal
from pipeline.quality import OK
from pipeline.release import Profile
from pipeline.rows import Row

STREAM: Final = "engagement"
MOST: Final = 20  # selections of pilots whose test is kept


@dataclass
class _Of:
    """All findings of one pilot, the edition of its days, and the days they rest on."""

    edition: tuple[int, int]
    days: tuple[str, str]
    seen: Gathered
    fit: list[FitCell]
    roles: list[RoleShare]
    skills: list[SkillNeed]
    counted: list[Counted]
    how: Profile

    @cached_property
    def groups(self) -> list[StageGroup]:
        """The stage × group matrix; it takes longer than all else, and only one page asks for it."""
        return [rounded_group(one, self.how.base) for one in matrix.stage_groups(self.seen, self.how.k)]


class Findings:
    """Findings of one catalogue over its answers; may be shared by threads."""

    def __init__(self, answers: Answers, catalogue: Catalogue, profile: Profile | None = None) -> None:
        """`profile` is how an export is released; pages and the API follow the catalogue."""
        self._answers = answers
        self._catalogue = catalogue
        self._how = profile or Profile("usual", catalogue.common.disclosure_k)
        self._known: dict[str, tuple[tuple[int, int], _Of | None]] = {}
        self._sizes: dict[tuple[tuple[str, tuple[int, int]], ...], list[OneSize]] = {}
        self._effects: dict[str, tuple[tuple[int, int], list[Effect]]] = {}
        self._lock = Lock()

    def fit(self, pilots: Sequence[str]) -> list[FitCell]:
        """The method-fit table of each pilot, in order of pilot, stage ("" is all), list and code."""
        return [cell for one in self._of(pilots) for cell in one.fit]

    def one_size(self, pilots: Sequence[str]) -> list[OneSize]:
        """Whether one size fits all of these pilots, for each figure that the test can be asked of."""
        found = self._of(pilots)
        key = tuple((one.seen.pilot, one.edition) for one in found)
        with self._lock:
            if key not in self._sizes:
                if len(self._sizes) >= MOST:
                    self._sizes.clear()
                self._sizes[key] = one_size.one_size([one.seen for one in found])
            return self._sizes[key]

    def roles(self, pilots: Sequence[str]) -> list[RoleShare]:
        """The share of decisions of each stage in which each group had each role."""
        return [share for one in self._of(pilots) for share in one.roles]

    def stage_groups(self, pilots: Sequence[str]) -> list[StageGroup]:
        """The stage × group matrix of each pilot."""
        return [cell for one in self._of(pilots) for cell in one.groups]

    def skills(self, pilots: Sequence[str]) -> list[SkillNeed]:
        """Skills needed against present, by stage and method ("" is all)."""
        return [need for one in self._of(pilots) for need in one.skills]

    def counted(self, pilots: Sequence[str]) -> list[Counted]:
        """Obstacles and lessons by code, stage and method ("" is all)."""
        return [count for one in self._of(pilots) for count in one.counted]

    def retention(self, pilots: Sequence[str]) -> list[RetentionCell]:
        """The retention triangle of each pilot."""
        return self._answers.retention(pilots)

    def revisions(self, pilots: Sequence[str]) -> list[Revision]:
        """Values of closed periods that changed after they were published."""
        return self._answers.revisions(pilots)

    def days(self, pilot: str) -> tuple[str, str] | None:
        """First and last local day that a pilot's findings rest on; None without any."""
        found = self._of([pilot])
        return found[0].days if found else None

    def impact(self, pilots: Sequence[str]) -> list[Verdict]:
        """What became of each pilot's dated targets, in the order of its file."""
        return [
            impacts.verdict(
                slug,
                target,
                [
                    value
                    for value in self._answers.values([slug], [target.indicator], "week")
                    if value.dim == "" and target.indicator in INDICATORS
                ],
                INDICATORS[target.indicator].title if target.indicator in INDICATORS else target.indicator,
                self._catalogue.pilots[slug].synthetic or target.synthetic,
            )
            for slug in pilots
            if slug in self._catalogue.pilots
            for target in self._catalogue.pilots[slug].targets
        ]

    def effects(self, pilots: Sequence[str]) -> list[Effect]:
        """Uptake around each pilot's activities, in order of pilot, declaration and day."""
        with self._lock:
            return [one for slug in pilots if slug in self._catalogue.pilots for one in self._effects_of(slug)]

    def _effects_of(self, slug: str) -> list[Effect]:
        key = (self._answers.edition(slug), _over(self._catalogue.pilots[slug], self._answers.as_of_ns(), "usage"))
        known = self._effects.get(slug)
        if known is None or known[0] != key:
            k = self._how.k
            found = self._answers.read(slug, lambda history, as_of_ns: effects_of(history, k, as_of_ns))
            known = (key, found or [])
            self._effects[slug] = known
        return known[1]

    def pairs(
        self,
        pilots: Sequence[str],
        indicators: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> list[Pair]:
        """Each two of these pilots on each indicator, over whole weeks within the dates (`pipeline.pairs`)."""
        return pairs.pairs(self._answers, self._catalogue, pilots, indicators, start, end)

    def _of(self, pilots: Sequence[str]) -> list[_Of]:
        with self._lock:
            found = [self._one(slug) for slug in dict.fromkeys(pilots) if slug in self._catalogue.pilots]
        return [one for one in found if one is not None]

    def _one(self, slug: str) -> _Of | None:
        """Findings of a pilot, computed anew when its days changed or another day is over."""
        key = (self._answers.edition(slug), _over(self._catalogue.pilots[slug], self._answers.as_of_ns()))
        known = self._known.get(slug)
        if known is None or known[0] != key:
            read = self._answers.read(slug, lambda history, as_of_ns: _read(history, as_of_ns, key[1]))
            known = (key, None if read is None else _compute(read, key, self._how))
            self._known[slug] = known
        return known[1]


@dataclass(frozen=True)
class _Said:
    """What a pilot's rows say, and of which days."""

    days: tuple[str, str]
    rows: list[Row]
    seen: Gathered


def _read(history: History, as_of_ns: int, over: int) -> _Said | None:
    """The rows of a pilot up to its last day that is over; None without such a day."""
    pilot, span = history.pilot, history.span(as_of_ns)
    last = over if span is None else min(over, span[1])
    if span is None or last < span[0]:
        return None
    rows = history.rows(span[0], last)
    seen = gather(
        pilot.slug,
        rows,
        lambda at_ns: ordinal(day_of(at_ns, pilot.zone)),
        last,
        lambda day: _poor(history, day, as_of_ns),
        pilot.synthetic,
    )
    return _Said((iso(span[0]), iso(last)), rows, seen)


def _compute(said: _Said, edition: tuple[int, int], how: Profile) -> _Of:
    """Everything that follows from the rows of a pilot."""
    seen, rows, k, base = said.seen, said.rows, how.k, how.base
    closed = decisions.closed_decisions(rows)
    return _Of(
        edition=edition,
        days=said.days,
        seen=seen,
        fit=[rounded_cell(one, base) for one in fit_cells(seen, k)],
        roles=decisions.role_shares(seen.pilot, closed, seen.synthetic),
        skills=[rounded_need(one, base) for one in skills.skill_needs(seen, rows, k)],
        counted=coded.counted(seen, rows, k),
        how=how,
    )


def _poor(history: History, day: int, as_of_ns: int) -> bool:
    """Whether the feeds of a day fell short; where none states a rhythm, that is not known of any."""
    completeness = history.completeness(STREAM, day, day, as_of_ns)
    return completeness is not None and completeness < OK


def _over(pilot: Pilot, as_of_ns: int, stream: str = STREAM) -> int:
    """The last day of a pilot that is over, with the time allowed to late events."""
    late = max((feed.lateness.total_seconds() for feed in pilot.feeds if feed.stream == stream), default=0.0)
    return ordinal(day_of(as_of_ns - int(late) * NS_PER_S, pilot.zone)) - 1
