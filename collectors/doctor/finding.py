"""What a check found: one sentence, its level and its remedy."""

from dataclasses import asdict, dataclass
from typing import Literal

Level = Literal["ok", "warn", "problem", "unknown"]

# Every code with what is looked at; docs/doctor.md explains each, and a test compares the two.
CODES = {
    "catalogue": "the pilots' files, as `periscope lint` sees them",
    "disk": "free space under the state folder",
    "quota": "how full the spool is",
    "spool-damage": "files of the spool that cannot be read",
    "backlog": "age of the oldest message that waits",
    "ledger": "whether the numbers of messages add up",
    "dead-letters": "share of messages that could not become events",
    "no-reading": "feeds whose messages hold none of the fields in their map",
    "silent-feed": "feeds that should have sent",
    "clock": "clocks of this machine, the store and the devices",
    "store": "whether the store answers",
    "token": "what the token of InfluxDB may do",
    "retention": "how long the buckets keep data",
    "audit": "whether the store holds what was written",
    "collector": "the collector that runs here",
    "broker": "whether the broker answers",
    "login": "whether the broker knows our user",
    "certificate": "TLS and how long the broker's certificate lasts",
    "subscriptions": "what the broker grants for each topic filter",
    "retained": "retained messages on the feeds' topics",
    "window": "messages that the broker sends before an acknowledgement",
    "message-size": "the largest message that the broker takes",
    "queue": "messages that the broker keeps while the collector is away",
    "persistence": "whether the broker keeps its queues over a restart",
    "session": "the collector's session at the broker",
    "broker-drops": "messages that the broker says it dropped",
}


@dataclass(frozen=True)
class Finding:
    """`code` is one of CODES. A problem loses data or will; a warning may; unknown says what to look at oneself."""

    level: Level
    code: str
    what: str
    remedy: str = ""

    def __post_init__(self) -> None:
        if self.code not in CODES or (self.level != "ok" and not self.remedy):
            raise ValueError(f"{self.code}: a finding has a known code, and a remedy where something is to be done")

    def __str__(self) -> str:
        return f"{self.level:7} {self.code}: {self.what}" + (f"\n        do: {self.remedy}" if self.remedy else "")

    def facts(self) -> dict[str, str]:
        return asdict(self)
