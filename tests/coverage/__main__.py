"""`make coverage`: the long form of the study, its table in docs/coverage.md and its figures in build/coverage.json.

`--only WORD` measures again what has that word in its name and keeps the other rows of the last run; `--resume` keeps
every row that the last run measured with as many draws. Short cells come first.
"""

import argparse
import json
import os
import sys
import time
import warnings
from multiprocessing import Pool
from pathlib import Path
from typing import Any, Final

from tests.coverage import one_size
from tests.coverage.page import page
from tests.coverage.study import DRAWS, RUNS, cells, measure

ROOT: Final = Path(__file__).parents[2]
FIGURES: Final = ROOT / "build" / "coverage.json"
PAGE: Final = ROOT / "docs" / "coverage.md"


def main() -> int:
    """Measure, write both files, and tell what fails; 1 where a test rejects too often."""
    given = argparse.ArgumentParser(prog="python -m tests.coverage", description=__doc__)
    given.add_argument("--only", default="", metavar="WORD")
    given.add_argument("--resume", action="store_true")
    given.add_argument("--draws", type=int, default=DRAWS)
    asked = given.parse_args()
    rows = _earlier() if asked.only or asked.resume else {}
    started = time.monotonic()
    wanted = [(name, _draws(name, asked.draws)) for name in cells() if asked.only in name]
    if asked.resume:
        wanted = [(name, draws) for name, draws in wanted if rows.get(name, {}).get("draws", 0) < draws]
    wanted.sort(key=lambda one: ("boot" in one[0] or "bca" in one[0], cells()[one[0]].n))
    FIGURES.parent.mkdir(exist_ok=True)
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        for done, (name, row) in enumerate(pool.imap_unordered(_measure, wanted), 1):
            rows[name] = row
            print(f"{done}/{len(wanted)} {row['rate']:.3f} {row['verdict']:12} {name}", flush=True)
            _keep(rows, started)
    PAGE.write_text(
        page([rows[name] for name in cells() if name in rows], one_size.rows(min(asked.draws, one_size.RUNS)))
    )
    print(f"{time.monotonic() - started:.0f} s; wrote {PAGE.relative_to(ROOT)} and {FIGURES.relative_to(ROOT)}")
    return int(any(row["verdict"] == "rejects too often" for row in rows.values()))


def _earlier() -> dict[str, dict[str, Any]]:
    found: dict[str, dict[str, Any]] = json.loads(FIGURES.read_text())["cells"] if FIGURES.exists() else {}
    return {name: row for name, row in found.items() if name in cells()}


def _draws(name: str, draws: int) -> int:
    return min(RUNS, draws) if name.startswith("level") else draws


def _measure(asked: tuple[str, int]) -> tuple[str, dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a resample without any event divides by zero, and says NaN
        return asked[0], measure(*asked)


def _keep(rows: dict[str, dict[str, Any]], started: float) -> None:
    """After each cell, so that a run that is cut short is not lost."""
    FIGURES.write_text(json.dumps({"seconds": round(time.monotonic() - started), "cells": rows}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
