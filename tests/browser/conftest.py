"""A headless Chromium, and reports to open in it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service

from dse.report.html import write_report
from tests.report.made_up import made_up_sweep

FLAGS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
NASTY = "<img src=x onerror=\"document.title='injected'\"></script><script>document.title='injected'</script>&amp;"
STUDY = """study:
  name: '{nasty}'
  description: 'Weights of <b>nothing</b> {nasty}'
  template: simba
  parameters:
    pe_count: [4, 8, 16, 32]
    weight_buffer_kib: [8, 16]
    global_buffer_kib: {{range: [32, 480, 32]}}
  networks: [net.yaml]
  objective: {objective}
  objectives: [{objectives}]
"""
NETWORK = """network:
  name: '{nasty}'
  layers:
    - {{name: '{nasty}', count: 2, problem: {{R: 3, S: 3, P: 14, Q: 14, C: 64, K: 64, N: 1}}}}
    - {{name: dense, count: 1, problem: {{R: 1, S: 1, P: 1, Q: 1, C: 512, K: 1000, N: 1}}}}
"""


def make_report(folder: Path, objective: str, objectives: str) -> Path:
    """A report of 120 variants of two layers, with markup in every name."""
    folder.mkdir()
    nasty = NASTY.replace("'", "''")
    (folder / "net.yaml").write_text(NETWORK.format(nasty=nasty))
    (folder / "study.yaml").write_text(STUDY.format(nasty=nasty, objective=objective, objectives=objectives))
    study = made_up_sweep(folder / "study.yaml", folder / "run")
    write_report(study, folder / "report.html")
    return folder / "report.html"


@pytest.fixture(scope="session")
def report(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report with proven intervals."""
    return make_report(tmp_path_factory.mktemp("browser") / "proven", "edp", "latency, energy")


@pytest.fixture(scope="session")
def report_of_three(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report of three objectives, of which nothing is proven."""
    return make_report(tmp_path_factory.mktemp("browser") / "three", "cosa", "latency, energy, utilization")


@pytest.fixture(scope="session")
def _chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[webdriver.Chrome]:
    browser, driver = shutil.which("chromium"), shutil.which("chromedriver")
    if browser is None or driver is None:
        pytest.skip("no Chromium with its driver is installed (on Debian: apt-get install chromium chromium-driver)")
    options = Options()
    options.binary_location = browser
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    chromium = webdriver.Chrome(options=options, service=Service(driver))
    yield chromium
    chromium.quit()


@pytest.fixture
def browser(_chromium: webdriver.Chrome) -> webdriver.Chrome:
    """A window of 1,200 pixels, with the logs of what came before read."""
    _chromium.set_window_size(1200, 900)
    for log in ("browser", "performance"):
        _chromium.get_log(log)
    return _chromium
