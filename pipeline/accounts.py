"""Who may sign in: accounts with a role and, if limited, their pilots, in the operational database.

Promises: a password is kept as argon2id alone; checking one costs the same whether the account exists or not; there is
no account until somebody adds one. Tries to sign in are counted before the password is looked at, so that tries at
the same moment are counted too. Every method may be called from any thread, and by several processes at once.
"""

import re
import unicodedata
from collections.abc import Iterable, Sequence
from functools import cached_property
from threading import BoundedSemaphore
from typing import Any, Final

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerifyMismatchError

from config.roles import Role
from pipeline.model import NS_PER_S
from pipeline.operations import Operations

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 256
TRIES: Final = 5
TRIES_WINDOW_S: Final = 15 * 60
LOCAL: Final = "local"
_NAME: Final = re.compile(r"[a-z][a-z0-9._@-]{1,62}")
_SELECT: Final = "SELECT id, source, subject, name, role, pilots, disabled, made_ns FROM account"


class AccountRefused(Exception):
    """The account cannot be made or changed like that; the sentence says why and what to do."""


class Account(msgspec.Struct, frozen=True):
    """`source` is "local", "oidc" or "proxy"; `subject` is its name there; `pilots` None means every pilot."""

    id: int
    source: str
    subject: str
    name: str
    role: Role
    pilots: frozenset[str] | None
    disabled: bool
    made_ns: int

    def who(self) -> str:
        """How the audit names this account."""
        return f"{self.id} {self.name}"


class Accounts:
    """The accounts of one operational database."""

    def __init__(self, operations: Operations, hasher: PasswordHasher | None = None) -> None:
        self.operations = operations
        self._hasher = hasher or PasswordHasher()
        # Each check takes 64 MiB; many at once would let a flood of tries use up the memory.
        self._turn = BoundedSemaphore(2)

    # Made and changed from the command line

    def add(self, name: str, password: str, role: Role, pilots: Iterable[str] | None, now_ns: int) -> Account:
        """A new local account."""
        if not _NAME.fullmatch(name):
            raise AccountRefused(
                f"{name!r} is no name for an account: use 2 to 63 of a-z, 0-9, '.', '_', '@' and '-', a letter first"
            )
        hashed = self._hash(name, password)
        with self.operations.transaction() as db:
            made = db.execute(
                "INSERT OR IGNORE INTO account (source, subject, name, role, pilots, password, made_ns) "
                "VALUES (?,?,?,?,?,?,?)",
                (LOCAL, name, name, role, _written(pilots), hashed, now_ns),
            )
            number = made.lastrowid if made.rowcount else None
        if number is None:
            raise AccountRefused(
                f"there is an account {name} already; `periscope users reset {name}` gives it a new password"
            )
        return self.numbered(number)

    def every(self) -> list[Account]:
        """Every account, in the order in which they were made."""
        return [_account(row) for row in self.operations.read(f"{_SELECT} ORDER BY id")]

    def numbered(self, number: int) -> Account:
        """The account with this number."""
        return _account(self.operations.read(f"{_SELECT} WHERE id = ?", (number,))[0])

    def named(self, name: str) -> Account:
        """The one account with this number, else with this name."""
        every = self.every()
        found = [one for one in every if str(one.id) == name] or [one for one in every if one.name == name]
        if len(found) == 1:
            return found[0]
        if not found:
            raise AccountRefused(f"there is no account {name}; `periscope users list` shows all")
        raise AccountRefused(
            f"there are {len(found)} accounts {name}; give the number that `periscope users list` shows"
        )

    def disable(self, name: str, disabled: bool = True) -> Account:
        """Let nobody in by this account, and end its sessions; or let it in again."""
        return self._change(name, "UPDATE account SET disabled = ? WHERE id = ?", disabled)

    def reset(self, name: str, password: str) -> Account:
        """Give a local account a new password, and end its sessions."""
        account = self.named(name)
        if account.source != LOCAL:
            raise AccountRefused(f"the password of {account.name} is kept by {account.source}; change it there")
        return self._change(name, "UPDATE account SET password = ? WHERE id = ?", self._hash(account.name, password))

    def change(self, name: str, role: Role, pilots: Iterable[str] | None) -> Account:
        """Give an account another role and other pilots, and end its sessions."""
        return self._change(name, "UPDATE account SET role = ?, pilots = ? WHERE id = ?", role, _written(pilots))

    def _change(self, name: str, statement: str, *values: object) -> Account:
        account = self.named(name)
        with self.operations.transaction() as db:
            db.execute(statement, (*values, account.id))
            db.execute("DELETE FROM session WHERE account = ?", (account.id,))
        return self.numbered(account.id)

    # Asked by the dashboard

    def exist(self) -> bool:
        """True as soon as somebody could be asked for a password, also when all accounts are disabled."""
        return bool(self.operations.read("SELECT EXISTS (SELECT 1 FROM account WHERE source = ?)", (LOCAL,))[0][0])

    def from_elsewhere(
        self, source: str, subject: str, name: str, role: Role, pilots: Iterable[str] | None, now_ns: int
    ) -> Account | None:
        """The account of somebody that a provider or proxy vouches for, as it says now; None when disabled here."""
        rows = self.operations.read(f"{_SELECT} WHERE source = ? AND subject = ?", (source, subject))
        if rows and tuple(rows[0][3:6]) == (name, role, _written(pilots)):
            return None if rows[0][6] else _account(rows[0])
        with self.operations.transaction() as db:
            db.execute(
                "INSERT INTO account (source, subject, name, role, pilots, made_ns) VALUES (?,?,?,?,?,?) "
                "ON CONFLICT (source, subject) DO UPDATE SET name = excluded.name, role = excluded.role, "
                "pilots = excluded.pilots",
                (source, subject, name, role, _written(pilots), now_ns),
            )
            row = db.execute(f"{_SELECT} WHERE source = ? AND subject = ?", (source, subject)).fetchone()
        account = _account(row)
        return None if account.disabled else account

    def check(self, name: str, password: str) -> Account | None:
        """The local account with this name and password; None for any other, after the same work."""
        rows = self.operations.read(
            "SELECT id, password, disabled FROM account WHERE source = ? AND subject = ?", (LOCAL, name)
        )
        number, hashed, disabled = rows[0] if rows else (0, self._decoy, True)
        with self._turn:
            try:
                self._hasher.verify(hashed, _plain(password))
            except (VerifyMismatchError, InvalidHashError):
                return None
        if disabled:
            return None
        if self._hasher.check_needs_rehash(hashed):
            self._keep(number, self._hasher.hash(_plain(password)))
        return self.numbered(number)

    def begin_try(self, keys: Sequence[str], now_ns: int) -> list[int] | None:
        """Count a try to sign in under each key; None when one of them had too many in the last minutes."""
        since = now_ns - TRIES_WINDOW_S * NS_PER_S
        with self.operations.transaction() as db:
            db.execute("DELETE FROM sign_in_try WHERE at_ns <= ?", (since,))
            for key in keys:
                if db.execute("SELECT count(*) FROM sign_in_try WHERE key = ?", (key,)).fetchone()[0] >= TRIES:
                    return None
            return [
                db.execute("INSERT INTO sign_in_try (key, at_ns) VALUES (?,?)", (key, now_ns)).lastrowid or 0
                for key in keys
            ]

    def forget_try(self, tries: Sequence[int]) -> None:
        """A try succeeded, so it does not count."""
        with self.operations.transaction() as db:
            db.executemany("DELETE FROM sign_in_try WHERE id = ?", [(one,) for one in tries])

    @cached_property
    def _decoy(self) -> str:
        return self._hasher.hash("nobody has this password")

    def get_ready(self) -> None:
        """Make what the first check of an unknown name would otherwise make, and so be slower by."""
        _ = self._decoy

    def _hash(self, name: str, password: str) -> str:
        plain = _plain(password)
        if not SHORTEST_PASSWORD <= len(plain) <= LONGEST_PASSWORD:
            raise AccountRefused(
                f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters; a few words "
                "that belong together for nobody else make a good one"
            )
        if len(set(plain)) < 5 or name in plain.lower():
            raise AccountRefused(
                "a password repeats neither the account's name nor the same few characters; choose another"
            )
        return self._hasher.hash(plain)

    def _keep(self, number: int, hashed: str) -> None:
        with self.operations.transaction() as db:
            db.execute("UPDATE account SET password = ? WHERE id = ?", (hashed, number))


def _plain(password: str) -> str:
    """The same password whatever keyboard and system it was typed on."""
    return unicodedata.normalize("NFKC", password)


def _written(pilots: Iterable[str] | None) -> str | None:
    return None if pilots is None else ",".join(sorted(pilots))


def _account(row: tuple[Any, ...]) -> Account:
    pilots = None if row[5] is None else frozenset(filter(None, row[5].split(",")))
    return Account(row[0], row[1], row[2], row[3], row[4], pilots, bool(row[6]), row[7])
