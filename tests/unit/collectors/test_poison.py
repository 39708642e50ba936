"""A message that ends its process, or that no step can take, gets three tries; its neighbours lose nothing."""

import os
import subprocess
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from collectors import dead_letters, ledger
from collectors.clock_rules import Window
from collectors.dead_changes import requeue
from collectors.decoders import DECODERS, Decoded
from collectors.delivery import Delivery, Hooks
from collectors.ingest import Ingest
from collectors.message import RawMessage
from collectors.suspects import MOST_TRIES, Suspects
from collectors.topics import Place
from pipeline.model import Event, Refusal
from tests.unit.collectors.places import action, app, catalogue, pilot
from tests.unit.collectors.test_delivery import Bench

ROOT = Path(__file__).parents[3]
RUN = """
import sys
from pathlib import Path
from tests.unit.collectors.test_poison import opened
bench = opened(Path(sys.argv[1]))
bench.deliver()
bench.end()
"""


def ending(message: RawMessage, place: Place) -> Decoded:
    """A decoder that some payloads end, as a fault of a parser's C code would."""
    if b"poison" in message.payload:
        os._exit(139)
    return DECODERS["cloudevents"](message, place)


def opened(folder: Path) -> Bench:
    bench = Bench(folder, catalogue(pilot(app())))
    bench.delivery = Delivery(
        bench.spool, bench.index, Ingest(bench.roster, Window(), {**DECODERS, "cloudevents": ending}), bench.roster,
        bench.store, lambda: bench.now, Hooks(), 100,
    )  # fmt: skip
    return bench


def run(folder: Path) -> int:
    return subprocess.run([sys.executable, "-c", RUN, str(folder)], cwd=ROOT, timeout=60, check=False).returncode


def test_a_payload_that_ends_its_process_is_set_aside_after_three_tries(tmp_path: Path) -> None:
    bench = opened(tmp_path)
    bench.send(action("a"), action("poison-1"), action("b"), action("poison-2"), action("c"))
    bench.end()
    codes = [run(tmp_path) for _ in range(2 * MOST_TRIES + 1)]
    assert codes == [139] * (2 * MOST_TRIES) + [0]
    bench = opened(tmp_path)
    assert [letter.code for letter in dead_letters.listed(bench.spool)] == ["poison", "poison"]
    assert (bench.fates()["written"], bench.fates()["dead_lettered"]) == (3, 2)
    assert bench.spool.ledger() == bench.spool.derived_ledger()
    assert not (tmp_path / "suspects.json").read_text().strip("{}"), "a message with a fate is no suspect"


def test_a_requeued_poison_has_its_tries_again(tmp_path: Path) -> None:
    bench = opened(tmp_path)
    bench.send(action("poison"))
    bench.end()
    for _ in range(MOST_TRIES + 1):
        run(tmp_path)
    mended = Bench(tmp_path, catalogue(pilot(app())))
    assert requeue(mended.spool).done == 1
    mended.deliver()
    assert [event.event_id for event in mended.stored()] == ["app/poison"]
    mended.end()


def test_an_end_from_outside_blames_no_message(tmp_path: Path) -> None:
    bench = opened(tmp_path)
    bench.send(action("a"))
    bench.end()
    program = RUN.replace("bench.deliver()", "bench.deliver(); import os; os._exit(9)")
    for _ in range(MOST_TRIES + 1):
        subprocess.run([sys.executable, "-c", program, str(tmp_path)], cwd=ROOT, timeout=60, check=False)
    assert not (tmp_path / "suspects.json").exists()


def test_damaged_counts_are_no_counts(tmp_path: Path) -> None:
    for content in ("", "[]", '{"a": "b"}', "\0"):
        (tmp_path / "suspects.json").write_text(content)
        suspects = Suspects(tmp_path)
        assert not suspects.condemned("2019-03-02", 1)
        suspects.close()


def test_how_long_a_message_is_judged_is_known(tmp_path: Path) -> None:
    suspects = Suspects(tmp_path)
    assert suspects.busy_s == 0
    suspects.judging("2019-03-02", 1)
    assert suspects.busy_s > 0
    suspects.clear()
    assert suspects.busy_s == 0


@pytest.fixture
def bench(tmp_path: Path) -> Iterator[Bench]:
    bench = Bench(tmp_path, catalogue(pilot(app())))
    yield bench
    assert ledger.broken(ledger.total(bench.spool.ledger().values())) == []
    assert bench.spool.ledger() == bench.spool.derived_ledger()


def failing(bench: Bench, ids: set[str]) -> None:
    """From now on the store fails, with an error that nobody foresaw, at batches that hold one of these."""
    write = bench.store.write

    def fails(events: Sequence[Event]) -> list[Refusal]:
        if any(event.event_id in ids for event in events):
            raise ZeroDivisionError
        return write(events)

    bench.store.write = fails  # type: ignore[method-assign]


def test_a_message_that_no_step_foresaw_is_found_and_set_aside(bench: Bench) -> None:
    bench.send(*[action(f"e-{n}") for n in range(20)])
    failing(bench, {"app/e-7"})
    bench.deliver()
    assert len(bench.stored()) == 19
    (letter,) = dead_letters.listed(bench.spool)
    assert (letter.stage, letter.code, b"e-7" in letter.payload) == ("write", "poison", True)


def test_what_fails_for_every_message_is_no_messages_fault(bench: Bench) -> None:
    bench.send(*[action(f"e-{n}") for n in range(20)])
    failing(bench, {f"app/e-{n}" for n in range(20)})
    with pytest.raises(ZeroDivisionError):
        bench.deliver()
    assert bench.fates() == {"received": 20, "pending": 20}
