"""Events and strings for the store's tests."""

from typing import Any, Final

from pipeline.model import Event

T0: Final = 1_790_000_000_000_000_000  # 2026-09-21T14:13:20Z
EVER: Final = (-(2**63), 2**63)

HOSTILE: Final = (
    '") |> drop(columns:["x"])',
    "' OR '1'='1",
    'x" OR _measurement="usage',
    '" AND pilot=~/.*/ AND feed="',
    "x'; DROP TABLE event; --",
    "${pilot}",
    "a,b=c d",
    "# no comment",
    "back\\slash\\",
    '"quoted"',
    'two\nlines 1\nusage,pilot=milan body="forged" 1',
    "carriage\rreturn",
    "tab\there",
    "nul\0inside",
    "\x1b[31mred",
    "%empty",
    "%25",
    "-",
    " ",
    "Ǆ ﬁ İ ß",
    "Ω≈ç√ 漢字 🎈🏳️‍🌈",
    "e\u0301 is not \u00e9",
    "\u202eright to left",
    "\u2028\ufeff\ufffe\U0010ffff",
)


def action(event_id: str, time_ns: int = T0, **changes: Any) -> Event:
    """A core action in Milan's bikes."""
    known: dict[str, Any] = {
        "event_id": event_id,
        "pilot": "milan",
        "feed": "bikes",
        "stream": "usage",
        "type": "action.performed",
        "time_ns": time_ns,
        "received_ns": time_ns + 5,
        "synthetic": True,
        "consent": "cohort",
        "actor_key": "k-1",
        "service_id": "bike",
        "data": {"core": True, "channel": "app"},
    }
    return Event(**(known | changes))


def reading(event_id: str, value: float | None = 1.0, time_ns: int = T0, **changes: Any) -> Event:
    """A temperature in Athens."""
    known: dict[str, Any] = {
        "event_id": event_id,
        "pilot": "athens",
        "feed": "air",
        "stream": "sensor",
        "type": "reading",
        "time_ns": time_ns,
        "device": "d-1",
        "quantity": "temperature",
        "value": value,
        "unit": "Cel",
    }
    return Event(**(known | changes))
