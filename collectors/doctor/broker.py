"""Checks of the broker: reach, login, TLS, what it grants, what it retains, what it says of itself.

Promises: everything is done on scratch connections; nothing is published here, and no payload of a feed is kept.
"""

from __future__ import annotations

import ssl
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from collectors.doctor.finding import Finding
from collectors.message import BrokerAway, BrokerRefused, CertificateRefused, LoginRefused
from collectors.scratch import Grant, Heard, Scratch
from collectors.topics import UNKNOWN, Roster
from config.catalogue import Catalogue
from config.settings import Mqtt, Settings

LEAST_DAYS = 21
MOST_RETAINED = 1000
_LISTEN_S = 12.0  # Mosquitto tells its numbers every 10 s unless told otherwise
_OUR_TOPICS = ("pilots/", "periscope/")
_ENOUGH_S = 3.0
_MOST_COUNTED = 100_000
_SYS = "$SYS/broker/"
_LOOPBACK = ("127.0.0.1", "::1", "localhost")


def refused(error: BrokerAway | BrokerRefused) -> Finding:
    """Why there is no connection, as a finding; nothing else can be asked then."""
    if isinstance(error, CertificateRefused):
        return Finding(
            "problem", "certificate", str(error),
            "renew the broker's certificate if it expired, else set PERISCOPE_MQTT__CA to the authority that signed it "
            "and PERISCOPE_MQTT__HOST to a name that it holds",
        )  # fmt: skip
    if isinstance(error, LoginRefused):
        return Finding(
            "problem", "login", str(error),
            "set PERISCOPE_MQTT__USERNAME and PERISCOPE_MQTT__PASSWORD to what the broker's password file holds",
        )  # fmt: skip
    return Finding(
        "problem", "broker", str(error), "start the broker, or correct PERISCOPE_MQTT__HOST and PERISCOPE_MQTT__PORT"
    )


class Listening:
    """One connection that stays during the other checks: to the feeds' topics and the broker's own numbers."""

    def __init__(self, settings: Settings, catalogue: Catalogue, clock: Callable[[], int]) -> None:
        self._clock = clock
        self._settings, self._roster = settings, Roster(catalogue, settings.collector)
        self._scratch = Scratch(settings.mqtt, on_message=self._heard)
        self._ops = f"periscope/ops/{settings.collector}/"
        self._filters = self._roster.filters()
        self._filters += sorted(
            {f.topic for p in catalogue.pilots.values() for f in p.feeds if f.topic not in self._filters}
        )
        self._grants: list[Grant] = []
        self._started = time.monotonic()
        self._retained: dict[str, set[int]] = {}
        self.live = self.reports = self._uptimes = 0
        self._sys: dict[str, str] = {}
        self._first_dropped: int | None = None

    def __enter__(self) -> Listening:
        self._scratch.__enter__()
        self._started = time.monotonic()
        self._scratch.subscribe([f"{_SYS}#"])
        self._grants = self._scratch.subscribe(self._filters)
        return self

    def __exit__(self, *_: object) -> None:
        self._scratch.__exit__()

    def _heard(self, heard: Heard) -> None:
        topic = heard.topic.decode("utf-8", "replace")
        if topic.startswith(_SYS):
            self._sys[topic.removeprefix(_SYS)] = heard.payload[:100].decode("utf-8", "replace")
            self._uptimes += topic == f"{_SYS}uptime"
            if topic == f"{_SYS}publish/messages/dropped" and self._first_dropped is None:
                self._first_dropped = self.dropped()
        elif topic.startswith(self._ops):
            self.reports += not heard.retained
        elif heard.retained:
            place = self._roster.place(topic)
            # Only that it is another topic is kept: overlapping filters bring a message several times.
            known = self._retained.setdefault(f"{place.pilot}/{place.feed_id}", set())
            if len(known) < _MOST_COUNTED:
                known.add(hash(topic))
        else:
            self.live += 1

    def connection(self) -> Iterator[Finding]:
        mqtt = self._settings.mqtt
        yield Finding("ok", "broker", f"{mqtt.host}:{mqtt.port} answers over MQTT {mqtt.protocol}{self._version()}")
        user = f'as "{mqtt.username}"' if mqtt.username else "without a user name"
        yield Finding("ok", "login", f"it lets us in {user}")
        yield _certificate(mqtt, self._scratch.certificate_ends_s, self._clock() / 1e9)

    def granted(self) -> Iterator[Finding]:
        """What each filter got; a denial that the broker keeps to itself shows only as silence."""
        bad = [grant for grant in self._grants if grant.qos != 1]
        user = self._settings.mqtt.username or ""
        for grant in bad:
            how = "is denied" if grant.qos is None else f"is granted with QoS {grant.qos} only"
            yield Finding(
                "problem", "subscriptions", f"{grant.filter} {how} ({grant.reason})",
                f'let the broker\'s user "{user}" read that topic' if grant.qos is None else
                "raise max_qos of the broker's listener to 1 or more: with QoS 0 messages are lost while we are away",
            )  # fmt: skip
        if bad:
            return
        if not self._listened(_ENOUGH_S):
            foreign = sorted(grant.filter for grant in self._grants if not grant.filter.startswith(_OUR_TOPICS))
            rules = ", ".join(f"`topic read {one}`" for one in ["pilots/#", *foreign[:5]])
            yield Finding(
                "unknown", "subscriptions", f"all {len(self._grants)} topic filters are granted, but nothing came",
                f'if the feeds send, let the broker\'s user "{user}" read their topics ({rules}): '
                "Mosquitto grants what its access list then withholds",
            )  # fmt: skip
        else:
            yield Finding("ok", "subscriptions", f"all {len(self._grants)} topic filters are granted with QoS 1")

    def _listened(self, seconds: float) -> bool:
        left = self._started + seconds - time.monotonic()
        return self._scratch.wait(lambda: bool(self.live or self._retained), left)

    def retained(self) -> Finding:
        self._scratch.wait_quiet(lambda: sum(map(len, self._retained.values())), 0.3, 3)
        counts = {name: len(topics) for name, topics in self._retained.items()}
        total = sum(counts.values())
        if total < MOST_RETAINED:
            return Finding("ok", "retained", f"{total} retained messages on the feeds' topics")
        most = max(counts, key=lambda name: counts[name])
        whose = f"most of {most}" if most != f"{UNKNOWN}/{UNKNOWN}" else "most of no feed that is known"
        return Finding(
            "warn", "retained", f"{total} retained messages or more come at each new session, {whose}",
            "let senders publish events without the retain flag, and remove old ones by publishing an empty retained "
            "message on their topics; they are dropped as retained_replay, heartbeats excepted",
        )  # fmt: skip

    def packet_size(self) -> int | None:
        return self._scratch.largest_packet

    def uptime_s(self) -> float | None:
        """How long the broker has run, None where it does not say or we may not hear it."""
        try:
            return float(self._sys["uptime"].split()[0])
        except (KeyError, ValueError, IndexError):
            return None

    def dropped(self) -> int | None:
        return int(said) if (said := self._sys.get("publish/messages/dropped", "")).isdigit() else None

    def drops(self, ours: int) -> Finding:
        """Whether the broker drops messages now; `ours` are those that the queue probe lost."""
        # Its numbers are retained, so where none came at once none will.
        if self._scratch.wait(lambda: bool(self._sys), self._started + _ENOUGH_S - time.monotonic()):
            told = self._scratch.wait(lambda: self._uptimes > 1, self._started + _LISTEN_S - time.monotonic())
        else:
            told = False
        now, first = self.dropped(), self._first_dropped
        if not self._sys or (now is None and not told):
            return Finding(
                "unknown", "broker-drops", "the broker does not tell its numbers",
                "let our user read $SYS/broker/# (Mosquitto), or watch the counter of dropped messages in the broker's "
                "own console",
            )  # fmt: skip
        before, now = first or 0, now or 0
        advice = (
            "raise max_queued_messages and max_queued_bytes, see its log for whom it drops, and look at the slow client"
        )
        if now - before > ours:
            return Finding("problem", "broker-drops", f"{now - before - ours} messages dropped while we looked", advice)
        if before > 0:
            return Finding("warn", "broker-drops", f"{before} messages dropped since the broker started", advice)
        return Finding("ok", "broker-drops", "the broker has dropped nothing")

    def _version(self) -> str:
        return f", {self._sys['version']}" if "version" in self._sys else ""


def _certificate(mqtt: Mqtt, ends_s: float | None, now_s: float) -> Finding:
    if ends_s is None:
        if mqtt.host in _LOOPBACK:
            return Finding("ok", "certificate", "no TLS, on this machine alone")
        return Finding(
            "warn", "certificate", f"no TLS to {mqtt.host}: passwords and messages can be read on the way",
            "set PERISCOPE_MQTT__CA and the broker's TLS port, unless this is a private network between containers",
        )  # fmt: skip
    found = {"the broker's certificate": ends_s}
    if mqtt.ca is not None:
        found |= _authorities(mqtt.ca)
    name, first = min(found.items(), key=lambda item: item[1])
    days = (first - now_s) / 86_400
    if days < LEAST_DAYS:
        return Finding(
            "problem", "certificate", f"{name} ends in {days:.0f} days",
            "renew it and reload the broker; every collector and sender is refused from that day on",
        )  # fmt: skip
    return Finding("ok", "certificate", f"{name} lasts for {days:.0f} more days")


def _authorities(ca: Path) -> dict[str, float]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.load_verify_locations(ca)
    known: list[Any] = context.get_ca_certs()
    return {f"the authority in {ca.name}": ssl.cert_time_to_seconds(cert["notAfter"]) for cert in known}


def window(settings: Settings) -> Finding:
    """A commit that waits for more messages than the broker may have in flight never fills."""
    batch, most = settings.spool.batch, settings.mqtt.receive_maximum
    if settings.mqtt.protocol == "5" and batch > most:
        return Finding(
            "warn", "window", f"a commit takes up to {batch} messages, but only {most} may be in flight",
            "set PERISCOPE_SPOOL__BATCH to PERISCOPE_MQTT__RECEIVE_MAXIMUM or less; else a commit waits its whole time",
        )  # fmt: skip
    return Finding("ok", "window", f"{most} messages may be in flight, {batch} make a commit")
