"""Effects: uptake around each engagement activity, with the conditions under which anything may be claimed of it."""

from typing import Any

from dash import Dash, html

from config.catalogue import Pilot
from dashboard import finding_page, finding_words, wording
from dashboard.components import attributes, icon, table
from dashboard.frame import Framed, frame
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.tables import raw
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import Effect

PATH, TITLE = "/effects", "Effects"


def layout(**chosen: str) -> html.Div:
    return finding_page.layout(
        "effects",
        _("Effects"),
        _(
            "Uptake before and after each engagement activity or campaign. A number is given only where all eight "
            "conditions hold; where one fails, the page says which. Nothing here says that an activity caused anything."
        ),
    )


def register(app: Dash, queries: Queries) -> None:
    finding_page.register(app, queries, "effects", _draw)


def conditions() -> dict[str, str]:
    """The conditions in a few words, by letter."""
    return {
        "a": _("dated beforehand"),
        "b": _("not a reaction to low use"),
        "c": _("enough weeks before and after"),
        "d": _("nothing else changed"),
        "e": _("windows do not overlap"),
        "f": _("own use left out"),
        "g": _("feeds complete"),
        "h": _("outcome declared beforehand"),
    }


def ladder() -> dict[str, str]:
    """The rungs of the wording ladder."""
    return {
        "L0": _("before and after only"),
        "L1": _("larger than at placebo dates"),
        "L2": _("a change of level or slope"),
        "L3": _("a change that a control series does not show"),
    }


def _draw(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot]) -> Any:
    found = queries.effects(who, [pilot.slug for pilot in pilots])
    return [
        _pilot(queries, selection, pilot, [one for one in found if one.pilot == pilot.slug]) for pilot in pilots
    ]  # fmt: skip


def _holds(one: Effect) -> bool:
    return bool(one.conditions) and all(each.holds for each in one.conditions)


def _pilot(queries: Queries, selection: Selection, pilot: Pilot, found: list[Effect]) -> html.Section:
    able = sum(_holds(one) for one in found)
    tests = max([one.tests for one in found], default=0)
    if not found:
        sentence = _("No activity of {pilot} declared beforehand which uptake it should change.", pilot=pilot.name)
    else:
        sentence = _n(
            "{n} activity or campaign looked at; all conditions hold for {able}. {failing}",
            "{n} activities or campaigns looked at; all conditions hold for {able}. {failing}",
            len(found),
            able=able,
            failing=_failing(found),
        ).strip()
    facts = [
        (_("Tests"), _("{n}, and p-values are corrected for that number", n=tests) if tests else _("none")),
        (_("All conditions hold"), _("{n} of {all}", n=able, all=len(found))),
    ]
    return frame(
        Framed(
            name=f"effects-{pilot.slug}",
            eyebrow=pilot.country,
            title=pilot.name,
            sentence=sentence,
            body=html.Ul([_effect(queries, one) for one in found], className="verdicts") if found else [],
            facts=facts if found else [],
            table=_table(queries, found) if found else None,
            csv=f"/download/effects.csv{selection.to_query(pilots=(pilot.slug,))}",
            definition=f"/definitions{selection.to_query()}#effects",
        )
    )


def _failing(found: list[Effect]) -> str:
    """Which conditions fail how often."""
    words = conditions()
    counts = {
        letter: sum(not each.holds for one in found for each in one.conditions if each.letter == letter)
        for letter in words
    }
    told = [_("{letter} ({words}) {n} times", letter=letter, words=words[letter], n=n) if n > 1
            else _("{letter} ({words}) once", letter=letter, words=words[letter])
            for letter, n in counts.items() if n]  # fmt: skip
    return _("Failing: {told}.", told=", ".join(told)) if told else ""


def _title(queries: Queries, one: Effect) -> str:
    name = finding_words.title_of(queries.vocabulary, "method", one.title) if one.title else one.activity_id
    return _("{name}, {day}", name=name, day=wording.day(one.day))


def _outcome(queries: Queries, one: Effect) -> str:
    known = queries.definitions().get(one.outcome)
    title = _(known.title) if known else one.outcome
    return _n(
        "{title}, {n} week before and after", "{title}, {n} weeks before and after", one.window_weeks, title=title
    )


def _effect(queries: Queries, one: Effect) -> html.Li:
    """One activity: in full where something is claimed, else one line that opens."""
    claimed = _holds(one) and one.estimate.value is not None
    body: list[Any] = [html.P(_outcome(queries, one), className="quiet")]
    if claimed:
        badge = html.Span([icon("feed-ok"), f"{one.level}: {ladder().get(one.level, '')}"],
                          className="verdict is-as_intended")  # fmt: skip
        body += [html.P(one.sentence), _numbers(queries, one)]
    else:
        badge = html.Span([icon("feed-unknown"), _("no effect claimed")], className="verdict is-cannot_tell")
        if _holds(one):
            body.append(html.P(one.sentence))
    summary = html.Summary([html.Strong(_title(queries, one)), _letters(one), badge])
    body += _conditions(one)
    shown = one.estimate if claimed else None
    return html.Li(
        html.Details([summary, html.Div(body, className="effect-body")], open=claimed, className="effect"),
        className="" if claimed else "is-brief",
        **attributes({"data-pilot": one.pilot, "data-activity": one.activity_id, "data-level": one.level}),
        **finding_words.marks(shown),
    )


def _letters(one: Effect) -> html.Span:
    """All conditions at a glance; their words are below."""
    states = {True: _("holds"), False: _("fails")}
    words = conditions()
    return html.Span(
        [
            html.Span(
                each.letter,
                className="" if each.holds else "is-failing",
                **attributes(
                    {
                        "data-condition": each.letter,
                        "data-holds": str(each.holds).lower(),
                        "title": f"{each.letter}: {words.get(each.letter, '')} – {states[each.holds]}",
                    }
                ),
            )
            for each in one.conditions
        ],
        className="letters",
    )


def _conditions(one: Effect) -> list[Any]:
    """The failing ones with why, each on its line; those that hold in one."""
    words = conditions()
    failing = [each for each in one.conditions if not each.holds]
    held = [f"{each.letter} ({words.get(each.letter, '')})" for each in one.conditions if each.holds]
    lines = [
        html.Li(
            [
                icon("feed-silent"),
                html.Strong(_("{letter} fails: {words}", letter=each.letter, words=words.get(each.letter, ""))),
                html.Span(each.sentence),
            ],
            className="condition is-failing",
        )
        for each in failing
    ]
    if held:
        told = _("Hold: {held}.", held=", ".join(held))
        lines.append(html.Li([icon("feed-ok"), html.Span(told)], className="condition"))
    return [html.Ul(lines, className="conditions", **attributes({"aria-label": _("Conditions")}))]


def _numbers(queries: Queries, one: Effect) -> html.Dl:
    k = queries.disclosure_k
    rows = [
        (_("Change"), finding_words.said(one.estimate, k).replace("\n", " · ")),
        (_("Before"), wording.number(one.before.value)),
        (_("After"), wording.number(one.after.value)),
    ]
    if one.placebo:
        rows.append((_("Placebo dates"), _("larger than {k} of {all}", k=one.placebo[0], all=one.placebo[1])))
    if one.p_adjusted is not None:
        rows.append(
            (_("p, corrected"), _n("{p} over {n} test", "{p} over {n} tests", one.tests, p=f"{one.p_adjusted:.3f}"))
        )
    if one.least is not None:
        rows.append((_("Least that would be seen"), wording.number(one.least, "%")))
    return html.Dl([html.Div([html.Dt(term), html.Dd(said)]) for term, said in rows], className="evidence-list")


def _table(queries: Queries, found: list[Effect]) -> Any:
    head = (_("Activity"), _("Outcome"), _("Level"), _("Change"), _("p"), _("p, corrected"), *"abcdefgh", _("Sentence"))
    states = {True: _("holds"), False: _("fails")}
    body = []
    for one in found:
        held = {each.letter: states[each.holds] for each in one.conditions}
        change = finding_words.said(one.estimate, queries.disclosure_k) if _holds(one) else wording.NOTHING
        p_values = [raw(p) or wording.NOTHING for p in (one.p_value, one.p_adjusted)]
        body.append((_title(queries, one), _outcome(queries, one), one.level or wording.NOTHING, change, *p_values,
                     *[held.get(letter, wording.NOTHING) for letter in "abcdefgh"], one.sentence))  # fmt: skip
    return table(head, body, _("Conditions and figures of each"))
