"""The real Timeloop beside the embedded evaluator: finding, running and reading `timeloop-model`."""

from dse.timeloop.comparison import RELATIVE_TOLERANCE, Difference, differences
from dse.timeloop.evaluator import TimeloopEvaluator
from dse.timeloop.files import write_inputs
from dse.timeloop.locate import find_timeloop
from dse.timeloop.process import TimeloopError

__all__ = [
    "RELATIVE_TOLERANCE",
    "Difference",
    "TimeloopError",
    "TimeloopEvaluator",
    "differences",
    "find_timeloop",
    "write_inputs",
]
