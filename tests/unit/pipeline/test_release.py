from hypothesis import given
from hypothesis import strategies as st

from pipeline.indicators.measure import Measure, of_people, of_share
from pipeline.release import hidden
from pipeline.sketches import People
from tests.unit.pipeline.making import City, Clock, act, event, pilot


def visits(number: int, segment: str = "") -> Measure:
    return Measure(value=float(number), n=number, dim="stage" if segment else "", segment=segment, people=(number,))


@given(st.integers(0, 20), st.integers(0, 12))
def test_counts_of_one_to_k_minus_one_people_are_hidden_and_no_others(count: int, k: int) -> None:
    measure = of_people(People.of(str(number) for number in range(count)))
    assert (hidden([measure], k) == {0}) == (1 <= count < k)


def test_a_rate_is_hidden_with_its_numerator_or_its_number_of_people() -> None:
    three, many = People.of("abc"), People.of(str(number) for number in range(30))
    assert hidden([of_share(three, 30)], 5) == {0}
    assert hidden([of_share(People.of([]), 3)], 5) == {0}
    assert hidden([of_share(many, 40)], 5) == set()
    assert hidden([of_share(many, 3000, 1000, show_n=False)], 5) == set()


def test_a_single_hidden_part_takes_the_smallest_other_part_with_it() -> None:
    row = [visits(33), visits(3, "a"), visits(10, "b"), visits(20, "c")]
    assert hidden(row, 5) == {1, 2}


def test_two_hidden_parts_protect_each_other() -> None:
    assert hidden([visits(26), visits(3, "a"), visits(3, "b"), visits(20, "c")], 5) == {1, 2}


def test_a_hidden_value_leaves_no_number_behind() -> None:
    city = City(pilot(), Clock("2027-01-01T00:00:00"), k=5)
    city.add([act("2026-03-01T10:00:00", one) for one in "abc"])
    city.add([event("attendance", "2026-03-01T11:00:00", one, data={"activity_id": "w"}) for one in "abcd"])
    city.add([event("activity.held", "2026-03-01T11:00:00", data={"activity_id": "w", "attendance": 4})])
    city.work()
    from pipeline.answers import Answers

    answers = Answers(city.store, city.catalogue, city.operations)
    for period in ("day", "all", "chosen"):
        found = {one.indicator: one for one in answers.values(["test"], None, period) if one.dim == ""}
        for key in (
            "people",
            "new-people",
            "active-7",
            "returned-day-1",
            "retention-days-1-7",
            "attendance",
            "participants-who-use",
            "core-actions-per-person",
        ):
            one = found[key]
            assert (one.value, one.n, one.lower, one.upper) == (None, None, None, None) or one.value == 0, one
            assert one.status == "suppressed" or one.value == 0, one
    [activity] = answers.activities("test")
    assert activity.attendance is None
    assert "attendance" not in activity.details
