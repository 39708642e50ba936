"""The frame of what changed after it was published: each closed value before and after, why and when."""

from collections import Counter
from typing import Any

from dash import html

from config.catalogue import Pilot
from dashboard import wording
from dashboard.components import table
from dashboard.frame import Framed, frame
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import Revision

_ROWS = 60


def revision_frame(queries: Queries, who: Viewer, selection: Selection, pilot: Pilot) -> html.Section:
    """Every revision of a pilot, newest first; what was never published is none."""
    found = sorted(queries.revisions(who, [pilot.slug]), key=lambda one: (one.at_ns, one.start), reverse=True)
    notes = []
    if found:
        notes.append(_("A dash is no value, or one that is withheld because the difference would tell of few people."))
    if len(found) > _ROWS:
        notes.append(_("The newest {n} of {all}; the file has all of them.", n=_ROWS, all=wording.number(len(found))))
    return frame(
        Framed(
            name="revisions",
            eyebrow=_("Quality"),
            title=_("Revised after publication"),
            sentence=_sentence(found, pilot),
            body=_table(queries, found[:_ROWS], pilot) if found else [],
            facts=[
                (_("n"), _n("{n} value", "{n} values", len(found))),
                (_("Interval"), _("none: a full count")),
                (_("Status"), _("of all closed periods")),
            ],
            notes=notes,
            csv=f"/download/revisions.csv{selection.to_query(pilots=(pilot.slug,), pilot='')}",
            definition=f"/definitions{selection.to_query(pilot=pilot.slug)}#revisions",
        )
    )


def _sentence(found: list[Revision], pilot: Pilot) -> str:
    """How many values of how many periods changed, when last, and why most of them did."""
    if not found:
        return _("No value of a closed period has changed since it was published.")
    periods = len({(one.period, one.start) for one in found})
    said = _n("{n} value of closed periods changed after it was published, in {periods} periods",
              "{n} values of closed periods changed after they were published, in {periods} periods",
              len(found), periods=wording.number(periods))  # fmt: skip
    (why, often), *others = Counter(one.reason for one in found).most_common()
    when = wording.moment(found[0].at_ns, pilot.zone)
    if not others:
        return said + _("; the last on {when}. Reason: {why}.", when=when, why=wording.prose(why))
    return said + _("; the last on {when}. Most often ({n} times): {why}.", when=when, n=often, why=wording.prose(why))


def _table(queries: Queries, found: list[Revision], pilot: Pilot) -> Any:
    head = [_("Days"), _("Indicator"), _("Before"), _("After"), _("Why"), _("Changed on"), _("Revision")]
    rows = [
        [
            wording.days(one.start, one.end),
            _what(queries, one),
            wording.number(one.before),
            wording.number(one.after),
            wording.prose(one.reason),
            wording.moment(one.at_ns, pilot.zone),
            str(one.revision),
        ]
        for one in found
    ]
    caption = _("{pilot}: closed values that changed, newest change first", pilot=pilot.name)
    return html.Div(table(head, rows, caption), className="revisions")


def _what(queries: Queries, one: Revision) -> str:
    known = queries.definitions().get(one.indicator)
    title = _(known.title) if known else one.indicator
    unit = f", {_(known.unit)}" if known else ""
    part = f" · {one.segment}" if one.segment else ""
    return f"{title}{part}\n{_period(one.period)}{unit}"


def _period(name: str) -> str:
    return {"day": _("day"), "week": _("week"), "month": _("month"), "all": _("whole series")}.get(name, name)
