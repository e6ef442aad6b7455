"""Write dse/technology/data/cacti.csv anew: what CACTI says of SRAM and register files.

It needs Python 3.12 and the package hwcomponents-cacti, whose CACTI has to run on this machine:

    python -m pip install hwcomponents-cacti
    python experiments/cacti_table.py dse/technology/data/cacti.csv

The CACTI that the package brings needs glibc 2.38; elsewhere, put one that was built of the sources beside it in its
place. A point is one memory: its node, read-write ports, banks, row width and rows. CACTI itself has nodes from 22 nm
up, rows of 32 bits or more, and banks of 64 rows or more; what lies below is scaled by hwcomponents-cacti, by rules
that docs/costs.md states. The whole table takes about half an hour on two cores.
"""

from __future__ import annotations

import argparse
import csv
import itertools
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path

from hwcomponents_cacti import SRAM

NODES_NM = (45, 22, 7)
PORTS = (1, 2)
BANKS = (1, 16, 256)
WIDTHS_BITS = (8, 16, 32, 64, 256, 2048)
ROWS = (1, *(4**exponent for exponent in range(3, 11)))
MOST_BITS = {1: 2**29, 2: 2**23}
"""The largest memory of so many ports: 64 MiB, and 1 MiB with two."""

FIELDS = ("node_nm", "ports", "banks", "width_bits", "rows", "read_pj", "write_pj", "area_um2", "leakage_uw")


def points() -> Iterator[tuple[int, int, int, int, int]]:
    """(node, ports, banks, width, rows) of every memory of the table, in the order of its lines."""
    for node, ports, banks, width, rows in itertools.product(NODES_NM, PORTS, BANKS, WIDTHS_BITS, ROWS):
        if rows * width <= MOST_BITS[ports]:
            yield node, ports, banks, width, rows


def line(node: int, ports: int, banks: int, width: int, rows: int) -> tuple[str, ...]:
    """One line of the table."""
    memory = SRAM(node * 1e-9, width=width, depth=rows, size=width * rows, n_rw_ports=ports, n_banks=banks)
    figures = (
        memory.read_energy * 1e12,
        memory.write_energy * 1e12,
        memory.cacti_area * 1e12,
        memory.cacti_leak_power * 1e6,
    )
    return (*map(str, (node, ports, banks, width, rows)), *(f"{figure:.4g}" for figure in figures))


def main() -> None:
    """Write the table to the file that the call names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("output", type=Path)
    output: Path = parser.parse_args().output
    with output.open("w", encoding="utf-8", newline="") as file:
        package = f"hwcomponents-cacti {version('hwcomponents-cacti')}"
        made_by = f"through {package}; made by experiments/cacti_table.py"
        file.write(f"# CACTI 7.0 (itrs-lstp transistors, 300 K) {made_by}\n")
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(FIELDS)
        writer.writerows(line(*point) for point in points())


if __name__ == "__main__":
    main()
