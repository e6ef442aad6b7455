"""The page: a template of HTML, its style and its scripts, and the data as text that is no markup.

The data are JSON, deflated and in base64, so that no text of a study can end the element that holds it; the scripts
make text nodes of such text and nothing else. A policy allows the page nothing but its own style and scripts, by hash.
"""

from __future__ import annotations

import base64
import hashlib
import html
import json
import string
import zlib
from importlib import resources
from pathlib import Path
from typing import Any

from dse.errors import Fault, InputError
from dse.report.html.layers import layer_details
from dse.report.html.origin import origin_of
from dse.report.html.overview import Shown, overview
from dse.report.totals import StudyTotals
from dse.sweep.folder import StudyFolder
from dse.sweep.reading import StoredStudy, read_study

__all__ = ["REPORT", "SCRIPTS", "page_digest", "report_html", "write_page", "write_report"]

REPORT = "report.html"
"""What the report is called in the folder of its study."""

SCRIPTS = (
    "text.js",
    "elements.js",
    "scales.js",
    "study.js",
    "chart.js",
    "front.js",
    "table.js",
    "filters.js",
    "variant.js",
    "layers.js",
    "roofline.js",
    "effects.js",
    "reasons.js",
    "origin.js",
    "main.js",
)
"""In the order in which they are joined: each defines what those after it use."""

_FOLDER = resources.files("dse.report.html") / "page"


def write_report(folder: StudyFolder, output: Path) -> None:
    """Write the report of the study in a folder. Raises InputError where it cannot be read or written."""
    with read_study(folder) as study:
        text = report_html(folder, study, StudyTotals(study))
    try:
        write_page(output, text)
    except OSError as error:
        raise InputError(Fault(f"cannot be written: {error.strerror}", file=str(output))) from error


def write_page(output: Path, text: str) -> None:
    """Write a page, the whole of it or nothing; what exists and is no plain file (/dev/stdout) as it is."""
    if output.exists() and not output.is_file():
        output.write_text(text, encoding="utf-8")
        return
    part = output.with_name(f".{output.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(output)
    finally:
        part.unlink(missing_ok=True)


def report_html(folder: StudyFolder, study: StoredStudy, totals: StudyTotals) -> str:
    """The page as text; equal studies give equal pages."""
    shown = Shown(totals)
    style = _file("style.css")
    script = "\n".join(['"use strict";', "(() => {", *map(_file, (f"scripts/{name}" for name in SCRIPTS)), "})();"])
    page = string.Template(_file("page.html"))
    return page.substitute(
        title=html.escape(study.plan.name),
        policy=(
            f"default-src 'none'; script-src {_hash(script)}; style-src {_hash(style)}; "
            "base-uri 'none'; form-action 'none'"
        ),
        style=style,
        script=script,
        overview=_packed(overview(shown)),
        layers=_packed(layer_details(study, shown)),
        origin=_packed(origin_of(folder, study)),
    )


def page_digest() -> str:
    """SHA-256 of the template, the style and the scripts."""
    files = ("page.html", "style.css", *(f"scripts/{name}" for name in SCRIPTS))
    return hashlib.sha256("\0".join(map(_file, files)).encode()).hexdigest()


def _file(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")


def _hash(text: str) -> str:
    """A source of the policy: what stands in the element, byte for byte."""
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"


def _packed(data: Any) -> str:
    text = json.dumps(data, separators=(",", ":"), ensure_ascii=False, allow_nan=False)
    return base64.b64encode(zlib.compress(text.encode("utf-8", "backslashreplace"))).decode()
