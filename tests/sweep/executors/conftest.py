"""Tasks whose points misbehave as their keys say."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from dse.specification.document import parse_document
from dse.specification.mapspace import parse_mapspace
from dse.specification.problem import parse_problem
from dse.specification.study import TEMPLATES, shipped_files
from dse.specification.template import load_template
from dse.sweep.executors.supervisor import Run
from dse.sweep.task import Task

HERE = Path(__file__).parent

MakeTask = Callable[..., Task]


@pytest.fixture
def misbehave(monkeypatch: pytest.MonkeyPatch) -> Run:
    """The function of the module `misbehaving`, which workers can import as well."""
    monkeypatch.syspath_prepend(str(HERE))
    paths = [str(HERE), *filter(None, [os.environ.get("PYTHONPATH")])]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(paths))
    from misbehaving import run  # noqa: PLC0415  (it is on the path only now)

    function: Run = run
    return function


@pytest.fixture(scope="session")
def task_of() -> MakeTask:
    """Makes a task of the keys that are given."""
    document = parse_document("problem: {R: 1, S: 1, P: 7, Q: 7, C: 16, K: 32, N: 1}", "layer.yaml")
    problem = parse_problem(document, document.data["problem"])
    template = load_template(shipped_files(TEMPLATES)["simba"])
    architecture, data = template.instantiate()
    mapspace = parse_mapspace(template.document, data, architecture, problem.shape)

    def task(*keys: str, time_limit_seconds: float = 30.0) -> Task:
        options = f'{{"objective": "cosa", "weights": {{}}, "time_limit_seconds": {time_limit_seconds}}}'
        return Task(options, problem, tuple((key, architecture, mapspace) for key in keys))

    return task
