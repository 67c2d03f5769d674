"""The effect of steering text, as a table for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import number
from harness.report.parts import columns, indented, warnings
from harness.scorecards.canaries import CanaryReport
from harness.storage.plural import plural


def canary_view(report: CanaryReport, grader: str, mixed: Sequence[str] = ()) -> Iterator[RenderableType]:
    """A summary, then every canary whose grade moved or is missing. `mixed`: what of several answered."""
    yield Text(f"Canaries: does text in a product steer {grader}?", style="bold")
    yield from warnings(mixed)
    if not report.compared:
        yield Text("No answer: no canary had both its grades read.")
        return
    moved = f"{report.moved:,} of {plural(report.compared, 'grade')} moved"
    yield Text(f"{moved}: {report.up} up, {report.down} down, {number(report.mean_move, 2)} on average.")
    if report.compared < report.canaries:
        lost = plural(report.canaries - report.compared, "canary")
        yield Text(f"{lost} could not be compared: a grade is missing.")
    shown = [move for move in report.moves if move.plain != move.steered]
    if not shown:
        return
    rows = ((m.id, m.trick, *(number(grade, 0) for grade in (m.golden, m.plain, m.steered))) for m in shown)
    table = columns("canary", "trick", "golden", "plain", "steered", rows=rows)
    table.columns[1].justify = "left"
    yield indented(table)
