"""The schema of the operational database, as numbered steps: what is published is never edited, only added to."""

import sqlite3
from collections.abc import Iterator
from typing import Final

MIGRATIONS: Final = (
    """
CREATE TABLE incident (
    id INTEGER PRIMARY KEY, pilot TEXT NOT NULL, kind TEXT NOT NULL, series TEXT NOT NULL,
    opened_ns INTEGER NOT NULL, since TEXT NOT NULL, sentence TEXT NOT NULL, severity TEXT NOT NULL,
    closed_ns INTEGER, close_reason TEXT, synthetic INTEGER NOT NULL, backfill INTEGER NOT NULL);
CREATE UNIQUE INDEX incident_identity ON incident (pilot, kind, series, since);
CREATE UNIQUE INDEX incident_open ON incident (pilot, kind, series) WHERE closed_ns IS NULL;
CREATE TABLE transition (
    id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident, at_ns INTEGER NOT NULL,
    what TEXT NOT NULL, day TEXT NOT NULL, reason TEXT NOT NULL, backfill INTEGER NOT NULL, inputs TEXT NOT NULL);
CREATE TABLE outbox (
    id INTEGER PRIMARY KEY, idempotency_key TEXT NOT NULL UNIQUE, body TEXT NOT NULL, made_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due_ns INTEGER NOT NULL, sent_ns INTEGER, failed TEXT);
CREATE TABLE lease (name TEXT PRIMARY KEY, holder TEXT NOT NULL, until_ns INTEGER NOT NULL);
CREATE TABLE alert_state (pilot TEXT NOT NULL, series TEXT NOT NULL, kind TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (pilot, series, kind));
CREATE TABLE audit (id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL);
""",
    """
CREATE TABLE account (
    id INTEGER PRIMARY KEY, source TEXT NOT NULL, subject TEXT NOT NULL, name TEXT NOT NULL, role TEXT NOT NULL,
    pilots TEXT, password TEXT, made_ns INTEGER NOT NULL, disabled INTEGER NOT NULL DEFAULT 0,
    UNIQUE (source, subject));
CREATE TABLE session (
    id_hash TEXT PRIMARY KEY, account INTEGER NOT NULL REFERENCES account, made_ns INTEGER NOT NULL,
    seen_ns INTEGER NOT NULL);
CREATE INDEX session_account ON session (account);
CREATE TABLE sign_in_try (id INTEGER PRIMARY KEY, key TEXT NOT NULL, at_ns INTEGER NOT NULL);
CREATE INDEX sign_in_try_key ON sign_in_try (key, at_ns);
CREATE TABLE handshake (
    state_hash TEXT PRIMARY KEY, browser_hash TEXT NOT NULL, body TEXT NOT NULL, made_ns INTEGER NOT NULL);
ALTER TABLE audit ADD COLUMN outcome TEXT NOT NULL DEFAULT '';
CREATE TRIGGER audit_is_not_rewritten BEFORE UPDATE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to'); END;
CREATE TRIGGER audit_is_not_shortened BEFORE DELETE ON audit BEGIN
    SELECT RAISE(ABORT, 'the audit is only added to'); END;
""",
    """
CREATE TABLE published (pilot TEXT PRIMARY KEY, at_ns INTEGER NOT NULL);
CREATE TABLE release_decision (
    pilot TEXT NOT NULL, k INTEGER NOT NULL, family TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (pilot, k, family));
CREATE TABLE published_period (
    pilot TEXT NOT NULL, period TEXT NOT NULL, start TEXT NOT NULL, body TEXT NOT NULL,
    PRIMARY KEY (pilot, period, start));
CREATE TABLE superseded (
    id INTEGER PRIMARY KEY, pilot TEXT NOT NULL, period TEXT NOT NULL, start TEXT NOT NULL, end TEXT NOT NULL,
    revision INTEGER NOT NULL, at_ns INTEGER NOT NULL, reason TEXT NOT NULL, body TEXT NOT NULL,
    UNIQUE (pilot, period, start, end, revision));
CREATE TABLE erased_day (pilot TEXT NOT NULL, day TEXT NOT NULL, PRIMARY KEY (pilot, day));
""",
    """
CREATE TABLE acknowledgement (
    id INTEGER PRIMARY KEY, incident INTEGER NOT NULL REFERENCES incident, at_ns INTEGER NOT NULL, who TEXT NOT NULL,
    note TEXT NOT NULL, until_ns INTEGER);
CREATE TABLE silence (
    id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, pilot TEXT NOT NULL,
    kind TEXT NOT NULL, series TEXT NOT NULL, until_ns INTEGER NOT NULL);
CREATE TABLE new_level (
    id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, who TEXT NOT NULL, reason TEXT NOT NULL, pilot TEXT NOT NULL,
    series TEXT NOT NULL, day TEXT NOT NULL);
""",
    """
CREATE TABLE installation (id TEXT NOT NULL);
INSERT INTO installation VALUES (lower(hex(randomblob(8))));
CREATE TABLE notification (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, incident INTEGER REFERENCES incident, pilot TEXT NOT NULL,
    kind TEXT NOT NULL, severity TEXT NOT NULL, what TEXT NOT NULL, body TEXT NOT NULL, made_ns INTEGER NOT NULL,
    held INTEGER NOT NULL DEFAULT 0);
CREATE INDEX notification_incident ON notification (incident, what);
CREATE TABLE letter (
    id INTEGER PRIMARY KEY, channel TEXT NOT NULL, key TEXT NOT NULL, body TEXT NOT NULL, made_ns INTEGER NOT NULL,
    attempts INTEGER NOT NULL DEFAULT 0, due_ns INTEGER NOT NULL, sent_ns INTEGER, failed TEXT);
CREATE INDEX letter_waiting ON letter (channel, due_ns) WHERE sent_ns IS NULL AND failed IS NULL;
CREATE INDEX letter_made ON letter (channel, made_ns);
CREATE TABLE waiting (
    notification INTEGER NOT NULL REFERENCES notification, channel TEXT NOT NULL, ready_ns INTEGER NOT NULL,
    letter INTEGER REFERENCES letter, PRIMARY KEY (notification, channel));
CREATE INDEX waiting_letter ON waiting (letter);
CREATE INDEX waiting_for_letter ON waiting (channel, ready_ns) WHERE letter IS NULL;
INSERT INTO notification (id, key, incident, pilot, kind, severity, what, body, made_ns)
    SELECT o.id, o.idempotency_key, i.id, i.pilot, i.kind, i.severity,
        substr(o.idempotency_key, instr(o.idempotency_key, '|') + 1), o.body, o.made_ns
    FROM outbox o JOIN incident i ON i.id = CAST(o.idempotency_key AS INTEGER);
INSERT INTO letter (id, channel, key, body, made_ns, attempts, due_ns, sent_ns, failed)
    SELECT o.id, '', o.idempotency_key, o.body, o.made_ns, o.attempts, o.due_ns, o.sent_ns, o.failed
    FROM outbox o JOIN notification n ON n.id = o.id WHERE o.sent_ns IS NOT NULL OR o.failed IS NOT NULL;
INSERT INTO waiting (notification, channel, ready_ns, letter)
    SELECT n.id, '', o.due_ns, l.id FROM notification n JOIN outbox o ON o.id = n.id LEFT JOIN letter l ON l.id = n.id;
DROP TABLE outbox;
ALTER TABLE waiting RENAME TO outbox;
""",
    """
ALTER TABLE erased_day ADD COLUMN at_ns INTEGER NOT NULL DEFAULT 0;
""",
    """
ALTER TABLE silence ADD COLUMN ended_by TEXT;
ALTER TABLE new_level ADD COLUMN incident INTEGER REFERENCES incident;
""",
    """
ALTER TABLE letter ADD COLUMN again_ns INTEGER;
CREATE TABLE state_change (
    id INTEGER PRIMARY KEY, at_ns INTEGER NOT NULL, pilot TEXT NOT NULL, series TEXT NOT NULL, day TEXT NOT NULL,
    state TEXT NOT NULL, inputs TEXT NOT NULL);
CREATE INDEX state_change_series ON state_change (pilot, series, day);
CREATE TRIGGER state_change_is_not_rewritten BEFORE UPDATE ON state_change BEGIN
    SELECT RAISE(ABORT, 'changes of state are only added to'); END;
CREATE TRIGGER state_change_is_not_shortened BEFORE DELETE ON state_change BEGIN
    SELECT RAISE(ABORT, 'changes of state are only added to'); END;
CREATE TRIGGER transition_is_not_rewritten BEFORE UPDATE ON transition BEGIN
    SELECT RAISE(ABORT, 'transitions are only added to'); END;
CREATE TRIGGER transition_is_not_shortened BEFORE DELETE ON transition BEGIN
    SELECT RAISE(ABORT, 'transitions are only added to'); END;
""",
    """
CREATE TABLE erased_announced (
    pilot TEXT NOT NULL, day TEXT NOT NULL, feed TEXT NOT NULL, mark TEXT NOT NULL, n INTEGER NOT NULL,
    PRIMARY KEY (pilot, day, feed, mark));
""",
)


def statements(script: str) -> Iterator[str]:
    """The statements of a script, triggers whole.

    >>> list(statements("CREATE TABLE a (b); DROP TABLE a;"))
    ['CREATE TABLE a (b);', 'DROP TABLE a;']
    """
    held = ""
    for part in script.split(";")[:-1]:
        held += part + ";"
        if sqlite3.complete_statement(held):
            yield held.strip()
            held = ""
