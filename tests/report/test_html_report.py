"""The report's data and the pictures for papers, over made-up schedules; tests/browser opens the page."""

from __future__ import annotations

import base64
import csv
import json
import re
import zlib
from pathlib import Path
from typing import Any

import pytest
from matplotlib.image import imread

from dse.cli import main
from dse.report.figures import KINDS, SUFFIXES
from dse.report.html.origin import study_files
from dse.specification.study import load_study
from dse.sweep.plan import plan_study
from tests.report.made_up import made_up_sweep

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a study of 12 variants on two networks, one of which counts twice."""
    folder = tmp_path_factory.mktemp("study")
    for name, layers in (
        ("first", "{name: conv, count: 2, problem: {R: 3, S: 3, P: 7, Q: 7, C: 16, K: 32, N: 1}}"),
        ("second", "{name: fc, problem: {R: 1, S: 1, P: 1, Q: 1, C: 64, K: 100, N: 1}}"),
    ):
        (folder / f"{name}.yaml").write_text(f"network: {{name: {name}, layers: [{layers}]}}\n")
    (folder / "study.yaml").write_text(
        "study: {name: small $x$, template: simba, objective: edp, networks: [{network: first.yaml, weight: 2}, "
        "second.yaml], parameters: {pe_count: [4, 8, 16], global_buffer_kib: [32, 64, 128, 256]}}\n"
    )
    return made_up_sweep(folder / "study.yaml", folder / "run").path


def data_of(page: Path, name: str) -> Any:
    """What one of the elements of the page holds."""
    text = re.search(rf'id="{name}-data">([^<]*)<', page.read_text(encoding="utf-8"))
    assert text
    return json.loads(zlib.decompress(base64.b64decode(text[1])))


def test_the_page_holds_the_study(run: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["report", str(run)]) == 0
    assert capsys.readouterr().out == f"Report: {run / 'report.html'}\n"
    assert main(["report", str(run), "--output", str(tmp_path / "again.html")]) == 0
    assert (tmp_path / "again.html").read_bytes() == (run / "report.html").read_bytes()
    overview, layers = (data_of(run / "report.html", name) for name in ("overview", "layers"))
    assert [group["name"] for group in overview["groups"]] == ["first", "second", "all"]
    assert len(overview["names"]) == 12
    assert main(["export", str(run), "--format", "jsonl", "--level", "layer", "--output", str(tmp_path / "rows")]) == 0
    rows = [json.loads(line) for line in (tmp_path / "rows").read_text().splitlines()]
    for place, index in enumerate(layers["variants"]):
        own = [row for row in rows if row["variant"] == overview["names"][index]]
        start = place * layers["problems"]
        assert layers["cycles"][start : start + layers["problems"]] == [row["cycles"] for row in own]
        for row, energy_pj in zip(own, layers["energy_pj"][start:], strict=False):
            assert energy_pj == pytest.approx(row["energy_pJ"], rel=1e-5)
    assert len(layers["cycles"]) == len(layers["nest"]) == 24
    assert all(len(level["cycles"]) == 24 for level in layers["levels"])


def test_the_page_may_do_nothing_but_show_itself(run: Path) -> None:
    assert main(["report", str(run)]) == 0
    text = (run / "report.html").read_text(encoding="utf-8")
    policy = re.search(r'Content-Security-Policy" content="([^"]*)"', text)
    assert policy
    assert policy[1].startswith("default-src 'none'; script-src 'sha256-")
    assert "unsafe" not in policy[1]
    assert re.findall(r"https?://[^\s\"']+", text) == ["http://www.w3.org/2000/svg"]
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", text)


@pytest.mark.parametrize("study", sorted((ROOT / "experiments").glob("*.yaml")), ids=lambda path: path.stem)
def test_the_files_on_the_page_plan_the_same_study(study: Path, tmp_path: Path) -> None:
    plan = plan_study(load_study(study)).plan
    for name, content in study_files(plan).items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    again = plan_study(load_study(tmp_path / "study.yaml")).plan
    assert again.workload == plan.workload
    costs = {key: value for key, value in plan.costs.items() if key != "file"}
    assert {key: value for key, value in again.costs.items() if key != "file"} == costs
    own, other = ({**made.to_dict(), "costs": None} for made in (plan, again))
    assert own == other


@pytest.mark.parametrize("kind", KINDS)
def test_plots_are_written_with_their_rows(run: Path, tmp_path: Path, kind: str) -> None:
    files = [tmp_path / f"{kind}{suffix}" for suffix in SUFFIXES]
    assert main(["plot", kind, str(run), *(word for file in files for word in ("--output", str(file)))]) == 0
    assert imread(tmp_path / f"{kind}.png").std() > 0.01
    assert (tmp_path / f"{kind}.pdf").read_bytes().startswith(b"%PDF")
    assert b"<svg" in (tmp_path / f"{kind}.svg").read_bytes()
    with (tmp_path / f"{kind}.csv").open() as file:
        assert list(csv.DictReader(file))
    again = tmp_path / "again.svg"
    assert main(["plot", kind, str(run), "--output", str(again)]) == 0
    assert again.read_bytes() == (tmp_path / f"{kind}.svg").read_bytes()


def test_parts_of_a_breakdown_add_up_to_the_totals(run: Path, tmp_path: Path) -> None:
    assert main(["plot", "breakdown", str(run), "--output", str(tmp_path / "rows.csv")]) == 0
    assert main(["export", str(run), "--format", "jsonl", "--level", "variant", "--output", str(tmp_path / "all")]) == 0
    totals = [json.loads(line) for line in (tmp_path / "all").read_text().splitlines()]
    front = {own["variant"]: own for own in totals if own["network"] == "all" and own["on_front"]}
    with (tmp_path / "rows.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert {row["variant"] for row in rows} == front.keys()
    for name, total in front.items():
        own = [row for row in rows if row["variant"] == name]
        assert sum(float(row["cycles"]) for row in own) == pytest.approx(total["cycles"])
        assert sum(float(row["energy_pJ"]) for row in own) == pytest.approx(total["energy_pJ"])


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["front", "--variant", "v01"], "--variant goes with breakdown and roofline"),
        (["front", "--level", "DRAM"], "--level goes with roofline"),
        (["convergence", "--network", "first"], "leave --network out"),
        (["front", "--output", "picture.jpg"], "expected a name that ends in .svg"),
        (["roofline", "--level", "Dram"], 'the level "Dram" has no roofline; allowed: DRAM'),
        (["breakdown", "--variant", "v99"], 'the sweep has come to no variant "v99"'),
        (["front", "--network", "third"], 'no network "third"'),
    ],
)
def test_wrong_calls_say_what_is_wrong(
    run: Path, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["plot", words[0], str(run), *words[1:]]) == 2
    assert message in capsys.readouterr().err


def test_an_output_that_cannot_be_written_is_named(run: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for words in (["report", str(run)], ["plot", "front", str(run)]):
        assert main([*words, "--output", "/nowhere/out.csv"]) == 2
        assert "/nowhere" in capsys.readouterr().err
