"""`make matrix` in small: the table of two templates and two networks, and what it says of a layer without schedule."""

import importlib.util
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

from dse.sweep.task import Result

SCRIPT = Path(__file__).resolve().parents[2] / "benchmarks" / "matrix.py"


@pytest.fixture(scope="module")
def matrix() -> ModuleType:
    spec = importlib.util.spec_from_file_location("matrix", SCRIPT)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules["matrix"] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def test_two_templates_and_two_networks(tmp_path: Path) -> None:
    words = "--templates gemmini,tpu_v1_like --networks alexnet,resnet50 --layers 1 --workers 1 --time-limit 5"
    call = [sys.executable, str(SCRIPT), *words.split(), "--gap", "0.5", "--output", str(tmp_path)]
    done = subprocess.run(call, capture_output=True, text=True, check=False, timeout=300)
    assert done.returncode == 0, done.stderr
    header, _, *rows = (line.split() for line in done.stdout.splitlines()[:4])
    assert header[:3] == ["template", "layers", "failed"]
    assert [row[:3] for row in rows] == [["gemmini", "2", "0"], ["tpu_v1_like", "2", "0"]]
    assert [row[4:6] for row in rows] == [["2", "0"]] * 2
    assert done.stdout.endswith("0 failures\n")
    assert (tmp_path / "table.txt").read_text() == done.stdout


def test_a_layer_without_schedule_is_named_with_its_reason(matrix: ModuleType) -> None:
    impossible = matrix.Outcome("net", "conv", Result("k", "infeasible", "cosa", error="Buffer is too small"))
    proven = matrix.Outcome("net", "conv", Result("k", "gap_reached", "edp", gap=0.04, value=1.0))
    text = matrix.render([matrix.Row("tiny", (impossible,), (proven,))], "edp", 0.05)
    assert "1 failure\n  tiny, net, conv: infeasible: Buffer is too small" in text
    assert "edp: 1 of 1 proven within 5%, gap 4.00% in the median, 4.0% at most" in text
    assert matrix.Row("tiny", (impossible,), (proven,)).cells(0.05)[1:3] == ["1", "1"]
