"""What is stored where: the names that both adapters and `docs/store.md` share.

Adding a tag changes the identity of points, and a table change needs a new migration: both are new versions
of the schema, forward only. `docs/store.md` is compared with this module by a test.
"""

from typing import Final

from pipeline.model import STREAMS

TAGS: Final[dict[str, tuple[str, ...]]] = {
    stream: ("pilot", "feed", "device", "quantity") if stream == "sensor" else ("pilot", "feed", "type")
    for stream in STREAMS
}
RAW_FIELDS: Final = {"event_id": "string", "body": "string", "actor_key": "string", "count": "float", "value": "float"}
TOUCH_MEASUREMENT: Final = "touch"
TOUCH_TAGS: Final = ("pilot",)
TOUCH_FIELDS: Final = {"seq": "integer"}
RECORD_TAGS: Final = ("pilot", "key")
RECORD_FIELDS: Final = {"body": "string"}
RECORD_KINDS: Final = ("partial", "detail", "values", "now", "report", "lost", "alert", "done")

# One tuple of statements per version; a file at version n has had the first n applied, each of which ends by saying so.
RAW_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE event (
            pilot TEXT NOT NULL, stream TEXT NOT NULL, feed TEXT NOT NULL, event_id TEXT NOT NULL,
            time_ns INTEGER NOT NULL, type TEXT NOT NULL, device TEXT NOT NULL, quantity TEXT NOT NULL,
            actor_key TEXT, body TEXT NOT NULL,
            UNIQUE (pilot, stream, feed, event_id)
        )""",
        "CREATE INDEX event_by_time ON event (pilot, stream, time_ns)",
        "CREATE INDEX event_by_actor ON event (pilot, actor_key) WHERE actor_key IS NOT NULL",
        "CREATE TABLE touch (pilot TEXT NOT NULL, day TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY (pilot, day))",
        "PRAGMA user_version = 1",
    ),
)
DERIVED_MIGRATIONS: Final[tuple[tuple[str, ...], ...]] = (
    (
        """CREATE TABLE record (
            kind TEXT NOT NULL, pilot TEXT NOT NULL, key TEXT NOT NULL, time_ns INTEGER NOT NULL, body TEXT NOT NULL,
            PRIMARY KEY (kind, pilot, key, time_ns)
        )""",
        "PRAGMA user_version = 1",
    ),
)
