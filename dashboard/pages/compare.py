"""Compare: uptake, engagement and context under one another on one time axis, pilots side by side, never ranked."""

from typing import TYPE_CHECKING, Any

from dash import Dash, Input, Output, State, dcc, html

from dashboard import baseline, palette, sentences, wording
from dashboard.components import answered, heading, holding_still, notice, skeleton, unless_drawn
from dashboard.frame import Framed, frame
from dashboard.multiples import Column, Row, multiples
from dashboard.pair_frames import PER_1000, differences
from dashboard.queries import Queries
from dashboard.security import viewer
from dashboard.selection import Selection
from dashboard.tables import period_figures
from dashboard.texts import _
from dashboard.viewer import Viewer
from pipeline.values import IndicatorValue

if TYPE_CHECKING:
    from config.catalogue import Pilot
    from pipeline.indicators import Indicator

PATH, TITLE = "/compare", "Compare"


def id_(name: str) -> str:
    return f"compare-{name}"


def layout(**chosen: str) -> html.Div:
    return html.Div(
        [
            heading(
                _("Compare"),
                _(
                    "Uptake next to engagement, each pilot against its own beginning. "
                    "Pilots stand in a fixed order; none is ranked."
                ),
            ),
            dcc.Store(id=id_("series-drawn")),
            dcc.Store(id=id_("figures-drawn")),
            html.Div(skeleton([260, 260]), id=id_("series"), className="stack"),
            html.Div(skeleton([420]), id=id_("figures"), className="stack"),
        ]
    )


def register(app: Dash, queries: Queries) -> None:
    series, figures = answered(_series), answered(_figures)

    @app.callback(
        Output(id_("series"), "children"),
        Output(id_("series-drawn"), "data"),
        Input("url", "search"),
        Input("version", "data"),
        Input("scheme", "data"),
        State(id_("series-drawn"), "data"),
        running=holding_still(),
    )
    def draw_series(search: str | None, version: str | None, scheme: str | None, drawn: str | None) -> Any:
        who = viewer()
        return unless_drawn(series(queries, who, queries.select(who, search), palette.scheme(scheme)), drawn)

    @app.callback(
        Output(id_("figures"), "children"),
        Output(id_("figures-drawn"), "data"),
        Input("url", "search"),
        Input("version", "data"),
        State(id_("figures-drawn"), "data"),
        running=holding_still("max_intervals"),
    )
    def draw_figures(search: str | None, version: str | None, drawn: str | None) -> Any:
        who = viewer()
        return unless_drawn(figures(queries, who, queries.select(who, search)), drawn)


def _series(queries: Queries, who: Viewer, selection: Selection, scheme: palette.Scheme) -> Any:
    pilots = queries.pilots(who, selection)
    slugs = [pilot.slug for pilot in pilots]
    bounds = queries.bounds(who, selection, slugs)
    if not pilots or bounds is None:
        return notice(
            "empty",
            _("Nothing to compare yet"),
            _("No event of the chosen pilots has arrived. Figures appear here by themselves."),
        )
    shown, left_out = _on_scale(queries, selection)
    values = queries.series(who, slugs, [one.id for one in shown], selection.period, *bounds)
    first = {slug: queries.baseline_values(who, slug, [one.id for one in shown], selection.period) for slug in slugs}
    missing = {pilot.slug: missing_words(queries, who, pilot) for pilot in pilots}
    found: list[Any] = []
    unmeasured: list[str] = []
    for definition in shown:
        mine = [one for one in values if one.indicator == definition.id]
        if definition.family == "context" and all(one.status == "not_defined" for one in mine):
            unmeasured.append(_(definition.title))
            continue
        parts = {pilot.slug: _segments(definition, pilot.slug, mine) for pilot in pilots}
        for number in range(max(len(part) for part in parts.values())):
            columns = [
                _column(
                    queries, pilot, parts[pilot.slug][number : number + 1], mine, first[pilot.slug], definition, missing
                )
                for pilot in pilots
            ]
            row = Row(
                definition,
                number + 1,
                columns,
                *bounds,
                selection.period,
                selection.scale,
                scheme,
                queries.disclosure_k,
                _query(selection),
            )
            found.append(multiples(row))
    if unmeasured:
        said = _("No chosen pilot measures this in the period: {titles}.", titles=wording.listing(unmeasured))
        left_out = [*left_out, notice("info", _("No context"), said)]
    return [html.P(wording.days(*bounds), className="bounds"), *found, *left_out]


def _query(selection: Selection) -> str:
    """The address of what this page shows: the one pilot that *Pilot* last showed must not narrow a download."""
    return selection.to_query(pilot="")


def _segments(definition: "Indicator", slug: str, values: list[IndicatorValue]) -> list[str]:
    """What a pilot's sensors measure, one per row of the page; other indicators are shown as their total."""
    if definition.family != "context":
        return [""]
    return sorted({one.segment for one in values if one.pilot == slug and one.value is not None}) or [""]


def _on_scale(queries: Queries, selection: Selection) -> tuple[list["Indicator"], list[Any]]:
    """The indicators to draw, and a notice on those that the chosen scale does not know."""
    shown = queries.shown(selection)
    if selection.scale != "per1000":
        return shown, []
    known = queries.definitions()
    rates = [known[PER_1000[one.id]] if one.id in PER_1000 and PER_1000[one.id] in known else one for one in shown]
    kept = list({one.id: one for one in rates if one.comparable == "yes" and one.family != "context"}.values())
    without = [_(one.title) for one, rate in zip(shown, rates, strict=True) if rate.id not in {fit.id for fit in kept}]
    if not without:
        return kept, []
    return kept, [
        notice(
            "info",
            _("Not set side by side"),
            _(
                "{titles}: compared within a pilot only, so there is no rate per 1,000 people. "
                "Choose Own baseline to see it.",
                titles=wording.listing(without),
            ),
        )
    ]


def _column(
    queries: Queries,
    pilot: "Pilot",
    segments: list[str],
    values: list[IndicatorValue],
    first: list[IndicatorValue],
    definition: "Indicator",
    missing: dict[str, str],
) -> Column:
    segment = segments[0] if segments else ""
    mine = [one for one in values if segments and one.pilot == pilot.slug and one.segment == segment]
    early = [one for one in first if one.indicator == definition.id and one.segment == segment]
    nothing = missing[pilot.slug] if definition.family != "context" else _("Not measured in {name}.", name=pilot.name)
    hidden = next((one for one in mine if one.status not in ("ok", "not_defined")), None)
    why = wording.status(hidden, queries.disclosure_k).capitalize() + "." if hidden else nothing
    unit = queries.unit(definition, segment)
    return Column(pilot, queries.hue(pilot.slug), segment, unit, mine, baseline.baseline(early, mine), why)


def missing_words(queries: Queries, who: Viewer, pilot: "Pilot") -> str:
    """Why a pilot has nothing to show, from what its feeds say now."""
    known = queries.known(who, [pilot.slug])
    board = queries.now(who, pilot.slug)
    silent = [feed for feed in board.feeds if feed.verdict == "silent"] if board else []
    return sentences.no_data(pilot.name, known[1] if known else None, silent)


def _figures(queries: Queries, who: Viewer, selection: Selection) -> Any:
    pilots = queries.pilots(who, selection)
    slugs = [pilot.slug for pilot in pilots]
    bounds = queries.bounds(who, selection, slugs)
    if not pilots or bounds is None:
        return []
    whole = selection.span == "all"
    values = queries.figures(who, slugs, *((None, None) if whole else bounds))
    query = _query(selection)
    statuses = [one for one in values if one.value is None]
    said = _(
        "{n} indicators for {pilots}, {days}, counted over the whole period: "
        "people are counted once, so weeks do not add up to it.",
        n=len({one.indicator for one in values}),
        pilots=wording.listing([pilot.name for pilot in pilots]),
        days=wording.days(*bounds),
    )
    facts = [
        (_("n and interval"), _("under each value")),
        (_("Without a value"), _("{n} of {all}, each with its reason", n=len(statuses), all=len(values))),
    ]
    hidden = queries.disclosure_k
    if hidden:
        facts.append((_("Hidden"), _("counts of 1 to {top} people", top=hidden - 1)))
    table = frame(
        Framed(
            name="figures",
            eyebrow=_("Whole period"),
            title=_("Figures of the period"),
            sentence=said,
            body=period_figures(
                values,
                queries.definitions(),
                [(pilot, queries.hue(pilot.slug)) for pilot in pilots],
                queries.disclosure_k,
                query,
            ),
            facts=facts,
            csv=f"/download/period.csv{query}",
            definition=f"/definitions{query}",
        )
    )
    return [table, *differences(queries, who, selection, pilots, query)]
