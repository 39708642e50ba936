"""An import loses no row, sends none twice without need, and says what it could not read."""

import csv
import gzip
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Signal

import pytest

from collectors.import_mapping import ImportMapping, WrongInput
from collectors.importer import Importer, Report
from collectors.ways_in import Message, Send

MAPPING = ImportMapping.model_validate({"feed": "f", "flat_json": {"columns": {"n": "number", "t": "time"}}})
JSON_LINES = MAPPING.model_copy(update={"format": "jsonl"})


class Wire:
    """A way in that keeps what it was given; after `limit` messages it fails, once."""

    def __init__(self, limit: int | None = None) -> None:
        self.messages: list[Message] = []
        self.opened = 0
        self.limit = limit

    @contextmanager
    def __call__(self) -> Iterator[Send]:
        self.opened += 1
        yield self.send

    def send(self, messages: Sequence[Message]) -> None:
        if self.limit is not None and len(self.messages) + len(messages) > self.limit:
            self.limit = None
            raise ConnectionError
        self.messages += messages

    @property
    def numbers(self) -> list[str]:
        return [json.loads(payload)["n"] for _, payload in self.messages]


def table(path: Path, rows: int) -> Path:
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([("number", "time"), *((str(n), "2026-01-01T00:00:00Z") for n in range(rows))])
    return path


def run(folder: Path, wire: Wire, *paths: Path, mapping: ImportMapping = MAPPING, again: bool = False) -> Report:
    importer = Importer(mapping, "lund", "pilots/lund/usage/f", folder / "imports", str.upper, again)
    return importer.run(paths, wire, Signal())


def test_every_row_is_sent_in_order_to_the_feeds_topic(tmp_path: Path) -> None:
    wire = Wire()
    report = run(tmp_path, wire, table(tmp_path / "a.csv", 1234))
    assert wire.numbers == [str(n) for n in range(1234)]
    assert {topic for topic, _ in wire.messages} == {"pilots/lund/usage/f"}
    assert report.complete
    assert report.sentence() == "a.csv: done, 1,234 of 1,234 rows sent."


def test_a_packed_file_gives_the_same_messages(tmp_path: Path) -> None:
    plain = table(tmp_path / "a.csv", 10)
    packed = tmp_path / "a.csv.gz"
    packed.write_bytes(gzip.compress(plain.read_bytes()))
    one, other = Wire(), Wire()
    run(tmp_path, one, plain)
    run(tmp_path, other, packed)
    assert one.messages == other.messages


def test_an_import_that_was_cut_off_continues_where_it_stopped(tmp_path: Path) -> None:
    wire, path = Wire(limit=1200), table(tmp_path / "a.csv", 3000)
    with pytest.raises(ConnectionError):
        run(tmp_path, wire, path)
    assert len(wire.messages) == 1000
    report = run(tmp_path, wire, path)
    assert wire.numbers == [str(n) for n in range(3000)]
    assert report.files[0].sent == 3000


def test_a_finished_import_says_so_and_opens_no_connection(tmp_path: Path) -> None:
    wire, path = Wire(), table(tmp_path / "a.csv", 5)
    run(tmp_path, wire, path)
    report = run(tmp_path, wire, path)
    assert (len(wire.messages), wire.opened) == (5, 1)
    assert "done before" in report.sentence()


def test_again_sends_everything_once_more(tmp_path: Path) -> None:
    wire, path = Wire(), table(tmp_path / "a.csv", 5)
    run(tmp_path, wire, path)
    run(tmp_path, wire, path, again=True)
    assert len(wire.messages) == 10


def test_a_renamed_file_is_known_by_its_content(tmp_path: Path) -> None:
    wire, path = Wire(), table(tmp_path / "a.csv", 5)
    run(tmp_path, wire, path)
    run(tmp_path, wire, path.rename(tmp_path / "b.csv"))
    assert len(wire.messages) == 5


def test_a_stop_keeps_what_was_sent_and_says_how_to_go_on(tmp_path: Path) -> None:
    stop, wire, path = Signal(), Wire(), table(tmp_path / "a.csv", 3000)

    class Stopping(Wire):
        def send(self, messages: Sequence[Message]) -> None:
            wire.send(messages)
            stop.set()

    importer = Importer(MAPPING, "lund", "t", tmp_path / "imports", str.upper)
    report = importer.run([path], Stopping(), stop)
    assert not report.complete
    assert "run the same command again to continue" in report.sentence()
    importer.run([path], wire, Signal())
    assert wire.numbers == [str(n) for n in range(3000)]


def test_wrong_columns_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    good, bad = table(tmp_path / "a.csv", 5), tmp_path / "b.csv"
    bad.write_text("number;time\n1;2\n")
    wire = Wire()
    with pytest.raises(WrongInput, match=r'b.csv has no column "number", "time"; it has "number;time". Correct'):
        run(tmp_path, wire, good, bad)
    assert wire.opened == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [(b"", "it has no columns at all"), (b"\x1f\x8b broken", "it has no columns at all")],
)
def test_a_file_that_is_no_table_is_told(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(content)
    with pytest.raises(WrongInput, match=said):
        run(tmp_path, Wire(), path)


def test_a_missing_file_is_told(tmp_path: Path) -> None:
    with pytest.raises(WrongInput, match="cannot be read: No such file"):
        run(tmp_path, Wire(), tmp_path / "nowhere.csv")


def test_a_packed_file_that_is_cut_short_is_told_and_its_first_rows_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "a.csv.gz"
    whole = gzip.compress(table(tmp_path / "a.csv", 40_000).read_bytes())
    path.write_bytes(whole[: len(whole) // 2])
    wire = Wire()
    with pytest.raises(WrongInput, match="cut short or damaged"):
        run(tmp_path, wire, path)
    assert wire.numbers == [str(n) for n in range(len(wire.messages))]
    assert wire.messages


def test_bad_rows_are_counted_by_reason_and_listed_without_their_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"number,time\n1,2\nonly-one-secret-cell\n3,4,5\n\xff\xfe,4\n\n5,6\n")
    wire = Wire()
    report = run(tmp_path, wire, path)
    assert wire.numbers == ["1", "5"]
    assert report.files[0].rejected == {"wrong_cells": 2, "bad_encoding": 1}
    assert "2 wrong_cells" in report.sentence()
    (listed,) = (tmp_path / "imports").glob("*.rejects.jsonl")
    assert [json.loads(line)["row"] for line in listed.read_text().splitlines()] == [2, 3, 4]
    assert "secret" not in listed.read_text()


def test_json_lines_are_read_and_bad_lines_counted(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"number": 1, "time": 2}\n{"number": \n[1]\n\n' + "[" * 5000 + '\n{"number": 2, "time": 3}\n')
    wire = Wire()
    report = run(tmp_path, wire, path, mapping=JSON_LINES)
    assert wire.numbers == [1, 2]
    assert report.files[0].rejected == {"bad_json": 2, "not_an_object": 1}


def test_json_lines_without_the_named_keys_are_told(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_text('{"nummer": 1, "time": 2}\n')
    with pytest.raises(WrongInput, match='has no column "number"; it has "nummer", "time"'):
        run(tmp_path, Wire(), path, mapping=JSON_LINES)
