"""The report of a run as one HTML file."""

from pathlib import Path

from harness.report.page.data import report_data
from harness.report.page.environment import render_page, save_page
from harness.score.reading import Reading
from harness.verdicts.assessment import Assessment

REPORT = "report.html"
SCRIPTS = ("tables.js", "report.js")


def report_page(found: Assessment, base: Reading | None = None) -> str:
    """The report; with `base`, the comparison with it too."""
    return render_page("report.html.j2", report_data(found, base), scripts=SCRIPTS)


def write_report(path: Path, found: Assessment, base: Reading | None = None) -> int:
    """Write the report atomically; returns its size in bytes."""
    return save_page(path, report_page(found, base))
