"""Pure: one cell of a filled sheet → its value, or one sentence that says what is wrong and where.

Promises: a formula is refused, never computed and never read; a word outside the vocabulary gets the nearest known one;
nothing that looks like an e-mail address or a name passes as a code.
"""

import re
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Any, Final

from collectors.workbook.form import Column
from config.vocabulary import Vocabulary, WordList
from pipeline.spreadsheet import FORMULA_STARTS

Plain = str | int | float | bool | date | datetime | time | None
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PERSON = re.compile(r"[A-Za-z0-9][A-Za-z0-9-]{3,63}")
_LANGUAGE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*")
_NUMBER = re.compile(r"[+-]?\d+([.,]\d+)?")
_DATES = ("%Y-%m-%d", "%d.%m.%Y")
_TIMES = ("%H:%M", "%H:%M:%S")
_YES, _NO = ("yes", "true", "1", "x"), ("no", "false", "0")


@dataclass(frozen=True)
class Cell:
    """What stands in a cell, and where; `formula` is True where it would be computed."""

    value: Plain
    address: str
    formula: bool = False

    @property
    def text(self) -> str:
        return as_text(self.value)


class Wrong(Exception):
    """A cell or row cannot be taken over; the sentence is for the person who filled it in."""


def as_text(value: Plain) -> str:
    """A cell's content as people see it; whole numbers without a fraction."""
    match value:
        case None:
            return ""
        case bool():
            return "yes" if value else "no"
        case float() if value.is_integer():
            return str(int(value))
        case datetime():
            return value.date().isoformat() if value.time() == time() else value.isoformat(" ", "minutes")
        case time():
            return value.isoformat("minutes")
        case _:
            return str(value).strip()


def is_formula_like(text: str) -> bool:
    """Whether a spreadsheet might compute this text; a plain number is none."""
    return text.startswith(FORMULA_STARTS) and _NUMBER.fullmatch(text) is None


def value_of(column: Column, cell: Cell, vocabulary: Vocabulary) -> Any:
    """The cell's value, None where it is empty; raises Wrong."""
    if cell.formula:
        raise _wrong(column, cell, "holds a formula; type the value itself")
    text = cell.text
    if not text:
        if column.required:
            raise _wrong(column, cell, "is empty; it is needed")
        return None
    if is_formula_like(text):
        raise _wrong(column, cell, "begins like a formula; type plain text")
    if "@" in text:
        raise _wrong(column, cell, "looks like an e-mail address; names and addresses do not belong here")
    try:
        return _READERS[column.kind](column, cell, text, vocabulary)
    except ValueError as error:
        raise _wrong(column, cell, str(error)) from None


def _wrong(column: Column, cell: Cell, what: str) -> Wrong:
    return Wrong(f"{column.title} ({cell.address}) {what}{'' if what.endswith('?') else '.'}")


def _id(_column: Column, _cell: Cell, text: str, _words: Vocabulary) -> str:
    if not _ID.fullmatch(text):
        raise ValueError("is no id: use at most 64 letters, digits, dots, - and _, without spaces")
    return text


def _person(_column: Column, _cell: Cell, text: str, _words: Vocabulary) -> str:
    if not _PERSON.fullmatch(text):
        raise ValueError("is no code: use 4 to 64 letters, digits and -, and never a name")
    return text


def _code(column: Column, _cell: Cell, text: str, vocabulary: Vocabulary) -> str:
    words: WordList = vocabulary[column.words]
    if code := words.code_of(text):
        return code
    near = words.nearest(text)
    known = f'did you mean "{words.title_of(near)}"?' if near else f"choose from {_listed(list(words.codes))}"
    raise ValueError(f'says "{text[:40]}", which is not in the list "{words.title}"; {known}')


def _date(_column: Column, cell: Cell, text: str, _words: Vocabulary) -> date:
    if isinstance(cell.value, datetime):
        return cell.value.date()
    if isinstance(cell.value, date):
        return cell.value
    if isinstance(cell.value, str):
        for form in _DATES:
            try:
                return datetime.strptime(text, form).date()  # noqa: DTZ007 - a day of the pilot's own calendar
            except ValueError:
                continue
    raise ValueError(f'says "{text[:40]}", which is no day; write it as 2026-03-14')


def _time(_column: Column, cell: Cell, text: str, _words: Vocabulary) -> time:
    if isinstance(cell.value, time):
        return cell.value.replace(second=0, microsecond=0)
    for form in _TIMES:
        try:
            return datetime.strptime(text, form).time().replace(second=0)  # noqa: DTZ007 - local time without a day
        except ValueError:
            continue
    raise ValueError(f'says "{text[:40]}", which is no hour; write it as 18:30')


def _number(column: Column, cell: Cell, text: str, _words: Vocabulary) -> float:
    if isinstance(cell.value, bool | date | time) or not _NUMBER.fullmatch(text):
        raise ValueError(f'says "{text[:40]}", which is no number')
    number = float(text.replace(",", "."))
    if not column.least <= number <= column.most:
        raise ValueError(f"is {text}; it must lie between {column.least:g} and {column.most:,.0f}")
    return number


def _whole(column: Column, cell: Cell, text: str, words: Vocabulary) -> int:
    number = _number(column, cell, text, words)
    if not number.is_integer():
        raise ValueError(f"is {text}; it must be a whole number")
    return int(number)


def _languages(_column: Column, _cell: Cell, text: str, _words: Vocabulary) -> list[str]:
    found = [part for part in re.split(r"[\s,;]+", text) if part]
    if not found or not all(_LANGUAGE.fullmatch(part) for part in found):
        raise ValueError('holds no language codes; write for example "it, en"')
    return list(dict.fromkeys(found))


def _text(_column: Column, _cell: Cell, text: str, _words: Vocabulary) -> str:
    if len(text) > 80 or any(not sign.isprintable() for sign in text):
        raise ValueError("is longer than 80 characters or more than one line")
    return text


def _flag(_column: Column, _cell: Cell, text: str, _words: Vocabulary) -> bool:
    if text.casefold() in _YES:
        return True
    if text.casefold() in _NO:
        return False
    raise ValueError(f'says "{text[:40]}"; write yes or leave it empty')


def _listed(codes: list[str]) -> str:
    return ", ".join(codes[:8]) + (" and others" if len(codes) > 8 else "")


_READERS: Final = {
    "id": _id, "activity": _id, "date": _date, "time": _time, "code": _code, "whole": _whole, "number": _number,
    "person": _person, "languages": _languages, "text": _text, "flag": _flag,
}  # fmt: skip
