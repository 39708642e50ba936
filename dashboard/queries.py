"""Every read the pages make; the only file here that sees the pipeline's answers.

Promises: each query takes a Viewer and answers only for pilots that it may see; pilots come in the catalogue's order,
never by size; what is returned is the caller's own copy; a store that is away is raised as AnswersAway, a sentence.
"""

from collections.abc import Callable, Hashable, Mapping, Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, TypeVar

from config.catalogue import Catalogue, Pilot
from dashboard.cache import VersionedCache
from dashboard.finding_reads import FindingReads
from dashboard.selection import Choices, Selection
from dashboard.viewer import Viewer
from pipeline.alerts.care import Quiet
from pipeline.alerts.stories import Story
from pipeline.delivery.routes import SYSTEM
from pipeline.reports import SessionLoss, ToldReport
from pipeline.store.port import StoreAway
from pipeline.values import Activity, Decision, Incident, IndicatorValue, NowBoard

if TYPE_CHECKING:
    from pipeline.answers import Answers
    from pipeline.indicators import Indicator

Clock = Callable[[], int]
Found = TypeVar("Found")

# What Compare and Pilot show when nothing is chosen: one of each family, and whatever context is measured.
DEFAULT_INDICATORS = ("people", "contributions", "footfall", "sensor-level")
FAMILIES = ("uptake", "engagement", "context", "quality")
_NS_PER_S = 1_000_000_000
_TOKEN_S = 30
_LONGEST_NUMBER = 15


class AnswersAway(Exception):
    """The store cannot be asked now; the sentence says so, and asking again later may help."""


class Queries(FindingReads):
    """Reads for pages, cached until the data change."""

    def __init__(
        self,
        answers: "Answers",
        catalogue: Catalogue,
        clock: Clock,
        definitions: Mapping[str, "Indicator"] | None = None,
        findings: Any = None,
    ) -> None:
        """`findings` answers the questions of `dashboard.finding_reads.Findings`; without it, `answers` is asked."""
        if definitions is None:
            from pipeline.indicators import INDICATORS

            definitions = INDICATORS
        self._answers, self._catalogue, self._clock = answers, catalogue, clock
        self._definitions = dict(definitions)
        self._findings = answers if findings is None else findings
        self._cache = VersionedCache()

    # What can be chosen, and what was.

    @property
    def title(self) -> str:
        return self._catalogue.common.title

    @property
    def disclosure_k(self) -> int:
        return self._catalogue.common.disclosure_k

    def choices(self, viewer: Viewer) -> Choices:
        return Choices(tuple(viewer.may_see(self._catalogue.pilots)), tuple(self._definitions))

    def select(self, viewer: Viewer, query: object) -> Selection:
        """The selection in a query string, without what does not exist or may not be seen."""
        return Selection.from_query(query, self.choices(viewer))

    def pilots(self, viewer: Viewer, selection: Selection | None = None) -> list[Pilot]:
        """The chosen pilots, all that may be seen when none is chosen, in the catalogue's order."""
        chosen = selection.pilots if selection and selection.pilots else tuple(self._catalogue.pilots)
        return [self._catalogue.pilots[slug] for slug in viewer.may_see(chosen)]

    def pilot(self, viewer: Viewer, selection: Selection) -> Pilot | None:
        """The one pilot that page *Pilot* shows."""
        one = [selection.pilot] if selection.pilot else []
        return next(
            iter([self._catalogue.pilots[slug] for slug in viewer.may_see(one)] or self.pilots(viewer, selection)), None
        )

    def hue(self, slug: str) -> int:
        """The place of a pilot in the catalogue, which fixes its colour on every page."""
        return list(self._catalogue.pilots).index(slug)

    def names(self) -> dict[str, str]:
        """Names of all pilots by slug."""
        return {slug: pilot.name for slug, pilot in self._catalogue.pilots.items()}

    def definitions(self) -> dict[str, "Indicator"]:
        return dict(self._definitions)

    def shown(self, selection: Selection) -> list["Indicator"]:
        """The chosen indicators, the default ones when none is chosen, uptake first."""
        ids = selection.indicators or DEFAULT_INDICATORS
        found = [self._definitions[one] for one in ids if one in self._definitions]
        return sorted(found, key=lambda one: FAMILIES.index(one.family))

    def unit(self, definition: "Indicator", segment: str) -> str:
        """The unit of an indicator; that of a sensor quantity is stated in the feeds' mappings."""
        if definition.dims != ("quantity",) or not definition.unit.startswith("unit of"):
            return definition.unit
        maps = [feed.map for pilot in self._catalogue.pilots.values() for feed in pilot.feeds if feed.map]
        units = {one.unit for found in maps for one in found.values.values() if one.quantity == segment}
        return " / ".join(sorted(units)) or definition.unit

    # What is known.

    def data_version(self) -> str:
        """Changes when the data do, and only then."""
        return str(self._ask(self._answers.version))

    def version(self) -> str:
        """Changes when the data do, and every half minute, so that ages on a page do not grow old."""
        return f"{self._ask(self._answers.version)}/{self._clock() // (_TOKEN_S * _NS_PER_S)}"

    def now_ns(self) -> int:
        return self._clock()

    def known(self, viewer: Viewer, slugs: Sequence[str]) -> tuple[str, str] | None:
        """First and last local day with data of any of these pilots."""
        spans = [span for slug in viewer.may_see(slugs) if (span := self._span(slug))]
        return (min(span[0] for span in spans), max(span[1] for span in spans)) if spans else None

    def _span(self, slug: str) -> tuple[str, str] | None:
        return self._cached(("span", slug), lambda: self._answers.span(slug))

    def bounds(self, viewer: Viewer, selection: Selection, slugs: Sequence[str]) -> tuple[str, str] | None:
        return selection.bounds(self.known(viewer, slugs))

    def now(self, viewer: Viewer, slug: str) -> NowBoard | None:
        return self._cached(("now", slug), lambda: self._answers.now(slug)) if viewer.may_see([slug]) else None

    def reports(self, viewer: Viewer, slug: str) -> list[ToldReport]:
        """What collectors last told of each feed of a pilot."""
        if not viewer.may_see([slug]):
            return []
        return list(self._cached(("reports", slug), lambda: self._answers.reports(slug)))

    def session_losses(self, viewer: Viewer, slug: str) -> list[SessionLoss]:
        """Sessions that brokers forgot of a pilot's collectors, oldest first."""
        if not viewer.may_see([slug]):
            return []
        return list(self._cached(("losses", slug), lambda: self._answers.session_losses(slug)))

    def series(
        self, viewer: Viewer, slugs: Sequence[str], indicators: Sequence[str], period: str, start: str, end: str
    ) -> list[IndicatorValue]:
        """Values of every whole period that begins within [start, end]."""
        seen = viewer.may_see(slugs)
        key = ("values", tuple(seen), tuple(indicators), period, start, end)
        return list(self._cached(key, lambda: self._answers.values(seen, list(indicators), period, start, end)))

    def baseline_values(
        self, viewer: Viewer, slug: str, indicators: Sequence[str], period: str
    ) -> list[IndicatorValue]:
        """Values of the first 8 complete weeks of a pilot's data; [] when it has no data."""
        known = self.known(viewer, [slug])
        if known is None:
            return []
        first = date.fromisoformat(known[0])
        monday = first + timedelta(days=-first.weekday() % 7)
        end = monday + timedelta(days=55)
        values = self.series(viewer, [slug], indicators, period, monday.isoformat(), end.isoformat())
        return [value for value in values if monday.isoformat() <= value.start and value.end <= end.isoformat()]

    def figures(self, viewer: Viewer, slugs: Sequence[str], start: str | None, end: str | None) -> list[IndicatorValue]:
        """Every indicator for one chosen period; without days, for everything known."""
        seen = viewer.may_see(slugs)
        key = ("chosen", tuple(seen), start, end)
        return list(self._cached(key, lambda: self._answers.chosen(seen, None, start, end)))

    def activities(self, viewer: Viewer, slug: str, start: str, end: str) -> list[Activity]:
        if not viewer.may_see([slug]):
            return []
        return list(self._cached(("activities", slug, start, end), lambda: self._answers.activities(slug, start, end)))

    def decisions(self, viewer: Viewer, slug: str, start: str, end: str) -> list[Decision]:
        if not viewer.may_see([slug]):
            return []
        return list(self._cached(("decisions", slug, start, end), lambda: self._answers.decisions(slug, start, end)))

    def recorded(self, viewer: Viewer, slug: str, days: Sequence[str]) -> dict[str, int]:
        """The revision of each event entered by hand for these local days that has arrived."""
        if not viewer.may_see([slug]):
            return {}
        key = ("recorded", slug, tuple(days))
        return dict(self._cached(key, lambda: self._answers.recorded(slug, days)))

    def incidents(self, viewer: Viewer, slugs: Sequence[str], open_only: bool = True) -> list[Incident]:
        seen = viewer.may_see(slugs)
        return list(
            self._cached(("incidents", tuple(seen), open_only), lambda: self._answers.incidents(seen, open_only))
        )

    def own_incidents(self, viewer: Viewer) -> list[Incident]:
        """Open incidents of Periscope itself, such as a channel that does not deliver, for those who can mend it."""
        if viewer.role not in ("operator", "admin"):
            return []
        return list(self._cached("own incidents", self._answers.own_incidents))

    def stories(self, viewer: Viewer, slug: str) -> list[Story]:
        """Incidents of a pilot, open ones first."""
        seen = viewer.may_see([slug])
        return list(
            self._cached(
                ("stories", tuple(seen)), lambda: self._answers.stories(seen[0], self.now_ns()) if seen else []
            )
        )

    def story(self, viewer: Viewer, number: str) -> Story | None:
        """One incident by its number, where the viewer may see it; Periscope's own only for those who can mend it."""
        if not number.isdecimal() or len(number) > _LONGEST_NUMBER:
            return None
        found: Story | None = self._cached(("story", number), lambda: self._answers.story(int(number), self.now_ns()))
        if found is None:
            return None
        mends = found.incident.pilot == SYSTEM and viewer.role in ("operator", "admin")
        return found if mends or viewer.may_see([found.incident.pilot]) else None

    def silences(self, viewer: Viewer) -> list[Quiet]:
        """Silences in force that concern a pilot that may be seen."""
        found: list[Quiet] = self._ask(lambda: self._answers.silences(self.now_ns()))
        return [one for one in found if not one.pilot or viewer.may_see([one.pilot])]

    def alerts_evaluated_ns(self) -> int | None:
        found: int | None = self._ask(self._answers.alerts_evaluated_ns)
        return found

    def _cached(self, key: Hashable, compute: Callable[[], Found]) -> Found:
        found: Found = self._cache.get(self._ask(self._answers.version), key, lambda: self._ask(compute))
        return found

    def _ask(self, question: Callable[[], Any]) -> Any:
        try:
            return question()
        except StoreAway as error:
            raise AnswersAway(str(error)) from error
