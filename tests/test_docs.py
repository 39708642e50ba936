"""Documents that can be wrong are compared with the code; `python -m tests.test_docs` writes the generated ones."""

import doctest
import importlib
import pkgutil
import re
import subprocess
from collections.abc import Callable
from functools import partial
from pathlib import Path

import pytest

import config
import pipeline
from config.arguments import build_parser
from config.events.page import page as events_page
from config.events.schemas import FOLDER as SCHEMAS
from config.events.schemas import files as schema_files
from config.reference import cli_page, example_env, settings_page
from config.units_page import page as units_page
from config.vocabulary import page as vocabulary_page
from dashboard.api.document import text as openapi
from pipeline.dictionary import markdown
from tests.command import ROOT, periscope

README = (ROOT / "README.md").read_text()
# Modules that load an outside library only to run the examples of others would make this slow.
EXAMPLES = [config, pipeline]


def command_line() -> str:
    import periscope as program

    return cli_page(build_parser({verb: str(run.__doc__) for verb, run in program.VERBS.items()}))


GENERATED: dict[str, Callable[[], str]] = {
    "docs/settings.md": settings_page,
    "docs/cli.md": command_line,
    "config/example.env": example_env,
    "docs/indicators.md": markdown,
    "docs/vocabulary.md": vocabulary_page,
    "docs/units.md": units_page,
    "docs/api/openapi.json": openapi,
    "docs/schemas/README.md": events_page,
    **{path: partial(str, text) for path, text in schema_files().items()},
}


@pytest.mark.parametrize("page", GENERATED)
def test_a_generated_page_is_what_the_code_says(page: str) -> None:
    assert (ROOT / page).read_text() == GENERATED[page](), f"{page} is old; run `make docs`"


def test_no_schema_is_left_of_a_type_that_is_gone() -> None:
    there = {path.relative_to(ROOT).as_posix() for path in (ROOT / SCHEMAS).iterdir()}
    assert there == {path for path in GENERATED if path.startswith(f"{SCHEMAS}/")}


def test_every_command_in_the_readme_exists(tmp_path: Path) -> None:
    commands = re.findall(r"^\$? ?(make|periscope) ([a-z-]+)", README, re.MULTILINE)
    assert ("make", "demo") in commands
    assert ("make", "test") in commands
    makefile = (ROOT / "Makefile").read_text()
    for program, verb in set(commands):
        if program == "make":
            assert re.search(rf"^{verb}:.*## ", makefile, re.MULTILINE), verb
        else:
            assert periscope(verb, "--help", cwd=tmp_path).returncode == 0, verb


def test_every_make_target_that_the_issue_names_is_listed_by_help() -> None:
    said = subprocess.run(["make", "help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    listed = re.findall(r"^  make ([a-z-]+)", said, re.MULTILINE)
    assert set(listed) >= {"demo", "test", "test-all", "check", "services", "bench", "chaos", "help"}


@pytest.mark.parametrize("page", sorted(path.relative_to(ROOT).as_posix() for path in ROOT.glob("docs/**/*.md")))
def test_links_between_documents_lead_somewhere(page: str) -> None:
    text = (ROOT / page).read_text()
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", text):
        assert ((ROOT / page).parent / target).exists(), target


def test_links_of_the_readme_lead_somewhere() -> None:
    for target in re.findall(r"\]\(([^)#:]+)(?:#[^)]*)?\)", README):
        assert (ROOT / target).exists(), target


def test_the_examples_in_docstrings_are_true() -> None:
    tried = 0
    for package in EXAMPLES:
        for module in pkgutil.walk_packages(package.__path__, f"{package.__name__}."):
            found = doctest.testmod(importlib.import_module(module.name))
            assert found.failed == 0, module.name
            tried += found.attempted
    assert tried > 0


def test_the_lock_holds_hashes_and_no_address() -> None:
    lock = (ROOT / "requirements.txt").read_text()
    packages = re.findall(r"^[A-Za-z0-9._-]+==", lock, re.MULTILINE)
    assert len(packages) > 50
    assert lock.count("--hash=sha256:") >= len(packages)
    assert "://" not in lock
    assert "--index-url" not in lock


if __name__ == "__main__":
    for name, make in GENERATED.items():
        (ROOT / name).write_text(make())
        print(f"wrote {name}")
