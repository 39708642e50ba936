"""What the pipeline says of itself in one small record, so that readers know whether to read again."""

from typing import Final

import msgspec

from pipeline.model import Record
from pipeline.store.port import Store

NOBODY: Final = "-"  # no pilot has this slug
STALE_S: Final = 180.0  # three of the minutes in each of which alerts are evaluated at least once


class Pulse(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """`steps` rises whenever anything was written, `partials` per pilot whenever its days were.

    `as_of_ns` is the instant as of which stored values were judged; `alerts_ns` when alerts were evaluated;
    `basis` names the catalogue and the definitions that stored values rest on.
    """

    steps: int = 0
    partials: dict[str, int] = {}
    as_of_ns: int = 0
    alerts_ns: int | None = None
    basis: str = ""


def read_pulse(store: Store) -> Pulse:
    """The last pulse written; an all-zero one before the first."""
    records = store.get("done", NOBODY, 0, 1, key="pulse")
    return msgspec.json.decode(records[-1].body, type=Pulse) if records else Pulse()


def pulse_record(pulse: Pulse) -> Record:
    """The pulse as a record."""
    return Record(kind="done", pilot=NOBODY, key="pulse", time_ns=0, body=msgspec.json.encode(pulse))
