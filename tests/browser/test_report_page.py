"""The report as a reader meets it: in a browser, with the mouse, with the keyboard, with a screen reader."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest
from selenium.webdriver import ActionChains, Chrome
from selenium.webdriver.common.by import By
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.support.ui import Select, WebDriverWait

from tests.browser.conftest import NASTY

WIDTHS = (400, 1200, 1900)
AXE = Path(sys.prefix) / "axe/node_modules/axe-core/axe.min.js"
"""Where `make test` puts it."""


def open_page(browser: Chrome, report: Path) -> None:
    browser.get(report.as_uri())
    WebDriverWait(browser, 60).until(
        lambda own: own.execute_script("return document.documentElement.dataset.ready === 'yes'")
    )


def one(browser: Chrome, selector: str) -> WebElement:
    return browser.find_element(By.CSS_SELECTOR, selector)


def every(browser: Chrome, selector: str) -> list[WebElement]:
    return browser.find_elements(By.CSS_SELECTOR, selector)


def press(browser: Chrome, element: WebElement) -> None:
    """Click on an element in the middle of the window: the contents stay at its upper edge."""
    browser.execute_script("arguments[0].scrollIntoView({block: 'center'})", element)
    element.click()


def points(browser: Chrome) -> list[str]:
    """The variants in the picture."""
    names: list[str] = browser.execute_script(
        "return [...document.querySelectorAll('.field [data-variant]')].map((own) => own.dataset.variant)"
    )
    return names


def chosen(browser: Chrome) -> str:
    """The variant whose details are shown."""
    return one(browser, "#variant-title").text.removeprefix("One variant: ")


def control(browser: Chrome, label: str) -> Select:
    found = browser.find_element(By.XPATH, f"//label[normalize-space()='{label}']/following-sibling::select")
    return Select(found)


def test_it_opens_without_an_error_and_asks_nothing_of_the_outside(browser: Chrome, report: Path) -> None:
    open_page(browser, report)
    assert browser.get_log("browser") == []
    messages = [json.loads(entry["message"])["message"] for entry in browser.get_log("performance")]
    asked = [
        message["params"]["request"]["url"] for message in messages if message["method"] == "Network.requestWillBeSent"
    ]
    assert [url for url in asked if url.startswith("file:")] == [report.as_uri()]
    assert [url for url in asked if not url.startswith(("file:", "data:", "chrome:", "about:"))] == []
    titles = [heading.text for heading in every(browser, "h2")]
    assert titles[0] == "Which variants are on the front, and how sure is that"
    assert len(titles) == 6
    assert len(points(browser)) > 100


def test_text_of_a_study_is_text(browser: Chrome, report: Path) -> None:
    open_page(browser, report)
    assert one(browser, "h1").text == NASTY
    assert browser.title.startswith("<img")
    assert every(browser, "main img, header img, main b, header b") == []
    assert "injected" not in browser.execute_script("return document.title.slice(0, 8)")
    assert len(every(browser, "script:not([type])")) == 1
    assert any(NASTY in row.text for row in every(browser, ".layers tbody tr"))


# Points may lie on top of each other; what is below is chosen from the table.
UNCOVERED = """
const [mark] = arguments;
mark.scrollIntoView({block: 'center'});
const box = mark.getBoundingClientRect();
return document.elementFromPoint(box.x + box.width / 2, box.y + box.height / 2) === mark;
"""


def test_a_click_on_a_point_shows_its_details(browser: Chrome, report: Path) -> None:
    open_page(browser, report)
    before = chosen(browser)
    others = [own for own in every(browser, ".field .point.front") if own.get_attribute("data-variant") != before]
    mark = next(own for own in others if browser.execute_script(UNCOVERED, own))
    name = mark.get_attribute("data-variant")
    ActionChains(browser).move_to_element(mark).click().perform()
    assert chosen(browser) == name
    facts = one(browser, "#variant").text
    for word in ("pe_count", "EDP, proven", "Layer by layer", "Roofline at DRAM", "Loop nest", "bound by"):
        assert word in facts
    assert len(every(browser, ".layers tbody tr")) == 3
    nest = one(browser, "pre.nest").text
    press(browser, every(browser, ".layers tbody button")[1])
    assert "dense" in one(browser, "#layer-title").text
    assert one(browser, "pre.nest").text != nest
    assert one(browser, "pre.nest").text.startswith("DRAM keeps Weights")


def test_filters_take_points_away_and_bring_them_back(browser: Chrome, report: Path) -> None:
    open_page(browser, report)
    everything = points(browser)
    press(browser, one(browser, ".filter-box summary"))
    for box in every(browser, "[data-parameter='0']")[1:]:
        press(browser, box)
    some = points(browser)
    assert 0 < len(some) < len(everything)
    assert "30 of 120 variants fit the filters." in one(browser, "#front").text
    control(browser, "Variants").select_by_visible_text("all that fit the filters")
    assert len(every(browser, "#certainty tbody tr")) == 30
    control(browser, "from").select_by_visible_text("256")
    assert 0 < len(points(browser)) < len(some)
    press(browser, browser.find_element(By.XPATH, "//button[.='Clear the filters']"))
    assert points(browser) == everything


def test_the_keyboard_reaches_everything(browser: Chrome, report: Path) -> None:
    open_page(browser, report)
    reached: set[str] = set()
    for _ in range(200):
        ActionChains(browser).send_keys(Keys.TAB).perform()
        where = browser.execute_script(
            "const own = document.activeElement; return own === document.body ? '' : "
            "(own.closest('section, nav')?.id || own.closest('nav')?.tagName || own.className) + ' ' + own.tagName"
        )
        if not where and reached:
            break
        reached.add(where)
    assert {
        "skip A",
        "NAV A",
        "certainty BUTTON",
        "certainty SELECT",
        "front SELECT",
        "front DIV",
        "front BUTTON",
    } <= reached
    assert {"variant BUTTON", "variant PRE", "parameters SELECT", "left-out DIV", "origin SUMMARY"} <= reached

    field = one(browser, ".field")
    browser.execute_script("arguments[0].focus()", field)
    ActionChains(browser).send_keys(Keys.ARROW_RIGHT, Keys.ARROW_RIGHT).perform()
    said = one(browser, "#said").get_attribute("textContent") or ""
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert said.startswith(f"{chosen(browser)}:")
    ticks = [tick.text for tick in every(browser, ".field .tick")]
    ActionChains(browser).send_keys("+", "+").perform()
    assert [tick.text for tick in every(browser, ".field .tick")] != ticks
    ActionChains(browser).send_keys("0").perform()
    assert [tick.text for tick in every(browser, ".field .tick")] == ticks
    link = one(browser, "#certainty tbody tr:last-child button")
    browser.execute_script("arguments[0].focus()", link)
    ActionChains(browser).send_keys(Keys.ENTER).perform()
    assert chosen(browser) == link.text
    assert browser.switch_to.active_element.get_attribute("id") == "variant-title"


def test_axes_colours_and_the_wheel(browser: Chrome, report_of_three: Path) -> None:
    open_page(browser, report_of_three)
    assert "proves nothing of cycles or energy" in one(browser, "#certainty").text
    before = [mark.get_attribute("fill") for mark in every(browser, ".field .point")]
    control(browser, "Colour").select_by_visible_text("pe_count")
    assert [mark.get_attribute("fill") for mark in every(browser, ".field .point")] != before
    control(browser, "Across").select_by_visible_text("utilization")
    control(browser, "Up").select_by_visible_text("pe_count")
    assert [title.text for title in every(browser, ".field .title")] == ["utilization", "pe_count"]
    field = one(browser, ".field svg")
    ticks = [tick.text for tick in every(browser, ".field .tick")]
    ActionChains(browser).scroll_from_origin(_origin(field), 0, -200).perform()
    assert [
        tick.text for tick in every(browser, ".field .tick")
    ] == ticks  # the page scrolls: the picture was not chosen
    press(browser, field)
    ActionChains(browser).scroll_from_origin(_origin(field), 0, -200).perform()
    assert [tick.text for tick in every(browser, ".field .tick")] != ticks


def _origin(element: WebElement) -> Any:
    from selenium.webdriver.common.actions.wheel_input import ScrollOrigin  # noqa: PLC0415  (used here alone)

    return ScrollOrigin.from_element(element)


@pytest.mark.parametrize("width", WIDTHS)
def test_nothing_is_wider_than_the_window(browser: Chrome, report: Path, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    open_page(browser, report)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


@pytest.mark.skipif(not AXE.exists(), reason="make test fetches axe-core where npm is installed")
@pytest.mark.parametrize("width", [WIDTHS[0], WIDTHS[-1]])
def test_axe_finds_nothing_serious(browser: Chrome, report: Path, width: int) -> None:
    size = {"width": width, "height": 900, "deviceScaleFactor": 1, "mobile": width < 600}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    open_page(browser, report)
    browser.execute_script(AXE.read_text())
    found = browser.execute_async_script(
        "const done = arguments[0]; axe.run().then((answer) => done(answer.violations))"
    )
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})
    listed = [
        f"{own['impact']}: {own['id']}: {[node['html'][:200] for node in own['nodes'][:3]]}"
        for own in found
        if own["impact"] in ("serious", "critical")
    ]
    assert listed == []
