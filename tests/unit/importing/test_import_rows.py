"""Files as offices write them: encodings, separators, line ends, broken rows; each row with its number and line."""

import gzip
import os
from pathlib import Path

import pytest

from collectors.import_mapping import ImportMapping, Unmapped, WrongInput
from collectors.import_rows import Rows
from collectors.import_source import MOST_LINE

TEXT = "number,time\nMalmö,1\n7,2\n"


def mapping(**changes: object) -> ImportMapping:
    return ImportMapping.model_validate({"feed": "f", "flat_json": {"columns": {"n": "number", "t": "time"}}} | changes)


def numbers(folder: Path, content: bytes, **changes: object) -> list[str]:
    """What stands in the column `number`, or the reason why a row is none."""
    path = folder / "a.csv"
    path.write_bytes(content)
    with Rows(path, mapping(**changes)) as rows:
        return [row.reason if isinstance(row, Unmapped) else row["number"] for _, row in rows]


@pytest.mark.parametrize(
    ("content", "changes"),
    [
        (TEXT.encode(), {}),
        (TEXT.encode("utf-8-sig"), {}),
        (TEXT.encode("cp1252"), {"encoding": "Windows-1252"}),
        (TEXT.encode("utf-16"), {}),
        (TEXT.replace(",", "\t").replace("\n", "\r\n").encode("utf-16"), {"delimiter": "\t"}),
        (b"\xfe\xff" + TEXT.encode("utf-16-be"), {}),
        (TEXT.encode("utf-16-le"), {"encoding": "utf-16-le"}),
        (TEXT.replace("\n", "\r\n").encode(), {}),
        (TEXT.replace("\n", "\r").encode(), {}),
        (TEXT.replace(",", ";").encode(), {"delimiter": ";"}),
        (gzip.compress(TEXT.encode("utf-16")), {}),
        (TEXT.rstrip().encode(), {}),
        (TEXT.replace("\n", "\n\n").encode(), {}),
    ],
    ids=["utf-8", "bom", "cp1252", "utf-16", "excel unicode text", "utf-16-be", "utf-16 told", "crlf", "cr",
         "semicolon", "packed", "no last newline", "empty lines"],
)  # fmt: skip
def test_rows_are_the_same_however_they_are_written(tmp_path: Path, content: bytes, changes: dict[str, object]) -> None:
    assert numbers(tmp_path, content, **changes) == ["Malmö", "7"]


@pytest.mark.parametrize(
    ("delimiter", "written"), [(";", '";"'), ("\t", '"\\t"'), ("|", '"|"')], ids=["semicolon", "tab", "bar"]
)
def test_another_delimiter_is_told_as_the_mapping_would_say_it(tmp_path: Path, delimiter: str, written: str) -> None:
    with pytest.raises(WrongInput) as caught:
        numbers(tmp_path, TEXT.replace(",", delimiter).encode())
    assert f"write delimiter = {written} in the mapping" in str(caught.value)


@pytest.mark.parametrize(
    ("content", "found"),
    [
        (b'number,time\n"two\nlines",1\n3,4\n', ["two\nlines", "3"]),
        (b"number,time\n1,2\n3", ["1", "wrong_cells"]),
        (b'number,time\n1,2\n"3,4', ["1", "wrong_cells"]),
        (b"number,time\n" + b"x" * 200_000 + b",1\n3,4\n", ["bad_csv", "3"]),
        (b"number,time\n" + b"x," * MOST_LINE + b"\n3,4\n", ["too_long", "3"]),
        (b"number,time\n1,2\n" + b"y" * (3 * MOST_LINE), ["1", "too_long"]),
    ],
    ids=["quoted newline", "cut off", "cut off in quotes", "huge field", "huge line", "huge last line"],
)
def test_a_broken_row_costs_that_row_alone(tmp_path: Path, content: bytes, found: list[str]) -> None:
    assert numbers(tmp_path, content) == found


def test_json_lines_of_another_encoding_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.jsonl"
    path.write_bytes('{"number": "Malmö", "time": 1}\n'.encode("cp1252"))
    with Rows(path, mapping(format="jsonl", encoding="cp1252")) as rows:
        assert [row for _, row in rows] == [{"number": "Malmö", "time": 1}]


def test_each_row_knows_its_line_and_where_it_ends(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'number,time\n"two\nlines",1\n\nbad\n3,4\n')
    with Rows(path, mapping()) as rows:
        found = [(number, rows.line, rows.mark.at) for number, _ in rows]
    assert found == [(1, 2, 26), (2, 5, 31), (3, 6, 35)]


def test_reading_goes_on_behind_any_row(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b'number,time\n"two\nlines",1\nbad\n3,4\n5,6\n')
    with Rows(path, mapping()) as rows:
        marks = [(rows.mark, number) for number, _ in rows]
    for mark, number in marks:
        with Rows(path, mapping()) as rows:
            assert rows.resume(mark)
            assert [one for one, _ in rows] == list(range(number + 1, 5))
            assert rows.mark == marks[-1][0]


def test_reading_does_not_go_on_where_something_before_was_changed(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"number,time\n1,2\n3,4\n")
    with Rows(path, mapping()) as rows:
        mark = next(rows.mark for _ in rows)
    for content in (b"number,time\n1,9\n3,4\n", b"number,time\n1,"):
        path.write_bytes(content)
        with Rows(path, mapping()) as rows:
            assert not rows.resume(mark)


def test_a_line_that_is_still_being_written_waits_for_its_end(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes(b"number,time\n1,2\n")
    os.utime(path, ns=(1, 1))
    with Rows(path, mapping()) as rows:
        with path.open("ab") as file:
            file.write(b"3,4\n5,")
        assert [row["number"] for _, row in rows if not isinstance(row, Unmapped)] == ["1", "3"]
        assert rows.source.held_back
        mark = rows.mark
    with path.open("ab") as file:
        file.write(b"6\n")
    with Rows(path, mapping()) as rows:
        assert rows.resume(mark)
        assert [row for _, row in rows] == [{"number": "5", "time": "6"}]
