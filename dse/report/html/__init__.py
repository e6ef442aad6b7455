"""`dse report`: one HTML file that says what came of a study, and needs nothing beside it."""

from dse.report.html.page import REPORT, page_digest, report_html, write_page, write_report

__all__ = ["REPORT", "page_digest", "report_html", "write_page", "write_report"]
