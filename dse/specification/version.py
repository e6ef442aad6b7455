"""What differs between the versions of Timeloop that the evaluator can count as."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["DEFAULT_VERSION", "VERSIONS", "Version"]


@dataclass(frozen=True, slots=True)
class Version:
    """A commit of Timeloop.

    `elides_first_fill`: the first fill of a partial sum is no access (tiling.cpp:ComputeReadUpdateReductionAccesses).
    `slides_on`: a move that leaves a tile where it is does not end a slide (operation-space.cpp:
    SaveAndSubtractIfSameStride). `network_energy`: whether its energies of wires and routers are modelled.
    """

    commit: str
    elides_first_fill: bool
    slides_on: bool
    network_energy: bool


DEFAULT_VERSION = Version("019f107", elides_first_fill=False, slides_on=False, network_energy=True)
"""The version that CoSA supports."""

VERSIONS = {
    version.commit: version
    for version in (
        DEFAULT_VERSION,
        Version("4cf6d4c", elides_first_fill=True, slides_on=True, network_energy=False),
    )
}
