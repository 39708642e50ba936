"""The API: the numbers of the pages, refused with a sentence where it cannot answer, described by OpenAPI."""

import csv
import io
import json
from typing import Any

import pytest
from dash import Dash
from flask.testing import FlaskClient

from config.catalogue import Catalogue
from dashboard.api import endpoints, kinds
from dashboard.api.document import describe
from dashboard.api.endpoints import ENDPOINTS
from dashboard.findings import FINDINGS
from dashboard.queries import Queries
from dashboard.viewer import EVERYTHING, Viewer
from tests.dashboard.made_up import MadeUpAnswers
from tests.dashboard.signing import house

SMALL = {"values": "?indicators=people&start=2026-03-01", "chosen": "?indicators=people,attendance"}


@pytest.fixture
def client(app: Dash) -> FlaskClient:
    return app.server.test_client()


def items(client: FlaskClient, name: str, query: str = "") -> list[dict[str, Any]]:
    answer = client.get(f"/api/v1/{name}{query}")
    assert answer.status_code == 200, answer.data
    assert answer.json is not None
    assert answer.json["count"] == len(answer.json["items"])
    found: list[dict[str, Any]] = answer.json["items"]
    return found


def table(client: FlaskClient, path: str, **headers: str) -> list[dict[str, str]]:
    answer = client.get(path, headers=headers)
    assert answer.mimetype == "text/csv", answer.data
    return list(csv.DictReader(io.StringIO(answer.get_data(as_text=True))))


@pytest.mark.parametrize("name", ENDPOINTS)
def test_every_address_gives_something_in_both_forms(client: FlaskClient, name: str) -> None:
    found = items(client, name, SMALL.get(name, ""))
    rows = table(client, f"/api/v1/{name}{SMALL.get(name, '')}", Accept="text/csv")
    assert found
    assert len(rows) >= len(found)
    assert None not in rows[0]
    assert "" not in rows[0]


@pytest.mark.parametrize("name", ENDPOINTS)
def test_items_are_what_the_description_says(client: FlaskClient, name: str) -> None:
    schemas = describe()["components"]["schemas"]
    for item in items(client, name, SMALL.get(name, ""))[:50]:
        _fits(item, schemas[ENDPOINTS[name].kind.__name__], schemas, name)


def _fits(value: Any, schema: dict[str, Any], schemas: dict[str, Any], where: str) -> None:
    """Whether a value has exactly the fields and types of a schema."""
    if "$ref" in schema:
        schema = schemas[schema["$ref"].rsplit("/", 1)[1]]
    if "anyOf" in schema:
        kinds_of = {one.get("type") for one in schema["anyOf"]}
        if value is None:
            assert "null" in kinds_of, where
            return
        schema = next(one for one in schema["anyOf"] if one.get("type") != "null")
        return _fits(value, schema, schemas, where)
    types = {"string": str, "integer": int, "number": (int, float), "boolean": bool, "array": list, "object": dict}
    if "type" in schema:
        assert isinstance(value, types[schema["type"]]), (where, value, schema)  # type: ignore[arg-type]
    if "properties" in schema:
        assert set(value) == set(schema["properties"]) == set(schema["required"]), where
        for name, one in schema["properties"].items():
            _fits(value[name], one, schemas, f"{where}.{name}")
    elif isinstance(schema.get("additionalProperties"), dict):
        for name, one in value.items():
            _fits(one, schema["additionalProperties"], schemas, f"{where}.{name}")
    elif schema.get("type") == "array" and isinstance(schema.get("items"), dict):
        for one in value:
            _fits(one, schema["items"], schemas, where)


def test_the_description_is_served_and_names_every_address(client: FlaskClient) -> None:
    document = json.loads(client.get("/api/v1/openapi.json").get_data())
    assert document == json.loads(json.dumps(describe()))
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {f"/{name}" for name in ENDPOINTS}
    known = document["components"]

    def references(node: Any) -> list[str]:
        if isinstance(node, dict):
            own = [node["$ref"]] if "$ref" in node else []
            return own + [one for part in node.values() for one in references(part)]
        return [one for part in node for one in references(part)] if isinstance(node, list) else []

    for reference in references(document):
        _hash, _components, group, name = reference.split("/")
        assert name in known[group], reference


def test_no_address_adds_people_up() -> None:
    names = {one.split("/")[-1] for one in describe()["paths"]} | set(describe()["components"]["parameters"])
    assert not names & {"sum", "total", "aggregate", "group_by", "fill", "rollup"}


@pytest.mark.parametrize(
    ("query", "word"),
    [
        ("values?pilots=atlantis", "atlantis"),
        ("values?pilots=", "pilots"),
        ("values?indicators=happiness", "happiness"),
        ("values?period=year", "day, week or month"),
        ("values?start=2026-13-01", "2026-05-12"),
        ("values?start=20260301", "2026-05-12"),
        ("values?start=2026-03-02&end=2026-03-01", "before"),
        ("values?sum=people", "sum"),
        ("values?start=2026-03-01&start=2026-03-02", "twice"),
        ("values?format=xlsx", "json or csv"),
        ("retention?period=week", "period"),
        ("values?period=day&start=1990-01-01", "at most 20,000"),
    ],
)
def test_a_question_that_cannot_be_answered_is_refused_in_a_sentence(
    client: FlaskClient, query: str, word: str
) -> None:
    answer = client.get(f"/api/v1/{query}")
    assert answer.status_code == 400
    assert answer.mimetype == "application/problem+json"
    assert answer.json is not None
    assert word in answer.json["detail"]
    assert answer.json["detail"].endswith(".")


def test_more_rows_than_are_given_at_once_are_refused_and_never_cut(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert client.get("/api/v1/retention").status_code == 200
    monkeypatch.setattr("dashboard.api.routes.MAX_ROWS", 10)
    answer = client.get("/api/v1/retention")
    assert answer.status_code == 400
    assert b"rows" in answer.data


def test_an_unknown_address_is_told_what_there_is(client: FlaskClient) -> None:
    answer = client.get("/api/v1/sums")
    assert answer.status_code == 404
    assert answer.json is not None
    assert "openapi.json" in answer.json["detail"]


def test_a_store_that_is_away_is_told(client: FlaskClient, answers: MadeUpAnswers) -> None:
    answers.away = True
    answer = client.get("/api/v1/effects")
    assert answer.status_code == 503
    assert answer.mimetype == "application/problem+json"


def test_an_answer_has_a_version_and_is_not_sent_twice(client: FlaskClient, answers: MadeUpAnswers) -> None:
    first = client.get("/api/v1/roles?pilots=genoa", headers={"Accept-Encoding": "gzip"})
    tag = first.headers["ETag"]
    again = client.get("/api/v1/roles?pilots=genoa", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")
    for other in ("roles?pilots=athens", "roles?pilots=genoa&format=csv", "skills?pilots=genoa"):
        assert client.get(f"/api/v1/{other}", headers={"If-None-Match": tag}).status_code == 200, other
    answers.steps += 1
    assert client.get("/api/v1/roles?pilots=genoa", headers={"If-None-Match": tag}).status_code == 200


def test_every_field_is_sent_also_with_its_default(client: FlaskClient) -> None:
    one = items(client, "retention", "?pilots=genoa")[0]
    assert one["share"]["status"] == "ok"
    assert one["share"]["reason"] == ""


def test_a_hidden_figure_has_no_number_in_any_form(client: FlaskClient) -> None:
    hidden = [one for one in items(client, "stage-groups") if one["taking_part"]["status"] == "suppressed"]
    assert hidden
    assert {(one["taking_part"]["value"], one["taking_part"]["n"]) for one in hidden} == {(None, None)}
    rows = [row for row in table(client, "/api/v1/stage-groups?format=csv") if row["status"] == "suppressed"]
    assert {(row["value"], row["n"], row["lower"]) for row in rows} == {("", "", "")}


@pytest.mark.parametrize("name", FINDINGS)
def test_api_and_download_give_the_same_rows(client: FlaskClient, name: str) -> None:
    query = "?pilots=athens,genoa"
    assert table(client, f"/api/v1/{name}{query}&format=csv") == table(client, f"/download/{name}.csv{query}") != []


def test_a_reader_gets_nothing_of_other_pilots(catalogue: Catalogue) -> None:
    with house(catalogue, web={"callbacks_per_s": 1000}) as site:
        site.add("elsewhere", "viewer", ["genoa"])
        client = site.with_session("elsewhere")
        for name in ENDPOINTS:
            text = client.get(f"/api/v1/{name}{SMALL.get(name, '')}").get_data(as_text=True)
            assert "athens" not in text.lower(), name
        refused = client.get("/api/v1/values?pilots=athens")
        assert refused.status_code == 400
        assert "known are genoa." in refused.get_data(as_text=True)


def test_strangers_are_refused_in_json(catalogue: Catalogue) -> None:
    with house(catalogue) as site:
        site.add("anna")
        answer = site.client().get("/api/v1/pilots")
        assert answer.status_code == 401
        assert answer.mimetype == "application/problem+json"
        assert answer.json is not None
        assert answer.json["status"] == 401


def test_asking_too_often_is_told_and_counts_no_download(catalogue: Catalogue) -> None:
    with house(catalogue, web={"callbacks_per_s": 2, "exports_per_h": 1}) as site:
        site.add("anna")
        client = site.with_session("anna")
        told = [client.get("/api/v1/impact").status_code for _ in range(5)]
        assert told == [200, 200, 200, 200, 429]
        answer = client.get("/api/v1/impact")
        assert answer.headers["Retry-After"] == "1"
        assert answer.mimetype == "application/problem+json"
        assert client.get("/download/impact.csv").status_code == 200


def test_what_was_taken_is_written_down_once(catalogue: Catalogue) -> None:
    with house(catalogue) as site:
        site.add("anna")
        client = site.with_session("anna")
        tag = client.get("/api/v1/impact?pilots=genoa").headers["ETag"]
        client.get("/api/v1/impact?pilots=genoa", headers={"If-None-Match": tag})
        assert [entry for entry in site.audit() if "api" in entry[1]] == [
            ("1 anna", "download /api/v1/impact?pilots=genoa", "200")
        ]


def test_values_carry_their_unit_and_what_the_page_asks(client: FlaskClient, queries: Queries) -> None:
    found = items(client, "chosen", "?pilots=genoa")
    known = queries.figures(EVERYTHING, ["genoa"], None, None)
    assert [(one["indicator"], one["value"], one["status"]) for one in found] == [
        (one.indicator, one.value, one.status) for one in known
    ]
    assert {one["unit"] for one in found if one["indicator"] == "people"} == {queries.definitions()["people"].unit}
    assert kinds.Value.__struct_fields__[-1] == "unit"
    assert endpoints.MAX_ROWS == 20_000


def test_numbers_are_the_same_in_json_and_csv(client: FlaskClient) -> None:
    for name, part in (("retention", "share"), ("roles", "share"), ("stage-groups", "taking_part")):
        found = [one[part] for one in items(client, name)]
        rows = table(client, f"/api/v1/{name}?format=csv")
        for one, row in zip(found, rows, strict=True):
            for number in ("value", "n", "lower", "upper"):
                assert (float(row[number]) if row[number] else None) == one[number], (name, row)


def test_every_query_of_findings_leaves_out_other_pilots(queries: Queries) -> None:
    who = Viewer("viewer", frozenset({"genoa"}))
    for name, one in FINDINGS.items():
        found = one.ask(queries, who, ["athens", "genoa"])
        assert {getattr(each, "pilot", "genoa") for each in found} <= {"genoa"}, name
        assert one.ask(queries, who, ["athens"]) == [], name
