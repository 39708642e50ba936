"""Signing in by password: the answers, the cookies, how often, and what a session lives through."""

from collections.abc import Iterator
from http.cookies import Morsel, SimpleCookie
from typing import Any

import pytest
from werkzeug.test import TestResponse

from config.catalogue import Catalogue
from dashboard.access.sign_in import own_address
from tests.dashboard.signing import PASSWORD, SECRET, TICK, House, field, house, sign_in

MINUTE, HOUR = 60, 3600


@pytest.fixture
def site(catalogue: Catalogue) -> Iterator[House]:
    with house(catalogue) as site:
        site.add("anna", "operator")
        yield site


def cookies(response: TestResponse) -> dict[str, Morsel[str]]:
    found = SimpleCookie[str]()
    for header in response.headers.getlist("Set-Cookie"):
        found.load(header)
    return dict(found)


def session_of(site: House, client: Any) -> str:
    found = client.get_cookie(site.access.session_cookie)
    return found.value if found else ""


def test_the_right_password_leads_to_where_the_reader_wanted_to_go(site: House) -> None:
    client = site.client()
    asked = client.get("/compare?span=4w")
    assert (asked.status_code, asked.headers["Location"]) == (303, "/sign-in?next=%2Fcompare%3Fspan%3D4w")
    done = sign_in(client, "Anna ", goal="/compare?span=4w")
    assert (done.status_code, done.headers["Location"]) == (303, "/compare?span=4w")
    assert client.get("/compare?span=4w").status_code == 200
    assert site.post(client, TICK).status_code == 200
    assert "anna" in client.get("/account").get_data(as_text=True)
    assert "demo-notice" not in client.get("/_dash-layout").get_data(as_text=True)
    assert client.get("/sign-in?next=/compare").headers["Location"] == "/compare"


@pytest.mark.parametrize("kind", ["unknown", "wrong password", "disabled", "from a provider"])
def test_whoever_may_not_in_gets_the_same_answer(site: House, kind: str) -> None:
    name, password = {"unknown": ("nobody", PASSWORD)}.get(kind, ("anna", PASSWORD))
    if kind == "wrong password":
        password = "not the password at all"
    elif kind == "disabled":
        site.accounts.disable("anna")
    elif kind == "from a provider":
        site.accounts.from_elsewhere("oidc", "carol", "carol", "admin", None, 1)
        name = "carol"
    client = site.client()
    response = sign_in(client, name, password)
    page = response.get_data(as_text=True)
    assert response.status_code == 401
    assert page.replace(field(page), "").replace(f'value="{name}"', "") == _page_of_the_unknown(site)
    assert site.access.session_cookie not in cookies(response)
    assert client.get("/_dash-layout").status_code == 401
    assert site.audit()[0] == ("nobody", "sign-in", "refused: wrong name or password")


def _page_of_the_unknown(site: House) -> str:
    page = sign_in(site.client(), "somebody else", PASSWORD).get_data(as_text=True)
    return page.replace(field(page), "").replace('value="somebody else"', "")


def test_an_unknown_name_costs_a_password_check_too(site: House, monkeypatch: pytest.MonkeyPatch) -> None:
    checked = []
    real = type(site.accounts._hasher).verify

    def counted(hasher: Any, hashed: str, password: str) -> Any:
        checked.append(hashed)
        return real(hasher, hashed, password)

    monkeypatch.setattr(type(site.accounts._hasher), "verify", counted)
    sign_in(site.client(), "anna", "not the password at all")
    sign_in(site.client(), "nobody", "not the password at all")
    assert len(checked) == 2
    # The same parameters, so the same work.
    assert checked[0].split("$")[:4] == checked[1].split("$")[:4]


def test_the_sixth_try_within_a_quarter_of_an_hour_is_refused_even_with_the_right_password(site: House) -> None:
    for _ in range(5):
        assert sign_in(site.client(), "anna", "not the password at all").status_code == 401
    refused = sign_in(site.client(), "anna", environ_base={"REMOTE_ADDR": "192.0.2.9"})
    assert refused.status_code == 429
    assert int(refused.headers["Retry-After"]) == 15 * MINUTE
    site.clock.wait(15 * MINUTE + 1)
    assert sign_in(site.client(), "anna").status_code == 303


def test_tries_count_for_names_that_do_not_exist_and_for_the_address(site: House) -> None:
    statuses = [sign_in(site.client(), f"name{number}", "x").status_code for number in range(6)]
    assert statuses == [401] * 5 + [429]
    assert sign_in(site.client(), "anna").status_code == 429
    assert sign_in(site.client(), "anna", environ_base={"REMOTE_ADDR": "192.0.2.9"}).status_code == 303


def test_signing_in_does_not_use_up_the_tries_of_others_at_the_same_address(site: House) -> None:
    assert [sign_in(site.client(), "anna").status_code for _ in range(8)] == [303] * 8


def test_a_foreign_address_in_a_header_does_not_give_new_tries(site: House) -> None:
    statuses = [
        sign_in(site.client(), f"name{number}", "x", headers={"X-Forwarded-For": f"192.0.2.{number}"}).status_code
        for number in range(6)
    ]
    assert statuses[-1] == 429


def test_signing_in_gives_a_new_identifier_and_ends_the_one_before(site: House) -> None:
    site.add("mallory")
    planted = session_of(site, site.signed_in("mallory"))
    victim = site.client()
    victim.set_cookie(site.access.session_cookie, planted)
    victim.get("/")
    form = victim.get("/account").get_data(as_text=True)
    victim.post("/sign-in", data={"csrf": field(form), "name": "anna", "password": PASSWORD})
    assert session_of(site, victim) not in ("", planted)
    attacker = site.client()
    attacker.set_cookie(site.access.session_cookie, planted)
    assert attacker.get("/_dash-layout").status_code == 401


def test_an_identifier_that_we_did_not_give_is_not_taken_over(site: House) -> None:
    client = site.client()
    client.set_cookie(site.access.session_cookie, "chosen-by-somebody-else")
    assert client.get("/_dash-layout").status_code == 401
    sign_in(client, "anna")
    assert session_of(site, client) != "chosen-by-somebody-else"


@pytest.mark.parametrize("how", ["sign-out", "disable", "reset", "change"])
def test_the_old_cookie_is_worth_nothing_after(site: House, how: str) -> None:
    client = site.signed_in("anna")
    old = session_of(site, client)
    if how == "sign-out":
        form = client.get("/account").get_data(as_text=True)
        left = client.post("/sign-out", data={"csrf": field(form)})
        assert (left.status_code, left.headers["Location"]) == (303, "/sign-in")
        assert session_of(site, client) == ""
    elif how == "disable":
        site.accounts.disable("anna")
    elif how == "reset":
        site.accounts.reset("anna", "another good password")
    else:
        site.accounts.change("anna", "viewer", ["genoa"])
    thief = site.client()
    thief.set_cookie(site.access.session_cookie, old)
    assert thief.get("/_dash-layout").status_code == 401
    assert site.post(thief, TICK).status_code == 401


def test_a_session_ends_when_nothing_was_done_for_half_an_hour(site: House) -> None:
    client = site.signed_in("anna")
    site.clock.wait(29 * MINUTE)
    assert client.get("/_dash-layout").status_code == 200
    site.clock.wait(29 * MINUTE)
    assert client.get("/_dash-layout").status_code == 200
    site.clock.wait(30 * MINUTE)
    assert client.get("/_dash-layout").status_code == 401
    assert site.operations.read("SELECT count(*) FROM session") == [(0,)]


def test_live_updates_do_not_keep_a_session_alive_but_a_choice_does(site: House) -> None:
    client = site.signed_in("anna")
    for _ in range(6):
        site.clock.wait(4 * MINUTE)
        assert site.post(client, TICK, {"tick.n_intervals": 1}).status_code == 200
    site.clock.wait(6 * MINUTE)
    assert site.post(client, TICK, {"tick.n_intervals": 1}).status_code == 401
    client = site.signed_in("anna")
    for _ in range(3):
        site.clock.wait(20 * MINUTE)
        assert site.post(client, "now-cards.children", {"url.search": "?span=4w"}).status_code == 200


def test_a_session_ends_after_twelve_hours_whatever_is_done(site: House) -> None:
    client = site.signed_in("anna")
    for _ in range(47):
        site.clock.wait(15 * MINUTE)
        assert client.get("/_dash-layout").status_code == 200
    site.clock.wait(15 * MINUTE)
    assert client.get("/_dash-layout").status_code == 401


def test_on_loopback_the_cookies_are_plain_but_closed_to_scripts_and_other_sites(site: House) -> None:
    given = cookies(sign_in(site.client(), "anna"))
    session, token = given["periscope"], given["_csrf_token"]
    assert (session["httponly"], session["samesite"], session["path"], session["secure"]) == (True, "Lax", "/", "")
    assert (token["httponly"], token["samesite"], token["path"]) == ("", "Lax", "/")
    assert session["domain"] == session["max-age"] == session["expires"] == ""


@pytest.mark.parametrize("web", [{"host": "0.0.0.0"}, {"public_url": "https://periscope.example"}])
def test_beyond_loopback_the_cookies_are_bound_to_the_host_and_to_https(
    catalogue: Catalogue, web: dict[str, str]
) -> None:
    with house(catalogue, web={**web, "secret_key": SECRET}) as site:
        site.add("anna")
        given = cookies(sign_in(site.client(), "anna", base_url="https://periscope.example"))
        assert set(given) == {"__Host-periscope", "__Host-periscope-csrf"}
        for one in given.values():
            assert (one["secure"], one["samesite"], one["path"], one["domain"]) == (True, "Lax", "/", "")
        assert given["__Host-periscope"]["httponly"] is True
        policy = site.client().get("/sign-in").headers
        assert ("Strict-Transport-Security" in policy) is ("public_url" in web)


@pytest.mark.parametrize(
    "wrong",
    [
        {"data": {"csrf": ""}},
        {"data": {"csrf": "0" * 64}},
        {"headers": {"Origin": "https://elsewhere.example"}},
        {"headers": {"Origin": "null"}},
        {"headers": {"Sec-Fetch-Site": "cross-site"}},
    ],
)
@pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
def test_a_form_of_another_page_is_refused(site: House, path: str, wrong: dict[str, Any]) -> None:
    client = site.signed_in("anna") if path == "/sign-out" else site.client()
    form = field(client.get("/account" if path == "/sign-out" else path).get_data(as_text=True))
    assert form
    data = {"csrf": form, "name": "anna", "password": PASSWORD, **wrong.get("data", {})}
    assert client.post(path, data=data, headers=wrong.get("headers")).status_code == 403
    if path == "/sign-out":
        assert client.get("/_dash-layout").status_code == 200
    assert client.post(path, data={**data, "csrf": form}).status_code == 303


def test_the_token_of_one_session_does_not_serve_another(site: House) -> None:
    site.add("mallory")
    foreign = site.signed_in("mallory").get_cookie("_csrf_token")
    client = site.signed_in("anna")
    assert foreign
    client.set_cookie("_csrf_token", foreign.value)
    assert site.post(client, TICK).status_code == 403


def test_a_token_of_before_sign_in_does_not_serve_a_session(site: House) -> None:
    client = site.client()
    before = field(client.get("/sign-in").get_data(as_text=True))
    sign_in(client, "anna")
    client.set_cookie("_csrf_token", before)
    assert site.post(client, TICK).status_code == 403


def test_too_many_callbacks_within_a_second_are_refused_for_this_reader_alone(site: House) -> None:
    site.add("bert")
    client, other = site.with_session("anna"), site.with_session("bert")
    statuses = [site.post(client, TICK).status_code for _ in range(41)]
    assert statuses == [200] * 40 + [429]
    assert site.post(other, TICK).status_code == 200
    site.clock.wait(1)
    assert site.post(client, TICK).status_code == 429
    site.clock.wait(1)
    assert site.post(client, TICK).status_code == 200


def test_the_eleventh_download_within_an_hour_is_refused_and_each_is_in_the_audit(site: House) -> None:
    client = site.with_session("anna")
    statuses = [client.get(f"/download/period.csv?pilots=genoa&n={number}").status_code for number in range(11)]
    assert statuses == [200] * 10 + [429]
    assert ("1 anna", "download /download/period.csv?pilots=genoa&n=0", "200") in site.audit()
    assert ("1 anna", "download /download/<name>.csv", "429") in site.audit()
    site.clock.wait(HOUR)
    assert client.get("/download/period.csv").status_code in (200, 303, 401)


def test_downloads_beyond_the_limit_do_not_fill_the_audit(site: House) -> None:
    client = site.with_session("anna")
    for number in range(30):
        client.get(f"/download/period.csv?n={number}{'x' * 5_000}")
    assert len(site.audit()) == 10 + 1
    assert max(len(what) for _, what, _ in site.audit()) <= 500


def test_the_audit_tells_sign_ins_and_refusals_on_one_line_each_without_what_was_typed(site: House) -> None:
    client = site.signed_in("anna")
    sign_in(site.client(), "my secret\npassword", "x")
    client.get("/_reload-hash")
    client.get("/download/period.csv?x=%0d%0aroot%20did%20it")
    form = client.get("/account").get_data(as_text=True)
    client.post("/sign-out", data={"csrf": field(form)})
    assert site.audit() == [
        ("1 anna", "sign-in", "ok"),
        ("nobody", "sign-in", "refused: wrong name or password"),
        ("1 anna", "GET /_reload-hash", "refused: without a rule"),
        ("1 anna", "download /download/period.csv?x=%0d%0aroot%20did%20it", "200"),
        ("1 anna", "sign-out", "ok"),
    ]
    assert all("\n" not in part for entry in site.audit() for part in entry)


def test_the_same_refusal_again_and_again_is_written_down_once_a_minute(site: House) -> None:
    client = site.with_session("anna")
    for _ in range(50):
        client.get("/_reload-hash")
    assert len(site.audit()) == 1
    site.clock.wait(61)
    client.get("/_reload-hash")
    assert len(site.audit()) == 2


@pytest.mark.parametrize(
    "goal",
    ["https://elsewhere.example", "//elsewhere.example", "/\\elsewhere.example", "javascript:alert(1)", "/a\nb", "",
     "/sign-in", "elsewhere", "/" + "x" * 5000],
)  # fmt: skip
def test_a_reader_is_led_only_to_addresses_of_this_server(site: House, goal: str) -> None:
    assert own_address(goal) == "/"
    assert sign_in(site.client(), "anna", goal=goal).headers["Location"] == "/"


def test_what_is_typed_is_shown_again_as_text(site: House) -> None:
    page = sign_in(site.client(), '"><script>alert(1)</script>', "x", goal='/"><b>').get_data(as_text=True)
    assert "<script>alert" not in page
    assert "<b>" not in page


def test_everybody_is_asked_as_soon_as_there_is_an_account(catalogue: Catalogue) -> None:
    with house(catalogue) as site:
        client = site.client()
        assert client.get("/").status_code == 200
        assert client.get("/sign-in").headers["Location"] == "/"
        site.add("anna")
        assert client.get("/").status_code == 303
        assert site.post(client, TICK).status_code == 401
        site.accounts.disable("anna")
        assert client.get("/").status_code == 303


def test_a_password_field_is_one_that_password_managers_know(site: House) -> None:
    page = site.client().get("/sign-in").get_data(as_text=True)
    assert 'autocomplete="username"' in page
    assert 'autocomplete="current-password"' in page
