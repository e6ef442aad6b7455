"""`dse report`: one HTML file that says what came of a study, and needs nothing beside it."""

from dse.report.html.page import write_report

__all__ = ["write_report"]
