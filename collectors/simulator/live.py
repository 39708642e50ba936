"""From now on: the same cities go on acting, measuring and beating until told to stop.

People act at a show's pace (`USES_PER_MINUTE` and more below), many times that of history, so that a page
visibly moves; the planted drop-off keeps its true pace and the planted outage stays silent. Readings and
heartbeats keep the intervals that the catalogue states, whatever the speed.
"""

import heapq
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event as Stop

import numpy as np

from collectors.simulator import engagement, sensors, usage
from collectors.simulator.chance import NS_PER_MS, day_of, rng_of
from collectors.simulator.envelope import Happening, cloud_event, source_of, topic_of
from collectors.simulator.heartbeat import beat, beats, counted
from collectors.simulator.history import readings
from collectors.simulator.people import person
from collectors.simulator.truth import TRUTH, Truth
from collectors.simulator.world import City, build
from config.catalogue import Catalogue, Feed

USES_PER_MINUTE, VOICES_PER_MINUTE = 4.0, 0.8  # per pilot, at the mean hour of a day
_CALMEST, _BUSIEST = 0.5, 1.6  # the daily rhythm is kept within these, so that a night's demo moves too
_NEWCOMERS = 0.04

Publish = Callable[[str, bytes, bool], None]
Clock = Callable[[], int]


def live(
    catalogue: Catalogue,
    seed: int,
    publish: Publish,
    clock: Clock,
    stop: Stop,
    speed: float = 1.0,
    since_ns: int | None = None,
    truth: Truth = TRUTH,
) -> None:
    """Publish by `publish(topic, payload, retain)` until `stop` is set; whatever it raises ends this.

    `speed` multiplies how often people act. `since_ns` is the end of the history that was told before: the
    first heartbeat covers from there, so that coverage has no gap. No event is earlier than the start.
    """
    show = _Show(build(catalogue, seed, clock(), truth), publish, clock, speed, since_ns)
    while not stop.is_set():
        wait_s = show.wait_s()
        if wait_s > 0:
            stop.wait(wait_s)
        else:
            show.act()


@dataclass
class _Pulse:
    """What a feed's next heartbeat will say."""

    seq: int
    since_ns: int
    types: list[str] = field(default_factory=list)


class _Show:
    """A queue of what is due, each entry (due in ns, order, act); an act returns when it is due again.

    That is always counted from now, so a machine that was suspended catches nothing up.
    """

    def __init__(self, cities: list[City], publish: Publish, clock: Clock, speed: float, since_ns: int | None) -> None:
        self._publish, self._clock, self._speed = publish, clock, speed
        self._start = clock() - clock() % NS_PER_MS
        self._queue: list[tuple[int, int, Callable[[int], int]]] = []
        self._pulses: dict[tuple[str, str], _Pulse] = {}
        self._sent = 0
        for city in cities:
            for feed in city.pilot.feeds:
                if city.silent_after(feed) is None:
                    self._take_up(city, feed, self._start if since_ns is None else min(since_ns, self._start))

    def wait_s(self) -> float:
        """Seconds until something is due; an hour where nothing ever is."""
        return (self._queue[0][0] - self._clock()) / 1e9 if self._queue else 3600.0

    def act(self) -> None:
        _, order, act = heapq.heappop(self._queue)
        heapq.heappush(self._queue, (act(self._clock()), order, act))

    def _enter(self, due_ns: int, act: Callable[[int], int]) -> None:
        heapq.heappush(self._queue, (due_ns, len(self._queue), act))

    def _take_up(self, city: City, feed: Feed, since_ns: int) -> None:
        if beats(feed):
            self._pulses[city.pilot.slug, feed.id] = _Pulse(day_of(self._start, city.pilot.zone) + 1, since_ns)
            self._enter(self._start, lambda now: self._beat(city, feed, now))
        if feed.stream in ("usage", "engagement") and feed.decoder == "cloudevents" and not feed.by_hand:
            crowd = _Crowd(city, feed, self._start, self._speed)
            self._enter(crowd.next_ns(self._start), lambda now: self._people(crowd, now))
        every = sensors.interval_ns(feed)
        if feed.stream == "sensor" and feed.map is not None and every is not None:
            step = every
            self._enter(-(-self._start // step) * step, lambda now: self._readings(city, feed, step, now))

    def _beat(self, city: City, feed: Feed, now: int) -> int:
        pulse = self._pulses[city.pilot.slug, feed.id]
        until = max(now - now % NS_PER_MS, pulse.since_ns)
        if pulse.types:
            until = max(until, now - now % NS_PER_MS + NS_PER_MS)  # covers an event of this very ms
        message = beat(city, feed, pulse.seq, pulse.since_ns, until, counted(pulse.types))
        self._publish(message.topic, message.payload, True)
        self._pulses[city.pilot.slug, feed.id] = _Pulse(pulse.seq + 1, until)
        assert feed.heartbeat_every is not None  # `beats` said so
        return now + round(feed.heartbeat_every.total_seconds() * 1e9)

    def _people(self, crowd: "_Crowd", now: int) -> int:
        city, feed = crowd.city, crowd.feed
        pulse = self._pulses.get((city.pilot.slug, feed.id))
        at = now - now % NS_PER_MS
        if pulse is not None:
            at = max(at, pulse.since_ns)
        for event in crowd.act(at):
            self._sent += 1
            event_id = f"{city.world}-{city.pilot.slug}-{feed.id}-live-{self._start // NS_PER_MS}-{self._sent}"
            payload = cloud_event(event_id, source_of(city.pilot, feed), event.type, at, event.data)
            self._publish(topic_of(feed), payload, False)
            if pulse is not None:
                pulse.types.append(event.type)
        return crowd.next_ns(now)

    def _readings(self, city: City, feed: Feed, every: int, now: int) -> int:
        at = now // every * every
        for message in readings(city, feed, day_of(at, city.pilot.zone), at, at + 1):
            self._publish(message.topic, message.payload, False)
        return at + every


class _Crowd:
    """The people of one feed: who acts next, and when."""

    def __init__(self, city: City, feed: Feed, start_ns: int, speed: float) -> None:
        self.city, self.feed = city, feed
        self._speed, self._start, self._newcomers = speed, start_ns, 0
        self._rng = rng_of(city.seed, city.pilot.slug, feed.id, "live", start_ns)

    def next_ns(self, now: int) -> int:
        return now + round(self._rng.exponential(60e9 / max(self._per_minute(now), 1e-6)))

    def act(self, now: int) -> list[Happening]:
        day = day_of(now, self.city.pilot.zone)
        found = self._use(now, day) if self.feed.stream == "usage" else self._speak(now, day)
        return [one for one in found if self._happens(one, day)]

    def _happens(self, one: Happening, day: int) -> bool:
        """Whether an act of a public that lost interest is kept; a fall of everybody slows the pace."""
        fall = self.city.truth.drop_off
        if not fall.group or self.feed.stream != fall.stream or not engagement.loses_interest(self.city, one):
            return True
        return bool(self._rng.random() < self.city.keeps(day))

    def _per_minute(self, now: int) -> float:
        local = datetime.fromtimestamp(now // 1_000_000_000, self.city.pilot.zone)
        hours = self.city.habit.hours
        shape = min(max(hours[local.hour] * 24 / sum(hours), _CALMEST), _BUSIEST)
        if self.feed.stream == self.city.truth.drop_off.stream and self.city.drop_from is not None:
            day = local.toordinal()
            keeps = 1.0 if self.city.truth.drop_off.group else self.city.keeps(day)
            return shape * engagement.daily_mean(self.city, day) * keeps / 1440
        pace = USES_PER_MINUTE if self.feed.stream == "usage" else VOICES_PER_MINUTE
        return self._speed * pace * shape / len(self.city.feeds(self.feed.stream))

    def _use(self, now: int, day: int) -> list[Happening]:
        if self._rng.random() < _NEWCOMERS:
            return self._newcomer(now)
        people = self.city.people
        present = np.flatnonzero(people.present(day))
        if not len(present):
            return self._newcomer(now)
        weight = people.rate[present]
        return [usage.core_action(self.city, int(self._rng.choice(present, p=weight / weight.sum())), now)]

    def _newcomer(self, now: int) -> list[Happening]:
        self._newcomers += 1
        city = self.city
        name = f"newcomer-{self._start}-{self.feed.id}-{self._newcomers}"
        data = {
            "schema": "pe.usage.v1",
            **person(city.seed, city.pilot.slug, name, "citizen", True),
            "service_id": city.pilot.service,
            "channel": next(iter(city.habit.channels)),
            "evidence": "system_log",
        }
        return [
            Happening(now, "usage", "service.registered", data),
            Happening(now, "usage", "action.performed", {**data, "core": True}),
        ]

    def _speak(self, now: int, day: int) -> list[Happening]:
        index, weight = self.city.people.talkers(day)
        if not len(index):
            return []
        kinds, shares = zip(*self.city.habit.contribution_kinds.items(), strict=True)
        kind = kinds[int(self._rng.choice(len(kinds), p=np.array(shares) / sum(shares)))]
        item = engagement.Contribution(
            now, int(self._rng.choice(index, p=weight)), kind, f"{self.city.pilot.slug}-live-{now // NS_PER_MS}"
        )
        return [engagement.contributed(self.city, item)]
