"""Design-space exploration of DNN accelerators.

The names below are the Python interface (docs/api.md). They are loaded when they are asked for: NumPy and the solvers
take seconds.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from dse.api import (
        Accelerator,
        LayerSchedule,
        NetworkSchedule,
        SweepResult,
        evaluate,
        load_architecture,
        load_network,
        load_sweep,
        schedule,
        sweep,
    )
    from dse.errors import DseError, InfeasibleError, InputError, ToolError
    from dse.specification.network import Layer, Network
    from dse.specification.study import Study, load_study

__version__ = "0.1.0"

__all__ = [
    "Accelerator",
    "DseError",
    "InfeasibleError",
    "InputError",
    "Layer",
    "LayerSchedule",
    "Network",
    "NetworkSchedule",
    "Study",
    "SweepResult",
    "ToolError",
    "__version__",
    "evaluate",
    "load_architecture",
    "load_network",
    "load_study",
    "load_sweep",
    "schedule",
    "sweep",
]

_HOMES = (
    dict.fromkeys(("DseError", "InfeasibleError", "InputError", "ToolError"), "dse.errors")
    | dict.fromkeys(("Layer", "Network"), "dse.specification.network")
    | dict.fromkeys(("Study", "load_study"), "dse.specification.study")
)


def __getattr__(name: str) -> Any:
    """Load a name of the interface. (`sweep` is the package of that name, which can be called.)"""
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    if name == "sweep":
        return importlib.import_module("dse.sweep")
    return getattr(importlib.import_module(_HOMES.get(name, "dse.api")), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
