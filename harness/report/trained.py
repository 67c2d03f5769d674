"""A student that was trained, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import number
from harness.report.parts import columns, indented, warnings
from harness.scorecards.training import TrainedStudent, Tried
from harness.storage.plural import plural


def trained_view(found: TrainedStudent) -> Iterator[RenderableType]:
    """What it learned from, and how well it agrees with its teacher on queries held out."""
    pairs, queries = plural(found.pairs, "pair"), plural(found.queries, "query")
    yield Text(f"A student of {found.teacher} under {found.policy}", style="bold")
    more = f", and compares their vectors ({found.vectors})" if found.vectors else ""
    reads = f"It is a baseline: it counts words{more}."
    yield Text(f"Learned from {pairs} of {queries} of {found.labels}. {reads}")
    yield Text(f"Left out of {plural(found.distinct, 'distinct pair')}: {found.left_out.words}.")
    grades = ((grade, f"{count:,}") for grade, count in reversed(found.grades.items()))
    yield indented(columns("grade", "pairs", rows=grades))
    if found.kappa is None:
        yield Text(f"Kappa with its teacher: {found.reason}.")
    else:
        tries = f"the best of {len(found.tried)} tries, so a little high"
        yield Text(f"Kappa with its teacher on held-out queries: {number(found.kappa)} ({tries}).")
        yield indented(_tried(found.tried, "overlaps, vectors" if found.vectors else "overlaps"))
        yield Text("Only the golden set can say whether it is right.")
    yield from warnings(found.warnings, above=True)


def _tried(tried: tuple[Tried, ...], dense: str) -> RenderableType:
    table = columns("reads", "strength", "grade", "kappa")
    for one in tried:
        reads = dense + " and words" if one.words else dense
        table.add_row(reads, f"{one.strength:g}", "by cuts" if one.cuts else "likeliest", number(one.kappa))
    return table
