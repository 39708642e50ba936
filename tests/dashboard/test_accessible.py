"""What a reader with a keyboard, a screen reader or weak eyes needs, checked on every page in Chromium."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Browser, expect

from dashboard.pages import PAGES
from tests.dashboard.conftest import Site
from tests.dashboard.made_up import MadeUpAnswers
from tests.dashboard.test_journeys import reader

PATHS = [page.PATH for page in PAGES]
# Contrast after WCAG 2.2, 1.4.3: 4.5, or 3 for large text; grounds with an image behind are left to the palette's test.
WEAK = """() => {
  const rgb = text => {
    const srgb = /^color\\(srgb ([^)]*)\\)/.exec(text);
    const parts = (srgb ? srgb[1] : text).match(/[\\d.e-]+/g).map(Number);
    const scale = srgb ? 255 : 1;
    return [parts[0] * scale, parts[1] * scale, parts[2] * scale, parts.length > 3 ? parts[3] : 1];
  };
  const over = (top, under) => [0, 1, 2].map(i => top[i] * top[3] + under[i] * (1 - top[3])).concat(1);
  const light = colour => {
    const [r, g, b] = colour.slice(0, 3).map(c => {
      c /= 255; return c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const ground = element => {
    const layers = [];
    for (let one = element; one; one = one.parentElement) {
      layers.push(rgb(getComputedStyle(one).backgroundColor));
      if (layers[layers.length - 1][3] === 1) break;
    }
    return layers.reverse().reduce((under, top) => over(top, under), [255, 255, 255, 1]);
  };
  const found = [];
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
  while (walker.nextNode()) {
    const element = walker.currentNode.parentElement, said = walker.currentNode.textContent.trim();
    if (!said || !element.checkVisibility({visibilityProperty: true, opacityProperty: true})) continue;
    if (element.closest("svg, noscript, script, style, .skip")) continue;
    const box = element.getBoundingClientRect(), style = getComputedStyle(element);
    if (!box.width || !box.height) continue;
    const under = ground(element), ink = over(rgb(style.color), under);
    const [high, low] = [light(ink), light(under)].sort((a, b) => b - a);
    const size = parseFloat(style.fontSize), large = size >= 24 || (size >= 18.66 && style.fontWeight >= 700);
    const contrast = (high + 0.05) / (low + 0.05);
    if (contrast < (large ? 3 : 4.5)) found.push(`${said.slice(0, 40)} [${element.className}]: ${contrast.toFixed(2)}`);
  }
  return [...new Set(found)];
}"""
NAMELESS = """() => [...document.querySelectorAll("button, a[href], summary, input, select, textarea, [role=button]")]
  .filter(one => one.checkVisibility() && one.type !== "hidden" && !one.closest("[aria-hidden=true]"))
  .filter(one => {
    const by = (one.getAttribute("aria-labelledby") || "").split(" ").map(id => document.getElementById(id));
    const labels = [...(one.labels || [])].map(label => label.textContent).join("");
    const said = one.getAttribute("aria-label") || by.map(each => each ? each.textContent : "").join("")
      || labels || one.textContent || one.title || one.placeholder;
    return !said.trim();
  }).map(one => one.outerHTML.slice(0, 120))"""
# Whoever speaks to a page says what is written on it, so a name must hold it (WCAG 2.2, 2.5.3).
MISNAMED = """() => [...document.querySelectorAll("button[aria-label], a[aria-label], summary[aria-label]")]
  .filter(one => one.checkVisibility() && /\\p{L}/u.test(one.innerText))
  .filter(one => !one.getAttribute("aria-label").toLowerCase().includes(one.innerText.trim().toLowerCase()))
  .map(one => one.outerHTML.slice(0, 120))"""
DOUBLED = """() => { const ids = [...document.querySelectorAll("[id]")].map(one => one.id);
  return [...new Set(ids.filter((id, at) => ids.indexOf(id) !== at))]; }"""
# States that only some roles may have.
STATES = """() => [...document.querySelectorAll("[aria-expanded]")]
  .filter(one => !one.getAttribute("role") && !["BUTTON", "A", "SUMMARY", "INPUT", "SELECT"].includes(one.tagName))
  .map(one => one.outerHTML.slice(0, 120))"""


@pytest.fixture
def site(serve: Callable[[MadeUpAnswers], Site], answers: MadeUpAnswers) -> Site:
    return serve(answers)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 390])
def test_names_states_and_contrast_of_every_page(chromium: Browser, site: Site, scheme: str, width: int) -> None:
    with reader(chromium, width, scheme) as page:
        wrong = []
        for path in PATHS:
            page.goto(site.address + path)
            expect(page.locator("#page h1")).to_be_visible()
            expect(page.locator("#page .mantine-Skeleton-root")).to_have_count(0)
            for what in (WEAK, NAMELESS, MISNAMED, DOUBLED, STATES):
                wrong += [f"{path}: {one}" for one in page.evaluate(what)]
        assert wrong == []


def test_what_scrolls_inside_a_page_can_be_reached_by_keyboard(chromium: Browser, site: Site) -> None:
    with reader(chromium, 390) as page:
        for path in PATHS:
            page.goto(site.address + path)
            expect(page.locator("#page .mantine-Skeleton-root")).to_have_count(0)
            stuck = page.evaluate(
                """() => [...document.querySelectorAll("#page *")].filter(one => {
                    const style = getComputedStyle(one);
                    return one.scrollWidth > one.clientWidth + 1 && ["auto", "scroll"].includes(style.overflowX)
                        && one.tabIndex < 0 && !one.querySelector("a[href], button, input, select, [tabindex]");
                }).map(one => one.className)"""
            )
            assert stuck == [], path
