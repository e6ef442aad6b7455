"""The report of 1,000 variants × 24 layers: seconds to make it, its size, and how it answers in Chromium.

    .venv/bin/python benchmarks/report.py

prints one JSON object. The schedules are made up, as long as real ones and without two alike; `run.py` starts this in a
process of its own.
"""

from __future__ import annotations

import json
import shutil
import statistics
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from dse.report.html import write_report  # noqa: E402  (the tests' helpers lie beside the project)
from tests.browser.conftest import FLAGS  # noqa: E402
from tests.report.made_up import made_up_sweep  # noqa: E402

STUDY = """study:
  name: thousand
  template: simba
  parameters:
    pe_count: {powers_of_two: [4, 64]}
    weight_buffer_kib: {powers_of_two: [4, 64]}
    input_buffer_kib: [2, 4, 8, 32]
    global_buffer_kib: {range: [32, 320, 32]}
  networks: [resnet50]
  objective: edp
"""
CLICK = """
const done = arguments[arguments.length - 1], point = document.querySelectorAll('.field .point')[arguments[0]];
point.scrollIntoView({block: 'center'});
const box = point.getBoundingClientRect(), at = {clientX: box.x + box.width / 2, clientY: box.y + box.height / 2};
const start = performance.now();
const press = (kind) => point.dispatchEvent(new PointerEvent(kind, {bubbles: true, pointerId: 1, ...at}));
SVGElement.prototype.setPointerCapture = () => {};
press('pointerdown');
press('pointerup');
requestAnimationFrame(() => setTimeout(() => done(performance.now() - start)));
"""


def in_chromium(page: Path) -> dict[str, float]:
    """Seconds until the page is drawn, and milliseconds from a click to the next frame."""
    from selenium import webdriver  # noqa: PLC0415  (for this alone)
    from selenium.webdriver.chrome.options import Options  # noqa: PLC0415
    from selenium.webdriver.chrome.service import Service  # noqa: PLC0415
    from selenium.webdriver.support.ui import WebDriverWait  # noqa: PLC0415

    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        return {}
    with tempfile.TemporaryDirectory() as profile:
        options = Options()
        options.binary_location = browser
        for flag in (*FLAGS, f"--user-data-dir={profile}"):
            options.add_argument(flag)
        chromium: Any = webdriver.Chrome(options=options, service=Service(driver))
        try:
            start = time.perf_counter()
            chromium.get(page.as_uri())
            ready = "return document.documentElement.dataset.ready === 'yes'"
            WebDriverWait(chromium, 120, 0.02).until(lambda own: own.execute_script(ready))
            opened = time.perf_counter() - start
            clicks = [float(chromium.execute_async_script(CLICK, place)) for place in range(5, 500, 45)]
        finally:
            chromium.quit()
    return {"opens_seconds": opened, "click_ms": statistics.median(clicks), "slowest_click_ms": max(clicks)}


def main() -> dict[str, float]:
    """All figures."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "study.yaml").write_text(STUDY)
        study = made_up_sweep(folder / "study.yaml", folder / "run")
        page = folder / "report.html"
        start, cpu = time.perf_counter(), time.process_time()
        write_report(study, page)
        figures = {"seconds": time.perf_counter() - start, "cpu_seconds": time.process_time() - cpu}
        return figures | {"mb": page.stat().st_size / 1e6} | in_chromium(page)


if __name__ == "__main__":
    print(json.dumps(main()))
