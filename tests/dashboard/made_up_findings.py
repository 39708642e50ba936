"""Findings made up for tests of the pages: each follows from the arguments alone, and every status occurs."""

from collections.abc import Sequence
from datetime import date, timedelta
from functools import cache
from zlib import crc32

from config.catalogue import Catalogue, load_catalogue
from config.settings import PACKAGED_PILOTS
from pipeline import pairs
from pipeline.findings import (
    Condition,
    Counted,
    Effect,
    Figure,
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

CODES = {
    "method": ("open_meeting", "co_design_workshop", "survey", "field_test", "participatory_budgeting"),
    "tool": ("moderation", "map", "questionnaire"),
    "technique": ("plenary", "small-groups", "voting"),
    "skill": ("facilitation", "service-design", "data-literacy"),
}
STAGES = ("co_design", "co_decide", "co_produce", "co_evaluate")
UNITS = {"attendance": "attendances", "contributions_per_hour": "per hour"}
FIGURES = ("attendance", "no_show", "contributions_per_hour", "answered", "influence", "perceived", "skills_met")
GROUPS = ("citizen", "civil_society", "business", "government", "academia")
ROLES = ("informed", "consulted", "deliberated", "co_decider", "decider", "decides")
HIDDEN = Figure(status="suppressed", reason="hidden because it would tell of fewer than 5 people")
LETTERS = "abcdefgh"
BROKEN = {"athens": "", "bremen": "b", "genoa": "cg", "palmela": "d"}


def share(*key: object) -> float:
    """A number in [0, 1) that belongs to the key."""
    return crc32("|".join(map(str, key)).encode()) / 2**32


class MadeUpFindings:
    """Pilots in `empty` know nothing; the rest know something of every kind."""

    empty: set[str]

    def version(self) -> str:
        raise NotImplementedError

    def _known(self, pilots: Sequence[str]) -> list[str]:
        self.version()
        return [one for one in pilots if one not in self.empty]

    def fit(self, pilots: Sequence[str]) -> list[FitCell]:
        return [
            _cell(pilot, stage, dim, code)
            for pilot in self._known(pilots)
            for stage in ("", *STAGES[:3])
            for dim, codes in CODES.items()
            for code in codes
            if share("used", pilot, stage, code) > (0.15 if not stage else 0.4)
        ]

    def one_size(self, pilots: Sequence[str]) -> list[OneSize]:
        known = self._known(pilots)
        if len(known) < 2:
            return []
        said = "How well methods do in {} depends on the pilot (p = 0.004, corrected for 5 tests)."
        tested = {"attendance": 0.004, "contributions_per_hour": 0.31, "answered": 0.02, "influence": 0.6}
        found = [
            OneSize(figure=name, p_value=p, statistic=3.2, permutations=5000, activities=164, pilots=known,
                    methods=list(CODES["method"][:4]), synthetic=True,
                    sentence=said.format(name) if p < 0.01
                    else f"The data do not show that methods differ between pilots in {name} (p = {p}).")
            for name, p in tested.items()
        ]  # fmt: skip
        untold = OneSize(figure="perceived", p_value=None, statistic=None, permutations=0, activities=3, pilots=[],
                         methods=[], status="insufficient_n", synthetic=True,
                         sentence="Whether one size fits all cannot be said of perceived influence.")  # fmt: skip
        return [*found, untold]

    def roles(self, pilots: Sequence[str]) -> list[RoleShare]:
        return [
            RoleShare(pilot=pilot, stage=stage, group=group, role=role, decisions=12 if not stage else 3,
                      share=_role(pilot, stage, group, role), synthetic=True)
            for pilot in self._known(pilots)
            for stage in ("", "co_design", "co_decide")
            for group in GROUPS
            for role in ROLES
        ]  # fmt: skip

    def stage_groups(self, pilots: Sequence[str]) -> list[StageGroup]:
        return [
            StageGroup(pilot=pilot, stage=stage, group=group, activities=0 if stage == "co_evaluate" else 7,
                       taking_part=_taking_part(pilot, stage, group), synthetic=True)
            for pilot in self._known(pilots)
            for stage in STAGES
            for group in GROUPS
        ]  # fmt: skip

    def skills(self, pilots: Sequence[str]) -> list[SkillNeed]:
        return [
            _skill(pilot, stage, method, skill)
            for pilot in self._known(pilots)
            for stage in ("", *STAGES[:2])
            for method in ("", "open_meeting")
            for skill in CODES["skill"]
        ]

    def counted(self, pilots: Sequence[str]) -> list[Counted]:
        words = {"obstacle": ("low_turnout", "lack_of_staff", "low_trust"), "lesson": ("start_earlier", "go_to_people")}
        return [
            Counted(pilot=pilot, dim=dim, code=code, n=1 + int(9 * share(pilot, code)), synthetic=True)
            for pilot in self._known(pilots)
            for dim, codes in words.items()
            for code in codes
            if share("told", pilot, code) > 0.3
        ]

    def impact(self, pilots: Sequence[str]) -> list[Verdict]:
        verdicts = ("as_intended", "not_as_intended", "cannot_tell")
        found = []
        for at, pilot in enumerate(self._known(pilots)):
            if pilot == "milan":
                continue  # declares no target
            for number, indicator in enumerate(("people", "attendance")):
                found.append(_verdict(pilot, indicator, verdicts[(at + number) % 3]))
        return found

    def retention(self, pilots: Sequence[str]) -> list[RetentionCell]:
        return [
            _retained(pilot, number, after, variant)
            for pilot in self._known(pilots)
            for number in range(14)
            for after in range(9)
            for variant in ("in", "or_later")
            if number + after <= 15
        ]

    def effects(self, pilots: Sequence[str]) -> list[Effect]:
        return [
            _effect(pilot, number, BROKEN.get(pilot, "ah"))
            for pilot in self._known(pilots)
            for number in range(2)
            if pilot != "milan"
        ]

    def revisions(self, pilots: Sequence[str]) -> list[Revision]:
        return [
            Revision(pilot=pilot, indicator="people", period="week", start="2026-03-02", end="2026-03-08", revision=1,
                     at_ns=1_775_000_000_000_000_000, reason="12 events arrived after the week was closed",
                     before=120.0, after=126.0)
            for pilot in self._known(pilots)
        ]  # fmt: skip

    def pairs(
        self, pilots: Sequence[str], indicators: Sequence[str] | None, start: str | None, end: str | None
    ) -> list[Pair]:
        """By the real rule, of the values made up; Athens counts another kind of people."""
        return pairs.pairs(self, _catalogue(), pilots, indicators, start, end)  # type: ignore[arg-type]


@cache
def _catalogue() -> Catalogue:
    found = load_catalogue(PACKAGED_PILOTS)
    athens = found.pilots["athens"]
    visitors = [one.model_copy(update={"kind": "visitors"}) for one in athens.denominators]
    changed = athens.model_copy(update={"denominators": visitors})
    return found.model_copy(update={"pilots": {**found.pilots, "athens": changed}})


def _cell(pilot: str, stage: str, dim: str, code: str) -> FitCell:
    n = 2 + int(24 * share("n", pilot, stage, code))
    if n < 5:
        few = Figure(status="insufficient_n", n=n, reason=f"rests on {n} activities; at least 5 are needed")
        return FitCell(pilot=pilot, stage=stage, dim=dim, code=code, activities=n,
                       figures=dict.fromkeys(FIGURES, few), synthetic=True)  # fmt: skip
    figures = {name: _figure(pilot, stage, code, name, n) for name in FIGURES}
    best = {
        name: Figure(value=share("best", pilot, code, name), n=n, lower=0.02, upper=0.97, interval="bootstrap")
        for name in FIGURES[:3]
        if dim == "method"
    }
    return FitCell(pilot=pilot, stage=stage, dim=dim, code=code, activities=n, figures=figures, best=best,
                   synthetic=True)  # fmt: skip


def _figure(pilot: str, stage: str, code: str, name: str, n: int) -> Figure:
    at = share(pilot, stage, code, name)
    if name == "perceived" and at < 0.3:
        return HIDDEN
    if name == "answered" and pilot == "palmela":
        return Figure(status="not_defined", reason="no answer was ever published", unit="%")
    if name in UNITS:
        value = round(6 + 30 * at) if name == "attendance" else 0.5 + 6 * at
        return Figure(value=value, n=n, lower=0.7 * value, upper=1.4 * value, interval="order statistics",
                      unit=UNITS[name])  # fmt: skip
    value = 10 + 80 * at
    return Figure(value=value, n=n, lower=max(0.0, value - 18), upper=min(100.0, value + 14), interval="wilson",
                  unit="%")  # fmt: skip


def _role(pilot: str, stage: str, group: str, role: str) -> Figure:
    if stage:
        return Figure(n=3, status="insufficient_n", unit="%", reason="rests on 3 decisions; at least 5 are needed")
    hits = int(13 * share(pilot, group, role) ** 2)
    return Figure(value=100 * hits / 12, n=12, lower=max(0.0, 100 * hits / 12 - 22),
                  upper=min(100.0, 100 * hits / 12 + 22), interval="wilson", unit="%")  # fmt: skip


def _taking_part(pilot: str, stage: str, group: str) -> Figure:
    if stage == "co_evaluate":
        return Figure(status="not_defined", reason="no activity of this stage was held", unit="people")
    number = int(60 * share(pilot, stage, group) ** 2)
    if 0 < number < 5:
        return Figure(status="suppressed", reason=HIDDEN.reason, unit="people")
    return Figure(value=float(number), n=number, unit="people")


def _skill(pilot: str, stage: str, method: str, skill: str) -> SkillNeed:
    needed = 4 + int(12 * share("needed", pilot, stage, method, skill))
    present = int(needed * share("present", pilot, skill))
    value = 100 * present / needed
    met = Figure(value=value, n=needed, lower=max(0.0, value - 20), upper=min(100.0, value + 20), interval="wilson",
                 unit="%")  # fmt: skip
    return SkillNeed(pilot=pilot, stage=stage, method=method, skill=skill, needed=needed, present=present, met=met,
                     synthetic=True)  # fmt: skip


def _verdict(pilot: str, indicator: str, verdict: str) -> Verdict:
    known = verdict != "cannot_tell"
    after = Figure(value=148.0, n=148, lower=128.0, upper=170.0, interval="poisson", unit="persons")
    missing = Figure(status="feed_poor", reason="the feeds delivered 71 % of what they should", unit="persons")
    return Verdict(
        pilot=pilot, indicator=indicator, direction="up", declared="2025-05-01", by="2026-04-30", target=150.0,
        verdict=verdict, achieved=False if known else None,
        sentence="It rose by 32 %, and the interval excludes no change." if verdict == "as_intended"
        else "It did not rise: the interval holds no change." if known
        else "Cannot be told: the feeds delivered too little after the target's date.",
        baseline=Figure(value=112.0, n=112, lower=93.0, upper=134.0, interval="poisson", unit="persons"),
        reached=after if known else missing,
        change=Figure(value=32.0, n=148, lower=4.0, upper=68.0, interval="bootstrap", unit="%") if known
        else Figure(status="feed_poor", reason=missing.reason, unit="%"),
        baseline_days=("2025-05-19", "2025-07-13"), reached_days=("2026-03-09", "2026-05-03"), synthetic=True,
    )  # fmt: skip


def _retained(pilot: str, number: int, after: int, variant: str) -> RetentionCell:
    cohort = (date(2026, 1, 19) + timedelta(weeks=number)).isoformat()
    n = 20 + int(60 * share(pilot, cohort))
    value = (
        100.0
        if after == 0
        else (52 if variant == "in" else 78) * (0.6 + 0.4 * share(pilot, number, after)) / after**0.5
    )
    figure = Figure(
        value=value, n=n, lower=max(0.0, value - 9), upper=min(100.0, value + 9), interval="wilson", unit="%"
    )
    if number + after > 13:
        figure = Figure(n=n, status="incomplete", reason="the week is not over", unit="%")
    elif pilot == "palmela" and number % 4 == 1:
        figure = Figure(status="suppressed", reason=HIDDEN.reason, unit="%")
    return RetentionCell(pilot=pilot, cohort=cohort, after=after, variant=variant, share=figure, synthetic=True)


def _effect(pilot: str, number: int, broken: str) -> Effect:
    conditions = [
        Condition(letter=one, holds=one not in broken,
                  sentence=f"condition {one} is not met here" if one in broken else f"condition {one} is met")
        for one in LETTERS
    ]  # fmt: skip
    words = {
        "pilot": pilot, "activity_id": f"{pilot}-{number}", "day": f"2026-0{number + 2}-14", "outcome": "people",
        "window_weeks": 4, "conditions": conditions, "title": "open_meeting", "synthetic": True,
    }  # fmt: skip
    if broken:
        nothing = Figure(status="not_defined", reason="conditions fail")
        return Effect(**words, level="", sentence=f"No effect is claimed. {', '.join(broken)} not met.",
                      estimate=nothing, before=nothing, after=nothing)  # fmt: skip
    return Effect(
        **words, level="L1", sentence="Uptake was 112 a week before and 138 after; larger than 58 of 60 placebo dates.",
        estimate=Figure(value=23.0, n=1, lower=6.0, upper=41.0, interval="block bootstrap", unit="%"),
        before=Figure(value=112.0, n=4, unit="persons"), after=Figure(value=138.0, n=4, unit="persons"),
        placebo=(58, 60), p_value=0.049, p_adjusted=0.098, tests=2, least=18.0,
    )  # fmt: skip
