"""Checks of the disk and of what the spool holds: room, damage, waiting, ledger, dead letters."""

import shutil
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from collectors import ledger
from collectors.doctor.finding import Finding
from collectors.doctor.spool_look import MOST_COUNTED, SpoolLook

LEAST_FREE = 0.15
FULL, FILLING = 0.9, 0.7
OLDEST_S = 600
MOST_DEAD = 0.01
_DAYS = 3


def disk(state: Path) -> Finding:
    """Free space where everything is kept."""
    there = next(path for path in [state.absolute(), *state.absolute().parents] if path.exists())
    usage = shutil.disk_usage(there)
    free = usage.free / usage.total if usage.total else 0.0
    said = f"{free:.0%} of {usage.total / 1e9:.1f} GB is free under {state}"
    if free < LEAST_FREE:
        return Finding(
            "problem", "disk", said,
            "free space or move PERISCOPE_STATE to a larger disk; when it is full, nothing is acknowledged any more",
        )  # fmt: skip
    return Finding("ok", "disk", said)


def spool(look: SpoolLook, max_bytes: int, now_ns: int) -> Iterator[Finding]:
    yield _damage(look)
    if look.unread:
        return
    yield _quota(look, max_bytes)
    yield _backlog(look, now_ns)
    yield _ledger(look)
    yield _dead_letters(look)
    yield _without_reading(look)


def _quota(look: SpoolLook, max_bytes: int) -> Finding:
    share = look.size / max_bytes
    said = f"the spool takes {look.size / 1e6:.1f} MB, {share:.0%} of its limit"
    if share < FILLING:
        return Finding("ok", "quota", said)
    return Finding(
        "problem" if share >= FULL else "warn", "quota", said,
        "mend the store if messages wait; else raise PERISCOPE_SPOOL__MAX_BYTES or lower PERISCOPE_SPOOL__JOURNAL_H",
    )  # fmt: skip


def _damage(look: SpoolLook) -> Finding:
    if look.unread and not look.damaged:
        return Finding(
            "unknown", "spool-damage", f"{look.folder}: {', '.join(look.unread)} could not be opened",
            "run doctor as the user that the collector runs as",
        )  # fmt: skip
    if not look.damaged:
        return Finding("ok", "spool-damage", "every file of the spool can be read")
    return Finding(
        "problem", "spool-damage", f"{look.folder}: {', '.join(look.damaged)} cannot be read",
        "check the disk; send that day's data again with `periscope import` where the city still has it, then move "
        "the file away",
    )  # fmt: skip


def _backlog(look: SpoolLook, now_ns: int) -> Finding:
    age_s = (now_ns - look.oldest_pending_ns) / 1e9 if look.oldest_pending_ns is not None else 0.0
    if age_s <= OLDEST_S:
        return Finding("ok", "backlog", "no message has waited for more than 10 minutes")
    return Finding(
        "problem", "backlog", f"the oldest message has waited for {age_s / 60:.0f} minutes to reach the store",
        "see what is said of the store and of the collector here; start the collector if none runs",
    )  # fmt: skip


def _ledger(look: SpoolLook) -> Finding:
    total = ledger.total(look.ledgers.values())
    wrong = ledger.broken(total)
    wrong += [
        f"{day}: the ledger does not hold what the records say"
        for day, counts in look.derived.items()
        if _without_zeros(look.here[day][1]) != counts
    ]
    if wrong:
        return Finding(
            "problem", "ledger", f"the numbers do not add up: {'; '.join(wrong[:5])}",
            "keep a copy of the spool folder and report it: this is a fault of the disk or of Periscope, and no figure "
            "of completeness for that day can be trusted",
        )  # fmt: skip
    if not look.counted:
        return Finding(
            "ok", "ledger", f"it adds up; days of more than {MOST_COUNTED:,} messages were not counted again"
        )
    return Finding("ok", "ledger", f"it adds up over {len(look.ledgers)} days and agrees with the records")


def _without_zeros(counts: ledger.Counts) -> ledger.Counts:
    return Counter({key: n for key, n in counts.items() if n})


def _dead_letters(look: SpoolLook) -> Finding:
    recent = sorted(look.ledgers)[-_DAYS:]
    counts = ledger.total(look.ledgers[day] for day in recent)
    feeds: dict[tuple[str, str], Counter[str]] = {}
    for (pilot, feed, fate), n in counts.items():
        feeds.setdefault((pilot, feed), Counter())[fate] += n
    bad = {
        key: fates["dead_lettered"] / fates["received"]
        for key, fates in feeds.items()
        if fates["received"] and fates["dead_lettered"] / fates["received"] > MOST_DEAD
    }
    if not bad:
        return Finding("ok", "dead-letters", f"at most 1 % of each feed's messages of the last {_DAYS} days")
    reasons: Counter[tuple[str, str, str]] = look.dead
    said = [
        f"{pilot}/{feed} {share:.0%}" + "".join(f" ({code})" for code in _main_reason(reasons, pilot, feed))
        for (pilot, feed), share in sorted(bad.items(), key=lambda item: -item[1])[:5]
    ]
    return Finding(
        "problem", "dead-letters", f"more than 1 % of the messages became no event: {', '.join(said)}",
        "see them with `periscope dead-letters list`, find what to change with `periscope try`, start the collector "
        "again, then run `periscope dead-letters requeue --all`",
    )  # fmt: skip


def _without_reading(look: SpoolLook) -> Finding:
    """A name in a feed's map that no payload has makes no dead letter: the messages are dropped, one and all."""
    recent = sorted(look.ledgers)[-_DAYS:]
    fates = ledger.total(look.ledgers[day] for day in recent)
    found = [
        f"{pilot}/{feed} ({n})" for (pilot, feed, fate), n in sorted(fates.items())
        if fate == "dropped:no_reading" and n > fates[pilot, feed, "received"] / 2
    ]  # fmt: skip
    if not found:
        return Finding("ok", "no-reading", f"no feed of the last {_DAYS} days sends mostly messages without a reading")
    return Finding(
        "warn", "no-reading", f"most messages held none of the mapped fields and were dropped: {', '.join(found)}",
        "see what comes with `periscope try --listen`, mend values in the feed's file, start the collector again, then "
        "run `periscope replay --dropped --since 72h`",
    )  # fmt: skip


def _main_reason(reasons: Counter[tuple[str, str, str]], pilot: str, feed: str) -> list[str]:
    ours = Counter({code: n for (p, f, code), n in reasons.items() if (p, f) == (pilot, feed)})
    return [code for code, _ in ours.most_common(1)]
