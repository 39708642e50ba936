"""Small makers of pilots, events and pipelines for the tests of the pipeline."""

import hashlib
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from config.catalogue import Catalogue, Common, Pilot
from config.settings import Pipeline as Settings
from pipeline.delivery.post import Post
from pipeline.model import Event, Touch, place_in_time
from pipeline.operations import Operations
from pipeline.periods import day_of
from pipeline.run import Pipeline
from pipeline.store.sqlite import SQLiteStore


def pilot(zone: str = "UTC", feeds: Sequence[dict[str, Any]] | None = None, **more: Any) -> Pilot:
    """A pilot with a usage and an engagement feed that state no rhythm, unless told otherwise."""
    default = [
        {"id": "app", "topic": "pilots/test/usage/app", "stream": "usage"},
        {"id": "talk", "topic": "pilots/test/engagement/talk", "stream": "engagement"},
    ]
    return Pilot.model_validate(
        {
            "slug": "test",
            "name": "Test",
            "country": "SE",
            "time_zone": zone,
            "feeds": feeds if feeds is not None else default,
            **more,
        }
    )


def catalogue(*pilots: Pilot, k: int = 0) -> Catalogue:
    """A catalogue of these pilots."""
    return Catalogue(
        common=Common(disclosure_k=k), pilots={one.slug: one for one in pilots}, config_hash="test", folder=Path(".")
    )


def ns(text: str) -> int:
    """An ISO time in UTC as ns."""
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp() * 1000) * 1_000_000


def event(
    kind: str, at: str | int, actor: str | None = None, *, feed: str = "", of: str = "test", **more: Any
) -> Event:
    """One event; stream and feed follow from the type. `data` holds what has no attribute."""
    stream = {"reading": "sensor", "feed.heartbeat": "ops"}.get(kind, "engagement")
    if kind.startswith(("action.", "service.", "session.", "task.", "survey.")):
        stream = "usage"
    feed = feed or {"usage": "app", "engagement": "talk"}.get(stream, "air")
    floor = at if isinstance(at, int) else ns(at)
    name = hashlib.sha256(repr((kind, at, actor, feed, of, sorted(more.items(), key=str))).encode()).hexdigest()
    return Event(
        event_id=name,
        pilot=of,
        feed=feed,
        stream=stream,
        type=kind,
        time_ns=place_in_time(floor, 1_000_000, name),
        actor_key=actor,
        consent="cohort" if actor else "count_only",
        **more,
    )


def act(at: str | int, actor: str | None = None, **more: Any) -> Event:
    """A core action."""
    return event("action.performed", at, actor, **more)


class Clock:
    """A clock that tests move."""

    def __init__(self, at: str) -> None:
        self.ns = ns(at)

    def __call__(self) -> int:
        return self.ns


class City:
    """A store with one pilot, and pipelines on it."""

    def __init__(
        self,
        one: Pilot,
        clock: Clock,
        k: int = 0,
        store: SQLiteStore | None = None,
        operations: Operations | None = None,
    ) -> None:
        self.pilot, self.clock = one, clock
        self.catalogue = catalogue(one, k=k)
        self.store = store or SQLiteStore(":memory:")
        self.operations = operations or Operations(":memory:")
        self.post = Post(self.operations, {}, clock)
        self.seq = 0

    def add(self, events: Sequence[Event]) -> None:
        """Store events and touch their days, as the collector does."""
        self.store.write(events)
        self.seq += 1
        days = {day_of(one.time_ns, self.pilot.zone) for one in events}
        self.store.touch([Touch(pilot=self.pilot.slug, day=day, seq=self.seq) for day in sorted(days)])

    def pipeline(self) -> Pipeline:
        """A pipeline started anew on what is stored."""
        return Pipeline(self.store, self.catalogue, self.operations, Settings(), self.clock, self.post)

    def told(self) -> list[dict[str, Any]]:
        """The notifications that were made, oldest first; those that a silence holds back are not among them."""
        rows = self.operations.read("SELECT body FROM notification WHERE NOT held ORDER BY id")
        return [json.loads(body) for (body,) in rows]

    def work(self, pipeline: Pipeline | None = None) -> None:
        """Step until nothing is left."""
        running = pipeline or self.pipeline()
        for _ in range(1000):
            if not running.step(hurry=True):
                return
        raise AssertionError("the pipeline never came to an end")

    def documents(self) -> dict[tuple[str, int], bytes]:
        """Every stored period without the run that wrote it and its revisions."""
        import msgspec

        from pipeline.values import PeriodValues

        found = {}
        for record in self.store.get("values", self.pilot.slug, -(1 << 62), 1 << 62):
            document = msgspec.json.decode(record.body, type=PeriodValues)
            if not document.values:
                continue  # withdrawn: no day of the series lies in it
            values = [msgspec.structs.replace(value, revision=0) for value in document.values]
            found[record.key, record.time_ns] = msgspec.json.encode((document.start, document.end, values))
        return found
