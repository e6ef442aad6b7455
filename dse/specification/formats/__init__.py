"""Timeloop's later formats: read as v0.1 (`translated`), and written (`written`)."""

from dse.specification.formats.translation import translated

__all__ = ["translated"]
