"""The system's Chromium, driven by Playwright."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager

from playwright.sync_api import Browser, sync_playwright

from tests.services import missing

ARGUMENTS = [
    "--no-sandbox",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def program() -> str:
    """Path of Chromium; skips or fails when it is not installed."""
    names = ("chromium", "chromium-browser", "google-chrome-stable", "google-chrome")
    found = os.environ.get("PERISCOPE_TEST_CHROMIUM") or next(filter(None, map(shutil.which, names)), None)
    return found or missing("Chromium")


@contextmanager
def browser() -> Iterator[Browser]:
    """A running headless browser that makes no requests of its own."""
    path = program()
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=path, args=ARGUMENTS)
        try:
            yield running
        finally:
            running.close()
