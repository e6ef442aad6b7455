"""Pictures for papers: `dse plot` draws each from rows, and writes these as CSV beside it."""

KINDS = ("front", "breakdown", "roofline", "sensitivity", "convergence")
"""What can be drawn."""

SUFFIXES = (".svg", ".pdf", ".png", ".csv")
"""What a plot can be written as."""
