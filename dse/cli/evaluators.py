"""The choice between the embedded evaluator and `timeloop-model`, which several commands offer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from dse.specification.study import EVALUATORS

__all__ = ["evaluator_options", "timeloop_options"]

Command = TypeVar("Command", bound=Callable[..., Any])


def timeloop_options(function: Command) -> Command:
    """The options --timeloop and --timeloop-seconds."""
    function = click.option(
        "--timeloop-seconds",
        type=click.FloatRange(min=0, min_open=True),
        default=60.0,
        show_default=True,
        help="Time limit of one call of timeloop-model.",
    )(function)
    return click.option(
        "--timeloop",
        "timeloop_path",
        metavar="PATH",
        type=click.Path(path_type=Path),
        help="timeloop-model or the folder of its installation (default: TIMELOOP_DIR, then PATH).",
    )(function)


def evaluator_options(function: Command) -> Command:
    """The options --evaluator, --timeloop, --timeloop-seconds and --keep-failures."""
    function = click.option(
        "--keep-failures", is_flag=True, help="Keep and name the folder of every call of timeloop-model that fails."
    )(function)
    return click.option(
        "--evaluator",
        type=click.Choice(EVALUATORS),
        default="embedded",
        show_default=True,
        help="Who computes the costs: the embedded model or timeloop-model.",
    )(timeloop_options(function))
