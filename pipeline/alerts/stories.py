"""An incident as a reader wants it: what it is, what happened when, why it fired, who looks after it, and the series.

The series is computed again from the days, so that it shows what is known now; what was told stands in the history.
"""

from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from pipeline.alerts.care import Acknowledgement, Care, Deed
from pipeline.alerts.detector import band
from pipeline.alerts.drop_off import KIND, course_of, explanation_of
from pipeline.alerts.evidence import of_partial_day
from pipeline.alerts.explanation import Explanation
from pipeline.alerts.streams import Streams, domain_of, streams_of
from pipeline.history import History
from pipeline.operations import Operations
from pipeline.periods import ordinal
from pipeline.values import Incident

BEFORE: Final = 42  # days before the opening that a series shows
AFTER: Final = 42  # days after the end


class Moment(msgspec.Struct, frozen=True):
    """Something that happened to an incident: "opened", "worsened" or "closed", with its reason. `told`: people were
    notified."""

    at_ns: int
    what: str
    day: str
    reason: str
    told: bool


class Day(msgspec.Struct, frozen=True):
    """One day of a series; `expected` and its 90 % band are None before the first fit and, of a partial day, of what
    should have arrived; `why` is why it is left out."""

    day: str
    observed: int
    expected: float | None
    low: float | None
    high: float | None
    evidence: float | None
    why: str


class Story(msgspec.Struct, frozen=True):
    """One incident. `threshold` is of its series, where it has one; `deeds` are what people did about it."""

    incident: Incident
    moments: list[Moment]
    explanation: Explanation | None = None
    acknowledged: Acknowledgement | None = None
    days: list[Day] = []
    threshold: float | None = None
    deeds: list[Deed] = []


def told(operations: Operations, incidents: Sequence[Incident], now_ns: int) -> list[Story]:
    """Stories without their series, in the order given."""
    care = Care(operations)
    found = []
    for one in incidents:
        inputs = operations.opened_with(one.id)
        found.append(
            Story(
                incident=one,
                moments=_moments(operations, one.id),
                explanation=explanation_of(inputs) if one.kind == KIND and "evidence" in inputs else None,
                acknowledged=care.acknowledged(one.id, now_ns),
                deeds=care.deeds(one),
            )
        )
    return found


def _moments(operations: Operations, incident: int) -> list[Moment]:
    rows = operations.read(
        "SELECT t.at_ns, t.what, t.day, t.reason, EXISTS (SELECT 1 FROM notification n WHERE n.incident = "
        "t.incident AND n.what = t.what AND NOT n.held) FROM transition t WHERE t.incident = ? ORDER BY t.id",
        (incident,),
    )
    return [Moment(at_ns, what, day, reason, bool(was_told)) for at_ns, what, day, reason, was_told in rows]


def with_series(history: History, as_of_ns: int, levels: dict[str, str], stories: Sequence[Story]) -> list[Story]:
    """The same with the series of drop-offs, from six weeks before the opening to six weeks after the end."""
    judged: dict[str, Streams | None] = {}
    found = []
    for story in stories:
        one, domain = story.incident, domain_of(story.incident.series)
        if one.kind != KIND:
            found.append(story)
            continue
        if domain not in judged:
            judged[domain] = streams_of(history, as_of_ns, levels, domain)
        streams = judged[domain]
        if streams is None or one.series not in streams.names:
            found.append(story)
            continue
        course = course_of(streams)
        rows = [at for at, name in enumerate(streams.names) if name == one.series]
        was = story.explanation.threshold if story.explanation is not None else None
        row = next((at for at in rows if streams.rules[at].h == was), rows[0])
        opened = ordinal(one.since[:10]) - streams.first
        ended = [ordinal(moment.day) - streams.first for moment in story.moments if moment.what == "closed"]
        last = streams.counts.shape[1] - 1
        span = range(max(0, opened - BEFORE), min(last, (ended[-1] if ended else last) + AFTER) + 1)
        share = streams.completeness[row]
        expected, phi = of_partial_day(course.expected[row], course.phi[row], share)
        low, high = band(expected, course.se[row], phi)
        days = [
            Day(
                day=streams.day(at),
                observed=int(streams.counts[row, at]),
                expected=_known(expected[at]),
                low=_known(low[at]),
                high=_known(high[at]),
                evidence=_known(course.evidence[row, at]),
                why=streams.why(row, at),
            )
            for at in span
        ]
        found.append(msgspec.structs.replace(story, days=days, threshold=streams.rules[row].h))
    return found


def _known(number: float) -> float | None:
    return None if np.isnan(number) else float(number)
