"""A number from a payload as a value of its quantity: its unit, what stands for no reading, what is plausible.

Promises: a number in a unit that the payload or the feed's file names becomes one in the quantity's unit, exactly, or
is refused with the remedy; nothing is guessed. A feed's `sent_unit` and `factor` say more than the payload's own word.
"""

import math
from collections.abc import Iterable
from typing import Any

from collectors.message import Undecodable
from config.catalogue import Quantity
from config.quantities import known_quantity, unit_fault
from config.units import conversion, known_unit

_FLOAT32 = 1e-7  # a number that went through 32 bits differs by less from what it was


def measured(number: float, quantity: Quantity, unit: Any = None) -> float | None:
    """The value in `quantity.unit`, None where the feed counts what is implausible as no reading.

    `unit` is what the payload names, None where it names none. Raises Undecodable: other_unit, unknown_unit,
    unit_mismatch, implausible.
    """
    source = quantity.numbers_unit
    if quantity.read_unit == "" and known_quantity(quantity.quantity) is not None:
        raise _refused(source, quantity)  # the feed's file names a unit that is none of the quantity
    if unit is not None:
        source = _source(unit, source, quantity)
    if source != quantity.unit:
        convert = conversion(source, quantity.unit)
        if convert is None:
            raise _refused(source, quantity)
        number = convert(number)
    if quantity.range is not None and not quantity.range[0] <= number <= quantity.range[1]:
        if quantity.outside == "no_reading":
            return None
        low, high = quantity.range
        raise Undecodable(
            "validate", "implausible", f"{quantity.quantity} is outside the feed's range, {low:g} to {high:g}"
        )
    return number


def in_its_unit(quantity: str, number: float, unit: str) -> tuple[float, str]:
    """The value and unit of a reading whose payload names its quantity, as the registry keeps them."""
    known = known_quantity(quantity)
    if known is None or unit == known.unit:
        return number, unit
    convert = conversion(unit or known.unit, known.unit)
    if convert is None:
        raise _not_converted(quantity, unit, known.unit)
    return convert(number), known.unit


def stands_for_none(number: float, missing: Iterable[float | str]) -> bool:
    """Whether a number is one of a device's signs for no reading, also after a way through 32 bits.

    >>> stands_for_none(327.6700134277344, [327.67]), stands_for_none(327.6, [327.67])
    (True, False)
    """
    return any(not isinstance(sign, str) and math.isclose(number, sign, rel_tol=_FLOAT32) for sign in missing)


def _source(given: Any, configured: str, quantity: Quantity) -> str:
    """The unit of the numbers where the payload names one."""
    if quantity.sent_unit is not None:
        if given != quantity.sent_unit:
            raise Undecodable(
                "validate", "other_unit", f"{quantity.quantity} came in another unit than sent_unit of the feed's map"
            )
        return configured
    name = str(given) if isinstance(given, int) and not isinstance(given, bool) else given
    if not isinstance(name, str) or not name or quantity.factor != 1.0:
        return configured  # a factor already says how the number becomes one in the feed's unit
    if known_quantity(quantity.quantity) is None and known_unit(name) is None:
        return configured  # of a quantity of the feed's own, its file knows best
    return name


def _refused(source: str, quantity: Quantity) -> Undecodable:
    known = known_quantity(quantity.quantity)
    return _not_converted(quantity.quantity, source, quantity.unit if known is None else known.unit)


def _not_converted(quantity: str, source: str, target: str) -> Undecodable:
    fault = unit_fault(quantity, source, target)
    assert fault is not None  # asked only where no conversion was found
    return Undecodable("validate", fault.code, f"{fault.what}; {fault.remedy}")
