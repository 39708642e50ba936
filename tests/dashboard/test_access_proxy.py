"""Signing in by a reverse proxy's word: believed from its addresses alone."""

from collections.abc import Iterator
from typing import Any

import pytest
from pydantic import ValidationError
from werkzeug.test import EnvironBuilder
from werkzeug.wrappers import Request

from config.access import Proxy
from config.catalogue import Catalogue
from dashboard.access.proxy import client_address
from tests.dashboard.signing import TICK, House, house

TRUSTED, STRANGER = {"REMOTE_ADDR": "10.0.0.7"}, {"REMOTE_ADDR": "10.1.0.7"}
SETTINGS = {
    "trusted": ["10.0.0.0/24", "::1"], "user_header": "X-Auth-User", "role_header": "X-Auth-Groups",
    "role_map": {"staff": "operator", "city": "viewer"}, "pilots_header": "X-Auth-Pilots",
}  # fmt: skip
ANNA = {"X-Auth-User": "anna", "X-Auth-Groups": "everyone, staff,city", "X-Auth-Pilots": "genoa"}


@pytest.fixture
def site(catalogue: Catalogue) -> Iterator[House]:
    with house(catalogue, proxy=SETTINGS) as site:
        yield site


def test_whoever_the_proxy_names_is_signed_in_with_that_role_and_those_pilots(site: House) -> None:
    client = site.client()
    layout = client.get("/_dash-layout", headers=ANNA, environ_base=TRUSTED).get_data(as_text=True)
    assert "genoa" in layout
    assert "athens" not in layout
    account = site.accounts.named("anna")
    assert (account.source, account.role, account.pilots) == ("proxy", "operator", frozenset({"genoa"}))
    token = client.get_cookie("_csrf_token")
    assert token
    kept = {"environ_base": TRUSTED, "json": {"output": TICK, "inputs": [], "state": [], "outputs": {}}}
    assert client.post("/_dash-update-component", headers=ANNA, **kept).status_code == 403
    given = {**ANNA, "X-CSRFToken": token.value}
    assert client.post("/_dash-update-component", headers=given, **kept).status_code != 403


def test_the_headers_of_others_are_as_if_not_sent(site: House) -> None:
    for address in (STRANGER, {"REMOTE_ADDR": "127.0.0.1"}, {"REMOTE_ADDR": ""}, {"REMOTE_ADDR": "10.0.0.7, 10.0.0.8"}):
        forwarded = {**ANNA, "X-Forwarded-For": "10.0.0.7"}
        assert site.client().get("/_dash-layout", headers=forwarded, environ_base=address).status_code == 401
    assert site.accounts.every() == []


@pytest.mark.parametrize("missing", ["X-Auth-User", "X-Auth-Groups"])
def test_without_a_name_or_a_role_nobody_is_signed_in(site: House, missing: str) -> None:
    said = {name: value for name, value in ANNA.items() if name != missing}
    assert site.client().get("/_dash-layout", headers=said, environ_base=TRUSTED).status_code == 401


def test_without_the_pilots_header_no_pilot_is_seen(site: House) -> None:
    said = {name: value for name, value in ANNA.items() if name != "X-Auth-Pilots"}
    layout = site.client().get("/_dash-layout", headers=said, environ_base=TRUSTED).get_data(as_text=True)
    assert "genoa" not in layout


def test_an_account_disabled_here_stays_outside(site: House) -> None:
    assert site.client().get("/_dash-layout", headers=ANNA, environ_base=TRUSTED).status_code == 200
    site.accounts.disable("anna")
    assert site.client().get("/_dash-layout", headers=ANNA, environ_base=TRUSTED).status_code == 401


def test_a_request_that_changes_nothing_writes_nothing(site: House) -> None:
    site.client().get("/_dash-layout", headers=ANNA, environ_base=TRUSTED)
    before = site.operations._db.total_changes
    site.client().get("/_dash-layout", headers=ANNA, environ_base=TRUSTED)
    assert site.operations._db.total_changes == before


def test_with_no_header_named_a_trusted_proxy_signs_nobody_in(catalogue: Catalogue) -> None:
    with house(catalogue, proxy={"trusted": ["10.0.0.0/24"]}) as site:
        site.add("bert")
        said = {**ANNA, "X-Forwarded-User": "anna", "X-Remote-User": "anna", "Remote-User": "anna"}
        assert site.client().get("/_dash-layout", headers=said, environ_base=TRUSTED).status_code == 401


@pytest.mark.parametrize(
    "wrong",
    [{"user_header": "X-Auth-User", "role": "viewer"}, {"user_header": "X-Auth-User", "trusted": ["10.0.0.7"]},
     {"trusted": ["everybody"]}, {"trusted": ["10.0.0.7"], "user_header": "X-Auth User"}],
)  # fmt: skip
def test_settings_that_would_believe_anybody_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Proxy(**wrong)


@pytest.mark.parametrize(
    ("remote", "forwarded", "seen"),
    [
        ("192.0.2.1", "198.51.100.9", "192.0.2.1"),
        ("10.0.0.7", "198.51.100.9", "198.51.100.9"),
        ("10.0.0.7", "203.0.113.5, 198.51.100.9", "198.51.100.9"),
        ("10.0.0.7", "203.0.113.5, 198.51.100.9, 10.0.0.8", "198.51.100.9"),
        ("10.0.0.7", "", "10.0.0.7"),
    ],
)
def test_the_address_of_a_reader_is_the_last_that_no_trusted_proxy_has(remote: str, forwarded: str, seen: str) -> None:
    headers = {"X-Forwarded-For": forwarded} if forwarded else {}
    request = Request(EnvironBuilder(headers=headers, environ_base={"REMOTE_ADDR": remote}).get_environ())
    assert client_address(request, Proxy(trusted=["10.0.0.0/24"])) == seen  # type: ignore[arg-type, list-item]


@pytest.mark.parametrize(
    ("remote", "seen"),
    [
        ("2001:db8::1", "2001:db8::/64"),
        ("2001:db8::ffff:2", "2001:db8::/64"),
        ("2001:db8:0:1::1", "2001:db8:0:1::/64"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("192.0.2.7", "192.0.2.7"),
    ],
)
def test_whoever_has_a_network_of_ipv6_counts_as_one_address(remote: str, seen: str) -> None:
    request = Request(EnvironBuilder(environ_base={"REMOTE_ADDR": remote}).get_environ())
    assert client_address(request, Proxy()) == seen
