"""The site builds without a warning, and its pages load nothing from outside."""

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.docs.blocks import ROOT

_LOADED = re.compile(r'<(?:script|img|iframe|link)\b[^>]*?\b(?:src|href)="((?:https?:)?//[^"]+)"')


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("docs") / "site"
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(folder)]
    environment = os.environ | {"NO_MKDOCS_2_WARNING": "1"}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    return folder


def test_pages_load_nothing_from_outside(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        assert _LOADED.findall(page.read_text(encoding="utf-8")) == [], page
    for style in site.rglob("*.css"):
        assert not re.search(r"(@import|url\()\s*['\"]?(https?:)?//", style.read_text(encoding="utf-8")), style


def test_reference_is_made_from_the_code(site: Path) -> None:
    commands = (site / "reference" / "commands.html").read_text(encoding="utf-8")
    for name in ("sweep", "explain", "compare", "watch"):
        assert f"dse {name}" in commands
    assert "--retry-failed" in commands
    modules = (site / "reference" / "modules.html").read_text(encoding="utf-8")
    assert 'id="dse.proof.prove.Prover"' in modules
    assert 'id="dse.report.verdict.Verdict"' in modules


def test_files_outside_docs_are_pages_with_links_between_them(site: Path) -> None:
    start = (site / "index.html").read_text(encoding="utf-8")
    for page in ("source.html", "shipped-networks.html", "cosa-table.html"):
        assert f'href="{page}"' in start
    source = (site / "source.html").read_text(encoding="utf-8")
    assert "Where to add" in source
