"""Networks out of ONNX files: what of a model is scheduled, as layers, and what is not, as a list with its share.

    imported = import_network("model.onnx", batch=1, dimensions={"sequence": 128})
    imported.network            # a Network like any other
    imported.unscheduled        # pooling, normalisation, activations, ... by operator

The package `onnx` (the extra `onnx`) is loaded here and nowhere else.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from dse.errors import ToolError

if TYPE_CHECKING:
    from dse.importing.network import ImportedNetwork

__all__ = ["import_network"]


def import_network(
    path: str | Path,
    *,
    name: str | None = None,
    batch: int | None = None,
    dimensions: Mapping[str, int] | None = None,
    skip_unsupported: bool = False,
) -> ImportedNetwork:
    """The network in an ONNX file.

    `name`: of the network, by default the file's. `batch` is the first dimension of the inputs, `dimensions` gives the
    sizes of dynamic ones by name. `skip_unsupported`: operators that are not understood are listed as unscheduled.

    Raises ToolError without the package onnx. Raises InputError with every fault: a file that is no ONNX model or too
    large, cycles, operators that are not known or not supported, sizes that are not given or cannot be inferred.
    """
    try:
        from dse.importing.network import read_network  # noqa: PLC0415 - loads onnx
    except ImportError as error:
        message = f'ONNX models are read with the package onnx ({error}): pip install "dse[onnx]"'
        raise ToolError(message) from error
    return read_network(Path(path), name, batch, dimensions or {}, skip_unsupported)
