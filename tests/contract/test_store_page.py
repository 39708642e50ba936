"""`docs/store.md` says what the code does."""

import re
import sqlite3
from pathlib import Path

import pytest

from pipeline.store import limits, responses, schema
from pipeline.store.port import StoreAway, StoreHeld
from pipeline.store.sqlite import SQLiteStore

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "store.md").read_text()


def table(heading: str) -> list[list[str]]:
    """Cells of the first table under a heading, without its head; code marks are dropped."""
    section = re.split(r"^#+ ", PAGE.split(f"# {heading}\n", 1)[1], maxsplit=1, flags=re.MULTILINE)[0]
    lines = [line for line in section.splitlines() if line.startswith("|")]
    return [[cell.strip().replace("`", "") for cell in line.strip("|").split("|")] for line in lines[2:]]


def test_the_measurements_of_raw_are_those_of_the_code() -> None:
    fields = ", ".join(f"{name} ({kind})" for name, kind in schema.RAW_FIELDS.items())
    expected = [[stream, ", ".join(tags), fields] for stream, tags in schema.TAGS.items()]
    touch = ", ".join(f"{name} ({kind})" for name, kind in schema.TOUCH_FIELDS.items())
    assert table("Bucket `raw`") == [*expected, [schema.TOUCH_MEASUREMENT, ", ".join(schema.TOUCH_TAGS), touch]]


def test_the_measurements_of_derived_are_those_of_the_code() -> None:
    ((_, tags, fields),) = table("Bucket `derived`")
    assert tags == ", ".join(schema.RECORD_TAGS)
    assert fields == ", ".join(f"{name} ({kind})" for name, kind in schema.RECORD_FIELDS.items())


def test_the_tables_of_the_files_are_those_on_the_disk(tmp_path: Path) -> None:
    SQLiteStore(tmp_path).close()
    found = []
    for file in ("raw.db", "derived.db"):
        connection = sqlite3.connect(tmp_path / file)
        for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' ORDER BY rowid"):
            columns = [row[1] for row in connection.execute(f"PRAGMA table_info({name})")]
            key = [row[2] for row in connection.execute(f"PRAGMA index_info(sqlite_autoindex_{name}_1)")]
            found.append([file, name, ", ".join(columns), ", ".join(key)])
        version = connection.execute("PRAGMA user_version").fetchone()[0]
        assert re.search(rf"Schema versions:.*{re.escape(file)} {version}\b", PAGE)
        connection.close()
    assert table("SQLite") == found


def test_the_record_kinds_are_those_of_the_code() -> None:
    assert tuple(dict.fromkeys(row[0] for row in table("Record kinds"))) == schema.RECORD_KINDS


def test_the_record_kinds_that_the_pipeline_writes_are_on_the_page() -> None:
    sources = "".join(path.read_text() for path in (ROOT / "pipeline").rglob("*.py"))
    assert set(re.findall(r'Record\(\s*kind="(\w+)"', sources)) <= set(schema.RECORD_KINDS)


def test_every_code_of_a_refusal_is_explained_and_no_other() -> None:
    sources = (ROOT / "pipeline" / "store").glob("*.py")
    quoted = set(re.findall(r'"([a-z]+(?:_[a-z]+)+)"', "".join(path.read_text() for path in sources)))
    explained = [row[0] for row in table("What is refused")]
    assert explained == sorted(explained)
    assert set(explained) <= quoted
    text = Path(limits.__file__).read_text()
    raised = set(re.findall(r'Unrepresentable\("(\w+)"|return "(\w+)", f"|code="(\w+)"', text))
    raised |= set(re.findall(r'return "(\w+)"()()', Path(responses.__file__).read_text()))
    assert {code for found in raised for code in found if code} <= set(explained)


@pytest.mark.parametrize(
    "bound",
    [
        f"{limits.MAX_BODY_BYTES:,} bytes",
        f"{limits.MAX_TAG_BYTES} bytes",
        f"{limits.MAX_ID_BYTES} bytes",
        f"{limits.MAX_DEPTH} levels",
    ],
)
def test_the_bounds_are_those_of_the_code(bound: str) -> None:
    assert bound in PAGE


def test_the_answers_are_classed_as_in_the_code() -> None:
    meant = {"split": responses.Split, "away": StoreAway, "held": StoreHeld}
    for answer, kind, _ in table("What InfluxDB answers and what we do"):
        message = b'{"message":"shard 1 is pending deletion"}' if "pending deletion" in answer else b""
        for status in re.findall(r"\b[45]\d\d\b", answer.replace("5xx", "500, 503").replace("4xx", "405")):
            assert type(responses.meaning(int(status), {}, message, "it")) is meant[kind], answer
