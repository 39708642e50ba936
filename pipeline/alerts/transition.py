"""Something of an alert began or ended: what is recorded, and told to people unless it is past or quiet."""

from typing import Any, Final

import msgspec

from pipeline.model import NS_PER_S

SEVERITIES: Final = ("notice", "warning", "critical")
BACKFILL_NS: Final = 7 * 86_400 * NS_PER_S


class Transition(msgspec.Struct, frozen=True, kw_only=True):
    """`at_ns` is when the facts were due, `since` what tells the incident from others of its series: the day or the
    instant on which it opened. `backfill`: it was due so long ago that nobody is told; `quiet`: something else tells
    of it, or nobody needs to hear it; `beneath`: a wider fall accounts for it, so that it is no incident of its own.
    `began` is the day on which the evidence began. `inputs` are what it rests on."""

    pilot: str
    kind: str
    series: str
    what: str
    day: str
    since: str
    at_ns: int
    sentence: str
    reason: str
    severity: str = "warning"
    backfill: bool = False
    quiet: bool = False
    beneath: bool = False
    began: str = ""
    inputs: dict[str, Any] = {}
