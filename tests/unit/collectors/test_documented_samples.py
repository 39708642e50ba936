"""Each sample under *Formats* in docs/ingest.md is read by the feed beside it."""

import re
import tomllib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from collectors.decoders import DECODERS
from collectors.import_mapping import load_mapping
from collectors.trial import Trial
from config.catalogue import Feed
from config.presets import names
from tests.command import ROOT
from tests.unit.collectors.places import catalogue, pilot

PAGE = (ROOT / "docs/ingest.md").read_text()
SAMPLES = re.findall(r"```toml\n(.*?)```\n\n```(?:json|text)\n(.*?)```", PAGE, re.DOTALL)
NOW_NS = int(datetime(2026, 1, 31, 10, 5, tzinfo=UTC).timestamp()) * 1_000_000_000


@pytest.mark.parametrize(("feed", "payload"), SAMPLES, ids=[tomllib.loads(feed)["topic"] for feed, _ in SAMPLES])
def test_a_documented_sample_is_read_by_its_feed(feed: str, payload: str) -> None:
    known = Feed.model_validate(tomllib.loads(feed))
    trial = Trial(catalogue(pilot(known, slug="lund")), "lund", known.id, None, NOW_NS)
    (one,) = trial.run([("sample", payload.encode())])
    assert (one.fate, one.fault) == ("written", None)
    assert {event.time_rule for event in one.events} != {"receipt"}


def test_every_decoder_and_preset_is_documented() -> None:
    decoders = {Feed.model_validate(tomllib.loads(feed)).decoder for feed, _ in SAMPLES}
    assert decoders == set(DECODERS)
    assert [name for name in names() if f"`{name}`" not in PAGE] == []


@pytest.mark.parametrize("sample", re.findall(r"```toml\n(feed = .*?)```", PAGE, re.DOTALL))
def test_each_mapping_of_an_import_can_be_used(sample: str, tmp_path: Path) -> None:
    path = tmp_path / "mapping.toml"
    path.write_text(sample)
    mapping = load_mapping(path)
    assert set(mapping.columns()) >= ({"station", "hour", "no2"} if mapping.flat_json else {"timestamp", "voter-id"})
