"""Who takes part: breadth over the four helices (E2), representation of the population (E3)."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Final

from pipeline.indicators.diversity import (
    RAREFIED,
    effective_number,
    effective_number_log,
    effective_number_of_20,
    effective_number_of_20_log,
    gini_simpson,
    gini_simpson_logit,
    interval_of_number,
    interval_of_share,
    value_of,
)
from pipeline.indicators.engagement_rows import HELICES, Person, engagement, found, nobody, participants
from pipeline.indicators.intervals import wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.resampling import Interval, Statistic
from pipeline.indicators.window import Window
from pipeline.rows import Row

Between = Callable[[list[list[float]]], Interval]
PEOPLE: Final = ("attendance", "contribution.made")
CELL: Final = 5.0  # people expected of a group, below which its ratio is not drawn
DIMENSIONS: Final = ("actor_kind", "age_band", "area", "gender")
_FOUR: Final = "academia, business, government, and citizens with civil society as one"
_DECLARED: Final = "people who contributed or attended in the period and whose group is declared"


def _helices(people: dict[str, Person]) -> Counter[str]:
    words = (HELICES.get(person.word("actor_kind")) for person in people.values())
    return Counter(word for word in words if word is not None)


def _breadth(window: Window, statistic: Statistic, between: Between, least: int = 2) -> list[Measure]:
    people = participants(window)
    if not people:
        return [nobody(window)]
    groups = _helices(people)
    n = sum(groups.values())
    disclosed = (n, len(people) - n, *groups.values())
    if n < least:
        return [Measure(n=n, people=disclosed)]
    units = [[float(place)] for place, group in enumerate(sorted(groups)) for _ in range(groups[group])]
    interval = between(units) if n > 2 else None  # one can be left out
    lower, upper = interval if interval is not None else (None, None)
    return [
        Measure(value=value_of(units, statistic), n=n, lower=lower, upper=upper,
                interval="bootstrap-t" if interval is not None else "", people=disclosed)
    ]  # fmt: skip


@engagement(
    id="effective-groups",
    version=2,
    title="Stakeholder breadth",
    unit="groups",
    direction="none",
    formula=f"e to the Shannon entropy of the shares of the 4 groups ({_FOUR}) among {_DECLARED}: 1 to 4",
    min_n=50,
    interval_method="bootstrap-t",
    comparable="within",
    needs=PEOPLE,
    caveat="Biased low where few take part, hence the least n; that balance is good is a contested norm.",
    source="E2 stakeholder breadth; Hill 1973",
)
def effective_groups(window: Window) -> list[Measure]:
    return _breadth(window, effective_number, partial(interval_of_number, logarithm=effective_number_log))


@engagement(
    id="effective-groups-of-20",
    version=3,
    title="Stakeholder breadth among 20 people",
    unit="groups",
    direction="none",
    formula=f"e to the mean Shannon entropy of the 4 groups ({_FOUR}) in samples of {RAREFIED} drawn without "
    f"replacement from {_DECLARED}",
    min_n=100,
    interval_method="bootstrap-t",
    comparable="yes",
    needs=PEOPLE,
    caveat="All pilots are brought down to 20 people, so that many and few participants compare.",
    source="E2 stakeholder breadth, rarefied; Hurlbert 1971",
)
def effective_groups_of_20(window: Window) -> list[Measure]:
    between = partial(interval_of_number, logarithm=effective_number_of_20_log)
    return _breadth(window, effective_number_of_20, between, RAREFIED)


@engagement(
    id="gini-simpson",
    version=3,
    title="Chance that two participants differ in group",
    unit="0 to 1",
    direction="none",
    formula="1 - sum of n_i(n_i - 1) / (n(n - 1)), n_i being the number of each of the 4 groups among " + _DECLARED,
    min_n=200,
    interval_method="bootstrap-t",
    comparable="yes",
    needs=PEOPLE,
    caveat="Weighs the large groups most; a small group that is missing hardly shows.",
    source="E2 Gini-Simpson; Simpson 1949",
)
def gini_simpson_index(window: Window) -> list[Measure]:
    return _breadth(window, gini_simpson, partial(interval_of_share, logit=gini_simpson_logit))


@engagement(
    id="group-coverage",
    title="Groups that take part",
    unit="share of 4",
    direction="none",
    formula=f"number of the 4 groups ({_FOUR}) with anybody among {_DECLARED} / 4",
    min_n=20,
    comparable="within",
    needs=PEOPLE,
    caveat="One person makes a group; breadth says more.",
    source="E2 coverage",
)
def group_coverage(window: Window) -> list[Measure]:
    people = participants(window)
    if not people:
        return [nobody(window)]
    groups = _helices(people)
    n = sum(groups.values())
    return [Measure(value=len(groups) / 4, n=n, people=(n, len(people) - n))]


def _population(window: Window) -> dict[str, dict[str, float]]:
    """Group sizes by dimension as last told by a snapshot up to the period's end, of the denominator's kind first."""
    wanted = window.pilot.denominator()
    kind = wanted.kind if wanted is not None else ""
    snapshots = found(window, "population.snapshot", back=max(0, window.first - window.span[0]))

    def order(row: Row) -> tuple[bool, int, str]:
        return row.data.get("kind") == kind, row.at_ns, row.id

    for row in sorted(snapshots, key=order, reverse=True):
        if isinstance(row.data.get("by_group"), dict) and (told := _groups(row.data["by_group"])):
            return told
    return {}


def _groups(by_group: dict[str, object]) -> dict[str, dict[str, float]]:
    told: dict[str, dict[str, float]] = {}
    for dimension in DIMENSIONS:
        groups = by_group.get(dimension)
        sizes = groups.items() if isinstance(groups, dict) else ()
        sound = {
            key: float(size)
            for key, size in sizes
            if isinstance(size, int | float) and not isinstance(size, bool) and 0 < size < 1e12
        }
        if sound:
            told[dimension] = sound
    return told


NO_SNAPSHOT: Final = "no population snapshot names the sizes of groups"


def _shares(window: Window) -> tuple[dict[str, Person], list[tuple[str, int, dict[str, tuple[int, float]]]]]:
    """Participants, and by dimension: how many are of a known group, and each group's number and population share."""
    people, compared = participants(window), []
    for dimension, sizes in _population(window).items():
        whole = sum(sizes.values())
        words = Counter(word for one in people.values() if (word := one.word(dimension)) in sizes)
        n = sum(words.values())
        compared.append((dimension, n, {key: (words[key], size / whole) for key, size in sorted(sizes.items())}))
    return people, compared


@engagement(
    id="representation",
    title="Representation of groups",
    unit="ratio",
    direction="none",
    formula="share of a group among people who contributed or attended in the period and declared one of the "
    "population's groups / its share in the newest population.snapshot; 1 is as in the population",
    min_n=20,
    interval_method="wilson",
    comparable="yes",
    needs=(*PEOPLE, "population.snapshot"),
    dims=DIMENSIONS,
    look_back=None,
    caveat="Groups are declared by people themselves and are not missing at random; groups of which fewer than 5 "
    "people would be expected are not drawn.",
    source="E3 representation gap",
)
def representation(window: Window) -> list[Measure]:
    people, compared = _shares(window)
    if not compared:
        return [not_defined(NO_SNAPSHOT)]
    if not people:
        return [nobody(window)]
    measures = []
    for dimension, n, groups in compared:
        shields = _shields({group: count for group, (count, _) in groups.items()})
        for group, (count, share) in groups.items():
            disclosed = (count, n, len(people) - n, *shields.get(group, ()))
            if n * share < CELL:
                reason = "fewer than 5 of those who took part would be expected to be of this group"
                measures.append(Measure(status="insufficient_n", reason=reason, dim=dimension, segment=group))
                continue
            lower, upper = wilson(count, n)
            measures.append(
                Measure(value=count / n / share, n=n, lower=lower / share, upper=upper / share, interval="wilson",
                        dim=dimension, segment=group, people=disclosed)
            )  # fmt: skip
    return measures


def _shields(counts: dict[str, int]) -> dict[str, tuple[int, ...]]:
    """What the second smallest group must not let through: parts add up to the n that stands beside each, so the
    smallest one, hidden alone or too small to be drawn, would be what the others leave."""
    present = sorted((count, group) for group, count in counts.items() if count)
    return {present[1][1]: (present[0][0],)} if len(present) > 1 else {}


@engagement(
    id="representation-gap",
    title="Largest representation gap",
    unit="percentage points",
    direction="down",
    formula="by dimension, the largest distance between a group's share among participants who declared one of the "
    "population's groups and its share in the newest population.snapshot, times 100",
    min_n=20,
    comparable="yes",
    needs=(*PEOPLE, "population.snapshot"),
    dims=("dimension",),
    look_back=None,
    caveat="The largest of several distances is above 0 by chance alone; compare only where the groups are the same.",
    source="E3 representation gap, largest gap",
)
def representation_gap(window: Window) -> list[Measure]:
    people, compared = _shares(window)
    if not compared:
        return [not_defined(NO_SNAPSHOT)]
    if not people:
        return [nobody(window)]
    measures = []
    for dimension, n, groups in compared:
        gaps = {group: abs(count / n - share) for group, (count, share) in groups.items()} if n else {}
        widest = max(gaps, key=lambda group: (gaps[group], group), default=None)
        disclosed = (n, len(people) - n, *([groups[widest][0]] if widest is not None else []))
        value = None if widest is None else 100 * gaps[widest]
        measures.append(Measure(value=value, n=n, dim="dimension", segment=dimension, people=disclosed))
    return measures


@engagement(
    id="undeclared",
    title="Participants of undeclared group",
    unit="%",
    direction="down",
    formula="by dimension, 100 · people who contributed or attended in the period without declaring their group / all",
    min_n=20,
    interval_method="wilson",
    comparable="within",
    needs=PEOPLE,
    dims=("dimension",),
    caveat="The larger it is, the less the representation of groups says.",
    source="E3 representation gap, undeclared",
)
def undeclared(window: Window) -> list[Measure]:
    people = participants(window)
    if not people:
        return [nobody(window)]
    n, measures = len(people), []
    for dimension in DIMENSIONS:
        silent = sum(person.word(dimension) == "unknown" for person in people.values())
        lower, upper = wilson(silent, n)
        measures.append(
            Measure(value=100 * silent / n, n=n, lower=100 * lower, upper=100 * upper, interval="wilson",
                    dim="dimension", segment=dimension, people=(silent, n - silent, n))
        )  # fmt: skip
    return measures
