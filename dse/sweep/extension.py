"""When a study is the one that a folder holds, grown, and when it is another one.

A study may grow: values of parameters, whole parameters whose values include the template's default, networks, layers
of networks, and variants that a constraint used to leave out. Every result of the smaller study is one of the larger
one then, found by its content. All else is a change.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from dse.sweep.plan import Plan, PlannedNetwork

__all__ = ["changes_of_study"]

_GROWS = ("budget", "prune")  # keys of `search:` that change how far a search goes, not what it looks at


def changes_of_study(old: Plan, new: Plan) -> list[str]:
    """What in `new` is neither as in `old` nor only more of it, in a few words each; nothing: the study goes on."""
    if old.name != new.name:
        return [f'the name "{new.name}", not "{old.name}"']
    return [
        *_changed_values(old, new),
        *(f"another {what}" for what in ("template",) if _text(old.template) != _text(new.template)),
        *(f"a new constraint, {text}" for text in new.constraints if text not in old.constraints),
        *_changed_networks(old, new),
        *_changed_keys("search", _kept(old.search), _kept(new.search)),
        *_changed_keys("scheduler", old.options, new.options),
        *_changed_keys("costs", old.costs, new.costs),
        *([f"the evaluator {new.evaluator}, not {old.evaluator}"] if old.evaluator != new.evaluator else []),
    ]


def _changed_values(old: Plan, new: Plan) -> Iterator[str]:
    for name, values in old.parameters.items():
        if name not in new.parameters:
            yield f"no parameter {name}"
            continue
        gone = [str(value) for value in values if value not in new.parameters[name]]
        if gone:
            yield f"{name} without {', '.join(gone)}"
    defaults = old.template.get("variables", {})
    for name in new.parameters.keys() - old.parameters.keys():
        if defaults.get(name) not in new.parameters[name]:
            yield f"a new parameter {name} without the template's {defaults.get(name)}"


def _changed_networks(old: Plan, new: Plan) -> Iterator[str]:
    there = {network.name: network for network in new.networks}
    for network in old.networks:
        if network.name not in there:
            yield f"no network {network.name}"
            continue
        layers = _layers(new, there[network.name])
        for name, (count, problem) in _layers(old, network).items():
            if name not in layers:
                yield f"{network.name} without the layer {name}"
            elif layers[name] != (count, problem):
                yield f"another layer {name} of {network.name}"


def _layers(plan: Plan, network: PlannedNetwork) -> dict[str, tuple[int, str]]:
    """Name -> how often a layer occurs, and the digest of its problem."""
    return {layer.name: (layer.count, plan.problems[layer.problem].digest) for layer in network.layers}


def _changed_keys(what: str, old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[str]:
    for key in dict.fromkeys((*old, *new)):
        if _text(old.get(key)) != _text(new.get(key)):
            name = key if key == "objective" else f"{what}.{key}"
            yield f"{name} {_text(new.get(key))}, not {_text(old.get(key))}"


def _kept(search: Mapping[str, Any]) -> dict[str, Any]:
    return {key: value for key, value in search.items() if key not in _GROWS}


def _text(data: Any) -> str:
    return json.dumps(data, sort_keys=True, default=str)
