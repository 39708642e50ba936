"""The collector's own session: is it there, does another client use it, did it outlive the broker.

Promises: a session that is in use is never taken: where a collector runs here it is asked instead, and where this
machine keeps no spool of that name nothing is done. A session that was made by looking is removed.
"""

from collections.abc import Iterator

from collectors.doctor.finding import Finding
from collectors.doctor.health import Word
from collectors.doctor.spool_look import SpoolLook
from collectors.scratch import Scratch, forget
from config.settings import Settings

_HELD_S = 3.0
_OWN = "give each collector its own PERISCOPE_COLLECTOR, and stop the one that should not run"
_KEEP = ("set persistence true with autosave_on_changes (Mosquitto; docs/deploy.md says what each profile keeps), and "
         "keep persistent_client_expiration above the longest absence")  # fmt: skip


def running(before: Word | None, after: Word | None) -> Iterator[Finding]:
    """From what the collector says of itself at the beginning and at the end."""
    if before is None or after is None or not before.metrics or not after.metrics:
        yield Finding(
            "unknown", "session", "the collector uses it now and cannot be asked",
            "set PERISCOPE_HEALTH_PORT for the collector and for doctor alike",
        )  # fmt: skip
        return
    again = after.metrics.get(_RECONNECTS, 0) - before.metrics.get(_RECONNECTS, 0)
    lost = int(after.metrics.get("collector_mqtt_session_lost_total", 0))
    if again > 1:
        yield Finding(
            "problem", "session", f"the collector had to connect again {again:.0f} times while we looked: another "
            "client uses its session, or the network breaks", _OWN,
        )  # fmt: skip
    elif lost:
        yield Finding(
            "problem", "session", f"the broker lost the collector's session {lost} times since it started, and what it "
            "held for it", _KEEP,
        )  # fmt: skip
    else:
        yield Finding("ok", "session", "the collector holds its session")


_RECONNECTS = "collector_mqtt_reconnects_total"


def idle(settings: Settings, look: SpoolLook, reports: int, broker_started_ns: int | None) -> Iterator[Finding]:
    """With no collector here: look whether the session is there, and leave it as it was."""
    name = f"periscope-{settings.collector}"
    if reports:
        yield Finding(
            "problem", "session", f'a collector "{settings.collector}" works elsewhere under the same name', _OWN
        )
        return
    if not look.had_session:
        yield Finding(
            "unknown", "session", "no collector has connected from here yet",
            "start it with `periscope collect`; the broker keeps messages from then on",
        )  # fmt: skip
        return
    with Scratch(settings.mqtt, name, keep=True, ack=False, expiry_s=None) as scratch:
        present = scratch.session_present
        scratch.wait(lambda: False, _HELD_S)
        ended = scratch.ended
    if ended:
        yield Finding("problem", "session", f'another client connects as "{name}" ({ended.lower()})', _OWN)
        return
    if present:
        yield Finding("ok", "session", "the broker keeps the collector's session")
        yield _persistence(look, broker_started_ns)
        return
    forget(settings.mqtt, name)
    yield Finding(
        "problem", "session", f'the broker has no session "{name}": what was sent since the collector stopped is lost',
        f"start the collector at once; then {_KEEP}",
    )  # fmt: skip
    if broker_started_ns is not None and broker_started_ns > look.changed_ns:
        yield Finding("problem", "persistence", "the broker was started again and came back without the session", _KEEP)


def _persistence(look: SpoolLook, broker_started_ns: int | None) -> Finding:
    if broker_started_ns is not None and broker_started_ns > look.changed_ns:
        return Finding("ok", "persistence", "the session has outlived a restart of the broker")
    return untold()


def untold() -> Finding:
    """Nothing but a restart shows whether a broker keeps its queues."""
    return Finding(
        "unknown", "persistence", "cannot be told without a restart of the broker",
        "see that its configuration says persistence true with autosave_on_changes, or Mosquitto 2.1's plugin "
        "(docs/deploy.md); to prove it, stop the collector, restart the broker, and run doctor before the collector",
    )  # fmt: skip
