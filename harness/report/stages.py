"""Stages for a terminal: the agreement of each, and of all together."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import interval, number
from harness.report.parts import columns, indented
from harness.scorecards.stages import Rate, Stages
from harness.storage.plural import plural


def stages_view(found: Stages) -> Iterator[RenderableType]:
    """The comparison of several policies with one."""
    where = f"{plural(found.n, 'item')} in {plural(found.n_clusters, 'query')}"
    yield Text(f"{len(found.stages):,} stages, each with a policy of its own, on {where}", style="bold")
    if found.left_out:
        yield Text(f"Left out: {plural(found.left_out, 'item')} that not every run was asked about.")
    table = columns("right by its own policy", "share", "interval", "kappa")
    for stage in found.stages:
        table.add_row(f"{stage.policy} ({stage.run})", *_rate(stage.right), number(stage.kappa.value))
    table.add_section()
    bounds = f"[{number(found.low)}, {number(found.high)}]"
    table.add_row("all of them, if independent", number(found.product), f"possible {bounds}")
    table.add_row("all of them, as measured", *_rate(found.joint))
    if found.unified:
        whole = found.unified
        name = f"one policy: {whole.policy} ({whole.run})"
        table.add_row(name, *_rate(whole.right), number(whole.kappa.value))
    yield indented(table)


def _rate(rate: Rate) -> tuple[str, str]:
    return number(rate.value), interval(rate.ci) or "-"
