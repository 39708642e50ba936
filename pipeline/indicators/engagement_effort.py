"""Effort per result (E13): staff hours and money per active contributor and per adopted input, by method."""

from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Final, Literal

from pipeline.indicators.engagement_answers import dispositions, taken_up
from pipeline.indicators.engagement_rows import LOOK_BACK, activities, code, engagement, found, number, one_key
from pipeline.indicators.measure import Measure, not_defined
from pipeline.indicators.resampling import bootstrap, ratio
from pipeline.indicators.window import Window

What = Literal["hours", "eur"]
Per = Literal["contributor", "adopted"]
NO_SPENDING: Final = "no hours or money spent were recorded in this period"


@dataclass
class Books:
    """One period: spending by activity, `joint` for none; results by activity, "" for none.

    A contributor to several activities counts for each by an equal part, so that parts add up to people.
    """

    spent: Counter[str] = field(default_factory=Counter)
    joint: float = 0.0
    results: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    givers: dict[str, set[str]] = field(default_factory=lambda: defaultdict(set))
    methods: dict[str, str] = field(default_factory=dict)


def _books(window: Window, what: What, per: Per) -> Books:
    books, known = Books(), activities(window)
    for row in found(window, "resource.spent"):
        amount = number(row, what)
        if amount is not None and (activity := code(row, "activity_id")) != "unknown":
            books.spent[activity] += amount  # type: ignore[assignment]
        elif amount is not None:
            books.joint += amount
    books.methods = {key: code(known[key], "method") if key in known else "unknown" for key in books.spent}
    (_contributors if per == "contributor" else _adopted)(window, books)
    return books


def _contributors(window: Window, books: Books) -> None:
    where: dict[str, set[str]] = defaultdict(set)
    for row in found(window, "contribution.made"):
        if row.actor is not None:
            activity = code(row, "activity_id")
            where[row.actor].add(activity if activity in books.spent else "")
    one_key(where)
    for actor, places in where.items():
        for activity in places:
            books.results[activity] += 1 / len(places)
            books.givers[activity].add(actor)


def _adopted(window: Window, books: Books) -> None:
    named = {
        code(row, "contribution_id"): code(row, "activity_id")
        for row in found(window, "contribution.made", back=LOOK_BACK)
        if code(row, "contribution_id") != "unknown"
    }
    _, by_activity = taken_up(window)
    moved: Counter[str] = Counter()
    for row in dispositions(window):
        activity = named.get(code(row, "contribution_id"), "unknown")
        if code(row, "activity_id") == "unknown" and code(row, "disposition") in ("adopted", "adapted"):
            moved[activity] += row.count
    by_activity["unknown"] -= moved.total()
    for activity, number_ in [*by_activity.items(), *moved.items()]:
        books.results[activity if activity in books.spent else ""] += number_


def _effort(window: Window, what: What, per: Per) -> list[Measure]:
    books = _books(window, what, per)
    if not books.spent and not books.joint:
        return [not_defined(NO_SPENDING)]
    methods: dict[str, list[str]] = defaultdict(list)
    for activity, method in books.methods.items():
        methods[method].append(activity)
    whole = _figure(books, list(books.spent), books.joint, books.joint, True)
    parts = [_figure(books, methods[key], 0.0, books.joint, False, key) for key in sorted(methods) if key != "unknown"]
    return [whole, *parts]


def _figure(books: Books, chosen: list[str], least: float, most: float, outside: bool, method: str = "") -> Measure:
    """Spending per result of these activities. `least` and `most` of the joint spending may be theirs; the value
    takes the part of their number among all. `outside` counts results of no such activity as well."""
    dim = "method" if method else ""
    loose = books.results[""] if outside else 0.0
    results = sum(books.results[key] for key in chosen) + loose
    n = len(chosen)
    givers: set[str] = set().union(*(books.givers[key] for key in chosen), books.givers[""] if outside else set())
    people = (len(givers),) if books.givers else ()
    if results <= 0:
        return not_defined("nothing came of the activities on which this was spent", dim, method)
    share = most if outside else most * n / len(books.spent)
    value = (sum(books.spent[key] for key in chosen) + share) / results
    low = _interval(books, chosen, least, loose)
    high = low if least == most else _interval(books, chosen, most, loose)
    known = low is not None and high is not None
    return Measure(
        value=value, n=n, lower=min(low[0], value) if known and low else None,
        upper=max(high[1], value) if known and high else None,
        interval="bootstrap" if known else "", dim=dim, segment=method, people=people,
    )  # fmt: skip


def _interval(books: Books, chosen: Iterable[str], joint: float, loose: float) -> tuple[float, float] | None:
    """Bootstrap over activities; what belongs to none is spread over all of them."""
    keys = list(chosen)
    if len(keys) < 2:
        return None
    units = [(books.spent[key] + joint / len(keys), books.results[key] + loose / len(keys)) for key in keys]
    found_ = bootstrap(sorted(units), ratio)
    return found_ if found_ is not None and found_[1] != float("inf") else None


_HOURS: Final = "staff hours"
_EUR: Final = "money in euros"


def _words(what: str, per: str) -> dict[str, object]:
    return {
        "formula": f"{what} of resource.spent in the period / {per}; in all, and by method of the activity that was "
        "spent on, with an equal part for each activity of what names none",
        "min_n": 5,
        "direction": "down",
        "interval_method": "bootstrap",
        "comparable": "within",
        "dims": ("method",),
        "look_back": LOOK_BACK,
        "caveat": "n is the number of activities with spending, which are resampled; by method the interval reaches "
        "from none of the joint costs to all of them. Cheap is not good by itself.",
        "source": "E13 effort per result",
    }


_CONTRIBUTOR: Final = "distinct people with at least one contribution.made in it (by method: to these activities)"
_ADOPTED: Final = "inputs recorded in it as adopted or adapted, as for influence (by method: of these activities)"
_TO_CONTRIBUTE: Final = ("resource.spent", "contribution.made", "activity.held")
_TO_ADOPT: Final = ("resource.spent", "contribution.disposition", "decision.closed", "activity.held")


@engagement("hours-per-contributor", title="Staff hours per contributor", unit="h", needs=_TO_CONTRIBUTE,
            **_words(_HOURS, _CONTRIBUTOR))  # fmt: skip
def hours_per_contributor(window: Window) -> list[Measure]:
    return _effort(window, "hours", "contributor")


@engagement("eur-per-contributor", title="Cost per contributor", unit="€", needs=_TO_CONTRIBUTE,
            **_words(_EUR, _CONTRIBUTOR))  # fmt: skip
def eur_per_contributor(window: Window) -> list[Measure]:
    return _effort(window, "eur", "contributor")


@engagement("hours-per-adopted", title="Staff hours per adopted input", unit="h", needs=_TO_ADOPT,
            **_words(_HOURS, _ADOPTED))  # fmt: skip
def hours_per_adopted(window: Window) -> list[Measure]:
    return _effort(window, "hours", "adopted")


@engagement("eur-per-adopted", title="Cost per adopted input", unit="€", needs=_TO_ADOPT,
            **_words(_EUR, _ADOPTED))  # fmt: skip
def eur_per_adopted(window: Window) -> list[Measure]:
    return _effort(window, "eur", "adopted")
