"""Writing to SQLite: one transaction, and many rows by few statements.

Promises: what a transaction does is there whole or not at all, and none is left open; rows are inserted in order, as
one statement per row would. A statement for many rows costs half the processor time, and gives up the interpreter's
lock once for all of them: with one statement per row, a thread beside would make each row wait for its turn.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import chain
from typing import Any, Final

_AT_ONCE: Final = (250, 25)  # at ten columns far below SQLite's limit of 32,766 values


@contextmanager
def transaction(connection: sqlite3.Connection) -> Iterator[sqlite3.Connection]:
    """Everything that the block does with the connection, or nothing; no other writes meanwhile."""
    connection.execute("BEGIN IMMEDIATE")
    try:
        yield connection
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:  # a full disk has ended it by itself
            connection.execute("ROLLBACK")
        raise


class Rows:
    """The statement `before` VALUES `row`, ... `after`, for any number of rows; all three are constants."""

    def __init__(self, before: str, row: str, after: str = "") -> None:
        self._one = f"{before} VALUES {row} {after}"
        self._many = [(n, f"{before} VALUES {','.join([row] * n)} {after}") for n in _AT_ONCE]

    def insert(self, connection: sqlite3.Connection, rows: Sequence[Sequence[Any]]) -> None:
        """Inside the caller's transaction."""
        at = 0
        for number, statement in self._many:
            while len(rows) - at >= number:
                connection.execute(statement, list(chain.from_iterable(rows[at : at + number])))
                at += number
        if at < len(rows):
            connection.executemany(self._one, rows[at:])
