"""Why an event was refused, as a code that can be counted and a sentence with the remedy; values are never repeated."""

import re
from functools import cache
from typing import NamedTuple

import msgspec
from msgspec import inspect

from config.events.codes import CODE

_MISSING = re.compile(r"missing required field `(\w+)`$")
_WHERE = re.compile(r"at `\$\.(\w+)")


class Refused(NamedTuple):
    """`code` is fit for counting, `sentence` for the one who mends it."""

    code: str
    sentence: str


def refused(kind: type[msgspec.Struct], message: str) -> Refused:
    """What msgspec's message says about one field of `kind`."""
    if found := _MISSING.search(message):
        name = found[1]
        return Refused(f"missing_{name}", f"{name} is missing: give {allowed(kind, name)}")
    found = _WHERE.search(message)
    name = found[1] if found else "data"
    return Refused(f"bad_{name}", f"{name} has to be {allowed(kind, name)}{_or_nothing(kind, name)}")


@cache
def allowed(kind: type[msgspec.Struct], name: str) -> str:
    """What a field may hold, in words.

    >>> from config.events.engagement import ActivityHeld
    >>> allowed(ActivityHeld, "mode"), allowed(ActivityHeld, "duration_min")
    ('hybrid, in_person or online', 'a number of at least 0')
    """
    field = _fields(kind).get(name)
    return "an object" if field is None else words(field.type)


def words(one: inspect.Type) -> str:
    """A type in words, without null."""
    bounds = _bounds(one)
    match one:
        case inspect.Metadata():
            return words(one.type)
        case inspect.UnionType():
            return " or ".join(words(part) for part in one.types if not isinstance(part, inspect.NoneType))
        case inspect.LiteralType():
            *most, last = [str(value) for value in one.values]
            return f"{', '.join(most)} or {last}" if most else last
        case inspect.StrType(pattern=pattern):
            return _text(pattern, one.max_length)
        case inspect.IntType():
            return f"a whole number{bounds}"
        case inspect.FloatType():
            return f"a number{bounds}"
        case inspect.BoolType():
            return "true or false"
        case inspect.DateType():
            return "a day such as 2026-03-01"
        case inspect.ListType(item_type=item):
            return f"a list (each {words(item)}{' or null' if _may_be_null(item) else ''})"
        case inspect.DictType():
            return "an object"
        case _:
            return "any value"


def _text(pattern: str | None, most: int | None) -> str:
    if pattern == CODE:
        return f"a code of at most {most} lower-case letters, digits, _, - and dots"
    return f"a text of at most {most} characters" if pattern is None else "a pseudonym of 16 to 64 letters and digits"


def _bounds(one: inspect.Type) -> str:
    least, most = getattr(one, "ge", None), getattr(one, "le", None)
    if least is None:
        return ""
    return f" of at least {least:g}" if most is None or most > 10**9 else f" from {least:g} to {most:g}"


def _may_be_null(one: inspect.Type) -> bool:
    return isinstance(one, inspect.UnionType) and any(isinstance(part, inspect.NoneType) for part in one.types)


def _or_nothing(kind: type[msgspec.Struct], name: str) -> str:
    field = _fields(kind).get(name)
    return "" if field is None or field.required else "; or leave it out"


@cache
def _fields(kind: type[msgspec.Struct]) -> dict[str, inspect.Field]:
    found = inspect.type_info(kind)
    assert isinstance(found, inspect.StructType)
    return {field.encode_name: field for field in found.fields}
