"""A key given twice is told without reading each payload twice, however it is written."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from collectors.decoders.limits import parse_value
from collectors.message import Undecodable

IDENTITY = (b'"id"', b'"time"')
KEYS = st.sampled_from(["id", "time", "n", 'a":', 'id":1,"id', "\n:", " :"])
SPACES = st.sampled_from(["", " ", "\n", "\t \r"])
ESCAPED = st.sampled_from(["id", "\\u0069d", "i\\u0064"])


@st.composite
def texts(draw: st.DrawFn, depth: int = 3) -> str:
    """JSON in which keys are given twice, escaped, or followed by blanks, and texts look like members."""
    kind = draw(st.integers(0, 3 if depth else 1))
    if kind == 0:
        return str(draw(st.integers(-9, 9)))
    if kind == 1:
        return json.dumps(draw(KEYS))
    parts = [draw(texts(depth=depth - 1)) for _ in range(draw(st.integers(0, 3)))]
    if kind == 2:
        return "[" + ",".join(parts) + "]"
    names = [json.dumps(draw(KEYS)) if draw(st.booleans()) else f'"{draw(ESCAPED)}"' for _ in parts]
    members = [f"{name}{draw(SPACES)}:{draw(SPACES)}{part}" for name, part in zip(names, parts, strict=True)]
    return "{" + ",".join(members) + "}"


@given(texts())
def test_a_payload_is_refused_exactly_when_a_parser_that_keeps_all_members_sees_one_twice(text: str) -> None:
    doubled = []

    def pairs(members: list[tuple[str, Any]]) -> None:
        names = [name for name, _ in members if name in ("id", "time")]
        doubled.append(len(names) != len(set(names)))

    json.loads(text, object_pairs_hook=pairs)
    try:
        parse_value(text.encode(), IDENTITY)
        refused = False
    except Undecodable as error:
        refused = error.fault.code == "doubled_key"
    assert refused == any(doubled)


@pytest.mark.parametrize("text", ['{"id" :1,"id":2}', '{"a":"\\":","id":1,"id":2}', '{"d":{"id":1,"id":2},"d":0}'])
def test_what_hides_a_second_key_from_a_count_does_not_hide_it(text: str) -> None:
    with pytest.raises(Undecodable, match="given twice"):
        parse_value(text.encode(), IDENTITY)
