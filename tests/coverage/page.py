"""docs/coverage.md, written by the run that measured it."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from tests.coverage.study import DRAWS, RUNS

HEAD: Final = f"""# Coverage of intervals, and levels of tests

Made by `make coverage` (the short form is a test, `tests/coverage/test_coverage.py`); figures in `build/coverage.json`.

Each row draws samples ({DRAWS:,} in a full run) from a known truth, with a fixed seed, and counts how often the 95 %
interval holds it. The intervals are computed by the functions that pages and exports use. n is what the indicator's
least n counts: people, activities, trials, or weeks. The first n of a row's kind is the least that is shown.

- **ok**: at least 90 % below n = 50, and within two points of 95 % from 50 up.
- **wide**: holds the truth more often than it says. Figures in whole steps (medians, days) cannot do otherwise.
- **narrow**: more than two points short of 95 % at n = 50 or above.
- **below 90 %**: the figure must not be shown at this n.

Shares are drawn from a range, because the coverage of a single exact share jumps with n (Brown, Cai and DasGupta 2001).
"""
LEVELS: Final = f"""
## Tests where nothing is planted

Level 5 %, {RUNS:,} runs in a full run. A test may exceed its level by twice the sampling error of the runs. Dates are
drawn at random among the weeks of series with AR(1) noise; the first n is the shortest series that condition c lets
pass.
"""
ONE_SIZE: Final = """
## Does one size fit all?

The method × pilot interaction where no method differs, or methods differ alike in all pilots (level 5 %); below it the
power where their order turns from pilot to pilot.
"""


def page(rows: Sequence[dict[str, Any]], one_size: Iterable[dict[str, Any]]) -> str:
    """The whole page of the rows of both kinds, in the order given."""
    lines = [HEAD, *_table("interval", "figure", "truth", "n", "draws", "coverage", "verdict")]
    lines += [_row(row) for row in rows if row["kind"] == "coverage"]
    lines += [LEVELS, *_table("test", "of", "noise", "n", "runs", "rejects", "verdict")]
    lines += [_row(row) for row in rows if row["kind"] == "level"]
    lines += [ONE_SIZE, *_table("scenario", "runs", "rejects", "allowed", "verdict")]
    for found in one_size:
        allowed = "" if found["allowed"] is None else f"{100 * found['allowed']:.1f} %"
        verdict = ("ok" if found["ok"] else "rejects too often") if found["null"] else "power"
        rejected = f"{100 * found['rejected']:.1f} %"
        lines.append(_line(found["scenario"], f"{found['runs']:,}", rejected, allowed, verdict))
    return "\n".join(lines) + "\n"


def _table(*columns: str) -> tuple[str, str]:
    return _line(*columns), "|" + "---|" * len(columns)


def _row(row: dict[str, Any]) -> str:
    declined = row["draws"] - row["answered"]
    said = row["verdict"] + (f" ({declined:,} without interval)" if declined else "")
    head = row["method"], row["figure"], row["truth"], row["n"]
    return _line(*head, f"{row['draws']:,}", _percent(row), said)


def _percent(row: dict[str, Any]) -> str:
    return f"{100 * row['rate']:.1f} %"


def _line(*cells: object) -> str:
    return "| " + " | ".join(str(cell) for cell in cells) + " |"
