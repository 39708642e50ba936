"""What `periscope erase` takes and asks: whose pseudonym it is, and whether it shall be done."""

import argparse
import re
import sys

from collectors.erasure import Kept
from collectors.letters_command import ACTOR_KEY
from collectors.pseudonym import PseudonymKeys
from config.catalogue import Catalogue, Pilot
from config.problems import ConfigError, Problem

# A check-in's code as people write it down: in groups, in any case; it is 16 of these without 0, 1, I and O.
_CODE = re.compile("[2-9A-HJ-NP-Z]{16}")


def actor_key_of(args: argparse.Namespace, keys: PseudonymKeys) -> str:
    """The pseudonym that the arguments name; raises ConfigError."""
    if args.actor_key is not None:
        if not ACTOR_KEY.fullmatch(args.actor_key):
            raise ConfigError([Problem("--actor-key", "", "is no pseudonym",
                                       "give 16 to 64 letters, digits, - or _, or use --code")])  # fmt: skip
        return str(args.actor_key)
    person = sys.stdin.readline().strip() if args.code == "-" else args.code.strip()
    if not person:
        raise ConfigError([Problem("--code", "", "is empty", "give the code or id of the person")])
    if not keys.known(args.pilot):
        raise ConfigError([Problem("--code", "", f"there is no key of {args.pilot} on this machine",
                                   "put its file back into the folder keys of PERISCOPE_STATE, or give --actor-key"
                                   )])  # fmt: skip
    plain = re.sub(r"[\s-]", "", person).upper()
    return keys.actor_key(args.pilot, plain if _CODE.fullmatch(plain) else person)


def pilots_of(args: argparse.Namespace, catalogue: Catalogue) -> list[Pilot]:
    """The pilots that the arguments are about; raises ConfigError."""
    if args.pilot is None and args.again:
        return list(catalogue.pilots.values())
    if args.pilot is None:
        raise ConfigError([Problem("--pilot", "", "is missing", "say which pilot the person took part in")])
    if args.pilot not in catalogue.pilots:
        raise ConfigError([Problem("--pilot", "", f"there is no pilot {args.pilot}",
                                   f"choose from {', '.join(catalogue.pilots)}")])  # fmt: skip
    return [catalogue.pilots[args.pilot]]


def confirmed(kept: Kept, quiet: bool) -> bool:
    """Whether somebody at the terminal says yes; raises ConfigError where nobody can be asked."""
    if quiet or not sys.stdin.isatty():
        raise ConfigError([Problem("erase", "", "cannot ask whether to go on", "give --yes, or --dry-run to see how "
                                   "much would go")])  # fmt: skip
    print(kept.sentence("Would erase"), file=sys.stderr)
    print('This cannot be taken back. Write "erase" to go on: ', end="", file=sys.stderr, flush=True)
    return sys.stdin.readline().strip() == "erase"
