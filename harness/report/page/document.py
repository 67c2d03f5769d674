"""The report of a run as one HTML file."""

from pathlib import Path

from harness.report.page.data import report_data
from harness.report.page.environment import render_page
from harness.runs.folder import Run
from harness.scorecards.gate2 import Gate2
from harness.storage.files import write_atomic

REPORT = "report.html"
SCRIPTS = ("tables.js", "report.js")


def report_page(run: Run, score: Gate2 | None = None, base: Run | None = None) -> str:
    """The report; with `base`, what moved against it too. `score`: the run's, where it is known already."""
    return render_page("report.html.j2", report_data(run, score, base), scripts=SCRIPTS)


def write_report(path: Path, run: Run, score: Gate2 | None = None, base: Run | None = None) -> int:
    """Write the report, whole or not at all; how many bytes it has."""
    # Half a surrogate pair, as a broken source can hold, is no letter in UTF-8.
    content = report_page(run, score, base).encode("utf-8", "replace")
    write_atomic(path, content)
    return len(content)
