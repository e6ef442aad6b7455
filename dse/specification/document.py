"""YAML files with the place of every key, so that an error can name its line.

Files are read with PyYAML's safe constructor on the composed node tree; nothing in a file can run code. The tags of
Timeloop's v0.4 architectures are noted beside the data; any other is a fault.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dse.errors import Fault, InputError

__all__ = ["Document", "KeyPath", "format_key", "load_document", "load_documents"]

KeyPath = tuple[str | int, ...]

MAX_NODES = 250_000
"""Values that a file may hold with its aliases written out: nested aliases can make gigabytes of a few lines."""

_JINJA = re.compile(r"\{%|\{\{")

_YAML_TAG = "tag:yaml.org,2002:"
_PLAIN_TAGS = (f"{_YAML_TAG}map", f"{_YAML_TAG}seq")
_NODE_TAGS = ("!Component", "!Container", "!Hierarchical", "!Nothing", "!Parallel")
"""Kinds of nodes in Timeloop's v0.4 `architecture:` (specification/formats/nodes.py)."""


@dataclass(frozen=True)
class Document:
    """Plain data (dicts, lists, scalars) and, for every key path in it, the file and line where it stands.

    `tags` holds the tags of nodes that have one, `origins` where in the file a part of translated data came from:
    faults speak of that place.
    """

    data: Any
    positions: Mapping[KeyPath, tuple[str, int]] = field(default_factory=dict)
    file: str = ""
    tags: Mapping[KeyPath, str] = field(default_factory=dict)
    origins: Mapping[KeyPath, KeyPath] = field(default_factory=dict)

    def original(self, path: KeyPath) -> KeyPath:
        """The place in the file of what stands at `path`."""
        for length in range(len(path), 0, -1):
            if path[:length] in self.origins:
                return (*self.origins[path[:length]], *path[length:])
        return path

    def fault(self, path: KeyPath, message: str) -> Fault:
        """A fault at `path`, with the line of the nearest enclosing key that has one."""
        path = self.original(path)
        for length in range(len(path), -1, -1):
            if path[:length] in self.positions:
                file, line = self.positions[path[:length]]
                return Fault(message, format_key(path), file, line)
        return Fault(message, format_key(path), self.file)


def format_key(path: KeyPath) -> str:
    """`("storage", 2, "entries")` as `storage[2].entries`."""
    text = ""
    for part in path:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def load_document(path: str | Path) -> Document:
    """Read one YAML file.

    Raises InputError where the file is missing, is not YAML, or gives a key twice.
    """
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "not a text file in UTF-8"
        raise InputError(Fault(f"cannot be read: {reason}", file=str(path))) from error
    return parse_document(text, str(path))


def parse_document(text: str, file: str) -> Document:
    """Parse YAML text; `file` is only for messages."""
    positions: dict[KeyPath, tuple[str, int]] = {}
    tags: dict[KeyPath, str] = {}
    faults: list[Fault] = []
    try:
        loader = yaml.SafeLoader(text)
        root = loader.get_single_node()
        data = None
        if root is not None:
            if _expanded_nodes(root, {}) > MAX_NODES:
                raise InputError(Fault(f"holds more than {MAX_NODES:,} values, its aliases written out", file=file))
            data = _construct(loader, root, (), file, positions, tags, faults)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        _refuse_jinja(text, file, error)
        raise InputError(Fault(f"not valid YAML: {error.problem or error.context}", file=file, line=line)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(Fault(f"not valid YAML: {str(error).splitlines()[0]}", file=file)) from error
    if faults:
        _refuse_jinja(text, file)
        raise InputError(faults)
    return Document(data, positions, file, tags)


def _refuse_jinja(text: str, file: str, cause: Exception | None = None) -> None:
    """Raise InputError where a text that is no YAML has marks of Jinja, which Timeloop's v0.4 front end renders."""
    for line, content in enumerate(text.splitlines(), start=1):
        if _JINJA.search(content):
            message = "Jinja templates are not rendered here: write the values, or an expression of variables"
            raise InputError(Fault(message, file=file, line=line)) from cause


def load_documents(paths: Iterable[str | Path]) -> Document:
    """Read several files and merge them by their top-level keys, as `timeloop-model` does.

    Raises InputError with the faults of all files together; a top-level key that stands in two files is one.
    """
    merged: dict[str, Any] = {}
    positions: dict[KeyPath, tuple[str, int]] = {}
    tags: dict[KeyPath, str] = {}
    faults: list[Fault] = []
    for path in paths:
        try:
            document = load_document(path)
        except InputError as error:
            faults += error.faults
            continue
        if document.data is None:
            faults.append(Fault("is empty", file=str(path)))
            continue
        if not isinstance(document.data, dict):
            faults.append(document.fault((), "expected keys such as arch, problem or mapping at the top level"))
            continue
        for key, value in document.data.items():
            if key in merged:
                first, line = positions[(key,)]
                faults.append(document.fault((key,), f"stands already in {first}:{line}"))
            merged[key] = value
        positions.update(document.positions)
        tags.update(document.tags)
    if faults:
        raise InputError(faults)
    return Document(merged, positions, tags=tags)


def _expanded_nodes(node: yaml.Node, known: dict[yaml.Node, int]) -> int:
    """Nodes of the tree below `node` with every alias written out; MAX_NODES + 1 where it contains itself."""
    if node not in known:
        known[node] = MAX_NODES + 1  # for whoever comes back here while the children are being counted
        children: list[yaml.Node] = []
        if isinstance(node, yaml.MappingNode):
            children = [child for pair in node.value for child in pair]
        elif isinstance(node, yaml.SequenceNode):
            children = node.value
        known[node] = 1 + sum(_expanded_nodes(child, known) for child in children)
    return known[node]


def _construct(
    loader: yaml.SafeLoader,
    node: yaml.Node,
    path: KeyPath,
    file: str,
    positions: dict[KeyPath, tuple[str, int]],
    tags: dict[KeyPath, str],
    faults: list[Fault],
) -> Any:
    positions.setdefault(path, (file, node.start_mark.line + 1))
    if node.tag in _NODE_TAGS and "nodes" in path:
        tags[path] = node.tag
        if isinstance(node, yaml.ScalarNode) and not node.value:
            return {}
    elif isinstance(node, yaml.CollectionNode) and node.tag not in _PLAIN_TAGS:
        shown = node.tag.removeprefix(_YAML_TAG)
        known = f" (known: {', '.join(_NODE_TAGS)})" if "nodes" in path else ""
        faults.append(Fault(f'unknown tag "{shown}"{known}', format_key(path), file, node.start_mark.line + 1))
        return None
    if isinstance(node, yaml.MappingNode):
        own_keys: Counter[str] = Counter()
        for key_node, _ in node.value:
            line = key_node.start_mark.line + 1
            if not isinstance(key_node, yaml.ScalarNode):
                faults.append(Fault("expected a text as a key, got a list or a mapping", format_key(path), file, line))
            elif key_node.tag != "tag:yaml.org,2002:merge":
                own_keys[key_node.value] += 1
                if own_keys[key_node.value] == 2:
                    faults.append(Fault("this key stands twice", format_key((*path, key_node.value)), file, line))
        loader.flatten_mapping(node)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            positions[*path, key] = (file, key_node.start_mark.line + 1)
            result[key] = _construct(loader, value_node, (*path, key), file, positions, tags, faults)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, (*path, index), file, positions, tags, faults)
            for index, item in enumerate(node.value)
        ]
    try:
        return loader.construct_object(node)
    except ValueError as error:  # a date such as 2020-13-45, a number of more digits than Python reads
        shown = node.value if len(node.value) <= 40 else node.value[:40] + "..."
        faults.append(Fault(f'"{shown}" has no value: {error}', format_key(path), file, node.start_mark.line + 1))
        return None
