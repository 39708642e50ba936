"""Retention: of the people first active in a week, the share active in later weeks; a triangle per pilot."""

from typing import Any

import dash_mantine_components as dmc
from dash import Dash, html

from config.catalogue import Pilot
from dashboard import finding_page, finding_words, wording
from dashboard.components import attributes, scrolling, table
from dashboard.frame import Framed, frame
from dashboard.palette import LIGHT
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.tables import raw
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import RetentionCell

PATH, TITLE = "/retention", "Retention"
# A page of more cells would keep a browser busy for seconds; the file has all of them.
COHORTS, WEEKS = 12, 8


def layout(**chosen: str) -> html.Div:
    return finding_page.layout(
        "retention",
        _("Retention"),
        _(
            "Of the people who first used the service in a week, the share who used it in the weeks after. "
            "Counted for people who consented to be counted over time."
        ),
    )


def register(app: Dash, queries: Queries) -> None:
    finding_page.register(app, queries, "retention", _draw)


def _draw(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot]) -> Any:
    options = {"in": _("Active in that week"), "or_later": _("Active in that week or later")}
    found = [
        one for one in queries.retention(who, [pilot.slug for pilot in pilots]) if one.variant == selection.variant
    ]
    return [
        html.Div(finding_words.switch(_("Share"), PATH, selection, "variant", options), className="switches"),
        html.Div(
            [
                _pilot(queries, pilot, [one for one in found if one.pilot == pilot.slug], selection, options)
                for pilot in pilots
            ],
            className="pairs",
        ),
    ]  # fmt: skip


def _pilot(
    queries: Queries, pilot: Pilot, every: list[RetentionCell], selection: Selection, options: dict[str, str]
) -> html.Section:
    cohorts = sorted({one.cohort for one in every})
    weeks = [week for week in sorted({one.after for one in every}) if week <= WEEKS]
    shown = cohorts[-COHORTS:]
    said = (
        _sentence(every, weeks, selection.variant)
        if every
        else _("No week of {pilot} has newcomers who can be followed.", pilot=pilot.name)
    )
    notes = [_("Grey: the week is not over. Hatched: hidden, or too few to say.")] if every else []
    if len(cohorts) > len(shown):
        notes.append(
            _("The newest {n} of {all} weeks, up to {weeks} weeks after; the file has all of them.",
              n=len(shown), all=len(cohorts), weeks=WEEKS)
        )  # fmt: skip
    return frame(
        Framed(
            name=f"retention-{pilot.slug}",
            eyebrow=_("{country} · {variant}", country=pilot.country, variant=options[selection.variant].lower()),
            title=pilot.name,
            sentence=said,
            body=_triangle(queries, pilot, every, shown, weeks) if every else [],
            facts=finding_words.facts([one.share for one in every], queries.disclosure_k) if every else [],
            notes=notes,
            table=_table(queries, pilot, every) if every else None,
            csv=f"/download/retention.csv{selection.to_query(pilots=(pilot.slug,))}",
            definition=finding_words.definition(queries, selection, "retention", "retention-week-1"),
        )
    )


def _sentence(every: list[RetentionCell], weeks: list[int], variant: str) -> str:
    """The middle and the range of the cohorts, one and four weeks after; no mean over cohorts of unequal size."""
    parts = []
    for week in (1, 4):
        known = sorted(one.share.value for one in every if one.after == week and one.share.value is not None)
        if not known:
            continue
        median, low, high = (finding_words.number(one, "%") for one in (known[len(known) // 2], known[0], known[-1]))
        words = {"n": len(known), "week": week, "median": median, "low": low, "high": high}
        parts.append(
            _("Week {week}: half of the {n} cohorts at {median} or more active in it, from {low} to {high}.", **words)
            if variant == "in"
            else _("Week {week}: half of the {n} cohorts at {median} or more active then or later, {low} to {high}.",
                   **words)
        )  # fmt: skip
    if parts:
        return " ".join(parts)
    if all(one.share.status == "incomplete" for one in every):
        return _("No cohort has been followed for a whole week yet.")
    return _("No share one or four weeks after can be shown; each cell says why.")


def _triangle(
    queries: Queries, pilot: Pilot, every: list[RetentionCell], cohorts: list[str], weeks: list[int]
) -> html.Div:
    known = {(one.cohort, one.after): one for one in every}
    head = [html.Th(_("First week, from"), scope="col"), *[html.Th(_week(week), scope="col") for week in weeks]]
    body = [
        dmc.TableTr(
            [
                html.Th(_cohort_name(known, cohort), scope="row"),
                *[_cell(queries, known.get((cohort, week)), cohort, week) for week in weeks],
            ]
        )
        for cohort in cohorts
    ]
    caption = _("{pilot}: share still active, by first week and weeks after", pilot=pilot.name)
    children = [html.Caption(caption), dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(body)]
    hue = {"--hue": f"var(--hue-{queries.hue(pilot.slug) % len(LIGHT.hues)})"}
    return html.Div(
        scrolling(dmc.Table(children, className="numbers figures-table heat-table triangle"), caption), style=hue
    )


def _week(week: int) -> str:
    return _("same") if week == 0 else f"+{week}"


def _cohort_name(known: dict[tuple[str, int], RetentionCell], cohort: str) -> list[Any]:
    counts = [one.share.n for (of, _after), one in known.items() if of == cohort and one.share.n is not None]
    n = html.Small(_n("{n} newcomer", "{n} newcomers", max(counts))) if counts else html.Small(_("number hidden"))
    return [html.Span(wording.day(cohort)), n]


def _cell(queries: Queries, one: RetentionCell | None, cohort: str, week: int) -> Any:
    named = {"cohort": cohort, "after": str(week)}
    if one is None:
        return html.Td("", className="is-beyond", **finding_words.marks(None, **named))
    figure = one.share
    kind = {"ok": "heat", "incomplete": "is-open", "feed_poor": "heat is-poor"}.get(figure.status, "is-none")
    text = "" if figure.value is None else f"{figure.value:.0f} %"
    title = finding_words.said(figure, queries.disclosure_k).replace("\n", ", ")
    label = {} if text else {"aria-label": title}
    return html.Td(
        text,
        className=kind,
        style={"--heat": f"{0.4 * (figure.value or 0):.0f}%"},
        **attributes({"title": title, **label}),
        **finding_words.marks(figure, pilot=one.pilot, **named),
    )


def _table(queries: Queries, pilot: Pilot, every: list[RetentionCell]) -> Any:
    head = (_("First week"), _("Weeks after"), _("Share"), _("Computed"))
    body = [
        (
            wording.day(one.cohort),
            str(one.after),
            finding_words.said(one.share, queries.disclosure_k),
            raw(one.share.value) or wording.NOTHING,
        )
        for one in every
    ]
    return table(head, body[-400:], _("{pilot}: every cell with n and interval", pilot=pilot.name))
