"""The tables of docs/benchmarks-alerts.md, between its markers; the words around them are written by hand."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from tests.benchmarks.dropoff.criteria import better_naive
from tests.benchmarks.dropoff.figures import CELLS
from tests.benchmarks.dropoff.published import SIGNALS
from tests.benchmarks.dropoff.rivals import DROPS, name_of
from tests.benchmarks.dropoff.rules import RULES
from tests.benchmarks.dropoff.samples import Samples
from tests.benchmarks.dropoff.scoring import Figure

PAGE: Final = Path(__file__).parents[3] / "docs" / "benchmarks-alerts.md"


def told(figure: Figure, kind: str) -> str:
    """A figure with its interval, as a reader wants it."""
    if kind == "share":
        return f"{100 * figure.value:.1f} % ({100 * figure.low:.1f} to {100 * figure.high:.1f})"
    if kind == "median":
        return f"{figure.value:g} d ({figure.low:g} to {figure.high:g})"
    return f"{figure.value:.2f} ({figure.low:.2f} to {figure.high:.2f})"


def criteria_table(rows: list[dict[str, Any]]) -> Iterator[str]:
    """A1 to A12."""
    yield "| # | what | figure (95 %) | bound | verdict | seeds that hold | where worst | n |"
    yield "|---|---|---|---|---|---|---|---|"
    for row in rows:
        of_seeds = f"{sum(one['holds'] for one in row['seeds'].values())} of {len(row['seeds'])}"
        held = "" if row["verdict"] == "beside" else of_seeds
        yield (
            f"| {row['id']} | {row['says']} | {row['figure']:.3g} ({row['low']:.3g} to {row['high']:.3g}) "
            f"| {row['sign']} {row['bound']:g} | {row['verdict']} | {held} "
            f"| {row['worst'].replace('|', ', ')} | {row['n']} |"
        )


def rivals_table(samples: Samples, what: str) -> Iterator[str]:
    """One row per rule, one column per cell."""
    kind = "share" if what.startswith("P14") else "rate"
    yield "| rule | " + " | ".join(name_of(*cell) for cell in CELLS) + " |"
    yield "|---" * (len(CELLS) + 1) + "|"
    for rule in RULES:
        cells = [samples[f"{what}|{rule}|{name_of(*cell)}"].figure() for cell in CELLS]
        values = [f"{100 * one.value:.0f}" if kind == "share" else f"{one.value:.2f}" for one in cells]
        yield f"| {rule} | " + " | ".join(values) + " |"


def leads_table(samples: Samples, drop: str) -> Iterator[str]:
    """Our paired lead in points, with its interval."""
    yield "| against | " + " | ".join(name_of(*cell) for cell in CELLS) + " |"
    yield "|---" * (len(CELLS) + 1) + "|"
    for rule in list(RULES)[1:]:
        cells = [samples[f"lead {drop}|{rule}|{name_of(*cell)}"].figure() for cell in CELLS]
        values = [f"{100 * one.value:+.0f} ({100 * one.low:+.0f}, {100 * one.high:+.0f})" for one in cells]
        yield f"| {rule} | " + " | ".join(values) + " |"


def published_table(samples: Samples) -> Iterator[str]:
    """The 16 signals."""
    yield (
        "| signal | FA per year, 126 days before | P14, 126 days before | FA per year, 3 years before "
        "| P14, 3 years before |"
    )
    yield "|---|---|---|---|---|"
    for number in SIGNALS:
        cells = [
            told(samples[f"published {what} {span}|{number}"].figure(), kind)
            for span in ("short", "long")
            for what, kind in (("FA", "rate"), ("P14", "share"))
        ]
        yield f"| {number} | " + " | ".join(cells) + " |"


def others_table(samples: Samples) -> Iterator[str]:
    """Every other figure of A1 to A11."""
    yield "| figure | value (95 %) | n |"
    yield "|---|---|---|"
    for name, sample in samples.items():
        if "|" not in name:
            figure = sample.figure()
            yield f"| {name} | {told(figure, sample.kind)} | {figure.n} |"


def write(rows: list[dict[str, Any]], samples: Samples, asked: dict[str, Any]) -> None:
    """Put every table into the page."""
    tables = {
        "run": [
            f"Seeds {asked['seeds']}, {asked['size']} series or pilots per cell and seed, {asked['seconds']} s.",
            f"A naive rule is better, beyond chance: {', '.join(better_naive(samples)) or 'nowhere'}.",
        ],
        "criteria": list(criteria_table(rows)),
        "FA as written": list(rivals_table(samples, "FA as written")),
        "FA tuned": list(rivals_table(samples, "FA tuned")),
        **{f"P14 {drop:.0%}": list(rivals_table(samples, f"P14 {drop:.0%}")) for drop in DROPS},
        **{f"lead {drop:.0%}": list(leads_table(samples, f"{drop:.0%}")) for drop in DROPS},
        "published": list(published_table(samples)),
        "others": list(others_table(samples)),
    }
    text = PAGE.read_text()
    for name, lines in tables.items():
        block = f"<!-- {name} -->\n" + "\n".join(lines) + f"\n<!-- end {name} -->"
        pattern = re.compile(rf"<!-- {re.escape(name)} -->.*?<!-- end {re.escape(name)} -->", re.DOTALL)
        if not pattern.search(text):
            raise ValueError(f'{PAGE.name} has no place for the table "{name}"; add its two markers')
        text = pattern.sub(lambda _: block, text)  # noqa: B023
    PAGE.write_text(text)
