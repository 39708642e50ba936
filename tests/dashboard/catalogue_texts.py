"""The texts of the dashboard, as its source and the registry hold them; run as a module it writes their template."""

from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import write_po

from dashboard import texts
from dashboard.access import rules
from dashboard.pages import PAGES
from pipeline.indicators import INDICATORS

Message = str | tuple[str, ...]
TEMPLATE = texts.LOCALE / "periscope.pot"
_KEYWORDS = {"_": None, "_n": (1, 2)}
_WORDS = ("title", "unit", "formula", "window", "caveat", "source")


def source_texts() -> set[Message]:
    """Every message; one with two forms is a pair."""
    folder = Path(texts.__file__).parent
    found = {message for _, _, message, *_ in extract_from_dir(folder, [("**.py", "python")], keywords=_KEYWORDS)}
    registry = {getattr(one, word) for one in INDICATORS.values() for word in _WORDS}
    families = {one.family.capitalize() for one in INDICATORS.values()}
    return (found | registry | families | set(rules.WORDS.values()) | {page.TITLE for page in PAGES}) - {""}


def main() -> None:
    catalogue = Catalog(project="Periscope", charset="utf-8")
    catalogue.header_comment = "# Every text of the dashboard; a language is locale/<code>/LC_MESSAGES/periscope.po."
    for message in source_texts():
        catalogue.add(message)
    with TEMPLATE.open("wb") as file:
        write_po(file, catalogue, sort_output=True, omit_header=True, width=120)


if __name__ == "__main__":
    main()
