"""What comes out of a study: totals, fronts, tables, pictures and exports."""

FORMATS = ("csv", "jsonl", "parquet")
"""What rows can be written as."""

LEVELS = ("layer", "variant", "operating-point")
"""What a row can be about."""
