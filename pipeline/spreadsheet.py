"""Texts in files that people open with a spreadsheet: none may be taken for a formula.

Source: OWASP, CSV Injection; the full-width signs are computed by spreadsheets of East Asian locales.
"""

from typing import Final

FORMULA_STARTS: Final = ("=", "+", "-", "@", "\t", "\r", "\n", "\0", "＝", "＋", "－", "＠")


def harmless(text: str) -> str:
    """The text with a leading apostrophe where a spreadsheet might compute it; numbers are no texts.

    >>> harmless("=1+1"), harmless("＝1+1"), harmless("co_design")
    ("'=1+1", "'＝1+1", 'co_design')
    """
    return "'" + text if text.startswith(FORMULA_STARTS) else text
