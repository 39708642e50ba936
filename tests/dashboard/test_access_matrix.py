"""Every route and callback as everybody, compared with the one rule table."""

from collections.abc import Iterator
from typing import Any

import pytest
from dash import Dash, Input, Output
from flask.testing import FlaskClient

from config.catalogue import Catalogue
from config.roles import ROLES
from dashboard.access import rules
from dashboard.app import create_app
from dashboard.findings import FINDINGS
from dashboard.pages import PAGES
from dashboard.queries import Queries
from tests.dashboard.callbacks import names, post
from tests.dashboard.made_up import MadeUpAnswers
from tests.dashboard.signing import House, house

OTHER = "genoa"
EVERYBODY = ("anonymous", *ROLES, "operator of another pilot")
# Rules of Dash and Flask that nobody may use.
LEFT_REFUSED = {("GET", "/_reload-hash")}
ASKING_FOR_ATHENS: dict[str, Any] = {
    "url.search": "?pilots=athens&pilot=athens",
    "url.pathname": "/pilot",
    "bar-pilots.value": ["athens"],
}
# What these say to nobody and to somebody: an empty form of nobody lacks the token, that of somebody the name.
PUBLIC = {
    "GET /sign-in": (200, 303),
    "POST /sign-in": (403, 401),
    "GET /check-in/nonsense": (404, 404),
    "POST /check-in/nonsense": (403, 404),
    "GET /sign-in/provider": (404, 404),
    "GET /sign-in/provider/return": (404, 404),
}
SUITES = "/_dash-component-suites/"
FILLED = {
    SUITES + "<string:package_name>/<path:fingerprinted_path>": f"{SUITES}dash/html/dash_html_components.min.js",
    "/assets/<path:filename>": "/assets/mark.svg",
    "/check-in/<token>": "/check-in/nonsense",
    "/api/v1/<name>": "/api/v1/pilots",
    "/download/<name>.csv": "/download/period.csv?pilots=athens&pilot=athens&span=4w",
}


class Watched(MadeUpAnswers):
    """Answers that remember which pilots they were asked about."""

    def _known(self, pilots: Any) -> list[str]:
        self.asked |= set(pilots)
        return super()._known(pilots)

    def __init__(self, pilots: list[str]) -> None:
        super().__init__(pilots)
        self.asked: set[str] = set()

    def span(self, pilot: str) -> Any:
        self.asked.add(pilot)
        return super().span(pilot)

    def now(self, pilot: str) -> Any:
        self.asked.add(pilot)
        return super().now(pilot)

    def values(self, pilots: Any, *rest: Any) -> Any:
        self.asked |= set(pilots)
        return super().values(pilots, *rest)

    def chosen(self, pilots: Any, *rest: Any) -> Any:
        self.asked |= set(pilots)
        return super().chosen(pilots, *rest)

    def activities(self, pilot: str, *rest: Any) -> Any:
        self.asked.add(pilot)
        return super().activities(pilot, *rest)

    def incidents(self, pilots: Any, *rest: Any) -> Any:
        self.asked |= set(pilots)
        return super().incidents(pilots, *rest)


@pytest.fixture(scope="module")
def site(catalogue: Catalogue) -> Iterator[House]:
    watched = Watched(list(catalogue.pilots))
    with house(catalogue, answers=watched, web={"callbacks_per_s": 1000, "exports_per_h": 1000}) as site:
        for role in ROLES:
            site.add(role, role)
        site.add("elsewhere", "operator", [OTHER])
        yield site


def browser(site: House, who: str) -> FlaskClient:
    return {"anonymous": site.client}.get(
        who, lambda: site.with_session("elsewhere" if who == EVERYBODY[-1] else who)
    )()


def allowed(who: str, need: rules.Need) -> bool:
    if need in ("open", "public"):
        return True
    role = "operator" if who == EVERYBODY[-1] else who
    return who != "anonymous" and need in rules.GRANTS[role]  # type: ignore[index]


def routes(app: Dash) -> list[tuple[str, str]]:
    """Method and rule of everything that Flask would answer to, without what it adds by itself."""
    return sorted(
        (method, rule.rule)
        for rule in app.server.url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    )


def without_a_rule(app: Dash) -> set[Any]:
    """Routes and callbacks that are not in the table."""
    listed = set(rules.ROUTES) | LEFT_REFUSED
    return {one for one in routes(app) if one not in listed} | {one for one in names(app) if not rules.callback(one)}


def test_every_route_and_callback_has_a_rule(site: House) -> None:
    assert without_a_rule(site.app) == set(), "list it in dashboard/access/rules.py"


def test_no_rule_is_left_over(site: House) -> None:
    app = site.app
    assert set(rules.ROUTES) <= set(routes(app))
    assert set(rules.CALLBACKS) == {rules.key(one) for one in names(app)}
    assert set(rules.PAGES) == {page.PATH for page in PAGES}


@pytest.mark.parametrize("who", EVERYBODY)
def test_each_route_answers_as_the_table_says(site: House, who: str) -> None:
    site.clock.wait(16 * 60)  # earlier tries to sign in are forgotten
    for method, rule in routes(site.app):
        need = rules.ROUTES.get((method, rule))
        if rule == rules.CALLBACK_RULE:
            continue
        for path in (
            [page for page in rules.PAGES if page != "/"] if rule == "/<path:path>" else [FILLED.get(rule, rule)]
        ):
            client = browser(site, who)
            need = rules.PAGES[path] if rule in rules.PAGE_RULES else need
            form = {"csrf": cookie.value} if (cookie := client.get_cookie("_csrf_token")) else {}
            with client.open(path, method=method, data=form if method == "POST" else None) as response:
                _judge(who, f"{method} {path}", need, response.status_code, response.headers.get("Location", ""))


def _judge(who: str, what: str, need: rules.Need | None, status: int, location: str) -> None:
    if need is None:
        assert status == 403, (who, what, status)
    elif need == "public":
        assert status == PUBLIC[what][who != "anonymous"], (who, what, status)
    elif allowed(who, need):
        assert status < 400, (who, what, status)
        assert not location.startswith("/sign-in?"), (who, what)
    elif who == "anonymous":
        asked = status == 303 and location.startswith("/sign-in?next=")
        assert asked or status in (401, 403), (who, what, status)
    else:
        assert status == 403, (who, what, status)


@pytest.mark.parametrize("who", EVERYBODY)
def test_each_callback_answers_as_the_table_says(site: House, who: str) -> None:
    client = browser(site, who)
    for output in site.app.callback_map:
        need = rules.callback(output)
        status = site.post(client, output, ASKING_FOR_ATHENS).status_code
        if who == "anonymous":
            assert status == 401, output
        elif need is None or not allowed(who, need):
            assert status == 403, output
        else:
            assert status in (200, 204), output


def test_what_every_role_may_do_differs_and_the_guard_follows(site: House, monkeypatch: pytest.MonkeyPatch) -> None:
    for need in ("record", "evaluate", "administer"):
        monkeypatch.setitem(rules.CALLBACKS, "version.data", need)
        monkeypatch.setitem(rules.PAGES, "/compare", need)
        for who in EVERYBODY[1:]:
            client = browser(site, who)
            may = allowed(who, need)  # type: ignore[arg-type]
            assert (site.post(client, "version.data").status_code == 200) is may, (who, need)
            assert (client.get("/compare").status_code == 200) is may, (who, need)
            menu = site.post(client, "..nav.children...menu.children..", {"url.pathname": "/"}).json
            assert ("'/compare'" in str(menu)) is may, (who, need)


def test_other_pilots_never_reach_the_answers_nor_the_page(site: House) -> None:
    client = browser(site, EVERYBODY[-1])
    site.answers.asked.clear()
    site.answers.steps += 1  # nothing of before is in the cache
    shown = [client.get("/_dash-layout").get_data(as_text=True)]
    shown += [client.get(f"/download/{name}.csv?pilots=athens&pilot=athens").get_data(as_text=True)
              for name in ("series", "period", "activities")]  # fmt: skip
    shown += [client.get(f"/{path}").get_data(as_text=True)
              for name in FINDINGS for path in (f"download/{name}.csv?pilots=athens", f"api/v1/{name}")]  # fmt: skip
    for output in names(site.app):
        shown.append(site.post(client, output, ASKING_FOR_ATHENS).get_data(as_text=True))
    assert site.answers.asked == {OTHER}
    assert not [one[:200] for one in shown if "athens" in one.lower()]
    assert any(OTHER in one for one in shown)


def test_an_unlisted_callback_fails_the_walk_and_is_refused(queries: Queries) -> None:
    app = create_app(queries, refresh_s=1)

    @app.callback(Output("sink", "title"), Input("url", "search"))
    def backdoor(search: str | None) -> str:
        return "in"

    assert without_a_rule(app) == {"sink.title"}
    assert post(app, "version.data", {}).status_code == 200
    assert post(app, "sink.title", {}).status_code == 403


def test_an_unlisted_route_fails_the_walk_and_is_refused(queries: Queries) -> None:
    app = create_app(queries, refresh_s=1)
    app.server.add_url_rule("/backdoor", view_func=lambda: "in", methods=["GET", "POST"])
    assert without_a_rule(app) == {("GET", "/backdoor"), ("POST", "/backdoor")}
    assert app.server.test_client().get("/backdoor").status_code == 403
    assert app.server.test_client().post("/backdoor").status_code == 403


def test_an_output_that_is_no_text_is_refused(site: House) -> None:
    from tests.dashboard.callbacks import send

    client = browser(site, "admin")
    token = client.get_cookie("_csrf_token")
    assert token
    for data in ('{"output": ["version.data"]}', '{"output": null}', "[]", "7", "{", '{"output": "version.data@x"}'):
        assert send(client, data, **{"X-CSRFToken": token.value}).status_code == 403, data


@pytest.mark.parametrize("who", ["anonymous", "admin"])
def test_every_answer_of_every_route_carries_the_headers(site: House, who: str) -> None:
    client = browser(site, who)
    for method, rule in routes(site.app):
        with client.open(FILLED.get(rule, rule.replace("<path:path>", "compare")), method=method) as response:
            told = response.headers
        policy = told["Content-Security-Policy"]
        assert "script-src 'self' 'sha256-" in policy, rule
        assert "'unsafe-inline'" not in policy.split("script-src")[1].split(";")[0], rule
        assert "frame-ancestors 'none'" in policy, rule
        assert told["X-Content-Type-Options"] == "nosniff", rule
        assert told["X-Frame-Options"] == "DENY", rule
        assert told["Referrer-Policy"] == "same-origin", rule
        if rules.ROUTES.get((method, rule)) != "open":
            assert told["Cache-Control"] == "no-store", rule


def test_other_methods_are_refused(site: House) -> None:
    client = browser(site, "admin")
    for method in ("OPTIONS", "PUT", "DELETE", "PATCH"):
        assert client.open("/compare", method=method).status_code in (403, 405)
        assert client.open("/_dash-update-component", method=method).status_code in (403, 405)
