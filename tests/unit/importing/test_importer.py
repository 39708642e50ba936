"""An import loses no row, sends none twice without need, and says what it could not read."""

import csv
import gzip
import json
import tracemalloc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Event as Signal

import pytest

from collectors.import_mapping import ImportMapping, WrongInput
from collectors.import_report import Report
from collectors.importer import Importer
from collectors.message import BrokerAway
from collectors.ways_in import Message, Way

MAPPING = ImportMapping.model_validate({"feed": "f", "flat_json": {"columns": {"n": "number", "t": "time"}}})
JSON_LINES = MAPPING.model_copy(update={"format": "jsonl"})
BY_ROW = ImportMapping.model_validate(
    {"feed": "f", "cloudevent": {"type": "t", "time": "time", "columns": {"n": "number"}}}
)
PERSONS = ImportMapping.model_validate(
    {"feed": "f", "cloudevent": {"type": "t", "time": "time", "person": "number", "numbers": ["x"],
                                 "columns": {"x": "time"}}}
)  # fmt: skip


class Wire:
    """A way in that keeps what it was given; after `limit` messages it fails, once."""

    def __init__(self, limit: int | None = None, batch: int = 500, largest: int = 65_536) -> None:
        self.messages: list[Message] = []
        self.opened = 0
        self.limit, self.batch, self.largest = limit, batch, largest

    @contextmanager
    def open(self) -> Iterator[Way]:
        self.opened += 1
        yield self

    def __call__(self, messages: Sequence[Message]) -> None:
        if self.limit is not None and len(self.messages) + len(messages) > self.limit:
            self.limit = None
            raise BrokerAway("broker x:1: cannot be reached")
        self.messages += messages

    @property
    def numbers(self) -> list[str]:
        return [json.loads(payload)["n"] for _, payload in self.messages]

    @property
    def ids(self) -> list[str]:
        return [json.loads(payload)["id"] for _, payload in self.messages]


class Sink(Wire):
    """A way in that only counts."""

    sent = 0

    def __call__(self, messages: Sequence[Message]) -> None:
        self.sent += len(messages)


def table(path: Path, rows: int, first: int = 0) -> Path:
    with path.open("w", newline="") as file:
        numbers = range(first, first + rows)
        csv.writer(file).writerows([("number", "time"), *((str(n), "2026-01-01T00:00:00Z") for n in numbers)])
    return path


def importer(folder: Path, mapping: ImportMapping = MAPPING, restart: bool = False, personal: bool = False) -> Importer:
    return Importer(
        mapping, "lund", "pilots/lund/usage/f", folder / "imports", str.upper, lambda: 1, restart, personal
    )  # fmt: skip


def run(folder: Path, wire: Wire, *paths: Path, mapping: ImportMapping = MAPPING, restart: bool = False) -> Report:
    return importer(folder, mapping, restart, mapping.names_persons).run(paths, wire.open, Signal())


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


def test_an_import_that_was_cut_off_says_why_and_continues_where_it_stopped(tmp_path: Path) -> None:
    wire, path = Wire(limit=1200), table(tmp_path / "a.csv", 3000)
    report = run(tmp_path, wire, path)
    assert not report.complete
    assert "Stopped: broker x:1: cannot be reached; what was sent is safe, run the same command" in report.sentence()
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


def test_restart_sends_everything_once_more(tmp_path: Path) -> None:
    wire, path = Wire(), table(tmp_path / "a.csv", 5)
    run(tmp_path, wire, path)
    run(tmp_path, wire, path, restart=True)
    assert len(wire.messages) == 10


def test_a_renamed_file_is_known_by_its_content(tmp_path: Path) -> None:
    wire, path = Wire(), table(tmp_path / "a.csv", 5)
    run(tmp_path, wire, path)
    run(tmp_path, wire, path.rename(tmp_path / "b.csv"))
    assert len(wire.messages) == 5


def test_a_stop_keeps_what_was_sent_and_says_how_to_go_on(tmp_path: Path) -> None:
    stop, wire, path = Signal(), Wire(), table(tmp_path / "a.csv", 3000)

    class Stopping(Wire):
        def __call__(self, messages: Sequence[Message]) -> None:
            wire(messages)
            stop.set()

    report = importer(tmp_path).run([path], Stopping().open, stop)
    assert not report.complete
    assert "run the same command again to continue" in report.sentence()
    assert len(wire.messages) == 500
    run(tmp_path, wire, path)
    assert wire.numbers == [str(n) for n in range(3000)]


def test_wrong_columns_are_told_before_anything_is_sent(tmp_path: Path) -> None:
    good, bad = table(tmp_path / "a.csv", 5), tmp_path / "b.csv"
    bad.write_text("number;time\n1;2\n")
    wire = Wire()
    with pytest.raises(WrongInput, match=r'b.csv has no column "number", "time"; .* write delimiter = ";" in the'):
        run(tmp_path, wire, good, bad)
    assert wire.opened == 0


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "it has no columns at all. Correct the mapping, its delimiter or the file"),
        (b"\x1f\x8b broken", "is cut short or damaged"),
        ("number,time\n".encode("utf-16-le"), 'encoding = "utf-16-le"'),
    ],
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
    report = run(tmp_path, wire, path)
    assert "cut short or damaged" in report.sentence()
    assert not report.complete
    assert wire.numbers == [str(n) for n in range(len(wire.messages))]
    assert len(wire.messages) == report.files[0].sent > 10_000


def test_bad_rows_are_counted_by_reason_and_listed_without_their_content(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"number,time\n1,2\nonly-one-secret-cell\n3,4,5\n\xff\xfe,4\n\n5,6\n")
    wire = Wire()
    report = run(tmp_path, wire, path)
    assert wire.numbers == ["1", "5"]
    assert report.files[0].rejected == {"wrong_cells": 2, "bad_encoding": 1}
    assert "2 wrong_cells" in report.sentence()
    (listed,) = (tmp_path / "imports").glob("*.rejects.jsonl")
    told = [json.loads(line) for line in listed.read_text().splitlines()]
    assert [(one["row"], one["line"]) for one in told] == [(2, 3), (3, 4), (4, 5)]
    assert "secret" not in listed.read_text()
    assert 'encoding = "cp1252"' in report.sentence()


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


def test_of_a_file_that_grew_only_what_is_new_is_sent(tmp_path: Path) -> None:
    wire, path = Wire(), table(tmp_path / "a.csv", 5)
    run(tmp_path, wire, path, mapping=BY_ROW)
    with path.open("a") as file:
        file.write("5,2026-01-01T00:00:00Z\n6,2026-01-01T00:00:00Z\n")
    report = run(tmp_path, wire, path, mapping=BY_ROW)
    assert wire.ids == [f"lund/a.csv/{n}" for n in range(1, 8)]
    assert "a.csv has grown since 5 rows of it were imported; what is new follows." in report.sentence()


def test_a_changed_file_is_refused_where_ids_are_its_rows(tmp_path: Path) -> None:
    wire, path = Wire(limit=1200), table(tmp_path / "a.csv", 3000)
    run(tmp_path, wire, path, mapping=BY_ROW)
    table(path, 3000, first=1)
    with pytest.raises(WrongInput, match=r"changed above row 1,000.*begin anew with --restart"):
        run(tmp_path, wire, path, mapping=BY_ROW)
    assert len(wire.messages) == 1000
    assert run(tmp_path, wire, path, mapping=BY_ROW, restart=True).files[0].sent == 3000


def test_a_changed_file_is_sent_anew_where_ids_do_not_depend_on_rows(tmp_path: Path) -> None:
    wire, path = Wire(), table(tmp_path / "a.csv", 3)
    run(tmp_path, wire, path)
    report = run(tmp_path, wire, table(path, 3, first=1))
    assert wire.numbers == ["0", "1", "2", "1", "2", "3"]
    assert "a.csv was changed since 3 rows of it were imported; it is imported from its start" in report.sentence()


def test_a_file_renamed_on_the_way_keeps_the_ids_it_had(tmp_path: Path) -> None:
    wire, path = Wire(limit=1200), table(tmp_path / "a.csv", 2000)
    run(tmp_path, wire, path, mapping=BY_ROW)
    run(tmp_path, wire, path.rename(tmp_path / "b.csv"), mapping=BY_ROW)
    assert wire.ids == [f"lund/a.csv/{n}" for n in range(1, 2001)]


def test_another_file_with_the_same_beginning_is_another_file(tmp_path: Path) -> None:
    wire = Wire()
    run(tmp_path, wire, table(tmp_path / "a.csv", 0), mapping=BY_ROW)
    run(tmp_path, wire, table(tmp_path / "b.csv", 2), mapping=BY_ROW)
    assert wire.ids == ["lund/b.csv/1", "lund/b.csv/2"]


def test_rejected_rows_stand_beside_the_file_and_go_in_when_mended(tmp_path: Path) -> None:
    path, wire = tmp_path / "a.csv", Wire(batch=1)
    path.write_bytes(b'number,time\r\n1,2\r\n"two\nlines"\r\n3,4,5\r\n6,7')
    report = run(tmp_path, wire, path)
    rejected = tmp_path / "a.rejected.csv"
    assert f"mend them in {rejected} and import that file" in report.sentence()
    assert rejected.read_bytes() == b'number,time\r\n"two\nlines"\r\n3,4,5\r\n'
    rejected.write_bytes(b"number,time\r\n2,2\r\n3,4\r\n")
    assert run(tmp_path, wire, path, rejected).complete
    assert wire.numbers == ["1", "6", "2", "3"]


def test_rows_that_are_being_mended_are_never_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("number,time\nbad\n")
    run(tmp_path, Wire(), path)
    (tmp_path / "a.rejected.csv").write_text("number,time\nmended,1\n")
    run(tmp_path, Wire(), path, restart=True)
    assert (tmp_path / "a.rejected.csv").read_text() == "number,time\nmended,1\n"
    assert (tmp_path / "a.rejected-2.csv").read_text() == "number,time\nbad\n"


def test_rejected_rows_are_listed_and_kept_once_even_after_a_kill(tmp_path: Path) -> None:
    path, wire = tmp_path / "a.csv", Wire(limit=700)
    path.write_text("number,time\n" + "1,2\n" * 499 + "bad\n" + "1,2\n" * 499 + "bad\n")
    run(tmp_path, wire, path)
    (record,) = (tmp_path / "imports").glob("*.json")
    with (tmp_path / "a.rejected.csv").open("a") as kept, record.with_suffix(".rejects.jsonl").open("a") as listed:
        kept.write("written, but not recorded\n")
        listed.write('{"row": 1000}\n')
    run(tmp_path, wire, path)
    assert (tmp_path / "a.rejected.csv").read_text() == "number,time\nbad\nbad\n"
    assert record.with_suffix(".rejects.jsonl").read_text().count("\n") == 2


def test_rejected_rows_that_name_persons_are_kept_nowhere(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("number,time\nsecret-person,no number\n")
    report = run(tmp_path, Wire(), path, mapping=PERSONS)
    assert report.files[0].rejected == {"no_number": 1}
    assert [file.name for file in tmp_path.iterdir() if "secret" in file.name or "rejected" in file.name] == []
    assert not any(b"secret" in file.read_bytes() for file in (tmp_path / "imports").iterdir())


def test_a_row_too_large_for_the_way_costs_that_row_alone(tmp_path: Path) -> None:
    path, wire = tmp_path / "a.csv", Wire(largest=200)
    path.write_text(f"number,time\n1,2\n{'x' * 300},2\n3,4\n")
    report = run(tmp_path, wire, path)
    assert wire.numbers == ["1", "3"]
    assert report.files[0].rejected == {"too_large": 1}


def test_memory_does_not_grow_with_the_file(tmp_path: Path) -> None:
    peaks = []
    for rows in (2_000, 40_000):
        path, wire = table(tmp_path / f"{rows}.csv", rows), Sink()
        tracemalloc.start()
        run(tmp_path, wire, path)
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert wire.sent == rows
    assert peaks[1] < 1.3 * peaks[0]
