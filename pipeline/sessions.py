"""Who is signed in: sessions that the server keeps, and sign-ins that a provider has not answered yet.

Promises: only hashes of identifiers are kept, so that a copy of the file opens nothing; a session ends when its account
is disabled or changed, after the idle time, and after the absolute time; an answer of a provider is taken once.
"""

import hashlib
import secrets
from typing import Any, Final

import msgspec

from pipeline.accounts import Account, Accounts
from pipeline.model import NS_PER_S

HANDSHAKE_S: Final = 10 * 60
_MOST_HANDSHAKES: Final = 10_000
# "Last seen" is written at most this often within the idle time, so that reading pages seldom writes.
_STEPS: Final = 30


class Handshake(msgspec.Struct, frozen=True):
    """What must come back from a provider as it was sent, and where the reader wanted to go."""

    nonce: str
    verifier: str
    goal: str


class Sessions:
    """Sessions of the accounts; `idle_s` and `longest_s` are the two limits."""

    def __init__(self, accounts: Accounts, idle_s: int = 30 * 60, longest_s: int = 12 * 3600) -> None:
        self._accounts, self._operations = accounts, accounts.operations
        self._idle_ns, self._longest_ns = idle_s * NS_PER_S, longest_s * NS_PER_S

    def open(self, account: Account, now_ns: int) -> str:
        """A new session; what is returned goes into the cookie and is kept nowhere else."""
        identifier = secrets.token_urlsafe(32)
        with self._operations.transaction() as db:
            db.execute("DELETE FROM session WHERE made_ns <= ?", (now_ns - self._longest_ns,))
            db.execute(
                "INSERT INTO session (id_hash, account, made_ns, seen_ns) VALUES (?,?,?,?)",
                (_hash(identifier), account.id, now_ns, now_ns),
            )
        return identifier

    def find(self, identifier: str, now_ns: int, doing: bool = True) -> Account | None:
        """Whose session this is, None when it has ended. `doing` is whether the reader did something just now."""
        row = self._row(identifier)
        if row is None:
            return None
        number, made_ns, seen_ns = row
        if now_ns - made_ns >= self._longest_ns or now_ns - seen_ns >= self._idle_ns:
            self.end(identifier)
            return None
        account = self._accounts.numbered(number)
        if account.disabled:
            return None
        if doing and now_ns - seen_ns >= self._idle_ns // _STEPS:
            with self._operations.transaction() as db:
                db.execute(
                    "UPDATE session SET seen_ns = max(seen_ns, ?) WHERE id_hash = ?", (now_ns, _hash(identifier))
                )
        return account

    def end(self, identifier: str) -> None:
        """End a session; one that is over already is no error."""
        with self._operations.transaction() as db:
            db.execute("DELETE FROM session WHERE id_hash = ?", (_hash(identifier),))

    def _row(self, identifier: str) -> tuple[Any, ...] | None:
        rows = self._operations.read(
            "SELECT account, made_ns, seen_ns FROM session WHERE id_hash = ?", (_hash(identifier),)
        )
        return rows[0] if rows else None

    # Sign-ins that went to a provider

    def begin_handshake(self, state: str, browser: str, shake: Handshake, now_ns: int) -> None:
        """Keep what belongs to a state, for the browser that was sent away with it."""
        with self._operations.transaction() as db:
            db.execute(
                "DELETE FROM handshake WHERE made_ns <= ? OR state_hash IN (SELECT state_hash FROM handshake "
                "ORDER BY made_ns DESC LIMIT -1 OFFSET ?)",
                (now_ns - HANDSHAKE_S * NS_PER_S, _MOST_HANDSHAKES),
            )
            db.execute(
                "INSERT INTO handshake (state_hash, browser_hash, body, made_ns) VALUES (?,?,?,?)",
                (_hash(state), _hash(browser), msgspec.json.encode(shake).decode(), now_ns),
            )

    def end_handshake(self, state: str, browser: str, now_ns: int) -> Handshake | None:
        """What belongs to a state; None when it is unknown, of another browser, too old, or was asked for before."""
        since = now_ns - HANDSHAKE_S * NS_PER_S
        with self._operations.transaction() as db:
            row = db.execute(
                "DELETE FROM handshake WHERE state_hash = ? AND browser_hash = ? AND made_ns > ? RETURNING body",
                (_hash(state), _hash(browser), since),
            ).fetchone()
        return msgspec.json.decode(row[0], type=Handshake) if row else None


def _hash(identifier: str) -> str:
    return hashlib.sha256(identifier.encode("utf-8", "replace")).hexdigest()
