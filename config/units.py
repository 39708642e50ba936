"""Units of measure: the codes by which the field names them, and exact conversions between those of one kind.

Promises: a code is found as UCUM, SenML, UN/CEFACT or plain spelling writes it; a conversion is one exact fraction,
and only its result is rounded; units of different kinds are never converted, nor a gas between mass and volume, which
would need its temperature and pressure. Source: UCUM 2.1; RFC 8428 and 8798; UNECE Recommendation 20. Why this is a
table and not a library: docs/decisions/0005-units-in-a-table.md.
"""

import tomllib
import unicodedata
from decimal import Context, Decimal
from fractions import Fraction
from functools import cache, lru_cache
from math import lcm
from pathlib import Path
from typing import Any, Final, NamedTuple

FILE: Final = Path(__file__).with_name("units.toml")
LONGEST = 64
_SIGNS = str.maketrans({"μ": "u", "·": ".", "⋅": ".", "−": "-", "^": None, " ": None, "*": None})


class Unit(NamedTuple):
    """`code` is stored and shown, `ucum` its UCUM code; number × factor + offset is in the kind's first unit."""

    code: str
    kind: str
    factor: Fraction
    offset: Fraction
    ucum: str


class Conversion:
    """From one unit to another of its kind: number × factor + offset, both exact."""

    __slots__ = ("_over", "_plus", "_times", "factor", "offset")

    def __init__(self, factor: Fraction, offset: Fraction) -> None:
        self.factor, self.offset = factor, offset
        over = lcm(factor.denominator, offset.denominator)
        self._times, self._plus, self._over = Decimal(int(factor * over)), Decimal(int(offset * over)), Decimal(over)

    def __call__(self, number: float) -> float:
        """The number in the other unit; it has to be finite.

        It is taken as its shortest decimal, which is what the sender wrote: 293.15 K is 20 Cel, not 19.99999999999998.
        """
        if self is _SAME:
            return number
        return float(_DIGITS.divide(_DIGITS.fma(Decimal(repr(number)), self._times, self._plus), self._over))


_DIGITS = Context(prec=80)  # so many that only the last step, to a float, rounds what a reader could see
_SAME = Conversion(Fraction(1), Fraction(0))


@lru_cache(maxsize=4096)
def known_unit(name: str) -> Unit | None:
    """The unit that a code or spelling names, None where it is unknown.

    >>> [known_unit(name).code for name in ("µg/m³", "GQ", "°C", "%RH", "http://qudt.org/vocab/unit/DEG_C")]
    ['ug/m3', 'ug/m3', 'Cel', '%', 'Cel']
    """
    if len(name) > LONGEST:
        return None
    exact, folded = _names()
    short = name.rsplit("/", 1)[-1].rsplit("#", 1)[-1] if "://" in name else name
    for tried in (short, _plain(short)):
        if tried in exact:
            return exact[tried]
    # Where case alone tells two units apart, as in mW and MW, a name in another case stays unknown; so do short names.
    return folded.get(_plain(short).casefold()) if len(short) > 2 else None


def convertible(source: Unit, target: Unit) -> bool:
    """Whether numbers of one are numbers of the other; a plain number may count whatever the target counts."""
    return source.kind == target.kind or (source.code == "1" and target.kind.startswith("count of "))


@lru_cache(maxsize=4096)
def conversion(source: str, target: str) -> Conversion | None:
    """From one unit, by any of its names, to another; None where one is unknown or they are of different kinds.

    >>> conversion("FAH", "Cel")(68.0), conversion("mg/m³", "ug/m3")(0.1), conversion("ppm", "ug/m3")
    (20.0, 100.0, None)
    """
    one, other = known_unit(source), known_unit(target)
    if source == target:
        return _SAME
    if one is None or other is None or not convertible(one, other):
        return None
    if one == other or one.kind != other.kind:
        return _SAME
    return Conversion(one.factor / other.factor, (one.offset - other.offset) / other.factor)


def units() -> list[Unit]:
    """Every unit, kind by kind."""
    return list(dict.fromkeys(_names()[0].values()))


def names_of(unit: Unit) -> list[str]:
    """The other names of a unit as the table writes them, in its order."""
    return list(_table()[unit.kind][unit.code].get("names", []))


@cache
def _table() -> dict[str, dict[str, dict[str, Any]]]:
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@cache
def _names() -> tuple[dict[str, Unit], dict[str, Unit]]:
    """Units by their names as written, and by names in one case where that is unambiguous."""
    exact: dict[str, Unit] = {}
    for kind, table in _table().items():
        for code, facts in table.items():
            factor, offset = Fraction(facts.get("factor", "1")), Fraction(facts.get("offset", "0"))
            unit = Unit(code, kind, factor, offset, facts.get("ucum", code))
            for name in {code, unit.ucum, *facts.get("names", [])}:
                for spelt in {name, _plain(name)}:
                    if exact.setdefault(spelt, unit) != unit:
                        raise ValueError(f"{FILE.name}: {name} names both {exact[spelt].code} and {code}")
    folded: dict[str, set[Unit]] = {}
    for name, unit in exact.items():
        folded.setdefault(name.casefold(), set()).add(unit)
    return exact, {name: next(iter(found)) for name, found in folded.items() if len(found) == 1}


def _plain(name: str) -> str:
    """A name with signs in one spelling: µg/m³ as ug/m3, kW·h as kW.h."""
    return unicodedata.normalize("NFKC", name).translate(_SIGNS)
