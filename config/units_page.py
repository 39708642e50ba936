"""`docs/units.md`: every known quantity and unit, from the tables that the collector reads."""

from collections.abc import Iterable

from config.quantities import quantities
from config.units import names_of, units

_HEAD = """# Quantities and units

Made by `make docs` from `config/quantities.toml` and `config/units.toml`.

A reading of a quantity that stands here is stored in the quantity's unit, whatever unit of its kind the feed's file or
the payload names. Where the unit is unknown, or of another kind, the point is set aside as `unknown_unit` or
`unit_mismatch`. Conversions are exact fractions, and only the result is rounded. A gas is never converted between mass
and share of air, which would need its temperature and pressure; the two are quantities of their own.

A quantity that does not stand here is allowed; its unit is passed on as it is, and `periscope lint` says so.

The plausible range is what `periscope try` compares with. It refuses nothing: for that, a feed sets a `range`.

## Quantities

| quantity | meaning | unit | plausible | also sent as |
|---|---|---|---|---|
"""
_UNITS = """
## Units

The code is UCUM's, case included; where people write another, UCUM's stands beside it. Names are those of SenML (RFC
8428, RFC 8798), of UN/CEFACT Recommendation 20 (`unitCode` of NGSI-LD), of QUDT, and plain ones. A name is also found
with signs such as µ, ³ or ^, and in another case where that leaves no doubt.

A level in dB is taken to be weighted as its quantity says. A plain number (`1`) may count persons, vehicles or
bicycles. Times and plus give the number in the first unit of the kind.

| kind | unit | UCUM | times | plus | also written |
|---|---|---|---|---|---|
"""


def page() -> str:
    lines = []
    for one in quantities().values():
        span = "" if one.plausible is None else f"{one.plausible[0]:g} to {one.plausible[1]:g}"
        lines.append(f"| `{one.name}` | {one.title} | `{one.unit}` | {span} | {_codes(one.aliases)} |\n")
    rows = []
    for unit in units():
        ucum = "" if unit.ucum == unit.code else f"`{unit.ucum}`"
        names = _codes(names_of(unit))
        rows.append(f"| {unit.kind} | `{unit.code}` | {ucum} | {unit.factor} | {unit.offset} | {names} |\n")
    return _HEAD + "".join(lines) + _UNITS + "".join(rows)


def _codes(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
