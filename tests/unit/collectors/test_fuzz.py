"""The way of a message, from intake to the store, under payloads that nobody should send: each has exactly one fate.

The long form, 100,000 through the real collector, is row F11 of the fault matrix.
"""

import logging
import tomllib
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import psutil
import pytest

from collectors import dead_letters, ledger
from config.catalogue import Pilot
from tests.chaos.fuzz import PILOT, Fuzz, fuzz, pilot_file
from tests.unit.collectors.places import catalogue
from tests.unit.collectors.test_delivery import Bench

NUMBER = 5000
GROWTH = 50 << 20
LINE = 2048


def batched(messages: Iterator[Fuzz], size: int) -> Iterator[list[Fuzz]]:
    while part := list(islice(messages, size)):
        yield part


def test_each_of_thousands_of_hostile_payloads_has_one_fate(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    bench = Bench(tmp_path, catalogue(Pilot.model_validate(tomllib.loads(pilot_file()))))
    process = psutil.Process()
    before = 0
    for part in batched(fuzz(seed=1, number=NUMBER), 250):
        bench.spool.append([bench.intake.entry(m.topic, m.payload, bench.now, properties=m.properties) for m in part])
        bench.deliver()
        before = before or process.memory_info().rss
    fates = bench.fates()
    assert fates["received"] == NUMBER
    assert fates.get("pending", 0) == 0
    assert ledger.broken(ledger.total(bench.spool.ledger().values())) == []
    assert bench.spool.ledger() == bench.spool.derived_ledger()
    assert ledger.audit(ledger.total(bench.spool.ledger().values()), bench.store, [PILOT]) == []
    assert min(fates["written"], fates["dead_lettered"]) > NUMBER / 50, "both ways have to be tried"
    letters = dead_letters.listed(bench.spool, limit=NUMBER)
    assert {letter.code for letter in letters} & {"decoder_error", "poison", "damaged"} == set()
    assert all(len(letter.text) <= 512 for letter in letters)
    assert process.memory_info().rss - before < GROWTH
    assert max((len(record.getMessage()) for record in caplog.records), default=0) < LINE
