"""JSON Schemas (2020-12) of all events, made from their types: what a city's developer checks payloads with.

Promises: what these take, the collector's vocabulary takes; each schema stands alone. They describe the structured
form of CloudEvents 1.0 that we ask for; the collector forgives more in the envelope (docs/schemas/README.md).
"""

import json
from typing import Any, Final

import msgspec

from config.events import EVENT_TYPES, engagement, envelope, ops, usage
from config.events.envelope import Common, Envelope

DRAFT: Final = "https://json-schema.org/draft/2020-12/schema"
FOLDER: Final = "docs/schemas"
_REQUIRED: Final = ["specversion", "id", "source", "type", "time", "data"]


def schemas() -> dict[str, dict[str, Any]]:
    """The schema of each type, by its name."""
    return {name: _schema(name, kind) for name, kind in EVENT_TYPES.items()}


def files() -> dict[str, str]:
    """The text of each schema by the path of its file."""
    return {f"{FOLDER}/{name}.json": _text(schema) for name, schema in schemas().items()}


def meaning(kind: str, field: str) -> str:
    """What a field says in an event of this type."""
    own = next(one for one in (usage, engagement, ops) if kind in one.TYPES).MEANINGS
    for words in (own, envelope.MEANINGS, usage.MEANINGS, engagement.MEANINGS):
        if found := words.get(f"{kind}/{field}") or words.get(field):
            return found
    raise KeyError(f"{kind}/{field} has no meaning in config/events")


def _schema(name: str, kind: type[Common]) -> dict[str, Any]:
    pattern = rf"^(eu\.periscope\.)?{name.replace('.', '[.]')}(\.v[0-9]+)?$"
    return {
        "$schema": DRAFT,
        "$id": f"urn:periscope:event:{name}",
        "title": name,
        "description": " ".join(str(kind.__doc__).split()),
        "type": "object",
        "required": _REQUIRED,
        "properties": {
            "specversion": {"const": "1.0"},
            "id": {
                "description": "Never used again by this source.",
                "anyOf": [{"type": "string", "minLength": 1, "maxLength": 128}, {"type": "integer"}],
            },
            "source": {
                "description": "Where it comes from: /pilots/{pilot}/{source}.",
                "type": "string",
                "minLength": 1,
                "maxLength": 128,
            },
            "type": {"type": "string", "pattern": pattern},
            "time": {
                "description": "RFC 3339; a day or month alone where time_precision says so.",
                "type": "string",
                "maxLength": 64,
            },
            "data": _data(name, kind),
        },
    }


def _data(name: str, kind: type[Common]) -> dict[str, Any]:
    own, envelope = _object(kind), _object(Envelope)
    properties = {**envelope["properties"], **own["properties"]}
    for field, schema in properties.items():
        properties[field] = {"description": meaning(name, field), **_without_default(schema)}
    required = [*envelope["required"], *own.get("required", [])]
    return {"type": "object", "required": required, "properties": properties}


def _object(kind: type[msgspec.Struct]) -> dict[str, Any]:
    whole = msgspec.json.schema(kind)
    found: dict[str, Any] = whole["$defs"][kind.__name__]
    return found


def _without_default(schema: dict[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in schema.items() if key != "default" or value is not None}


def _text(schema: dict[str, Any]) -> str:
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"
