"""The folder of a study: new, empty or of the same study; anything else is refused and left alone."""

from dataclasses import replace
from pathlib import Path

import pytest

from dse.errors import InputError
from dse.specification.study import load_study
from dse.sweep.folder import StudyFolder, open_folder
from dse.sweep.plan import Plan, plan_study


@pytest.fixture
def plan(small_study: Path) -> Plan:
    return plan_study(load_study(small_study)).plan


def content(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


@pytest.mark.parametrize("prepared", ["new", "nested/new", "empty"])
def test_new_and_empty_folders_are_taken(tmp_path: Path, plan: Plan, prepared: str) -> None:
    path = tmp_path / prepared
    if prepared == "empty":
        path.mkdir()
    folder = StudyFolder(path)
    with folder.claimed(plan):
        pass
    assert folder.read_plan() == plan
    assert folder.read_results() == {}
    with folder.claimed(plan):  # the same study goes on
        pass


def test_a_folder_that_holds_something_else_is_left_alone(tmp_path: Path, plan: Plan) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "thesis.tex").write_text("dear")
    with (
        pytest.raises(InputError, match=r'other: holds something else \("thesis.tex"\)'),
        StudyFolder(folder).claimed(plan),
    ):
        pass
    assert content(folder) == {"thesis.tex": b"dear"}


@pytest.mark.parametrize("text", ["{}", "not json", '{"format": "something"}', "[]"])
def test_a_foreign_study_json_is_left_alone(tmp_path: Path, plan: Plan, text: str) -> None:
    folder = tmp_path / "other"
    folder.mkdir()
    (folder / "study.json").write_text(text)
    with pytest.raises(InputError, match="was not written by dse sweep"), StudyFolder(folder).claimed(plan):
        pass
    assert content(folder) == {"study.json": text.encode()}


def test_another_study_is_refused_and_told_apart(tmp_path: Path, small_study: Path, plan: Plan) -> None:
    folder = StudyFolder(tmp_path / "run")
    with folder.claimed(plan):
        pass
    before = content(folder.path)
    for old, new, words in [
        ("name: small", "name: large", 'this one has the name "large", not "small"'),
        ("[4, 8]", "[4, 16]", "pe_count without 8"),
        ("pe_count: [4, 8]", "lanes_per_pe: [4, 16]", "no parameter pe_count; a new parameter lanes_per_pe without"),
        ("objective: cosa", "objective: edp", 'objective "edp", not "cosa"'),
        ("objective: cosa", "objective: cosa\n  scheduler: {gap: 0.5}", "scheduler.gap 0.5, not "),
        ("template: simba", "template: simba_large", "another template"),
        ("objective: cosa", "objective: cosa\n  constraints: [pe_count < 9]", "a new constraint, pe_count < 9"),
        (", second.yaml]", "]", "no network second"),
        ("networks: [first.yaml, second.yaml]", "networks: [fewer.yaml, second.yaml]", "first without the layer dense"),
        ("networks: [first.yaml, second.yaml]", "networks: [more.yaml, second.yaml]", "another layer again of first"),
    ]:
        first = small_study.with_name("first.yaml").read_text()
        small_study.with_name("fewer.yaml").write_text(
            "\n".join(line for line in first.splitlines() if "dense" not in line)
        )
        small_study.with_name("more.yaml").write_text(first.replace("again, count: 3", "again, count: 4"))
        other = small_study.with_name("other.yaml")
        other.write_text(small_study.read_text().replace(old, new))
        with (
            pytest.raises(InputError, match="holds another study") as caught,
            folder.claimed(plan_study(load_study(other)).plan),
        ):
            pass
        assert words in str(caught.value)
        assert content(folder.path) == before


def test_another_program_takes_the_folder_of_the_same_study_over(tmp_path: Path, plan: Plan) -> None:
    folder = StudyFolder(tmp_path / "run")
    other = replace(plan, program="dse 0.0.1 (source 0123456789ab)")
    assert folder.made_by(plan) is None
    for made_by in (other, plan):
        with folder.claimed(made_by):
            pass
        assert folder.made_by(plan) == made_by.program
        assert folder.read_plan() == made_by


def test_two_sweeps_do_not_write_at_once(tmp_path: Path, plan: Plan) -> None:
    folder = StudyFolder(tmp_path / "run")
    with (
        folder.claimed(plan),
        pytest.raises(InputError, match=r"another sweep is writing here \(process \d+ on .+\)"),
        folder.claimed(plan),
    ):
        pass
    with folder.claimed(plan):
        pass


def test_a_file_in_the_place_of_the_folder(tmp_path: Path, plan: Plan) -> None:
    (tmp_path / "run").write_text("x")
    with pytest.raises(InputError, match="is a file"), StudyFolder(tmp_path / "run").claimed(plan):
        pass
    with pytest.raises(InputError, match="cannot be written to"), StudyFolder(tmp_path / "run" / "in").claimed(plan):
        pass


def test_reading_what_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no such folder"):
        open_folder(tmp_path / "none")
    with pytest.raises(InputError, match="holds no study"):
        open_folder(tmp_path).read_plan()
    (tmp_path / "study.json").write_text('{"format": "dse study 1"}')
    with pytest.raises(InputError, match='has the format "dse study 1", and this program reads "dse study 5"'):
        open_folder(tmp_path).read_plan()
    (tmp_path / "study.json").write_text('{"format": "dse study 5"}')
    with pytest.raises(InputError, match="is damaged"):
        open_folder(tmp_path).read_plan()
