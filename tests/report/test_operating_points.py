"""Operating points: sums of trade-offs against all choices one by one, and a study that asks for them."""

from __future__ import annotations

import csv
import itertools
import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from dse import Study, sweep
from dse.cli.export import command as export
from dse.cli.pareto import command as pareto
from dse.errors import InputError
from dse.report.operating_points import MOST_POINTS, Tradeoff, operating_points, pareto_sum, repeated, tradeoff
from dse.specification.goals import Goals
from dse.sweep.reading import read_study

Point = tuple[int, int]
points = st.lists(st.tuples(st.integers(1, 40), st.integers(1, 40)), min_size=1, max_size=5)


def front_of(every: list[Point]) -> list[Point]:
    return sorted(
        own
        for own in set(every)
        if not any(other != own and other[0] <= own[0] and other[1] <= own[1] for other in every)
    )


def made(every: list[Point]) -> Tradeoff:
    return tradeoff(
        [cycles for cycles, _ in every], [energy for _, energy in every], np.eye(len(every), dtype=np.int64)
    )


def listed(own: Tradeoff) -> list[Point]:
    return [(int(cycles), int(energy)) for cycles, energy in zip(own.cycles, own.energy_pj, strict=True)]


@given(points, points)
def test_a_sum_is_the_front_of_all_pairs(one: list[Point], other: list[Point]) -> None:
    width = max(len(one), len(other))
    both = pareto_sum(
        *(
            Tradeoff(t.cycles, t.energy_pj, np.pad(t.choices, ((0, 0), (0, width - t.choices.shape[1]))))
            for t in (made(one), made(other))
        )
    )
    assert listed(both) == front_of([(a + c, b + d) for (a, b), (c, d) in itertools.product(one, other)])


@given(points, st.integers(1, 5))
def test_a_layer_that_repeats_chooses_each_time(own: list[Point], count: int) -> None:
    found = repeated(made(own), count)
    every = itertools.combinations_with_replacement(own, count)
    assert listed(found) == front_of([(sum(a for a, _ in chosen), sum(b for _, b in chosen)) for chosen in every])
    for point, choices in zip(listed(found), found.choices.tolist(), strict=True):
        assert sum(choices) == count
        assert point == tuple(sum(n * item[axis] for n, item in zip(choices, own, strict=True)) for axis in (0, 1))


def test_thinning_takes_points_and_lowers_bounds() -> None:
    rng = np.random.default_rng(1)
    first, second = (
        tradeoff(
            np.cumsum(rng.integers(1, 99, 200)).tolist(),
            (-np.cumsum(rng.random(200)) + 999).tolist(),
            np.zeros((200, 1), np.int64),
        )
        for _ in range(2)
    )
    every = np.add.outer(first.cycles, second.cycles).ravel(), np.add.outer(first.energy_pj, second.energy_pj).ravel()
    above, below = pareto_sum(first, second), pareto_sum(first, second, below=True)
    assert len(above) <= MOST_POINTS
    assert len(below) <= MOST_POINTS
    pairs = set(zip(*(part.tolist() for part in every), strict=True))
    assert all(pair in pairs for pair in zip(above.cycles.tolist(), above.energy_pj.tolist(), strict=True))
    spread = (every[0].max() / every[0].min()) ** (1 / MOST_POINTS)
    for cycles, energy in pairs:
        assert any((below.cycles <= cycles) & (below.energy_pj <= energy))
        assert any((above.cycles <= cycles * spread * (1 + 1e-9)) & (above.energy_pj <= energy))


NETWORK = """network:
  name: net
  layers:
    - {name: a, count: 2, problem: {R: 1, S: 1, P: 8, Q: 1, C: 12, K: 10, N: 1}}
    - {name: b, problem: {R: 1, S: 1, P: 4, Q: 1, C: 4, K: 6, N: 1}}
"""
STUDY = {
    "name": "points",
    "template": "weight_stationary",
    "networks": ["net.yaml"],
    "parameters": {"mesh_x": [2, 8]},
    "objective": "edp",
    "scheduler": {"gap": 0.1},
    "search": {"prune": False},
}


def test_a_study_with_operating_points(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NETWORK)
    options = {"workers": 1, "cache": tmp_path / "cache"}
    plain = sweep(Study.from_dict(STUDY, tmp_path), tmp_path / "plain", **options)
    asked = sweep(Study.from_dict(STUDY | {"operating_points": 3}, tmp_path), tmp_path / "out", **options)
    for level in ("layers", "variants"):
        assert (tmp_path / "plain" / f"{level}.csv").exists() == (tmp_path / "out" / f"{level}.csv").exists()
    assert plain.to_frame("layer").equals(asked.to_frame("layer"))
    with read_study(tmp_path / "out") as study:
        found = list(operating_points(study))
        stored = {own.variant.number: study.operating(own) for own in study}
    assert {point.total.variant.number for point in found} == {0, 1}
    for number, of_variant in itertools.groupby(found, key=lambda point: point.total.variant.number):
        chosen = [point.total for point in of_variant]
        results = stored[number]
        assert list(results) == ["latency", "1", "2", "energy"]
        fastest, least = ([results[label][problem] for problem in (0, 1)] for label in ("latency", "energy"))
        quickest = sum(n * (own.cycles or 0) for n, own in zip((2, 1), fastest, strict=True) if own)
        assert (chosen[0].cycles or 0) <= quickest
        assert (chosen[-1].energy_pj or 0) <= 1.0001 * sum(
            n * (own.energy_pj or 0) for n, own in zip((2, 1), least, strict=True) if own
        )
        for total in chosen:
            assert total.lower_bound is not None
            assert 0 < total.lower_bound <= (total.energy_pj or 0)
        base = plain.totals()[number]
        assert any(
            (own.cycles or 0) <= (base.cycles or 0) and (own.energy_pj or 0) <= (base.energy_pj or 0) for own in chosen
        )
    again = sweep(Study.from_dict(STUDY | {"operating_points": 3}, tmp_path), tmp_path / "out", workers=1, cache=False)
    assert again == asked

    runner = CliRunner()
    shown = runner.invoke(pareto, [str(tmp_path / "out")], standalone_mode=False)
    assert f"Operating points: {len(found)} on 2 variants, " in shown.output
    answer = json.loads(runner.invoke(pareto, [str(tmp_path / "out"), "--json", "--all"], standalone_mode=False).output)
    assert len(answer["points"]) == 2
    assert [own["energy_pJ"] for own in answer["operating_points"]] == [own.total.energy_pj for own in found]
    assert {sum(own["choices"]["net a"].values()) for own in answer["operating_points"]} == {2}
    text = runner.invoke(
        export, [str(tmp_path / "out"), "--format", "csv", "--level", "operating-point"], standalone_mode=False
    ).output
    rows = list(csv.DictReader(text.splitlines()))
    assert [float(row["energy_pJ"]) for row in rows] == [own.total.energy_pj for own in found]
    assert any(row["on_front"] == "true" for row in rows)
    refused = runner.invoke(
        export, [str(tmp_path / "plain"), "--format", "csv", "--level", "operating-point"], standalone_mode=False
    )
    assert isinstance(refused.exception, InputError)


def test_how_many_operating_points_may_be_asked_for(tmp_path: Path) -> None:
    (tmp_path / "net.yaml").write_text(NETWORK)
    assert Goals(operating_points=4).latency_factors == pytest.approx((1.0, 4 ** (1 / 3), 4 ** (2 / 3), None))
    assert Goals().latency_factors == ()
    for wrong, message in (
        ({"operating_points": 1}, "study.operating_points: expected an integer of at least 2, got 1"),
        ({"operating_points": 17}, "study.operating_points: expected at most 16, got 17"),
        (
            {"operating_points": 3, "combine": "geometric_mean"},
            "study.operating_points: they are added up over networks",
        ),
    ):
        with pytest.raises(InputError) as caught:
            Study.from_dict(STUDY | wrong, tmp_path)
        assert str(caught.value).startswith(message)
