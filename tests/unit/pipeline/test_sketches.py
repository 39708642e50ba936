import pytest
from hypothesis import given
from hypothesis import strategies as st

from pipeline.sketches import NOBODY, OtherKeyEpoch, People, key_epoch, union

SETS = st.sets(st.integers(0, 60).map(str), max_size=40)
LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@given(SETS, SETS)
def test_algebra_over_sketches_is_that_of_sets(left: set[str], right: set[str]) -> None:
    one, other = People.of(left), People.of(right)
    assert (one | other).count == union([one, other]).count == len(left | right)
    assert (one & other).count == len(left & right)
    assert (one - other).count == len(left - right)
    assert one.exact
    assert (one | other).exact


@given(SETS)
def test_a_set_comes_back_from_its_text(keys: set[str]) -> None:
    people = People.of(keys)
    back = People.load(people.dump())
    assert back.count == len(keys)
    assert (back - people).nobody
    assert (people - back).nobody
    assert back.dump() == people.dump()


def test_the_text_does_not_depend_on_the_order_of_people() -> None:
    keys = [str(number) for number in range(500)]
    assert People.of(keys).dump() == People.of(reversed(keys)).dump()


def test_4096_people_are_counted_exactly_and_more_with_bounds() -> None:
    exact = People.of(str(number) for number in range(4096))
    assert exact.exact
    assert exact.count == 4096
    assert exact.bounds == (4096, 4096)
    many = People.of(str(number) for number in range(20_000))
    assert not many.exact
    low, high = many.bounds
    assert low < 20_000 < high


def test_people_of_two_keys_are_never_combined() -> None:
    first, second = People.of(["k1" + LETTERS]), People.of(["k2" + LETTERS])
    for combine in (
        lambda: first | second,
        lambda: first & second,
        lambda: first - second,
        lambda: union([first, second]),
    ):
        with pytest.raises(OtherKeyEpoch):
            combine()
    assert (first | NOBODY).count == (NOBODY | first).count == 1


def test_a_day_with_two_keys_refuses_every_question() -> None:
    mixed = People.load(People.of(["k1" + LETTERS, "k2" + LETTERS]).dump())
    for ask in (lambda: mixed.count, lambda: mixed | NOBODY, lambda: NOBODY - mixed, lambda: mixed.exact):
        with pytest.raises(OtherKeyEpoch):
            ask()


def test_the_key_id_stands_before_26_letters() -> None:
    assert (key_epoch("2026a" + LETTERS), key_epoch("17")) == ("2026a", "")


def test_there_is_no_way_to_add_people() -> None:
    with pytest.raises(TypeError):
        People.of(["1"]) + People.of(["2"])  # type: ignore[operator]
    with pytest.raises(TypeError):
        sum([People.of(["1"])])  # type: ignore[list-item]


def test_an_estimate_of_nobody_counts_as_nobody_and_keeps_its_uncertainty() -> None:
    many = People.of(str(number) for number in range(20_000))
    left = many - People.of(str(number) for number in range(20_001))
    assert (left.count, left.nobody, left.exact) == (0, True, False)
    assert left.bounds[1] > 0
    assert People.load(left.dump()).bounds == left.bounds
    assert not (People.of(["one"]) | left).exact
