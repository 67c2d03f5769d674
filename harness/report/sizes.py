"""The sizes of a golden set for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import number, percent
from harness.report.parts import indented, table_of
from harness.scorecards.sizes import Need, Sizes
from harness.storage.plural import plural


def sizes_view(found: Sizes) -> Iterator[RenderableType]:
    """The examples that are needed, for each true kappa."""
    yield Text(f"How large a golden set for {found.policy}?", style="bold")
    have = f"{found.have.items:,} in {plural(found.have.queries or 0, 'query')}"
    yield Text(f"Now in dev and test: {have} ({found.items_per_query:.1f} a query).")
    if found.pilot:
        kappa, effect = number(found.pilot_kappa), number(found.pilot_design_effect, 2)
        yield Text(f"Pilot {found.pilot}: kappa {kappa}, design effect {effect}.")
    shares = ", ".join(f"{grade} {percent(share)}" for grade, share in found.shares.items())
    yield Text(f"Shares of the golden grades: {shares}; weighting {found.weighting}.")
    goals = f"for +-{found.half_width:g}", "queries", f"to pass {found.bar:g}", "queries"
    rows = ((f"{row.kappa:g}", *_need(row.half_width), *_need(row.to_pass)) for row in found.rows)
    yield from table_of("if the true kappa is", *goals, rows=rows)
    items, queries = _need(found.to_tell_apart)
    what = f"To tell two runs apart that differ by {found.difference:g}:"
    power = f"(both at {percent(found.power)} power)"
    yield indented(Text(f"{what} {items} examples in {queries} queries {power}."))
    yield Text("")
    for note in found.notes:
        yield Text(f"Note: {note}.", style="yellow")


def _need(need: Need) -> tuple[str, str]:
    if need.items is None or need.queries is None:
        return "-", "-"
    return f"{need.items:,}", f"{need.queries:,}"
