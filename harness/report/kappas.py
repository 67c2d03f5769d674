"""Kappa under each weighting, for a terminal."""

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.figures import KAPPAS
from harness.report.parts import indented, interval, number
from harness.scorecards.shared import Estimate, Gate
from harness.storage.plural import plural


def kappas(score: Gate, title: str) -> RenderableType:
    """Kappa under each weighting with its interval, the gated one marked."""
    table = Table.grid(padding=(0, 2))
    for figure in KAPPAS:
        gated = figure.field == score.gated
        bar = f"gated; the bar is {score.bar:g}" if gated else ""
        value = Text(_estimate(figure.of(score)), style="bold" if gated else "")
        table.add_row(figure.row or title, value, bar)
    if score.bootstrap:
        check = interval(score.bootstrap.ci) or f"none: {score.bootstrap.reason}"
        table.add_row("  cluster bootstrap", check, f"{plural(score.bootstrap.draws, 'draw')}, to compare")
    return indented(table)


def _estimate(estimate: Estimate) -> str:
    return f"{number(estimate.value)} {interval(estimate.ci)}".rstrip()
