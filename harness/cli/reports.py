"""`harness report`: a run, or two, as one HTML file; and the one that a run makes by itself."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.options import Json, Root, guarded, print_json, project_at, say, show, shown_path

if TYPE_CHECKING:
    from harness.runs import Run
    from harness.scorecards.gate2 import Gate2

MADE_BY_ITSELF = 2_000
"""A run of more pairs makes no report by itself: it would take longer than most of its readers wait."""


@guarded
def report_command(
    run: Annotated[
        str, typer.Argument(help="Its folder, its name or the beginning of it, or latest.")
    ] = "latest",
    base: Annotated[
        str | None, typer.Argument(help="A run to hold it against: what moved, and what was changed.")
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="The file to write. Default: report.html in the run's folder."),
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Write a run's report: one HTML file that can be mailed and opened offline."""
    from harness.report.page.document import REPORT, write_report
    from harness.runs import find_run, load_run

    project = project_at(root)
    found = load_run(find_run(project, run))
    other = load_run(find_run(project, base)) if base is not None else None
    name = REPORT if other is None else f"report-against-{other.folder.name}.html"
    path = output or found.folder / name
    size = write_report(path, found, base=other)
    if json:
        print_json({"report": str(path), "bytes": size, "pairs": len(found.examples)})
    else:
        show([f"Report: {shown_path(path.absolute())}"])


def report_beside(run: "Run", score: "Gate2") -> None:
    """The report of a run that has just ended, into its folder; none where it is a long one."""
    if len(run.examples) > MADE_BY_ITSELF:
        say(f"no report was made by itself of {len(run.examples):,} pairs: harness report {run.folder.name}")
        return
    from harness.report.page.document import REPORT, write_report

    write_report(run.folder / REPORT, run, score)
    say(f"report: {shown_path(run.folder / REPORT)}")
