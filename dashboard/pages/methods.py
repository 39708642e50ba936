"""Methods: which methods, tools, techniques and skills were used where, and what came of them; nothing is ranked."""

from typing import Any

from dash import Dash, html

from config.catalogue import Pilot
from dashboard import finding_page, finding_words, fit_frames, need_frames
from dashboard.queries import Queries
from dashboard.selection import STAGES, Selection
from dashboard.texts import _
from dashboard.viewer import Viewer

PATH, TITLE = "/methods", "Methods"


def layout(**chosen: str) -> html.Div:
    return finding_page.layout(
        "methods",
        _("Methods"),
        _(
            "Which methods, tools, techniques and skills were used in which pilot and at which stage, and what came of "
            "them there. Over all closed days; read down a column, within one pilot."
        ),
    )


def register(app: Dash, queries: Queries) -> None:
    finding_page.register(app, queries, "methods", _draw)


def _draw(queries: Queries, who: Viewer, selection: Selection, pilots: list[Pilot]) -> Any:
    lists = {
        "method": _("Methods"),
        "tool": _("Tools"),
        "technique": _("Techniques"),
        "skill": _("Skills present"),
    }
    stages = {stage: finding_words.stage_name(stage).capitalize() for stage in ("", *STAGES)}
    switches = [
        finding_words.switch(_("Rows"), PATH, selection, "dim", lists),
        finding_words.switch(_("Stage"), PATH, selection, "stage", stages),
        finding_words.switch(_("Figure"), PATH, selection, "figure", finding_words.figure_names()),
    ]
    return [
        fit_frames.one_size(queries, who, selection, pilots),
        html.Div(switches, className="switches"),
        fit_frames.fit(queries, who, selection, pilots, lists),
        need_frames.skills(queries, who, selection, pilots),
        need_frames.counts(queries, who, selection, pilots, "obstacle"),
        need_frames.counts(queries, who, selection, pilots, "lesson"),
    ]
