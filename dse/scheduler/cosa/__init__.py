"""CoSA's log-domain objective (ISCA 2021) as a mixed-integer program, the published one's faults put right."""

from dse.scheduler.cosa.method import CosaMethod

__all__ = ["CosaMethod"]
