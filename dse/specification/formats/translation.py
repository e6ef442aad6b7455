"""Documents in Timeloop's later formats as documents in v0.1, which all else reads.

Expressions stay expressions, so that a file with `variables:` is a template in every format. Faults that are found
afterwards still name the place in the file (`Document.origins`).
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from dse.specification.document import Document, KeyPath
from dse.specification.expressions import ExpressionError, names_in_expression
from dse.specification.fields import Reader, Section, describe
from dse.specification.formats.chain import Chain
from dse.specification.formats.constraints import KINDS, read_constraint, write_loops
from dse.specification.formats.nodes import EVERY, read_nodes
from dse.specification.formats.trees import read_tree
from dse.specification.problem import SHAPES

__all__ = ["translated"]

_ARCHITECTURE_KEYS = ("arch", "architecture")
_CONSTRAINT_KEYS = ("architecture_constraints", "arch_constraints", "mapspace_constraints", "constraints", "mapspace")
_DECLARATIONS = ("dimensions", "data_spaces")
_OTHER_PARTS = ("globals", "mapper", "components", "compound_components")
"""Of Timeloop's search and of Accelergy: without meaning here, and left aside."""

_VERSIONS = {"subtree": (0.2, 0.3, 0.4), "nodes": (0.4,)}


def translated(document: Document) -> Document:
    """A document with its architecture, constraints and mapping in v0.1; the same one where they are in v0.1 already.

    Raises InputError with every fault.
    """
    if not isinstance(document.data, dict):
        return document
    key = next((key for key in _ARCHITECTURE_KEYS if isinstance(document.data.get(key), dict)), "")
    form = next((form for form in _VERSIONS if key and form in document.data[key]), None)
    constrained = any(each in document.data for each in _CONSTRAINT_KEYS if each != "mapspace")
    if form is None and not constrained:
        return document
    reader = Reader(document)
    chain = Chain(reader)
    origins: dict[KeyPath, KeyPath] = {}
    data = {name: value for name, value in document.data.items() if name not in _CONSTRAINT_KEYS}
    if form is not None:
        _read_architecture(chain, reader.section(document.data[key], (key,)), form)
        data = {name: value for name, value in data.items() if name not in _OTHER_PARTS}
        data[key] = _architecture(chain, key, origins)
    _read_targets(chain, document)
    data["mapspace"] = chain.declared | {"constraints": _constraints(chain, origins)}
    origins.update({("mapspace", name): place for name, place in chain.declared_at.items()})
    if form is not None and "variables" in data:
        data["variables"] = _variables(reader)
    if form is not None and "mapping" in data:
        data["mapping"] = _mapping(chain, document, origins)
    reader.raise_faults()
    return replace(document, data=data, origins=origins)


def _read_architecture(chain: Chain, root: Section, form: str) -> None:
    _read_version(root, form)
    if form == "nodes":
        read_nodes(chain, root)
    else:
        read_tree(chain, root)
    if "sparse_optimizations" in chain.reader.document.data:
        chain.reader.fault(("sparse_optimizations",), "sparse tensors are not modelled")
    if not chain.storage:
        chain.reader.fault(root.path, "no storage level: expected components of a class such as DRAM, SRAM or regfile")
    if chain.arithmetic is None:
        chain.reader.fault(root.path, "no MACs: expected a component of a class such as intmac or compute")


def _read_version(root: Section, form: str) -> None:
    _, value = root.raw("version")
    try:
        version = float(value) if isinstance(value, str | int | float) and not isinstance(value, bool) else None
    except ValueError:
        version = None
    known = _VERSIONS[form]
    if root.has("version") and version not in known:
        root.fault("version", f"expected {' or '.join(map(str, known))} with {form}, got {describe(value)}")


def _architecture(chain: Chain, key: str, origins: dict[KeyPath, KeyPath]) -> dict[str, Any]:
    """The content of v0.1, storage levels innermost first."""
    result: dict[str, Any] = {"storage": []}
    places: list[tuple[KeyPath, Any]] = [((key, "storage", i), level) for i, level in enumerate(chain.storage[::-1])]
    if chain.arithmetic is not None:
        places.append(((key, "arithmetic"), chain.arithmetic))
        result["arithmetic"] = chain.arithmetic.content
    result["storage"] = [level.content for level in chain.storage[::-1]]
    for path, level in places:
        origins[path] = level.path
        origins.update({(*path, name): place for name, place in level.origins.items()})
    return result


def _constraints(chain: Chain, origins: dict[KeyPath, KeyPath]) -> list[dict[str, Any]]:
    for position, (_, places, path) in enumerate(chain.constraints):
        own = ("mapspace", "constraints", position)
        origins[own] = path
        origins.update({(*own, name): place for name, place in places.items()})
    return [content for content, _, _ in chain.constraints]


def _read_targets(chain: Chain, document: Document) -> None:
    """The constraints that stand beside the architecture, in a list each."""
    for key in _CONSTRAINT_KEYS:
        value = document.data.get(key)
        if value is None:
            continue
        path: KeyPath = (key,)
        if isinstance(value, dict):
            section = chain.reader.section(value, path)
            section.raw("version")
            for declared in _DECLARATIONS:
                if section.has(declared):
                    chain.declared[declared] = section.raw(declared)[1]
                    chain.declared_at[declared] = (*section.path, declared)
            name, value = section.raw("targets", "constraints")
            section.finish()
            path = (key, name)
        if value is None:
            continue
        if not isinstance(value, list):
            chain.reader.fault(path, f"expected a list of constraints, got {describe(value)}")
            continue
        for position, entry in enumerate(value):
            section = chain.reader.section(entry, (*path, position))
            kind = section.required_text("type", choices=("spatial", "temporal", *KINDS))
            target = section.required_text("target")
            if kind == "spatial":
                target = chain.fanout_levels.get(target, target)
            content, places = read_constraint(section, kind, target)
            places |= {name: (*section.path, name) for name in ("target", "type") if section.has(name)}
            chain.constraints.append((content, places, section.path))


def _variables(reader: Reader) -> Any:
    """The variables that are numbers or expressions; the others name technologies and the like."""
    section = reader.section(reader.document.data["variables"], ("variables",))
    return {name: value for name, value in section.data.items() if name != "version" and _is_number(value)}


def _is_number(value: object) -> bool:
    if not isinstance(value, str):
        return True
    try:
        names_in_expression(value)
    except ExpressionError:
        return False
    return True


def _mapping(chain: Chain, document: Document, origins: dict[KeyPath, KeyPath]) -> Any:
    """The directives as v0.1 has them, with what the architecture's own constraints say and they do not.

    So it is in v0.4, where a mapping is made of constraints: bypasses, and the order and split of loops.
    """
    given = document.data["mapping"]
    if not isinstance(given, list):
        return given
    result: list[Any] = []
    bypassed: set[object] = set()
    for position, entry in enumerate(given):
        if not isinstance(entry, dict):
            result.append(entry)
            continue
        section = chain.reader.section(entry, ("mapping", position))
        directive = dict(entry)
        kind = directive["type"] = KINDS.get(str(entry.get("type")), entry.get("type"))
        target = str(entry.get("target"))
        if kind == "spatial":
            directive["target"] = target = chain.fanout_levels.get(target, target)
        if kind == "bypass":
            bypassed.add(target)
        for key in ("factors", "permutation"):
            if isinstance(entry.get(key), list | str):
                directive[key] = write_loops(section, key, entry[key])
        for content, _, _ in chain.constraints:
            if (content["target"], content["type"]) == (target, kind):
                inherited = {key: content[key] for key in ("permutation", "split") if key in content}
                directive = inherited | directive
        result.append(directive)
    spaces = _data_space_names(document)
    for content, _, path in chain.constraints:
        if content["type"] == "bypass" and content["target"] not in bypassed:
            kept, dropped = content.get("keep", []), content.get("bypass", [])
            if isinstance(kept, list) and isinstance(dropped, list):
                origins["mapping", len(result)] = path
                result.append(
                    content | {"keep": _named(kept, dropped, spaces), "bypass": _named(dropped, kept, spaces)}
                )
    return result


def _named(own: list[Any], other: list[Any], spaces: list[str]) -> list[Any]:
    return [name for name in spaces if name not in other] if EVERY in own else own


def _data_space_names(document: Document) -> list[str]:
    """The names of the problem's data spaces, as far as they can be read; its own reader reports what is wrong."""
    problem = document.data.get("problem")
    shape = problem.get("shape", "cnn-layer") if isinstance(problem, dict) else None
    if isinstance(shape, str) and shape in SHAPES:
        return [space.name for space in SHAPES[shape].data_spaces]
    if not isinstance(shape, dict):
        return []
    spaces = shape.get("data-spaces", shape.get("data_spaces"))
    entries = spaces if isinstance(spaces, list) else []
    return [entry["name"] for entry in entries if isinstance(entry, dict) and isinstance(entry.get("name"), str)]
