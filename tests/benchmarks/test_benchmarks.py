"""What holds of the benchmarks without running them: they measure what there is, and their page names each key."""

import re
from importlib import import_module
from pathlib import Path

import pytest

from collectors.clock_rules import Window
from collectors.decoders import DECODERS
from collectors.ingest import Ingest
from tests.benchmarks import comparing, decoding
from tests.benchmarks.measured.sitecustomize import STEPS

PAGE = Path(__file__).parents[2] / "docs/benchmarks.md"
NO_RUNS: comparing.Runs = {name: [] for name in ("mqtt5", "mqtt311", "bare", "telegraf")}


def test_every_decoder_is_measured() -> None:
    assert {one.case.split("/")[0] for one in decoding.SAMPLES.values()} == set(DECODERS)


@pytest.mark.parametrize("name", decoding.SAMPLES)
def test_no_two_messages_of_a_format_are_alike_and_all_are_read(name: str) -> None:
    feed, messages = decoding.sample(name, 20)
    ingest = Ingest(decoding.roster_of(feed), Window())
    events = [event for message in messages for event in ingest.judge(message).events]
    assert len({event.time_ns for event in events}) == len(events) >= len(messages)


@pytest.mark.parametrize("place", [place for places in STEPS.values() for place in places])
def test_every_step_that_the_collector_measures_exists(place: str) -> None:
    module, _, path = place.partition(":")
    kind, _, method = path.partition(".")
    assert callable(getattr(getattr(import_module(module), kind), method))


def test_the_page_names_every_key() -> None:
    named = set(re.findall(r"`([a-z]+\.[a-z0-9_<>]+)`", PAGE.read_text()))
    keys = comparing.rates(NO_RUNS).keys() | comparing.ratios(NO_RUNS).keys()
    keys |= {f"ingest.{step}_cpu_us" for step in [*STEPS, "receive", "other"]} | {"ingest.busiest_process_cores"}
    keys |= {f"decode.<format>_{figure}" for figure in ("msgs_per_s", "decoder_msgs_per_s", "cpu_us")}
    assert keys <= named


def test_what_is_not_installed_has_no_figure() -> None:
    assert set(comparing.ratios(NO_RUNS).values()) == {None}
