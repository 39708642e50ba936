"""How soon, how skewed, how silent: counted in classes, in the transaction of the messages."""

import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors import timing
from collectors.spool import DIRECT, Spool
from config.settings import Spool as SpoolSettings
from pipeline.feed_report import Quantiles, Skew
from pipeline.model import Event
from tests.unit.collectors.places import NOW_NS, action, air, app, catalogue, pilot
from tests.unit.collectors.test_delivery import Bench
from tests.unit.collectors.test_spool import entry

S = 1_000_000_000


@pytest.fixture
def bench(tmp_path: Path) -> Bench:
    return Bench(tmp_path, catalogue(pilot(app(consent="cohort"), air())))


@given(st.integers(1_000_000, 10**14))
def test_a_class_is_right_to_thirteen_percent_both_ways(duration_ns: int) -> None:
    seconds = timing.seconds_of(timing.class_of(duration_ns))
    assert math.isclose(seconds, duration_ns / S, rel_tol=0.13)
    assert timing.seconds_of(timing.class_of(-duration_ns)) == -seconds


@pytest.mark.parametrize("duration_ns", [0, 999_999, -999_999])
def test_below_a_millisecond_is_nothing(duration_ns: int) -> None:
    assert timing.seconds_of(timing.class_of(duration_ns)) == 0.0


def event(time_ns: int, precision: str = "ms", rule: str = "payload") -> Event:
    return Event(event_id="e", pilot="bremen", feed="app", stream="usage", type="x", time_ns=time_ns,
                 time_precision=precision, time_rule=rule)  # fmt: skip


def test_only_events_with_a_time_of_their_own_tell_of_a_clock() -> None:
    events = [event(NOW_NS - 2 * S), event(NOW_NS, rule="receipt"), event(NOW_NS - 5 * S, "hour"),
              event(NOW_NS + 3 * S), event(NOW_NS - 90_000 * S)]  # fmt: skip
    found = timing.measured([("bremen", "app", NOW_NS, e) for e in events], NOW_NS + S // 10)
    latency = {k[3]: n for k, n in found.items() if k[2] == timing.LATENCY}
    assert latency == {timing.class_of(S // 10): 5}
    skews = {k[3]: n for k, n in found.items() if k[2] == timing.SKEW}
    assert skews == {timing.class_of(2 * S): 1, timing.class_of(-3 * S): 1}
    assert found["bremen", "app", timing.OLDER, 0] == 1


def test_the_offset_that_makes_a_time_unique_is_no_skew() -> None:
    found = timing.measured([("bremen", "app", NOW_NS + S, event(NOW_NS + 999_999_999, "s"))], NOW_NS + S)
    assert found["bremen", "app", timing.SKEW, timing.class_of(S)] == 1


def test_quantiles_and_skew_of_known_counts() -> None:
    ten, hundred, slow = (timing.class_of(n * 1_000_000) for n in (11, 110, 1100))
    classes = timing.Classes({ten: 90, hundred: 6, slow: 4})
    assert timing.quantiles(classes) == Quantiles(timing.seconds_of(ten), timing.seconds_of(hundred), 100)
    assert timing.quantiles(timing.Classes()) is None
    early = timing.class_of(-5 * S)
    assert timing.skew(timing.Classes({early: 1, ten: 2}), 3) == Skew(
        timing.seconds_of(ten), timing.seconds_of(early), timing.seconds_of(ten), 3, 3
    )
    assert timing.skew(timing.Classes(), 0) is None


def test_the_longest_silence_is_kept_with_its_beginning(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    for second in (0, 10, 11, 51, 60):
        spool.append([entry(received_ns=NOW_NS + second * S)])
    spool.append([entry(received_ns=NOW_NS + 70 * S), entry(received_ns=NOW_NS + 75 * S)])
    spool.append([entry(received_ns=NOW_NS + 500 * S, priority=DIRECT)])
    with spool.reading("2019-03-02") as connection:
        assert timing.heard(connection) == {
            ("bremen", "app"): timing.Heard(NOW_NS, NOW_NS + 75 * S, 40 * S, NOW_NS + 11 * S)
        }


def test_a_silence_inside_one_batch_counts_and_a_clock_set_back_is_no_silence(tmp_path: Path) -> None:
    spool = Spool(tmp_path, SpoolSettings(), lease=True)
    spool.append([entry(received_ns=NOW_NS + second * S) for second in (5, 6, 36, 37)])
    spool.append([entry(received_ns=NOW_NS + S)])
    with spool.reading("2019-03-02") as connection:
        (found,) = timing.heard(connection).values()
    assert found == timing.Heard(NOW_NS + 5 * S, NOW_NS + 37 * S, 30 * S, NOW_NS + 6 * S)


def test_delivery_counts_live_messages_once_and_replayed_ones_never(bench: Bench) -> None:
    from collectors.replay import replay

    bench.send(action("a", "2019-03-01T23:59:58Z"), b"bad")
    bench.now += 2 * S
    bench.deliver()
    replay(bench.spool, 0, bench.now)
    bench.now += 100 * S
    bench.deliver()
    with bench.spool.reading("2019-03-02") as connection:
        assert timing.read(connection) == {
            ("bremen", "app"): {"latency": {timing.class_of(2 * S): 1}, "skew": {timing.class_of(2 * S): 1}}
        }
