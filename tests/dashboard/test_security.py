"""Who may pass, and what browsers are told."""

import json

import pytest
from dash import Dash

from config.problems import ConfigError
from dashboard import security
from dashboard.pages import PAGES
from dashboard.queries import Queries
from dashboard.serve import open_server
from tests.dashboard.callbacks import names, post
from tests.dashboard.made_up import MadeUpAnswers

ROUTES = ["/", "/compare", "/_dash-layout", "/_dash-dependencies", "/assets/mark.svg", "/healthz", "/readyz",
          "/download/period.csv", "/nowhere", "/_reload-hash"]  # fmt: skip
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
    "route", ["/nowhere", "/_reload-hash", "/_dash-nothing", "/compare/../etc", "/download/users.csv"]
)
def test_what_is_not_listed_is_refused(app: Dash, route: str) -> None:
    assert app.server.test_client().get(route).status_code == 404


def test_a_new_route_without_a_rule_is_refused(queries: Queries) -> None:
    from flask import Flask

    server = Flask("probe")
    security.guard(server, ["/"], None)
    server.add_url_rule("/backdoor", view_func=lambda: "in")
    assert server.test_client().get("/backdoor").status_code == 404


def test_every_rule_of_the_application_is_decided_on(app: Dash) -> None:
    refused = {rule.rule for rule in app.server.url_map.iter_rules()} - security.PUBLIC_RULES - security.VIEWER_RULES
    assert refused <= {"/_reload-hash"}, "a new route: list it in dashboard/security.py or leave it refused, here"


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://elsewhere.example"},
        {"Origin": "null"},
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
    assert client.post("/_dash-update-component", data={"output": TICK}).status_code == 415
    assert client.post("/_dash-update-component", data="{}", content_type="text/plain").status_code == 415


def test_a_body_above_one_mebibyte_is_refused(app: Dash) -> None:
    body = json.dumps({"output": TICK, "padding": "x" * security.MAX_BODY})
    response = app.server.test_client().post("/_dash-update-component", data=body, content_type="application/json")
    assert response.status_code == 413


def test_an_unknown_callback_shows_no_traceback(app: Dash) -> None:
    body = json.dumps(
        {"output": "nothing.children", "inputs": [], "outputs": {"id": "nothing", "property": "children"}}
    )
    response = app.server.test_client().post("/_dash-update-component", data=body, content_type="application/json")
    assert response.status_code >= 400
    assert b"Traceback" not in response.data
    assert b"/dashboard/" not in response.data


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.7", "periscope.example"])
def test_an_address_beyond_this_machine_is_refused_in_a_sentence(app: Dash, host: str) -> None:
    with pytest.raises(ConfigError, match="loopback"):
        open_server(app, host, 0)


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


def test_every_callback_is_behind_the_guard(app: Dash) -> None:
    assert names(app)
    assert "/_dash-update-component" in security.VIEWER_RULES
