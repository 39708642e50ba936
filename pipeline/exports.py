"""The evaluator's package: one zip of tables with their codebook and provenance.

Promises: the same answers give the same bytes; rows are counted in the provenance and none is left out
silently; a text that a spreadsheet would run as a formula is made harmless; nothing to export is an error.
Source: indicators.md 8; Data Package v2.
"""

import csv
import hashlib
import io
import json
import zipfile
from collections.abc import Iterable, Sequence
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final

from config.catalogue import UNKNOWN, Catalogue, as_table
from config.problems import ConfigError, Problem
from pipeline.answers import Answers
from pipeline.dictionary import COLUMNS, STATUS_WORDS, words
from pipeline.export_tables import finding_tables
from pipeline.findings_answers import Findings
from pipeline.indicators import INDICATORS
from pipeline.indicators.units import unit_of
from pipeline.release import Profile, profile
from pipeline.revisions import COLUMNS as REVISIONS
from pipeline.revisions import as_row
from pipeline.spreadsheet import harmless
from pipeline.store.port import StoreRefused
from pipeline.values import Decision, IndicatorValue

Table = tuple[tuple[tuple[str, str, str], ...], list[list[object]]]
PROFILES: Final = "https://datapackage.org/profiles/2.0"
_ZIP_TIME: Final = (1980, 1, 1, 0, 0, 0)
FEEDS: Final = (
    ("pilot", "string", "Slug of the pilot."),
    ("feed", "string", "Id of the feed; empty in a row of a device."),
    ("device", "string", "Id of the device; empty in a row of a feed."),
    ("indicator_id", "string", "Which of Q1-Q6."),
    ("period_start", "date", "First local day."),
    ("period_end", "date", "Last local day."),
    ("value", "number", "The value in its unit."),
    ("unit", "string", "Unit of the value."),
    ("n", "integer", "Samples or heartbeats received."),
    ("status", "string", "See the status codes."),
)
ACTIVITIES: Final = (
    ("pilot", "string", "Slug of the pilot."),
    ("activity_id", "string", "Id given by the source."),
    ("day", "date", "Local day on which it was held."),
    ("stage", "string", "Stage of co-production."),
    ("method", "string", "Code of the method."),
    ("attendance", "integer", "Attendances; empty if unknown or hidden."),
    ("synthetic", "boolean", "True where it is simulated."),
)
DECISIONS: Final = (
    ("pilot", "string", "Slug of the pilot."),
    ("decision_id", "string", "Id given by the source."),
    ("activity_id", "string", "Activity in which it was made; empty if none is named."),
    ("day", "date", "Local day on which it was made."),
    ("level_delivered", "string", "Level of participation that was delivered."),
    ("outcome", "string", "What was decided."),
    ("inputs_considered", "integer", "Contributions considered."),
    ("inputs_adopted", "integer", "Contributions adopted."),
    ("group", "string", "Stakeholder group; one row per group and role, empty where no role is recorded."),
    ("role", "string", "The part that the group took."),
    ("people", "integer", "People of the group in that role; empty if not counted or hidden. Never add up groups."),
    ("synthetic", "boolean", "True where it is simulated."),
)
DENOMINATORS: Final = (
    ("pilot", "string", "Slug of the pilot."),
    ("kind", "string", "Who is counted."),
    ("value", "integer", "Number; empty if unknown."),
    ("year", "integer", "Year of the number; empty if unknown."),
    ("source", "string", "Where the number comes from."),
    ("synthetic", "boolean", "True where it is made up."),
)
CODEBOOK: Final = (
    ("file", "string", "File in this package."),
    ("name", "string", "Column, or code of a column."),
    ("type", "string", "Type of the column; code for a code."),
    ("meaning", "string", "What it says."),
)


class NothingToExport(StoreRefused):
    """The store holds no value for the chosen pilots and dates: an empty file would look like an answer."""


def export(
    answers: Answers,
    catalogue: Catalogue,
    target: Path,
    pilots: Sequence[str],
    start: str | None,
    end: str | None,
    release: str = "usual",
) -> None:
    """Write the zip at `target`, whole or not at all.

    `start` and `end` are ISO dates (both included) or None for everything; `release` is one of
    `pipeline.release.PROFILES`. Raises NothingToExport, or
    ConfigError where the target cannot be written.
    """
    if not target.parent.is_dir():
        raise ConfigError(
            [Problem("--out", "", f"{target.parent} is no folder", "name a file in a folder that exists")]
        )
    how = profile(release, catalogue.common.disclosure_k)
    values = _values(answers, pilots, start, end, how)
    if not values:
        raise NothingToExport(
            "there is nothing to export for these pilots and dates: import data or run the "
            "pipeline first, or choose other dates"
        )
    tables: dict[str, Table] = {
        "indicators.csv": (COLUMNS, _rows(answers, catalogue, values, how)),
        "feeds.csv": (
            FEEDS,
            [_feed_row(catalogue, value) for value in values if INDICATORS[value.indicator].family == "quality"],
        ),
        "activities.csv": (
            ACTIVITIES,
            [
                [one.pilot, one.activity_id, one.day, one.stage, one.method, one.attendance, one.synthetic]
                for pilot in pilots
                for one in answers.activities(pilot, start, end, release)
            ],
        ),
        "decisions.csv": (
            DECISIONS,
            [
                row
                for pilot in pilots
                for one in answers.decisions(pilot, start, end, release)
                for row in _decision_rows(one)
            ],
        ),
        "revisions.csv": (
            REVISIONS,
            [
                as_row(one, numbers=not how.base)
                for one in answers.revisions(pilots)
                if (start is None or one.start >= start) and (end is None or one.end <= end)
            ],
        ),
        "denominators.csv": (
            DENOMINATORS,
            [
                [slug, one.kind, _known(one.value), _known(one.year), one.source, one.synthetic]
                for slug in pilots
                for one in catalogue.pilots[slug].denominators
            ],
        ),
    }
    tables |= finding_tables(Findings(answers, catalogue, how), pilots)
    tables["codebook.csv"] = (CODEBOOK, _codebook({**tables, "codebook.csv": (CODEBOOK, [])}))
    files = {name: _csv(table) for name, table in tables.items()}
    files["codebook.md"] = _codebook_page(tables["codebook.csv"][1])
    files["definitions.json"] = _json(
        [{**words(one), "hash": _hash(one.formula.encode())} for one in INDICATORS.values()]
    )
    files["datapackage.json"] = _json(_package(catalogue, tables))
    files["provenance.json"] = _json(_provenance(answers, catalogue, pilots, start, end, values, tables, how))
    files["README.md"] = _readme(answers, catalogue, pilots, values, how)
    files["CHECKSUMS"] = "".join(f"{_hash(files[name])}  {name}\n" for name in sorted(files)).encode()
    _zip(target, files)


def _values(
    answers: Answers, pilots: Sequence[str], start: str | None, end: str | None, how: Profile
) -> list[IndicatorValue]:
    """Every period that lies wholly within the dates, the chosen whole first; no row twice."""
    found: dict[tuple[str, ...], IndicatorValue] = {}
    for period in ("chosen", "month", "week", "day"):
        asked = (
            [value for pilot in pilots for value in answers.strict(pilot, period, start, end)]
            if how.name == "strict"
            else answers.values(pilots, None, period, start, end)
        )
        for value in asked:
            if (start is None or value.start >= start) and (end is None or value.end <= end):
                key = (value.pilot, value.indicator, value.start, value.end, value.dim, value.segment)
                found.setdefault(key, value)
    order = {one: place for place, one in enumerate(INDICATORS)}
    return sorted(
        found.values(), key=lambda one: (one.pilot, order[one.indicator], one.start, one.end, one.dim, one.segment)
    )


def _rows(answers: Answers, catalogue: Catalogue, values: Sequence[IndicatorValue], how: Profile) -> list[list[object]]:
    recorded: dict[tuple[str, str, str, str], str] = {}
    for one in values:
        key = (one.pilot, one.indicator, one.start, one.end)
        if key not in recorded:
            recorded[key] = answers.evidence(one)
    return [_row(catalogue, one, recorded[one.pilot, one.indicator, one.start, one.end], how) for one in values]


def _row(catalogue: Catalogue, value: IndicatorValue, evidence: str, how: Profile) -> list[object]:
    unit = unit_of(catalogue.pilots[value.pilot], value.indicator, value.dim, value.segment)
    return [
        value.pilot,
        value.indicator,
        value.version,
        value.start,
        value.end,
        value.dim,
        value.segment,
        value.value,
        unit,
        value.n,
        value.lower,
        value.upper,
        value.interval or "none",
        value.status,
        evidence,
        value.synthetic,
        value.revision,
        how.words,
    ]


def _decision_rows(one: Decision) -> list[list[object]]:
    parts = [(role.group, role.role, role.people) for role in one.roles] or [("", "", None)]
    return [
        [
            one.pilot,
            one.decision_id,
            one.activity_id,
            one.day,
            one.level_delivered,
            one.outcome,
            one.inputs_considered,
            one.inputs_adopted,
            *part,
            one.synthetic,
        ]
        for part in parts
    ]


def _feed_row(catalogue: Catalogue, value: IndicatorValue) -> list[object]:
    of = value.dim == "feed"
    return [
        value.pilot,
        value.segment if of else "",
        "" if of else value.segment,
        value.indicator,
        value.start,
        value.end,
        value.value,
        INDICATORS[value.indicator].unit,
        value.n,
        value.status,
    ]


def _known(value: int | str) -> int | None:
    return value if isinstance(value, int) else None


def _csv(table: Table) -> bytes:
    """RFC 4180, UTF-8; numbers in full, true and false in words, empty for None."""
    columns, rows = table
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\r\n")
    writer.writerow([name for name, _, _ in columns])
    writer.writerows([_cell(value) for value in row] for row in rows)
    return out.getvalue().encode()


def _cell(value: object) -> str:
    """
    >>> _cell("=1+1"), _cell(-1.5), _cell(None), _cell(3.0)
    ("'=1+1", '-1.5', '', '3')
    """
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(value)
    if isinstance(value, int):
        return str(value)
    return harmless(str(value))


def _json(document: object) -> bytes:
    return (json.dumps(document, indent=2, ensure_ascii=False, sort_keys=True) + "\n").encode()


def _hash(body: bytes) -> str:
    return hashlib.sha256(body).hexdigest()


def _codebook(tables: dict[str, Table]) -> list[list[object]]:
    rows: list[list[object]] = [
        [file, name, kind, meaning] for file, (columns, _) in tables.items() for name, kind, meaning in columns
    ]
    rows += [["indicators.csv", f"status={status}", "code", meaning] for status, meaning in STATUS_WORDS.items()]
    rows += [
        ["indicators.csv", f"indicator_id={one.id}", "code", f"{one.title}: {one.formula}"]
        for one in INDICATORS.values()
    ]
    return rows


def _codebook_page(rows: Iterable[Sequence[object]]) -> bytes:
    lines = ["# Codebook", "", "| file | name | type | meaning |", "|---|---|---|---|"]
    lines += ["| " + " | ".join(str(cell).replace("|", "\\|") for cell in row) + " |" for row in rows]
    return ("\n".join(lines) + "\n").encode()


def _package(catalogue: Catalogue, tables: dict[str, Table]) -> dict[str, Any]:
    return {
        "$schema": f"{PROFILES}/datapackage.json",
        "name": "periscope-export",
        "title": catalogue.common.title,
        "version": _software(),
        "resources": [
            {
                "$schema": f"{PROFILES}/dataresource.json",  # else readers take it for version 1
                "name": name.removesuffix(".csv"),
                "path": name,
                "type": "table",
                "format": "csv",
                "mediatype": "text/csv",
                "encoding": "utf-8",
                "hash": f"sha256:{_hash(_csv(table))}",
                "schema": {
                    "$schema": f"{PROFILES}/tableschema.json",
                    "missingValues": [""],
                    "fields": [
                        {"name": column, "type": kind, "description": meaning} for column, kind, meaning in table[0]
                    ],
                },
            }
            for name, table in tables.items()
        ],
    }


def _provenance(
    answers: Answers,
    catalogue: Catalogue,
    pilots: Sequence[str],
    start: str | None,
    end: str | None,
    values: Sequence[IndicatorValue],
    tables: dict[str, Table],
    how: Profile,
) -> dict[str, Any]:
    statuses: dict[str, int] = dict.fromkeys(STATUS_WORDS, 0)
    for value in values:
        statuses[value.status] += 1
    return {
        "software": {"name": "periscope", "version": _software()},
        "config_hash": catalogue.config_hash,
        "disclosure_k": how.k,
        "release": how.name,
        "rounding": f"counts of people to multiples of {how.base}" if how.base else "none",
        "judged_as_of_ns": answers.as_of_ns(),
        "asked": {"pilots": list(pilots), "start": start, "end": end},
        "ranges": {pilot: answers.span(pilot) for pilot in pilots},
        "rows": {name: len(rows) for name, (_, rows) in tables.items()},
        "rows_by_status": statuses,
        "people": "Theta sketches, lg_k 12: exact up to 4,096 people",
    }


def _software() -> str:
    try:
        return version("periscope")
    except PackageNotFoundError:
        return "unreleased"


def _readme(
    answers: Answers, catalogue: Catalogue, pilots: Sequence[str], values: Sequence[IndicatorValue], how: Profile
) -> bytes:
    k = how.k
    lines = [f"# {catalogue.common.title}: indicator values", ""]
    if any(value.synthetic for value in values):
        named = sorted({value.pilot for value in values if value.synthetic})
        lines += [f"**Synthetic data.** Values of {', '.join(named)} are simulated and tell of no real people.", ""]
    lines += [
        f"Counts of people from 1 to {k - 1} are hidden (status `suppressed`)."
        if k > 1
        else "No small numbers are hidden: the catalogue says that these data are openly published.",
        *([f"Counts of people are rounded to multiples of {how.base}, and rates with them."] if how.base else []),
        "",
        "An empty value means that it cannot be said; its status says why. See codebook.md.",
        "",
    ]
    for slug in pilots:
        pilot, span = catalogue.pilots[slug], answers.span(slug)
        lines += [
            f"## {pilot.name} ({slug})",
            "",
            f"Data: {' to '.join(span) if span else 'none'}, days in {pilot.time_zone}.",
            "",
        ]
        for name, fact in as_table(pilot)["facts"].items():
            shown = ", ".join(fact["value"]) if isinstance(fact["value"], list) else fact["value"]
            known = f" ({fact['evidence']}, {fact['source_url']})" if shown != UNKNOWN else ""
            lines.append(f"- {name}: {'not documented' if shown == UNKNOWN else shown}{known}")
        lines.append("")
    return ("\n".join(lines) + "\n").encode()


def _zip(target: Path, files: dict[str, bytes]) -> None:
    draft = target.with_name(target.name + ".part")
    try:
        with zipfile.ZipFile(draft, "w", zipfile.ZIP_DEFLATED, compresslevel=6) as package:
            for name in sorted(files):
                entry = zipfile.ZipInfo(name, _ZIP_TIME)
                entry.external_attr = 0o644 << 16
                entry.compress_type = zipfile.ZIP_DEFLATED
                package.writestr(entry, files[name])
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise ConfigError(
            [
                Problem(
                    "--out",
                    "",
                    f"{target} cannot be written ({error.strerror})",
                    "choose another file or free some space",
                )
            ]
        ) from error
