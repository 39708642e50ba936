"""The rules of structure hold: who imports whom, who may ask for the time, which file knows which outside system."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

import pytest

from tests.command import ROOT, periscope

PACKAGES = ("collectors", "pipeline", "dashboard", "config")
SOURCES = sorted(path for package in PACKAGES for path in (ROOT / package).rglob("*.py"))
# Which files know SQLite: the embedded store, the spool with its index and ledger, the operational database.
SQLITE = [
    "collectors/erasure.py", "collectors/tombstones.py",
    "pipeline/store/sqlite*.py", "pipeline/store/schema.py", "pipeline/state_file.py", "pipeline/migrations.py",
    "collectors/doctor/spool_look.py", "collectors/spool*.py", "collectors/index.py", "collectors/ledger.py",
    "collectors/dead_*.py", "collectors/replay.py", "collectors/timing.py", "pipeline/sqlite_writing.py",
]  # fmt: skip
CLOCKS = {("time", "time"), ("time", "time_ns"), ("datetime", "now"), ("datetime", "utcnow"), ("date", "today")}


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(), str(path))


def imports(path: Path) -> Iterator[str]:
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module


def name(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def test_imports_point_inward_and_each_outside_system_has_one_file() -> None:
    tool = Path(sys.executable).with_name("lint-imports")
    done = subprocess.run([tool], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


def test_only_the_named_files_know_sqlite() -> None:
    known = {name(path) for path in SOURCES if "sqlite3" in imports(path)}
    assert {path for path in known if not any(fnmatch(path, pattern) for pattern in SQLITE)} == set()


def test_only_the_command_line_asks_for_the_time() -> None:
    asked = [
        f"{name(path)}:{node.lineno}"
        for path in SOURCES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name)
        if (node.value.id, node.attr) in CLOCKS
    ]
    assert asked == []


def test_every_module_opens_with_a_sentence() -> None:
    every = [path for path in [*SOURCES, ROOT / "periscope.py"] if path.read_text()]
    assert [name(path) for path in every if not ast.get_docstring(tree(path))] == []


def test_no_module_has_a_name_without_a_subject() -> None:
    vague = {"utils", "common", "base", "manager", "misc", "helpers"}
    assert [name(path) for path in SOURCES if path.stem in vague] == []


@pytest.mark.parametrize(
    ("verb", "spared"),
    [("collect", {"dash", "flask", "pandas"}), ("import", {"dash", "flask", "pandas"}), ("lint", {"dash", "flask"})],
)
def test_a_verb_loads_only_its_own_part(tmp_path: Path, verb: str, spared: set[str]) -> None:
    # A file where the state should be ends each verb after everything was imported.
    (tmp_path / "file").write_text("")
    code = (
        "import sys, periscope\n"
        f"periscope.main({[verb, *_ARGUMENTS.get(verb, []), '--state', str(tmp_path / 'file' / 'state')]!r})\n"
        f"print(sorted(set(sys.modules) & {spared!r}))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[-1] == "[]", done.stdout + done.stderr


def test_the_module_runs_as_a_program(tmp_path: Path) -> None:
    done = periscope("--help", cwd=tmp_path)
    assert done.returncode == 0
    assert "Exit codes: 0 done, 1 failed, 2 wrong use" in done.stdout


_ARGUMENTS = {
    "import": ["nothing.csv", "--mapping", "config/examples/air-quality/mappings/air.toml", "--pilot", "aberdeen",
               "--catalogue", "config/examples/air-quality"]
}  # fmt: skip
