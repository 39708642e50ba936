"""`periscope users`: accounts added and changed at the machine itself, each change written into the audit.

Promises: a password is never an argument, so that no list of processes shows it; it is asked for twice on a terminal.
"""

import argparse
import getpass
import sys
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from pipeline.accounts import LOCAL, Account, AccountRefused, Accounts
from pipeline.model import NS_PER_S

Tell = Callable[..., None]
Pilots = Callable[[], Sequence[str]]
_WHO = "command line"


def run(accounts: Accounts, args: argparse.Namespace, known: Pilots, clock: Callable[[], int], tell: Tell) -> None:
    """Do one thing with the accounts; raises AccountRefused with a sentence.

    `known` reads the catalogue's pilots; only who names pilots needs it, so that a broken file keeps nobody from
    disabling an account.
    """
    if args.what == "list":
        for one in accounts.every():
            tell(_line(one), **_facts(one))
        if not accounts.every():
            tell("There are no accounts. Add one: periscope users add NAME --role admin")
        return
    if args.what == "audit":
        for at_ns, who, what, outcome in accounts.operations.audited(args.limit):
            at = datetime.fromtimestamp(at_ns // NS_PER_S, UTC).isoformat()
            tell(f"{at}  {who}  {what}  {outcome}", at=at, who=who, what=what, outcome=outcome)
        return
    if not args.name:
        raise AccountRefused(f"name the account: periscope users {args.what} NAME")
    account = _changed(accounts, args, _pilots(args.pilots, known), clock())
    said = f"{account.who()}, {account.role}, {_scope(account)}"
    accounts.operations.audit(_WHO, f"{args.what} account {said}", clock())
    tell(_said(args.what, account), **_facts(account))


def _changed(accounts: Accounts, args: argparse.Namespace, pilots: list[str] | None, now_ns: int) -> Account:
    match args.what:
        case "add":
            return accounts.add(args.name, password(args.password_file), args.role or "viewer", pilots, now_ns)
        case "reset":
            accounts.named(args.name)
            return accounts.reset(args.name, password(args.password_file))
        case "change":
            return _with_other_rights(accounts, args, pilots)
    return accounts.disable(args.name, args.what == "disable")


def _with_other_rights(accounts: Accounts, args: argparse.Namespace, pilots: list[str] | None) -> Account:
    account = accounts.named(args.name)
    if account.source != LOCAL:
        raise AccountRefused(f"{account.name} gets its role from {account.source} at each sign-in; change it there")
    if not args.role and args.pilots is None:
        raise AccountRefused("say what to change: --role, --pilots or both; --pilots all lifts the limit")
    return accounts.change(args.name, args.role or account.role, account.pilots if args.pilots is None else pilots)


def _pilots(given: str | None, known: Pilots) -> list[str] | None:
    if given is None or given == "all":
        return None
    slugs, pilots = [one.strip() for one in given.split(",") if one.strip()], known()
    if strangers := [one for one in slugs if one not in pilots]:
        raise AccountRefused(f"unknown pilot {', '.join(strangers)}; choose from {', '.join(pilots)}")
    return slugs


def password(file: Path | None) -> str:
    """From a file, from standard input when that is no terminal, or asked for twice."""
    try:
        if file is not None:
            return file.read_text().split("\n")[0].rstrip("\r")
        if not sys.stdin.isatty():
            return sys.stdin.readline().rstrip("\r\n")
        first = getpass.getpass("Password (not shown): ")
        if getpass.getpass("Once more: ") != first:
            raise AccountRefused("the two were not the same; nothing was changed")
        return first
    except (OSError, UnicodeDecodeError) as error:
        raise AccountRefused(f"the password cannot be read: {error}") from None
    except EOFError:
        raise AccountRefused("no password was given; nothing was changed") from None


def _said(what: str, account: Account) -> str:
    done = {"add": "may sign in", "change": "is changed", "disable": "may not sign in any more",
            "enable": "may sign in again", "reset": "has a new password"}[what]  # fmt: skip
    ended = "" if what in ("add", "enable") else "; its sessions have ended"
    return f"{account.name} {done}: {account.role}, {_scope(account)}{ended}"


def _scope(account: Account) -> str:
    return "all pilots" if account.pilots is None else f"pilots {', '.join(sorted(account.pilots)) or 'none'}"


def _line(one: Account) -> str:
    state = "disabled" if one.disabled else "enabled"
    return f"{one.id:>4}  {one.name}  {one.role}  {_scope(one)}  {one.source}  {state}"


def _facts(one: Account) -> dict[str, Any]:
    return {
        "id": one.id, "name": one.name, "role": one.role, "source": one.source, "disabled": one.disabled,
        "pilots": None if one.pilots is None else sorted(one.pilots),
    }  # fmt: skip
