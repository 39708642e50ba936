"""Checks of a catalogue that parses but would mislead: what would go wrong, what would be said without evidence.

An error means that data would be lost, doubled or misjudged; a warning means that a page has to say "not defined".
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, replace
from itertools import combinations
from typing import Literal

from config.catalogue import Catalogue, Feed, Pilot
from config.lint_events import type_problems
from config.lint_topics import overlap, topic_problems
from config.quantities import remark
from config.toml_lines import Lines

RATES = {"adoption-per-1000", "participation-per-1000"}
_SECRET = re.compile(r"(password|passwd|secret|token|api_?key)\s*[=:]|://[^/\s:]+:[^/\s@]+@", re.IGNORECASE)
_PERSONAL = re.compile(r"(^|[._-])(name|e?mail|phone|address)($|[._-])", re.IGNORECASE)


@dataclass(frozen=True)
class Finding:
    """One thing to mend: where, what is wrong, and the remedy; `line` is 0 where it is not known."""

    level: Literal["error", "warning"]
    place: str
    key: str
    what: str
    remedy: str
    line: int = 0

    def __str__(self) -> str:
        place = f"{self.place}:{self.line}" if self.line else self.place
        return f"{self.level}: {place}: {self.key}: {self.what} ({self.remedy})"

    def facts(self) -> dict[str, str | int]:
        return asdict(self)


def lint(catalogue: Catalogue, indicators: Iterable[str] | None = None) -> list[Finding]:
    """Every finding, errors first; `indicators` are the known ids, None leaves targets' ids unchecked."""
    known = None if indicators is None else set(indicators)
    findings = list(_overlaps(catalogue))
    for pilot in catalogue.pilots.values():
        findings += _pilot(pilot, known)
        for feed in pilot.feeds:
            findings += _feed(pilot, feed)
            for what, remedy in topic_problems(catalogue, pilot, feed):
                findings.append(Finding("error", f"{pilot.slug}.toml", f"feeds.{feed.id}.topic", what, remedy))
    findings += _secrets(catalogue)
    findings = [_located(finding, catalogue) for finding in findings]
    return sorted(findings, key=lambda finding: (finding.level != "error", finding.place, finding.key))


def _located(finding: Finding, catalogue: Catalogue) -> Finding:
    path = catalogue.folder / finding.place
    return replace(finding, line=Lines(path.read_text()).of(finding.key)) if path.is_file() else finding


def _overlaps(catalogue: Catalogue) -> Iterator[Finding]:
    feeds = [(pilot.slug, feed) for pilot in catalogue.pilots.values() for feed in pilot.feeds]
    for (one, a), (other, b) in combinations(feeds, 2):
        if overlap(a.topic, b.topic):
            yield Finding(
                "error", f"{other}.toml", f"feeds.{b.id}.topic", f"also matches messages of {one}'s feed {a.id}",
                "give each feed a topic of its own, or its messages count for one of them only",
            )  # fmt: skip


def _pilot(pilot: Pilot, known: set[str] | None) -> Iterator[Finding]:
    place = f"{pilot.slug}.toml"
    if pilot.denominator() is None:
        yield Finding(
            "warning", place, "denominators", "holds no known value", "rates per 1,000 will say \"not defined\""
        )  # fmt: skip
    for target in pilot.targets:
        if known is not None and target.indicator not in known:
            yield Finding(
                "error", place, "targets", f'names the unknown indicator "{target.indicator}"',
                "choose an id from the definitions page",
            )  # fmt: skip
        if target.indicator in RATES and pilot.denominator() is None:
            yield Finding(
                "error", place, "targets", f"{target.indicator} cannot be computed", "add a denominator with a value"
            )
        if target.by < target.declared:
            yield Finding("error", place, "targets", f"{target.indicator} ends before it was declared", "correct `by`")
    measured = {(q.quantity, q.unit) for feed in pilot.feeds if feed.map for q in feed.map.values.values()}
    for limit in pilot.limits:
        if (limit.quantity, limit.unit) not in measured:
            stored = " or ".join(sorted(unit for quantity, unit in measured if quantity == limit.quantity))
            remedy = f"its readings are stored in {stored}" if stored else "use the quantity and unit of a feed's map"
            yield Finding(
                "error", place, f"limits.{limit.quantity}", f"no feed measures it in {limit.unit}", remedy
            )  # fmt: skip
    for key, what, remedy in type_problems(pilot):
        yield Finding("warning", place, key, what, remedy)
    if not pilot.synthetic and any(feed.synthetic for feed in pilot.feeds):
        yield Finding("warning", place, "synthetic", "is false although a feed is simulated", "set synthetic = true")


def _feed(pilot: Pilot, feed: Feed) -> Iterator[Finding]:
    def finding(level: Literal["error", "warning"], key: str, what: str, remedy: str) -> Finding:
        return Finding(level, f"{pilot.slug}.toml", f"feeds.{feed.id}{key and '.' + key}", what, remedy)

    if feed.expect_every is None and feed.heartbeat_every is None and not feed.by_hand:
        yield finding(
            "warning", "", "has no expected interval and no heartbeat, so its silence cannot be told from people's",
            "set expect_every or heartbeat_every",
        )  # fmt: skip
    if feed.stream == "sensor" and feed.expect_every and not feed.devices:
        yield finding(
            "warning", "devices", "are not listed, so a device that never sends is not missed", "list the devices"
        )
    parts = feed.topic.split("/")
    if len(parts) > 2 and parts[0] == "pilots" and parts[1] not in ("+", "#", pilot.slug):
        yield finding("error", "topic", f"belongs to pilot {parts[1]}", f"use pilots/{pilot.slug}/...")
    mapped = feed.map is not None and feed.decoder == "flat_json"  # other formats say where their time and id stand
    if feed.map is not None and mapped and feed.map.time is None:
        yield finding(
            "warning", "map.time", "is missing, so a reading is placed when it arrives and a repeat is not recognised",
            "name the field that holds the time",
        )  # fmt: skip
    if feed.map is not None and mapped and feed.map.id is None and feed.map.time is None:
        yield finding("error", "map.id", "and map.time are both missing: repeats would be counted", "name one of them")
    if feed.person_id is not None and feed.consent != "cohort":
        yield finding(
            "error", "person_id", "is read although consent is not \"cohort\"", "set consent = \"cohort\" or remove it"
        )  # fmt: skip
    for path, quantity in feed.map.values.items() if feed.map else ():
        if _PERSONAL.search(path):
            yield finding("error", f"map.values.{path}", "looks like personal data", "do not collect it")
        if (said := remark(quantity.quantity, quantity.unit, quantity.read_unit)) is not None:
            level: Literal["error", "warning"] = "warning" if said.code == "unknown_quantity" else "error"
            yield finding(level, f"map.values.{path}", said.what, said.remedy)


def _secrets(catalogue: Catalogue) -> Iterator[Finding]:
    for path in sorted(catalogue.folder.glob("*.toml")):
        for number, line in enumerate(path.read_text().splitlines(), 1):
            if _SECRET.search(line):
                # The line itself is not repeated: it may hold the secret.
                yield Finding(
                    "error", path.name, f"line {number}", "looks like a secret in clear",
                    "move it to a setting from a secret file",
                )  # fmt: skip
