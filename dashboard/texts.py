"""Every visible string goes through `_` or `_n`: gettext catalogues in `locale/`, chosen per request.

English is the language of the source, so it needs no catalogue of its own to be complete. Titles of indicators and
other words that come from the registry go through `_` as well (`docs/dashboard.md`).
"""

import gettext
from contextvars import ContextVar
from functools import cache
from pathlib import Path

LOCALE = Path(__file__).parent / "locale"
DOMAIN = "periscope"
LANGUAGE = "en"

_speaking: ContextVar[gettext.NullTranslations | None] = ContextVar("periscope_texts", default=None)


@cache
def catalogue(language: str) -> gettext.NullTranslations:
    """The catalogue of a language; the source's own words where it has none."""
    return gettext.translation(DOMAIN, str(LOCALE), [language], fallback=True)


def speak(translations: gettext.NullTranslations) -> None:
    """Use these translations for the rest of this request."""
    _speaking.set(translations)


def _(message: str, /, **values: object) -> str:
    """A message in the reader's language, with its values put in.

    >>> _("{n} people", n=3)
    '3 people'
    """
    text = (_speaking.get() or catalogue(LANGUAGE)).gettext(message) if message else ""
    return text.format(**values) if values else text


def _n(one: str, many: str, n: int, /, **values: object) -> str:
    """The form of a message that fits a number, which it may show as {n}.

    >>> _n("{n} person", "{n} people", 1)
    '1 person'
    """
    return (_speaking.get() or catalogue(LANGUAGE)).ngettext(one, many, n).format(n=n, **values)
