"""What browsers are told, what changes must carry, where the server may listen; who may what is in test_access_*."""

import json
from contextlib import closing

import pytest
from dash import Dash
from pydantic import ValidationError

from config.problems import ConfigError
from config.settings import Dashboard
from dashboard import security
from dashboard.access.access import Access
from dashboard.pages import PAGES
from dashboard.serve import open_server
from pipeline.accounts import Accounts
from pipeline.operations import Operations
from tests.dashboard.callbacks import TOKEN, body, post, send
from tests.dashboard.made_up import MadeUpAnswers

ROUTES = ["/", "/compare", "/_dash-layout", "/_dash-dependencies", "/assets/mark.svg", "/healthz", "/readyz",
          "/download/period.csv", "/sign-in", "/account", "/sign-in/provider", "/nowhere", "/_reload-hash"]  # fmt: skip
TICK = "version.data"


@pytest.mark.parametrize("route", ROUTES)
def test_every_answer_carries_the_security_headers(app: Dash, route: str) -> None:
    with app.server.test_client().get(route) as response:
        told = response.headers
    policy = {part.split()[0]: part.split()[1:] for part in told["Content-Security-Policy"].split("; ")}
    assert policy["default-src"] == ["'self'"]
    assert policy["frame-ancestors"] == policy["object-src"] == ["'none'"]
    assert "'unsafe-inline'" not in policy["script-src"]
    assert "'unsafe-eval'" not in policy["script-src"]
    assert told["X-Content-Type-Options"] == "nosniff"
    assert told["Referrer-Policy"] == "same-origin"


@pytest.mark.parametrize(
    "route", [route for route in ROUTES if not route.startswith(("/assets", "/healthz", "/readyz"))]
)
def test_data_are_never_cached(app: Dash, route: str) -> None:
    assert app.server.test_client().get(route).headers["Cache-Control"] == "no-store"


def test_every_page_answers(app: Dash) -> None:
    for page in PAGES:
        assert app.server.test_client().get(page.PATH).status_code == 200


@pytest.mark.parametrize(
    ("route", "status"),
    [
        ("/nowhere", 404),
        ("/_reload-hash", 403),
        ("/_dash-nothing", 404),
        ("/compare/../etc", 404),
        ("/download/users.csv", 404),
    ],
)
def test_what_is_not_listed_is_refused(app: Dash, route: str, status: int) -> None:
    assert app.server.test_client().get(route).status_code == status


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
        {"Origin": "http://[elsewhere"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_callback_from_another_origin_is_refused(app: Dash, headers: dict[str, str]) -> None:
    assert post(app, TICK, {}, **headers).status_code == 403


def test_a_callback_from_our_own_origin_passes(app: Dash) -> None:
    assert post(app, TICK, {}, Origin="http://localhost", **{"Sec-Fetch-Site": "same-origin"}).status_code == 200


def test_no_callback_answers_to_a_form(app: Dash) -> None:
    client = app.server.test_client()
    client.set_cookie("_csrf_token", TOKEN)
    form = {"output": TICK, "csrf": TOKEN}
    assert client.post("/_dash-update-component", data=form).status_code == 415
    for kind in ("text/plain", "multipart/form-data", ""):
        response = client.post("/_dash-update-component", data="{}", content_type=kind, headers={"X-CSRFToken": TOKEN})
        assert response.status_code == 415


@pytest.mark.parametrize("given", [{}, {"X-CSRFToken": ""}, {"X-CSRFToken": "another-text-than-in-the-cookie"}])
def test_a_callback_without_the_token_is_refused(app: Dash, given: dict[str, str]) -> None:
    client = app.server.test_client()
    client.set_cookie("_csrf_token", TOKEN)
    assert send(client, json.dumps(body(app, TICK, {})), **given).status_code == 403


def test_a_token_without_a_cookie_is_refused(app: Dash) -> None:
    bare = app.server.test_client(use_cookies=False)
    assert send(bare, json.dumps(body(app, TICK, {})), **{"X-CSRFToken": TOKEN}).status_code == 403
    empty = app.server.test_client()
    empty.set_cookie("_csrf_token", "")
    assert send(empty, json.dumps(body(app, TICK, {})), **{"X-CSRFToken": ""}).status_code == 403


def test_a_page_hands_out_the_token_that_its_callbacks_carry(app: Dash) -> None:
    client = app.server.test_client()
    client.get("/")
    token = client.get_cookie("_csrf_token")
    assert token is not None
    assert not token.http_only
    assert send(client, json.dumps(body(app, TICK, {})), **{"X-CSRFToken": token.value}).status_code == 200


def test_a_body_above_one_mebibyte_is_refused(app: Dash) -> None:
    client = app.server.test_client()
    client.set_cookie("_csrf_token", TOKEN)
    large = json.dumps({"output": TICK, "padding": "x" * security.MAX_BODY})
    assert send(client, large, **{"X-CSRFToken": TOKEN}).status_code == 413
    form = {"csrf": TOKEN, "name": "x" * security.MAX_BODY}
    assert client.post("/sign-in", data=form).status_code == 413


def test_a_fault_in_a_callback_shows_no_traceback(app: Dash) -> None:
    client = app.server.test_client()
    client.set_cookie("_csrf_token", TOKEN)
    response = send(client, json.dumps({"output": TICK, "inputs": 7}), **{"X-CSRFToken": TOKEN})
    assert response.status_code == 500
    assert b"Traceback" not in response.data
    assert b"/dashboard/" not in response.data


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "periscope.example"])
def test_an_address_beyond_this_machine_is_refused_in_a_sentence(app: Dash, host: str) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        open_server(app, host, 0)


def access(**web: str) -> Access:
    return Access(web=Dashboard(**web))


@pytest.mark.parametrize("web", [{"host": "0.0.0.0"}, {"public_url": "https://periscope.example"}])
def test_beyond_this_machine_both_accounts_and_a_secret_are_asked_for(web: dict[str, str]) -> None:
    with closing(Operations(":memory:")) as operations:
        accounts = Accounts(operations)
        with pytest.raises(ConfigError, match="nobody would be asked") as refused:
            Access(accounts, web=Dashboard(**web)).check(web.get("host", "127.0.0.1"))
        assert [one.key for one in refused.value.problems][1:] == ["dashboard.secret_key"]
        accounts.add("anna", "correct horse battery", "admin", None, 0)
        with pytest.raises(ConfigError, match="at least 32 random"):
            Access(accounts, web=Dashboard(**web)).check(web.get("host", "127.0.0.1"))
        with pytest.raises(ConfigError, match="nobody would be asked"):
            access(**web, secret_key="x" * 32).check(web.get("host", "127.0.0.1"))
        Access(accounts, web=Dashboard(**web, secret_key="x" * 32)).check(web.get("host", "127.0.0.1"))


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValidationError, match="secret_key"):
        Dashboard(secret_key="short")


def test_without_accounts_another_name_of_this_machine_is_refused(app: Dash) -> None:
    client = app.server.test_client()
    assert client.get("/_dash-layout", headers={"Host": "rebound.example:8050"}).status_code == 403
    assert client.get("/_dash-layout", headers={"Host": "127.0.0.1:8050"}).status_code == 200
    assert client.get("/healthz", headers={"Host": "rebound.example"}).status_code == 200


def test_the_page_says_that_nobody_was_asked(app: Dash) -> None:
    layout = app.server.test_client().get("/_dash-layout").get_data(as_text=True)
    assert "demo-notice" in layout
    assert "without being asked" in layout


def test_the_probes_say_nothing_but_state(app: Dash, answers: MadeUpAnswers) -> None:
    client = app.server.test_client()
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 200)
    answers.away = True
    assert (client.get("/healthz").status_code, client.get("/readyz").status_code) == (200, 503)
    assert b"8086" not in client.get("/readyz").data


def test_debugging_and_the_tool_server_are_off(app: Dash) -> None:
    assert not app.server.debug
    assert not any("mcp" in rule.rule for rule in app.server.url_map.iter_rules())


def test_texts_are_compressed(app: Dash) -> None:
    response = app.server.test_client().get("/_dash-layout", headers={"Accept-Encoding": "gzip"})
    assert response.headers["Content-Encoding"] == "gzip"


def test_the_page_states_its_language(app: Dash) -> None:
    assert b'<html lang="en"' in app.server.test_client().get("/").data


def test_nothing_in_the_page_names_another_host(app: Dash) -> None:
    page = app.server.test_client().get("/").get_data(as_text=True)
    assert "//cdn" not in page
    assert "https://" not in page.replace("https://dash.plotly.com", "")
