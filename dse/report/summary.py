"""What a sweep leaves in the end: tables, pictures and the text that it prints, made anew where they would differ.

`summary.json` keeps the text, and what text and files were made of: the plan, a fingerprint of the results and the
source of the project. The files have to be as they were written.
"""

from __future__ import annotations

import hashlib
import json
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from dse.sweep.folder import StudyFolder
from dse.sweep.program import source_digest
from dse.sweep.reading import StoredStudy, read_study

__all__ = ["Summary", "summarize"]


@dataclass(frozen=True, slots=True)
class Summary:
    """The front as text, whether any variant is complete, and the names of the files."""

    text: str
    complete: bool
    files: tuple[str, ...]


def summarize(folder: StudyFolder) -> Summary:
    """Bring the files of a folder up to date. Raises InputError where one cannot be written."""
    file = folder.path / "summary.json"
    with read_study(folder) as study:
        made_of = _made_of(folder, study)
        summary = _kept(file, made_of)
        if summary is None:
            summary = _made(folder, study)
            _keep(file, made_of, summary)
    return summary


def _made_of(folder: StudyFolder, study: StoredStudy) -> str:
    from dse.report.html import page_digest  # noqa: PLC0415  (a second to load)

    content = [source_digest(), page_digest(), folder.plan_file.read_text(encoding="utf-8"), study.fingerprint()]
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()


def _made(folder: StudyFolder, study: StoredStudy) -> Summary:
    from dse.report.files import write_report_files  # noqa: PLC0415  (a second to load)
    from dse.report.table import render_front, render_incomplete  # noqa: PLC0415
    from dse.report.totals import StudyTotals  # noqa: PLC0415

    of_study = StudyTotals(study)
    files = write_report_files(folder, study, of_study)
    totals = of_study.named()
    parts = filter(None, [render_front(study.plan, totals), render_incomplete(totals)])
    complete = any(total.complete for total in totals)
    return Summary("\n\n".join(parts), complete, tuple(file.name for file in files))


def _keep(file: Path, made_of: str, summary: Summary) -> None:
    """Write down what was made; without it, all is made anew the next time."""
    files = {name: _digest(file.with_name(name)) for name in summary.files}
    data = {"made_of": made_of, "complete": summary.complete, "files": files, "text": summary.text}
    part = file.with_name(f"{file.name}.part")
    with suppress(OSError):
        part.write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")
        part.replace(file)


def _kept(file: Path, made_of: str) -> Summary | None:
    """What was made of the same; None where there is no such, or one of the files is not as it was written."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
        if data["made_of"] != made_of:
            return None
        if any(_digest(file.with_name(name)) != digest for name, digest in data["files"].items()):
            return None
        return Summary(str(data["text"]), bool(data["complete"]), tuple(data["files"]))
    except (OSError, ValueError, KeyError, TypeError, AttributeError):
        return None


def _digest(file: Path) -> str:
    with file.open("rb") as content:
        return hashlib.file_digest(content, "sha256").hexdigest()
