"""Decisions: which group had which role in decisions, and who took part at which stage, pilot by pilot."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import Dash, html

from config.catalogue import Pilot
from dashboard import finding_page, finding_words, wording
from dashboard.components import scrolling, table
from dashboard.frame import Framed, frame
from dashboard.palette import LIGHT
from dashboard.queries import Queries
from dashboard.selection import STAGES, Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import Figure, RoleShare, StageGroup

PATH, TITLE = "/decisions", "Decisions"


def layout(**chosen: str) -> html.Div:
    return finding_page.layout(
        "decisions",
        _("Decisions"),
        _(
            "Who decides: the share of a pilot's closed decisions in which each group had each role, and who took part "
            "at which stage. Over all closed days."
        ),
    )


def register(app: Dash, queries: Queries) -> None:
    finding_page.register(app, queries, "decisions", _draw)


def _draw(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot]) -> Any:
    slugs = [pilot.slug for pilot in pilots]
    roles, groups = queries.roles(who, slugs), queries.stage_groups(who, slugs)
    stages = {stage: finding_words.stage_name(stage).capitalize() for stage in ("", *STAGES)}
    query = selection.to_query()
    return [
        html.Div(finding_words.switch(_("Stage"), PATH, selection, "stage", stages), className="switches"),
        html.H2(_("Roles in decisions"), className="section"),
        html.Div(
            [
                _roles(queries, pilot, [one for one in roles if one.pilot == pilot.slug], selection, query)
                for pilot in pilots
            ],
            className="pairs",
        ),
        html.H2(_("Who took part at which stage"), className="section"),
        html.Div(
            [_groups(queries, pilot, [one for one in groups if one.pilot == pilot.slug], query) for pilot in pilots],
            className="pairs",
        ),
    ]


def _roles(queries: Queries, pilot: Pilot, every: list[RoleShare], selection: Selection, query: str) -> html.Section:
    found = [one for one in every if one.stage == selection.stage]
    stage = finding_words.stage_name(selection.stage)
    if not every:
        said = _("No closed decision of {pilot} is recorded.", pilot=pilot.name)
    elif not found:
        said = _("No closed decision of {pilot} belongs to {stage}.", pilot=pilot.name, stage=stage)
    else:
        said = _decided(queries, pilot, found)
    words = queries.vocabulary
    cells = {(one.group, one.role): one.share for one in found}
    return frame(
        Framed(
            name=f"roles-{pilot.slug}",
            eyebrow=_("{country} · {stage}", country=pilot.country, stage=stage),
            title=_("{pilot}: who decides", pilot=pilot.name),
            sentence=said,
            body=_matrix(
                queries, pilot, ("group", "actor_kind", _("Group"), [one.group for one in found]),
                ("role", "decision_role", _("Role"), [one.role for one in found]), cells, 100.0,
                _("{pilot}: share of decisions by group and role", pilot=pilot.name),
            ) if found else [],
            facts=finding_words.facts([one.share for one in found], queries.disclosure_k) if found else [],
            table=table(
                (_("Stage"), _("Group"), _("Role"), _("Decisions"), _("Share")),
                [
                    (finding_words.stage_name(one.stage), finding_words.title_of(words, "actor_kind", one.group),
                     finding_words.title_of(words, "decision_role", one.role), wording.number(one.decisions),
                     finding_words.said(one.share, queries.disclosure_k))
                    for one in every
                ],
                _("{pilot}: every stage, group and role", pilot=pilot.name),
            ) if every else None,
            csv=f"/download/roles.csv{selection.to_query(pilots=(pilot.slug,))}",
            definition=finding_words.definition(queries, selection, "roles", "deciders", "decision-roles"),
        )
    )  # fmt: skip


def _decided(queries: Queries, pilot: Pilot, found: list[RoleShare]) -> str:
    """Which groups decided or co-decided in half of the decisions or more."""
    n = max(one.decisions for one in found)
    said = _n("{n} closed decision.", "{n} closed decisions.", n)
    words = queries.vocabulary
    counted = {one.role for one in found} & {"decides"} or {"decider", "co_decider"}
    highest: dict[str, float] = {}
    for one in found:
        if one.role in counted and (one.share.value or 0) >= 50:
            highest[one.group] = max(highest.get(one.group, 0.0), one.share.value or 0.0)
    if any(one.share.value is not None for one in found):
        told = [
            _(
                "{group} ({share})",
                group=finding_words.title_of(words, "actor_kind", group),
                share=finding_words.number(share, "%"),
            )
            for group, share in highest.items()
        ]
        if not told:
            return said + " " + _("No group decided or co-decided in at least half of them.")
        return said + " " + _("Deciding or co-deciding in at least half of them: {told}.", told=wording.listing(told))
    why = next((one.share.reason for one in found if one.share.reason), "")
    return said + " " + (_("No share is given: {why}.", why=why) if why else _("No share can be given."))


def _groups(queries: Queries, pilot: Pilot, found: list[StageGroup], query: str) -> html.Section:
    words, k = queries.vocabulary, queries.disclosure_k
    said = _took_part(queries, found) if found else _("Nobody's attendance at an activity of {pilot} is recorded.",
                                                      pilot=pilot.name)  # fmt: skip
    cells = {(one.stage, one.group): one.taking_part for one in found}
    top = max([1.0, *[one.taking_part.value or 0 for one in found]])
    units = ", ".join(dict.fromkeys(one.taking_part.unit for one in found if one.taking_part.unit))
    return frame(
        Framed(
            name=f"groups-{pilot.slug}",
            eyebrow=pilot.country,
            title=_("{pilot}: who took part", pilot=pilot.name),
            sentence=said,
            body=_matrix(
                queries, pilot, ("stage", "stage", _("Stage"), [one.stage for one in found]),
                ("group", "actor_kind", _("Group"), [one.group for one in found]), cells, top,
                _("{pilot}: taking part, by stage and group", pilot=pilot.name),
            ) if found else [],
            facts=[(_("Counted"), _(units) if units else _("none")),
                   *finding_words.facts([one.taking_part for one in found], k)] if found else [],
            table=table(
                (_("Stage"), _("Group"), _("Activities"), _("Taking part")),
                [
                    (finding_words.stage_name(one.stage), finding_words.title_of(words, "actor_kind", one.group),
                     wording.number(one.activities), finding_words.said(one.taking_part, k))
                    for one in found
                ],
                _("{pilot}: taking part, by stage and group", pilot=pilot.name),
            ) if found else None,
            csv=f"/download/stage-groups.csv{query}",
            definition=f"/definitions{query}#stage-groups",
        )
    )  # fmt: skip


def _took_part(queries: Queries, found: list[StageGroup]) -> str:
    """Which groups took part at no stage of which activities were held, and at which stages nothing was held."""
    held = {one.stage for one in found if one.activities}
    absent = [
        finding_words.title_of(queries.vocabulary, "actor_kind", group)
        for group in finding_words.in_order(queries.vocabulary, "actor_kind", (one.group for one in found))
        if all(one.taking_part.value == 0 for one in found if one.group == group and one.stage in held)
        and group != "unknown"
    ]
    without = [finding_words.stage_name(one) for one in STAGES if one not in held]
    parts = [
        _("Recorded at no stage: {groups}.", groups=wording.listing(absent))
        if absent
        else _("Every group took part at some stage, or its number is hidden.")
    ]
    if without:
        parts.append(_("No activity of {stages} was held.", stages=wording.listing(without)))
    return " ".join(parts)


def _short(figure: Figure) -> str:
    """A figure in a narrow cell; the limit of what is hidden stands once, under the table."""
    if figure.status == "suppressed":
        return _("hidden")
    if figure.value is None:
        return finding_words.said(figure, n="")
    if figure.unit == "%":  # the sign once: a second one would not fit beside the interval
        return "\n".join([finding_words.number(figure.value, "%"), finding_words.between(figure).removesuffix(" %")])
    return wording.number(figure.value)


Side = tuple[str, str, str, Sequence[str]]  # data name, word list, heading, codes


def _matrix(
    queries: Queries, pilot: Pilot, down: Side, across: Side, cells: dict[tuple[str, str], Figure], top: float,
    caption: str,
) -> html.Div:  # fmt: skip
    """A table of codes by codes; the ground of a cell is the stronger, the higher its value; words say the same."""
    words = queries.vocabulary
    rows = finding_words.in_order(words, down[1], down[3])
    columns = finding_words.in_order(words, across[1], across[3])

    def cell(row: str, column: str) -> Any:
        figure = cells.get((row, column))
        named = {"pilot": pilot.slug, down[0]: row, across[0]: column}
        if figure is None:
            return dmc.TableTd(wording.NOTHING, **finding_words.marks(None, **named))
        share = 0.0 if figure.value is None else figure.value / top
        return dmc.TableTd(
            _short(figure),
            className="heat" if figure.value is not None else "heat is-none",
            style={"--heat": f"{40 * share:.0f}%"},
            **finding_words.marks(figure, **named),
        )

    head = [html.Th(f"{down[2]} \\ {across[2]}", scope="col")]
    head += [html.Th(finding_words.title_of(words, across[1], one), scope="col") for one in columns]
    body = [
        dmc.TableTr(
            [html.Th(finding_words.title_of(words, down[1], row), scope="row"), *[cell(row, one) for one in columns]]
        )
        for row in rows
    ]
    children = [html.Caption(caption), dmc.TableThead(dmc.TableTr(head)), dmc.TableTbody(body)]
    hue = {"--hue": f"var(--hue-{queries.hue(pilot.slug) % len(LIGHT.hues)})"}
    return html.Div(scrolling(dmc.Table(children, className="numbers figures-table heat-table"), caption), style=hue)
