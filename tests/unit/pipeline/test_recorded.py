"""What people enter by hand: attendance by group and by code, decisions, closures, and that it has arrived."""

from pipeline.answers import Answers
from pipeline.model import Event
from pipeline.partials import summarise
from tests.unit.pipeline.making import City, Clock, event, pilot

FEEDS = [
    {"id": "app", "topic": "pilots/test/usage/app", "stream": "usage"},
    {"id": "talk", "topic": "pilots/test/engagement/talk", "stream": "engagement", "heartbeat_every": "1h"},
    {"id": "log", "topic": "pilots/test/engagement/log", "stream": "engagement", "by_hand": True},
]
DAY = "2026-03-04"
AT = f"{DAY}T18:00:00"


def logged(kind: str, name: str, actor: str | None = None, revision: int = 0, **more: object) -> Event:
    """An event of the log, with an id of its own."""
    one = event(kind, AT, actor, feed="log", **more)  # type: ignore[arg-type]
    return Event(
        **{key: getattr(one, key) for key in Event.__struct_fields__} | {"event_id": name, "revision": revision}
    )


def attended(name: str, count: int = 1, actor: str | None = None, kind: str = "citizen") -> Event:
    return logged("attendance", name, actor, count=count, actor_kind=kind, data={"activity_id": "a"})


def test_groups_and_codes_add_up_and_only_codes_are_people() -> None:
    events = [
        attended("log/a/attendance-citizen", 10),
        attended("log/a/attendance-business", 3, kind="business"),
        attended("log/a/code-1", actor="k1-one"),
        attended("log/a/code-2", actor="k1-two"),
    ]
    day = summarise(pilot(feeds=FEEDS), DAY, events)
    assert (day.attendances, day.attendances_by_people, day.attending) == (15, 2, {"a": 15})


def test_what_was_withdrawn_counts_nothing_and_is_known_to_have_arrived() -> None:
    gone = logged("record.withdrawn", "log/a/held", revision=2, count=0)
    day = summarise(pilot(feeds=FEEDS), DAY, [gone])
    assert (day.attendances, day.held, day.contributions) == (0, [], {})
    assert day.recorded == {"log/a/held": 2}


def test_only_what_was_entered_by_hand_is_listed_as_recorded() -> None:
    day = summarise(pilot(feeds=FEEDS), DAY, [event("attendance", AT, "k1-one", data={"activity_id": "a"})])
    assert day.recorded == {}


def test_a_decision_is_told_with_who_took_which_part_and_small_numbers_are_hidden() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-03-10T12:00:00"), k=5)
    own = {"decision_id": "d", "activity_id": "a"}
    closed = {
        **own,
        "level_delivered": "collaborate",
        "outcome": "approved",
        "inputs_considered": 9,
        "inputs_adopted": 4.0,
    }
    city.add([
        logged("decision.participated", "log/d/1", count=12, actor_kind="citizen", data={**own, "role": "co_decider"}),
        logged("decision.participated", "log/d/2", count=4, actor_kind="business", data={**own, "role": "consulted"}),
        event("decision.participated", AT, "k1-x", actor_kind="academia", data={**own, "role": "informed"}),
        logged("decision.closed", "log/d/3", data=closed),
    ])  # fmt: skip
    city.work()
    answers = Answers(city.store, city.catalogue, city.operations)
    (decision,) = answers.decisions("test")
    assert (decision.day, decision.outcome, decision.level_delivered) == (DAY, "approved", "collaborate")
    assert (decision.inputs_considered, decision.inputs_adopted) == (9, 4)
    assert [(one.group, one.role, one.people) for one in decision.roles] == [
        ("academia", "informed", None),
        ("business", "consulted", None),
        ("citizen", "co_decider", 12),
    ]
    assert answers.decisions("test", "2026-03-05") == []
    assert answers.recorded("test", [DAY]) == {"log/d/1": 0, "log/d/2": 0, "log/d/3": 0}
    assert answers.recorded("test", ["2026-03-05"]) == answers.recorded("nobody", [DAY]) == {}


def test_a_recorded_closure_masks_its_days_and_no_others() -> None:
    city = City(pilot(feeds=FEEDS), Clock("2026-03-10T12:00:00"))
    span = {"first": "2026-03-01", "last": "2026-03-03", "reason": "holiday"}
    closure = logged("calendar.closure", "log/c/closure", data=span)
    odd = logged("calendar.closure", "log/c/odd", data={"first": "soon", "last": None})
    city.add([closure, odd])
    running = city.pipeline()
    city.work(running)
    history = running._histories["test"]
    assert [day for day in range(1, 7) if history.closed(f"2026-03-0{day}")] == [1, 2, 3]
    city.store.delete([closure])
    city.add([logged("record.withdrawn", "log/c/closure", revision=1, count=0)])
    city.work(running)
    assert not history.closed("2026-03-02")


def test_a_feed_by_hand_does_not_keep_the_alert_from_judging() -> None:
    from pipeline.alerts.streams import streams_of

    clock = Clock("2026-03-10T12:00:00")
    beats = [
        event(
            "feed.heartbeat",
            f"2026-03-0{day}T{hour:02}:59:59",
            feed="talk",
            data={"since": f"2026-03-0{day}T{hour:02}:00:00Z", "until": f"2026-03-0{day}T{hour:02}:59:59Z"},
        )
        for day in range(1, 8)
        for hour in range(24)
    ]
    city = City(pilot(feeds=FEEDS), clock)
    city.add([*beats, event("contribution.made", AT, "k1-one"), attended("log/a/attendance-citizen", 10)])
    running = city.pipeline()
    city.work(running)
    streams = streams_of(running._histories["test"], clock.ns)
    assert streams is not None
    assert not streams.held.any()
    assert set(streams.masks) <= {"", "activity"}
