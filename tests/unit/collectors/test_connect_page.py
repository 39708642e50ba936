"""docs/connect.md, followed word by word: the pilot's file that it adds up to, each sample, and what `try` says."""

import re
import tomllib
from datetime import UTC, datetime
from importlib import import_module
from pathlib import Path

import pytest
from paho.mqtt.client import topic_matches_sub

import collectors.decoders
from collectors.trial import Trial, Tried
from config.catalogue import Catalogue, load_catalogue
from config.formats import FORMATS
from config.lint import lint
from tests.command import ROOT

PAGE = (ROOT / "docs/connect.md").read_text()
PILOT = "".join(re.findall(r"```toml\n(.*?)```", PAGE, re.DOTALL))
# Of each sample: its file, its bytes, and what the page shows of `periscope try`.
SAMPLES = {
    name: (payload.encode().strip(), shown.strip())
    for name, payload, shown in re.findall(
        r"^`(\w+\.\w+)`[^`]*?(?:`[^`\n]+`[^`]*?)*:?[^`]*?\n\n```(?:json|text)\n(.*?)```\n\n```text\n(.*?)```", PAGE,
        re.DOTALL | re.MULTILINE,
    )
}  # fmt: skip
FEEDS = [feed["id"] for feed in tomllib.loads(PILOT)["feeds"]]


@pytest.fixture
def lund(tmp_path: Path) -> Catalogue:
    (tmp_path / "lund.toml").write_text(PILOT)
    return load_catalogue(tmp_path)


def tried(lund: Catalogue, feed: str, payload: bytes, at: datetime, where: str = "sample") -> Tried:
    (one,) = Trial(lund, "lund", feed, None, int(at.timestamp()) * 1_000_000_000).run([(where, payload)])
    return one


def test_every_feed_has_its_sample_and_the_other_way_round() -> None:
    assert sorted(Path(name).stem for name in SAMPLES) == sorted(FEEDS)


@pytest.mark.parametrize("name", SAMPLES)
def test_a_sample_is_read_as_the_page_shows(lund: Catalogue, name: str) -> None:
    payload, shown = SAMPLES[name]
    one = tried(lund, Path(name).stem, payload, datetime(2026, 1, 31, 10, 5, tzinfo=UTC), name)
    assert [line.partition("  id ")[0] for line in one.lines()] == shown.splitlines()
    assert one.events
    assert {event.time_rule for event in one.events} != {"receipt"}
    assert list(one.remarks()) == []


def test_lint_finds_no_error_and_only_what_the_page_leaves_out(lund: Catalogue) -> None:
    found = {(one.level, one.key.rpartition(".")[2]) for one in lint(lund)}
    assert found == {("warning", "denominators"), ("warning", "devices")}


def test_the_recorded_messages_of_the_platforms_are_read_by_the_pages_feeds(lund: Catalogue, data_dir: Path) -> None:
    folder = data_dir / "payloads"
    model = folder / "smart_data_models/AirQualityObserved"
    air = tried(lund, "air", (model / "example-normalized.json").read_bytes(), datetime(2016, 3, 15, 12, tzinfo=UTC))
    assert [(e.quantity, e.value, e.unit) for e in air.events] == [
        ("no2", 69.0, "ug/m3"), ("co", 500.0, "mg/m3"), ("humidity", 54.0, "%"),
    ]  # fmt: skip
    assert any("co is outside what is plausible" in remark for remark in air.remarks())  # it was ug/m3, as recorded
    flow = folder / "smart_data_models/TrafficFlowObserved"
    found = tried(
        lund, "traffic", (flow / "example-normalized.jsonld").read_bytes(), datetime(2016, 12, 7, 12, tzinfo=UTC)
    )
    assert ("traffic", 197.0, "vehicles") in [(e.quantity, e.value, e.unit) for e in found.events]
    uplinks = (folder / "lorawan/things_stack_v3_uplinks.jsonl").read_bytes().splitlines()
    soil = tried(lund, "soil", uplinks[0], datetime(2021, 2, 5, tzinfo=UTC))
    assert (soil.fate, soil.fault and soil.fault.code) == ("dead_lettered", "no_decoded_payload")


def test_a_format_is_one_file_one_folder_of_cases_and_one_line() -> None:
    files = {path.stem for path in Path(collectors.decoders.__file__).parent.glob("[a-z]*.py")}
    decoding = {name for name in files if hasattr(import_module(f"collectors.decoders.{name}"), "decode")}
    assert decoding == set(FORMATS)
    assert {path.name for path in (ROOT / "tests/data/decoders").iterdir()} == decoding


def test_the_access_list_of_the_page_lets_its_feeds_through() -> None:
    rules = re.findall(r"^    topic (read|write) (\S+)$", PAGE, re.MULTILINE)
    for way in ("read", "write"):
        allowed = [rule for kind, rule in rules if kind == way] + ["pilots/lund/#"]
        for feed in tomllib.loads(PILOT)["feeds"]:
            assert any(topic_matches_sub(rule, feed["topic"].replace("+", "x")) for rule in allowed), feed["topic"]
