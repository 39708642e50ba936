"""What a city's developer would do: check payloads with the published JSON Schemas."""

from functools import cache
from typing import Any

import msgspec
from jsonschema import Draft202012Validator

from config.events.schemas import FOLDER
from tests.command import ROOT


@cache
def _checker(kind: str) -> Draft202012Validator:
    schema = msgspec.json.decode((ROOT / FOLDER / f"{kind}.json").read_bytes())
    return Draft202012Validator(schema, format_checker=Draft202012Validator.FORMAT_CHECKER)


def against_schemas(payload: bytes) -> list[str]:
    """What its type's schema says against a CloudEvent, as texts; nothing where it is valid."""
    event: dict[str, Any] = msgspec.json.decode(payload)
    found = _checker(event["type"]).iter_errors(event)
    return [f"{event['type']}: {'/'.join(map(str, error.path))}: {error.message}" for error in found]
