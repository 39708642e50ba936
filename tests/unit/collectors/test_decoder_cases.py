"""Each folder of tests/data/decoders is one payload, the feed that reads it, and what must come out.

A line of expected.jsonl is one event (its time as named by the payload), or `{"empty": n}`, or the stage and code of
the refusal, with the point where only that is refused. "SHA256" stands for an id derived from topic and payload,
"SHA256+RECEIPT" for one derived from the time of receipt too.
"""

import json
import tomllib
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pytest

from collectors.clock_rules import floor_and_span, read_time
from collectors.decoders import DECODERS
from collectors.decoders.readings import derived_id
from collectors.message import RawMessage, Undecodable
from collectors.topics import Place
from config.catalogue import Feed
from tests.unit.collectors.places import NOW_NS

FOLDER = Path(__file__).parents[2] / "data/decoders"
CASES = sorted(FOLDER.glob("*/*"))
BERLIN = ZoneInfo("Europe/Berlin")


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.parent.name}/{case.name}")
def test_a_payload_becomes_what_its_case_expects(case: Path) -> None:
    feed = Feed.model_validate({"decoder": case.parent.name, **tomllib.loads((case / "feed.toml").read_text())})
    message = RawMessage(topic=feed.topic, payload=next(case.glob("input.*")).read_bytes(), received_ns=NOW_NS)
    expected = [json.loads(line) for line in (case / "expected.jsonl").read_text().splitlines()]
    assert _rows(message, feed, case.parent.name) == _with_ids(expected, message)


def test_every_decoder_has_a_case() -> None:
    assert {case.parent.name for case in CASES} == set(DECODERS)


def _rows(message: RawMessage, feed: Feed, name: str) -> list[dict[str, Any]]:
    try:
        events, empty, faults = DECODERS[name](message, Place("bremen", feed.id, feed, BERLIN))
    except Undecodable as error:
        return [{"stage": error.fault.stage, "code": error.fault.code}]
    rows = []
    for event in events:
        row = msgspec.to_builtins(event)
        floor_ns, span_ns = floor_and_span(event.time_ns, event.time_precision, BERLIN)
        assert floor_ns <= event.time_ns < floor_ns + span_ns
        assert row.pop("pilot") == "bremen"
        assert row.pop("received_ns") == NOW_NS
        del row["time_ns"]
        rows.append({**row, "floor_ns": floor_ns})
    rows += [{"point": one.point, "stage": one.stage, "code": one.code} for one in faults]
    return rows + ([{"empty": empty}] if empty else [])


def _with_ids(expected: list[dict[str, Any]], message: RawMessage) -> list[dict[str, Any]]:
    digest = derived_id(message, has_time=True)
    at_receipt = derived_id(message, has_time=False)
    for row in expected:
        if "event_id" in row:
            row["event_id"] = row["event_id"].replace("SHA256+RECEIPT", at_receipt).replace("SHA256", digest)
            row["floor_ns"] = read_time(row.pop("time"), ZoneInfo("UTC"))[0]
    return expected
