"""Running a study: the plan of what to schedule, the workers, and the store that outlives them.

The package can be called: `from dse import sweep` gives it, and `sweep(study, folder)` is `dse.api.sweep`. With a
function of that name beside the package, it would be one or the other, by what was imported first.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import ModuleType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from dse.api import SweepResult


class _CallablePackage(ModuleType):
    @property
    def __call__(self) -> Callable[..., SweepResult]:
        from dse.api import sweep  # noqa: PLC0415  (it imports this package)

        return sweep


sys.modules[__name__].__class__ = _CallablePackage
