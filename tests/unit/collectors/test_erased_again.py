"""Whoever was erased is found again wherever a backup brings them back, and nobody else is."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from collectors.erased_again import returned
from collectors.tombstones import Tombstones
from pipeline.model import Touch
from tests.unit.collectors.places import action
from tests.unit.collectors.test_erasure import CITIES, HERS, HIS, Town, act

BREMEN = CITIES.pilots["bremen"]


@pytest.fixture
def town(tmp_path: Path) -> Iterator[Town]:
    town = Town(tmp_path)
    yield town
    town.end()


def back(town: Town) -> list[str]:
    return returned(BREMEN, town.store, [town.spool], None, Tombstones(town.folder))


def stone(town: Town, who: str = HERS) -> None:
    Tombstones(town.folder).begin("bremen", who, 1)


def test_nobody_is_found_before_anybody_was_erased(town: Town) -> None:
    town.send(act(1, HERS), act(2, HIS))
    town.deliver()
    assert back(town) == []
    stone(town, "k1SOMEBODY0000000000000ELSE")
    assert back(town) == []


def test_she_is_found_in_the_store_alone(town: Town) -> None:
    town.send(act(1, HERS), act(2, HIS), act(3, None))
    town.deliver()
    kept = town.stored()
    town.erase()
    assert back(town) == []
    town.store.write(kept)
    town.store.touch([Touch(pilot="bremen", day="2019-03-01", seq=5)])
    assert back(town) == [HERS]


@pytest.mark.parametrize(
    "payload",
    [
        act(1, HERS),  # waits for delivery
        b'{"actor_key": "' + HERS.encode(),  # cannot be read, so that it becomes a dead letter
        action("e-1", service_id=7, actor_key=HERS, consent="cohort").replace(HERS[:2].encode(), b"\\u006b1"),
    ],
)
@pytest.mark.parametrize("delivered", [False, True])
def test_she_is_found_in_the_journal_and_the_dead_letters(town: Town, payload: bytes, delivered: bool) -> None:
    town.send(payload, act(2, HIS))
    if delivered:
        town.deliver()
    stone(town)
    assert back(town) == [HERS]
