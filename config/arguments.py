"""The grammar of the command line: verbs, their arguments, and settings given there; docs/cli.md is made from it."""

import argparse
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any, NoReturn

from config.problems import ConfigError, Problem
from config.roles import ROLES

WRONG_USE = 2


class Parser(argparse.ArgumentParser):
    """Tells wrong use in one sentence instead of repeating the whole usage."""

    def error(self, message: str) -> NoReturn:
        self.exit(WRONG_USE, f"{self.prog}: {message}; see {self.prog} --help\n")


def build_parser(verbs: Mapping[str, str]) -> Parser:
    """The whole command line; `verbs` gives each verb with the sentence that says what it does."""
    parser = Parser(
        prog="periscope",
        description="Does engagement move uptake? Live comparison of co-produced services across pilots.",
        epilog="Exit codes: 0 done, 1 failed, 2 wrong use or configuration.",
    )
    groups = parser.add_subparsers(dest="verb", required=True, metavar="VERB", parser_class=Parser)
    shared = _shared()
    for verb, text in verbs.items():
        made = groups.add_parser(verb, help=text, description=text, parents=[shared], prog=f"periscope {verb}")
        _ARGUMENTS.get(verb, _none)(made)
    return parser


def overrides(args: argparse.Namespace) -> dict[str, Any]:
    """Settings from the command line, which win over every other source."""
    table: dict[str, Any] = {key: getattr(args, key) for key in ("catalogue", "state") if getattr(args, key)}
    for pair in args.set:
        key, found, value = pair.partition("=")
        if not found:
            raise ConfigError([Problem("--set", pair, "is not KEY=VALUE", "write for example --set mqtt.port=1884")])
        *groups, last = key.split(".")
        inner = table
        for group in groups:
            inner = inner.setdefault(group, {})
        inner[last] = value
    return table


def _shared() -> Parser:
    shared = Parser(add_help=False)
    add = shared.add_argument_group("settings").add_argument
    add("--catalogue", type=Path, metavar="DIR", help="folder of pilot files")
    add("--state", type=Path, metavar="DIR", help="folder of everything kept on disk")
    add(
        "--set", action="append", default=[], metavar="KEY=VALUE",
        help="any other setting, for example mqtt.port=1884; may be repeated",
    )  # fmt: skip
    add("--json", action="store_true", help="machine-readable output")
    return shared


def _none(_: argparse.ArgumentParser) -> None:
    """A verb without arguments of its own."""


def _seed(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--seed", type=int, default=1, help="seed of the simulated cities (default 1)")


def _demo(verb: argparse.ArgumentParser) -> None:
    _seed(verb)
    verb.add_argument("--keep", action="store_true", help="keep the last demo's state instead of starting fresh")
    verb.add_argument(
        "--broker", choices=["mosquitto", "amqtt"],
        help="which broker to start (default mosquitto where it is installed, else amqtt)",
    )  # fmt: skip


def _pipeline(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("--once", action="store_true", help="stop when no work is left")


def _import(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="CSV or JSON Lines, also gzipped; - is standard input"
    )
    verb.add_argument("--mapping", type=Path, metavar="TOML", help="what the columns of the files mean")
    verb.add_argument(
        "--workbook", type=Path, metavar="PATH",
        help="a filled workbook instead of files: an XLSX, a folder of CSV files, or one of those",
    )  # fmt: skip
    verb.add_argument("--pilot", required=True, metavar="SLUG", help="pilot that the data belong to")
    verb.add_argument("--feed", metavar="ID", help="feed of the workbook (default the first that is by_hand)")
    verb.add_argument(
        "--direct", action="store_true",
        help="enter at the spool instead of the broker; where no collector runs, deliver from it too",
    )  # fmt: skip
    verb.add_argument(
        "--restart", "--again", action="store_true", help="begin anew, sending even what was acknowledged before"
    )
    verb.add_argument(
        "--wait", nargs="?", type=float, const=600.0, metavar="SECONDS",
        help="wait until the collector has delivered everything, at most so long (default 600)",
    )  # fmt: skip
    verb.add_argument("--quiet", action="store_true", help="show no progress")


def _workbook(verb: argparse.ArgumentParser) -> None:
    verb.add_argument("file", nargs="?", type=Path, metavar="FILE.xlsx", help="workbook to write")
    verb.add_argument("--csv", type=Path, metavar="FOLDER", help="write the same as CSV files")
    verb.add_argument("--pilot", metavar="SLUG", help="pilot that it is for, named on its first sheet")


def _simulate(verb: argparse.ArgumentParser) -> None:
    _seed(verb)
    verb.add_argument("--weeks", type=int, default=104, help="weeks of history (default 104)")
    verb.add_argument("--history-only", action="store_true", help="stop after the history")
    verb.add_argument("--live-only", action="store_true", help="no history")
    verb.add_argument("--direct", action="store_true", help="history enters at the spool instead of the broker")


def _export(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--out", type=Path, default=Path("periscope-export.zip"), metavar="ZIP",
        help="file to write (default periscope-export.zip)",
    )  # fmt: skip
    verb.add_argument("--pilots", metavar="SLUGS", help="pilots, separated by commas (default all)")
    verb.add_argument("--start", type=_day, metavar="DATE", help="first day, such as 2026-01-31 (default all)")
    verb.add_argument("--end", type=_day, metavar="DATE", help="last day, included (default all)")
    verb.add_argument(
        "--release", choices=["usual", "strict"], default="usual",
        help="usual hides small counts of people below the catalogue's limit; strict below 10, and rounds others to 5",
    )  # fmt: skip


def _day(text: str) -> str:
    try:
        day = date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f'"{text}" is no day; write it as 2026-01-31') from None
    if not 1970 <= day.year < 2200:  # with room to look back and ahead
        raise argparse.ArgumentTypeError(f'"{text}" is no day from 1970 to 2199')
    return day.isoformat()


def _dead_letters(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "what", choices=["list", "count", "show", "requeue", "purge", "export"],
        help="list the newest; count them by reason; show them with headers and body; try them again after a mend; "
        "remove their bodies and reasons for good, which keeps their count; write them as JSON Lines",
    )  # fmt: skip
    verb.add_argument("ids", nargs="*", metavar="ID", help="which, as the list names them, such as 2026-11-26/17")
    verb.add_argument("--pilot", metavar="SLUG", help="those of one pilot")
    verb.add_argument("--feed", metavar="ID", help="those of one feed")
    verb.add_argument("--code", metavar="CODE", help="those with one reason, such as not_json")
    verb.add_argument("--older-than", metavar="DURATION", help='those last seen longer ago than this, such as "30d"')
    verb.add_argument("--actor-key", metavar="KEY", help="those that mention this pseudonym")
    verb.add_argument("--all", action="store_true", help="all of them, for requeue and purge")
    verb.add_argument("--limit", type=int, default=50, help="most rows of list and show (default 50)")
    verb.add_argument("--file", type=Path, metavar="FILE", help="where to export to (default standard output)")


def _replay(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--since", required=True, metavar="TIME",
        help='received from then on: 2026-11-26, 2026-11-26T03:00Z, or "12h" for twelve hours ago',
    )  # fmt: skip
    verb.add_argument("--until", metavar="TIME", help="received before then (default now)")
    verb.add_argument("--pilot", metavar="SLUG", help="of one pilot alone")
    verb.add_argument(
        "--dropped", action="store_true", help="also what a rule dropped, such as no_reading, after a mend of the map"
    )


def _erase(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--pilot", metavar="SLUG", help="pilot that the person took part in; with --again the default is all"
    )
    who = verb.add_mutually_exclusive_group(required=True)
    who.add_argument("--actor-key", metavar="KEY", help="the person's pseudonym in this pilot")
    who.add_argument(
        "--code", metavar="ID",
        help="the code of a check-in, or the id that a source or file knows the person by; - reads it from standard "
        "input, so that it stays in no list of commands",
    )  # fmt: skip
    who.add_argument(
        "--again", action="store_true",
        help="everybody who was erased before and is here again, since a backup was put back",
    )  # fmt: skip
    verb.add_argument("--reason", required=True, metavar="TEXT", help="why, for the audit; without names")
    verb.add_argument("--dry-run", action="store_true", help="count what would go, and change nothing")
    verb.add_argument("--yes", action="store_true", help="do not ask first")


def _try(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "files", nargs="*", type=Path, metavar="FILE", help="one message each; .jsonl and .ndjson hold one per line"
    )
    verb.add_argument("--listen", action="store_true", help="take what comes from the broker now instead of files")
    verb.add_argument("--pilot", metavar="SLUG", help="pilot of the feed; with --listen the default is all")
    verb.add_argument(
        "--feed",
        metavar="ID",
        help="feed that would receive the messages; with --listen the default is all of the pilot",
    )
    verb.add_argument("--seconds", type=_positive, default=60, help="how long to listen (default 60)")
    verb.add_argument("--count", type=_positive, help="stop listening after so many messages")
    verb.add_argument("--topic", metavar="TOPIC", help="topic they come on (default the feed's own)")
    verb.add_argument("--lines", action="store_true", help="every line of every file is one message")
    verb.add_argument("--limit", type=int, default=20, help="most messages shown one by one (default 20)")


def _lint(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--against", metavar="REV_OR_FOLDER",
        help="also show what differs from an earlier state, a revision of Git or a folder, and what follows",
    )  # fmt: skip


def _doctor(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "--part", choices=["collector", "pipeline", "dashboard"], default="collector",
        help="whose token of InfluxDB is in the settings (default collector)",
    )  # fmt: skip
    verb.add_argument("--audit", action="store_true", help="compare store and ledger however long that takes")


def _positive(text: str) -> int:
    if not text.isdecimal() or int(text) < 1:
        raise argparse.ArgumentTypeError(f'"{text}" is no whole number of at least 1')
    return int(text)


def _users(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "what", choices=["add", "list", "change", "disable", "enable", "reset", "audit"],
        help="add an account; list all; change role and pilots; let nobody in by it, or again; give it a new password; "
        "list who did what",
    )  # fmt: skip
    verb.add_argument("name", nargs="?", metavar="NAME", help="name or number of the account; not for list and audit")
    verb.add_argument("--role", choices=ROLES, help="what it may do, for add and change (default viewer)")
    verb.add_argument("--pilots", metavar="SLUGS", help="pilots it may see, separated by commas (default all)")
    verb.add_argument(
        "--password-file", type=Path, metavar="FILE",
        help="read the password from the first line of a file instead of asking; without a terminal it is read from "
        "standard input",
    )  # fmt: skip
    verb.add_argument("--limit", type=int, default=50, help="most rows of the audit (default 50)")


def _alerts(verb: argparse.ArgumentParser) -> None:
    verb.add_argument(
        "what", choices=["list", "show", "explain", "ack", "silence", "new-normal", "test", "resend"],
        help="list open incidents; show one with its history; explain in numbers why it fired; say who looks after it; "
        "make no notifications for some days; accept the level that a drop-off fell to; send a test to a channel; "
        "list what was given up, and put it in line again",
    )  # fmt: skip
    verb.add_argument(
        "id", nargs="?", metavar="ID",
        help="number of the incident, as the list names it; for test and resend, name of the channel",
    )  # fmt: skip
    verb.add_argument(
        "--all", action="store_true", help="also incidents that are over, for list; of every channel, for resend"
    )
    verb.add_argument("--pilot", metavar="SLUG", help="of one pilot, for list and silence")
    verb.add_argument("--kind", choices=["drop_off", "feed_silent", "evaluation_failed"], help="silence one kind alone")
    verb.add_argument("--series", metavar="NAME", help="silence one series or feed alone")
    verb.add_argument("--who", default="command line", help="who does it (default command line)")
    verb.add_argument("--note", default="", help="why, for ack, silence and new-normal")
    verb.add_argument("--days", type=_positive, help="for how long, for ack and silence (default for ever, and 7)")
    verb.add_argument("--limit", type=int, default=50, help="most incidents of the list (default 50)")


_ARGUMENTS = {
    "alerts": _alerts,
    "demo": _demo, "pipeline": _pipeline, "import": _import, "workbook": _workbook, "simulate": _simulate,
    "export": _export, "dead-letters": _dead_letters, "replay": _replay, "try": _try, "doctor": _doctor, "lint": _lint,
    "users": _users, "erase": _erase,
}  # fmt: skip
