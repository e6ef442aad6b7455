"""The Python interface: its names, its types, its examples, and that importing it loads nothing slow."""

from __future__ import annotations

import doctest
import json
import subprocess
import sys
from dataclasses import FrozenInstanceError
from pathlib import Path

import pytest

import dse
import dse.api
import dse.sweep.plan
from dse import InputError, Study, ToolError, evaluate, load_architecture, load_network, load_sweep, schedule, sweep

SURFACE = [
    "Accelerator",
    "DseError",
    "InfeasibleError",
    "InputError",
    "Layer",
    "LayerSchedule",
    "Network",
    "NetworkSchedule",
    "Study",
    "SweepResult",
    "ToolError",
    "__version__",
    "evaluate",
    "load_architecture",
    "load_network",
    "load_study",
    "load_sweep",
    "schedule",
    "sweep",
]
DOCS = Path(__file__).resolve().parents[1] / "docs"
SLOW = {"cvxpy", "highspy", "matplotlib", "moocore", "numpy", "pandas", "pyarrow", "pyscipopt", "ray", "scipy", "yaml"}
PROBLEM = {"R": 1, "S": 1, "P": 4, "Q": 1, "C": 8, "K": 16, "N": 1}
STUDY = {
    "name": "small",
    "template": "weight_stationary",
    "networks": ["tiny.yaml"],
    "parameters": {"mesh_x": [2, 4], "scratchpad_kib": [1, 16]},
    "objective": "cosa",
    "objectives": ["latency", "energy", "utilization"],
}


def test_the_surface_is_what_it_is_said_to_be() -> None:
    assert dse.__all__ == SURFACE == sorted(SURFACE)
    for name in SURFACE:
        assert getattr(dse, name) is not None
        assert name in dir(dse)
    assert set(dse.api.__all__) < set(SURFACE)
    with pytest.raises(AttributeError, match="no attribute 'shedule'"):
        dse.shedule  # noqa: B018


def test_importing_the_package_loads_nothing_slow() -> None:
    program = "import dse, json, sys; print(json.dumps(sorted({name.partition('.')[0] for name in sys.modules})))"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert SLOW.isdisjoint(json.loads(done.stdout))


@pytest.mark.parametrize("first", ["import dse.sweep.plan", "from dse import sweep", "import dse.api"])
def test_sweep_can_be_called_whatever_was_imported_first(first: str) -> None:
    then = "from dse import sweep\nimport dse.sweep.plan\nimport dse\nassert callable(sweep) and dse.sweep is sweep"
    subprocess.run([sys.executable, "-c", f"{first}\n{then}"], check=True)


@pytest.mark.parametrize("name", ["dse.api", "dse.frames"])
def test_examples_of_docstrings_say_the_truth(name: str) -> None:
    assert doctest.testmod(sys.modules[name]).failed == 0


def test_examples_of_the_page_say_the_truth(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "small.yaml").write_text(
        "network: {name: small, layers: [{name: a, problem: {R: 1, S: 1, P: 64, Q: 1, C: 64, K: 64, N: 1}}]}"
    )
    found = doctest.testfile(str(DOCS / "api.md"), module_relative=False, globs={"folder": tmp_path})
    assert found.attempted > 10
    assert found.failed == 0


def test_the_types_are_those_of_the_functions(tmp_path: Path) -> None:
    file = tmp_path / "use.py"
    file.write_text(
        "from dse import Study, load_architecture, load_network, schedule, sweep\n"
        "found = schedule(load_architecture('simba'), load_network('alexnet').layers[0])\n"
        "reveal_type(found.energy_pj)\n"
        "reveal_type(sweep(Study.from_dict({}), 'out').front())\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", str(file)], capture_output=True, text=True, check=False
    )
    assert 'Revealed type is "float | None"' in done.stdout.replace("Union[float, None]", "float | None")
    assert "tuple[dse.report.totals.Total, ...]" in done.stdout.replace("builtins.", "")
    assert done.returncode == 0


def test_a_mapping_of_the_scheduler_costs_what_it_said() -> None:
    chip = load_architecture("weight_stationary", parameters={"mesh_x": 4})
    found = schedule(chip, PROBLEM, "latency")
    assert found.valid
    own = found.layers[0].schedule
    assert own.mapping is not None
    cost = evaluate(chip, found.layers[0].layer, own.mapping)
    assert (cost.latency_cycles, cost.energy_pj) == (found.cycles, found.energy_pj)
    assert found.edp == cost.edp
    assert cost.to_frame()["energy_pJ"].sum() <= cost.energy_pj
    assert found.to_frame().loc[0, "cycles"] == found.cycles
    with pytest.raises(FrozenInstanceError):
        found.name = "other"  # type: ignore[misc]


def test_a_network_is_the_sum_of_its_layers(tmp_path: Path) -> None:
    layers = "{name: a, count: 3, problem: &p {R: 1, S: 1, P: 4, Q: 1, C: 8, K: 16, N: 1}}, {name: b, problem: *p}"
    (tmp_path / "net.yaml").write_text(f"network: {{name: net, layers: [{layers}]}}")
    chip = load_architecture("weight_stationary")
    whole, single = (schedule(chip, own, "cosa") for own in (load_network(tmp_path / "net.yaml"), PROBLEM))
    assert whole.cycles == 4 * (single.cycles or 0)
    assert list(whole.to_frame()["count"]) == [3, 1]


def test_areas_come_with_costs() -> None:
    assert load_architecture("simba").area_um2 is None
    assert (load_architecture("simba", costs={"source": "cacti", "node_nm": 22}).area_um2 or 0) > 1e5


def test_from_an_import_to_a_front(tmp_path: Path) -> None:
    (tmp_path / "tiny.yaml").write_text(
        "network: {name: tiny, layers: [{name: a, problem: {R: 1, S: 1, P: 4, Q: 1, C: 16, K: 32, N: 1}}]}"
    )
    study = Study.from_dict(STUDY, tmp_path)
    result = sweep(study, tmp_path / "out", workers=1, cache=False)
    front = result.front()
    assert front
    table = result.to_frame()
    assert set(table[table.on_front].variant) == {total.variant.name for total in front}
    assert [total.cycles for total in front] == sorted(total.cycles or 0 for total in front)
    assert len(table) == len(result.totals()) == 4
    assert list(result.to_frame("layer").layer.unique()) == ["a"]
    assert load_sweep(tmp_path / "out") == result
    with pytest.raises(InputError, match="level: expected variant or layer"):
        result.to_frame("network")  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: load_architecture("simbaa"), 'unknown template "simbaa"; did you mean "simba"?'),
        (lambda: load_network("alexne"), 'unknown network "alexne"; did you mean "alexnet"?'),
        (lambda: load_architecture("simba", parameters={"pe": 3}), 'unknown variable "pe"'),
        (lambda: schedule(load_architecture("simba"), PROBLEM, "speed"), 'objective "speed" is not known'),
        (lambda: Study.from_dict({"name": "x"}), "study.template"),
        (lambda: load_sweep("nowhere"), "nowhere: there is no such folder"),
    ],
)
def test_what_is_wrong_is_named(call: object, message: str) -> None:
    assert callable(call)
    with pytest.raises(InputError) as caught:
        call()
    assert message in str(caught.value)


def test_frames_need_pandas(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pandas", None)  # as where it is not installed
    cost = evaluate(
        load_architecture("weight_stationary"),
        PROBLEM,
        [{"target": "DRAM", "type": "temporal", "factors": "P4 C8 K16"}],
    )
    with pytest.raises(ToolError, match=r"pip install 'dse\[frames\]'"):
        cost.to_frame()
