"""The collector as its real process, killed while messages flow: none lost, none doubled, whichever store.

An id counts from its PUBACK on. Every fifth end is between commit and acknowledgement, where a redelivery must follow.
A build that acknowledges before its commit has to fail the same judgement.
"""

import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos import judgement
from tests.chaos.f01_kill import ENDED_ITSELF, KILLED, kill_and_flow
from tests.chaos.harness import Place
from tests.services.process import wait_until


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    with Place(tmp_path, lambda: request.getfixturevalue("influx")) as place:
        yield place


@pytest.mark.parametrize("store", ["sqlite", "influx"])
def test_twenty_kills_lose_and_double_nothing(place: Place, store: str) -> None:
    total, ends = 50_000, 20
    oracle = place.begin(store=store).oracle(total, rate=1500)
    seed = random.SystemRandom().randrange(2**32)
    print(f"seed {seed}")
    codes, others = kill_and_flow(place, oracle, ends, random.Random(seed), others=store == "influx")
    found = judgement.settle(place, oracle)
    assert (found.lost, found.spurious, found.corrupted, found.problems) == ([], [], [], [])
    assert len(oracle.acked) == total + 1
    assert sorted(set(codes)) == [KILLED, ENDED_ITSELF]
    assert found.duplicates_seen >= 1, "no redelivery was seen, so the way of repeats was not tried"
    assert others == (6 if store == "influx" else 0)


def test_a_build_that_acknowledges_before_its_commit_is_caught(place: Place) -> None:
    oracle = place.begin().oracle(6000, rate=1500)
    codes, _ = kill_and_flow(place, oracle, 3, random.Random(1), others=False, early=True)
    place.start()
    oracle.finish(60)
    wait_until(lambda: place.totals()["received"] > 0 and place.totals()["pending"] == 0, 60, "draining")
    place.collector.stop()
    assert set(codes) == {ENDED_ITSELF}
    assert judgement.judge(place, oracle).lost, "the judgement must see what an early acknowledgement loses"
