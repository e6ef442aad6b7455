"""YAML files with the place of every key, so that an error can name its line.

Files are read with PyYAML's safe constructor on the composed node tree; nothing in a file can run code.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from dse.errors import Fault, InputError

__all__ = ["Document", "KeyPath", "format_key", "load_document", "load_documents"]

KeyPath = tuple[str | int, ...]


@dataclass(frozen=True)
class Document:
    """Plain data (dicts, lists, scalars) and, for every key path in it, the file and line where it stands."""

    data: Any
    positions: Mapping[KeyPath, tuple[str, int]] = field(default_factory=dict)
    file: str = ""

    def fault(self, path: KeyPath, message: str) -> Fault:
        """A fault at `path`, with the line of the nearest enclosing key that has one."""
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
    loader = yaml.SafeLoader(text)
    positions: dict[KeyPath, tuple[str, int]] = {}
    faults: list[Fault] = []
    try:
        root = loader.get_single_node()
        data = None if root is None else _construct(loader, root, (), file, positions, faults)
    except yaml.MarkedYAMLError as error:
        line = error.problem_mark.line + 1 if error.problem_mark else None
        raise InputError(Fault(f"not valid YAML: {error.problem or error.context}", file=file, line=line)) from error
    except (yaml.YAMLError, RecursionError) as error:
        raise InputError(Fault(f"not valid YAML: {str(error).splitlines()[0]}", file=file)) from error
    finally:
        loader.dispose()
    if faults:
        raise InputError(faults)
    return Document(data, positions, file)


def load_documents(paths: Iterable[str | Path]) -> Document:
    """Read several files and merge them by their top-level keys, as `timeloop-model` does.

    Raises InputError with the faults of all files together; a top-level key that stands in two files is one.
    """
    merged: dict[str, Any] = {}
    positions: dict[KeyPath, tuple[str, int]] = {}
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
    if faults:
        raise InputError(faults)
    return Document(merged, positions)


def _construct(
    loader: yaml.SafeLoader,
    node: yaml.Node,
    path: KeyPath,
    file: str,
    positions: dict[KeyPath, tuple[str, int]],
    faults: list[Fault],
) -> Any:
    positions.setdefault(path, (file, node.start_mark.line + 1))
    if isinstance(node, yaml.MappingNode):
        own_keys = [key.value for key, _ in node.value if key.tag != "tag:yaml.org,2002:merge"]
        for duplicate in sorted({key for key in own_keys if own_keys.count(key) > 1}):
            faults.append(
                Fault("this key stands twice", format_key((*path, duplicate)), file, node.start_mark.line + 1)
            )
        loader.flatten_mapping(node)
        result: dict[str, Any] = {}
        for key_node, value_node in node.value:
            key = key_node.value if isinstance(key_node, yaml.ScalarNode) else "?"
            positions[*path, key] = (file, key_node.start_mark.line + 1)
            result[key] = _construct(loader, value_node, (*path, key), file, positions, faults)
        return result
    if isinstance(node, yaml.SequenceNode):
        return [
            _construct(loader, item, (*path, index), file, positions, faults) for index, item in enumerate(node.value)
        ]
    return loader.construct_object(node)
