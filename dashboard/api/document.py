"""The OpenAPI 3.1 description of the API, written from the types that are sent; `docs/api/openapi.json` is its copy."""

import inspect
import json
from functools import cache
from typing import Any, Final

import msgspec

from dashboard.api.asked import FORMATS, PARAMETERS
from dashboard.api.endpoints import ENDPOINTS, MAX_ROWS, Endpoint
from dashboard.api.kinds import Listing, Problem
from dashboard.selection import PERIODS

NAME: Final = "openapi.json"
_REFERENCE: Final = "#/components/schemas/{name}"
_ABOUT: Final = f"""The numbers of Periscope's pages: same answers, same release rule, same guard.

Read only. At most {MAX_ROWS:,} rows at once. Every figure has n, interval, status and reason; null is "cannot be said",
never 0. Nothing adds people up: distinct people of a longer time, of several services or pilots are no sum, so ask
`chosen` for the whole period."""
_PROBLEMS: Final = {
    "400": "The question cannot be answered as it was asked.",
    "401": "Nobody is signed in.",
    "403": "The account may not do this.",
    "429": "Too many requests; wait as long as Retry-After says.",
    "503": "The store does not answer.",
}


@cache
def text() -> str:
    """The description as JSON, byte for byte that of `docs/api/openapi.json`."""
    return json.dumps(describe(), indent=1, ensure_ascii=False) + "\n"


def describe() -> dict[str, Any]:
    """The description, with every type that an answer may hold."""
    listings = {name: Listing[one.kind] for name, one in ENDPOINTS.items()}  # type: ignore[name-defined]
    kinds = [*dict.fromkeys(listings.values()), Problem]
    references, schemas = msgspec.json.schema_components(kinds, ref_template=_REFERENCE)
    by_kind = dict(zip(kinds, references, strict=True))
    return {
        "openapi": "3.1.0",
        "jsonSchemaDialect": "https://json-schema.org/draft/2020-12/schema",
        "info": {
            "title": "Periscope",
            "version": "1",
            "description": _ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/api/v1", "description": "The server of the dashboard."}],
        "security": [{}, {"session": []}],
        "paths": {
            f"/{name}": {"get": _operation(name, one, by_kind[listings[name]])} for name, one in ENDPOINTS.items()
        },
        "components": {
            "schemas": {name: _complete(schema) for name, schema in sorted(schemas.items())},
            "parameters": {name: _parameter(name, words) for name, words in PARAMETERS.items()},
            "responses": {status: _problem(words) for status, words in _PROBLEMS.items()},
            "securitySchemes": {
                "session": {
                    "type": "apiKey", "in": "cookie", "name": "periscope_session",
                    "description": "The session of a sign-in. Without accounts nobody is asked.",
                }
            },
        },
    }  # fmt: skip


def _operation(name: str, one: Endpoint, reference: dict[str, Any]) -> dict[str, Any]:
    tag = {"ETag": {"schema": {"type": "string"}, "description": "Changes when the data do; send it as If-None-Match."}}
    return {
        "operationId": name.replace("-", "_"),
        "summary": one.title,
        "parameters": [{"$ref": f"#/components/parameters/{each}"} for each in (*one.parameters, "format")],
        "responses": {
            "200": {
                "description": one.title,
                "headers": tag,
                "content": {"application/json": {"schema": reference}, "text/csv": {"schema": {"type": "string"}}},
            },
            "304": {"description": "Nothing has changed since the version in If-None-Match."},
            **{status: {"$ref": f"#/components/responses/{status}"} for status in _PROBLEMS},
        },
    }


def _parameter(name: str, words: str) -> dict[str, Any]:
    schema: dict[str, Any] = {"type": "string"}
    if name in ("pilots", "indicators"):
        schema = {"type": "array", "items": {"type": "string"}}
    elif name in ("start", "end"):
        schema["format"] = "date"
    else:
        schema["enum"] = list(PERIODS if name == "period" else FORMATS)
    found = {"name": name, "in": "query", "description": words, "schema": schema}
    return {**found, "style": "form", "explode": False} if schema["type"] == "array" else found


def _problem(words: str) -> dict[str, Any]:
    schema = {"$ref": _REFERENCE.format(name="Problem")}
    return {"description": words, "content": {"application/problem+json": {"schema": schema}}}


def _complete(schema: dict[str, Any]) -> dict[str, Any]:
    """A schema as answers fill it: every field is sent, also those that have their default."""
    found = {key: value for key, value in schema.items() if key != "required"}
    if "description" in found:
        found["description"] = inspect.cleandoc(found["description"])
    if "properties" in found:
        found["properties"] = {
            name: {k: v for k, v in one.items() if k != "default"} for name, one in found["properties"].items()
        }
        found["required"] = list(found["properties"])
    return found
