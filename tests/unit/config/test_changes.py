"""What differs between two states of a catalogue, and what follows from it."""

import json
import subprocess
from pathlib import Path

import pytest

from config.catalogue import load_catalogue
from config.changes import Change, changes, earlier
from config.problems import ConfigError
from tests.command import periscope
from tests.unit.config.test_lint import CLEAN


def differing(folder: Path, old: dict[str, str], new: dict[str, str]) -> list[Change]:
    for name, files in (("old", old), ("new", new)):
        (folder / name).mkdir()
        for file, text in files.items():
            (folder / name / file).write_text(text)
    return changes(load_catalogue(folder / "old"), load_catalogue(folder / "new"))


def test_nothing_differs_where_only_comments_do(tmp_path: Path) -> None:
    assert differing(tmp_path, {"lund.toml": CLEAN}, {"lund.toml": f"# a comment\n{CLEAN}"}) == []


def test_pilots_that_come_and_go(tmp_path: Path) -> None:
    found = differing(tmp_path, {"lund.toml": CLEAN}, {"ystad.toml": CLEAN.replace("lund", "ystad")})
    assert [(one.place, one.how) for one in found] == [("lund.toml", "removed"), ("ystad.toml", "added")]
    assert "unknown_pilot" in found[0].consequence
    assert "user of the broker" in found[1].consequence


@pytest.mark.parametrize(
    ("old", "new", "key", "how", "said"),
    [
        ('id = "app"', 'id = "web"', "feeds.app", "removed", "pilots/lund/usage/app is no event any more"),
        ('id = "app"', 'id = "web"', "feeds.web", "added", "takes pilots/lund/usage/app"),
        ("usage/app", "usage/web", "feeds.app.topic", "changed", "leaves the old topic"),
        ('"t", values', '"u", values', "feeds.air.map", "changed", "makes a step"),
        ('"15m"', '"20m"', "feeds.air.expect_every", "changed", "completeness"),
        ("90000", "90001", "denominators", "changed", "rates per 1,000"),
        ("Stockholm", "Berlin", "time_zone", "changed", "computed again"),
        ('"Lund"', '"Lund town"', "name", "changed", "pages show it"),
    ],
)
def test_each_difference_is_named_with_what_follows(
    tmp_path: Path, old: str, new: str, key: str, how: str, said: str
) -> None:
    assert old in CLEAN
    found = differing(tmp_path, {"lund.toml": CLEAN}, {"lund.toml": CLEAN.replace(old, new, 1)})
    (one,) = [change for change in found if change.key == key]
    assert one.how == how
    assert said in one.consequence


def test_another_limit_of_disclosure(tmp_path: Path) -> None:
    limits = {f"{name}": {"lund.toml": CLEAN, "catalogue.toml": f"disclosure_k = {k}\n"}
              for name, k in (("old", 5), ("new", 10))}  # fmt: skip
    (found,) = differing(tmp_path, limits["old"], limits["new"])
    assert (found.place, found.key) == ("catalogue.toml", "disclosure_k")
    assert "hidden by another limit" in found.consequence


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    folder = tmp_path / "city/pilots"
    folder.mkdir(parents=True)
    (folder / "lund.toml").write_text(CLEAN)
    for words in (["init", "-q"], ["add", "."], ["-c", "user.name=t", "-c", "user.email=t@t", "commit", "-qm", "one"]):
        subprocess.run(["git", "-C", tmp_path / "city", *words], check=True, capture_output=True)
    (folder / "lund.toml").write_text(CLEAN.replace("90000", "90001"))
    return folder


def test_the_command_compares_with_a_revision_and_with_a_folder(repository: Path, tmp_path: Path) -> None:
    done = periscope("lint", "--against", "HEAD", cwd=tmp_path, catalogue=repository)
    assert done.returncode == 0, done.stderr
    assert "changed: lund.toml: denominators: rates per 1,000" in done.stdout
    assert "1 changes against HEAD" in done.stdout
    assert (repository / "lund.toml").read_text() == CLEAN.replace("90000", "90001")
    done = periscope("lint", "--against", repository, "--json", cwd=tmp_path, catalogue=repository)
    assert json.loads(done.stdout) == {"findings": [], "changes": []}


@pytest.mark.parametrize("revision", ["nowhere", "--output=x", "HEAD:lund.toml"])
def test_what_is_no_earlier_state_is_told(repository: Path, revision: str) -> None:
    with pytest.raises(ConfigError, match="no folder and no revision"), earlier(repository, revision):
        pass
