"""From a layer and an architecture to a mapping that fits, for every objective."""

from __future__ import annotations

from collections.abc import Mapping as MappingOf
from typing import Protocol

from dse.errors import InputError
from dse.proof.prove import OBJECTIVES as PROVEN
from dse.scheduler.cosa.method import CosaMethod
from dse.scheduler.options import Schedule, ScheduleOptions
from dse.scheduler.proven import ProvenMethod
from dse.solvers import solver_named
from dse.specification.architecture import Architecture
from dse.specification.fields import nearest
from dse.specification.mapspace import Mapspace
from dse.specification.problem import Problem

__all__ = ["METHODS", "Scheduler"]


class Method(Protocol):
    """How schedules for an objective are found."""

    def schedule(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Schedule: ...


class MethodFactory(Protocol):
    """Makes a Method; `default_solver` is used where the user names none."""

    default_solver: str

    def __call__(self, options: ScheduleOptions) -> Method: ...


METHODS: MappingOf[str, MethodFactory] = {"cosa": CosaMethod} | dict.fromkeys(PROVEN, ProvenMethod)
"""Objective -> how it is scheduled."""


class Scheduler:
    """Schedules layers under fixed options. Keeps compiled programs, so use one object for many variants of a layer."""

    def __init__(self, options: ScheduleOptions) -> None:
        """Raises InputError for an unknown objective or solver, ToolError for a solver that is not installed."""
        if options.objective not in METHODS:
            raise InputError(f'objective "{options.objective}" is not known{nearest(options.objective, METHODS)}')
        self.options = options
        factory = METHODS[options.objective]
        solver_named(options.solver or factory.default_solver).require()
        self._method = factory(options)

    def schedule(self, architecture: Architecture, problem: Problem, mapspace: Mapspace) -> Schedule:
        """The best mapping found of a layer on an architecture; every mapping that leaves here is valid."""
        return self._method.schedule(architecture, problem, mapspace)
