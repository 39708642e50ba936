"""Wrong use and wrong configuration: one sentence, the right exit code, never a traceback."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command import ROOT, environment, periscope

PILOT = 'slug = "lund"\nname = "Lund"\ncountry = "SE"\n{zone}\n[[feeds]]\nid = "a"\ntopic = "t"\nstream = "usage"\n'
ZONE = 'time_zone = "Europe/Stockholm"'
VOTES = ROOT / "config/examples/deliberations/mappings/votes.toml"


def told(done: "subprocess.CompletedProcess[str]", code: int) -> str:
    """The one sentence on stderr."""
    assert done.returncode == code, done.stderr
    assert "Traceback" not in done.stderr + done.stdout
    lines = done.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    return lines[0]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "periscope: the following arguments are required: VERB; see periscope --help"),
        (["dance"], "invalid choice: 'dance'"),
        (["pipeline", "--twice"], "unrecognized arguments: --twice"),
        (["import", "a.csv"], "the following arguments are required: --pilot"),
        (["import", "a.csv", "--pilot", "genoa"], "give FILE and --mapping, or --workbook"),
        (
            ["import", "a.csv", "--workbook", "b.xlsx", "--pilot", "genoa"],
            "leave out FILE and --mapping, or --workbook",
        ),
        (["import", "--workbook", "b.xlsx", "--pilot", "genoa"], "b.xlsx is not there"),
        (["import", "--workbook", "b.xlsx", "--pilot", "x"], 'There is no pilot "x"'),
        (["workbook"], "give FILE.xlsx, --csv FOLDER or both"),
        (["workbook", "a.ods"], "it must end in .xlsx"),
        (["workbook", "a.xlsx", "--pilot", "x"], "there is no pilot x"),
        (["lint", "--set", "mqtt"], "--set: mqtt: is not KEY=VALUE"),
        (["lint", "--set", "mqtt.portt=1"], "mqtt.portt: is not a known key"),
        (["lint", "--set", "mqtt.port=many"], "mqtt.port: "),
        (["lint", "--catalogue", "nowhere"], "there is no such catalogue folder"),
        (["export", "--start", "yesterday"], 'argument --start: "yesterday" is no day; write it as 2026-01-31'),
        (["export", "--start", "0001-01-01"], 'argument --start: "0001-01-01" is no day from 1970 to 2199'),
        (["export", "--pilots", "oslo"], "unknown pilot oslo (choose from athens, bremen"),
    ],
)
def test_wrong_use_is_told_in_one_sentence(tmp_path: Path, words: list[str], said: str) -> None:
    assert said in told(periscope(*words, cwd=tmp_path), 2)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (PILOT.format(zone=ZONE) + "name = [", "lund.toml: is not TOML"),
        (PILOT.format(zone=ZONE) + "colour = 1", "lund.toml: feeds.0.colour: is not a known key (remove it or"),
        (PILOT.format(zone=""), "lund.toml: time_zone: is missing (add this key)"),
    ],
)
def test_a_broken_pilot_file_is_told_with_its_place(tmp_path: Path, text: str, said: str) -> None:
    (tmp_path / "lund.toml").write_text(text)
    assert said in told(periscope("lint", cwd=tmp_path, catalogue=tmp_path), 2)


@pytest.mark.parametrize("verb", [["collect"], ["pipeline", "--once"], ["dashboard"], ["export"], ["simulate"]])
def test_no_verb_starts_with_a_broken_pilot_file(tmp_path: Path, verb: list[str]) -> None:
    (tmp_path / "lund.toml").write_text(PILOT.format(zone=""))
    done = periscope(*verb, cwd=tmp_path, catalogue=tmp_path)
    assert "lund.toml: time_zone: is missing (add this key)" in told(done, 2)
    assert not (tmp_path / "var").exists()


def test_a_broken_settings_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "periscope.toml").write_text("[mqtt\n")
    assert "periscope.toml: is not TOML" in told(periscope("lint", cwd=tmp_path), 2)
    (tmp_path / "periscope.toml").write_text("[mqtt]\nportt = 1\n")
    assert "periscope.toml: mqtt.portt: is not a known key" in told(periscope("lint", cwd=tmp_path), 2)


def test_a_misspelt_variable_is_told(tmp_path: Path) -> None:
    assert "PERISCOPE_MQTTT__PORT: is not a known setting" in told(periscope("lint", cwd=tmp_path, mqttt__port=1), 2)


def test_a_csv_with_wrong_columns_is_told_before_a_broker_is_looked_for(tmp_path: Path) -> None:
    table = tmp_path / "votes.csv"
    table.write_text("timestamp,voter,vote\n1,2,3\n")
    done = periscope(
        "import", table, "--mapping", VOTES, "--pilot", "ubi", cwd=tmp_path,
        catalogue=ROOT / "config/examples/deliberations",
    )  # fmt: skip
    said = told(done, 2)
    assert 'votes.csv has no column "voter-id", "comment-id"; it has "timestamp", "voter", "vote".' in said


@pytest.mark.parametrize("verb", [["collect"], ["pipeline", "--once"], ["export"], ["demo"]])
def test_a_store_that_cannot_be_written_is_told(tmp_path: Path, verb: list[str]) -> None:
    (tmp_path / "file").write_text("a file where a folder should be")
    said = told(periscope(*verb, cwd=tmp_path, state=tmp_path / "file" / "state"), 1)
    assert str(tmp_path / "file") in said
    assert "PERISCOPE_STATE" in said


def test_an_export_of_nothing_is_told(tmp_path: Path) -> None:
    assert "there is nothing to export" in told(periscope("export", cwd=tmp_path), 1)


def test_an_unexpected_error_is_one_sentence_and_its_details_are_in_a_file(tmp_path: Path) -> None:
    # The verb is replaced from outside, as nobody can foresee what is unexpected.
    code = "import sys, periscope; periscope.VERBS['lint'] = lambda command: 1 / 0; sys.exit(periscope.main(['lint']))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=environment(), capture_output=True, text=True, check=False
    )
    assert "stopped by an unexpected ZeroDivisionError; details are in var/errors.log" in told(done, 1)
    assert "ZeroDivisionError: division by zero" in (tmp_path / "var/errors.log").read_text()


def test_the_catalogue_given_by_argument_wins_over_the_environment(tmp_path: Path) -> None:
    done = periscope(
        "lint", "--catalogue", ROOT / "config/examples/air-quality", cwd=tmp_path, catalogue=tmp_path / "nowhere"
    )
    assert done.returncode == 0
    assert "air-quality: 0 errors" in done.stdout


def test_lint_fails_on_errors_and_lists_them_as_json(tmp_path: Path) -> None:
    pilots = tmp_path / "pilots"
    pilots.mkdir()
    (pilots / "lund.toml").write_text(PILOT.format(zone=ZONE).replace('topic = "t"', 'topic = "pilots/ystad/usage/a"'))
    done = periscope("lint", "--json", cwd=tmp_path, catalogue=pilots)
    assert done.returncode == 1
    assert '"level": "error", "place": "lund.toml", "key": "feeds.a.topic"' in done.stdout


def test_dead_letters_without_a_spool_are_told(tmp_path: Path) -> None:
    assert "There is no spool at" in told(periscope("dead-letters", "count", cwd=tmp_path), 1)
    assert not (tmp_path / "var").exists()
