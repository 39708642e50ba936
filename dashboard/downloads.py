"""The numbers behind a figure as CSV, by an address that says what was chosen: no state, no script.

Text cells that a spreadsheet would take for a formula get a leading apostrophe; numbers stay numbers.
"""

import csv
import io
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from flask import Flask, Response, abort, request

from dashboard import finding_rows, pair_frames, wording
from dashboard.findings import FINDINGS
from dashboard.queries import AnswersAway, Queries
from dashboard.security import viewer
from dashboard.selection import Selection
from dashboard.tables import raw
from dashboard.viewer import Viewer
from pipeline.findings import Pair
from pipeline.spreadsheet import harmless
from pipeline.values import IndicatorValue

COLUMNS = (
    "pilot",
    "indicator",
    "version",
    "unit",
    "period",
    "start",
    "end",
    "dim",
    "segment",
    "value",
    "n",
    "lower",
    "upper",
    "interval",
    "status",
    "completeness",
    "synthetic",
    "reason",
)


def register(server: Flask, queries: Queries) -> None:
    """One route for all downloads; the guard has set the viewer."""
    kinds: dict[str, Callable[[Queries, Viewer, Selection], Iterable[Sequence[object]]]] = {
        "series": _series,
        "period": _period,
        "activities": _activities,
        "fates": _fates,
        "pairs": _pairs,
        **{name: partial(_findings, name) for name in FINDINGS},
    }

    @server.get("/download/<name>.csv")
    def download(name: str) -> Response:
        if name not in kinds:
            abort(404)
        who = viewer()
        try:
            rows = list(kinds[name](queries, who, queries.select(who, request.query_string.decode("ascii", "replace"))))
        except AnswersAway:
            return Response("The store does not answer; try again in a minute.\n", 503, mimetype="text/plain")
        return Response(
            as_csv(rows),
            mimetype="text/csv",
            headers={"Content-Disposition": f'attachment; filename="periscope-{name}.csv"'},
        )


def as_csv(rows: Iterable[Sequence[object]]) -> str:
    """Rows as CSV in UTF-8 with a header, texts quoted and made harmless.

    >>> as_csv([("a",), ("=1+1",)])
    '"a"\\r\\n"\\'=1+1"\\r\\n'
    """
    out = io.StringIO()
    writer = csv.writer(out, quoting=csv.QUOTE_NONNUMERIC)
    for row in rows:
        writer.writerow([harmless(cell) if isinstance(cell, str) else cell for cell in row])
    return out.getvalue()


def _slugs(queries: Queries, who: Viewer, selection: Selection) -> list[str]:
    if selection.pilot:
        one = queries.pilot(who, selection)
        return [one.slug] if one else []
    return [pilot.slug for pilot in queries.pilots(who, selection)]


def _series(queries: Queries, who: Viewer, selection: Selection) -> Iterable[Sequence[object]]:
    slugs = _slugs(queries, who, selection)
    bounds = queries.bounds(who, selection, slugs)
    only = request.args.get("only", "")
    ids = [only] if only in queries.definitions() else [one.id for one in queries.shown(selection)]
    yield COLUMNS
    if bounds:
        yield from (_row(queries, one) for one in queries.series(who, slugs, ids, selection.period, *bounds))


def _period(queries: Queries, who: Viewer, selection: Selection) -> Iterable[Sequence[object]]:
    slugs = _slugs(queries, who, selection)
    bounds = queries.bounds(who, selection, slugs)
    yield COLUMNS
    if bounds:
        asked = (None, None) if selection.span == "all" else bounds
        yield from (_row(queries, one) for one in queries.figures(who, slugs, *asked))


def _activities(queries: Queries, who: Viewer, selection: Selection) -> Iterable[Sequence[object]]:
    yield ("pilot", "activity_id", "day", "stage", "method", "attendance", "synthetic")
    for slug in _slugs(queries, who, selection):
        bounds = queries.bounds(who, selection, [slug])
        for one in queries.activities(who, slug, *bounds) if bounds else []:
            yield (
                one.pilot,
                one.activity_id,
                one.day,
                one.stage,
                one.method,
                "" if one.attendance is None else one.attendance,
                str(one.synthetic).lower(),
            )


def _fates(queries: Queries, who: Viewer, selection: Selection) -> Iterable[Sequence[object]]:
    """Every fate of every feed over all days, and each kind set aside, as its collector told."""
    yield ("pilot", "collector", "feed", "told_at", "fate", "kind", "n")
    for slug in _slugs(queries, who, selection):
        for one in queries.reports(who, slug):
            told = wording.local(one.told_ns).isoformat()
            begin = (slug, one.report.collector, one.report.feed, told)
            yield from ((*begin, fate, "", n) for fate, n in sorted(one.report.total.items()))
            yield from ((*begin, "dead_lettered", kind, n) for kind, n in sorted(one.report.dead.items()))


def _pairs(queries: Queries, who: Viewer, selection: Selection) -> Iterable[Sequence[object]]:
    """The differences that *Compare* shows."""
    yield finding_rows.columns(Pair)
    yield from finding_rows.rows(Pair, pair_frames.asked(queries, who, selection))


def _findings(name: str, queries: Queries, who: Viewer, selection: Selection) -> Iterable[Sequence[object]]:
    """Every finding of a kind, of all closed days."""
    finding = FINDINGS[name]
    yield finding_rows.columns(finding.kind)
    slugs = [pilot.slug for pilot in queries.pilots(who, selection)]
    yield from finding_rows.rows(finding.kind, finding.ask(queries, who, slugs))


def _row(queries: Queries, one: IndicatorValue) -> Sequence[object]:
    unit = queries.unit(queries.definitions()[one.indicator], one.segment)
    return (
        one.pilot,
        one.indicator,
        one.version,
        unit,
        one.period,
        one.start,
        one.end,
        one.dim,
        one.segment,
        _number(one.value),
        "" if one.n is None else one.n,
        _number(one.lower),
        _number(one.upper),
        one.interval,
        one.status,
        _number(one.completeness),
        str(one.synthetic).lower(),
        one.reason,
    )


def _number(value: float | None) -> object:
    """A number that csv writes as `raw` does; "" when there is none."""
    if value is None:
        return ""
    return int(value) if raw(value).isdigit() else float(value)
