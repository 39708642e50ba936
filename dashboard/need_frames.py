"""The frames of page Methods about what was lacking: skills needed against present, obstacles and lessons by code."""

from collections.abc import Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from config.catalogue import Pilot
from dashboard import finding_words, wording
from dashboard.components import attributes, pilot_name, scrolling, table
from dashboard.dots import Scale, dot
from dashboard.frame import Framed, frame
from dashboard.palette import LIGHT
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import Counted, SkillNeed


def matrix(
    queries: Queries, pilots: Sequence[Pilot], head: str, caption: str, rows: Sequence[tuple[str, Sequence[Any]]]
) -> html.Div:
    """A table of one row per code and one column per pilot."""
    columns = [html.Th(pilot_name(pilot, queries.hue(pilot.slug)), scope="col") for pilot in pilots]
    body = [dmc.TableTr([html.Th(name, scope="row"), *cells]) for name, cells in rows]
    children = [
        html.Caption(caption),
        dmc.TableThead(dmc.TableTr([html.Th(head, scope="col"), *columns])),
        dmc.TableTbody(body),
    ]
    return scrolling(dmc.Table(children, className="numbers figures-table dots-table"), caption)


def skills(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot]) -> html.Section:
    """Skills of the chosen stage: in how many activities each was needed, and in how many of them present."""
    everything = queries.skills(who, [pilot.slug for pilot in pilots])
    found = [one for one in everything if one.stage == selection.stage and not one.method]
    known = {(one.pilot, one.skill): one for one in found}
    words = queries.vocabulary
    codes = finding_words.in_order(words, "skill", (one.skill for one in found))
    rows = [
        (
            finding_words.title_of(words, "skill", code),
            [_need(queries, pilot, known.get((pilot.slug, code)), code) for pilot in pilots],
        )
        for code in codes
    ]
    title, caption = _("Skills needed and present"), _("Activities that needed a skill, and those of them that had it")
    empty = _("No activity of this stage says which skills it needed.")
    stage = [one for one in everything if one.stage == selection.stage]
    return frame(
        Framed(
            name="skills",
            eyebrow=finding_words.stage_name(selection.stage).capitalize(),
            title=title,
            sentence=_lacking(queries, found) if found else empty,
            body=matrix(queries, pilots, _("Skill"), caption, rows) if found else [],
            facts=finding_words.facts([one.met for one in found], queries.disclosure_k) if found else [],
            table=_skill_table(queries, stage) if found else None,
            csv=f"/download/skills.csv{selection.to_query()}",
            definition=finding_words.definition(queries, selection, "skills", "skills-met"),
        )
    )


def _lacking(queries: Queries, found: list[SkillNeed]) -> str:
    """Per pilot, the skills that fewer than half of the activities that needed them had."""
    by_pilot: dict[str, list[str]] = {}
    for one in found:
        if one.met.value is not None and one.met.value < 50:
            by_pilot.setdefault(one.pilot, []).append(finding_words.title_of(queries.vocabulary, "skill", one.skill))
    if not by_pilot:
        return _("No skill was missing from more than half of the activities that needed it, where that can be told.")
    names = queries.names()
    told = "; ".join(
        _("{pilot}: {skills}", pilot=names[slug], skills=wording.listing(lacking)) for slug, lacking in by_pilot.items()
    )
    return _("Missing from more than half of the activities that needed it – {told}.", told=told)


def _need(queries: Queries, pilot: Pilot, one: SkillNeed | None, code: str) -> Any:
    if one is None:
        shown = html.Span(_("not needed"), className="dot-none")
        return dmc.TableTd(shown, **finding_words.marks(None, pilot=pilot.slug, skill=code))
    parts: list[Any] = [dot(one.met, Scale(100.0))] if one.met.value is not None else []
    parts.append(html.Strong(_("{present} of {needed}", present=one.present, needed=one.needed)))
    share, _newline, between = finding_words.said(one.met, queries.disclosure_k, n="").partition("\n")
    parts.append(html.Small(f"{share} ({between})" if between else share))
    if one.level.value is not None:
        parts.append(html.Small(_("assessed {level} of 5", level=wording.number(one.level.value))))
    return dmc.TableTd(
        parts,
        style={"--hue": f"var(--hue-{queries.hue(pilot.slug) % len(LIGHT.hues)})"},
        **finding_words.marks(one.met, pilot=pilot.slug, skill=code),
    )


def _skill_table(queries: Queries, found: list[SkillNeed]) -> Any:
    head = (_("Pilot"), _("Method"), _("Skill"), _("Needed"), _("Present"), _("Share"), _("Level"))
    names, words, k = queries.names(), queries.vocabulary, queries.disclosure_k
    body = [
        (
            names.get(one.pilot, one.pilot),
            finding_words.title_of(words, "method", one.method) if one.method else _("all methods"),
            finding_words.title_of(words, "skill", one.skill),
            wording.number(one.needed),
            wording.number(one.present),
            finding_words.said(one.met, k),
            wording.number(one.level.value),
        )
        for one in found
    ]
    return table(head, body, _("Skills by pilot and method"))


def counts(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot], dim: str) -> html.Section:
    """How often each obstacle or lesson was recorded at the chosen stage."""
    titles = {"obstacle": _("Obstacles"), "lesson": _("Lessons")}
    heads = {"obstacle": _("Obstacle"), "lesson": _("Lesson")}
    captions = {
        "obstacle": _("How often each obstacle was recorded"),
        "lesson": _("How often each lesson was recorded"),
    }
    found = [
        one
        for one in queries.counted(who, [pilot.slug for pilot in pilots])
        if one.dim == dim and one.stage == selection.stage and not one.method
    ]
    words = queries.vocabulary
    known = {(one.pilot, one.code): one.n for one in found}
    top = max([1, *known.values()])
    rows = [
        (
            finding_words.title_of(words, dim, code),
            [_count(queries, pilot, dim, code, known.get((pilot.slug, code)), top) for pilot in pilots],
        )
        for code in finding_words.in_order(words, dim, (one.code for one in found))
    ]
    none = _("None was recorded for this stage.")
    body = [(queries.names()[one.pilot], finding_words.title_of(words, dim, one.code), str(one.n)) for one in found]
    numbers = table((_("Pilot"), heads[dim], _("Times recorded")), body, titles[dim]) if found else None
    return frame(
        Framed(
            name=f"{dim}s",
            eyebrow=finding_words.stage_name(selection.stage).capitalize(),
            title=titles[dim],
            sentence=_told(queries, found, dim) if found else none,
            body=matrix(queries, pilots, heads[dim], captions[dim], rows) if found else [],
            table=numbers,
            csv=f"/download/codes.csv{selection.to_query()}",
            definition=finding_words.definition(queries, selection, "codes"),
        )
    )


def _told(queries: Queries, found: list[Counted], dim: str) -> str:
    """How many were recorded in how many pilots, and what several pilots have in common."""
    pilots: dict[str, set[str]] = {}
    for one in found:
        pilots.setdefault(one.code, set()).add(one.pilot)
    of = len({one.pilot for one in found})
    said = _n("{n} code in {of} pilots.", "{n} codes in {of} pilots.", len(pilots), of=of)
    shared = [
        finding_words.title_of(queries.vocabulary, dim, code) for code, who in pilots.items() if len(who) == of > 1
    ]
    return said + (" " + _("In each of them: {titles}.", titles=wording.listing(shared)) if shared else "")


def _count(queries: Queries, pilot: Pilot, dim: str, code: str, n: int | None, top: int) -> Any:
    named = attributes({"data-pilot": pilot.slug, "data-dim": dim, "data-code": code, "data-value": str(n or "")})
    if n is None:
        return dmc.TableTd(html.Span(_("not recorded"), className="dot-none"), **named)
    bar = html.Div(className="count-bar", style={"--to": f"{100 * n / top:.1f}%"})
    hue = {"--hue": f"var(--hue-{queries.hue(pilot.slug) % len(LIGHT.hues)})"}
    return dmc.TableTd([bar, html.Strong(str(n))], style=hue, **named)
