"""Accounts, sessions and the audit, as kept in the operational database."""

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from argon2 import PasswordHasher

from pipeline.accounts import TRIES, AccountRefused, Accounts
from pipeline.migrations import MIGRATIONS, statements
from pipeline.operations import Operations
from pipeline.sessions import Handshake, Sessions

PASSWORD = "correct horse battery"
MINUTE = 60 * 10**9


@pytest.fixture
def accounts(tmp_path: Path) -> Iterator[Accounts]:
    with closing(Operations(tmp_path / "operations.db")) as operations:
        yield Accounts(operations, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))


def test_a_password_is_kept_as_argon2id_and_nowhere_in_the_clear(tmp_path: Path) -> None:
    with closing(Operations(tmp_path / "operations.db")) as operations:
        accounts = Accounts(operations)
        accounts.add("anna", PASSWORD, "admin", None, 1)
        (hashed,) = operations.read("SELECT password FROM account")[0]
        assert hashed.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
        assert accounts.check("anna", PASSWORD) is not None
    assert not [path for path in tmp_path.iterdir() if PASSWORD.encode() in path.read_bytes()]


def test_a_hash_of_weaker_parameters_is_made_anew_at_the_next_sign_in(accounts: Accounts) -> None:
    accounts.add("anna", PASSWORD, "admin", None, 1)
    strong = Accounts(accounts.operations, PasswordHasher(time_cost=2, memory_cost=128, parallelism=1))
    assert strong.check("anna", PASSWORD) is not None
    assert "m=128,t=2" in accounts.operations.read("SELECT password FROM account")[0][0]
    assert strong.check("anna", PASSWORD) is not None


@pytest.mark.parametrize(
    "password", ["", "short", "eleven char", "x" * 257, "aaaaaaaaaaaaaaaa", "abababababab", "anna is my name"]
)
def test_a_weak_password_is_refused_in_a_sentence(accounts: Accounts, password: str) -> None:
    with pytest.raises(AccountRefused, match="password"):
        accounts.add("anna", password, "viewer", None, 1)
    assert not accounts.exist()


def test_a_password_is_the_same_however_its_letters_are_composed(accounts: Accounts) -> None:
    accounts.add("anna", "caf\u00e9 au lait noir", "viewer", None, 1)
    assert accounts.check("anna", "cafe\u0301 au lait noir") is not None


@pytest.mark.parametrize("name", ["", "a", "Anna", "7", "anna\nroot", "anna b", "-anna", "a" * 64, "ännä"])
def test_a_name_that_could_be_mistaken_is_refused(accounts: Accounts, name: str) -> None:
    with pytest.raises(AccountRefused, match="name for an account"):
        accounts.add(name, PASSWORD, "viewer", None, 1)


def test_a_name_is_given_once(accounts: Accounts) -> None:
    accounts.add("anna", PASSWORD, "viewer", None, 1)
    with pytest.raises(AccountRefused, match="already"):
        accounts.add("anna", "another good password", "admin", None, 2)
    assert accounts.named("anna").role == "viewer"


def test_two_accounts_of_one_name_are_told_apart_by_number(accounts: Accounts) -> None:
    accounts.add("anna", PASSWORD, "viewer", None, 1)
    accounts.from_elsewhere("oidc", "idp 4711", "anna", "admin", None, 1)
    with pytest.raises(AccountRefused, match="2 accounts"):
        accounts.disable("anna")
    accounts.disable("2")
    assert [one.disabled for one in accounts.every()] == [False, True]


def test_the_limit_to_no_pilot_is_not_the_lack_of_a_limit(accounts: Accounts) -> None:
    assert accounts.add("anna", PASSWORD, "viewer", [], 1).pilots == frozenset()
    assert accounts.add("bert", PASSWORD, "viewer", None, 1).pilots is None


def test_tries_at_the_same_moment_are_counted_one_by_one(tmp_path: Path) -> None:
    path, begun = tmp_path / "operations.db", list[object]()
    with closing(Operations(path)) as one, closing(Operations(path)) as other:

        def attempt(operations: Operations) -> None:
            begun.append(Accounts(operations).begin_try(["anna"], MINUTE))

        threads = [threading.Thread(target=attempt, args=(operations,)) for operations in (one, other) * 10]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert sum(one is not None for one in begun) == TRIES


def test_a_session_opened_here_ends_when_another_process_disables_the_account(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    with closing(Operations(path)) as web, closing(Operations(path)) as command_line:
        accounts = Accounts(web, PasswordHasher(time_cost=1, memory_cost=64, parallelism=1))
        sessions = Sessions(accounts)
        identifier = sessions.open(accounts.add("anna", PASSWORD, "viewer", None, 1), 1)
        assert sessions.find(identifier, 2) is not None
        Accounts(command_line).disable("anna")
        assert sessions.find(identifier, 3) is None
        Accounts(command_line).disable("anna", disabled=False)
        assert sessions.find(identifier, 4) is None


def test_the_file_holds_no_identifier_that_would_open_a_session(accounts: Accounts, tmp_path: Path) -> None:
    sessions = Sessions(accounts)
    identifier = sessions.open(accounts.add("anna", PASSWORD, "viewer", None, 1), 1)
    sessions.begin_handshake("the state", "the browser", Handshake("n", "v", "/"), 1)
    kept = "\n".join(accounts.operations._db.iterdump())
    for secret in (identifier, "the state", "the browser"):
        assert secret not in kept


def test_waiting_sign_ins_cannot_fill_the_disk(accounts: Accounts, monkeypatch: pytest.MonkeyPatch) -> None:
    import pipeline.sessions as module

    monkeypatch.setattr(module, "_MOST_HANDSHAKES", 3)
    sessions = Sessions(accounts)
    for number in range(10):
        sessions.begin_handshake(f"s{number}", "b", Handshake("n", "v", "/"), number)
    assert accounts.operations.read("SELECT count(*) FROM handshake")[0][0] <= 4
    assert sessions.end_handshake("s9", "b", 11) is not None


def test_the_audit_can_be_neither_changed_nor_shortened(accounts: Accounts) -> None:
    accounts.operations.audit("1 anna\n2 root", "sign-in\r\u2028\x1b[2J", 1, "ok")
    assert accounts.operations.audited() == [(1, "1 anna\\n2 root", "sign-in\\r\\u2028\\x1b[2J", "ok")]
    for statement in ("DELETE FROM audit", "UPDATE audit SET who = 'nobody'"):
        with pytest.raises(sqlite3.IntegrityError, match="only added to"):
            accounts.operations._db.execute(statement)


def test_a_file_of_the_version_before_is_brought_up_to_date_with_its_content(tmp_path: Path) -> None:
    path = tmp_path / "operations.db"
    with closing(sqlite3.connect(path)) as old:
        for statement in statements(MIGRATIONS[0]):
            old.execute(statement)
        old.execute("INSERT INTO audit (at_ns, who, what) VALUES (1, 'anna', 'silence')")
        old.execute("PRAGMA user_version = 1")
        old.commit()
    with closing(Operations(path)) as operations:
        assert operations.audited() == [(1, "anna", "silence", "")]
        assert not Accounts(operations).exist()
