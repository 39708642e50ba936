"""A transaction is whole or not at all, and leaves nothing open behind it."""

import sqlite3

import pytest

from pipeline.sqlite_writing import transaction


@pytest.fixture
def database() -> sqlite3.Connection:
    connection = sqlite3.connect(":memory:", isolation_level=None)
    connection.execute("CREATE TABLE t(n INTEGER PRIMARY KEY)")
    return connection


@pytest.mark.parametrize("error", [KeyError("own"), KeyboardInterrupt()])
def test_after_an_error_nothing_is_there_and_the_next_transaction_can_begin(
    database: sqlite3.Connection, error: BaseException
) -> None:
    def break_off() -> None:
        with transaction(database):
            database.execute("INSERT INTO t VALUES (1)")
            raise error

    with pytest.raises(type(error)):
        break_off()
    with transaction(database) as same:
        same.execute("INSERT INTO t VALUES (2)")
    assert database.execute("SELECT n FROM t").fetchall() == [(2,)]


def test_one_that_sqlite_ended_by_itself_is_told_by_its_own_error(database: sqlite3.Connection) -> None:
    def collide() -> None:
        with transaction(database):
            database.execute("INSERT INTO t VALUES (1)")
            database.execute("INSERT OR ROLLBACK INTO t VALUES (1)")

    with pytest.raises(sqlite3.IntegrityError):
        collide()
    assert database.execute("SELECT count(*) FROM t").fetchone() == (0,)
