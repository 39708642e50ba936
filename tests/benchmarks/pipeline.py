"""What the pipeline needs: for a touched day of 100,000 events, for a whole year of six pilots, and with the years.

Events go into the embedded store as the collector writes them; then the real pipeline steps until nothing is left.
People, services, channels, activities and contributions are made up, with a fixed seed.
"""

import random
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from config.catalogue import Catalogue, Common, Pilot
from config.settings import Pipeline as Settings
from periscope import spare_the_search_for_cycles
from pipeline.delivery.post import Post
from pipeline.model import Event, Touch, place_in_time
from pipeline.operations import Operations
from pipeline.periods import date_ns, iso, ordinal
from pipeline.run import Pipeline
from pipeline.store.sqlite import SQLiteStore

NS = 10**9
LAST = ordinal("2026-03-01")
SERVICES, CHANNELS = ("parking", "tours", "reports", "meetings"), ("app", "web", "kiosk", "desk")
GROUPS = ("citizen", "business", "academia", "government")
BUSY, YEAR, QUIET = 100_000, 5_000_000, 300
MONTH_DAYS, YEARS_DAYS, ROUNDS = 31, 1826, 5


def figures(year_events: int) -> dict[str, float | None]:
    """The keys of build/bench.json."""
    return {**_busy_day(), **_years(), **_full_year(year_events)}


def _busy_day() -> dict[str, float | None]:
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder), ["busy"])
        town.add("busy", range(LAST - MONTH_DAYS, LAST), 2000)
        town.add("busy", [LAST], BUSY)
        running = town.pipeline()
        town.work(running)
        day, after = zip(*(town.again(running, "busy", LAST) for _ in range(ROUNDS)), strict=True)
    print(
        f"pipeline: a day of {BUSY:,} events with one more: until the day, its week and its month are written "
        f"{median(day):.2f} s ({min(day):.2f} to {max(day):.2f}); then all periods that look back or ahead to it "
        f"{median(after):.2f} s",
        flush=True,
    )
    return {"pipeline.day_100k_s": round(median(day), 2)}


def _years() -> dict[str, float | None]:
    """The cost of the newest day with one month and with five years before it, and in between."""
    first, later, wholes = {}, {}, {}
    for days in (MONTH_DAYS, 365, YEARS_DAYS):
        with tempfile.TemporaryDirectory() as folder:
            town = Town(Path(folder), ["quiet"])
            town.add("quiet", range(LAST - days + 1, LAST + 1), QUIET)
            running = town.pipeline()
            town.work(running)
            taken = [town.again(running, "quiet", LAST) for _ in range(2 * ROUNDS)]
            wholes[days] = town.whole_s(running)
            first[days] = median(one for one, _ in taken)
            later[days] = median(other for _, other in taken) - wholes[days]
    print("pipeline: one more event on the newest day, ms, by days of history:")
    for days in first:
        print(
            f"  {days:5,} days: day, week and month {first[days] * 1000:4.0f}; then up to 61 days before, and release "
            f"{later[days] * 1000:4.0f}; the whole series {wholes[days] * 1000:4.0f}",
            flush=True,
        )
    return {
        "pipeline.day_cost_5y_over_1m": round(first[YEARS_DAYS] / first[MONTH_DAYS], 2),
        "pipeline.whole_series_5y_s": round(wholes[YEARS_DAYS], 2),
    }


def _full_year(events: int) -> dict[str, float | None]:
    names = [f"pilot{number}" for number in range(6)]
    a_day = events // (6 * 365)
    with tempfile.TemporaryDirectory() as folder:
        town = Town(Path(folder), names)
        for name in names:
            town.add(name, range(LAST - 364, LAST + 1), a_day)
        begin = time.perf_counter()
        town.work(town.pipeline())
        took = time.perf_counter() - begin
    stored = a_day * 6 * 365
    print(
        f"pipeline: one year of 6 pilots from nothing, {stored:,} events: {took:.0f} s, {stored / took:,.0f} events/s",
        flush=True,
    )
    return {"pipeline.full_year_events_per_s": round(stored / took), "pipeline.full_year_events": float(stored)}


class Town:
    """An embedded store with some pilots, and pipelines on it."""

    def __init__(self, folder: Path, names: list[str]) -> None:
        self.pilots = {name: _pilot(name) for name in names}
        self.catalogue = Catalogue(
            common=Common(disclosure_k=5), pilots=self.pilots, config_hash="bench", folder=Path(".")
        )
        self.store, self.operations = SQLiteStore(folder), Operations(folder / "operations.db")
        self.seq, self.more = 0, 0

    def add(self, name: str, days: range | list[int], a_day: int) -> None:
        for day in days:
            self.store.write(list(_events(name, day, a_day)))
        self._touch(name, *days)

    def again(self, running: Pipeline, name: str, day: int) -> tuple[float, float]:
        """Seconds until one more event of a day is in the periods that hold it, and from then on in all others."""
        self.more += 1
        self.store.write([next(_events(name, day, 1, salt=f"more{self.more}"))])
        self._touch(name, day)
        begin = time.perf_counter()
        running.step(hurry=True)
        first = time.perf_counter()
        self.work(running)
        return first - begin, time.perf_counter() - first

    def whole_s(self, running: Pipeline) -> float:
        """Seconds that the values of the whole series took last; they are put off to a twentieth of the time."""
        return next(iter(running.whole_cost_ns.values())) / NS

    def _touch(self, name: str, *days: int) -> None:
        self.seq += 1
        self.store.touch([Touch(pilot=name, day=iso(day), seq=self.seq) for day in days])

    def pipeline(self) -> Pipeline:
        spare_the_search_for_cycles(freeze=False)
        offset_ns = date_ns(iso(LAST + 40)) - time.perf_counter_ns()

        def clock() -> int:
            return offset_ns + time.perf_counter_ns()

        post = Post(self.operations, {}, clock)
        return Pipeline(self.store, self.catalogue, self.operations, Settings(), clock, post)

    def work(self, running: Pipeline) -> None:
        while running.step(hurry=True):
            pass


def _pilot(name: str) -> Pilot:
    feeds = [
        {"id": f"{stream}", "topic": f"pilots/{name}/{stream}/main", "stream": stream}
        for stream in ("usage", "engagement")
    ]
    return Pilot.model_validate({"slug": name, "name": name.title(), "country": "SE", "time_zone": "Europe/Stockholm",
                                 "feeds": feeds})  # fmt: skip


def _events(name: str, day: int, number: int, salt: str = "") -> Iterator[Event]:
    """Nine of ten events are use by a fifth as many people, who each have a group, a channel and two services."""
    order = random.Random(f"{name}{day}{salt}")
    start_ns = date_ns(iso(day)) + 6 * 3600 * NS
    for place in range(number):
        who, what = order.randrange(max(50, number // 5)), order.random()
        kind, stream = "action.performed", "usage"
        data: dict[str, object] = {"channel": CHANNELS[who % 4]}
        if what > 0.97:
            kind, stream, data = "contribution.made", "engagement", {"kind": "idea", "activity_id": f"a{day // 7}"}
        elif what > 0.94:
            kind, stream, data = "attendance", "engagement", {"activity_id": f"a{day // 7}"}
        elif what > 0.9:
            kind = "session.started"
        name_of = f"{name}-{day}-{place}-{salt}"
        yield Event(
            event_id=name_of,
            pilot=name,
            feed=stream,
            stream=stream,
            type=kind,
            time_ns=place_in_time(start_ns + place * 500_000_000, 1_000_000, name_of),
            actor_key=f"p{who}",
            actor_kind=GROUPS[who // 4 % 4],
            consent="cohort",
            service_id=SERVICES[(who // 16 + place % 2) % 4] if stream == "usage" else "",
            data=data,
        )
