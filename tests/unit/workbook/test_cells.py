"""A cell gives a value or a sentence that names its column and address; nothing is computed."""

from datetime import date, datetime, time
from typing import Any

import pytest

from collectors.workbook.cells import Cell, Plain, Wrong, is_formula_like, value_of
from collectors.workbook.form import Column, Kind
from config.vocabulary import load_vocabulary

WORDS = load_vocabulary()


def read(kind: Kind, value: Plain, formula: bool = False, **more: Any) -> Any:
    return value_of(Column("f", "Field", "Help.", kind, **more), Cell(value, "C7", formula), WORDS)


@pytest.mark.parametrize(
    ("kind", "value", "meant"),
    [
        ("id", 12.0, "12"),
        ("id", " A-1.b_2 ", "A-1.b_2"),
        ("date", datetime.fromisoformat("2026-03-14"), date(2026, 3, 14)),
        ("date", "2026-03-14", date(2026, 3, 14)),
        ("date", "14.03.2026", date(2026, 3, 14)),
        ("time", "18:30", time(18, 30)),
        ("time", time(9, 5, 3), time(9, 5)),
        ("whole", 12.0, 12),
        ("whole", "12", 12),
        ("number", "12,5", 12.5),
        ("languages", "it; en it", ["it", "en"]),
        ("flag", "Yes", True),
        ("flag", "no", False),
        ("text", "Sala «Città»", "Sala «Città»"),
        ("text", None, None),
        ("text", "  ", None),
    ],
)
def test_what_people_type_is_understood(kind: Kind, value: Plain, meant: object) -> None:
    assert read(kind, value) == meant


@pytest.mark.parametrize(
    ("kind", "value", "said"),
    [
        ("id", "two words", "is no id"),
        ("id", "a/b", "is no id"),
        ("date", "03/14/2026", "is no day"),
        ("date", 45000, "is no day"),
        ("date", "2026-02-30", "is no day"),
        ("time", "25:00", "is no hour"),
        ("whole", 1.5, "must be a whole number"),
        ("whole", True, "is no number"),
        ("whole", "twelve", "is no number"),
        ("whole", 10**9, "must lie between"),
        ("number", "nan", "is no number"),
        ("languages", "Italian", "holds no language codes"),
        ("person", "Ada Lovelace", "is no code"),
        ("person", "abc", "is no code"),
        ("text", "a\nb", "more than one line"),
        ("text", "x" * 81, "longer than 80"),
        ("text", "mail me: a@b.example", "looks like an e-mail address"),
        ("text", "=1+1", "begins like a formula"),
        ("text", "+cmd|'/C calc'!A0", "begins like a formula"),
        ("text", "＝1", "begins like a formula"),
        ("flag", "perhaps", "write yes"),
    ],
)
def test_what_cannot_be_meant_is_told_with_its_place(kind: Kind, value: Plain, said: str) -> None:
    with pytest.raises(Wrong, match=r"^Field \(C7\)") as caught:
        read(kind, value)
    assert said in str(caught.value)


def test_a_formula_is_refused_whatever_it_would_give() -> None:
    with pytest.raises(Wrong, match=r"Field \(C7\) holds a formula"):
        read("whole", "=1+1", formula=True)


def test_a_needed_cell_that_is_empty_is_told() -> None:
    with pytest.raises(Wrong, match=r"Field \(C7\) is empty; it is needed"):
        read("text", "", required=True)


def test_a_word_outside_the_list_gets_the_nearest_or_the_list() -> None:
    with pytest.raises(Wrong, match=r'did you mean "Co-design"\?$'):
        read("code", "codesing", words="stage")
    with pytest.raises(Wrong, match="choose from co_design, co_decide, co_produce, co_evaluate"):
        read("code", "zzzz", words="stage")


def test_negative_numbers_are_no_formulas() -> None:
    assert not is_formula_like("-5,2")
    assert is_formula_like("-5+2")
