"""Points, the recordings of what timeloop-model says of them, and a program that replays these recordings."""

from __future__ import annotations

import hashlib
import itertools
import json
import lzma
import random
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from dse.errors import ToolError
from dse.specification.architecture import Architecture
from dse.specification.document import Document
from dse.specification.mapping import LevelMapping, Mapping, parse_mapping
from dse.specification.problem import Problem, parse_problem
from dse.specification.study import load_study
from dse.specification.template import load_architecture
from dse.timeloop.evaluator import probe_point
from dse.timeloop.files import write_inputs
from dse.timeloop.locate import find_timeloop

DATA = Path(__file__).parent / "data"
RECORDED = DATA / "recorded.json.xz"
STUDY = DATA / "study" / "study.yaml"
RANDOM_MAPPINGS = 4  # of every pair of architecture and problem

Point = tuple[Architecture, Problem, Mapping]


def _primes(number: int) -> Iterator[int]:
    divisor = 2
    while number > 1:
        while number % divisor == 0:
            yield divisor
            number //= divisor
        divisor += 1


def random_mapping(rng: random.Random, architecture: Architecture, problem: Problem) -> Mapping:
    """Prime factors thrown onto levels, orders shuffled, data spaces bypassed at random; some do not fit."""
    count, levels = len(problem.bounds), len(architecture.storage)
    temporal = [[1] * count for _ in range(levels)]
    spatial = [[1] * count for _ in range(levels)]
    room = [list(fan) for fan in architecture.fanouts]
    axis: dict[tuple[int, int], int] = {}
    for dimension, bound in enumerate(problem.bounds):
        for prime in _primes(bound):
            level = rng.randrange(levels)
            side = axis.get((level, dimension), rng.randrange(2))
            if room[level][side] >= prime and rng.random() < 0.7:
                room[level][side] //= prime
                axis[level, dimension] = side
                spatial[level][dimension] *= prime
            else:
                temporal[level][dimension] *= prime
    result = []
    for level in range(levels):
        single = architecture.fanouts[level] == (1, 1)  # no spatial directive stands there
        along_x = [d for d in range(count) if axis.get((level, d), 0) == 0]
        along_y = [d for d in range(count) if d not in along_x]
        if not single:
            rng.shuffle(along_x)
            rng.shuffle(along_y)
        keep = tuple(level == levels - 1 or rng.random() < 0.7 for _ in problem.shape.data_spaces)
        nothing = (False,) * len(keep)
        result.append(
            LevelMapping(
                tuple(temporal[level]),
                tuple(spatial[level]),
                tuple(rng.sample(range(count), count)),
                (*along_x, *along_y),
                len(along_x),
                keep,
                nothing,
                nothing,
                nothing,
            )
        )
    return Mapping(tuple(result))


def study_points() -> dict[str, Point]:
    """Name -> point: every mapping of the one layer of STUDY, whose bounds are primes, on each of its variants."""
    study = load_study(STUDY)
    ((layer,),) = (network.layers for network in study.networks)
    problem = layer.problem
    dimensions = range(len(problem.bounds))
    nothing = (False,) * len(problem.shape.data_spaces)
    alone = (1,) * len(dimensions)
    points: dict[str, Point] = {}
    for variant in study.space.variants():
        levels = range(len(variant.architecture.storage))
        keep = variant.mapspaces[problem.shape].keep
        orders = list(itertools.permutations(dimensions))
        for places in itertools.product(levels, repeat=len(dimensions)):
            for chosen in itertools.product(orders, repeat=len(levels)):
                mapping = Mapping(
                    tuple(
                        LevelMapping(
                            tuple(problem.bounds[d] if places[d] == level else 1 for d in dimensions),
                            alone,
                            chosen[level],
                            tuple(dimensions),
                            len(dimensions),
                            keep[level],
                            nothing,
                            nothing,
                            nothing,
                        )
                        for level in levels
                    )
                )
                points[f"study-{variant.name}-{len(points)}"] = (variant.architecture, problem, mapping)
    return points


def load_points() -> dict[str, Point]:
    """Name -> point: those of points.yaml, random ones, always the same, and those of the study."""
    data = yaml.safe_load((DATA / "points.yaml").read_text(encoding="utf-8"))
    architectures = {name: load_architecture(Document(content)) for name, content in data["architectures"].items()}
    problems = {name: parse_problem(Document({}), problem) for name, problem in data["problems"].items()}
    points: dict[str, Point] = {"probe": probe_point()}
    for entry in data["points"]:
        architecture, problem = architectures[entry["architecture"]], problems[entry["problem"]]
        mapping = parse_mapping(Document({}), entry["mapping"], architecture, problem)
        points[entry["name"]] = (architecture, problem, mapping)
    for arch_name, architecture in architectures.items():
        for problem_name, problem in problems.items():
            for number in range(RANDOM_MAPPINGS):
                name = f"random-{arch_name}-{problem_name}-{number}"
                points[name] = (architecture, problem, random_mapping(random.Random(name), architecture, problem))
    return points | study_points()


POINTS = load_points()


@dataclass(frozen=True)
class Recording:
    """How a call ended and what it left."""

    status: int
    stderr: str
    xml: str | None
    statistics: str | None


@pytest.fixture(scope="session")
def recordings() -> dict[str, Recording]:
    with lzma.open(RECORDED, "rt", encoding="utf-8") as file:
        return {name: Recording(**entry) for name, entry in json.load(file)["recordings"].items()}


@pytest.fixture(scope="session")
def replay(tmp_path_factory: pytest.TempPathFactory, recordings: dict[str, Recording]) -> Path:
    """A program in the place of timeloop-model that answers the recorded inputs, and only these, as recorded."""
    folder = tmp_path_factory.mktemp("replay")
    for name, point in POINTS.items():
        files = write_inputs(folder / "inputs" / name, *point)
        key = hashlib.sha256(b"".join(file.read_bytes() for file in sorted(files))).hexdigest()
        write_recording(folder / "cases" / key, recordings[name])
    return write_program(
        folder / "bin" / "timeloop-model",
        f"""
        case={shlex.quote(str(folder))}/cases/$(cat *.yaml | sha256sum | cut -d " " -f 1)
        test -d "$case" || {{ echo "ERROR: these inputs were not recorded" >&2; exit 1; }}
        cat "$case/stderr" >&2
        cp "$case"/timeloop-model.* . 2>/dev/null
        exit "$(cat "$case/status")"
        """,
    )


def write_recording(folder: Path, recording: Recording) -> None:
    """The recorded messages, exit status and files, for a script to replay."""
    folder.mkdir(parents=True)
    (folder / "stderr").write_text(recording.stderr)
    (folder / "status").write_text(str(recording.status))
    if recording.xml is not None and recording.statistics is not None:
        (folder / "timeloop-model.map+stats.xml").write_text(recording.xml)
        (folder / "timeloop-model.stats.txt").write_text(recording.statistics)


def write_program(path: Path, script: str) -> Path:
    """An executable shell script."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{script}")
    path.chmod(0o755)
    return path


@pytest.fixture(scope="session")
def points() -> dict[str, Point]:
    return POINTS


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test that asks for `point_name` runs once for every recorded point."""
    if "point_name" in metafunc.fixturenames:
        metafunc.parametrize("point_name", list(POINTS))


@pytest.fixture
def program(tmp_path: Path, replay: Path) -> Callable[[str], Path]:
    """Writes a program that answers the question after its version as recorded, and then does what `script` says."""

    def write(script: str) -> Path:
        return write_program(
            tmp_path / "bin" / "timeloop-model",
            f'grep -q matrix-vector problem.yaml && exec {shlex.quote(str(replay))} "$@"\n{script}\n',
        )

    return write


def _installed() -> list[Path]:
    try:
        return [find_timeloop()]
    except ToolError:
        return []


INSTALLED = _installed()
"""The timeloop-model of this machine, if it has one."""


@pytest.fixture(params=["replay", *map(str, INSTALLED)])
def timeloop(request: pytest.FixtureRequest, replay: Path) -> Path:
    """The replayed timeloop-model, and the real one where it is installed."""
    return replay if request.param == "replay" else Path(request.param)
