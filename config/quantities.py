"""The registry of quantities: what cities measure, each under one name, in one unit, within a plausible range.

Promises: pure data from `quantities.toml`; a quantity that it does not hold is allowed and never converted, and the
nearest known one is told; what is said of a feed's quantity is a code, a sentence and a remedy.
"""

import re
import tomllib
from difflib import get_close_matches
from functools import cache
from pathlib import Path
from typing import Final, NamedTuple

from config.units import conversion, known_unit

FILE: Final = Path(__file__).with_name("quantities.toml")


class KnownQuantity(NamedTuple):
    """One entry: `unit` is a code of units.toml, `plausible` (low, high) in it, both included."""

    name: str
    title: str
    unit: str
    plausible: tuple[float, float] | None
    aliases: tuple[str, ...]


class Remark(NamedTuple):
    """What is to be said about a quantity of a feed: `code` is unknown_quantity, unknown_unit or unit_mismatch."""

    code: str
    what: str
    remedy: str


@cache
def quantities() -> dict[str, KnownQuantity]:
    """All known quantities by name, in the order of the file."""
    found = {}
    for name, facts in tomllib.loads(FILE.read_text(encoding="utf-8")).items():
        plausible = facts.get("range")
        found[name] = KnownQuantity(
            name, facts["title"], facts["unit"], plausible and (float(plausible[0]), float(plausible[1])),
            tuple(facts.get("aliases", ())),
        )  # fmt: skip
    return found


def known_quantity(name: str) -> KnownQuantity | None:
    return quantities().get(name)


def nearest_quantity(name: str) -> KnownQuantity | None:
    """The quantity that a name of a payload or a misspelt one stands for, None where none is near.

    >>> [nearest_quantity(name).name for name in ("PM25", "relativeHumidity", "temperatur", "NO2")]
    ['pm2-5', 'humidity', 'temperature', 'no2']
    """
    wanted = _folded(name)
    if wanted in _by_alias():
        return _by_alias()[wanted]
    near = get_close_matches(wanted, [one for one in _by_alias() if len(one) > 3], n=1, cutoff=0.85)
    return _by_alias()[near[0]] if near else None


def remark(quantity: str, unit: str, read_unit: str | None = None) -> Remark | None:
    """What is wrong with a quantity and its units in a feed's map, None where all is well.

    `read_unit` is the unit of the numbers where it is not `unit`. An unknown quantity is a warning, the others make
    every reading of the field a dead letter.
    """
    known = known_quantity(quantity)
    target, source = (unit if known is None else known.unit), (read_unit or unit)
    if (known is not None or source != target) and (fault := unit_fault(quantity, source, target)) is not None:
        return fault
    if known is not None:
        return None
    near = nearest_quantity(quantity)
    if near is not None:
        return Remark("unknown_quantity", f'quantity "{quantity}" is not in the registry', f'call it "{near.name}"')
    if known_unit(unit) is None:
        return Remark(
            "unknown_quantity", f'neither quantity "{quantity}" nor unit "{unit}" is known here',
            "give it a name and unit of docs/units.md, or see that all pilots write both alike",
        )  # fmt: skip
    return Remark(
        "unknown_quantity", f'quantity "{quantity}" is not in the registry',
        "its unit is passed on as it is; see that all pilots write both alike",
    )  # fmt: skip


def unit_fault(quantity: str, source: str, target: str) -> Remark | None:
    """Why numbers in the unit `source` cannot be a quantity's in the unit `target`; None where they can."""
    if conversion(source, target) is not None:
        return None
    shown = source if source.isprintable() and len(source) <= 24 else "its unit"
    if known_unit(source) is None:
        return Remark(
            "unknown_unit", f'the unit "{shown}" of {quantity} is not known here',
            f'write it as in docs/units.md, or set sent_unit to it if it means "{target}"',
        )  # fmt: skip
    other = _of_kind(quantity, source)
    remedy = f'use the quantity "{other}"' if other else "name another quantity, or correct the unit"
    return Remark("unit_mismatch", f'"{shown}" cannot be converted to "{target}", the unit of {quantity}', remedy)


def _of_kind(quantity: str, source: str) -> str:
    """The sibling of a quantity, such as no2-fraction of no2, that is measured in units like `source`."""
    stem = quantity.removesuffix("-fraction")
    for name in (stem, f"{stem}-fraction"):
        known = known_quantity(name)
        if name != quantity and known is not None and conversion(source, known.unit) is not None:
            return name
    return ""


@cache
def _by_alias() -> dict[str, KnownQuantity]:
    found: dict[str, KnownQuantity] = {}
    for one in quantities().values():
        for name in (one.name, *one.aliases):
            found.setdefault(_folded(name), one)
    return found


def _folded(name: str) -> str:
    return re.sub(r"[^a-z0-9]", "", name.casefold())
