"""The frames of page Methods about how methods fit: does one size fit all, and the table of methods by pilot."""

from typing import Any

from dash import html

from config.catalogue import Pilot
from dashboard import dots, finding_words, wording
from dashboard.components import attributes, table
from dashboard.frame import Framed, frame
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.tables import raw
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import FitCell, OneSize


def one_size(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot]) -> html.Section:
    """The paper's question, figure by figure, in the sentences of the test."""
    found = queries.one_size(who, [pilot.slug for pilot in pilots])
    tested = [one for one in found if one.p_value is not None]
    if not found:
        said = _("One pilot alone cannot say: the question needs methods that at least two pilots used.")
    elif not tested:
        said = _("It cannot be said of any figure: too few methods were used in more than one pilot.")
    else:
        said = _n(
            "{n} figure could be tested, out of {all}; p-values are corrected for that number.",
            "{n} figures could be tested, out of {all}; p-values are corrected for that number.",
            len(tested),
            all=len(found),
        )
    names = finding_words.figure_names()
    head = (_("Figure"), _("p"), _("Statistic"), _("Permutations"), _("Activities"), _("Pilots"), _("Methods"))
    known = queries.names()
    body = [
        (
            names.get(one.figure, one.figure),
            _p(one),
            wording.number(one.statistic),
            wording.number(one.permutations),
            wording.number(one.activities),
            wording.listing([known.get(slug, slug) for slug in one.pilots]) or wording.NOTHING,
            wording.listing([finding_words.title_of(queries.vocabulary, "method", code) for code in one.methods])
            or wording.NOTHING,
        )
        for one in found
    ]
    return frame(
        Framed(
            name="one-size",
            eyebrow=_("Method × pilot"),
            title=_("Does one size fit all?"),
            sentence=said,
            body=[html.Ul([_answer(one, names) for one in found], className="answers")] if found else [],
            facts=[(_("Test"), _("method × pilot, labels permuted within pilots")),
                   (_("Pilots"), str(len(pilots)))],
            table=table(head, body, _("The test for each figure")) if found else None,
            csv=f"/download/one-size.csv{selection.to_query()}",
            definition=finding_words.definition(queries, selection, "one-size"),
        )
    )  # fmt: skip


def _answer(one: OneSize, names: dict[str, str]) -> html.Li:
    return html.Li(
        [html.Strong(names.get(one.figure, one.figure)), html.Span(one.sentence)],
        **attributes({"data-figure": one.figure, "data-p": raw(one.p_value), "data-status": one.status}),
    )


def _p(one: OneSize) -> str:
    if one.p_value is None:
        return wording.status_words().get(one.status, one.status)
    return _("below 0.001") if one.p_value < 0.001 else f"{one.p_value:.3f}"


def fit(
    queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot], lists: dict[str, str]
) -> html.Section:
    """E14 of one stage and list, for the chosen figure: a row per code, a column per pilot."""
    cells = [
        one
        for one in queries.fit(who, [pilot.slug for pilot in pilots])
        if one.dim == selection.dim and one.stage == selection.stage
    ]
    figure, words = selection.figure, queries.vocabulary
    columns = [
        dots.Column(pilot, queries.hue(pilot.slug), {one.code: one for one in cells if one.pilot == pilot.slug})
        for pilot in pilots
    ]
    codes = finding_words.in_order(words, selection.dim, (one.code for one in cells))
    names = {code: finding_words.title_of(words, selection.dim, code) for code in codes}
    figures = [one.figures[figure] for one in cells if figure in one.figures]
    head, what = lists[selection.dim], finding_words.figure_names()[figure]
    units = ", ".join(dict.fromkeys(one.unit for one in figures if one.unit))
    empty = _("No activity of this stage names any of these.")
    return frame(
        Framed(
            name="fit",
            eyebrow=finding_words.stage_name(selection.stage).capitalize(),
            title=_("{what} by {rows}", what=what, rows=head.lower()),
            sentence=_sentence(columns, cells, figure, names) if cells else empty,
            body=dots.table(columns, names, figure, head, queries.disclosure_k) if cells else [],
            facts=[(_("Unit"), _(units) if units else _("none")), *finding_words.facts(figures, queries.disclosure_k)],
            notes=_notes(selection),
            table=_table(queries, cells, selection) if cells else None,
            csv=f"/download/method-fit.csv{selection.to_query()}",
            definition=finding_words.definition(queries, selection, "method-fit", "method-fit"),
        )
    )


def _sentence(columns: list[dots.Column], cells: list[FitCell], figure: str, names: dict[str, str]) -> str:
    enough = sum(one.activities >= dots.FEW for one in cells)
    said = _("{enough} of {all} cells rest on at least {few} activities.", enough=enough, all=len(cells), few=dots.FEW)
    told = [
        _("{pilot}: {pairs}", pilot=column.pilot.name, pairs=_pairs(pairs, names))
        for column in columns
        if (pairs := dots.apart(list(column.cells.values()), figure))
    ]
    several = [column for column in columns if _compared(column, figure) > 1]
    if not several:
        return said + " " + _("No pilot has two of them with a figure, so nothing can be compared yet.")
    if not told:
        return said + " " + _("In no pilot do two intervals lie apart, so none of them stands out.")
    return said + " " + _("Intervals lie apart in {told}.", told="; ".join(told))


def _compared(column: dots.Column, figure: str) -> int:
    return sum(figure in one.figures and one.figures[figure].value is not None for one in column.cells.values())


def _pairs(pairs: list[tuple[str, str]], names: dict[str, str]) -> str:
    shown = [_("{one} above {other}", one=names[above], other=names[below]) for above, below in pairs[:2]]
    more = len(pairs) - len(shown)
    return ", ".join(shown) + (_n(" and {n} more pair", " and {n} more pairs", more) if more else "")


def _notes(selection: Selection) -> list[str]:
    notes = [
        _("Hatched: fewer than {few} activities, so no figure. Values are compared within a pilot only.", few=dots.FEW)
    ]
    if selection.figure in ("attendance", "contributions_per_hour"):
        notes.append(_("Each column has its own scale, from 0 to the end of its longest interval."))
    if selection.dim == "method":
        notes.append(
            _(
                "P(best): how often this method comes out best of those in its column when activities are drawn again, "
                "with its interval. A wide interval means that nothing is settled."
            )
        )
    return notes


def _table(queries: Queries, cells: list[FitCell], selection: Selection) -> Any:
    names, known, k = finding_words.figure_names(), queries.names(), queries.disclosure_k
    shown = [name for name in names if any(name in one.figures for one in cells)]
    head = (_("Pilot"), _("Row"), _("Activities"), *[names[name] for name in shown], _("P(best)"))
    body = [
        (
            known.get(one.pilot, one.pilot),
            finding_words.title_of(queries.vocabulary, selection.dim, one.code),
            wording.number(one.activities),
            *[finding_words.said(one.figures[name], k) if name in one.figures else wording.NOTHING for name in shown],
            dots.best_words(one.best[selection.figure]) if selection.figure in one.best else wording.NOTHING,
        )
        for one in cells
    ]
    return table(head, body, _("Every figure of each cell"))
