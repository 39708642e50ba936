"""The frames of differences between pilots: two at a time, in the catalogue's order, with the probability of an order.

Promises: a row per pair, never sorted by size and never summed up in a place; no order is said where 0.2 < P < 0.8; a
pair that is not compared says why and has no mark.
"""

import re
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import dash_mantine_components as dmc
from dash import html

from config.catalogue import Pilot
from dashboard import finding_words, wording
from dashboard.components import notice, scrolling, table
from dashboard.frame import Framed, frame
from dashboard.queries import Queries
from dashboard.selection import Selection
from dashboard.texts import _, _n
from dashboard.viewer import Viewer
from pipeline.findings import Figure, Pair

if TYPE_CHECKING:
    from pipeline.indicators import Indicator

# Which rate stands for a count where pilots are set side by side, per 1,000 people or two at a time.
PER_1000 = {
    "people": "adoption-per-1000",
    "new-people": "adoption-per-1000",
    "contributions": "participation-per-1000",
    "contributors": "participation-per-1000",
    "participants-who-use": "participation-per-1000",
}
_NAMED = 3  # as many probable orders are named in the sentence; the rows have all of them


def compared(queries: Queries, selection: Selection) -> list["Indicator"]:
    """Of the chosen indicators those that may be compared between pilots, rates in the place of their counts."""
    known = queries.definitions()
    rates = [known.get(PER_1000.get(one.id, one.id), one) for one in queries.shown(selection)]
    return list({one.id: one for one in rates if one.comparable == "yes"}.values())


def asked(queries: Queries, who: Viewer, selection: Selection) -> list[Pair]:
    """The pairs that the page shows, which its file holds, too."""
    slugs = [pilot.slug for pilot in queries.pilots(who, selection)]
    bounds = queries.bounds(who, selection, slugs)
    if bounds is None:
        return []
    days = (None, None) if selection.span == "all" else bounds
    return queries.pairs(who, slugs, [one.id for one in compared(queries, selection)], *days)


def differences(queries: Queries, who: Viewer, selection: Selection, pilots: Sequence[Pilot], query: str) -> list[Any]:
    """A frame for each indicator; [] where there are no two pilots."""
    if len(pilots) < 2:
        return []
    chosen, head = compared(queries, selection), html.H2(_("Differences between pilots"), className="section")
    if not chosen:
        said = _(
            "None of the chosen indicators may be compared between pilots: their definitions rest on what a pilot "
            "counts as its own. Choose one that is comparable, such as {titles}.",
            titles=wording.listing([_(one.title) for one in queries.definitions().values()
                                    if one.comparable == "yes" and one.family == "uptake"][:2]),
        )  # fmt: skip
        return [head, notice("info", _("Not compared"), said)]
    found = asked(queries, who, selection)
    frames = [
        _frame(queries, one, [pair for pair in found if pair.indicator == one.id], query) for one in chosen
    ]  # fmt: skip
    return [head, html.Div(frames, className="pairs")]


def _frame(queries: Queries, definition: "Indicator", found: list[Pair], query: str) -> html.Section:
    title, names = _(definition.title), queries.names()
    days = sorted({(one.start, one.end) for one in found if one.difference.value is not None})
    known = [one for one in found if one.difference.value is not None]
    units = ", ".join(dict.fromkeys(_(one.difference.unit) for one in found)) or _(definition.unit)
    kinds = list(dict.fromkeys(wording.population(one.denominator) for one in known if one.denominator))
    facts = [(_("Unit"), units)]
    if kinds:
        facts.append((_("Per"), wording.listing(kinds)))
    if known:
        facts += [
            (_("n"), _spread([one for pair in known for one in (pair.figure, pair.other_figure)])),
            (_("Interval"), _("95 %, put together from the two intervals (Newcombe)")),
        ]
    facts.append((_("Status"), _("{n} of {all} pairs compared", n=len(known), all=len(found))))
    return frame(
        Framed(
            name=f"pairs-{definition.id}",
            eyebrow=wording.days(*days[0]) if len(days) == 1 else _("Two at a time"),
            title=title,
            sentence=_sentence(found, names),
            body=_rows(found, names, title, queries.disclosure_k) if found else [],
            facts=facts,
            notes=[
                _(
                    "Over whole weeks that are over and could be followed as long as the definition asks. "
                    "Pairs stand in a fixed order; none is said to be higher where that is less probable than 0.8."
                )
            ],
            table=_table(found, names, title, queries.disclosure_k) if found else None,
            csv=f"/download/pairs.csv{query}",
            definition=f"/definitions{query}#{definition.id}",
        )
    )


def _spread(figures: Sequence[Figure]) -> str:
    counts = [one.n for one in figures if one.n is not None]
    if not counts:
        return _("not stated")
    low, high = wording.number(min(counts)), wording.number(max(counts))
    return low if low == high else _("{low} to {high} per value", low=low, high=high)


def _sentence(found: list[Pair], names: dict[str, str]) -> str:
    """How many pairs have a probable order, which ones where they are few, and why others are not compared."""
    if not found:
        return _("No whole week of the period is over for these pilots and could be followed long enough.")
    known = [one for one in found if one.difference.value is not None]
    settled = [one for one in known if one.order != "open"]
    if not known:
        return _("No two pilots can be compared: {why}.", why=_why(found, names))
    said = _("In {n} of {all} compared pairs an order is probable", n=len(settled), all=len(known))
    if 0 < len(settled) <= _NAMED:
        said += ": " + wording.listing([order_words(one, names) for one in settled])
    said += "."
    if len(known) < len(found):
        said += " " + _n("{n} pair is not compared: {why}.", "{n} pairs are not compared: {why}.",
                         len(found) - len(known), why=_why(found, names))  # fmt: skip
    return said


def _why(found: list[Pair], names: dict[str, str]) -> str:
    """Why pairs are not compared, the commonest reasons first."""
    reasons = Counter(reason(one, names) for one in found if one.difference.value is None)
    told = [why for why, _count in reasons.most_common(2)]
    return "; ".join(told) + (_("; and others, named below") if len(reasons) > len(told) else "")


def reason(one: Pair, names: dict[str, str]) -> str:
    """Why a pair is not compared, with names in the place of slugs and of kinds of people."""
    said = wording.prose(one.difference.reason)
    said = re.sub(r"(?<= per )\w+", lambda kind: wording.population(kind[0]), said)
    for code, words in wording.status_words().items():
        said = said.removesuffix(f": {code}") + (f": {words}" if said.endswith(f": {code}") else "")
    for slug in (one.pilot, one.other):
        said = said.replace(f"{slug}:", f"{names.get(slug, slug)}:").replace(f"{slug} ", f"{names.get(slug, slug)} ")
    return said


def order_words(one: Pair, names: dict[str, str]) -> str:
    """Which of the two is higher, with its probability, or that this is not said; "" of a pair that is not compared."""
    if one.higher is None:
        return ""
    if one.order == "open":
        return _("no order: P between 0.2 and 0.8")
    first = one.order == "higher"
    probability = one.higher if first else 1 - one.higher
    return _("{name} higher (P {p})", name=names[one.pilot if first else one.other], p=probability_words(probability))


def probability_words(p: float) -> str:
    """A probability as it may be claimed.

    >>> probability_words(0.8731), probability_words(0.9999), probability_words(1.0), probability_words(0.001)
    ('0.87', 'over 0.99', 'over 0.99', 'below 0.01')
    """
    if p > 0.99:
        return _("over 0.99")
    return _("below 0.01") if p < 0.01 else f"{p:.2f}"


def signed(value: float | None) -> str:
    """A difference with its sign.

    >>> signed(3.21), signed(-0.5), signed(0.0), signed(None)
    ('+3.21', '−0.50', '0', '–')
    """
    return ("+" if value is not None and value > 0 else "") + wording.number(value)


def _rows(found: list[Pair], names: dict[str, str], title: str, k: int) -> html.Div:
    ends = [abs(end) for one in found for end in (one.difference.lower, one.difference.upper) if end is not None]
    top = max(ends, default=0.0) * 1.04 or 1.0
    head = [_("First minus second"), _("Difference")]
    body = [
        dmc.TableTr(
            [
                html.Th([_pair_name(one, names), html.Small(order_words(one, names))], scope="row"),
                dmc.TableTd(
                    _difference(one, names, top, k),
                    className="" if one.difference.value is not None else "is-few",
                    **finding_words.marks(one.difference, pilot=one.pilot, other=one.other, pair=one.indicator),
                    **{"data-higher": "" if one.higher is None else repr(float(one.higher)), "data-order": one.order},
                ),
            ]
        )
        for one in found
    ]
    caption = _("{title}: difference of each two pilots, with 95 % interval", title=title)
    heads = dmc.TableTr([html.Th(one, scope="col") for one in head])
    children = [html.Caption(caption), dmc.TableThead(heads), dmc.TableTbody(body)]
    return scrolling(dmc.Table(children, className="numbers differences"), caption)


def _pair_name(one: Pair, names: dict[str, str]) -> str:
    return _("{one} − {other}", one=names.get(one.pilot, one.pilot), other=names.get(one.other, one.other))


def _difference(one: Pair, names: dict[str, str], top: float, k: int) -> list[Any]:
    """The mark about the line of no difference, and the same in words; or the reason alone."""
    figure = one.difference
    if figure.value is None:
        return [html.Span(_("not compared: {why}", why=reason(one, names)), className="quiet")]
    points = {"at": figure.value, "low": figure.lower, "high": figure.upper}
    style = {
        f"--{name}": f"{50 + 50 * (figure.value if point is None else point) / top:.1f}%"
        for name, point in points.items()
    }
    said = _("{low} to {high}", low=signed(figure.lower), high=signed(figure.upper))
    return [html.Div(className="dot about-none", style=style), html.Strong(signed(figure.value)), " ", html.Small(said)]


def _table(found: list[Pair], names: dict[str, str], title: str, k: int) -> Any:
    head = (_("First minus second"), _("First"), _("Second"), _("Difference"), _("P(first is higher)"), _("Per"),
            _("Not compared"))  # fmt: skip
    body = [
        (
            _pair_name(one, names),
            finding_words.said(one.figure, k),
            finding_words.said(one.other_figure, k),
            signed(one.difference.value)
            + ("\n" + _("{low} to {high}", low=signed(one.difference.lower), high=signed(one.difference.upper))
               if one.difference.value is not None else ""),
            wording.NOTHING if one.higher is None else probability_words(one.higher),
            wording.population(one.denominator) if one.denominator else wording.NOTHING,
            reason(one, names) or wording.NOTHING,
        )
        for one in found
    ]  # fmt: skip
    return table(head, body, _("{title}: the two values, their difference and the probability", title=title))
