"""Architectures as a list of nodes with tags: Timeloop's format v0.4.

The meaning is that of its front end (Accelergy-Project/timeloop-python b8aaf2c, pytimeloop/timeloopfe: v4/arch.py,
v4/constraints.py, v4/processors/, common/version_transpilers/v4_to_v3.py): nodes stand one in another in the order in
which they are listed, a container's attributes hold for all inside it, and the fan-out of a node lies above it. The
front end gives every fan-out a level of its own that keeps nothing. Here the storage level above has the first one,
which costs the same; further ones get such a level, under the same name.
"""

from __future__ import annotations

from typing import Any

from dse.specification.document import KeyPath
from dse.specification.expressions import names_in_expression
from dse.specification.fields import Section, describe
from dse.specification.formats.chain import Chain, Level, Scope, ignore_estimators, product
from dse.specification.formats.constraints import read_constraint

__all__ = ["read_nodes"]

EVERY = "*"
"""All data spaces, or all that the other list of a constraint does not name."""

Mesh = tuple[Any, Any]


def read_nodes(chain: Chain, root: Section) -> None:
    """Add the levels and constraints of `architecture: {nodes: [...]}` to a chain; faults go to its reader."""
    _Walk(chain).branch(root, parallel=False)
    root.finish()


class _Walk:
    """The way through the nodes, outermost first."""

    def __init__(self, chain: Chain) -> None:
        self.chain = chain
        self.mesh: Mesh = (1, 1)
        self.scope = Scope()
        self.names: dict[str, KeyPath] = {}
        self.fanned_out: Level | None = None
        """The storage level that has a fan-out already."""

    def branch(self, section: Section, parallel: bool) -> None:
        """The nodes of a list; `parallel`: each data space is kept in one of them at most."""
        kept: dict[str, KeyPath] = {}
        for position, entry in enumerate(section.items("nodes")):
            path = (*section.path, "nodes", position)
            tag = self.chain.reader.document.tags.get(path)
            node = self.chain.reader.section(entry, path)
            if not node.boolean("enabled", True):
                continue
            if tag == "!Component":
                self._component(node, parallel, kept)
            elif parallel and tag != "!Nothing":
                self.chain.reader.fault(path, f"expected components in a !Parallel, got {tag or 'a node without tag'}")
            elif tag == "!Container":
                self._container(node)
            elif tag == "!Nothing":
                self._nothing(node, kept)
            elif tag in ("!Hierarchical", "!Parallel"):
                node.text("name", None)
                self.branch(node, parallel=tag == "!Parallel")
                node.finish()
            else:
                wanted = "!Component, !Container, !Parallel, !Hierarchical or !Nothing"
                self.chain.reader.fault(path, f"expected a node with one of the tags {wanted}, got {describe(entry)}")

    def _component(self, node: Section, parallel: bool, kept: dict[str, KeyPath]) -> None:
        name = self._name(node)
        ignore_estimators(node)
        if parallel and node.has("spatial"):
            node.fault("spatial", "a component of a !Parallel has no fan-out of its own")
        self._fan_out(node, name)
        instances = product(*self.mesh)
        before = len(self.chain.storage)
        level = self.chain.add(node, name, (instances, *self.mesh), self.scope)
        if level is not None and len(self.chain.storage) > before and self.chain.arithmetic is not None:
            self.chain.reader.fault(node.path, f"stands inside {self.chain.arithmetic.name}, which computes")
        constraints = node.section("constraints", required=False)
        is_storage = len(self.chain.storage) > before
        if level is not None and is_storage:
            level.content.setdefault("reduction_supported", True)  # the front end says so of a DRAM too
        self._constraints(constraints, name, is_storage, parallel, kept)
        self._refuse(node, "sparse_optimizations", "sparse tensors are not modelled")
        node.finish()

    def _container(self, node: Section) -> None:
        name = self._name(node)
        attributes = node.section("attributes", required=False)
        if attributes.data:
            self.scope = Scope(attributes.data, attributes.path, self.scope)
        self._fan_out(node, name)
        self._constraints(node.section("constraints", required=False), name, False, False, {})
        self._refuse(node, "networks", "networks of their own are not modelled")
        self._refuse(node, "sparse_optimizations", "sparse tensors are not modelled")
        node.finish()

    def _nothing(self, node: Section, kept: dict[str, KeyPath]) -> None:
        """A way past the other nodes of a `!Parallel`: what it keeps is bypassed by all of them."""
        node.text("name", None)
        constraints = node.section("constraints", required=False)
        spaces = constraints.section("dataspace", required=False)
        for position, name in enumerate(spaces.items("keep", required=False)):
            self._keep_once(name, (*spaces.path, "keep", position), kept)
        spaces.finish()
        constraints.finish()
        node.finish()

    def _name(self, node: Section) -> str:
        name = node.required_text("name")
        if name in self.names:
            node.fault("name", f'another node is called "{name}" already')
        self.names[name] = node.path
        return name

    def _fan_out(self, node: Section, name: str) -> None:
        """Multiply the mesh by the fan-out of a node, and find the level that has it."""
        if not node.has("spatial"):
            return
        spatial = node.section("spatial")
        sides = [spatial.raw(key)[1] if spatial.has(key) else 1 for key in ("meshX", "meshY")]
        spatial.finish()
        for key, side in zip(("meshX", "meshY"), sides, strict=True):
            whole = isinstance(side, int) and not isinstance(side, bool) and side >= 1
            if not whole and not (isinstance(side, str) and side):
                spatial.fault(key, f"expected a positive integer, got {describe(side)}")
                return
        if not self.chain.storage:
            if sides != [1, 1]:
                node.fault("spatial", "a fan-out above the outermost storage level: no level has it")
            return
        above = self.chain.storage[-1]
        if above is self.fanned_out:
            x, y = self.mesh
            content = {"name": name, "entries": 0, "instances": product(x, y), "meshX": x, "meshY": y}
            above = Level(name, node.path, content, dict.fromkeys(content, node.path))
            self.chain.storage.append(above)
            keeps_nothing = {"target": name, "type": "bypass", "keep": [], "bypass": [EVERY]}
            self.chain.constraints.append((keeps_nothing, {}, node.path))
        self.fanned_out = above
        self.chain.fanout_levels[name] = above.name
        try:
            inlined = [self.scope.inlined(side) for side in sides]
            unknown = [name for side in inlined for name in self._unknown_names(side)]
        except ValueError as error:
            node.fault("spatial", str(error))
            return
        if unknown:
            node.fault("spatial", f"unknown variable {describe(unknown[0])}")
            return
        self.mesh = (product(self.mesh[0], inlined[0]), product(self.mesh[1], inlined[1]))

    def _unknown_names(self, side: Any) -> list[str]:
        """The names in an expression that no variable has; every level inside would report them. Raises ValueError."""
        variables = self.chain.reader.document.data.get("variables")
        known = variables if isinstance(variables, dict) else {}
        return sorted(names_in_expression(side) - known.keys()) if isinstance(side, str) else []

    def _constraints(
        self, section: Section, name: str, is_storage: bool, parallel: bool, kept: dict[str, KeyPath]
    ) -> None:
        for kind in section.data:
            path = (*section.path, kind)
            if kind not in ("spatial", "temporal", "dataspace"):
                self.chain.reader.fault(path, "unknown kind of constraint; allowed: spatial, temporal, dataspace")
            elif kind == "spatial" and name not in self.chain.fanout_levels:
                if section.data[kind]:
                    self.chain.reader.fault(path, f"{name} has no fan-out (spatial: meshX, meshY)")
            elif kind != "spatial" and not is_storage:
                if section.data[kind]:
                    self.chain.reader.fault(path, f"{name} stores nothing")
            else:
                target = self.chain.fanout_levels[name] if kind == "spatial" else name
                entry = self.chain.reader.section(section.data[kind], path)
                content, origins = read_constraint(entry, kind, target)
                if kind == "dataspace" and parallel:
                    names = content.get("keep", [])
                    for position, space in enumerate(names if isinstance(names, list) else []):
                        self._keep_once(space, (*path, "keep", position), kept)
                    content["bypass"] = [EVERY]
                if len(content) > 2:  # more than the target and the type
                    self.chain.constraints.append((content, origins, path))
        if parallel and is_storage and "dataspace" not in section.data:
            self.chain.reader.fault(
                section.path, f"{name} keeps no data space: constraints: dataspace: keep: is missing"
            )

    def _keep_once(self, name: object, path: KeyPath, kept: dict[str, KeyPath]) -> None:
        if not isinstance(name, str):
            self.chain.reader.fault(path, f"expected the name of a data space, got {describe(name)}")
        elif name in kept:
            self.chain.reader.fault(path, f"{name} is kept by another node of this !Parallel already")
        else:
            kept[name] = path

    def _refuse(self, node: Section, key: str, reason: str) -> None:
        if node.raw(key)[1]:
            node.fault(key, reason)
