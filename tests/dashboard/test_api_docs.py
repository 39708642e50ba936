"""The examples of docs/api.md, run as they stand but for the address, and its table against the code."""

import json
import re
import subprocess
import threading
from collections.abc import Callable
from pathlib import Path

from config.catalogue import Catalogue
from dashboard.api.endpoints import ENDPOINTS
from dashboard.serve import open_server, stop
from tests.command import ROOT
from tests.dashboard.conftest import Site
from tests.dashboard.made_up import MadeUpAnswers
from tests.dashboard.signing import PASSWORD, house

PAGE = (ROOT / "docs/api.md").read_text()
BLOCKS = re.findall(r"```\n(.*?)```", PAGE, re.DOTALL)


def run(block: str, address: str, folder: Path) -> list[str]:
    """What each line of a block prints; a line that fails fails the test."""
    told = []
    for line in block.replace("http://127.0.0.1:8050", address).strip().splitlines():
        done = subprocess.run(["bash", "-c", line], cwd=folder, capture_output=True, text=True, timeout=60, check=True)
        told.append(done.stdout)
    return told


def test_the_examples_without_accounts_run(
    serve: Callable[[MadeUpAnswers], Site], answers: MadeUpAnswers, tmp_path: Path
) -> None:
    first, versions, errors, _signing = BLOCKS
    address = serve(answers).address
    pilots, values, chosen, retention, fit = run(first, address, tmp_path)
    assert [one["pilot"] for one in json.loads(pilots)["items"]] == answers.pilots
    assert {one["pilot"] for one in json.loads(values)["items"]} == {"genoa", "athens"}
    assert {one["period"] for one in json.loads(chosen)["items"]} == {"chosen"}
    assert retention.startswith('"pilot","cohort"')
    assert fit.startswith('"pilot","stage","dim"')
    assert run(versions, address, tmp_path)[1].strip() == "304"
    [refused] = run(errors, address, tmp_path)
    assert "atlantis" in refused
    assert refused.endswith("400\n")


def test_the_example_of_signing_in_runs(catalogue: Catalogue, tmp_path: Path) -> None:
    (tmp_path / "password.txt").write_text(PASSWORD)
    with house(catalogue) as site:
        site.add("anna", "viewer", ["genoa"])
        server = open_server(site.app, "127.0.0.1", 0)
        thread = threading.Thread(target=server.run, daemon=True)
        thread.start()
        try:
            told = run(BLOCKS[3], f"http://127.0.0.1:{server.effective_port}", tmp_path)
        finally:
            stop(server, thread, patience_s=60)
    assert {one["pilot"] for one in json.loads(told[-1])["items"]} == {"genoa"}


def test_the_page_names_every_address_and_its_parameters() -> None:
    rows = re.findall(r"^\| (`[a-z-]+`(?:, `[a-z-]+`)*) \| .* \| ([^|]*) \|$", PAGE, re.MULTILINE)
    told = {name: re.findall("`([a-z]+)`", words) for names, words in rows for name in re.findall("`([a-z-]+)`", names)}
    assert told == {name: list(one.parameters) for name, one in ENDPOINTS.items()}
