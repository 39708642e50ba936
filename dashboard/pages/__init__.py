"""One file per page: PATH, TITLE, `layout(**chosen)` and `register(app, queries)`; PAGES is the order of the menu."""

from types import ModuleType
from typing import Final

from dashboard.pages import compare, definitions, log, now, pilot, quality

PAGES: Final[tuple[ModuleType, ...]] = (now, compare, pilot, quality, log, definitions)
