"""The command line. Each command lives in a module of its own and is imported only when it is called.

A command's module imports at its top what its options need, and in its functions what takes long to load (NumPy, the
solvers, what draws), so that `--help` and a wrong call are answered at once.
"""

from __future__ import annotations

import importlib
import importlib.util
import keyword
import os
import sys

import click

from dse import __version__
from dse.errors import DseError

__all__ = ["COMMANDS", "main"]

COMMANDS = {
    "compare": "which of two studies or variants is better, how sure that is, and why",
    "convert": "an architecture in another of Timeloop's formats",
    "evaluate": "what one mapping costs",
    "explain": "what limits a variant or a layer, and what would help",
    "export": "the results of a study as CSV, JSON lines or Parquet",
    "import": "the network in an ONNX file",
    "pareto": "the Pareto front of a study",
    "plot": "pictures of a study for papers, with the rows behind them",
    "report": "what came of a study, as one HTML file",
    "schedule": "the best mapping of one layer on one architecture",
    "status": "how a sweep goes, here or on a cluster",
    "submit": "hand a study to a Ray cluster, Slurm or Kubernetes",
    "sweep": "run a study, or go on with one",
    "validate": "check input files without running anything",
    "watch": "a sweep on the terminal while it runs",
}
"""Name -> what it does, in a line."""


def _module(command: str) -> str:
    """The module of a command; one called as a keyword (import) has a _ behind it."""
    return f"dse.cli.{command}_" if keyword.iskeyword(command) else f"dse.cli.{command}"


class _LazyGroup(click.Group):
    """Knows the names and one-line helps of all commands; imports the module of the one that is called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return [name for name in sorted(COMMANDS) if importlib.util.find_spec(_module(name))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(_module(cmd_name)).command
        command.name = cmd_name
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl([(name, COMMANDS[name]) for name in self.list_commands(ctx)])


@click.group(cls=_LazyGroup, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="dse")
def _cli() -> None:
    """Design-space exploration of DNN accelerators: latency, energy, area, and proven schedules."""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line and return its exit status.

    0 done; 1 invalid or infeasible; 2 wrong input or call; 3 a tool is missing or failed; 130 interrupted.
    """
    try:
        result = _cli.main(arguments, prog_name="dse", standalone_mode=False)
        return result if isinstance(result, int) else 0
    except DseError as error:
        click.echo("\n".join(f"dse: {line}" for line in str(error).splitlines()), err=True)
        return error.exit_status
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except (KeyboardInterrupt, click.Abort):
        click.echo("dse: interrupted", err=True)
        return 130
    except BrokenPipeError:
        # The reader of a pipe (head, less) has gone: let the interpreter's last flush go nowhere.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
