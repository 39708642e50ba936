"""The release before a pilot has a day: nothing is decided, and nothing fails."""

from pipeline.release_book import Book
from pipeline.store.sqlite import SQLiteStore
from tests.unit.pipeline.making import City, Clock, pilot


def test_nothing_is_decided_before_there_is_a_day() -> None:
    from pipeline.history import History
    from pipeline.rows import Shelf

    city = City(pilot(), Clock("2026-12-31T12:00"), k=5)
    history = History(city.pilot, Shelf(SQLiteStore(":memory:"), "test"))
    decided = Book(history, city.clock(), 5).everything()
    assert {family: one.points for family, one in decided.items()} == dict.fromkeys(decided, ())


def test_no_parts_are_told_before_there_is_a_day() -> None:
    from pipeline.history import History
    from pipeline.rows import Shelf

    city = City(pilot(), Clock("2026-12-31T12:00"), k=5)
    history = History(city.pilot, Shelf(SQLiteStore(":memory:"), "test"))
    assert Book(history, city.clock(), 5).parts("channel") == {}
