"""What all pictures share: their type, their colours, and how they are written."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

__all__ = ["ACCENT", "DOTS_PER_INCH", "INK", "PARTS", "canvas", "part_colours", "plain", "save", "tidy"]

INK = "#1b1f24"
ACCENT = "#0b5394"
MACS_COLOUR = "#8c8c8c"
PARTS = ("#56b4e9", "#009e73", "#f0e442", "#e69f00", "#cc79a7", "#0072b2", "#d55e00")
"""The palette of M. Okabe and K. Ito (2002): it reads alike with every kind of colour vision."""

DOTS_PER_INCH = 300
_DATELESS: dict[str, dict[str, Any]] = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}}
_LONGEST = 48
_STYLE: dict[Any, Any] = {
    "svg.hashsalt": "dse",
    "svg.fonttype": "path",
    "pdf.fonttype": 42,
    "font.size": 9,
    "axes.axisbelow": True,
    "axes.linewidth": 0.8,
    "text.parse_math": False,  # a $ in a name is a $
}


@contextmanager
def canvas(width_inches: float, height_inches: float) -> Iterator[Figure]:
    """A figure in the style of all; what is drawn and saved within has it."""
    import matplotlib as mpl  # noqa: PLC0415  (a second to load)
    from matplotlib.backends.backend_agg import FigureCanvasAgg  # noqa: PLC0415
    from matplotlib.figure import Figure as MadeFigure  # noqa: PLC0415

    with mpl.rc_context(_STYLE):
        figure = MadeFigure(figsize=(width_inches, height_inches), layout="constrained")
        FigureCanvasAgg(figure)
        yield figure


def save(figure: Figure, files: Iterable[Path]) -> None:
    """Write a figure into each file, SVG, PDF or PNG by suffix; equal figures give equal files. Raises OSError."""
    for file in files:
        figure.savefig(file, dpi=DOTS_PER_INCH, metadata=_DATELESS.get(file.suffix, {}))


def tidy(axes: Axes) -> None:
    """A light grid, and no frame above and to the right."""
    axes.grid(color="#e2e6ea", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)


def plain(text: str) -> str:
    """A text of a study as it can be drawn: on one line, of printable characters, not too long."""
    shown = "".join(character if character.isprintable() else " " for character in text)
    return f"{shown[:_LONGEST]}..." if len(shown) > _LONGEST else shown


def part_colours(names: Iterable[str], first: str) -> Callable[[str], str]:
    """The colour of each part; `first` is grey."""
    others = [name for name in dict.fromkeys(names) if name != first]
    colours = {name: PARTS[place % len(PARTS)] for place, name in enumerate(others)} | {first: MACS_COLOUR}
    return colours.__getitem__
