"""The data dictionary: docs/indicators.md and the export's codebook, written from the registry alone."""

from pathlib import Path
from typing import Any, Final

from pipeline.indicators import INDICATORS, Indicator
from pipeline.values import STATUSES

STATUS_WORDS: Final = {
    "ok": "the value may be used and compared as the definition says",
    "suppressed": "hidden because it would tell of fewer people than the published limit; no value, n or interval",
    "incomplete": "the period, the time allowed to late events or the follow-up is not over; not to be compared",
    "insufficient_n": "the denominator is below the indicator's least n; no value",
    "feed_poor": "feeds delivered less than 90 % of what they should; not to be compared, and never 0",
    "not_defined": "has no meaning here (no denominator, no consent, no data yet); no value",
}
COLUMNS: Final = (
    ("pilot", "string", "Slug of the pilot."),
    ("indicator_id", "string", "Id of the definition in definitions.json."),
    ("indicator_version", "integer", "Version of the definition."),
    ("period_start", "date", "First local day, included."),
    ("period_end", "date", "Last local day, included."),
    ("subgroup_dim", "string", "What the value is split by; empty for a total."),
    ("subgroup", "string", "The part; empty for a total."),
    ("value", "number", "The value in its unit; empty means that it cannot be said, never 0."),
    ("unit", "string", "Unit of value, lower and upper."),
    ("n", "integer", "The number that the value rests on."),
    ("lower", "number", "Lower end of the 95 % interval."),
    ("upper", "number", "Upper end of the 95 % interval."),
    (
        "interval_method",
        "string",
        "How the interval was made: poisson, wilson (clustered or not), bootstrap, bca or kaplan-meier.",
    ),
    ("status", "string", "Whether the value may be used: see the status codes."),
    (
        "evidence_quality",
        "string",
        "How the events beneath were recorded (vocabulary, evidence); unknown where some do not say.",
    ),
    ("synthetic", "boolean", "True where any event beneath is simulated."),
    ("revision", "integer", "0 as first published; otherwise the revision that gave the value, see revisions.csv."),
    ("release", "string", "The limit below which counts of people are hidden, and what they are rounded to."),
)
HEAD: Final = """# Indicators

Generated from `pipeline/indicators` by `python -m pipeline.dictionary docs/indicators.md`; do not edit by hand.
Days are local days of the pilot, weeks begin on Monday. Intervals are at 95 %.

## Status codes

"""


def words(found: Indicator) -> dict[str, Any]:
    """A definition without its function, as plain values."""
    return {
        "id": found.id,
        "version": found.version,
        "family": found.family,
        "title": found.title,
        "unit": found.unit,
        "direction": found.direction,
        "formula": found.formula,
        "window": found.window,
        "min_n": found.min_n,
        "interval_method": found.interval_method,
        "comparable_across_pilots": found.comparable,
        "needs": list(found.needs),
        "gated_by": list(found.streams),
        "dims": list(found.dims),
        "look_back_days": "all history" if found.look_back is None else found.look_back,
        "look_ahead_days": found.look_ahead,
        "caveat": found.caveat,
        "source": found.source,
    }


def markdown() -> str:
    """The page, ending in a newline."""
    lines = [HEAD + "| status | meaning |", "|---|---|"]
    lines += [f"| `{status}` | {STATUS_WORDS[status]} |" for status in STATUSES]
    for family in ("uptake", "engagement", "context", "quality"):
        lines += ["", f"## {family.capitalize()}"]
        for found in INDICATORS.values():
            if found.family == family:
                lines += ["", *_section(found)]
    return "\n".join(lines) + "\n"


def _section(found: Indicator) -> list[str]:
    rows = {
        "formula": found.formula,
        "unit": found.unit,
        "window": found.window,
        "better": {"up": "more", "down": "less", "none": "neither"}[found.direction],
        "least n": str(found.min_n) if found.min_n else "none",
        "interval": found.interval_method,
        "comparable across pilots": found.comparable,
        "needs": ", ".join(found.needs),
        "split by": ", ".join(found.dims) or "nothing",
        "gated by the feeds of": ", ".join(found.streams) or "nothing",
        "caveat": found.caveat,
        "source": found.source,
    }
    return [
        f"### {found.title}",
        "",
        f"`{found.id}`, version {found.version}",
        "",
        "| | |",
        "|---|---|",
        *(f"| {name} | {text} |" for name, text in rows.items()),
    ]


if __name__ == "__main__":
    import sys

    Path(sys.argv[1]).write_text(markdown(), encoding="utf-8")
