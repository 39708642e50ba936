"""What the reader chose ⇄ the address bar; the query string is untrusted."""

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dashboard.selection import PERIODS, SCALES, SPANS, Choices, Selection

CHOICES = Choices(("athens", "bremen", "genoa"), ("people", "contributions"))
DAYS = st.dates(date(1970, 1, 1), date(2199, 12, 31)).map(lambda day: day.isoformat())


def subsets(of: tuple[str, ...]) -> st.SearchStrategy[tuple[str, ...]]:
    return st.sets(st.sampled_from(of), max_size=len(of) - 1).map(
        lambda found: tuple(one for one in of if one in found)
    )


@st.composite
def selections(draw: st.DrawFn) -> Selection:
    custom = draw(st.booleans())
    first, last = sorted([draw(DAYS), draw(DAYS)])
    return Selection(
        pilots=draw(subsets(CHOICES.pilots)),
        span="custom" if custom else draw(st.sampled_from([*SPANS, "all"])),
        start=first if custom else None,
        end=last if custom else None,
        period=draw(st.sampled_from(PERIODS)),
        indicators=draw(subsets(CHOICES.indicators)),
        scale=draw(st.sampled_from(SCALES)),
        pilot=draw(st.sampled_from(["", *CHOICES.pilots])),
    )


@given(selections())
def test_a_selection_comes_back_from_its_own_query_string(selection: Selection) -> None:
    assert Selection.from_query(selection.to_query(), CHOICES) == selection


@given(st.text() | st.binary().map(lambda raw: raw.decode("latin-1")) | st.none() | st.integers())
def test_no_query_string_raises(query: object) -> None:
    found = Selection.from_query(query, CHOICES)
    assert set(found.pilots) <= set(CHOICES.pilots)
    assert Selection.from_query(found.to_query(), CHOICES) == found


def test_the_default_selection_leaves_the_address_clean() -> None:
    assert Selection().to_query() == ""


def test_choosing_every_pilot_is_the_default() -> None:
    assert Selection.from_query("?pilots=athens,bremen,genoa", CHOICES) == Selection()


@pytest.mark.parametrize(
    "query",
    [
        "?pilots=atlantis", "?pilots=", "?span=3000w", "?period=hour", "?scale=rank", "?indicators=__class__",
        "?start=2026-02-30&end=2026-03-01", "?start=0001-01-01&end=9999-12-31",
        "?start=2026-03-02&end=2026-03-01", "?start=2026-03-01", "?pilot=atlantis",
        "?pilots[]=athens", "?%00", "?" + "a=1&" * 500, "?pilots=" + "athens," * 5000,
    ],
)  # fmt: skip
def test_what_is_unknown_is_dropped(query: str) -> None:
    assert Selection.from_query(query, CHOICES) == Selection()


def test_what_is_known_survives_beside_what_is_not() -> None:
    found = Selection.from_query("?pilots=genoa,atlantis,athens&period=month&scale=rank", CHOICES)
    assert found == Selection(pilots=("athens", "genoa"), period="month")


def test_dates_win_over_a_span() -> None:
    found = Selection.from_query("?span=4w&start=2026-01-01&end=2026-01-31", CHOICES)
    assert found.bounds(("2025-01-01", "2026-05-12")) == ("2026-01-01", "2026-01-31")


def test_a_span_ends_on_the_last_day_with_data() -> None:
    assert Selection(span="4w").bounds(("2017-01-01", "2019-03-31")) == ("2019-03-04", "2019-03-31")


def test_all_is_everything_known_and_nothing_known_is_none() -> None:
    assert Selection(span="all").bounds(("2017-01-01", "2019-03-31")) == ("2017-01-01", "2019-03-31")
    assert Selection().bounds(None) is None
