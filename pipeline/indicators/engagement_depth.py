"""How far engagement reaches: stages (E4), levels declared and delivered (E5), who decides (E6)."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Final

from pipeline.indicators.engagement_rows import (
    GROUPS,
    LEVELS,
    LOOK_BACK,
    STAGES,
    activities,
    code,
    engagement,
    found,
    latest,
    of_activity,
)
from pipeline.indicators.intervals import wilson
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.window import Window

ENOUGH: Final = 3
DECIDING: Final = frozenset({"co_decider", "decider"})
NO_HELD: Final = "no activity was held in this period"
NO_CLOSED: Final = "no decision was closed in this period"
NO_LEVEL: Final = "no activity of this period declares its level"
NO_DELIVERED: Final = "no decision closed in this period states the level delivered and has an activity with a level"


def share(hits: int, n: int, listed: str = "", dim: str = "", segment: str = "") -> Measure:
    """A percentage of things, not of people; `listed` is what is said instead where they are too few."""
    lower, upper = wilson(hits, n)
    return Measure(
        value=100 * hits / n, n=n, lower=100 * lower, upper=100 * upper, interval="wilson", dim=dim, segment=segment,
        reason=listed,
    )  # fmt: skip


def listing(counts: Mapping[str, int], order: Sequence[str] = ()) -> str:
    """Counts as a list in words, in place of shares of very few.

    >>> listing({"consult": 1, "involve": 2}, ("consult", "involve"))
    'too few for shares; in all: consult 1, involve 2'
    """
    names = [*order, *sorted(set(counts) - set(order))]
    return "too few for shares; in all: " + ", ".join(f"{one} {counts[one]}" for one in names if counts.get(one))


def taking_part(window: Window) -> dict[str, int]:
    """Participants not of government, by activity: people with a pseudonym, and those only counted."""
    known: dict[str, set[str]] = defaultdict(set)
    counted: Counter[str] = Counter()
    for row in found(window, "attendance"):
        if row.actor_kind in GROUPS and row.actor_kind != "government":
            if row.actor is None:
                counted[code(row, "activity_id")] += row.count
            else:
                known[code(row, "activity_id")].add(row.actor)
    return {key: len(known[key]) + counted[key] for key in {*known, *counted}}


@engagement(
    id="stage-coverage",
    title="Stages with participants",
    unit="share of 4",
    direction="up",
    formula="stages of co-production with an activity held in the period that at least 3 people not of government "
    "attended in it / 4; by stage 1 or 0",
    comparable="within",
    needs=("activity.held", "attendance"),
    dims=("stage",),
    caveat="People whose group is not declared do not count; the matrix of stages and groups says more than the score.",
    source="E4 stage coverage",
)
def stage_coverage(window: Window) -> list[Measure]:
    held, present = latest(found(window, "activity.held"), "activity_id"), taking_part(window)
    if not held:
        return [not_defined(NO_HELD)]
    reached = {code(row, "stage") for key, row in held.items() if present.get(key, 0) >= ENOUGH} & set(STAGES)
    n = len(held)
    parts = [Measure(value=float(stage in reached), dim="stage", segment=stage) for stage in STAGES]
    return [Measure(value=len(reached) / 4, n=n), *parts]


@engagement(
    id="depth",
    title="Levels of participation declared",
    unit="%",
    direction="none",
    formula="by level, 100 · activities held in the period that declare it / those that declare any; in all, the share "
    "that declares collaborate or empower",
    min_n=5,
    interval_method="wilson",
    comparable="within",
    needs=("activity.held",),
    dims=("level",),
    caveat="Levels are ordered but have no distance, so there is no mean; more is not always better.",
    source="E5 depth; level names after the IAP2 Spectrum",
)
def depth(window: Window) -> list[Measure]:
    held = latest(found(window, "activity.held"), "activity_id")
    levels = Counter(level for row in held.values() if (level := code(row, "level_declared")) in LEVELS)
    n = sum(levels.values())
    if not n:
        return [not_defined(NO_LEVEL if held else NO_HELD)]
    listed = listing(levels, LEVELS) if n < 5 else ""
    return [
        share(levels["collaborate"] + levels["empower"], n, listed),
        *(share(levels[level], n, listed, "level", level) for level in LEVELS),
    ]


@engagement(
    id="depth-delivered",
    title="Levels delivered against levels declared",
    unit="%",
    direction="none",
    formula="of decisions closed in the period that state a level delivered and whose activity declares one, held or "
    f"announced in the period or up to {LOOK_BACK} days before: 100 · those delivered below, as and above what was "
    "declared / all of them",
    min_n=5,
    interval_method="wilson",
    comparable="within",
    needs=("activity.held", "decision.closed"),
    dims=("delivery",),
    look_back=LOOK_BACK,
    caveat="The order of levels is used, never a distance between them.",
    source="E5 depth, declared minus delivered",
)
def depth_delivered(window: Window) -> list[Measure]:
    closed = latest(found(window, "decision.closed"), "decision_id")
    if not closed:
        return [not_defined(NO_CLOSED)]
    known, kept = activities(window), Counter[str]()
    for row in closed.values():
        activity = known.get(code(row, "activity_id"))
        declared = code(row, "level_declared") if activity is None else code(activity, "level_declared")
        delivered = code(row, "level_delivered")
        if declared in LEVELS and delivered in LEVELS:
            step = LEVELS.index(delivered) - LEVELS.index(declared)
            kept["below" if step < 0 else "above" if step > 0 else "as_declared"] += 1
    n = sum(kept.values())
    if not n:
        return [not_defined(NO_DELIVERED)]
    listed = listing(kept) if n < 5 else ""
    return [share(kept[key], n, listed, "delivery", key) for key in ("below", "as_declared", "above")]


@engagement(
    id="decider-share",
    title="Decisions that a group decides",
    unit="%",
    direction="none",
    formula="100 · decisions closed in the period in which the group was decider or co-decider, as told in the period "
    f"or up to {LOOK_BACK} days before / decisions closed in the period; in all (any group but government), by group, "
    "and by stage and group",
    min_n=5,
    interval_method="wilson",
    comparable="within",
    needs=("decision.participated", "decision.closed"),
    dims=("group", "stage_group"),
    look_back=LOOK_BACK,
    caveat="Decisions are few, and count alike however large they are.",
    source="E6 decider share",
)
def decider_share(window: Window) -> list[Measure]:
    closed = latest(found(window, "decision.closed"), "decision_id")
    if not closed:
        return [not_defined(NO_CLOSED)]
    deciders: dict[str, set[str]] = defaultdict(set)
    for row in found(window, "decision.participated", back=LOOK_BACK):
        if row.data.get("role") in DECIDING:
            deciders[code(row, "decision_id")].add(row.actor_kind)
    known = activities(window)
    stages: dict[str, list[str]] = defaultdict(list)
    for decision, row in closed.items():
        stages[of_activity(known, row, "stage")].append(decision)
    found_ = [_decided(list(closed), deciders, None, "", "")]
    found_ += [_decided(list(closed), deciders, group, "group", group) for group in GROUPS]
    for stage in sorted(stages):
        found_ += [_decided(stages[stage], deciders, group, "stage_group", f"{stage}/{group}") for group in GROUPS]
    return found_


def _decided(
    decisions: Sequence[str], deciders: Mapping[str, set[str]], group: str | None, dim: str, segment: str
) -> Measure:
    others = set(GROUPS) - {"government"} if group is None else {group}
    hits = sum(bool(deciders.get(one, set()) & others) for one in decisions)
    n = len(decisions)
    return share(hits, n, listing({"decided": hits, "did not decide": n - hits}) if n < 5 else "", dim, segment)
