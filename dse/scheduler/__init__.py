"""Schedulers: the best mapping of one layer on one architecture."""

from dse.scheduler.options import OBJECTIVES, TRAFFIC_MODELS, CosaWeights, Schedule, ScheduleOptions
from dse.scheduler.scheduler import Scheduler
from dse.solvers import SOLVERS, SolveStats

__all__ = [
    "OBJECTIVES",
    "SOLVERS",
    "TRAFFIC_MODELS",
    "CosaWeights",
    "Schedule",
    "ScheduleOptions",
    "Scheduler",
    "SolveStats",
]
