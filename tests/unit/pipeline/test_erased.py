"""Whoever is erased changes only what must change: random histories, the real erasure, then everything compared.

Afterwards what is kept is what a world without them would keep; what differs from before is of days on which they
came, or looks at such a day; each frozen period that differs, and no other, has one revision, which names the erasure.
"""

import tempfile
from collections.abc import Iterator
from contextlib import closing
from datetime import date, timedelta
from pathlib import Path
from random import Random

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from collectors.erasure import Erasure
from collectors.spool import Spool
from collectors.tombstones import Tombstones
from config.settings import Spool as SpoolSettings
from pipeline.freeze import Key, content, differ
from pipeline.frozen import Frozen
from pipeline.indicators import INDICATORS
from pipeline.model import Event
from pipeline.partials import Partial, summarise
from pipeline.periods import day_of
from pipeline.rows import Shelf
from pipeline.run import Pipeline
from pipeline.values import IndicatorValue, PeriodValues
from tests.unit.pipeline.making import City, Clock, act, event, ns, pilot
from tests.unit.pipeline.test_engagement_oracle import made
from tests.unit.pipeline.test_oracle import DAY_NS, INHABITANTS, QUIET, ZONE
from tests.unit.pipeline.test_uptake_oracle import PEOPLE, usage

EVER = (-(1 << 62), 1 << 62)
NOW = "2026-08-01T00:00:00"
DAY = timedelta(days=1)
Grid = dict[tuple[str, str], PeriodValues]


@st.composite
def engagement(draw: st.DrawFn) -> Event:
    """Any event of engagement, on any second of 75 days."""
    at = ns("2026-03-02T00:00:00") + draw(st.integers(0, 74)) * DAY_NS + draw(st.integers(0, 86_399)) * 10**9
    return made(draw(st.randoms(use_true_random=False)), at)


FEW = settings(QUIET, max_examples=10)
HISTORIES = st.lists(st.one_of(usage(), engagement()), min_size=10, max_size=60, unique_by=lambda one: one.event_id)


def erase(city: City, who: str) -> None:
    """The real erasure, on the store and the operational database of a city."""
    with tempfile.TemporaryDirectory() as folder, closing(Spool(Path(folder), SpoolSettings(), lease=False)) as spool:
        stones, frozen = Tombstones(Path(folder)), Frozen(city.operations)
        Erasure(city.pilot, who, city.store, [spool], stones, frozen, None, city.clock).run()


def partials(city: City) -> dict[str, Partial]:
    """Every day's document; in how many records its rows lie is no matter."""
    found = (msgspec.json.decode(one.body, type=Partial) for one in city.store.get("partial", "test", *EVER, key="day"))
    return {one.day: msgspec.structs.replace(one, chunks=0) for one in found}


def grid(city: City) -> Grid:
    found = (msgspec.json.decode(one.body, type=PeriodValues) for one in city.store.get("values", "test", *EVER))
    return {(one.period, one.start if one.period != "all" else ""): one for one in found}


def by_key(document: PeriodValues | None) -> dict[Key, IndicatorValue]:
    return {(one.indicator, one.dim, one.segment): one for one in document.values} if document else {}


def changed(before: Grid, after: Grid) -> Iterator[tuple[IndicatorValue | None, IndicatorValue | None]]:
    """Values that say something else than before, or are gone or new."""
    for key in before.keys() | after.keys():
        was, now = by_key(before.get(key)), by_key(after.get(key))
        for one in was.keys() | now.keys():
            pair = was.get(one), now.get(one)
            if pair[0] is None or pair[1] is None or content(pair[0]) != content(pair[1]):
                yield pair


def looked_at(was: IndicatorValue | None, now: IndicatorValue | None, days: set[date], began: date) -> bool:
    """Whether a value looks at any of these days, by the words of its definition.

    What nobody else had ever done by then is no known zero any more, however long ago they did it; and a feed is judged
    from the day on which it was first heard.
    """
    value = now or was
    assert value is not None
    words = INDICATORS[value.indicator]
    unheard = words.family == "quality" or (now is not None and now.status == "not_defined")
    back = None if unheard else words.look_back
    first = began if back is None else date.fromisoformat(value.start) - back * DAY
    return any(first <= day <= date.fromisoformat(value.end) + words.look_ahead * DAY for day in days)


def parts_of(one: Event) -> set[tuple[str, str]]:
    """Every part of the people that an event may count somebody in."""
    said = {dim: str(one.data.get(dim, "unknown")) for dim in ("age_band", "area", "channel", "gender")}
    return {*said.items(), ("actor_kind", one.actor_kind), ("service", one.service_id or "")}


class Erased:
    """A city before and after somebody is erased, beside one that never knew them."""

    def __init__(self, history: list[Event], who: str, k: int, order: Random) -> None:
        self.who, self.hers = who, [one for one in history if one.actor_key == who]
        clock, shown = Clock(NOW), pilot(ZONE, denominators=INHABITANTS)
        self.city = City(shown, clock, k=k)
        running = self.city.pipeline()
        shuffled = order.sample(history, len(history))
        for part in (shuffled[::2], shuffled[1::2]):
            self.city.add(part)
        self.city.work(running)
        self.before, self.days_before = grid(self.city), partials(self.city)
        clock.ns += 3600 * 10**9
        erase(self.city, who)
        self.city.work(self._again(running, order))
        self.after, self.days_after = grid(self.city), partials(self.city)
        self.without = City(shown, clock, k=k)
        self.without.add([one for one in history if one.actor_key != who])
        self.without.work()
        self.days = {date.fromisoformat(day_of(one.time_ns, shown.zone)) for one in self.hers}
        self.acts = [(day_of(one.time_ns, shown.zone), parts_of(one)) for one in self.hers if one.stream == "usage"]
        self.began = min(date.fromisoformat(day) for day in self.days_before)

    def _again(self, running: Pipeline, order: Random) -> Pipeline:
        return running if order.random() < 0.5 else self.city.pipeline()

    def check_days(self) -> None:
        """Stage 1: only their days changed, and to what they would be without them; their rows are gone."""
        expected = partials(self.without)
        for day, found in self.days_after.items():
            assert found == expected.get(day, summarise(self.city.pilot, day, [])), day
        assert expected.keys() <= self.days_after.keys()
        other = [day for day in self.days_before if date.fromisoformat(day) not in self.days]
        assert all(self.days_before[day] == self.days_after[day] for day in other)
        shelf = Shelf(self.city.store, "test")
        signs = {date.fromisoformat(day).toordinal(): one.rows for day, one in self.days_after.items() if one.rows}
        assert self.who not in {row.actor for rows in shelf.get(signs).values() for row in rows}

    def check_revisions(self) -> None:
        """Every published period that says something else, and no other, has one revision, because of the erasure."""
        rows = Frozen(self.city.operations).superseded(["test"])
        revised = {(one.period, one.start if one.period != "all" else ""): one for one in rows}
        assert len(revised) == len(rows)
        for key, was in self.before.items():
            now = self.after[key]
            same_span = (was.start, was.end) == (now.start, now.end)
            keys = set(differ(was, now)) if same_span else set()
            assert (key in revised) == bool(keys), (key, sorted(keys))
            if keys:
                told = {(one.indicator, one.dim, one.segment) for one in revised[key].values}
                assert told == keys
                assert revised[key].reason.startswith("a person's events of ")
                assert revised[key].reason.endswith(" were erased")
                assert ";" not in revised[key].reason
            elif same_span:
                assert now.revision == 0

    def changed(self) -> Iterator[tuple[IndicatorValue | None, IndicatorValue | None]]:
        """Values that differ, of periods that the series holds whole as before."""
        days = [one.start for one in self.after.values() if one.period == "day" and one.values]
        for was, now in changed(self.before, self.after):
            if days and all(min(days) <= one.start <= one.end <= max(days) for one in (was, now) if one):
                yield was, now

    def check_reach(self) -> None:
        for was, now in self.changed():
            assert looked_at(was, now, self.days, self.began), (was, now)

    def check_parts(self) -> None:
        """Of the parts of the people of the service only those that they were counted in, in a period of theirs."""
        for was, now in self.changed():
            if was is not None and now is not None and now.indicator == "people" and now.dim:
                theirs = [parts for day, parts in self.acts if now.start <= day <= now.end]
                assert any((now.dim, now.segment) in parts for parts in theirs), (was, now)


@FEW
@given(HISTORIES, PEOPLE, st.randoms(use_true_random=False))
def test_what_is_kept_is_what_a_world_without_them_keeps(history: list[Event], who: str, order: Random) -> None:
    world = Erased(history, who, 0, order)
    world.check_days()
    assert world.city.documents() == world.without.documents()
    world.check_reach()
    world.check_parts()
    world.check_revisions()


@FEW
@given(HISTORIES, PEOPLE, st.randoms(use_true_random=False))
def test_with_a_limit_nothing_is_told_that_would_not_be_true_without_them(
    history: list[Event], who: str, order: Random
) -> None:
    """Decisions of release stand, so more may be hidden than in a world without them, but nothing else is said."""
    world, open_world = Erased(history, who, 3, order), City(pilot(ZONE, denominators=INHABITANTS), Clock(NOW))
    world.check_days()
    world.check_revisions()
    open_world.add([one for one in history if one.actor_key != who])
    open_world.work()
    truth = grid(open_world)
    for key, document in world.after.items():
        known = by_key(truth.get(key))
        for one, value in by_key(document).items():
            if value.status == "ok" and value.value is not None:
                assert value.value == known[one].value, (value, known[one])
    for was, now in world.changed():
        if was and now and was.status == now.status == "ok":
            assert looked_at(was, now, world.days, world.began), (was, now)


def test_a_feed_does_not_seem_to_lose_what_was_erased() -> None:
    """Its heartbeats announced the events; without a note the day of everybody else would be that of a poor feed."""
    feeds = [{"id": "app", "topic": "pilots/test/usage/app", "stream": "usage", "heartbeat_every": "1h"}]
    city = City(pilot(feeds=feeds), Clock("2026-04-01T00:00:00"))
    history = [act(f"2026-03-02T{hour:02}:30:00", f"p{hour % 8}") for hour in range(24)]
    for hour in range(24):
        since, until = f"2026-03-02T{hour:02}:00:00Z", (date(2026, 3, 2) + (hour == 23) * DAY).isoformat()
        until += f"T{(hour + 1) % 24:02}:00:00Z"
        said = {"since": since, "until": until, "counts": {"action.performed": 1}}
        history.append(event("feed.heartbeat", f"2026-03-02T{hour:02}:59:59", feed="app", data=said))
    city.add(history)
    city.work()
    before = by_key(grid(city)["day", "2026-03-02"])
    assert (before["people", "", ""].status, before["completeness", "feed", "app"].value) == ("ok", 100)
    erase(city, "p3")
    city.work()
    after = by_key(grid(city)["day", "2026-03-02"])
    assert (after["people", "", ""].status, after["people", "", ""].value) == ("ok", 7)
    assert after["completeness", "feed", "app"].value == 100
    lost = next(one for one in history if one.actor_key == "p5")
    city.store.delete([lost])
    city.add([history[0]])
    city.work()
    assert by_key(grid(city)["day", "2026-03-02"])["completeness", "feed", "app"].value == pytest.approx(2000 / 21)


def test_nothing_is_said_of_a_pilot_whose_only_person_was_erased() -> None:
    city = City(pilot(), Clock("2026-04-01T00:00:00"))
    city.add([act("2026-03-02T10:00:00", "p0"), act("2026-03-12T10:00:00", "p0")])
    city.work()
    assert any(one.values for one in grid(city).values())
    erase(city, "p0")
    city.work()
    assert not any(one.values for one in grid(city).values())
