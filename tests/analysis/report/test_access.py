"""The page without a mouse, and in the dark, in a real Chromium at two widths.

Contrast is computed from the colours that the browser resolves (WCAG 2.2, success criterion 1.4.3:
4.5 for text; relative luminance of sRGB).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Keys
from selenium.webdriver.common.by import By

from analysis.claims.claim import Claim
from analysis.figures.gather import gather
from analysis.records.load import load
from analysis.report.build import build
from analysis.report.model import Report
from tests.analysis.report.test_browser import browser, open_page
from tests.analysis.report.test_reading import sized
from tests.analysis.sample_records import a_failure, a_record, put

pytestmark = pytest.mark.browser
__all__ = ["browser", "sized"]

LEAST_CONTRAST = 4.5
TEXTS = """
const light = (c) => c <= 10.31 ? c / 255 / 12.92 : ((c / 255 + .055) / 1.055) ** 2.4;
const parse = (text) => text.match(/[\\d.]+/g).map(Number);
const luminance = ([r, g, b]) => .2126 * light(r) + .7152 * light(g) + .0722 * light(b);
function behind(element) {           // the nearest ancestor whose background is opaque
  for (let at = element; at; at = at.parentElement) {
    const colour = parse(getComputedStyle(at).backgroundColor);
    if (colour.length === 3 || colour[3] === 1) return colour;
  }
  return [255, 255, 255];
}
const found = new Map();
const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
while (walker.nextNode()) {
  const element = walker.currentNode.parentElement;
  if (!walker.currentNode.data.trim() || !element.getClientRects().length) continue;
  if (element.closest("script, style, figure")) continue;   // a figure has a page of its own
  const style = getComputedStyle(element), in_svg = element.closest("svg");
  const text = parse(in_svg ? style.fill : style.color), back = behind(in_svg ?? element);
  const [a, b] = [luminance(text), luminance(back)].sort((x, y) => y - x);
  const key = `${element.tagName}.${element.className.baseVal ?? element.className}`;
  const ratio = (a + .05) / (b + .05);
  const said = walker.currentNode.data.trim().slice(0, 40);
  if (!found.has(key) || ratio < found.get(key)[0])
    found.set(key, [ratio, said, String(text), String(back)]);
}
return Object.fromEntries(found);
"""


def a_report(tmp_path: Path) -> Report:
    """Of real records: every kind of number, a failure, notes, a claim and the missing list."""
    records = (a_record(), a_record(batch_size=8), a_record(scale="small"), a_failure())
    gathered = gather(load([put(tmp_path / "runs", *records)]))
    return build(gathered, {}, (Claim("A.4", "a claim"),))


@pytest.fixture(params=["light", "dark"])
def themed(sized: Any, request: pytest.FixtureRequest) -> Iterator[Any]:
    feature = {"name": "prefers-color-scheme", "value": request.param}
    sized.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": [feature]})
    yield sized
    sized.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_every_text_stands_out_from_what_is_behind_it(themed: Any, tmp_path: Path) -> None:
    open_page(themed, tmp_path, a_report(tmp_path))
    themed.execute_script(
        "for (const one of document.querySelectorAll('table')) one.classList.add('all');"
        "for (const one of document.querySelectorAll('details')) one.open = true;"
        "document.getElementById('tip').textContent = 'a tip';"
        "document.getElementById('tip').style.display = 'block';"
    )
    ratios = themed.execute_script(TEXTS)
    kinds = {name.split(" ")[0] for name in ratios}
    assert {"SPAN.kind", "TD.number", "CODE.", "A.", "LI.", "text.title", "text."} <= kinds
    faint = {name: found for name, found in ratios.items() if found[0] < LEAST_CONTRAST}
    assert not faint


def test_the_page_is_dark_in_the_dark(themed: Any, tmp_path: Path) -> None:
    open_page(themed, tmp_path, a_report(tmp_path))
    is_dark = themed.execute_script("return matchMedia('(prefers-color-scheme: dark)').matches")
    back = themed.find_element(By.TAG_NAME, "body").value_of_css_property("background-color")
    red = int(back.split("(")[1].split(",")[0])
    assert (red < 60) == is_dark


def press(page: Any, *keys: str) -> None:
    ActionChains(page).send_keys(*keys).perform()


def focused(page: Any) -> Any:
    return page.switch_to.active_element


STOP = """
const one = document.activeElement, style = getComputedStyle(one);
const is_outlined = style.outlineStyle !== "none" && style.outlineWidth !== "0px";
return [is_outlined || one.tagName === "circle",   // a marker's rim widens instead
  one.matches(arguments[0]), one.outerHTML.slice(0, 200)];
"""


def walk_to(page: Any, selector: str, most: int = 400) -> None:
    """Tab until what `selector` names has the focus, each stop with a visible outline."""
    for _ in range(most):
        press(page, Keys.TAB)
        is_outlined, is_there, html = page.execute_script(STOP, selector)
        assert is_outlined, html
        if is_there:
            return
    raise AssertionError(f"{selector} cannot be reached with the tab key")


def test_a_walk_by_keyboard_sorts_filters_compares_and_reaches_the_records(
    sized: Any, tmp_path: Path
) -> None:
    open_page(sized, tmp_path, a_report(tmp_path))
    press(sized, Keys.TAB)
    assert focused(sized).text == "Skip to the content"
    press(sized, Keys.ENTER)
    assert sized.current_url.endswith("#content")

    walk_to(sized, "input[data-table=table3]")
    press(sized, "swin-t")
    assert sized.find_element(By.ID, "table3-count").text == "1 of 67 rows"
    walk_to(sized, "#table3 th:nth-child(4) button")
    press(sized, Keys.ENTER)
    header = sized.find_element(By.CSS_SELECTOR, "#table3 th:nth-child(4)")
    assert header.get_attribute("aria-sort") == "ascending"
    walk_to(sized, "#table3 input.pick")
    press(sized, Keys.SPACE)
    assert focused(sized).is_selected()
    walk_to(sized, "#table3 button.records")
    press(sized, Keys.ENTER)
    assert focused(sized).get_attribute("data-table") == "rows-table"
    rows = sized.find_elements(By.CSS_SELECTOR, "#rows-table tbody tr:not([hidden])")
    assert len(rows) == 1 and "Swin-T" in rows[0].text
    walk_to(sized, "#rows-table button.records")
    press(sized, Keys.ENTER)
    assert focused(sized).get_attribute("data-table") == "provenance-table"


def test_whatever_can_be_used_has_a_name_and_says_what_it_is(sized: Any, tmp_path: Path) -> None:
    open_page(sized, tmp_path, a_report(tmp_path))
    usable = sized.find_elements(
        By.CSS_SELECTOR,
        "#table3 tr:nth-child(27) button, #table3 tr:nth-child(27) input,"
        "main select, main input[type=search], .tools button, main [tabindex='0']",
    )
    assert len(usable) > 20
    assert not [one.get_attribute("outerHTML") for one in usable if not one.accessible_name]
    headers = sized.find_elements(By.CSS_SELECTOR, "th")
    assert all(one.get_attribute("scope") == "col" for one in headers)
    counts = sized.find_elements(By.CSS_SELECTOR, "[role=status]")
    assert counts and all(one.get_attribute("id") for one in counts)
