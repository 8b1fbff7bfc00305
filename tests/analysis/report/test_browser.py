"""The page in a real Chromium: it sorts, filters, answers the pointer, and asks nobody anything."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import Select

from analysis.figures import gather
from analysis.figures.figure5_6 import figure6
from analysis.records.load import load
from analysis.report import page
from analysis.report.build import build
from analysis.report.model import (
    Cell,
    Column,
    Entry,
    Leaderboard,
    Metric,
    Missing,
    Point,
    Report,
    Table,
    Value,
)
from metering.record_file import write
from tests.analysis.sample_records import a_record

pytestmark = pytest.mark.browser

HOSTILE = "<script>document.title='taken'</script><img src=x onerror=\"document.title='taken'\">"
FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1400,1000",
)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """Chromium with an empty profile, its network log on. It is required: no browser, no pass."""
    options = webdriver.ChromeOptions()
    options.binary_location = "/usr/bin/chromium"
    for flag in FLAGS:
        options.add_argument(flag)
    options.add_argument(f"--user-data-dir={tmp_path_factory.mktemp('profile')}")
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    service = webdriver.ChromeService("/usr/bin/chromedriver")
    driver = webdriver.Chrome(options=options, service=service)
    yield driver
    driver.quit()


def table(name: str, *rows: tuple[str, float | None]) -> Table:
    columns = (Column("model"), Column("train kWh", "published", is_number=True))
    cells = tuple(
        (Cell(model), Cell("" if kwh is None else f"{kwh:g}", kwh, "Table 3"))
        for model, kwh in rows
    )
    return Table(name, name.title(), columns, cells, ("GFLOPs are GMACs.",))


def report(**changed: Any) -> Report:
    points = (
        Point(
            "ResNet50",
            "published",
            31.506,
            76.1,
            0.852,
            "convolutional",
            "#0072B2",
            "A6000",
            "Table 3",
        ),
        Point("ViT-B", "estimated", 412.0, 77.9, None, "transformer", "#E69F00", is_small=True),
    )
    values: dict[str, Any] = {
        "title": "What it costs",
        "summary": ("Two records.",),
        "measured": table("measured", ("resnet50", 1.0)),
        "tables": (
            table(
                "table3",
                ("ViT-B", 389.76),
                ("ResNet50", 31.506),
                ("unknown", None),
                ("MobileNetv2", 16.152),
            ),
        ),
        "points": points,
        "figures": {"Figure 1": "<svg xmlns='http://www.w3.org/2000/svg' id=\"a\"></svg>"},
        "provenance": table("provenance", ("run 1", 1.0)),
        "missing": (Missing("Figure 5", "python run.py -m hardware=a,b"),),
        "versions": {"watt-for-what": "0.1.0"},
    }
    return Report(**(values | changed))


def open_page(browser: Any, tmp_path: Path, shown: Report) -> Any:
    browser.get_log("browser")
    browser.get_log("performance")
    browser.get(page.write(shown, tmp_path).as_uri())
    return browser


def column(browser: Any, table_id: str, number: int) -> list[str]:
    cells = browser.find_elements(By.CSS_SELECTOR, f"#{table_id} tbody tr td:nth-child({number})")
    return [cell.text for cell in cells if cell.is_displayed()]


def test_a_click_on_a_header_sorts_by_number_and_a_second_one_turns_it_round(
    browser: Any, tmp_path: Path
) -> None:
    open_page(browser, tmp_path, report())
    header = browser.find_element(By.CSS_SELECTOR, "#table3 th:nth-child(2) button")
    header.click()
    assert column(browser, "table3", 1) == ["MobileNetv2", "ResNet50", "ViT-B", "unknown"]
    header.click()
    # what is absent stays last: it is not the largest
    assert column(browser, "table3", 1) == ["ViT-B", "ResNet50", "MobileNetv2", "unknown"]
    browser.find_element(By.CSS_SELECTOR, "#table3 th:nth-child(1) button").click()
    assert column(browser, "table3", 1) == ["MobileNetv2", "ResNet50", "unknown", "ViT-B"]


def test_search_leaves_the_rows_that_have_every_word(browser: Any, tmp_path: Path) -> None:
    open_page(browser, tmp_path, report())
    browser.find_element(By.CSS_SELECTOR, "input[data-table=table3]").send_keys("net 31")
    assert column(browser, "table3", 1) == ["ResNet50"]
    assert browser.find_element(By.ID, "table3-count").text == "1 of 4 rows"
    assert column(browser, "measured", 1) == ["resnet50"]


def test_the_leaderboard_ranks_by_what_the_reader_chose(browser: Any, tmp_path: Path) -> None:
    metrics = (Metric("wh", "Wh", "measured"), Metric("pct", "%", "measured", False))
    entries = tuple(
        Entry(
            "Classes",
            hardware,
            "batch 32",
            model,
            "set",
            tier,
            1,
            {"wh": Value(wh, f"{wh:g}", rank), "pct": Value(pct, f"{pct:g}")},
        )
        for hardware, model, tier, wh, pct, rank in (
            ("A100", "a", "counter", 2.0, 80.0, "2 (1 to 2)"),
            ("A100", "b", "counter", 1.0, 70.0, "1 (1 to 2)"),
            ("A100", "c", "modelled", 0.5, 60.0, ""),
            ("V100", "d", "counter", 3.0, 90.0, ""),
        )
    )
    open_page(browser, tmp_path, report(leaderboard=Leaderboard(entries, metrics)))
    assert (column(browser, "board", 1), column(browser, "board", 2)) == (
        ["", "1 (1 to 2)", "2 (1 to 2)"],
        ["c", "b", "a"],
    )
    choices = {
        name: Select(browser.find_element(By.CSS_SELECTOR, f"select[data-board={name}]"))
        for name in ("hardware", "metric")
    }
    choices["metric"].select_by_index(1)
    assert column(browser, "board", 2) == ["a", "b", "c"]
    assert column(browser, "board", 3) == ["80", "70", "60"]
    choices["hardware"].select_by_visible_text("V100")
    assert column(browser, "board", 2) == ["d"]


def test_hovering_over_a_marker_shows_its_row_and_source(browser: Any, tmp_path: Path) -> None:
    open_page(browser, tmp_path, report())
    marker = browser.find_element(By.CSS_SELECTOR, "circle[data-model=ResNet50]")
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", marker)
    tip = browser.find_element(By.ID, "tip")
    assert not tip.is_displayed()
    ActionChains(browser).move_to_element(marker).perform()
    assert tip.is_displayed()
    assert "ResNet50" in tip.text
    assert "31.506 kWh" in tip.text
    assert "source: Table 3" in tip.text


def test_a_model_without_a_gqi_is_in_the_first_panel_only(browser: Any, tmp_path: Path) -> None:
    open_page(browser, tmp_path, report())
    assert len(browser.find_elements(By.CSS_SELECTOR, "circle[data-model=ViT-B]")) == 1
    assert len(browser.find_elements(By.CSS_SELECTOR, "circle[data-model=ResNet50]")) == 2


def test_no_console_error_and_no_request_leaves_the_machine(browser: Any, tmp_path: Path) -> None:
    open_page(browser, tmp_path, report())
    browser.find_element(By.CSS_SELECTOR, "#table3 th:nth-child(2) button").click()
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert [url for url in requested(browser) if not url.startswith(("file:", "data:"))] == []


def requested(browser: Any) -> list[str]:
    """Every address that the page asked for."""
    events = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    urls = [
        event["params"]["request"]["url"]
        for event in events
        if event["method"] == "Network.requestWillBeSent"
    ]
    assert any(url.endswith("report.html") for url in urls), "the network log is not on"
    return urls


def test_markup_from_a_record_is_shown_and_does_nothing(browser: Any, tmp_path: Path) -> None:
    hostile = report(
        title=f"What it costs {HOSTILE}",
        summary=(HOSTILE,),
        tables=(table("table3", (HOSTILE, 1.0)),),
        points=(Point(HOSTILE, "measured", 5.0, 70.0, 0.5, HOSTILE, "#000", HOSTILE, HOSTILE),),
        missing=(Missing(HOSTILE, HOSTILE),),
        problems=(HOSTILE,),
        versions={HOSTILE: HOSTILE},
    )
    open_page(browser, tmp_path, hostile)
    assert browser.title == f"What it costs {HOSTILE}"
    assert column(browser, "table3", 1) == [HOSTILE]
    scripts = browser.find_elements(By.TAG_NAME, "script")
    assert len(scripts) == 1  # the page's own
    assert browser.find_elements(By.TAG_NAME, "img") == []
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []


def test_a_record_with_a_script_for_a_name_does_nothing(browser: Any, tmp_path: Path) -> None:
    for number, batch_size in enumerate((8, 32)):
        record = a_record(model=HOSTILE, paper_row=None, batch_size=batch_size, notes=(HOSTILE,))
        write(record, tmp_path / "runs" / str(number))
    gathered = gather.gather(load([tmp_path / "runs"]))
    figures = {"figure6": figure6(gathered.frames.runs)}  # its legend shows the model's name
    open_page(browser, tmp_path, build(gathered, figures))
    assert browser.title.startswith("Watt for what")
    assert column(browser, "provenance-table", 1)[0] == HOSTILE
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 1
    assert [entry for entry in browser.get_log("browser") if entry["level"] == "SEVERE"] == []
    assert [url for url in requested(browser) if not url.startswith(("file:", "data:"))] == []


def test_a_script_that_got_into_the_page_would_not_run(browser: Any, tmp_path: Path) -> None:
    shown = report(figures={"F": "<svg xmlns='http://www.w3.org/2000/svg'></svg>" + HOSTILE})
    open_page(browser, tmp_path, shown)
    assert len(browser.find_elements(By.TAG_NAME, "script")) == 2
    assert browser.title == "What it costs"
