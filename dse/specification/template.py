"""Templates: an architecture file whose values are arithmetic expressions of variables.

The convention is that of Timeloop v4's front end (a `variables:` block beside the architecture), applied to the v0.1
format; files in later formats are read as that (`formats/`). A file without `variables:` is an architecture like any
other, so one function reads both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from dse.errors import InputError
from dse.specification.architecture import Architecture, parse_architecture
from dse.specification.costs import CostChoice, read_costs
from dse.specification.document import Document, load_document
from dse.specification.expressions import ExpressionError, evaluate_expression, names_in_expression
from dse.specification.fields import Reader, describe, nearest
from dse.specification.formats import translated
from dse.specification.reference_tables import apply_reference_tables

__all__ = ["Number", "Template", "load_architecture", "load_template", "parse_template"]

Number = int | float


@dataclass(frozen=True)
class Template:
    """An architecture with variables; each has a default: a number, or an expression of the ones before it.

    `costs` says where energies and areas come from; None: PAT, where the architecture says nothing.
    """

    document: Document
    defaults: Mapping[str, Number | str]
    costs: CostChoice | None = None

    @cached_property
    def architecture_key(self) -> str:
        return _architecture_key(self.document)

    @property
    def mapspace(self) -> Any | None:
        """The content of `mapspace:` in the same file (the bypass pattern), or None."""
        return self.document.data.get("mapspace")

    def values(self, parameters: Mapping[str, Number] | None = None) -> dict[str, Number]:
        """The value of every variable, where `parameters` replace their defaults and the expressions follow.

        Raises InputError where a parameter is no variable or an expression has no value.
        """
        chosen = dict(parameters or {})
        reader = Reader(self.document)
        for name in chosen:
            if name not in self.defaults:
                reader.fault(("variables",), f'unknown variable "{name}"{nearest(name, self.defaults)}')
        values: dict[str, Number] = {}
        for name, default in self.defaults.items():
            if name in chosen:
                values[name] = chosen[name]
            elif isinstance(default, str):
                try:
                    values[name] = _plain(evaluate_expression(default, values))
                except ExpressionError as error:
                    reader.fault(("variables", name), str(error))
            else:
                values[name] = default
        reader.raise_faults()
        return values

    def instantiate(self, parameters: Mapping[str, Number] | None = None) -> tuple[Architecture, Any | None]:
        """(architecture, content of `mapspace:` or None) for the given values of variables.

        Raises InputError with every fault of the architecture that results, at the lines of the template, and where
        the source of costs has no figures for it.
        """
        values = self.values(parameters)
        key = self.architecture_key
        architecture = parse_architecture(self.document, self.document.data.get(key), (key,), values)
        if self.costs is not None:
            architecture = self.costs.apply(architecture, values)
        return architecture, self.mapspace


def load_template(path: str | Path) -> Template:
    """Read a template file. Raises InputError with every fault, those of its default architecture included."""
    document = translated(load_document(path))
    reader = Reader(document)
    if not isinstance(document.data, dict):
        reader.fault((), f"expected the keys variables and arch, got {describe(document.data)}")
        reader.raise_faults()
    section = reader.section(document.data, ())
    section.raw("arch", "architecture")
    section.raw("variables")
    section.raw("mapspace")
    section.raw("costs")
    section.finish()
    reader.raise_faults()
    template = parse_template(document)
    template.instantiate()
    return template


def parse_template(document: Document) -> Template:
    """The template in a document, whose `variables:` may be absent.

    Raises InputError where a name is no identifier, or a default is neither a number nor an expression of variables
    above it.
    """
    reader = Reader(document)
    defaults: dict[str, Number | str] = {}
    if "variables" in document.data:
        for name, value in reader.section(document.data["variables"], ("variables",)).data.items():
            fault = _fault_of_variable(name, value, defaults)
            if fault:
                reader.fault(("variables", name), fault)
            defaults[name] = value
    if not _architecture_key(document):
        reader.fault((), "expected an architecture: the key arch is missing")
    reader.raise_faults()
    costs = None
    if "costs" in document.data:
        file = document.fault(("costs",), "").file
        costs = read_costs(document, ("costs",), Path(file).parent)
    return Template(document, defaults, costs)


def load_architecture(document: Document, costs: CostChoice | None = None) -> Architecture:
    """The architecture in a document (`arch:` or `architecture:`), with the energies of `ERT:` and areas of `ART:`.

    Templates take their default values; `costs` takes the place of a block of that name.

    Raises InputError with every fault.
    """
    template = parse_template(document)
    if costs is not None:
        template = replace(template, costs=costs)
    return apply_reference_tables(document, template.instantiate()[0])


def _architecture_key(document: Document) -> str:
    """`arch`, its other spelling, or nothing where the document has neither."""
    present = [key for key in ("arch", "architecture") if key in document.data]
    if len(present) > 1:
        raise InputError(document.fault((present[1],), f'means the same as "{present[0]}", which stands there too'))
    return present[0] if present else ""


def _plain(value: Number | bool) -> Number:
    """Whole numbers as integers, so that `1024 / 8` reads 128 wherever it is shown."""
    if isinstance(value, bool):
        raise ExpressionError("expected a number, got a comparison")
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _fault_of_variable(name: str, value: Any, earlier: Mapping[str, Number | str]) -> str | None:
    if not name.isidentifier():
        return "expected a name of letters, digits and _"
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return f"expected a number or an expression, got {describe(value)}"
    if isinstance(value, str):
        try:
            unknown = sorted(names_in_expression(value) - earlier.keys())
        except ExpressionError as error:
            return str(error)
        if unknown:
            return f'"{value}" needs {", ".join(unknown)}, which no line above defines'
    return None
