"""Kappa under each weighting, for a terminal."""

from rich.console import RenderableType
from rich.text import Text

from harness.report.figures import KAPPAS
from harness.report.formats import interval, number, with_interval
from harness.report.parts import grid, indented
from harness.scorecards.shared import Gate
from harness.storage.plural import plural


def kappas(score: Gate, title: str) -> RenderableType:
    """Kappa under each weighting with its interval, the gated one marked."""
    table = grid(())
    for figure in KAPPAS:
        gated, found = figure.field == score.gated, figure.of(score)
        bar = f"gated; the bar is {score.bar:g}" if gated else ""
        value = Text(with_interval(number(found.value), found.ci), style="bold" if gated else "")
        table.add_row(figure.row or title, value, bar)
    if score.bootstrap:
        check = interval(score.bootstrap.ci) or f"none: {score.bootstrap.reason}"
        table.add_row("  cluster bootstrap", check, f"{plural(score.bootstrap.draws, 'draw')}, to compare")
    return indented(table)
