"""Timeloop's later formats: read as v0.1 (`translated`), and written (`written`)."""

from dse.specification.formats.translation import translated
from dse.specification.formats.writing import FORMATS, written

__all__ = ["FORMATS", "translated", "written"]
