"""Pure: findings in words and in the parts that the pages of findings share."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import dash_mantine_components as dmc
from dash import html

from config.vocabulary import Vocabulary
from dashboard import wording
from dashboard.components import attributes
from dashboard.methods import INTERVALS
from dashboard.selection import Selection
from dashboard.tables import raw
from dashboard.texts import _
from pipeline.findings import Figure


def stage_name(code: str) -> str:
    """A stage as readers know it; "" is all of them together."""
    return {
        "": _("all stages"),
        "co_design": _("co-design"),
        "co_decide": _("co-decide"),
        "co_produce": _("co-produce"),
        "co_evaluate": _("co-evaluate"),
        "unknown": _("stage not recorded"),
    }.get(code, code)


def figure_names() -> dict[str, str]:
    """What an activity is judged by, in the order of the switch."""
    return {
        "attendance": _("Attendance"),
        "no_show": _("No-shows"),
        "contributions_per_hour": _("Contributions per hour"),
        "answered": _("Answered in time"),
        "influence": _("Inputs adopted"),
        "perceived": _("Perceived influence"),
        "skills_met": _("Skills met"),
    }


def title_of(vocabulary: Vocabulary, name: str, code: str) -> str:
    """The title of a code in a list of the vocabulary; what is not in it, as it was recorded."""
    if name == "stage":
        return stage_name(code).capitalize()
    if code == "unknown":
        return _("not recorded")
    if (name, code) == ("decision_role", "decides"):  # what E6 counts; no role that is recorded
        return _("Decides: one of the two")
    return _(vocabulary[name].title_of(code)) if name in vocabulary else code


def in_order(vocabulary: Vocabulary, name: str, codes: Iterable[str]) -> list[str]:
    """Codes in the order of the vocabulary, whatever their numbers; unknown ones last."""
    known = list(vocabulary[name].codes) if name in vocabulary else []
    return sorted(set(codes), key=lambda code: (known.index(code) if code in known else len(known), code))


def status(figure: Figure, k: int) -> str:
    """Why a figure has no value, in a few words."""
    if figure.status == "suppressed" and k:
        return _("hidden: would tell of fewer than {k} people", k=k)
    return wording.status_words().get(figure.status, figure.status)


def number(value: float | None, unit: str = "") -> str:
    """A number of a finding; a share in whole percent, since few of them rest on more than a hundred.

    >>> number(8.33, "%"), number(0.42, "%"), number(1e-15, "%"), number(4.25, "per hour"), number(None)
    ('8 %', '0.4 %', '0 %', '4.25', '–')
    """
    if value is not None and unit == "ratio":
        return f"× {wording.number(value)}"
    if value is None or unit != "%":
        return wording.number(value, unit)
    if 0.05 <= abs(value) < 0.95:
        return f"{value:.1f} %".replace("-", "−")
    return wording.number(float(round(value)), unit)


def between(figure: Figure) -> str:
    """The interval as "12 to 20", "" where there is none."""
    if figure.lower is None or figure.upper is None:
        return ""
    low = number(figure.lower, figure.unit).removesuffix(" %")
    if figure.unit == "ratio":
        return _("{low} to {high}", low=low, high=wording.number(figure.upper))
    return _("{low} to {high}", low=low, high=number(figure.upper, figure.unit))


def said(figure: Figure, k: int = 0, n: str = "n {n}") -> str:
    """A figure as a table shows it: the value, under it its interval and n; or why there is none.

    >>> said(Figure(value=41.0, n=12, lower=19.0, upper=68.0, unit="%"))
    '41 %\\n19 to 68 %, n 12'
    >>> said(Figure(status="insufficient_n", n=3))
    'too few to say\\nn 3'
    """
    value = number(figure.value, figure.unit) if figure.value is not None else status(figure, k)
    under = [between(figure)] if figure.value is not None and between(figure) else []
    if figure.n is not None and n:
        under.append(n.format(n=wording.number(figure.n)))
    return value + ("\n" + ", ".join(under) if under else "")


def marks(figure: Figure | None, /, **more: str) -> dict[str, Any]:
    """What a cell tells machines: the number as it was computed, its n and status."""
    return attributes(
        {
            **{f"data-{name}": value for name, value in more.items()},
            "data-value": raw(figure.value if figure else None),
            "data-n": raw(figure.n if figure else None),
            "data-status": figure.status if figure else "none",
        }
    )


def facts(figures: Sequence[Figure], k: int) -> list[tuple[str, str]]:
    """How many figures there are, how many have a value, why the others have none, and the interval methods."""
    methods = list(dict.fromkeys(one.interval for one in figures if one.interval))
    without: dict[str, int] = {}
    for one in figures:
        if one.value is None:
            without[status(one, k)] = without.get(status(one, k), 0) + 1
    shown = _("{n} of {all}", n=len(figures) - sum(without.values()), all=len(figures))
    named = ", ".join(dict.fromkeys(INTERVALS.get(one, one) for one in methods))
    full = _("none: a full count") if len(figures) > sum(without.values()) else _("none")
    how = _("95 %, {method}", method=named) if named else full
    found = [(_("With a value"), shown), (_("Interval"), how)]
    if without:
        found.append((_("Without"), ", ".join(f"{n} {why}" for why, n in without.items())))
    return found


def switch(label: str, path: str, selection: Selection, key: str, options: Mapping[str, str]) -> html.Nav:
    """A row of links that each choose one value of `key`; the address holds the choice."""
    here = getattr(selection, key)
    links = [
        dmc.Anchor(
            words,
            underline="never",
            href=path + selection.to_query(**{key: value}),
            className="switch-link is-here" if value == here else "switch-link",
            **attributes({"aria-current": "true"} if value == here else {}),
        )
        for value, words in options.items()
    ]
    head = html.Span(label, className="bar-label switch-label")
    return html.Nav(
        [head, html.Div(links, className="switch")], className="switch-row", **attributes({"aria-label": label})
    )


def definition(queries: Any, selection: Selection, own: str, *ids: str) -> str:
    """The address of the first of these definitions that the registry has, else of the page's own section."""
    known = queries.definitions()
    return f"/definitions{selection.to_query()}#{next((one for one in ids if one in known), own)}"
