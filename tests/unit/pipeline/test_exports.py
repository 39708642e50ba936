import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Callable
from datetime import date
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from config.problems import ConfigError
from dashboard.downloads import as_csv
from pipeline.answers import Answers
from pipeline.dictionary import COLUMNS
from pipeline.exports import NothingToExport, _cell, export
from pipeline.spreadsheet import harmless
from tests.unit.pipeline.making import City, Clock, act, event, pilot

FACTS = {
    "arena": {"value": "Smart Square", "evidence": "verified", "source_url": "https://example.org/"},
    "methods": {"value": "unknown"},
}


def city(k: int = 0) -> City:
    found = City(pilot(facts=FACTS, denominators=[{"kind": "inhabitants"}]), Clock("2027-01-01T00:00:00"), k=k)
    found.add([act("2026-03-01T10:00:00", one) for one in "abc"])
    found.add([act("2026-03-02T10:00:00", "a"), act("2026-03-05T10:00:00", "d")])
    found.add(
        [
            event(
                "activity.held",
                "2026-03-02T18:00:00",
                data={"activity_id": "=cmd|' /C calc'!A0", "stage": "co_design", "method": "@survey", "attendance": 12},
            )
        ]
    )
    found.work()
    return found


def package(
    one: City, target: Path, start: str | None = None, end: str | None = None, release: str = "usual"
) -> dict[str, bytes]:
    answers = Answers(one.store, one.catalogue, one.operations)
    export(answers, one.catalogue, target, ["test"], start, end, release)
    with zipfile.ZipFile(target) as found:
        return {name: found.read(name) for name in found.namelist()}


def rows(files: dict[str, bytes], name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(files[name].decode(), newline="")))


def test_the_package_says_the_numbers_of_the_answers(tmp_path: Path) -> None:
    one = city()
    files = package(one, tmp_path / "out.zip")
    table = rows(files, "indicators.csv")
    assert list(table[0]) == [name for name, _, _ in COLUMNS]
    [people] = [
        row
        for row in table
        if row["indicator_id"] == "people" and (row["period_start"], row["period_end"]) == ("2026-03-01", "2026-03-05")
    ]
    assert (people["value"], people["n"], people["status"], people["synthetic"]) == ("4", "4", "ok", "false")
    keys = [
        (row["indicator_id"], row["period_start"], row["period_end"], row["subgroup_dim"], row["subgroup"])
        for row in table
    ]
    assert len(keys) == len(set(keys))


def test_the_package_says_how_the_events_of_each_figure_were_recorded(tmp_path: Path) -> None:
    one = city()
    one.add([act("2026-03-03T10:00:00", "e", data={"evidence": "device_log"})])
    one.add([event("contribution.made", "2026-03-04T10:00:00", "a", data={"evidence": "facilitator_record"})])
    one.work()
    found = {
        (row["indicator_id"], row["period_start"], row["period_end"]): row["evidence_quality"]
        for row in rows(package(one, tmp_path / "out.zip"), "indicators.csv")
    }
    assert found["contributors", "2026-03-04", "2026-03-04"] == "facilitator_record"
    assert found["core-actions", "2026-03-03", "2026-03-03"] == "device_log"
    assert found["core-actions", "2026-03-01", "2026-03-01"] == "unknown"
    assert found["core-actions", "2026-03-02", "2026-03-08"] == "device_log, unknown"
    assert found["adoption-per-1000", "2026-03-03", "2026-03-03"] == "device_log, unknown", "of all days up to it"
    assert found["completeness", "2026-03-03", "2026-03-03"] == "system_log"


def test_the_same_answers_give_the_same_bytes(tmp_path: Path) -> None:
    one = city()
    package(one, tmp_path / "a.zip")
    package(one, tmp_path / "b.zip")
    assert (tmp_path / "a.zip").read_bytes() == (tmp_path / "b.zip").read_bytes()


def test_dates_choose_the_periods_that_lie_wholly_within(tmp_path: Path) -> None:
    table = rows(package(city(), tmp_path / "out.zip", "2026-03-02", "2026-03-05"), "indicators.csv")
    assert {row["period_start"] for row in table} == {"2026-03-02", "2026-03-03", "2026-03-04", "2026-03-05"}
    assert all(row["period_end"] <= "2026-03-05" for row in table)


def test_every_row_is_counted_and_every_file_has_its_checksum(tmp_path: Path) -> None:
    files = package(city(), tmp_path / "out.zip")
    provenance = json.loads(files["provenance.json"])
    for name, number in provenance["rows"].items():
        assert len(rows(files, name)) == number
    assert sum(provenance["rows_by_status"].values()) == provenance["rows"]["indicators.csv"]
    assert provenance["config_hash"] == "test"
    sums = dict(line.split("  ")[::-1] for line in files["CHECKSUMS"].decode().splitlines())
    assert sums == {name: hashlib.sha256(body).hexdigest() for name, body in files.items() if name != "CHECKSUMS"}


def test_every_table_is_described_column_by_column(tmp_path: Path) -> None:
    files = package(city(), tmp_path / "out.zip")
    resources = json.loads(files["datapackage.json"])["resources"]
    assert {one["path"] for one in resources} == {name for name in files if name.endswith(".csv")}
    codebook = {(row["file"], row["name"]) for row in rows(files, "codebook.csv")}
    for one in resources:
        header = files[one["path"]].decode().splitlines()[0].split(",")
        assert header == [field["name"] for field in one["schema"]["fields"]]
        assert {(one["path"], name) for name in header} <= codebook


def test_no_text_cell_can_run_as_a_formula(tmp_path: Path) -> None:
    [activity] = rows(package(city(), tmp_path / "out.zip"), "activities.csv")
    assert activity["activity_id"] == "'=cmd|' /C calc'!A0"
    assert activity["method"] == "'@survey"
    assert activity["attendance"] == "12"


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\n", "\0", "＝", "＋", "－", "＠"])
def test_an_export_and_a_download_make_the_same_texts_harmless(start: str) -> None:
    text = f"{start}1+1"
    assert harmless(text) == _cell(text) == f"'{text}"
    assert as_csv([(text, -1.5)]) == f'"\'{text}",-1.5\r\n'
    assert _cell(-1.5) == "-1.5"


# What the profiles of Data Package 2.0 ask of a package of tables, written from them: no network is needed to check it.
PROFILES = "https://datapackage.org/profiles/2.0"
FIELD_TYPES = {
    "string", "number", "integer", "boolean", "object", "list", "array", "datetime", "date", "time", "year",
    "yearmonth", "duration", "geopoint", "geojson", "any",
}  # fmt: skip
FIELD = {
    "type": "object", "required": ["name"],
    "properties": {"name": {"type": "string", "minLength": 1}, "type": {"enum": sorted(FIELD_TYPES)},
                   "description": {"type": "string"}},
}  # fmt: skip
TABLE_SCHEMA = {
    "type": "object", "required": ["$schema", "fields"],
    "properties": {"$schema": {"const": f"{PROFILES}/tableschema.json"},
                   "fields": {"type": "array", "minItems": 1, "items": FIELD},
                   "missingValues": {"type": "array", "items": {"type": "string"}}},
}  # fmt: skip
RESOURCE = {
    "type": "object", "required": ["$schema", "name", "path", "type", "schema"], "not": {"required": ["data"]},
    "properties": {
        "$schema": {"const": f"{PROFILES}/dataresource.json"}, "name": {"pattern": "^[a-z0-9._-]+$"},
        "path": {"type": "string", "pattern": r"^(?=[^./~])(?!file:)((?!/\.\./)(?!\\)(?!://).)*$"},
        "type": {"const": "table"}, "format": {"type": "string"}, "mediatype": {"pattern": "^(.+)/(.+)$"},
        "encoding": {"type": "string"}, "hash": {"pattern": "^[^:]+:[a-fA-F0-9]+$"}, "schema": TABLE_SCHEMA,
    },
}  # fmt: skip
PACKAGE = {
    "type": "object", "required": ["$schema", "resources"], "not": {"required": ["profile"]},
    "properties": {
        "$schema": {"const": f"{PROFILES}/datapackage.json"}, "name": {"pattern": "^[a-z0-9._-]+$"},
        "title": {"type": "string"}, "version": {"type": "string"},
        "resources": {"type": "array", "minItems": 1, "items": RESOURCE},
    },
}  # fmt: skip
READERS: dict[str, Callable[[str], object]] = {
    "string": str, "number": float, "integer": int, "date": date.fromisoformat, "boolean": ("true", "false").index,
}  # fmt: skip


def test_the_package_is_a_data_package_of_version_2(tmp_path: Path) -> None:
    files = package(city(k=5), tmp_path / "out.zip")
    found = json.loads(files["datapackage.json"])
    assert [error.message for error in Draft202012Validator(PACKAGE).iter_errors(found)] == []
    names = [one["name"] for one in found["resources"]]
    assert len(set(names)) == len(names)
    for one in found["resources"]:
        assert one["hash"] == f"sha256:{hashlib.sha256(files[one['path']]).hexdigest()}"
        kinds = {field["name"]: READERS[field["type"]] for field in one["schema"]["fields"]}
        for row in rows(files, one["path"]):
            for name, text in row.items():
                assert text in one["schema"]["missingValues"] or kinds[name](text) is not None


def test_hidden_values_are_empty_and_say_so(tmp_path: Path) -> None:
    files = package(city(k=5), tmp_path / "out.zip")
    found = [row for row in rows(files, "indicators.csv") if row["status"] == "suppressed"]
    assert found
    assert {(row["value"], row["n"], row["lower"], row["upper"]) for row in found} == {("", "", "", "")}
    assert "from 1 to 4 are hidden" in files["README.md"].decode()


def test_unknown_facts_are_not_documented(tmp_path: Path) -> None:
    page = package(city(), tmp_path / "out.zip")["README.md"].decode()
    assert "- methods: not documented" in page
    assert "- arena: Smart Square (verified, https://example.org/)" in page


def test_nothing_to_export_is_an_error_and_leaves_no_file(tmp_path: Path) -> None:
    empty = City(pilot(), Clock("2027-01-01T00:00:00"))
    with pytest.raises(NothingToExport, match="nothing to export"):
        package(empty, tmp_path / "out.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_target_without_folder_is_one_sentence(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="is no folder"):
        package(city(), tmp_path / "nowhere" / "out.zip")


def test_each_row_says_how_it_was_released(tmp_path: Path) -> None:
    one = city(k=3)
    assert {row["release"] for row in rows(package(one, tmp_path / "usual.zip"), "indicators.csv")} == {"k=3"}
    files = package(one, tmp_path / "strict.zip", release="strict")
    assert {row["release"] for row in rows(files, "indicators.csv")} == {"k=10, counts of people rounded to 5"}
    provenance = json.loads(files["provenance.json"])
    assert (provenance["disclosure_k"], provenance["release"]) == (10, "strict")
    assert "rounded to multiples of 5" in files["README.md"].decode()


def test_the_strict_release_hides_below_10_and_rounds_the_rest(tmp_path: Path) -> None:
    inhabitants = {"kind": "inhabitants", "value": 1000, "year": 2020, "source": "made up"}
    one = City(pilot(denominators=[inhabitants]), Clock("2027-01-01T00:00:00"))
    one.add([act("2026-03-02T10:00:00", f"p{number}") for number in range(23)])
    one.add([act("2026-03-04T10:00:00", f"p{number}") for number in range(8)])
    held = {"activity_id": "x", "stage": "co_design", "attendance": 12}
    one.add([event("activity.held", "2026-03-02T18:00:00", data=held)])
    one.work()
    files = package(one, tmp_path / "strict.zip", release="strict")
    table = rows(files, "indicators.csv")

    def on(day: str, indicator: str) -> dict[str, str]:
        return next(
            row
            for row in table
            if (row["indicator_id"], row["period_start"], row["period_end"]) == (indicator, day, day)
            and not row["subgroup"]
        )

    monday = on("2026-03-02", "people")
    assert (monday["value"], monday["n"], monday["lower"], monday["upper"]) == ("25", "25", "", "")
    assert on("2026-03-02", "adoption-per-1000")["value"] == "25"
    assert on("2026-03-02", "core-actions-per-person")["value"] == "0.92"
    assert on("2026-03-02", "core-actions")["value"] == "23"
    assert (on("2026-03-04", "people")["status"], on("2026-03-04", "people")["value"]) == ("suppressed", "")
    assert [row["attendance"] for row in rows(files, "activities.csv")] == ["10"]


def test_the_package_lists_revisions(tmp_path: Path) -> None:
    one = city()
    one.add([act("2026-03-01T12:00:00", "late")])
    one.work()
    files = package(one, tmp_path / "a.zip")
    [people] = [
        row
        for row in rows(files, "revisions.csv")
        if row["indicator_id"] == "people" and row["period_start"] == row["period_end"]
    ]
    assert (people["before"], people["after"], people["revision"]) == ("3", "4", "1")
    assert people["reason"] == "events of 2026-03-01 came late"
    strict = rows(package(one, tmp_path / "b.zip", release="strict"), "revisions.csv")
    assert strict
    assert {(row["before"], row["after"]) for row in strict} == {("", "")}
