"""The words of a letter: one JSON object for programs, a title and a text for people. Pure.

A letter of one notification is that notification with a link. A letter of several says how many of what there are, and
carries the first of them by severity; how many more there are stands in `more`, and nothing is left out of the counts.
"""

from collections import Counter
from collections.abc import Sequence
from typing import Any, Final

import msgspec

from pipeline.delivery.notices import key_of
from pipeline.delivery.routes import SYSTEM, rank

MOST_SHOWN: Final = 20
_WHAT: Final = {
    "opened": "opened",
    "closed": "is over",
    "reminder": "is still open",
    "worsened": "got worse",
    "review": "is to be reviewed",
}
_OWN: Final = {"watchdog": "alerts are being evaluated", "test": "this is a test"}


class Words(msgspec.Struct, frozen=True):
    """A letter as people read it."""

    title: str
    text: str


def compose(notifications: Sequence[dict[str, Any]], base: str) -> tuple[str, dict[str, Any]]:
    """The id and the body of a letter of these notifications, oldest first."""
    if len(notifications) == 1:
        [one] = notifications
        linked = {**one, "link": _link(base, one)}
        return one["key"], {**linked, "notifications": [linked], "more": 0}
    key = key_of(*(one["key"] for one in notifications))
    shown = sorted(notifications, key=lambda one: -rank(_severity(one)))[:MOST_SHOWN]
    counts = Counter(_short(one) for one in notifications)
    said = ", ".join(f"{name} ({n})" if n > 1 else name for name, n in counts.most_common(MOST_SHOWN))
    rest = f", and {len(counts) - MOST_SHOWN} kinds more" if len(counts) > MOST_SHOWN else ""
    return key, {
        "key": key,
        "what": "several",
        "reason": "told together",
        "sentence": f"{len(notifications)} notifications: {said}{rest}.",
        "link": _page(base),
        "notifications": [{**one, "link": _link(base, one)} for one in shown],
        "more": len(notifications) - len(shown),
    }


def words(body: dict[str, Any]) -> Words:
    """What people read of a letter, its links and its id included."""
    several = body["what"] == "several"
    lines = [body["sentence"], ""] if several else []
    for one in body.get("notifications") or [body]:
        lines += [f"{_short(one)}: {one['sentence']}" if several else one["sentence"]]
        lines += [f"{one['what']}: {one['reason']}", *([one["link"]] if one.get("link") else []), ""]
    if body.get("more"):
        lines += [f"and {body['more']} more: {body.get('link') or 'see the page Alerts'}", ""]
    lines += [f"Notification {body['key']}"]
    made_up = all(_synthetic(one) for one in body.get("notifications") or [body])
    title = f"[Periscope] {_title(body)}{' (synthetic data)' if made_up else ''}"
    return Words(title, "\n".join(lines) + "\n")


def _title(body: dict[str, Any]) -> str:
    if body["what"] != "several":
        return _short(body)
    found = body["notifications"]
    pilots = list(dict.fromkeys(one["incident"]["pilot"] for one in found if one.get("incident")))
    whose = f"{pilots[0]}: " if len(pilots) == 1 else ""
    return f"{whose}{len(found) + body['more']} notifications"


def _short(one: dict[str, Any]) -> str:
    """Whose, what and how it stands, in a few words."""
    incident = one.get("incident")
    if incident is None:
        return _OWN.get(str(one["what"]), str(one["what"]))
    whose = "" if incident["pilot"] == SYSTEM else f"{incident['pilot']}: "
    kind = f"{incident['kind']} of {incident['series']}".replace("_", " ")
    return f"{whose}{kind} {_WHAT.get(one['what'], one['what'])}"


def _severity(one: dict[str, Any]) -> str:
    return str((one.get("incident") or {}).get("severity", "notice"))


def _synthetic(one: dict[str, Any]) -> bool:
    return bool((one.get("incident") or {}).get("synthetic"))


def _link(base: str, one: dict[str, Any]) -> str:
    incident = one.get("incident")
    return f"{_page(base)}?incident={incident['id']}" if base and incident else _page(base)


def _page(base: str) -> str:
    return f"{base.rstrip('/')}/alerts" if base else ""
