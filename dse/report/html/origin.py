"""Where a study comes from, and what runs it again: versions, seeds, hashes, files and the command."""

from __future__ import annotations

import hashlib
import json
import platform
from collections.abc import Iterator
from typing import Any

import yaml

from dse.report.figures.convergence import convergence_rows
from dse.specification.goals import Goals
from dse.sweep.folder import StudyFolder
from dse.sweep.plan import Plan
from dse.sweep.program import program_name, release
from dse.sweep.reading import StoredStudy

__all__ = ["origin_of", "study_files"]

_LIBRARIES = ("cvxpy", "highspy", "pyscipopt", "cvxopt", "numpy", "scipy", "ray")


def origin_of(folder: StudyFolder, study: StoredStudy) -> dict[str, Any]:
    """Facts, files, the command, and how the front grew, for the page."""
    plan = study.plan
    return {
        "facts": list(_facts(folder, study)),
        "how": (
            f"With {plan.program}: write the files below into a folder and run this there. The same program answers "
            "the same, but for schedules that a time limit ended."
        ),
        "command": f"dse sweep study.yaml --output {_folder_name(plan.name)}",
        "files": list(study_files(plan).items()),
        "convergence": [
            {"variants": row["variants"], "hypervolume": row["hypervolume"]} for row in convergence_rows(folder)
        ],
    }


def _folder_name(name: str) -> str:
    kept = "".join(letter if (letter.isalnum() and letter.isascii()) or letter in "-_" else "_" for letter in name)
    return f"runs/{kept or 'study'}"


def _facts(folder: StudyFolder, study: StoredStudy) -> Iterator[tuple[str, str]]:
    plan = study.plan
    yield "program", plan.program
    if program_name() != plan.program:
        yield "this page by", program_name()
    yield "evaluator", plan.evaluator
    yield "energies and areas", str(plan.costs.get("label", "PAT, or as the template says"))
    yield "objective of the schedules", str(plan.options["objective"])
    yield "solver", str(plan.options.get("solver") or "the objective's default")
    yield "gap asked for", f"{100 * plan.options['gap']:g} %"
    yield "time limit of a schedule", f"{plan.options['time_limit_seconds']:g} s"
    if plan.options["objective"] == "cosa":
        yield "weights", ", ".join(f"{name} {value}" for name, value in plan.options["weights"].items())
    yield "search", f"{plan.search.get('strategy', 'grid')}, seed {plan.search.get('seed', 0)}"
    yield (
        "budget of the search",
        ", ".join(f"{name} {value}" for name, value in plan.search["budget"].items()) or "none",
    )
    yield "clock", f"{plan.goals.clock_mhz:g} MHz"
    if plan.goals.budgets:
        yield "budgets", "; ".join(map(str, plan.goals.budgets))
    yield "hash of the plan", _digest(json.dumps(plan.to_dict(), sort_keys=True, default=str))
    yield "hash of the networks and goals", plan.workload[:16]
    yield "hash of the results", _digest(json.dumps(study.fingerprint()))
    yield "Python here", platform.python_version()
    found = [f"{name} {number}" for name in _LIBRARIES if (number := release(name)) is not None]
    yield "libraries here", ", ".join(found)


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]


def study_files(plan: Plan) -> dict[str, str]:
    """Name -> content of the files that make this plan again: the study, its template, its networks and cost tables."""
    goals, options = plan.goals, plan.options
    names = [f"network{place}.yaml" for place in range(len(plan.networks))]
    study: dict[str, Any] = {
        "name": plan.name,
        "description": plan.description,
        "template": "template.yaml",
        "parameters": {name: list(values) for name, values in plan.parameters.items()},
        "constraints": list(plan.constraints),
        "networks": [
            file if goals.weight(network.name) == 1 else {"network": file, "weight": goals.weight(network.name)}
            for file, network in zip(names, plan.networks, strict=True)
        ],
        "objective": options["objective"],
        "scheduler": {
            **({"solver": options["solver"]} if options.get("solver") else {}),
            "gap": options["gap"],
            "time_limit": options["time_limit_seconds"],
            "weights": dict(options["weights"]),
        },
        "evaluator": "embedded" if plan.evaluator == "embedded" else "timeloop",
        "search": dict(plan.search),
        **_goals(goals),
    }
    files = {"study.yaml": {"study": study}, "template.yaml": dict(plan.template)}
    if plan.costs:
        study["costs"] = {key: value for key, value in plan.costs.items() if key not in ("label", "content", "file")}
        if "content" in plan.costs:
            study["costs"]["file"] = "costs.yaml"
            files["costs.yaml"] = plan.costs["content"]
    for file, network in zip(names, plan.networks, strict=True):
        layers = [
            {"name": layer.name, "count": layer.count, "problem": dict(plan.problems[layer.problem].problem)}
            for layer in network.layers
        ]
        files[file] = {"network": {"name": network.name, "source": network.source, "layers": layers}}
    return {
        name: yaml.safe_dump(content, sort_keys=False, default_flow_style=None, allow_unicode=True, width=120)
        for name, content in files.items()
    }


def _goals(goals: Goals) -> dict[str, Any]:
    """What a study says of its goals where they are not the default."""
    data = {key: value for key, value in goals.to_dict().items() if key != "weights" and value}
    if goals.budgets:
        data["budgets"] = list(map(str, goals.budgets))
    default = Goals().to_dict()
    return {key: value for key, value in data.items() if value != default[key]}
