"""What happened at each activity of a pilot, gathered from its rows: the units of the method-fit table.

Promises: the result depends on the rows alone, not on their order; what was never reported is None, not 0; of two
events about one activity the later speaks. People are told apart only within an activity, for no-shows and groups.
Source: indicators.md 3.4 and 4.2.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from pipeline.rows import Row

ANSWER_DAYS: Final = 30
GROUPS: Final = ("citizen", "civil_society", "business", "government", "academia")
STAGES: Final = ("co_design", "co_decide", "co_produce", "co_evaluate")
UNKNOWN: Final = "unknown"
ADOPTED: Final = ("adopted", "adapted")
DISPOSED: Final = (*ADOPTED, "rejected", "deferred")
INSTRUMENT: Final = "participation-2"  # the questionnaire of E12; its first item is influence
Pair = tuple[int, int]


@dataclass(frozen=True, kw_only=True)
class HeldActivity:
    """One activity that was held; days are local day numbers, pairs are (hits, of how many).

    `attendance` None where nobody counted. `missed` are people who registered and did not come; where registrations
    carry no pseudonyms it is the least number that the counts allow, and `at_least` says so. `answered` counts
    contributions answered within 30 days among those followed for so long, `influence` inputs adopted or adapted among
    those that something was decided on, `perceived` answers of 4 or 5 to the item on influence among all of it, by
    `respondents`. `people` and `visits` are pseudonyms and attendances by group; `named` where each has a pseudonym.
    """

    id: str
    day: int
    stage: str = UNKNOWN
    method: str = UNKNOWN
    tools: tuple[str, ...] = ()
    techniques: tuple[str, ...] = ()
    needed: tuple[str, ...] = ()
    present: tuple[str, ...] | None = None
    hours: float | None = None
    attendance: int | None = None
    missed: Pair | None = None
    at_least: bool = False
    contributions: int = 0
    answered: Pair = (0, 0)
    influence: Pair = (0, 0)
    perceived: Pair = (0, 0)
    respondents: int = 0
    people: dict[str, frozenset[str]] = field(default_factory=dict)
    visits: dict[str, int] = field(default_factory=dict)
    named: bool = True
    obstacles: tuple[str, ...] = ()
    lessons: tuple[str, ...] = ()
    poor: bool = False
    synthetic: bool = False


@dataclass(frozen=True, kw_only=True)
class Gathered:
    """The activities of one pilot up to its last closed day, `last`, in order of day and id, and what it ever
    reported."""

    pilot: str
    activities: list[HeldActivity]
    reports: frozenset[str]
    synthetic: bool = False
    last: int = 0


def gather(
    pilot: str,
    rows: Sequence[Row],
    day_of: Callable[[int], int],
    last: int,
    poor: Callable[[int], bool],
    synthetic: bool = False,
) -> Gathered:
    """Activities of a pilot from all of its rows.

    `day_of` gives the local day number of an instant, `last` is the last day that is over, and `poor` tells whether
    the feeds of a day were too poor to judge by it.
    """
    by = _by_activity(rows)
    found = [_held(key, event, by, day_of, last, poor) for key, event in sorted(_last_held(rows).items())]
    return Gathered(
        pilot=pilot,
        activities=sorted((one for one in found if one.day <= last), key=lambda one: (one.day, one.id)),
        reports=_reports(rows),
        synthetic=synthetic or any(row.synthetic for row in rows),
        last=last,
    )


def text(value: object) -> str:
    """A code as the source wrote it, "unknown" where it wrote none."""
    return value if isinstance(value, str) and value else UNKNOWN


def codes(value: object) -> tuple[str, ...]:
    """A list of codes, each once, in order of the alphabet."""
    return tuple(sorted({one for one in value if isinstance(one, str) and one})) if isinstance(value, list) else ()


def whole(value: object) -> int | None:
    """A number of at least 0 as a whole one, None of anything else."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if 0 <= value < 2**53 else None


def activity_of(row: Row) -> str:
    """The activity that a row names, "" where it names none."""
    value = row.data.get("activity_id")
    return value if isinstance(value, str) else ""


def _last_held(rows: Iterable[Row]) -> dict[str, Row]:
    found: dict[str, Row] = {}
    for row in sorted((row for row in rows if row.type == "activity.held"), key=lambda row: (row.at_ns, row.id)):
        found[activity_of(row) or row.id] = row
    return found


@dataclass
class _ByActivity:
    """Rows by the activity they belong to."""

    rows: dict[str, dict[str, list[Row]]]
    answers: dict[str, int]
    fates: dict[str, str]


def _by_activity(rows: Iterable[Row]) -> _ByActivity:
    found: dict[str, dict[str, list[Row]]] = defaultdict(lambda: defaultdict(list))
    answers: dict[str, int] = {}
    fates: dict[str, tuple[tuple[int, str], str]] = {}
    for row in rows:
        if activity := activity_of(row):
            found[activity][row.type].append(row)
        if row.type == "response.published":
            for one in _answered(row.data):
                answers[one] = min(row.at_ns, answers.get(one, row.at_ns))
        elif row.type == "contribution.disposition" and isinstance(key := row.data.get("contribution_id"), str):
            order = (row.at_ns, row.id)
            if key not in fates or fates[key][0] < order:
                fates[key] = (order, text(row.data.get("disposition")))
    return _ByActivity(found, answers, {key: fate for key, (_, fate) in fates.items()})


def _answered(data: dict[str, Any]) -> tuple[str, ...]:
    one = data.get("contribution_id")
    return codes(data.get("contribution_ids")) + ((one,) if isinstance(one, str) else ())


def _held(
    key: str, event: Row, by: _ByActivity, day_of: Callable[[int], int], last: int, poor: Callable[[int], bool]
) -> HeldActivity:
    data, mine, day = event.data, by.rows.get(key, {}), day_of(event.at_ns)
    visits, minutes = mine.get("attendance", []), whole(data.get("duration_min"))
    missed, at_least = _missed(mine.get("registration", []), visits)
    made = mine.get("contribution.made", [])
    agreed, items, respondents = _agreed(mine.get("survey.response", []))
    people: dict[str, set[str]] = defaultdict(set)
    came: Counter[str] = Counter()
    for row in visits:
        came[row.actor_kind] += row.count
        if row.actor is not None:
            people[row.actor_kind].add(row.actor)
    stated = whole(data.get("attendance"))
    if not visits and stated:
        came[UNKNOWN] = stated
    return HeldActivity(
        id=key,
        day=day,
        stage=text(data.get("stage")),
        method=text(data.get("method")),
        tools=codes(data.get("tools")),
        techniques=codes(data.get("techniques")),
        needed=codes(data.get("skills_needed")),
        present=codes(data["skills_present"]) if "skills_present" in data else None,
        hours=minutes / 60 if minutes else None,
        attendance=sum(row.count for row in visits) if visits else stated,
        missed=missed,
        at_least=at_least,
        contributions=sum(row.count for row in made),
        answered=_in_time(made, by.answers, day_of, last),
        influence=_influence(made, mine.get("decision.closed", []), by.fates),
        perceived=(agreed, items),
        respondents=respondents,
        people={group: frozenset(who) for group, who in people.items()},
        visits=dict(came),
        named=all(row.actor is not None for row in visits) and not (stated and not visits),
        obstacles=codes(data.get("obstacles")),
        lessons=codes(data.get("lessons")),
        poor=poor(day),
        synthetic=event.synthetic,
    )


def _missed(registrations: Sequence[Row], visits: Sequence[Row]) -> tuple[Pair | None, bool]:
    """Who registered and did not come, of those who registered: person by person where pseudonyms allow it."""
    if not registrations or not visits:
        return None, False
    named = {row.actor for row in registrations if row.actor is not None}
    if named:
        return (len(named - {row.actor for row in visits}), len(named)), False
    registered, came = sum(row.count for row in registrations), sum(row.count for row in visits)
    return ((max(0, registered - came), registered), True) if registered else (None, False)


def _in_time(made: Sequence[Row], answers: dict[str, int], day_of: Callable[[int], int], last: int) -> Pair:
    """E10: contributions answered within 30 days, of those whose 30 days are over."""
    first: dict[str, int] = {}
    for row in made:
        if isinstance(key := row.data.get("contribution_id"), str):
            first[key] = min(day_of(row.at_ns), first.get(key, last))
    followed = {key: day for key, day in first.items() if day + ANSWER_DAYS <= last}
    return sum(key in answers and day_of(answers[key]) - day <= ANSWER_DAYS for key, day in followed.items()), len(
        followed
    )


def _influence(made: Sequence[Row], decisions: Sequence[Row], fates: dict[str, str]) -> Pair:
    """E11: by each contribution's fate; where none is known, by what the activity's decisions state."""
    hits = of = 0
    for row in made:
        fate = fates.get(str(row.data.get("contribution_id")), UNKNOWN)
        if fate in DISPOSED:
            of += row.count
            hits += row.count if fate in ADOPTED else 0
    if of:
        return hits, of
    for row in decisions:
        considered, adopted = whole(row.data.get("inputs_considered")), whole(row.data.get("inputs_adopted"))
        if considered and adopted is not None and adopted <= considered:
            of, hits = of + considered, hits + adopted
    return hits, of


def _agreed(surveys: Sequence[Row]) -> tuple[int, int, int]:
    """E12, the item on influence: answers of 4 or 5, answers from 1 to 5, and by how many; of participants only."""
    agreed = answered = 0
    for row in surveys:
        of_participants = row.data.get("respondent", "participant") == "participant"
        score = _influence_score(row) if of_participants and row.data.get("instrument") == INSTRUMENT else None
        if score is not None:
            agreed, answered = agreed + (row.count if score >= 4 else 0), answered + row.count
    return agreed, answered, answered


def _influence_score(row: Row) -> float | None:
    """By name in a mapping, else the first of a list; a row about another item has none."""
    given = row.data.get("scores")
    if isinstance(given, list):
        score = given[0] if given and row.data.get("item", "influence") == "influence" else None
    else:
        score = given.get("influence") if isinstance(given, dict) else None
    on_scale = isinstance(score, int | float) and not isinstance(score, bool) and 1 <= score <= 5
    return float(score) if on_scale else None  # type: ignore[arg-type]


def _reports(rows: Iterable[Row]) -> frozenset[str]:
    """Types of rows that name an activity, or that name skills present: without them, none is no zero."""
    found = set()
    for row in rows:
        if activity_of(row):
            found.add(row.type)
        if row.type == "activity.held" and "skills_present" in row.data:
            found.add("skills_present")
        if row.type in ("response.published", "contribution.disposition"):
            found.add(row.type)
    return frozenset(found)
