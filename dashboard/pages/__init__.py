"""One file per page: PATH, TITLE, `layout(**chosen)` and `register(app, queries)`; PAGES is the order of the menu.

FINDINGS stand under one entry of it."""

from types import ModuleType
from typing import Final

from dashboard.pages import (
    alerts,
    compare,
    decisions,
    definitions,
    effects,
    impact,
    log,
    methods,
    now,
    pilot,
    quality,
    retention,
)

FINDINGS: Final[tuple[ModuleType, ...]] = (methods, decisions, retention, impact, effects)
PAGES: Final[tuple[ModuleType, ...]] = (now, compare, pilot, *FINDINGS, alerts, quality, log, definitions)
