"""`make coverage`: the long form of the study, its table in docs/coverage.md and its figures in build/coverage.json.

`--only WORD` measures again what has that word in its name and keeps the other rows of the last run.
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
    only = given.parse_args().only
    rows: dict[str, dict[str, Any]] = json.loads(FIGURES.read_text())["cells"] if only and FIGURES.exists() else {}
    started = time.monotonic()
    wanted = [name for name in cells() if only in name]
    FIGURES.parent.mkdir(exist_ok=True)
    with Pool(min(2, os.cpu_count() or 1)) as pool:
        for done, (name, row) in enumerate(pool.imap_unordered(_measure, wanted), 1):
            rows[name] = row
            print(f"{done}/{len(wanted)} {row['rate']:.3f} {row['verdict']:12} {name}", flush=True)
            _keep(rows, started)
    PAGE.write_text(page([rows[name] for name in cells() if name in rows], one_size.rows()))
    print(f"{time.monotonic() - started:.0f} s; wrote {PAGE.relative_to(ROOT)} and {FIGURES.relative_to(ROOT)}")
    return int(any(row["verdict"] == "rejects too often" for row in rows.values()))


def _measure(name: str) -> tuple[str, dict[str, Any]]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # a resample without any event divides by zero, and says NaN
        return name, measure(name, RUNS if name.startswith("level") else DRAWS)


def _keep(rows: dict[str, dict[str, Any]], started: float) -> None:
    """After each cell, so that a run that is cut short is not lost."""
    FIGURES.write_text(json.dumps({"seconds": round(time.monotonic() - started), "cells": rows}, indent=1) + "\n")


if __name__ == "__main__":
    sys.exit(main())
