"""What time alone makes worth telling: an incident that stays open, a silence that has ended, the daily sign of life.

Promises: each is told once, whatever the number of looks at the clock; an incident that somebody looks after or that a
silence covers is not repeated; what nobody was told of, since it is past or quiet, is never repeated either. A
fall that can be accepted as the new normal is put before people once, also where somebody looks after it.
"""

from typing import Final

from pipeline.alerts.care import ACCEPT_AFTER_DAYS
from pipeline.delivery.notices import key_of, put, queue, silenced, tell
from pipeline.delivery.routes import FAULTS, SYSTEM, WATCHDOG
from pipeline.model import NS_PER_S
from pipeline.operations import Operations
from pipeline.state_file import Database
from pipeline.values import Incident

_DAY_S: Final = 86_400
REVIEW: Final = "review"
_OPEN_AND_NOT_CARED_FOR: Final = (
    "i.closed_ns IS NULL AND NOT EXISTS (SELECT 1 FROM acknowledgement a WHERE a.incident = i.id AND "
    "(a.until_ns IS NULL OR a.until_ns > ?))"
)


def remind(operations: Operations, now_ns: int) -> int:
    """Tell what is due; how much it was."""
    return _released(operations, now_ns) + _reviews(operations, now_ns) + _repeated(operations, now_ns)


def sign_of_life(operations: Operations, now_ns: int, day: str) -> None:
    """Tell the channels that asked for it that alerts are evaluated; once on each day."""
    channels = operations.routes.watched()
    if not channels:
        return
    with operations.transaction() as database:
        (installation,) = database.execute("SELECT id FROM installation").fetchone()
        key = key_of(installation, WATCHDOG, day)
        sentence = f"Alerts are evaluated and delivered on {day}. Where this does not come, look at the pipeline."
        body = {"key": key, "what": WATCHDOG, "reason": "daily", "sentence": sentence, "incident": None}
        made = put(database, key, None, SYSTEM, WATCHDOG, "notice", WATCHDOG, body, now_ns)
        if made is not None:
            queue(database, made, channels, now_ns)


def _released(operations: Operations, now_ns: int) -> int:
    """Openings that a silence held back, of incidents that are still open when it ends."""
    rows = operations.read(
        "SELECT n.id, n.incident FROM notification n JOIN incident i ON i.id = n.incident WHERE "
        f"n.held AND {_OPEN_AND_NOT_CARED_FOR}",
        (now_ns,),
    )
    done = 0
    for number, incident in rows:
        with operations.transaction() as database:
            if (one := _to_tell(operations, database, incident, now_ns)) is None:
                continue
            database.execute("UPDATE notification SET held = 0, made_ns = ? WHERE id = ?", (now_ns, number))
            queue(database, number, operations.routes.hearing(one.pilot, one.kind, one.series, one.severity), now_ns)
            done += 1
    return done


def _reviews(operations: Operations, now_ns: int) -> int:
    """Falls that have been open for so long that they may be accepted; each once, looked after or not."""
    rows = operations.read(
        "SELECT i.id FROM incident i WHERE i.kind = 'drop_off' AND i.closed_ns IS NULL AND i.opened_ns <= ? AND EXISTS "
        "(SELECT 1 FROM notification n WHERE n.incident = i.id AND NOT n.held) AND NOT EXISTS "
        "(SELECT 1 FROM notification n WHERE n.incident = i.id AND n.what = ?)",
        (now_ns - ACCEPT_AFTER_DAYS * _DAY_S * NS_PER_S, REVIEW),
    )
    done = 0
    for (incident,) in rows:
        with operations.transaction() as database:
            if (one := _to_tell(operations, database, incident, now_ns)) is not None:
                done += tell(
                    database, operations.routes, one, REVIEW, f"{_since(one, now_ns)}; nothing is learned meanwhile",
                    f"{_series(one)} in {one.pilot} has not come back since {one.since[:10]}. If this level is to "
                    "stay, accept it as the new normal, and the detector learns anew; if something is wrong, go on "
                    f"looking. {one.sentence}",
                    now_ns,
                )  # fmt: skip
    return done


def _series(one: Incident) -> str:
    return one.series.replace("/", " ").replace("_", " ").capitalize()


def _repeated(operations: Operations, now_ns: int) -> int:
    rows = operations.read(
        "SELECT i.id, i.kind, max(n.made_ns), count(*) FROM incident i JOIN notification n ON n.incident = i.id AND "
        f"NOT n.held WHERE {_OPEN_AND_NOT_CARED_FOR} GROUP BY i.id",
        (now_ns,),
    )
    done = 0
    for incident, kind, last_ns, times in rows:
        if now_ns - last_ns < _every_ns(operations, kind):
            continue
        with operations.transaction() as database:
            if (one := _to_tell(operations, database, incident, now_ns)) is None:
                continue
            done += tell(
                database, operations.routes, one, "reminder", _since(one, now_ns), one.sentence, now_ns,
                occasion=str(times),
            )  # fmt: skip
    return done


def _to_tell(operations: Operations, database: Database, incident: int, now_ns: int) -> Incident | None:
    """The incident as it stands within the transaction; None where it is over, or a silence covers it."""
    one = operations.incident(incident)
    if one is None or one.closed_ns is not None or silenced(database, one.pilot, one.kind, one.series, now_ns):
        return None
    return one


def _every_ns(operations: Operations, kind: str) -> int:
    routes = operations.routes
    seconds = routes.repeat_fault_h * 3600 if kind in FAULTS else routes.repeat_days * _DAY_S
    return int(seconds * NS_PER_S)


def _since(one: Incident, now_ns: int) -> str:
    hours = (now_ns - one.opened_ns) // (3600 * NS_PER_S)
    return f"open for {hours // 24} days" if hours >= 48 else f"open for {hours} hours"
