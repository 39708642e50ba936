"""Engagement against `brute_engagement`, on random histories: any order, every event twice, one late."""

from datetime import date, timedelta
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from pipeline.history import History
from pipeline.indicators import INDICATORS
from pipeline.indicators.window import Window
from pipeline.model import Event
from pipeline.partials import Partial
from pipeline.periods import Period
from pipeline.rows import Shelf
from tests.unit.pipeline.brute_engagement import Engagement
from tests.unit.pipeline.making import City, Clock, event, ns, pilot

ZONE = "Europe/Stockholm"
FIRST = date(2026, 3, 1)
DAY_NS = 86_400 * 10**9
NOW = "2027-01-01T00:00:00"
INHABITANTS = [{"kind": "inhabitants", "value": 400, "year": 2025, "source": "test"}]
GROUPS = ["citizen", "civil_society", "business", "government", "academia", "unknown"]
LEVELS = ["inform", "consult", "involve", "collaborate", "empower"]
STAGES = ["co_design", "co_decide", "co_produce", "co_evaluate"]
WORDS = ("bootstrap", "kaplan-meier", "wilson", "")
OLDER = {  # those of before, which `brute` checks
    "contributions", "statements", "contributors", "participants-who-use", "activities-held", "attendance",
    "return-participation", "participation-per-1000",
}  # fmt: skip
OURS = [key for key, one in INDICATORS.items() if one.family == "engagement" and key not in OLDER]


def made(rng: Random, at: int) -> Event:
    """One event of any type that an indicator of engagement reads."""
    kind = rng.choice([
        "attendance", "attendance", "contribution.made", "contribution.made", "contribution.made", "activity.held",
        "activity.scheduled", "response.published", "contribution.disposition", "decision.participated",
        "decision.closed", "fieldtest.signup", "fieldtest.task_assigned", "fieldtest.task_done", "fieldtest.withdrawn",
        "resource.spent", "survey.response", "population.snapshot",
    ])  # fmt: skip
    person = rng.randrange(40)
    actor, group = f"p{person}", GROUPS[person % 6] if rng.random() < 0.9 else rng.choice(GROUPS)
    if rng.random() < 0.15:
        actor = None
    about = {"activity_id": f"w{rng.randrange(5)}"} if rng.random() < 0.8 else {}
    said = {"age_band": rng.choice(["16-24", "25-44", "65+"])} if rng.random() < 0.7 else {}
    ids = [f"c{rng.randrange(30)}" for _ in range(3)]
    decision = {"decision_id": f"d{rng.randrange(6)}"}
    test = {"fieldtest_id": f"t{rng.randrange(2)}", "task_id": f"k{rng.randrange(2)}"}
    many = {"count": rng.randint(1, 4)}
    match kind:
        case "attendance":
            return event(kind, at, actor, actor_kind=group, data=about | said, **({} if actor else many))
        case "contribution.made":
            named = {"contribution_id": ids[0]} if rng.random() < 0.8 else {}
            return event(kind, at, actor, actor_kind=group, data=about | said | named, **({} if actor else many))
        case "activity.held" | "activity.scheduled":
            level = {"level_declared": rng.choice(LEVELS)} if rng.random() < 0.8 else {}
            about = {"activity_id": f"w{rng.randrange(5)}", "method": rng.choice(["x", "y"])}
            return event(kind, at, data=about | level | {"stage": rng.choice(STAGES)})
        case "response.published":
            return event(kind, at, data={"contribution_ids": ids})
        case "contribution.disposition":
            word = rng.choice(["adopted", "adapted", "rejected", "deferred", "none"])
            named = {"contribution_id": ids[0]} if rng.random() < 0.7 else {}
            by = {"recorded_by": rng.choice(["city", "evaluator"])} if rng.random() < 0.8 else {}
            about = about if rng.random() < 0.4 else {}
            return event(kind, at, data=about | named | by | {"disposition": word}, **({} if named else many))
        case "decision.participated":
            role = rng.choice(["informed", "consulted", "deliberated", "co_decider", "decider"])
            return event(kind, at, actor, actor_kind=group, data=decision | {"role": role})
        case "decision.closed":
            numbers = {"inputs_considered": rng.randint(0, 9), "inputs_adopted": rng.randint(0, 9)}
            stage = {"stage": rng.choice(STAGES)} if rng.random() < 0.5 else {}
            level = {"level_delivered": rng.choice(LEVELS)} if rng.random() < 0.8 else {}
            return event(kind, at, data=decision | about | numbers | stage | level)
        case "fieldtest.signup":
            return event(kind, at, actor, data=test | {"fieldtest_stage": rng.choice(["mock-up", "pilot"])})
        case "fieldtest.task_assigned":
            day = FIRST + timedelta(days=rng.randrange(80))
            return event(kind, at, actor, data=test | ({"deadline": day.isoformat()} if rng.random() < 0.5 else {}))
        case "fieldtest.withdrawn":
            return event(kind, at, actor, data=test | {"kind": rng.choice(["participant", "innovation", "research"])})
        case "resource.spent":
            return event(kind, at, data=about | {"hours": rng.randint(1, 40), "eur": rng.choice([None, 50, 300])})
        case "survey.response":
            given_ = [rng.choice([None, 1, 2, 3, 4, 5]), rng.choice([None, 1, 2, 3, 4, 5])]
            more = {"invited": rng.randint(1, 9)} if rng.random() < 0.3 else {}
            more |= {"respondent": "project_manager"} if rng.random() < 0.2 else {}
            return event(kind, at, actor, data=about | more | {"instrument": "participation-2", "scores": given_})
        case "population.snapshot":
            sizes = {"16-24": rng.randint(1, 50), "25-44": rng.randint(1, 50), "65+": rng.randint(1, 50)}
            kinds = {"citizen": rng.randint(1, 500), "business": rng.randint(1, 50)}
            told = {"age_band": sizes, "actor_kind": kinds}
            return event(kind, at, data={"kind": rng.choice(["inhabitants", "target"]), "by_group": told})
    return event(kind, at, actor, data=test)


def history_of(seed: int, size: int) -> list[Event]:
    rng = Random(seed)
    start = ns("2026-03-01T00:00:00")
    times = [start + rng.randrange(75) * DAY_NS + rng.randrange(86_400) * 10**9 for _ in range(size)]
    return list({one.event_id: one for one in (made(rng, at) for at in times)}.values())


def arrived(events: list[Event], seed: int) -> History:
    """What the pipeline knows after all events came in random order, each twice, one of them 40 days after the rest."""
    rng = Random(seed)
    clock = Clock("2026-06-01T00:00:00")
    city = City(pilot(ZONE, denominators=INHABITANTS), clock)
    twice = [*events[1:], *events[1:]]
    rng.shuffle(twice)
    running = city.pipeline()
    for part in range(3):
        city.add(list({one.event_id: one for one in twice[part::3]}.values()))
        running.step()
    city.work(running)
    clock.ns += 40 * DAY_NS
    city.add([events[0]])
    city.work(running)
    history = History(city.pilot, Shelf(city.store, "test"))
    for record in city.store.get("partial", "test", -(1 << 62), 1 << 62):
        history.put(msgspec.json.decode(record.body, type=Partial))
    return history


def compare(history: History, oracle: Engagement, first: date, last: date, as_of: str = NOW) -> int:
    """Every figure of a window is the oracle's; how many had a value."""
    window = Window(history, Period("chosen", first.isoformat(), last.isoformat()), ns(as_of))
    expected, checked = oracle.everything(first, last), 0
    for key in OURS:
        for measure in INDICATORS[key].compute(window):
            place = (key, measure.dim, measure.segment)
            value, n = expected.pop(place, (None, None))
            assert measure.value == (None if value is None else pytest.approx(value)), (place, first, last)
            if value is not None:
                assert measure.n == n, (place, first, last)
                checked += 1
            if measure.lower is not None and measure.upper is not None and measure.value is not None:
                assert measure.lower <= measure.value + 1e-9, place
                assert measure.upper >= measure.value - 1e-9, place
    assert {place: found for place, found in expected.items() if found[0] is not None} == {}
    return checked


@settings(
    max_examples=8,
    deadline=None,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@given(st.integers(0, 10**6), st.integers(5, 300), st.integers(0, 60), st.integers(0, 40))
def test_every_figure_of_any_window_is_that_of_brute_force(seed: int, size: int, since: int, length: int) -> None:
    events = history_of(seed, size)
    history, oracle = arrived(events, seed), Engagement(events, ZONE)
    first = FIRST + timedelta(days=since)
    compare(history, oracle, first, first + timedelta(days=length))
    compare(history, oracle, FIRST, FIRST + timedelta(days=75))


def test_a_full_history_gives_every_figure_a_value() -> None:
    events = history_of(3, 900)
    oracle = Engagement(events, ZONE)
    assert compare(arrived(events, 3), oracle, FIRST, FIRST + timedelta(days=75)) > 70
    named = {key for key, found in oracle.everything(FIRST, FIRST + timedelta(days=75)).items() if found[0] is not None}
    assert {key for key, _, _ in named} == set(OURS)
