"""The one rule table: which permission each route, page and callback needs, and which role has which permissions.

What is not listed is refused. A new page, route or callback is listed here, or `tests/dashboard/test_access_matrix.py`
fails.
"""

import re
from typing import Final, Literal

from config.roles import Role

Permission = Literal["see", "download", "record", "evaluate", "administer"]
# Answered without asking who is there: "open" never asks, "public" answers both those who are signed in and others.
Need = Permission | Literal["open", "public"]

# What each role may do. An evaluator does not record: who judges the data does not make them.
GRANTS: Final[dict[Role, frozenset[Permission]]] = {
    "viewer": frozenset({"see", "download"}),
    "operator": frozenset({"see", "download", "record"}),
    "evaluator": frozenset({"see", "download", "evaluate"}),
    "admin": frozenset({"see", "download", "record", "evaluate", "administer"}),
}

# The permissions in words for readers; texts of the dashboard, so that they can be translated.
WORDS: Final[dict[Permission, str]] = {
    "see": "see pages",
    "download": "download numbers",
    "record": "record what happens",
    "evaluate": "evaluate",
    "administer": "administer",
}

# Addresses that show a page of the dashboard; each answers to GET.
PAGES: Final[dict[str, Permission]] = {
    "/": "see",
    "/compare": "see",
    "/pilot": "see",
    "/methods": "see",
    "/decisions": "see",
    "/retention": "see",
    "/impact": "see",
    "/effects": "see",
    "/alerts": "see",
    "/definitions": "see",
    "/quality": "see",
    "/log": "record",
}

# Rules of Flask's url_map by method; "/" and "/<path:path>" go by PAGES, the callbacks' address by CALLBACKS.
ROUTES: Final[dict[tuple[str, str], Need]] = {
    ("GET", "/healthz"): "open",
    ("GET", "/readyz"): "open",
    ("GET", "/_favicon.ico"): "open",
    ("GET", "/_dash-component-suites/<string:package_name>/<path:fingerprinted_path>"): "open",
    ("GET", "/assets/<path:filename>"): "open",
    ("GET", "/sign-in"): "public",
    ("POST", "/sign-in"): "public",
    ("GET", "/sign-in/provider"): "public",
    ("GET", "/sign-in/provider/return"): "public",
    ("GET", "/account"): "see",
    ("POST", "/sign-out"): "see",
    ("GET", "/"): "see",
    ("GET", "/<path:path>"): "see",
    ("GET", "/_dash-layout"): "see",
    ("GET", "/_dash-dependencies"): "see",
    ("POST", "/_dash-update-component"): "see",
    ("GET", "/download/<name>.csv"): "download",
    ("GET", "/api/v1/<name>"): "download",
    ("GET", "/check-in/<token>"): "public",
    ("POST", "/check-in/<token>"): "public",
}
PAGE_RULES: Final = ("/", "/<path:path>")
# Asked by programs again and again: counted per second like callbacks, and answered to in JSON.
API_RULE: Final = "/api/v1/<name>"
CALLBACK_RULE: Final = "/_dash-update-component"

# Callbacks by the key of `app.callback_map`, without the marks of outputs that several callbacks share.
CALLBACKS: Final[dict[str, Permission]] = {
    "..url.search...bar-pilots.value...bar-span.value...bar-period.value...bar-scale.value...bar-indicators.value..."
    "bar-dates.value..": "see",
    "..page.children...page-title.data..": "see",
    "..nav.children...menu.children..": "see",
    "version.data": "see",
    "..notices.children...evaluated.children..": "see",
    "now-cards.children": "see",
    "..compare-series.children...compare-series-drawn.data..": "see",
    "..compare-figures.children...compare-figures-drawn.data..": "see",
    "pilot-head.children": "see",
    "..pilot-body.children...pilot-drawn.data..": "see",
    "..methods-body.children...methods-drawn.data..": "see",
    "..decisions-body.children...decisions-drawn.data..": "see",
    "..retention-body.children...retention-drawn.data..": "see",
    "..impact-body.children...impact-drawn.data..": "see",
    "..effects-body.children...effects-drawn.data..": "see",
    "..alerts-body.children...alerts-drawn.data..": "see",
    "..alerts-dialog.opened...alerts-dialog.title...alerts-form.children...alerts-problem.children..."
    "alerts-said.children..": "record",
    "definitions-body.children": "see",
    "..quality-body.children...quality-drawn.data..": "see",
    "quality-said.children": "record",
    "..log-body.children...log-mount.data...log-words.data..": "record",
    "..log-answer.data...log-said.children..": "record",
    "log-qr.children": "record",
    "log-coming.children": "record",
    "..log-records.children...log-drawn.data..": "record",
    "..log-load.data...log-told.children..": "record",
}

# Properties that change by themselves: a callback that only these started is not the reader's doing.
BY_ITSELF: Final = frozenset({"tick.n_intervals", "version.data", "log-tick.n_intervals"})
_SHARED_MARK: Final = re.compile(r"@[0-9a-f]{32,64}(?=\.\.|$)")


def route(method: str, rule: str) -> Need | None:
    """What a route needs; None when it is not listed."""
    return ROUTES.get(("GET" if method == "HEAD" else method, rule))


def callback(output: object) -> Permission | None:
    """What the callback with this output needs; None when it is not listed."""
    return CALLBACKS.get(key(output)) if isinstance(output, str) else None


def key(output: str) -> str:
    """The output of a callback as CALLBACKS spells it.

    >>> key("sent.data@" + "0" * 64)
    'sent.data'
    """
    return _SHARED_MARK.sub("", output)


def may(role: Role, need: Permission) -> bool:
    """Whether a role has a permission.

    >>> may("operator", "record"), may("evaluator", "record")
    (True, False)
    """
    return need in GRANTS[role]
