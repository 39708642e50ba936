"""From a pilot's days to the days that its drop-off alert may judge.

A day is judged when it and its feeds' lateness are over, every engagement feed was ok or partial that day, and
neither a closure nor a public holiday of the pilot's calendar holds it. Of a partial day the count is scaled by its
completeness. Source: alerts.md 3. The series is the pilot's contributions: attendances come in bursts with each
activity.
"""

from collections.abc import Iterator

from pipeline.alerts.calendar import closed
from pipeline.alerts.state import JudgedDay, Rule, State, Transition, step
from pipeline.history import History
from pipeline.model import NS_PER_S
from pipeline.periods import day_bounds, iso

SERIES = "contributions"
RULE = Rule()


def replay(history: History, as_of_ns: int, now_ns: int) -> tuple[State, list[Transition]]:
    """The state and every transition of a pilot's whole past, from its first day."""
    state, found = State(), []
    for judged in judged_days(history, as_of_ns):
        state, transitions = step(state, RULE, judged, now_ns, history.pilot.slug, SERIES)
        found += transitions
    return state, found


def judged_days(history: History, as_of_ns: int) -> Iterator[JudgedDay]:
    """Every day of the pilot's engagement that is over, in order."""
    pilot = history.pilot
    feeds = [feed for feed in pilot.feeds if feed.stream == "engagement"]
    first, span = history.first_of_stream("engagement"), history.span(as_of_ns)
    if first is None or span is None or not feeds:
        return
    late_ns = int(max(feed.lateness.total_seconds() for feed in feeds)) * NS_PER_S
    for number in range(first, span[1] + 1):
        over_ns = day_bounds(iso(number), pilot.zone)[1] + late_ns
        if over_ns > as_of_ns:
            return
        value, why = None, "masked"
        if not closed(pilot, iso(number)):
            verdicts = [history.verdict(feed, number, as_of_ns) for feed in feeds]
            value, why = None, "held"
            if all(verdict.verdict in ("ok", "partial") for verdict in verdicts):
                partial = history.day(number)
                share = min(verdict.completeness or 1.0 for verdict in verdicts)
                count = sum(partial.contributions.values()) if partial is not None else 0
                value, why = (count if share >= 0.9 else count / share), ""
        yield JudgedDay(iso(number), number, value, over_ns, why)
