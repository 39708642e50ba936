"""The notification of a transition: written in the transaction of the transition, with a row for each channel.

Promises: a notification has one id for ever, made of the installation and of what it tells, so that no two
installations share one and a restored database gives the same thing the same id. What a silence holds back is kept as
held: it is told once, when the silence is over and the incident still open.
"""

import hashlib
from typing import Any

import msgspec

from pipeline.delivery.routes import Routes
from pipeline.model import NS_PER_S
from pipeline.state_file import Database
from pipeline.values import Incident


def tell(
    database: Database,
    routes: Routes,
    incident: Incident,
    what: str,
    reason: str,
    sentence: str,
    now_ns: int,
    *,
    occasion: str = "",
    held: bool = False,
) -> bool:
    """Write a notification and its rows; False where it is on record already. `occasion` tells repeats apart."""
    (installation,) = database.execute("SELECT id FROM installation").fetchone()
    key = key_of(installation, incident.pilot, incident.kind, incident.series, incident.since, what, occasion)
    body = {"key": key, "what": what, "reason": reason, "sentence": sentence, "incident": incident}
    made = put(database, key, incident.id, incident.pilot, incident.kind, incident.severity, what, body, now_ns, held)
    if made is None:
        return False
    if not held:
        hearing = routes.hearing(incident.pilot, incident.kind, incident.series, incident.severity)
        queue(database, made, hearing, now_ns + int(routes.group_wait_s * NS_PER_S))
    return True


def put(
    database: Database,
    key: str,
    incident: int | None,
    pilot: str,
    kind: str,
    severity: str,
    what: str,
    body: dict[str, Any],
    now_ns: int,
    held: bool = False,
) -> int | None:
    """The id of a new notification; None where this key is there already."""
    done = database.execute(
        "INSERT OR IGNORE INTO notification (key, incident, pilot, kind, severity, what, body, made_ns, held) "
        "VALUES (?,?,?,?,?,?,?,?,?)",
        (key, incident, pilot, kind, severity, what, msgspec.json.encode(body).decode(), now_ns, held),
    )
    return done.lastrowid if done.rowcount else None


def queue(database: Database, notification: int, channels: list[str], ready_ns: int) -> None:
    """A row of the outbox for each channel, to be gathered from `ready_ns` on."""
    database.executemany(
        "INSERT OR IGNORE INTO outbox (notification, channel, ready_ns) VALUES (?,?,?)",
        [(notification, channel, ready_ns) for channel in channels],
    )


def was_told(database: Database, incident: int) -> bool:
    """True where people were told of the opening."""
    found = database.execute("SELECT 1 FROM notification WHERE incident = ? AND NOT held LIMIT 1", (incident,))
    return bool(found.fetchone())


def silenced(database: Database, pilot: str, kind: str, series: str, now_ns: int) -> bool:
    """True while a silence in force covers this."""
    found = database.execute(
        "SELECT 1 FROM silence WHERE until_ns > ? AND pilot IN ('', ?) AND kind IN ('', ?) AND series IN ('', ?)",
        (now_ns, pilot, kind, series),
    )
    return bool(found.fetchone())


def key_of(*parts: str) -> str:
    """An id of what a notification tells, without a mark that a header or an address could stumble over.

    >>> key_of("a1", "malmo", "drop_off") == key_of("a1", "malmo", "drop_off")
    True
    >>> len(key_of("a1", "malmo"))
    32
    """
    return hashlib.sha256("\0".join(parts).encode()).hexdigest()[:32]
