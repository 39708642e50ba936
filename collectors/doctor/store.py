"""Checks of the store: does it answer, may our token do what it must and no more, does it keep data long enough."""

from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from collectors import ledger
from collectors.doctor.finding import Finding
from collectors.doctor.spool_look import SpoolLook
from collectors.topics import UNKNOWN
from config.catalogue import Catalogue
from config.settings import Settings
from pipeline.store import open_store
from pipeline.store.port import Store, StoreAway, StoreHeld, StoreRefused

Part = Literal["collector", "pipeline", "dashboard"]
MOST_SKEW_S = 5
MOST_AUDITED = 5_000_000
_LOOKS = 3
# (read raw, write raw, read derived, write derived), as deploy/influxdb/init.py makes the tokens
_RIGHTS: Final = {
    "collector": (True, True, False, False),
    "pipeline": (True, False, True, True),
    "dashboard": (False, False, True, False),
}
_NAMES = ("read the bucket of events", "write the bucket of events", "read the bucket of values",
          "write the bucket of values")  # fmt: skip
_AGAIN = "make it again with deploy/influxdb/init.py and set PERISCOPE_INFLUX__TOKEN of this part"
_AUDIT = (
    "if nothing was deleted by hand and no other collector serves these pilots, send what the journal holds again "
    "with `periscope replay --since 72h`; what is older comes from the store's backup"
)
_MORE = "; if more are stored than written, their records went with the spool's damaged files, and no point is missing"


def influx(settings: Settings, catalogue: Catalogue, part: Part, clock: Callable[[], int]) -> Iterator[Finding]:
    """Everything that can be asked of InfluxDB without changing it."""
    from pipeline.store.influx import InfluxStore

    try:
        with closing(open_store(settings, "read")) as store:
            assert isinstance(store, InfluxStore)
            before_ns, server_ns = clock(), store.clock_ns()
            if server_ns is not None:
                yield _clock(before_ns, clock(), server_ns)
            looks = [store.look(bucket) for bucket in (settings.influx.raw_bucket, settings.influx.derived_bucket)]
            sees_tokens = store.sees_tokens()
    except StoreHeld as error:
        yield Finding("problem", "token", str(error), _AGAIN)
        return
    except (StoreAway, StoreRefused) as error:
        yield Finding(
            "problem", "store", str(error),
            "start InfluxDB or correct PERISCOPE_INFLUX__URL; messages wait in the spool meanwhile",
        )  # fmt: skip
        return
    names = (settings.influx.raw_bucket, settings.influx.derived_bucket)
    missing = [name for name, look in zip(names, looks, strict=True) if not look.exists]
    if missing:
        yield Finding(
            "problem", "store", f'there is no bucket "{", ".join(missing)}" in "{settings.influx.org}"',
            "make it with deploy/influxdb/init.py, or correct PERISCOPE_INFLUX__ORG and the names of the buckets",
        )  # fmt: skip
    else:
        yield Finding("ok", "store", f"InfluxDB at {settings.influx.url} answers and has both buckets")
    rights = (looks[0].reads, looks[0].writes, looks[1].reads, looks[1].writes)
    yield from _token(part, rights, sees_tokens, [look.exists for look in looks for _ in range(2)])
    if looks[0].exists:
        yield _retention(catalogue, looks[0].retention_s, clock())


def _clock(before_ns: int, after_ns: int, server_ns: int) -> Finding:
    """The server tells whole seconds, so that much is no difference."""
    ahead_s = max(0.0, (server_ns - after_ns) / 1e9, (before_ns - server_ns) / 1e9 - 1)
    if ahead_s > MOST_SKEW_S:
        return Finding(
            "problem", "clock", f"the clocks of this machine and of InfluxDB are {ahead_s:.0f} s apart",
            "set both by NTP (`timedatectl set-ntp true`); event times are judged by this machine's clock",
        )  # fmt: skip
    return Finding("ok", "clock", "this machine and InfluxDB agree on the time")


def _token(part: Part, rights: tuple[bool, ...], sees_tokens: bool, exists: list[bool]) -> Iterator[Finding]:
    wanted = _RIGHTS[part]
    needed = [n for n, want, has, there in zip(_NAMES, wanted, rights, exists, strict=True) if want and there > has]
    more = [name for name, want, has in zip(_NAMES, wanted, rights, strict=True) if has and not want]
    more += ["read the tokens of others"] if sees_tokens else []
    if needed:
        yield Finding("problem", "token", f"the token of the {part} may not {', '.join(needed)}", _AGAIN)
    if more:
        yield Finding(
            "warn", "token", f"the token may also {', '.join(more)}, which the {part} does not need",
            f"{_AGAIN}; say --part if this is the token of another part",
        )  # fmt: skip
    if not needed and not more:
        yield Finding("ok", "token", f"it may do what the {part} needs and no more")


def _retention(catalogue: Catalogue, retention_s: int | None, now_ns: int) -> Finding:
    if retention_s is None:
        return Finding(
            "unknown", "retention", "this token may not read the bucket of events, nor how long it keeps them",
            "ask with a token that may: `periscope doctor --part collector`",
        )  # fmt: skip
    if retention_s == 0:
        return Finding("ok", "retention", "the bucket of events keeps everything")
    kept = timedelta(seconds=retention_s)
    today = datetime.fromtimestamp(now_ns / 1e9, UTC).date()
    short = []
    for pilot in catalogue.pilots.values():
        for feed in pilot.feeds:
            if feed.lateness > kept:
                short.append(f"{pilot.slug}/{feed.id} may be {feed.lateness.days} days late")
            if feed.accept_since is not None and today - feed.accept_since > kept:
                short.append(f"{pilot.slug}/{feed.id} accepts events since {feed.accept_since}")
    said = f"the bucket of events keeps {kept.total_seconds() / 86_400:.3g} days"
    if short:
        return Finding(
            "problem", "retention", f"{said}, but {', '.join(short[:5])}",
            "let the bucket keep data for longer (`influx bucket update --retention`), or correct the pilot's file: "
            "older events are set aside as beyond_retention",
        )  # fmt: skip
    return Finding("ok", "retention", f"{said}, enough for each feed's lateness and back-fill")


def embedded(settings: Settings) -> Finding:
    """The SQLite store: there, readable, of a version that we know."""
    if not (settings.state / "store" / "raw.db").exists():
        return Finding(
            "unknown", "store", f"{settings.state / 'store'} holds no store yet",
            "nothing to do before the collector wrote its first event; else correct PERISCOPE_STATE",
        )  # fmt: skip
    try:
        with closing(open_store(settings, "read")) as store:
            store.touches()
    except (StoreAway, StoreRefused) as error:
        return Finding(
            "problem", "store", str(error), "do what this sentence says; messages wait in the spool meanwhile"
        )
    return Finding("ok", "store", f"{settings.state / 'store'} can be read")


def audit(settings: Settings, look_at: Callable[[], SpoolLook | None], whole: bool) -> Finding:
    """Whether the store holds the points that the ledger says were written; looks again while both are moving."""
    try:
        with closing(open_store(settings, "read")) as store:
            if _forgets(settings, store):
                return Finding(
                    "unknown", "audit", "cannot be told where the store lets old events go",
                    "compare the days that it still keeps, feed by feed, on the page Data quality",
                )  # fmt: skip
            for _ in range(_LOOKS):
                seen = look_at()
                counts = _counts(seen)
                points = sum(n for (_, _, fate), n in counts.items() if fate == "points_written")
                if points > MOST_AUDITED and not whole:
                    return Finding(
                        "unknown", "audit", f"{points:,} points take long to count",
                        "run `periscope doctor --audit` at a quiet time",
                    )  # fmt: skip
                wrong = ledger.audit(counts, store, sorted({pilot for pilot, _, _ in counts if pilot != UNKNOWN}))
                if not wrong:
                    said = f"the store holds the {points:,} points that the ledger says were written"
                    return Finding("ok", "audit", said)
                if _counts(look_at()) == counts and not any(fate == "pending" for _, _, fate in +counts):
                    return Finding(
                        "problem", "audit", "; ".join(wrong[:5]), _AUDIT + _MORE * bool(seen and seen.damaged)
                    )
    except (StoreAway, StoreRefused) as error:
        return Finding("unknown", "audit", str(error), "look again when the store answers and may be read")
    return Finding("unknown", "audit", "messages are on their way to the store", "look again when none waits")


def _counts(look: SpoolLook | None) -> ledger.Counts:
    return ledger.total(look.ledgers.values() if look is not None else [])


def _forgets(settings: Settings, store: Store) -> bool:
    """Whether the store drops old events, so that it holds less than was written."""
    if settings.store == "sqlite":
        return False
    from pipeline.store.influx import InfluxStore

    assert isinstance(store, InfluxStore)
    return store.look(settings.influx.raw_bucket).retention_s != 0
