"""`periscope dead-letters`: what each of its words does and prints, apart from where the spool is.

Promises: a body that may name persons is printed nowhere; nothing is changed without a selection or `--all`.
"""

import argparse
import json
import re
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

from collectors.dead_changes import purge, requeue
from collectors.dead_letters import DeadLetter, Selection, counted, each, listed, parse_id
from collectors.letter_body import printable, shown
from collectors.spool import Spool
from collectors.topics import Roster
from config.catalogue import parse_duration
from config.problems import ConfigError, Problem
from pipeline.feed_report import iso_utc

ACTOR_KEY = re.compile(r"[A-Za-z0-9_-]{16,64}")
Tell = Callable[..., None]


def run(args: argparse.Namespace, spool: Spool, roster: Roster, now_ns: int, tell: Tell) -> bool:
    """Do what `args.what` says; False when letters were named that are not there."""
    which = selection(args, now_ns)
    if args.what in ("list", "count"):
        _print_rows(list(_counts(spool, which) if args.what == "count" else _rows(spool, which, args.limit)), args.json)
        return True
    if args.what == "show":
        return _show(args, spool, which, roster)
    if args.what == "export":
        n = _export(args.file, spool, which, roster)
        if args.file is not None:
            tell(f"Wrote {n} dead letters to {args.file}", letters=n, file=str(args.file))
        return True
    if which.selects_all() and not args.all:
        raise ConfigError([Problem(f"dead-letters {args.what}", "", "says nothing about which",
                                   "name IDs, --pilot, --feed, --code, --older-than, or --all")])  # fmt: skip
    outcome = (requeue if args.what == "requeue" else purge)(spool, which)
    said = outcome.sentence("Requeued" if args.what == "requeue" else "Purged")
    tell(said, done=outcome.done, skipped=dict(outcome.skipped))
    return outcome.done > 0 or not which.ids


def selection(args: argparse.Namespace, now_ns: int) -> Selection:
    """Which letters the arguments choose; raises ConfigError naming the argument."""
    try:
        ids = tuple(parse_id(text) for text in dict.fromkeys(args.ids))
    except ValueError as error:
        raise ConfigError([Problem("dead-letters", "", str(error), "see `periscope dead-letters list`")]) from None
    if args.actor_key is not None and not ACTOR_KEY.fullmatch(args.actor_key):
        raise ConfigError([Problem("--actor-key", "", "is no pseudonym",
                                   "give 16 to 64 letters, digits, - or _")])  # fmt: skip
    before_ns = None
    if args.older_than is not None:
        try:
            age = parse_duration(args.older_than)
        except ValueError:
            age = None
        if not isinstance(age, timedelta):
            raise ConfigError(
                [Problem("--older-than", "", "is no duration", 'write it as "90s", "15m", "1h" or "30d"')]
            )
        before_ns = now_ns - int(age.total_seconds()) * 10**9
    return Selection(args.pilot, args.feed, args.code, ids, before_ns, args.actor_key)


def facts(letter: DeadLetter, roster: Roster, raw: bool = False) -> dict[str, Any]:
    """Everything there is to say about a letter, its body included where that may be shown."""
    body = shown(letter, roster, raw=raw)
    return {
        "id": letter.id,
        "pilot": letter.pilot,
        "feed": letter.feed,
        "topic": letter.topic,
        "content_type": letter.content_type,
        "received": iso_utc(letter.received_ns) if letter.received_ns else None,
        "stage": letter.stage,
        "code": letter.code,
        "text": letter.text,
        "point": letter.point if not body.why_not.startswith("withheld") else "",
        "requeued": letter.attempts,
        "parked": letter.parked,
        "refused": letter.seen,
        "first_seen": iso_utc(letter.first_ns),
        "last_seen": iso_utc(letter.last_ns),
        "size": letter.size,
        "sha256": letter.sha256,
        "software": letter.software,
        "archived": letter.archived,
        "body": body.body,
        "encoding": body.encoding,
        "truncated": body.truncated,
        "why_no_body": body.why_not,
    }


def _show(args: argparse.Namespace, spool: Spool, which: Selection, roster: Roster) -> bool:
    letters = listed(spool, which, limit=args.limit if not args.ids else 1000)
    told = [facts(letter, roster, raw=args.json) for letter in letters]
    if args.json:
        print(json.dumps(told, ensure_ascii=False))
    for fact in told if not args.json else []:
        for key, value in fact.items():
            if key not in ("body", "encoding", "why_no_body", "truncated") and value not in ("", None):
                print(f"{key:13} {printable(str(value))}")
        print(f"{'body':13} {_body_line(fact)}")
        if fact["body"]:
            print(fact["body"])
        print()
    missing = {f"{day}/{seq}" for day, seq in which.ids} - {letter.id for letter in letters}
    if missing and not args.json:
        print(f"No dead letters: {', '.join(sorted(missing))}.")
    return not missing


def _body_line(fact: dict[str, Any]) -> str:
    if fact["why_no_body"]:
        return f"({fact['why_no_body']})"
    cut = f", cut: the whole has {fact['size']} bytes and the SHA-256 above" if fact["truncated"] else ""
    return f"({fact['encoding']}{cut})"


def _export(file: Path | None, spool: Spool, which: Selection, roster: Roster) -> int:
    lines = (json.dumps(facts(letter, roster, raw=True), ensure_ascii=False) for letter in each(spool, which))
    if file is None:
        return sum(1 for line in lines if print(line) is None)
    try:
        with file.open("w", encoding="utf-8") as out:
            return sum(1 for line in lines if out.write(line + "\n"))
    except OSError as error:
        raise ConfigError([Problem("--file", str(file), f"cannot be written ({error.strerror})",
                                   "name a file in a folder that exists and is yours")]) from None  # fmt: skip


def _rows(spool: Spool, which: Selection, limit: int) -> Iterator[dict[str, Any]]:
    for one in listed(spool, which, limit):
        yield {
            "id": one.id,
            "pilot": one.pilot,
            "feed": one.feed,
            "topic": one.topic,
            "stage": one.stage,
            "reason": one.code,
            "requeued": one.attempts,
            "text": one.text,
        }


def _counts(spool: Spool, which: Selection) -> Iterator[dict[str, Any]]:
    counts = counted(spool)
    if not which.selects_all():
        counts.clear()
        for one in each(spool, which):
            counts[one.pilot, one.stage, one.code] += 1
    for (pilot, stage, code), n in sorted(counts.items()):
        yield {"pilot": pilot, "stage": stage, "reason": code, "count": n}


def _print_rows(rows: list[dict[str, Any]], as_json: bool) -> None:
    if as_json:
        print(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        print("  ".join(printable(str(value)).replace("\n", " ") for value in row.values()))
    if not rows:
        print("There are no dead letters.")
