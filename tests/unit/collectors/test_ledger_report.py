"""What a collector tells of each feed: all of docs/ledger.md, bounded, and read back as pages read it."""

import json
import re
from pathlib import Path
from typing import Any

import pytest

from collectors.clock_rules import Window
from collectors.dead_changes import purge
from collectors.dead_letters import Selection
from collectors.decoders.limits import parse
from collectors.ingest import Ingest
from collectors.ledger import DEAD
from collectors.ledger_report import MOST_BYTES, MOST_SAMPLES, LedgerReport
from collectors.message import Fault, RawMessage
from collectors.spool import Spool
from collectors.spool_day import Entry, Fate
from collectors.topics import Roster
from config.settings import Spool as SpoolSettings
from pipeline.feed_report import FeedReport, Gap, read
from pipeline.model import Event
from tests.schemas import against_schemas
from tests.unit.collectors.places import APP, NOW_NS, action, air, app, catalogue, pilot
from tests.unit.collectors.test_delivery import Bench

DOC = Path(__file__).parents[3] / "docs/ledger.md"
S = 1_000_000_000
MINUTE, HOUR = 60 * S, 3600 * S


def reported(roster: Roster, messages: list[tuple[str, bytes]], now_ns: int) -> dict[tuple[str, str], FeedReport]:
    """Each message as the store would have it, by pilot and feed."""
    found = {}
    for topic, payload in messages:
        assert against_schemas(payload) == []
        judged = Ingest(roster, Window()).judge(RawMessage(topic=topic, payload=payload, received_ns=now_ns))
        (event,) = judged.events
        report = read(event)
        assert report is not None
        assert (event.feed, event.stream) == ("collector", "ops")
        found[event.pilot, report.feed] = report
    return found


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, catalogue(pilot(app(consent="cohort"), air())))


class Telling:
    """A report on a bench, asked at the bench's time."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench
        self._report = LedgerReport("main", bench.roster, bench.spool)

    def now(self) -> dict[tuple[str, str], FeedReport]:
        return reported(self._bench.roster, self._report.changed(self._bench.now), self._bench.now)


def test_all_that_is_known_of_a_feed_comes_back(bench: Bench) -> None:
    telling = Telling(bench)
    bench.send(action("a", "2019-03-01T23:59:59Z"), action("a", "2019-03-01T23:59:59Z"))
    bench.now += 10 * S
    bench.send(b"bad body")
    bench.deliver()
    (report,) = telling.now().values()
    fates = {"dead_lettered": 1, "duplicate": 1, "points_in": 1, "points_written": 1, "received": 3, "written": 1}
    assert report.total == fates
    assert report.dead == {"decode:not_json": 1}
    assert list(report.days) == ["2019-03-02"]
    assert report.days["2019-03-02"].fates == fates
    assert report.last_received == "2019-03-02T00:00:10.000000Z"
    assert report.longest_gap == Gap(10.0, "2019-03-02T00:00:00.000000Z")
    assert report.latency_s is not None
    assert report.latency_s.p50 == pytest.approx(10, rel=0.13)
    assert report.skew_s is not None
    assert report.skew_s.median == pytest.approx(1, rel=0.13)
    (sample,) = report.samples
    assert (sample.letter, sample.code, sample.body, sample.count) == ("2019-03-02/3", "not_json", None, 1)


def test_a_body_is_in_the_sample_only_where_no_persons_are(tmp_path: Path) -> None:
    bench = Bench(tmp_path, catalogue(pilot(app())))
    bench.send(b"bad body")
    bench.deliver()
    ((_, report),) = Telling(bench).now().items()
    assert report.samples[0].body == "bad body"


def test_news_of_rejects_is_told_at_once_other_news_once_a_minute_and_all_once_an_hour(
    bench: Bench,
) -> None:
    telling = Telling(bench)
    bench.send(action("a"))
    bench.deliver()
    assert telling.now()
    bench.now += 10 * S
    bench.send(action("b"))
    bench.deliver()
    assert not telling.now()
    bench.send(b"bad")
    bench.deliver()
    assert telling.now()
    bench.send(action("c"))
    bench.deliver()
    bench.now += MINUTE - S
    assert not telling.now()
    bench.now += S
    assert telling.now()
    bench.now += HOUR - S
    assert not telling.now()
    bench.now += S
    assert telling.now()


def test_what_an_operator_purged_is_told_at_once_and_still_adds_up(bench: Bench) -> None:
    telling = Telling(bench)
    bench.send(b"one", b"two")
    bench.deliver()
    telling.now()
    purge(bench.spool, Selection(ids=(("2019-03-02", 1),)))
    (report,) = telling.now().values()
    assert report.dead == {"decode:not_json": 1, "purged": 1}
    assert report.total["dead_lettered"] == 2


def test_a_silence_over_midnight_belongs_to_the_day_that_ended_it(bench: Bench) -> None:
    bench.now = NOW_NS - HOUR
    bench.send(action("a"))
    bench.now = NOW_NS + 2 * HOUR
    bench.send(action("b"))
    bench.deliver()
    (report,) = Telling(bench).now().values()
    assert report.days["2019-03-01"].longest_gap is None
    assert report.days["2019-03-02"].longest_gap == Gap(10_800.0, "2019-03-01T23:00:00.000000Z") == report.longest_gap


def test_only_the_last_three_days_are_told_one_by_one(bench: Bench) -> None:
    for day in range(5):
        bench.now = NOW_NS + day * 24 * HOUR
        bench.send(action(f"e-{day}"))
    bench.deliver()
    (report,) = Telling(bench).now().values()
    assert list(report.days) == ["2019-03-04", "2019-03-05", "2019-03-06"]
    assert report.total["received"] == 5
    assert report.latency_s is not None
    assert report.latency_s.n == 3


def test_the_worst_case_stays_within_what_the_broker_and_our_decoder_take(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    topic, body = "pilots/bremen/usage/" + "\x01" * 2_000, "𝄞".encode() * 500
    faults = [Fault("validate", f"bad_field_{n}", "𝄞" * 512) for n in range(150)]
    for day in range(4):
        at = NOW_NS + day * 24 * HOUR
        spool.append([Entry(at, "bremen", "app", topic, body, fault=fault) for fault in faults])
        spool.append([Entry(at, "bremen", "app", APP, b"{}") for _ in range(30)])
        found, records = spool.pending(100) or ("", [])
        spool.mark(found, [Fate(r, 4, f"rule_{n}") for n, r in enumerate(records)], at)
    roster = Roster(catalogue(pilot(app())), "main")
    ((_, payload),) = LedgerReport("main", roster, spool).changed(NOW_NS + 96 * HOUR)
    assert len(payload) <= MOST_BYTES
    assert 0 < len(json.loads(payload)["data"]["samples"]) < MOST_SAMPLES, "else this is not the worst case"
    data = parse(payload)["data"]
    assert data["cut"] is True
    assert sum(data["dead"].values()) == data["total"]["dead_lettered"] == 600


def test_points_of_one_message_are_one_message_of_one_kind(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    spool.append([Entry(NOW_NS, "bremen", "app", APP, b"{}")])
    day, records = spool.pending(1) or ("", [])
    faults = tuple(Fault("write", "late", "no", str(n)) for n in range(9))
    spool.mark(day, [Fate(records[0], DEAD, points=9, points_dead=9, faults=faults)], NOW_NS)
    roster = Roster(catalogue(pilot(app())), "main")
    (report,) = reported(roster, LedgerReport("main", roster, spool).changed(NOW_NS), NOW_NS).values()
    assert report.dead == {"write:late": 1}


def test_the_example_of_the_page_is_what_pages_read() -> None:
    example: dict[str, Any] = json.loads(re.findall(r"```json\n(.*?)```", DOC.read_text(), re.DOTALL)[-1])
    roster = Roster(catalogue(pilot(app(), air())), "main")
    at = 1_795_660_800 * S
    told = reported(roster, [("periscope/ops/main/bremen", json.dumps(example).encode())], at)
    report = told["bremen", "air"]
    assert sum(report.dead.values()) == report.total["dead_lettered"]
    ends = sum(n for fate, n in report.total.items() if fate != "received" and not fate.startswith("points_"))
    assert report.total["received"] == ends


def test_every_field_is_on_the_page() -> None:
    text = DOC.read_text()
    assert [name for name in FeedReport.__struct_fields__ if f"`{name}`" not in text] == []


def test_what_is_no_report_is_passed_over() -> None:
    def event(**data: Any) -> Event:
        return Event(event_id="e", pilot="bremen", feed="collector", stream="ops", type="collector.ledger", time_ns=0,
                     data=data)  # fmt: skip

    assert read(event()) is None
    assert read(event(schema=2)) is None
    assert read(event(schema=1, collector="main")) is None
