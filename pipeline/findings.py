"""What answers the paper's questions, as pages, API and export read it: method fit, decisions, impact, effects.

Every figure carries n, status and reason like an IndicatorValue; None means "cannot be said", never 0. Status words
are those of `pipeline.values`. Days are pilot-local ISO dates, both included. Nothing here ranks pilots or methods.
"""

import msgspec


class Figure(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One number with its 95 % interval. `interval` names the method, "" where there is none."""

    value: float | None = None
    n: int | None = None
    lower: float | None = None
    upper: float | None = None
    interval: str = ""
    status: str = "ok"
    reason: str = ""
    unit: str = ""


class FitCell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """E14, one pilot × stage × method (or tool, technique, skill: `dim` says which list `code` is of).

    `figures` by name: attendance (median per activity), no_show (%), contributions_per_hour, answered (%, E10),
    influence (%, E11), perceived (%, E12), skills_met (%). `best` is the probability that this method is the best of
    those used in the pilot in that figure, by name; only for methods with enough activities.
    """

    pilot: str
    stage: str
    dim: str
    code: str
    activities: int
    figures: dict[str, Figure] = {}
    best: dict[str, Figure] = {}
    synthetic: bool = False


class OneSize(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Does one size fit all? The method × pilot interaction for one figure, labels permuted within pilot.

    `sentence` claims no more than the data allow. `pilots` and `methods` are those that entered.
    """

    figure: str
    p_value: float | None
    statistic: float | None
    permutations: int
    activities: int
    pilots: list[str]
    methods: list[str]
    status: str = "ok"
    sentence: str = ""
    synthetic: bool = False


class RoleShare(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """E6: of a pilot's closed decisions of a stage, those in which a group had a role; `stage` "" is all."""

    pilot: str
    stage: str
    group: str
    role: str
    decisions: int
    share: Figure
    synthetic: bool = False


class StageGroup(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """E4's matrix: how many took part in a stage from a group; `people` None where hidden or not told apart."""

    pilot: str
    stage: str
    group: str
    activities: int
    taking_part: Figure
    synthetic: bool = False


class SkillNeed(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A skill of a stage and method: in how many activities it was needed, and in how many of them present."""

    pilot: str
    stage: str
    method: str
    skill: str
    needed: int
    present: int
    met: Figure
    level: Figure = Figure()
    synthetic: bool = False


class Counted(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How often a code (an obstacle, a lesson) was recorded; `dim` is "obstacle" or "lesson"."""

    pilot: str
    dim: str
    code: str
    n: int
    stage: str = ""
    method: str = ""
    synthetic: bool = False


class Verdict(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Impact: a declared target against what was measured. `verdict`: as_intended, not_as_intended, cannot_tell.

    `baseline` and `reached` are the indicator in the two windows, `change` their difference or ratio (`unit`).
    """

    pilot: str
    indicator: str
    direction: str
    declared: str
    by: str
    target: float | None
    verdict: str
    sentence: str
    baseline: Figure
    reached: Figure
    change: Figure
    baseline_days: tuple[str, str] | None = None
    reached_days: tuple[str, str] | None = None
    achieved: bool | None = None
    synthetic: bool = False


class Condition(msgspec.Struct, frozen=True, kw_only=True):
    """One of the conditions a to h of an effect claim: whether it holds, and why not."""

    letter: str
    holds: bool
    sentence: str


class Effect(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Uptake around one engagement activity or campaign. Without all conditions `estimate` has no value.

    `level` is the rung of the wording ladder: L0 to L3, "" where nothing may be said.
    `placebo` is (k, K): larger than k of K placebo dates.
    `p_value` and `p_adjusted` (Holm over `tests` tests) are those of the placebo or circular-shift test.
    `least` is the smallest effect that would have been seen with 80 % power.
    """

    pilot: str
    activity_id: str
    day: str
    outcome: str
    window_weeks: int
    level: str
    sentence: str
    conditions: list[Condition]
    estimate: Figure
    before: Figure = Figure()
    after: Figure = Figure()
    placebo: tuple[int, int] | None = None
    p_value: float | None = None
    p_adjusted: float | None = None
    tests: int = 0
    least: float | None = None
    title: str = ""
    synthetic: bool = False


class RetentionCell(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """U6: of those first active in `cohort` (ISO week by its Monday), the share active in (`variant` "in") or from
    (`variant` "or_later") the week `after` weeks later. Incomplete cells say so."""

    pilot: str
    cohort: str
    after: int
    variant: str
    share: Figure
    synthetic: bool = False


class Revision(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A closed period's value that changed after it was published, and why; `before` None where the difference would
    tell of fewer than k people."""

    pilot: str
    indicator: str
    period: str
    start: str
    end: str
    dim: str = ""
    segment: str = ""
    revision: int
    at_ns: int
    reason: str
    before: float | None = None
    after: float | None = None


class Pair(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Two pilots on one indicator: `difference` is that of `pilot` minus that of `other`, `higher` the probability that
    `pilot`'s is higher, `order` "higher", "lower" or, where 0.2 < P < 0.8, "open". `figure` and `other_figure` are what
    was compared, `start` and `end` its days. `denominator` is the kind of people that rates are per."""

    pilot: str
    other: str
    indicator: str
    start: str = ""
    end: str = ""
    difference: Figure
    higher: float | None = None
    order: str = "open"
    figure: Figure = Figure()
    other_figure: Figure = Figure()
    denominator: str = ""
    synthetic: bool = False
