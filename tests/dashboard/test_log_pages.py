"""The page behind the QR code, and the form's callbacks, as a browser calls them."""

import json
import re
from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from config.catalogue import Catalogue
from dashboard.log.tokens import token_of
from dashboard.viewer import Viewer
from tests.dashboard.callbacks import texts
from tests.dashboard.made_up import MadeUpAnswers
from tests.dashboard.signing import House, house
from tests.dashboard.test_log_draft import HELD

OPERATOR = Viewer("operator")
HOUR_S = 3600


@pytest.fixture
def site(catalogue: Catalogue) -> Iterator[House]:
    with house(catalogue, answers=MadeUpAnswers(list(catalogue.pilots)), web={"callbacks_per_s": 1000}) as site:
        site.add("op", "operator")
        yield site


@pytest.fixture
def address(site: House) -> str:
    return f"/check-in/{token_of(site.desk.invite(OPERATOR, {'fields': HELD}), site.desk.secret)}"


def agree(client: FlaskClient, address: str, **form: str) -> TestResponse:
    token = re.search(r'name="csrf" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert token is not None
    return client.post(address, data={"csrf": token[1], "do": "in", "group": "citizen", **form})


def code_in(response: TestResponse) -> str:
    found = re.search(r'class="check-in-code">([^<]+)<', response.get_data(as_text=True))
    assert found is not None, response.get_data(as_text=True)
    return found[1]


def test_looking_at_the_page_notes_nobody(site: House, address: str) -> None:
    response = site.client().get(address)
    assert response.status_code == 200
    assert "I agree, check me in" in response.get_data(as_text=True)
    assert "periscope_code" not in str(response.headers)
    assert site.desk.codes(OPERATOR, HELD["id"]) == 0


def test_agreeing_gives_a_code_that_stays_in_the_browser(site: House, address: str) -> None:
    client = site.client()
    first = agree(client, address)
    cookie = next(one for one in first.headers.getlist("Set-Cookie") if one.startswith("periscope_code="))
    assert "HttpOnly" in cookie
    assert "Path=/check-in" in cookie
    assert "SameSite=Lax" in cookie
    assert code_in(agree(client, address)) == code_in(first)
    assert code_in(agree(site.client(), address)) != code_in(first)
    assert site.desk.codes(OPERATOR, HELD["id"]) == 2


def test_a_code_is_used_on_another_device(site: House, address: str) -> None:
    code = code_in(agree(site.client(), address))
    assert code_in(agree(site.client(), address, code=code.lower())) == code
    assert site.desk.codes(OPERATOR, HELD["id"]) == 1


def test_consent_is_taken_back_with_one_button(site: House, address: str) -> None:
    client = site.client()
    agree(client, address)
    assert "You are not noted" in agree(client, address, do="out").get_data(as_text=True)
    assert client.get_cookie("periscope_code", path="/check-in") is None
    assert site.desk.codes(OPERATOR, HELD["id"]) == 0


@pytest.mark.parametrize(
    ("form", "said"),
    [
        ({"group": ""}, "Choose the group"),
        ({"group": "royalty"}, "Choose the group"),
        ({"code": "abc"}, "16 letters and digits"),
        ({"code": "<script>"}, "16 letters and digits"),
    ],
)
def test_what_is_wrong_is_told_and_nothing_noted(site: House, address: str, form: dict[str, str], said: str) -> None:
    response = agree(site.client(), address, **form)
    assert response.status_code == 400
    assert said in response.get_data(as_text=True)
    assert "<script>" not in response.get_data(as_text=True).split("</head>")[1]
    assert site.desk.codes(OPERATOR, HELD["id"]) == 0


def test_a_form_from_elsewhere_or_without_its_token_notes_nobody(site: House, address: str) -> None:
    client = site.client()
    assert client.post(address, data={"do": "in", "group": "citizen"}).status_code == 403
    token = re.search(r'name="csrf" value="([^"]+)"', client.get(address).get_data(as_text=True))
    assert token is not None
    form = {"csrf": token[1], "do": "in", "group": "citizen"}
    assert client.post(address, data=form, headers={"Origin": "https://elsewhere.example"}).status_code == 403
    assert site.desk.codes(OPERATOR, HELD["id"]) == 0


def test_an_address_ends_and_cannot_be_guessed(site: House, address: str) -> None:
    assert site.client().get(address[:-1] + ("A" if address[-1] != "A" else "B")).status_code == 404
    assert site.client().get("/check-in/nonsense").status_code == 404
    site.clock.wait(24 * HOUR_S)
    assert site.client().get(address).status_code == 410


def test_a_script_is_slowed_down(site: House, address: str) -> None:
    client = site.client()
    statuses = [agree(client, address).status_code for _turn in range(70)]
    assert statuses[0] == 200
    assert statuses[-1] == 429


def save(site: House, fields: dict[str, Any]) -> dict[str, Any]:
    client = site.with_session("op")
    answer = site.post(
        client,
        "..log-answer.data...log-said.children..",
        {"log-save.n_clicks": 1, "log-draft.data": {"fields": fields}},
    )
    assert answer.status_code == 200, answer.data
    found: dict[str, Any] = json.loads(answer.data)["response"]
    return found


def test_saving_answers_with_the_record_or_with_a_sentence_for_each_field(site: House) -> None:
    wrong = save(site, HELD | {"stage": None, "time": "26:00"})
    assert set(wrong["log-answer"]["data"]["errors"]) == {"stage", "time"}
    assert "2 fields need another look." in texts(wrong["log-said"])
    assert save(site, HELD)["log-answer"]["data"] == {"saved": HELD["id"]}


def test_the_list_says_how_far_a_record_has_come(site: House) -> None:
    client = site.with_session("op")
    save(site, HELD | {"count_citizen": 12})

    def said() -> str:
        answer = site.post(client, "..log-records.children...log-drawn.data..", {"log-tick.n_intervals": 1})
        return " ".join(texts(json.loads(answer.data)["response"]["log-records"]["children"]))

    assert "Kept here, nothing is lost. On its way to the broker." in said()
    site.desk.post.deliver()
    assert "Sent; it arrives" in said()
    site.answers.arrived = {f"log/{HELD['id']}/held": 0, f"log/{HELD['id']}/attendance-citizen": 0}
    site.answers.steps += 1
    assert "In the store since 16:00." in said()


def test_a_store_that_is_away_hides_no_record(site: House) -> None:
    save(site, HELD)
    site.desk.post.deliver()
    site.answers.away = True
    answer = site.post(site.with_session("op"), "..log-records.children...log-drawn.data..", {})
    assert HELD["id"] in texts(json.loads(answer.data))
