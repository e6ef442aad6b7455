"""The embedded evaluator against results of the real `timeloop-model` (tests/data/README.md)."""

import json
import lzma
import math
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from dse.errors import InputError
from dse.model import Evaluation, evaluate_many
from dse.specification.cache import PointCache

DATA = Path(__file__).resolve().parents[1] / "data"
CHOSEN = DATA / "timeloop_points.jsonl.xz"
MORE = DATA / "timeloop_points_more.jsonl.xz"
COUNTS = ("reads", "fills", "updates")
# Of these Timeloop's own words must be repeated; what is wrong with an input has words (and lines) of our own.
QUOTED = ("exceeds", "constrained minimum utilization", "bypassed in all storage levels", "product of all factors")
ORIGINS = ("simba", "simba_noc", "eyeriss", "ws16", "random")
FEATURES = (
    *("addr-gen-energy", "arithmetic-area", "arithmetic-energy", "bandwidth", "cluster-area", "cluster-size"),
    *("energy-per-hop", "factor-fault", "many-outermost-instances", "min-utilization", "multiple-buffering"),
    *("network-word-bits", "no-spatial-directive", "no_link_transfer", "no_multicast_no_reduction"),
    *("no_temporal_reuse", "nowhere-kept", "outermost-bypass", "reduction_supported", "router-energy", "tile-width"),
    *("vector-access-energy", "wire-energy"),
)


def load(path: Path) -> list[dict[str, Any]]:
    with lzma.open(path, "rt", encoding="utf-8") as lines:
        return [json.loads(line) for line in lines]


def answers(points: list[dict[str, Any]]) -> list[Evaluation]:
    """The evaluation of every point; one that cannot be read is invalid."""
    cache = PointCache()
    faults: dict[int, Evaluation] = {}
    readable = []
    for number, point in enumerate(points):
        try:
            architecture, problem = cache.architecture(point), cache.problem(point["problem"])
            readable.append((architecture, problem, cache.mapping(point["mapping"], architecture, problem)))
        except InputError as error:
            faults[number] = Evaluation(error=str(error))
    evaluated = iter(evaluate_many(readable))
    return [faults[number] if number in faults else next(evaluated) for number in range(len(points))]


def close(got: float, want: float) -> bool:
    return math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-9)


def differences(got: Evaluation, want: dict[str, Any]) -> Iterator[str]:
    """What is not as recorded, in words."""
    if not want["valid"]:
        reason = want["error"].split(": ")[-1]
        if got.error is None:
            yield f"valid, but Timeloop says: {want['error']}"
        elif any(words in reason for words in QUOTED) and reason not in got.error:
            yield f"error {got.error}, Timeloop says: {want['error']}"
        return
    if got.error is not None:
        yield f"invalid: {got.error}"
        return
    if got.latency_cycles != want["cycles"]:
        yield f"cycles {got.latency_cycles}, not {want['cycles']}"
    figures = [
        ("energy", got.energy_pj, want["energy_pJ"]),
        ("utilization", got.utilization, want["utilization"]),
    ]
    if "area_um2" in want:
        figures.append(("area", got.area_um2 or 0.0, want["area_um2"]))
    for level, wanted in zip(got.levels, want["levels"], strict=True):
        if level.name.split("[")[0] != wanted["name"] or level.latency_cycles != wanted["cycles"]:
            yield f"{level.name}: cycles {level.latency_cycles}, not {wanted['cycles']} ({wanted['name']})"
        if level.data_spaces.keys() != wanted["tensors"].keys():
            yield f"{level.name}: keeps {list(level.data_spaces)}, not {list(wanted['tensors'])}"
            continue
        if "network_energy_pJ" in wanted:
            figures.append((f"{level.name} network", level.network_energy_pj, wanted["network_energy_pJ"]))
        for name, counts in wanted["tensors"].items():
            cost = level.data_spaces[name]
            for key in COUNTS:
                if getattr(cost, key) != counts[key]:
                    yield f"{level.name}.{name}: {key} {getattr(cost, key)}, not {counts[key]}"
            figures.append((f"{level.name}.{name} energy", cost.energy_pj, counts["energy_pJ"]))
    for what, value, recorded in figures:
        if not close(value, recorded):
            yield f"{what} {value}, not {recorded}"


def assert_as_recorded(points: list[dict[str, Any]]) -> None:
    wrong = {
        point["id"]: found
        for point, evaluation in zip(points, answers(points), strict=True)
        if (found := list(differences(evaluation, point["expected"])))
    }
    shown = "\n".join(f"{number}: {found[:4]}" for number, found in list(wrong.items())[:10])
    assert not wrong, f"{len(wrong)} of {len(points)} points differ\n{shown}"


@pytest.fixture(scope="module")
def chosen() -> list[dict[str, Any]]:
    return load(CHOSEN)


def test_every_chosen_point_equals_timeloop(chosen: list[dict[str, Any]]) -> None:
    assert_as_recorded(chosen)


def test_a_point_alone_equals_the_same_point_in_the_batch(chosen: list[dict[str, Any]]) -> None:
    batch = answers(chosen)
    for number in range(0, len(chosen), 17):
        assert answers([chosen[number]]) == [batch[number]]


@pytest.mark.parametrize("origin", ORIGINS)
def test_chosen_points_hold_valid_and_invalid_ones_of_every_origin(chosen: list[dict[str, Any]], origin: str) -> None:
    own = [point for point in chosen if point["origin"] == origin]
    assert len(own) >= 50
    assert {point["expected"]["valid"] for point in own} == {True, False}


@pytest.mark.parametrize("feature", FEATURES)
def test_chosen_points_cover_every_option(chosen: list[dict[str, Any]], feature: str) -> None:
    assert any(feature in point.get("features", ()) for point in chosen)


@pytest.mark.soak
def test_every_other_recorded_point_equals_timeloop() -> None:
    assert_as_recorded(load(MORE))
