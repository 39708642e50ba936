"""Erasure end to end on each store: the same events stay, whatever step was cut off, and nothing comes back."""

from contextlib import suppress
from pathlib import Path

import pytest

from pipeline.store.port import Store
from tests.unit.collectors.test_erasure import HERS, HIS, Cut, Town, act


@pytest.mark.parametrize("cut", ["", "job", "store", "touch"])
def test_what_is_stored_equals_a_world_without_her(store: Store, tmp_path: Path, cut: str) -> None:
    town, without = Town(tmp_path / "town", store), Town(tmp_path / "without")
    sent = [(number, [HERS, HIS, None][number % 3]) for number in range(12)]
    town.send(*(act(*one) for one in sent))
    town.deliver()
    without.send(*(act(*one) for one in sent if one[1] != HERS))
    without.deliver()
    if cut:
        with suppress(Cut):
            town.erase(cut)
    town.erase()
    assert town.stored() == without.stored()
    town.send(*(act(*one) for one in sent))
    town.deliver()
    assert town.stored() == without.stored()
    assert town.fates()["dropped:erased"] == 4
    town.adds_up()
    town.end()
    without.end()


def test_the_events_of_one_person_are_found_without_a_change(store: Store, tmp_path: Path) -> None:
    town = Town(tmp_path, store)
    town.send(act(1, HERS), act(2, HIS), act(4, HERS))
    town.deliver()
    found = store.of_actor("bremen", HERS)
    assert [event.actor_key for event in found] == [HERS, HERS]
    assert store.of_actor("bremen", HERS) == found
    assert store.of_actor("malmo", HERS) == []
    town.end()
