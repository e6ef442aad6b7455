"""What a sweep leaves in the end is made anew where it would differ, and only there."""

import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from dse.report.summary import summarize
from dse.sweep.folder import StudyFolder
from tests.sweep.quick import quick_sweep

NAMES = ("pareto.csv", "variants.csv", "layers.csv", "pareto.png", "pareto.svg", "report.html")


@pytest.fixture
def study(tmp_path: Path) -> Path:
    layers = ", ".join(f"{{name: l{k}, problem: {{R: 1, S: 1, P: 1, Q: 1, C: 8, K: {k}, N: 1}}}}" for k in (1, 2))
    (tmp_path / "net.yaml").write_text(f"network: {{name: net, layers: [{layers}]}}\n")
    path = tmp_path / "study.yaml"
    path.write_text(
        "study: {name: small, template: simba, parameters: {pe_count: [4, 8, 16]}, networks: [net.yaml], "
        "objective: cosa}\n"
    )
    return path


@pytest.fixture
def run(study: Path, tmp_path: Path) -> Path:
    """The folder of a sweep that has ended, with its files."""
    quick_sweep(study, tmp_path / "run")
    summarize(StudyFolder(tmp_path / "run"))
    return tmp_path / "run"


def stamps(run: Path) -> dict[str, int]:
    """When each file was written."""
    return {name: (run / name).stat().st_mtime_ns for name in NAMES}


def content(run: Path) -> dict[str, bytes]:
    return {name: (run / name).read_bytes() for name in NAMES}


def test_nothing_is_written_where_nothing_has_changed(study: Path, run: Path) -> None:
    before, text = stamps(run), summarize(StudyFolder(run))
    quick_sweep(study, run)
    assert summarize(StudyFolder(run)) == text
    assert stamps(run) == before
    assert text.files == NAMES
    assert text.text.startswith("small: net, objective cosa. ")


def grow(study: Path, run: Path) -> None:
    study.write_text(study.read_text().replace("16]", "16, 32]"))
    quick_sweep(study, run)


def another_description(study: Path, run: Path) -> None:
    study.write_text(study.read_text().replace("name: small", "name: small, description: other"))
    quick_sweep(study, run)


@pytest.mark.parametrize("change", [grow, another_description])
def test_all_is_written_where_the_study_has_changed(
    study: Path, run: Path, change: Callable[[Path, Path], None]
) -> None:
    before = stamps(run)
    change(study, run)
    summarize(StudyFolder(run))
    assert all(stamps(run)[name] != before[name] for name in NAMES)


def test_all_is_written_where_a_result_is_another(study: Path, run: Path) -> None:
    before = stamps(run)
    store = sqlite3.connect(run / "results.sqlite")
    store.execute("DELETE FROM result WHERE rowid = (SELECT min(rowid) FROM result)")
    store.commit()
    store.close()
    summarize(StudyFolder(run))
    assert ",not scheduled," in (run / "layers.csv").read_text()
    assert all(stamps(run)[name] != before[name] for name in NAMES)
    quick_sweep(study, run)
    summarize(StudyFolder(run))
    assert ",not scheduled," not in (run / "layers.csv").read_text()


@pytest.mark.parametrize("name", NAMES)
def test_a_file_that_was_changed_or_removed_comes_back(run: Path, name: str) -> None:
    before = content(run)
    (run / name).write_bytes(b"edited")
    summarize(StudyFolder(run))
    assert content(run) == before
    (run / name).unlink()
    summarize(StudyFolder(run))
    assert content(run) == before


@pytest.mark.parametrize("text", ["", "[]", '{"made_of": 1}', "\0"])
def test_a_summary_that_cannot_be_read_is_made_anew(run: Path, text: str) -> None:
    good = (run / "summary.json").read_bytes()
    (run / "summary.json").write_text(text)
    summarize(StudyFolder(run))
    assert (run / "summary.json").read_bytes() == good
