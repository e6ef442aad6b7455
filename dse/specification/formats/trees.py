"""Architectures as a tree of subtrees with local components: Timeloop's formats v0.2 and v0.3.

019f107, src/model/topology.cpp: ParseTreeSpecs. A subtree has at most one subtree; the levels are its local components
from the outermost subtree to the innermost, in the order in which they are listed.
"""

from __future__ import annotations

from dse.specification.fields import Section
from dse.specification.formats.chain import Chain, ignore_estimators, is_storage_attribute, read_name

__all__ = ["read_tree"]


def read_tree(chain: Chain, root: Section) -> None:
    """Add the levels of `architecture: {subtree: ...}` to a chain; faults go to its reader."""
    root.text("name", None)
    _descend(chain, root, 1)


def _descend(chain: Chain, section: Section, elements: int) -> None:
    for position, entry in enumerate(section.items("local", required=False)):
        component = chain.reader.section(entry, (*section.path, "local", position))
        name, count = read_name(component)
        if not ignore_estimators(component):
            continue
        chain.add(component, name, (elements * count, None, None))
        component.finish()
    # Accelergy lets components inherit these; Timeloop reads those of components alone.
    for key in section.section("attributes", required=False).data:
        if is_storage_attribute(key):
            chain.reader.fault((*section.path, "attributes", key), "a subtree gives it to no component: write it there")
    if section.has("subtree"):
        subtrees = section.items("subtree")
        if len(subtrees) > 1:
            chain.reader.fault((*section.path, "subtree", 1), "a second subtree: levels stand in a row, one in another")
        for position, entry in enumerate(subtrees[:1]):
            inner = chain.reader.section(entry, (*section.path, "subtree", position))
            _, count = read_name(inner)
            _descend(chain, inner, elements * count)
    section.finish()
