"""Distinct people over any range of five years, as pages and exports ask it: through `Answers`, from a real store.

Six pilots of the shipped catalogue each have 1,826 daily documents, as the pipeline writes them, of a town ten times as
large as a day's people. Each question is one chosen range for all six pilots, under the release rules. Apart from that:
the first question after a start, which reads every day, and the first after a day has changed.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median, quantiles

import datasketches
import msgspec
import numpy as np

from config.catalogue import Catalogue, load_catalogue
from config.settings import PACKAGED_PILOTS
from pipeline.answers import Answers
from pipeline.day_index import DayIndex
from pipeline.feed_days import FeedDay, Track
from pipeline.model import Record
from pipeline.operations import Operations
from pipeline.partials import Partial
from pipeline.periods import date_ns, iso, ordinal
from pipeline.pulse import Pulse, pulse_record
from pipeline.sketches import LG_K, SEED, People
from pipeline.store.influx import InfluxStore
from pipeline.store.port import Store
from pipeline.store.sqlite import SQLiteStore
from tests.benchmarks.ingest import Bench

FIRST, DAYS, QUESTIONS = ordinal("2021-01-04"), 1826, 200
A_DAY, MANY_A_DAY = 2000, 20_000
AS_OF_NS = date_ns("2026-02-01")
HOUR_NS = 3600 * 10**9


def figures(bench: Bench) -> dict[str, float | None]:
    """The keys of build/bench.json."""
    found: dict[str, float | None] = {}
    for a_day, suffix in ((A_DAY, ""), (MANY_A_DAY, "_20k")):
        texts = [sketch.dump() for sketch in _sketches(a_day)]
        with tempfile.TemporaryDirectory() as folder:
            sqlite = SQLiteStore(Path(folder))
            found |= _measure("SQLite", sqlite, texts, a_day, f"people.range_5y{suffix}")
            sqlite.close()
        raw, derived = bench.influx.fresh_buckets()
        influx = InfluxStore(
            bench.influx.url, bench.influx.org, bench.influx.token, raw, derived, mode="derived", timeout_s=120
        )
        found |= _measure("InfluxDB", influx, texts, a_day, f"people.range_5y_influx{suffix}")
        influx.close()
    return found


def _measure(name: str, store: Store, texts: list[str], a_day: int, key: str) -> dict[str, float | None]:
    catalogue = load_catalogue(PACKAGED_PILOTS)
    _fill(store, catalogue, texts)
    order, slugs = random.Random(5), list(catalogue.pilots)
    answers = Answers(store, catalogue, Operations(":memory:"))
    cold_ms = _ask(answers, slugs, FIRST, FIRST + DAYS - 1)
    times = [_ask(answers, slugs, *sorted(order.sample(range(FIRST, FIRST + DAYS), 2))) for _ in range(QUESTIONS)]
    _touch(store, catalogue, texts)
    touched_ms = _ask(answers, slugs, FIRST + 100, FIRST + DAYS - 100)
    p95 = quantiles(times, n=20)[18]
    print(
        f"people, any range of 5 years, 6 pilots, {a_day:,} a day, {name}: p50 {median(times):.1f} ms, "
        f"p95 {p95:.1f} ms, longest {max(times):.1f} ms of {QUESTIONS}; first question {cold_ms / 1000:.1f} s; "
        f"after a new day {touched_ms:.0f} ms",
        flush=True,
    )
    return {f"{key}_p95_ms": round(p95, 1), f"{key}_first_s": round(cold_ms / 1000, 2),
            f"{key}_touched_ms": round(touched_ms, 1)}  # fmt: skip


def _ask(answers: Answers, slugs: list[str], first: int, last: int) -> float:
    begin = time.perf_counter()
    found = answers.chosen(slugs, ["people"], iso(first), iso(last))
    took = time.perf_counter() - begin
    assert len(found) == len(slugs), found
    return took * 1000


def _sketches(a_day: int) -> Iterator[People]:
    rng = np.random.default_rng(20180601)
    for _ in range(DAYS):
        sketch = datasketches.update_theta_sketch(LG_K, seed=SEED)
        for person in rng.choice(10 * a_day, a_day, replace=False).tolist():
            sketch.update(person)
        yield People(sketch.compact(), "k1")


def _fill(store: Store, catalogue: Catalogue, texts: list[str]) -> None:
    for slug in catalogue.pilots:
        bodies = [(iso(FIRST + place), _document(catalogue, slug, place, text)) for place, text in enumerate(texts)]
        index = DayIndex(slug, bodies)
        for begin in range(0, len(bodies), 100):
            store.put([_record(slug, day, body) for day, body in bodies[begin : begin + 100]])
        store.put(index.missing(store))
    store.put([pulse_record(Pulse(steps=1, partials=dict.fromkeys(catalogue.pilots, 1), as_of_ns=AS_OF_NS))])


def _touch(store: Store, catalogue: Catalogue, texts: list[str]) -> None:
    """The last day of every pilot is another one now."""
    for slug in catalogue.pilots:
        bodies = [(iso(FIRST + place), _document(catalogue, slug, place, text)) for place, text in enumerate(texts)]
        index, (day, _) = DayIndex(slug, bodies), bodies[-1]
        body = _document(catalogue, slug, DAYS - 1, texts[0])
        store.put([_record(slug, day, body), *index.records([(day, body)])])
    store.put([pulse_record(Pulse(steps=2, partials=dict.fromkeys(catalogue.pilots, 2), as_of_ns=AS_OF_NS))])


def _record(slug: str, day: str, body: bytes) -> Record:
    return Record(kind="partial", pilot=slug, key="day", time_ns=date_ns(day), body=body)


def _document(catalogue: Catalogue, slug: str, place: int, people: str) -> bytes:
    """A day as the pipeline would write it, of a pilot whose people all come through its first usage feed."""
    feed = next(one for one in catalogue.pilots[slug].feeds if one.stream == "usage")
    day, actions = iso(FIRST + place), 3 * A_DAY
    heard = Track(date_ns(day) + HOUR_NS, date_ns(day) + 20 * HOUR_NS, actions, 60.0)
    return msgspec.json.encode(
        Partial(
            pilot=slug,
            day=day,
            synthetic=True,
            counts={"usage/action.performed": actions},
            core_actions=actions,
            core_by_people=actions,
            active=people,
            feeds=[FeedDay(feed=feed.id, stream="usage", messages=actions, heard=heard)],
        )
    )
