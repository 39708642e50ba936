"""An operator's weeks, told in YAML, through the real pipeline (scenarios/README.md)."""

from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest
import yaml

from pipeline.model import Event
from pipeline.run import Pipeline
from tests.unit.pipeline.making import City, Clock, event, ns, pilot

SCENARIOS = sorted((Path(__file__).parent / "scenarios").glob("*.yaml"))
START = date(2025, 9, 1)  # a Monday; Sweden's holidays are not named, so the calendar is what a scenario says
HOUR_NS = 3600 * 10**9
TAIL = 2  # days like the last one, in which that one's lateness ends
WATCHED = 45  # days from which on the pipeline looks every day


def line(text: str) -> list[str]:
    return [part for word in text.split() for part in [word.partition("*")[0]] * int(word.partition("*")[2] or 1)]


def iso(number: int) -> str:
    return (START + timedelta(days=number)).isoformat()


class Weeks:
    """One scenario being played."""

    def __init__(self, told: dict[str, Any]) -> None:
        self.people = [
            (
                one["group"],
                {key: one[key] for key in ("kind", "method", "channel") if key in one},
                one.get("feed", "app" if "act" in one else "talk"),
                [int(n) for n in line(one["days"])],
                one.get("act", "contribution.made"),
                one.get("of", 23),
            )
            for one in told["people"]
        ]
        for *_, days, _, _ in self.people:
            days += days[-1:] * TAIL
        self.length = max(len(days) for *_, days, _, _ in self.people)
        self.feed = [*line(told.get("feed", f"ok*{self.length}")), *["ok"] * TAIL]
        self.told, self.late = told, told.get("late", {"days": [], "until": -1})
        closures = [{"first": iso(n), "last": iso(n), "reason": "holiday"} for n in told.get("closures", [])]
        rhythm = {"heartbeat_every": "1h"} if told.get("rhythm", True) else {}
        self.feeds = sorted({feed for _, _, feed, *_ in self.people} | {"talk"})
        feeds = [
            {"id": one, "topic": one, "stream": "usage" if one == "app" else "engagement", "lateness": "1d", **rhythm}
            for one in self.feeds
        ]
        self.city = City(pilot(feeds=feeds, calendar={"closures": closures}), Clock(f"{iso(0)}T00:00:00"), k=5)
        self.running: Pipeline | None = None

    def events(self, number: int, by: str = "talk") -> list[Event]:
        """What people did on a day, by way of a feed."""
        found: list[Event] = []
        for group, data, feed, days, act, people in self.people:
            for n in range(days[number] if feed == by else 0):
                at = ns(f"{iso(number)}T08:00:00") + len(found) * 60 * 10**9
                who = f"{group}{(7 * number + n) % people}"
                found.append(event(act, at, who, actor_kind=group, feed=feed, data=data))
        return found

    def arrive(self, number: int) -> None:
        """A day passes, as its feed lets it; the other feeds are healthy."""
        for other in self.feeds:
            if other != "talk":
                self.city.add([*self.beats(number, other), *self.events(number, other)])
        how, events = self.feed[number], self.events(number)
        if how == "silent":
            return
        beats = self.beats(number, "talk")
        if how == "half":
            self.city.add([self._whole_day(number, len(events)), *events[::2]])
        elif number in self.late["days"]:
            if beats:
                self.city.add(beats)
        else:
            if beats or events:
                self.city.add([*beats, *events])

    def beats(self, number: int, feed: str) -> list[Event]:
        """A day's heartbeats of a feed that states its rhythm."""
        if not self.told.get("rhythm", True):
            return []
        return [
            event("feed.heartbeat", ns(f"{iso(number)}T{hour:02}:59:59"), feed=feed,
                  data={"since": f"{iso(number)}T{hour:02}:00:00Z", "until": f"{iso(number)}T{hour:02}:59:59Z",
                        "counts": {"contribution.made": 0}})
            for hour in range(24)
        ]  # fmt: skip

    def _whole_day(self, number: int, announced: int) -> Event:
        span = {"since": f"{iso(number)}T00:00:00Z", "until": f"{iso(number)}T23:59:59Z"}
        data = {**span, "counts": {"contribution.made": announced}}
        return event("feed.heartbeat", ns(f"{iso(number)}T23:59:59"), feed="talk", data=data)

    def play(self) -> None:
        every = self.told.get("look_every", 1)
        for number in range(self.length):
            self.arrive(number)
            if (known := self.told.get("entered")) and number == known["day"]:
                span = {"first": iso(known["closures"][0]), "last": iso(known["closures"][-1])}
                self.city.add([event("calendar.closure", ns(f"{iso(number)}T12:00:00"), data=span, feed="talk")])
            if number == self.late["until"]:
                self.city.add([one for day in self.late["days"] for one in self.events(day)])
            if (number >= WATCHED and number % every == 0) or number == self.length - 1:
                self.look(number)

    def look(self, number: int) -> None:
        self.city.clock.ns = ns(f"{iso(number + 1)}T02:00:00")
        if self.running is None or self.told.get("restart"):
            self.running = self.city.pipeline()
        self.city.work(self.running)
        if number in self.told.get("clock_back", []):
            self.city.clock.ns -= HOUR_NS
            self.city.work(self.running)


@pytest.mark.parametrize("path", SCENARIOS, ids=[one.stem for one in SCENARIOS])
def test_the_alerts_do_what_the_operator_needs(path: Path) -> None:
    told = yaml.safe_load(path.read_text(encoding="utf-8"))
    weeks = Weeks(told)
    weeks.play()
    found = weeks.city.operations.incidents(["test"])[::-1]
    expected = {series: (first, last, state) for series, first, last, state in told["incidents"]}
    seen = [(one.series, one.since, "open" if one.closed_ns is None else "closed") for one in found]
    assert {series for series, _, _ in seen} == set(expected), seen
    assert len(seen) == len(expected), seen
    for series, since, state in seen:
        first, last, wanted = expected[series]
        assert iso(first) <= since[:10] <= iso(last), (series, since, (date.fromisoformat(since[:10]) - START).days)
        assert state == wanted, (series, since, state)
    letters = weeks.city.told()
    assert [f"{one['what']} {one['incident']['series']}" for one in letters] == told["told"]
    for words in told.get("says", []):
        assert words in letters[0]["sentence"], letters[0]["sentence"]
    for letter, words in told.get("says_later", []):
        assert words in letters[letter]["sentence"], letters[letter]["sentence"]
    if "history" in told:
        records = weeks.city.operations.read(
            "SELECT t.what, i.series FROM transition t JOIN incident i ON i.id = t.incident ORDER BY t.id", ()
        )
        assert [f"{what} {series}" for what, series in records] == told["history"]
