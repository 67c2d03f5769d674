"""What was drawn from a label set, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import percent
from harness.report.parts import table_of, warnings
from harness.scorecards.sample import SampledStratum, SampleSummary
from harness.storage.plural import plural


def sample_view(found: SampleSummary) -> Iterator[RenderableType]:
    """How many pairs were drawn, how, and from which strata."""
    pairs = plural(found.drawn, "pair")
    queries = plural(found.queries, "query")
    frame_queries = plural(found.frame_queries, "query")
    frame = f"{plural(found.frame, 'different pair')} of {frame_queries}"
    if found.hunt:
        yield Text(f"Hunted: {pairs} of {queries}, by {found.hunt}, of {frame}", style="bold")
    else:
        yield Text(f"Drawn at random: {pairs} of {queries}, of {frame}; seed {found.seed}", style="bold")
        most = found.most_per_query
        which = f"At most {plural(most, 'pair')} of a query are drawn" if most else "Whole queries are drawn"
        yield Text(f"{which}; each pair keeps the probability with which it was drawn.")
    if found.by:
        names = "stratum", "share", "pairs", "queries", "drawn", "of queries", "chance of each"
        yield from table_of(*names, rows=map(_row, found.strata))
    if found.unread or found.shots:
        unread = plural(found.unread, "row")
        yield Text(f"Not drawn: {unread} without a grade, {found.shots:,} whose query a shot has.")
    yield from warnings(found.warnings, above=True)


def _row(one: SampledStratum) -> tuple[str, ...]:
    low, high = one.pi
    chance = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
    counts = (one.pairs, one.queries, one.drawn_pairs, one.drawn_queries)
    return (one.name or "(all)", percent(one.share), *(f"{count:,}" for count in counts), chance)
