"""The page in use, in a real Chromium at two widths: filtered, compared, downloaded."""

from __future__ import annotations

import time
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from analysis.report.model import Cell, Column, Table
from analysis.report.scatter import panels
from tests.analysis.report.test_browser import browser, column, open_page, report

pytestmark = pytest.mark.browser
__all__ = ["browser"]

COLUMNS = (
    Column("model"),
    Column("hardware"),
    Column("train kWh", "estimated", True),
    Column("seconds", "measured", True, is_main=False),
)
ROWS = (("=HYPERLINK(1)", "A100", 2.0), ("run 1", "T4", 3.0), ('a, "b"', "T4", 4.0))


def shown(**changed: Any) -> Any:
    cells = tuple(
        (Cell(name), Cell(hardware), Cell(f"{kwh:g}", kwh), Cell("7", 7.0))
        for name, hardware, kwh in ROWS
    )
    names = ((Cell("run 1"), Cell("")), (Cell("other"), Cell("")))
    records = Table(
        "provenance-table", "Records", (Column("model"), Column("row")), names, runs=("aa", "bb")
    )
    rows = Table(
        "rows-table", "Rows", (Column("model"), Column("row")), names, runs=("aa cc", "bb")
    )
    tables = (Table("table3", "Table 3", COLUMNS, cells, runs=("", "cc", "")),)
    return report(tables=tables, provenance=records, rows=rows, **changed)


@pytest.fixture(params=[1400, 390])
def sized(browser: Any, request: pytest.FixtureRequest) -> Any:
    size = {"width": request.param, "height": 900, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    yield browser
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def click(browser: Any, element: Any) -> None:
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def test_the_page_never_scrolls_sideways_and_its_bar_hides_no_heading(
    sized: Any, tmp_path: Path
) -> None:
    open_page(sized, tmp_path, shown())
    width, window = sized.execute_script(
        "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    )
    assert width <= window
    for link in sized.find_elements(By.CSS_SELECTOR, "nav a"):
        sized.execute_script("arguments[0].click()", link)
        top, bar = sized.execute_script(
            "const n = document.querySelector('nav').getBoundingClientRect();"
            "return [document.querySelector(location.hash).getBoundingClientRect().top, n.bottom]"
        )
        assert top >= bar or bar < 0


def test_rows_are_filtered_by_hardware_and_compared(sized: Any, tmp_path: Path) -> None:
    open_page(sized, tmp_path, shown())
    choice = sized.find_element(By.CSS_SELECTOR, ".choices[data-for=table3] select")
    Select(choice).select_by_visible_text("T4")
    assert column(sized, "table3", 1) == ["run 1", 'a, "b"']
    for pick in sized.find_elements(By.CSS_SELECTOR, "#table3 tr:not([hidden]) input.pick"):
        click(sized, pick)
    compared = sized.find_element(By.ID, "compare").text
    assert "2 rows compared" in compared
    assert "train kWh, estimated 3 4" in compared


def test_a_row_leads_to_its_records(sized: Any, tmp_path: Path) -> None:
    open_page(sized, tmp_path, shown())
    [button] = sized.find_elements(By.CSS_SELECTOR, "#table3 button.records")
    assert button.accessible_name == "records of run 1"
    click(sized, button)
    assert column(sized, "rows-table", 1) == ["run 1"]
    [first] = sized.find_elements(By.CSS_SELECTOR, "#rows-table tr:not([hidden]) button.records")
    click(sized, first)
    assert column(sized, "provenance-table", 1) == ["run 1"]


def test_the_csv_has_the_shown_rows_every_column_and_no_formula(sized: Any, tmp_path: Path) -> None:
    sized.execute_cdp_cmd(
        "Browser.setDownloadBehavior", {"behavior": "allow", "downloadPath": str(tmp_path)}
    )
    open_page(sized, tmp_path, shown())
    click(sized, sized.find_element(By.CSS_SELECTOR, "button[data-csv=table3]"))
    file = tmp_path / "table3.csv"
    until = time.monotonic() + 10
    while not file.exists() and time.monotonic() < until:
        time.sleep(0.05)
    assert file.read_bytes().decode().split("\r\n") == [
        'model,hardware,"train kWh, estimated","seconds, measured"',
        "'=HYPERLINK(1),A100,2.0,7.0",
        "run 1,T4,3.0,7.0",
        '"a, ""b""",T4,4.0,7.0',
        "",
    ]


def test_a_columns_that_matter_less_are_a_click_away_and_the_model_stays(
    sized: Any, tmp_path: Path
) -> None:
    open_page(sized, tmp_path, shown())
    assert column(sized, "table3", 4) == []
    click(sized, sized.find_element(By.CSS_SELECTOR, "button[data-all=table3]"))
    assert column(sized, "table3", 4) == ["7", "7", "7"]
    cell = sized.find_element(By.CSS_SELECTOR, "#table3 td")
    assert cell.value_of_css_property("position") == "sticky"


def test_the_front_has_published_rows_alone() -> None:
    points = report().points
    [accuracy, _] = panels(points)
    assert len(accuracy.front.split()) == sum(point.kind == "published" for point in points)
