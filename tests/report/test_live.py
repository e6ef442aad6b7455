"""A sweep on the terminal: the plot of its front, and the command that redraws it."""

import os
import pty
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dse.cli import main
from dse.report.live import plot_front, progress_bar
from dse.report.status import FrontPoint


def front(points: list[tuple[float, float]]) -> list[FrontPoint]:
    return [FrontPoint(f"v{number}", {}, cycles, energy, None) for number, (cycles, energy) in enumerate(points)]


def test_plot_by_hand() -> None:
    plot = plot_front(front([(100, 4e6), (200, 2e6), (400, 1e6)]), 25, 7)
    assert plot.splitlines() == [
        "4 µJ |o............",
        "     |            .",
        "     |            .",
        "     |            o............",
        "     |                        .",
        "     |                        .",
        "1 µJ |                        o",
        "     +-------------------------",
        "      100            400 cycles",
    ]


@pytest.mark.parametrize("points", [[], [(1, 1.0)], [(1, 2.0), (1, 2.0)]])
def test_no_plot_of_less_than_two_points(points: list[tuple[float, float]]) -> None:
    assert plot_front(front(points), 40, 10) == ""


@given(
    st.lists(st.tuples(st.integers(1, 10**12), st.floats(1e-3, 1e15)), min_size=2, max_size=30),
    st.integers(1, 200),
    st.integers(1, 60),
    st.booleans(),
)
def test_plots_of_any_points_have_their_size(
    points: list[tuple[float, float]], columns: int, rows: int, as_front: bool
) -> None:
    if as_front:
        energies = sorted((energy for _, energy in points), reverse=True)
        points = [(cycles, energy) for (cycles, _), energy in zip(sorted(points), energies, strict=True)]
    plot = plot_front(front([*points]), columns, rows)
    if plot:
        lines = plot.splitlines()
        assert len(lines) == max(rows, 6) + 2
        assert "o" in lines[0]
        assert "o" in lines[-3]


@pytest.mark.parametrize(("share", "filled"), [(-1.0, 0), (0.0, 0), (0.5, 20), (1.0, 40), (2.0, 40)])
def test_progress_bar(share: float, filled: int) -> None:
    assert progress_bar(share) == f"[{'#' * filled}{'.' * (40 - filled)}]"


def test_watch_once_and_until_the_end(studies: dict[str, Path], capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    for options in (["--once"], []):
        assert main(["watch", str(studies["edp"]), *options]) == 0
        out = capsys.readouterr().out
        assert "edp: finished" in out
        assert f"[{'#' * 40}]" in out
        assert " cycles\n\nThe Pareto front of these:" in out
        assert "\x1b" not in out
    assert main(["watch", "nowhere"]) == 2


def test_watch_redraws_on_a_terminal(studies: dict[str, Path]) -> None:
    reader, writer = pty.openpty()
    command = [sys.executable, "-m", "dse", "watch", str(studies["edp"])]
    with subprocess.Popen(command, stdout=writer, stderr=subprocess.PIPE) as process:
        os.close(writer)
        shown = b""
        while b"\x1b[J" not in shown:
            shown += os.read(reader, 65536)
        assert process.wait(60) == 0
    os.close(reader)
    assert shown.startswith(b"\x1b[2J\x1b[H")
