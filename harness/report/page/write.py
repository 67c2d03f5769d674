"""The report of a run as one HTML file."""

from pathlib import Path

from harness.report.page.data import report_data
from harness.report.page.environment import render_page
from harness.score.reading import Reading
from harness.storage.files import write_atomic
from harness.verdicts.assessment import Assessment

REPORT = "report.html"
SCRIPTS = ("tables.js", "report.js")


def report_page(found: Assessment, base: Reading | None = None) -> str:
    """The report; with `base`, the comparison with it too."""
    return render_page("report.html.j2", report_data(found, base), scripts=SCRIPTS)


def write_report(path: Path, found: Assessment, base: Reading | None = None) -> int:
    """Write the report atomically; returns its size in bytes."""
    # A broken source can hold half a surrogate pair, which UTF-8 cannot encode.
    content = report_page(found, base).encode("utf-8", "replace")
    write_atomic(path, content)
    return len(content)
