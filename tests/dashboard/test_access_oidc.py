"""Signing in by OpenID Connect, against providers that answer over HTTP: one honest, one that lies when told to."""

import os
import re
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import requests
from flask.testing import FlaskClient
from joserfc import jwt
from pydantic import ValidationError
from werkzeug.test import TestResponse

from config.access import Oidc
from config.catalogue import Catalogue
from config.problems import ConfigError
from tests.dashboard import provider as providers
from tests.dashboard.provider import CLIENT, CLIENT_SECRET, Claims, Provider
from tests.dashboard.signing import TICK, House, house
from tests.services.process import free_port

BACK = "http://localhost/sign-in/provider/return"
NOW_S = [0]
Lie = Callable[[Claims, Claims], None]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with providers.running(BACK, lambda: NOW_S[0]) as running:
        yield running


@pytest.fixture
def site(catalogue: Catalogue, provider: Provider) -> Iterator[House]:
    settings = {
        "issuer": provider.issuer,
        "client_id": CLIENT,
        "client_secret": CLIENT_SECRET,
        "pilots_claim": "cities",
    }
    with house(catalogue, web={"public_url": "http://localhost"}, oidc=settings) as site:
        NOW_S[0] = site.clock() // 10**9
        provider.person["cities"] = ["genoa"]
        yield site


def away(client: FlaskClient, goal: str = "/compare") -> str:
    """Leave for the provider, sign in there, and tell where it sends us back to."""
    left = client.get("/sign-in/provider", query_string={"next": goal})
    assert left.status_code == 303
    there = requests.get(left.headers["Location"], allow_redirects=False, timeout=10)
    assert there.status_code == 302
    return there.headers["Location"]


def come_back(client: FlaskClient, url: str) -> TestResponse:
    return client.get(url.removeprefix("http://localhost"))


def refused(site: House, client: FlaskClient, response: TestResponse, why: str) -> None:
    assert response.status_code == 401, response.headers
    assert client.get("/_dash-layout").status_code == 401
    assert site.operations.read("SELECT count(*) FROM session") == [(0,)]
    assert re.search(why, site.audit()[-1][2]), site.audit()


def test_a_reader_signs_in_and_sees_the_pilots_of_the_claim(site: House) -> None:
    client = site.client()
    assert client.get("/compare").headers["Location"].startswith("/sign-in?")
    assert "Sign in with OpenID Connect" in client.get("/sign-in").get_data(as_text=True)
    done = come_back(client, away(client))
    assert (done.status_code, done.headers["Location"]) == (303, "/compare")
    account = site.accounts.named("carol")
    assert (account.source, account.role, account.pilots) == ("oidc", "operator", frozenset({"genoa"}))
    layout = client.get("/_dash-layout").get_data(as_text=True)
    assert "genoa" in layout
    assert "athens" not in layout
    assert site.post(client, TICK).status_code == 200
    assert site.audit() == [("1 carol", "sign-in by provider", "ok")]


def test_role_and_pilots_follow_the_claims_at_the_next_sign_in(site: House, provider: Provider) -> None:
    client = site.client()
    come_back(client, away(client))
    provider.person |= {"roles": ["viewer"], "cities": ["milan", "malmo"]}
    come_back(client, away(client))
    account = site.accounts.named("carol")
    assert (account.role, account.pilots) == ("viewer", frozenset({"milan", "malmo"}))
    assert len(site.accounts.every()) == 1
    del provider.person["cities"]
    come_back(client, away(client))
    assert site.accounts.named("carol").pilots == frozenset()


def test_whoever_has_no_role_stays_outside(site: House, provider: Provider) -> None:
    client = site.client()
    provider.person["roles"] = ["everyone"]
    assert come_back(client, away(client)).status_code == 403
    assert client.get("/_dash-layout").status_code == 401
    assert site.accounts.every() == []


def test_an_account_disabled_here_stays_outside_whatever_the_provider_says(site: House) -> None:
    client = site.client()
    come_back(client, away(client))
    site.accounts.disable("carol")
    assert client.get("/_dash-layout").status_code == 401
    assert come_back(client, away(client)).status_code == 403


def test_an_answer_serves_once(site: House) -> None:
    client, thief = site.client(), site.client()
    url = away(client)
    browser = client.get_cookie("periscope-away")
    assert browser
    assert come_back(client, url).status_code == 303
    thief.set_cookie("periscope-away", browser.value)
    assert come_back(thief, url).status_code == 401
    assert thief.get("/_dash-layout").status_code == 401
    assert site.audit()[-1] == ("nobody", "sign-in by provider", "refused: unknown state")


def test_an_answer_serves_only_the_browser_that_asked(site: House) -> None:
    victim, attacker = site.client(), site.client()
    url = away(attacker)
    refused(site, victim, come_back(victim, url), "unknown state")
    away(victim)
    refused(site, victim, come_back(victim, url), "unknown state")


@pytest.mark.parametrize("query", ["", "?code=x", "?state=x", "?code=x&state=guessed"])
def test_an_answer_without_our_state_is_refused(site: House, query: str) -> None:
    client = site.client()
    away(client)
    refused(site, client, client.get(f"/sign-in/provider/return{query}"), "unknown state")


def test_an_answer_after_ten_minutes_is_refused(site: House) -> None:
    client = site.client()
    url = away(client)
    site.clock.wait(601)
    refused(site, client, come_back(client, url), "unknown state")


def test_a_refusal_of_the_provider_is_told(site: House) -> None:
    client = site.client()
    state = re.search(r"state=([^&]+)", away(client))
    assert state
    response = client.get(f"/sign-in/provider/return?error=access_denied&state={state[1]}")
    refused(site, client, response, "the provider refused")


def test_a_code_of_another_sign_in_is_refused_by_its_verifier(site: House, provider: Provider) -> None:
    attacker, victim = site.client(), site.client()
    stolen = re.search(r"code=([^&]+)", away(attacker))
    url = away(victim)
    assert stolen
    refused(site, victim, come_back(victim, re.sub(r"code=[^&]+", f"code={stolen[1]}", url)), "code was not accepted")


def set_claim(name: str, value: Any) -> Lie:
    return lambda header, claims: claims.update({name: value})


def drop(name: str) -> Lie:
    return lambda header, claims: claims.pop(name) and None


LIES: dict[str, Lie] = {
    "another audience": set_claim("aud", "another-client"),
    "another audience though issued for us": lambda header, claims: claims.update(aud="another-client", azp=CLIENT),
    "no audience": drop("aud"),
    "several audiences without azp": set_claim("aud", [CLIENT, "another-client"]),
    "issued for another party": set_claim("azp", "another-client"),
    "another nonce": set_claim("nonce", "of another sign-in"),
    "no nonce": drop("nonce"),
    "another issuer": set_claim("iss", "https://elsewhere.example"),
    "expired": set_claim("exp", 1),
    "never expires": drop("exp"),
    "issued in the future": lambda header, claims: claims.update(iat=claims["iat"] + 3600),
    "not valid yet": lambda header, claims: claims.update(nbf=claims["iat"] + 3600),
    "nobody": drop("sub"),
}


@pytest.mark.parametrize("lie", LIES)
def test_a_well_signed_token_that_is_not_for_us_is_refused(site: House, provider: Provider, lie: str) -> None:
    client = site.client()
    provider.lie = LIES[lie]
    refused(site, client, come_back(client, away(client)), "the ID token is not for us")


def test_a_token_without_a_signature_is_refused(site: House, provider: Provider) -> None:
    client = site.client()
    provider.sign = providers.unsigned
    refused(site, client, come_back(client, away(client)), "not well signed")


def test_a_token_signed_with_the_public_key_as_a_shared_secret_is_refused(site: House, provider: Provider) -> None:
    public = provider.key.as_pem(private=False)
    client = site.client()
    provider.sign = lambda header, claims: providers.signed_by_secret(header, claims, public)
    refused(site, client, come_back(client, away(client)), "not well signed")


def test_a_token_with_the_client_secret_as_key_is_refused(site: House, provider: Provider) -> None:
    client = site.client()
    provider.sign = lambda header, claims: providers.signed_by_secret(header, claims, CLIENT_SECRET.encode())
    refused(site, client, come_back(client, away(client)), "not well signed")


def test_an_algorithm_that_the_settings_do_not_list_is_refused(site: House, provider: Provider) -> None:
    client = site.client()
    provider.lie = lambda header, claims: header.update(alg="PS256")
    refused(site, client, come_back(client, away(client)), "not well signed")


def test_a_key_that_the_token_brings_along_is_not_looked_at(site: House, provider: Provider) -> None:
    own = providers.other_key()

    def forged(header: Claims, claims: Claims) -> str:
        return jwt.encode({**header, "jwk": own.as_dict(private=False)}, claims, own)

    client = site.client()
    provider.sign = forged
    refused(site, client, come_back(client, away(client)), "not well signed")


def test_a_changed_signature_is_refused(site: House, provider: Provider) -> None:
    honest = provider.sign
    client = site.client()

    def changed(header: Claims, claims: Claims) -> str:
        head, body, signature = honest(header, claims).split(".")
        return f"{head}.{body}.{'A' * len(signature)}"

    provider.sign = changed
    refused(site, client, come_back(client, away(client)), "not well signed")


def test_a_provider_that_changes_its_key_is_followed_and_an_unknown_key_is_not(site: House, provider: Provider) -> None:
    client = site.client()
    come_back(client, away(client))
    provider.key = providers.RSAKey.generate_key(2048, {"kid": "new"}, private=True)
    provider.published = [provider.key]
    assert come_back(client, away(client)).status_code == 303
    provider.key = providers.RSAKey.generate_key(2048, {"kid": "unpublished"}, private=True)
    assert come_back(client, away(client)).status_code == 401
    assert "unknown key" in site.audit()[-1][2]


def test_a_provider_that_calls_itself_otherwise_is_not_asked(site: House, provider: Provider) -> None:
    provider.said_issuer = "https://elsewhere.example"
    response = site.client().get("/sign-in/provider")
    assert response.status_code == 503
    assert "/authorize" not in provider.asked


def test_a_provider_that_is_away_is_told_in_a_sentence(catalogue: Catalogue) -> None:
    settings = {"issuer": f"http://127.0.0.1:{free_port()}", "client_id": CLIENT}
    with house(catalogue, web={"public_url": "http://localhost"}, oidc=settings) as site:
        response = site.client().get("/sign-in/provider")
        assert response.status_code == 503
        assert "does not answer" in response.get_data(as_text=True)


def test_no_secret_and_no_code_is_written_down(
    site: House, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    client = site.client()
    provider.lie = LIES["another nonce"]
    url = away(client)
    come_back(client, url)
    written = caplog.text + str(site.audit()) + "\n".join(site.operations._db.iterdump())
    code, state = (re.search(rf"{name}=([^&]+)", url) for name in ("code", "state"))
    assert code
    assert state
    for secret in (CLIENT_SECRET, code[1], state[1]):
        assert secret not in written


@pytest.mark.parametrize(
    "wrong",
    [{"issuer": "https://idp.example"}, {"client_id": "x"}, {"issuer": "http://idp.example", "client_id": "x"},
     {"algorithms": ["none"]}, {"algorithms": ["HS256"]}, {"algorithms": []}, {"role_map": {"staff": "owner"}}],
)  # fmt: skip
def test_settings_that_would_let_anybody_in_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Oidc(**wrong)


def test_a_provider_needs_the_address_that_readers_type(catalogue: Catalogue) -> None:
    with house(catalogue, oidc={"issuer": "https://idp.example", "client_id": CLIENT}) as site:
        with pytest.raises(ConfigError, match="public_url"):
            site.access.check("127.0.0.1")


@pytest.fixture
def packaged_provider() -> Iterator[str]:
    """The provider of the package oidc-provider-mock, as a process of its own."""
    port = free_port()
    process = subprocess.Popen(
        [sys.executable, "-m", "oidc_provider_mock", "--port", str(port)], env=dict(os.environ),
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
    )  # fmt: skip
    address, deadline = f"http://localhost:{port}", time.monotonic() + 60
    try:
        while True:
            assert process.poll() is None
            assert time.monotonic() < deadline
            try:
                requests.get(f"{address}/.well-known/openid-configuration", timeout=2).raise_for_status()
                break
            except requests.RequestException:
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def test_a_provider_made_by_others_signs_a_reader_in(catalogue: Catalogue, packaged_provider: str) -> None:
    user = {"preferred_username": "dora", "groups": ["city-hall", "periscope-evaluators"]}
    requests.put(f"{packaged_provider}/users/dora", json=user, timeout=10).raise_for_status()
    settings = {
        "issuer": packaged_provider, "client_id": CLIENT, "client_secret": CLIENT_SECRET, "role_claim": "groups",
        "role_map": {"periscope-evaluators": "evaluator"},
    }  # fmt: skip
    with house(catalogue, web={"public_url": "http://localhost"}, oidc=settings) as site:
        # That provider's clock is the machine's.
        site.clock.now_ns = time.time_ns()
        client = site.client()
        left = client.get("/sign-in/provider?next=/compare")
        there = requests.post(left.headers["Location"], data={"sub": "dora"}, allow_redirects=False, timeout=10)
        done = come_back(client, there.headers["Location"])
        assert (done.status_code, done.headers["Location"]) == (303, "/compare")
        account = site.accounts.named("dora")
        assert (account.role, account.pilots) == ("evaluator", None)
        assert client.get("/compare").status_code == 200
        assert come_back(client, there.headers["Location"]).status_code == 401
