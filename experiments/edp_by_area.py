"""Draw the variants of finished sweeps by area and energy-delay product, each with its proven interval.

    python experiments/edp_by_area.py runs/ONE runs/ANOTHER... --output edp.svg

A bar reaches from what no mapping goes below up to what was found, where the mark is: where bars overlap, luckier
mappings could turn two variants round. The sweeps have to minimise EDP, and their architectures to have areas. Figures
that span more than a factor of ten are drawn on a logarithmic axis.
"""

from __future__ import annotations

import argparse
from pathlib import Path

from matplotlib.figure import Figure

from dse import load_sweep

MARKS = "os^Dv"
COLOURS = ("#0072b2", "#d55e00", "#009e73", "#cc79a7", "#56b4e9")
"""Of the palette of M. Okabe and K. Ito (2002), which reads alike with every kind of colour vision."""


def points(folder: Path, network: str | None) -> list[tuple[float, float, float, str]]:
    """(area in mm2, EDP found, EDP proven, both in pJ x cycles, name) of every complete variant, by area."""
    found = []
    for total in load_sweep(folder).totals(network):
        if total.edp is not None and total.area_um2 is not None and total.lower_bound is not None:
            found.append((total.area_um2 / 1e6, total.edp, total.lower_bound, total.variant.name))
    return sorted(found)


def main() -> None:
    """Draw what the call names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folders", nargs="+", type=Path)
    parser.add_argument("--network", help="of this network alone (default: all together)")
    parser.add_argument("--output", type=Path, required=True, help=".svg, .pdf or .png")
    call = parser.parse_args()
    figure = Figure(figsize=(6.4, 4.0), layout="constrained")
    axes = figure.subplots()
    shown: list[float] = []
    for place, folder in enumerate(call.folders):
        rows = points(folder, call.network)
        if not rows:
            parser.error(f"{folder}: no variant has an area and a bound of its EDP")
        areas, edps, bounds, names = zip(*rows, strict=True)
        shown += [*edps, *bounds]
        below = [edp - bound for edp, bound in zip(edps, bounds, strict=True)]
        colour = COLOURS[place % len(COLOURS)]
        axes.errorbar(
            areas,
            edps,
            yerr=[below, [0.0] * len(rows)],
            fmt=MARKS[place % len(MARKS)],
            color=colour,
            capsize=4,
            label=folder.name,
        )
        for area, edp, name in zip(areas, edps, names, strict=True):
            axes.annotate(name, (area, edp), (5, 4), textcoords="offset points", fontsize=7, color=colour)
    if max(shown) > 10 * min(shown):
        axes.set_yscale("log")
    axes.set_xlabel("area [mm2]")
    axes.set_ylabel("EDP [pJ x cycles], from proven to found")
    axes.grid(color="#e2e6ea", linewidth=0.6)
    axes.spines[["top", "right"]].set_visible(False)
    axes.set_axisbelow(True)
    axes.legend(frameon=False)
    figure.savefig(call.output, dpi=150, metadata={"Date": None} if call.output.suffix == ".svg" else None)


if __name__ == "__main__":
    main()
