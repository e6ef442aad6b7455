"""`dse watch`: a sweep on the terminal while it runs."""

from __future__ import annotations

import shutil
import sys
import time
from pathlib import Path

import click

__all__ = ["command"]

_HOME, _END_OF_LINE, _BELOW = "\x1b[H", "\x1b[K", "\x1b[J"
_CLEAR = "\x1b[2J"


@click.command()
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option("--every", default=2.0, show_default=True, type=click.FloatRange(min=0.1), help="Seconds between looks.")
@click.option("--once", is_flag=True, help="Look once, and end.")
def command(folder: Path, every: float, once: bool) -> int:
    """Watch the sweep that writes DIR: progress, failures by reason, and the front as a plot.

    It ends with the sweep. Where the output is no terminal, the text is written anew whenever it has changed.
    """
    from dse.report.live import render_live
    from dse.report.status import study_status
    from dse.sweep.folder import open_folder

    study = open_folder(folder)
    terminal = sys.stdout.isatty() and not once
    shown = ""
    if terminal:
        click.echo(_CLEAR, nl=False, color=True)
    while True:
        status = study_status(study)
        size = shutil.get_terminal_size()
        text = render_live(status, size.columns, size.lines)
        over = once or status.running is False or (status.heartbeat is not None and status.heartbeat.finished)
        if terminal:
            _redraw(text, size.lines, over)
        elif text != shown:
            click.echo(f"\n{text}" if shown else text)
        shown = text
        if over:
            return 0
        time.sleep(every)


def _redraw(text: str, rows: int, over: bool) -> None:
    """Over what stands on the screen; of a text that is higher, the first lines but for the last time."""
    lines = text.splitlines()
    shown = lines if over else lines[: max(rows - 1, 1)]
    click.echo(_HOME + "".join(f"{line}{_END_OF_LINE}\n" for line in shown) + _BELOW, nl=False, color=True)
