"""Reading the figures of the period from page *Compare* in a browser, as they were computed."""

from playwright.sync_api import Page, expect


def read(page: Page, address: str, query: str = "?span=all") -> dict[tuple[str, str, str], str]:
    """The raw value of every cell by (pilot, indicator, segment); "" where there is none."""
    page.goto(f"{address}/compare{query}")
    expect(page.locator("td[data-indicator]").first).to_be_visible(timeout=60_000)
    cells = page.locator("td[data-indicator]").evaluate_all("cells => cells.map(cell => ({...cell.dataset}))")
    return {(cell["pilot"], cell["indicator"], cell["segment"]): cell["value"] for cell in cells}
