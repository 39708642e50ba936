"""Reads of what answers the paper's questions; a part of `dashboard.queries.Queries`.

Promises: like every query, these answer only for pilots that the viewer may see, from the cache of one version of the
data, in the order of the catalogue. All but pairs speak of all closed days, whatever period is chosen.
"""

from collections.abc import Callable, Hashable, Sequence
from functools import cached_property
from typing import Any, Protocol, TypeVar

from config.catalogue import Catalogue
from config.vocabulary import Vocabulary, load_vocabulary
from dashboard.viewer import Viewer
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

Found = TypeVar("Found")


class Findings(Protocol):
    """The port: each question takes pilots and gives what is known of them, in their order."""

    def fit(self, pilots: Sequence[str]) -> list[FitCell]: ...
    def one_size(self, pilots: Sequence[str]) -> list[OneSize]: ...
    def roles(self, pilots: Sequence[str]) -> list[RoleShare]: ...
    def stage_groups(self, pilots: Sequence[str]) -> list[StageGroup]: ...
    def skills(self, pilots: Sequence[str]) -> list[SkillNeed]: ...
    def counted(self, pilots: Sequence[str]) -> list[Counted]: ...
    def impact(self, pilots: Sequence[str]) -> list[Verdict]: ...
    def retention(self, pilots: Sequence[str]) -> list[RetentionCell]: ...
    def effects(self, pilots: Sequence[str]) -> list[Effect]: ...
    def revisions(self, pilots: Sequence[str]) -> list[Revision]: ...
    def pairs(
        self, pilots: Sequence[str], indicators: Sequence[str] | None, start: str | None, end: str | None
    ) -> list[Pair]: ...


class FindingReads:
    """The eleven questions, each for a viewer; `_findings` answers them."""

    _findings: Any
    _catalogue: Catalogue
    _cached: Callable[[Hashable, Callable[[], Any]], Any]

    def fit(self, viewer: Viewer, slugs: Sequence[str]) -> list[FitCell]:
        """E14: pilot × stage × method, tool, technique and skill."""
        return self._found("fit", viewer, slugs)

    def one_size(self, viewer: Viewer, slugs: Sequence[str]) -> list[OneSize]:
        """Whether one size fits all, over these pilots together."""
        return self._found("one_size", viewer, slugs)

    def roles(self, viewer: Viewer, slugs: Sequence[str]) -> list[RoleShare]:
        """E6: groups by their role in decisions."""
        return self._found("roles", viewer, slugs)

    def stage_groups(self, viewer: Viewer, slugs: Sequence[str]) -> list[StageGroup]:
        """E4: who took part at which stage."""
        return self._found("stage_groups", viewer, slugs)

    def skills(self, viewer: Viewer, slugs: Sequence[str]) -> list[SkillNeed]:
        """Skills needed against skills present."""
        return self._found("skills", viewer, slugs)

    def counted(self, viewer: Viewer, slugs: Sequence[str]) -> list[Counted]:
        """Obstacles and lessons by code."""
        return self._found("counted", viewer, slugs)

    def impact(self, viewer: Viewer, slugs: Sequence[str]) -> list[Verdict]:
        """Declared targets against what was measured."""
        return self._found("impact", viewer, slugs)

    def retention(self, viewer: Viewer, slugs: Sequence[str]) -> list[RetentionCell]:
        """U6: the cohort triangle."""
        return self._found("retention", viewer, slugs)

    def effects(self, viewer: Viewer, slugs: Sequence[str]) -> list[Effect]:
        """Uptake around engagement activities."""
        return self._found("effects", viewer, slugs)

    def revisions(self, viewer: Viewer, slugs: Sequence[str]) -> list[Revision]:
        """Closed values that changed afterwards."""
        return self._found("revisions", viewer, slugs)

    def pairs(
        self,
        viewer: Viewer,
        slugs: Sequence[str],
        indicators: Sequence[str] | None = None,
        start: str | None = None,
        end: str | None = None,
    ) -> list[Pair]:
        """Each two pilots on each of these indicators, over whole weeks within the dates; without indicators on all
        that may be compared."""
        seen = viewer.may_see(slugs)
        ask = getattr(self._findings, "pairs", None)
        if len(seen) < 2 or ask is None:
            return []
        asked = None if indicators is None else tuple(indicators)
        key = ("pairs", tuple(seen), asked, start, end)
        return list(self._cached(key, lambda: ask(seen, asked, start, end)))

    @cached_property
    def vocabulary(self) -> Vocabulary:
        """The words that activities are recorded with."""
        return load_vocabulary(self._catalogue.folder)

    def _found(self, question: str, viewer: Viewer, slugs: Sequence[str]) -> list[Any]:
        seen = viewer.may_see(slugs)
        ask = getattr(self._findings, question, None)
        if not seen or ask is None:
            return []
        return list(self._cached((question, tuple(seen)), lambda: ask(seen)))
