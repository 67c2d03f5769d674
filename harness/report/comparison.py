"""A comparison of two graders for a terminal."""

from collections import Counter
from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.parts import columns, indented, interval, number, signed
from harness.scorecards.comparison import Change, Comparison


def comparison_view(found: Comparison) -> Iterator[RenderableType]:
    """What moved, and whether it is real."""
    where = f"{found.n_common:,} items in {found.n_clusters:,} queries"
    yield Text(f"{found.candidate} against {found.base}, on {where}", style="bold")
    lost = [(found.base, found.only_base), (found.candidate, found.only_candidate)]
    for name, items in lost:
        if items:
            yield Text(f"{len(items):,} items have a readable answer by {name} alone: left out.")
    yield indented(_figures(found))
    kinds = Counter(flip.kind for flip in found.flips)
    test = found.mcnemar
    p = test.obuchowski.p
    lines = [
        f"{len(found.flips):,} grades differ: {kinds['fixed']} fixed, {kinds['broken']} broken, "
        f"{kinds['moved']} wrong in another way",
        f"as many fixed as broken? p {'-' if p is None else f'{p:.2g}'} clustered (Obuchowski), "
        f"{test.exact:.2g} were items independent",
    ]
    yield indented(Text("\n".join(lines)))


def _figures(found: Comparison) -> Table:
    table = columns("", found.base, found.candidate, "difference", "interval")
    rows = {
        "Cohen's kappa": found.kappa,
        "  linear weights": found.kappa_linear,
        "  quadratic weights": found.kappa_quadratic,
        "accuracy": found.accuracy,
        "mean absolute error": found.mae,
    }
    for name, change in rows.items():
        table.add_row(name, *_row(change))
    return table


def _row(change: Change) -> tuple[str, str, str, str]:
    return number(change.base), number(change.candidate), signed(change.delta), interval(change.ci) or "-"
