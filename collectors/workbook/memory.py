"""What is remembered of earlier imports of one pilot's workbooks: which rows went out, and the days of activities.

It only saves sending and tells new, changed and unchanged apart. Without it the same rows are sent again, and the
collector knows them by id and content: what is the same is a duplicate, what changed has a higher revision.
"""

from pathlib import Path

import msgspec

from collectors import durable
from collectors.workbook.events import Part


class Sent(msgspec.Struct, kw_only=True):
    """One row as it went out: a digest of its events, and where each of them stands in time."""

    digest: str
    parts: dict[str, Part]


class Memory(msgspec.Struct, kw_only=True):
    """Rows by sheet and id; days of activities by id, as ISO dates."""

    rows: dict[str, Sent] = {}
    days: dict[str, str] = {}
    revision: int = 0


def load_memory(path: Path) -> Memory:
    """What is remembered; nothing where there is no file or it cannot be read."""
    try:
        return msgspec.json.decode(path.read_bytes(), type=Memory)
    except (OSError, msgspec.DecodeError):
        return Memory()


def save_memory(path: Path, memory: Memory) -> None:
    """Replace the file at once, so that a kill leaves the old or the new one."""
    path.parent.mkdir(parents=True, exist_ok=True)
    durable.replace(path, msgspec.json.encode(memory))
