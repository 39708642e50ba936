"""The encoder of line protocol, against influxdata's corpus and against its own inverse."""

import gzip
import json
import re
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from pipeline.model import Record
from pipeline.store import limits
from pipeline.store.line_protocol import (
    day_of_touch,
    event_line,
    fields,
    prefix,
    record_line,
    tag_text,
    text_of_tag,
    touch_line,
)
from tests.contract.samples import HOSTILE, T0, action, reading

_FLOAT = re.compile(r"(?<==)-?\d+(\.\d+)?(e[+-]?\d+)?(?=[, ])")


# What InfluxData's encoders write otherwise, and why ours differs.
OTHERWISE = {
    "34f17db4b263f6f2647d931eae615510": "a float of seven digits is written plain, theirs with an exponent",
}


def _same_floats(line: str) -> str:
    """A line with each plain number in one spelling, since 6632243 and 6.632243e+06 are the same float."""
    return _FLOAT.sub(lambda found: repr(float(found.group())), line)


def _encoded(point: dict[str, Any]) -> str:
    told = [(one["key"], *next(iter(one["value"].items()))) for one in point["fields"]]
    typed = [(name, float(value) if kind == "float" else value) for name, kind, value in told]
    tags = [(tag["key"], tag["value"]) for tag in point.get("tags", [])]
    return f"{prefix(point['name'], tags)} {fields(typed)} {point['time']}"


def test_the_encoder_agrees_with_the_corpus_of_influxdata(data_dir: Path) -> None:
    file = data_dir / "payloads" / "line_protocol" / "corpus.json.gz"
    if not file.is_file():
        pytest.skip("no line-protocol corpus: set PERISCOPE_DATA to a folder that holds payloads/line_protocol")
    corpus = json.loads(gzip.decompress(file.read_bytes()))
    otherwise, refused = {}, 0
    for key, case in corpus["encode"].items():
        try:
            line: str | None = _encoded(case["input"]["point"])
        except ValueError:
            line, refused = None, refused + 1
        expected = case["output"].get("result")
        if line != expected:
            otherwise[key] = (line, expected)
    assert set(otherwise) == set(OTHERWISE)
    assert [_same_floats(line) for line, _ in otherwise.values()] == [
        _same_floats(one) for _, one in otherwise.values()
    ]
    assert refused == 1
    assert len(corpus["encode"]) > 80
    assert len(OTHERWISE) <= (len(corpus["encode"]) + len(corpus["decode"])) / 100


def test_an_event_is_one_line_with_float_numbers_and_integer_nanoseconds() -> None:
    body = '{"a":"\\"x\\\\"}'
    assert event_line(action("e,1", T0, count=2, pilot="São Paulo", type="a=b,c"), body) == (
        f'usage,pilot=São\\ Paulo,feed=bikes,type=a\\=b\\,c event_id="e,1",body="{{\\"a\\":\\"\\\\\\"x\\\\\\\\\\"}}",'
        f'count=2,actor_key="k-1" {T0}'
    )
    assert event_line(reading("r", 22, T0, device=""), "{}") == (
        "sensor,pilot=athens,feed=air,device=%empty,quantity=temperature "
        f'event_id="r",body="{{}}",count=1,value=22 {T0}'
    )


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (-0.5, "-0.5"),
        (1e300, "1e+300"),
        (5e-324, "5e-324"),
        (2**53, "9007199254740992"),
        (0.1 + 0.2, "0.30000000000000004"),
    ],
)
def test_a_number_is_written_as_the_shortest_float_and_never_as_an_integer(value: float, text: str) -> None:
    assert f",value={text}," in event_line(reading("r", value, actor_key="k"), "{}")


@pytest.mark.parametrize("text", HOSTILE)
def test_no_text_can_end_its_tag_its_quotes_or_its_line(text: str) -> None:
    event = action(text, pilot=text, feed=text, type=text, actor_key=text)
    line = event_line(event, limits.body_of(event))
    start, _, _ = line.partition(' event_id="')
    assert "\n" not in start
    assert "\\\\" not in start
    assert len(re.findall(r"(?<!\\)[, ]", start)) == 3  # the three commas of the three tags
    unquoted = re.sub(r'"(?:[^"\\]|\\.)*"', "", line.removeprefix(start), flags=re.DOTALL)
    assert unquoted == f" event_id=,body=,count=1,actor_key= {T0}"


@given(st.text())
@example("")
@example("%empty")
@example("%25\\")
def test_a_tag_holds_any_text_and_gives_it_back(text: str) -> None:
    tag = tag_text(text)
    assert text_of_tag(tag) == text
    assert tag
    assert not re.search(r"[\"'\\\x00-\x1f]", tag)


@pytest.mark.parametrize(
    ("measurement", "tags"),
    [
        ("usage", [("pilot", "")]),
        ("usage", [("", "x")]),
        ("usage", [("pilot", "x\\")]),
        ("usage", [("pilot\\", "x")]),
        ("usage", [("pilot", "a\nb")]),
        ("", []),
        ("# usage", []),
        ("a\nb", []),
        ("a\\", []),
    ],
)
def test_what_the_protocol_cannot_say_is_an_error_and_not_another_series(
    measurement: str, tags: list[tuple[str, str]]
) -> None:
    with pytest.raises(ValueError, match=r"tag|measurement"):
        prefix(measurement, tags)


def test_integers_and_booleans_are_told_apart_from_floats() -> None:
    told = fields([("i", 1), ("f", 1.0), ("t", True), ("n", False), ("s", 'a"b\\')])
    assert told == 'i=1i,f=1,t=true,n=false,s="a\\"b\\\\"'


def test_a_record_and_a_touch_are_lines() -> None:
    record = Record(kind="values", pilot="milan", key="all", time_ns=0, body='{"ä":1}'.encode())
    assert record_line(record) == 'values,pilot=milan,key=all body="{\\"ä\\":1}" 0'
    assert touch_line("milan", "1970-01-01", 7) == "touch,pilot=milan seq=7i 129600000000000"
    assert day_of_touch("1970-01-02T12:00:00Z") == "1970-01-01"
