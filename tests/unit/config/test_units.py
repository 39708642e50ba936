"""Units are known by every name of the field, and conversions between them are exact."""

import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from config.quantities import nearest_quantity, quantities, remark
from config.units import Unit, conversion, convertible, known_unit, names_of, units


@pytest.mark.parametrize(
    ("names", "code"),
    [
        (("Cel", "CEL", "°C", "℃", "degC", "DEG_C", "http://qudt.org/vocab/unit/DEG_C"), "Cel"),
        (("ug/m3", "µg/m3", "μg/m³", "ug/m^3", "GQ", "UG/M3"), "ug/m3"),
        (("%", "%RH", "P1", "percent"), "%"),
        (("ppm", "59", "[ppm]"), "ppm"),
        (("dB(A)", "dBA", "dB", "2N"), "dB(A)"),
        (("km/h", "KMH", "kmh"), "km/h"),
        (("lx", "LUX", "lux"), "lx"),
        (("hPa", "A97", "HPA"), "hPa"),
        (("W", "WTT"), "W"),
    ],
)
def test_a_unit_is_known_by_each_of_its_names(names: tuple[str, ...], code: str) -> None:
    assert {name: getattr(known_unit(name), "code", None) for name in names} == dict.fromkeys(names, code)


@pytest.mark.parametrize("name", ["", "mw", "parsec", "x" * 5000, "//", "\0", "pa"])
def test_a_name_that_is_none_or_could_be_two_units_is_unknown(name: str) -> None:
    assert known_unit(name) is None


def test_case_tells_milli_from_mega() -> None:
    assert [known_unit(name).code for name in ("mW", "MW")] == ["mW", "MW"]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("number", "source", "target", "expected"),
    [
        (68.0, "FAH", "Cel", 20.0),
        (-40.0, "[degF]", "Cel", -40.0),
        (0.0, "K", "Cel", -273.15),
        (293.15, "KEL", "Cel", 20.0),
        (0.1, "mg/m3", "ug/m3", 100.0),
        (0.07, "GP", "ug/m3", 70.0),
        (1013.25, "hPa", "Pa", 101325.0),
        (101325.0, "PAL", "hPa", 1013.25),
        (0.45, "1", "%", 45.0),
        (36.0, "KMH", "m/s", 10.0),
        (10.0, "m/s", "km/h", 36.0),
        (3600000.0, "J", "kWh", 1.0),
        (6.2, "Bspl", "dB(A)", 62.0),
        (3.0, "C62", "persons", 3.0),
        (7.0, "CEL", "Cel", 7.0),
    ],
)
def test_a_conversion_gives_the_nearest_number_there_is(
    number: float, source: str, target: str, expected: float
) -> None:
    convert = conversion(source, target)
    assert convert is not None
    assert convert(number) == expected


@pytest.mark.parametrize(
    ("source", "target"),
    [("ppb", "ug/m3"), ("Cel", "%"), ("persons", "vehicles"), ("persons", "%"), ("dBm", "dB(A)"), ("x", "Cel")],
)
def test_units_of_different_kinds_are_not_converted(source: str, target: str) -> None:
    assert conversion(source, target) is None


KINDS = [(one, other) for one in units() for other in units() if one.kind == other.kind]


@pytest.mark.parametrize(("one", "other"), [(a.code, b.code) for a, b in KINDS if (a.offset or b.offset) and a != b])
def test_there_and_back_with_an_offset_is_exact(one: str, other: str) -> None:
    there, back = conversion(one, other), conversion(other, one)
    assert there is not None
    assert back is not None
    assert (there.factor * back.factor, there.factor * back.offset + there.offset) == (1, 0)


@given(st.sampled_from(KINDS), st.floats(-1e12, 1e12).filter(lambda x: x == 0 or abs(x) > 1e-200))
def test_there_and_back_is_the_same_number_but_for_one_rounding_each_way(
    pair: tuple[Unit, Unit], number: float
) -> None:
    one, other = pair
    there, back = conversion(one.code, other.code), conversion(other.code, one.code)
    assert there is not None
    assert back is not None
    size = max(abs(Fraction(number)), abs(back.offset), abs(there.offset * back.factor))
    assert abs(Fraction(back(there(number))) - Fraction(number)) <= size * Fraction(1, 2**50)


def test_the_tables_agree_with_themselves() -> None:
    for one in quantities().values():
        unit = known_unit(one.unit)
        assert unit is not None
        assert unit.code == one.unit
        assert one.plausible is None or one.plausible[0] < one.plausible[1]
        assert {nearest_quantity(name) for name in (one.name, *one.aliases)} == {one}
    for unit in units():
        assert {known_unit(name) for name in (unit.code, unit.ucum, *names_of(unit))} == {unit}
        assert convertible(unit, unit)
        assert math.isfinite(float(unit.factor))


@pytest.mark.parametrize(
    ("quantity", "unit", "code", "said"),
    [
        ("temperature", "Cel", None, ""),
        ("temperature", "°F", None, ""),
        ("temperature", "parsec", "unknown_unit", "docs/units.md"),
        ("no2", "ppb", "unit_mismatch", 'use the quantity "no2-fraction"'),
        ("co-fraction", "mg/m3", "unit_mismatch", 'use the quantity "co"'),
        ("temperature", "lx", "unit_mismatch", "correct the unit"),
        ("pm25", "ug/m3", "unknown_quantity", 'call it "pm2-5"'),
        ("door-open", "1", "unknown_quantity", "passed on as it is"),
    ],
)
def test_what_is_wrong_with_a_quantity_is_told_with_the_remedy(
    quantity: str, unit: str, code: str | None, said: str
) -> None:
    found = remark(quantity, unit)
    assert (found.code if found else None) == code
    assert said in (found.remedy if found else "")


def test_a_name_of_a_payload_leads_to_its_quantity() -> None:
    names = {"PM_25": "pm2-5", "relativeHumidity": "humidity", "LAeq": "noise", "temp_SOIL": "soil-temperature"}
    assert {name: getattr(nearest_quantity(name), "name", None) for name in names} == names
    assert nearest_quantity("zzz") is None
