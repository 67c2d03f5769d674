"""A golden set in numbers, as tables for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.golden.summary import GoldenStats
from harness.report.parts import below, columns, indented, warnings
from harness.storage.plural import plural

TAGS_SHOWN = 20


def golden_view(stats: GoldenStats) -> Iterator[RenderableType]:
    """Splits by grade, clauses by count, tags, reasonings."""
    sizes = f"{plural(stats.examples, 'example')}, {plural(stats.queries, 'query')}"
    yield Text(f"Golden set of {stats.policy}: {sizes}", style="bold")
    yield indented(_splits(stats))
    if stats.clauses:
        yield indented(_counts("clause", "cited", stats.clauses))
    if stats.tags:
        most = dict(list(stats.tags.items())[:TAGS_SHOWN])
        yield indented(_counts("tag", "examples", most))
    if len(stats.tags) > TAGS_SHOWN:
        more = plural(len(stats.tags) - TAGS_SHOWN, "more tag")
        yield below(f"... and {more}; --json has all")
    if stats.reasoning_words:
        shortest, median, longest = stats.reasoning_words
        yield indented(Text(f"words per reasoning: {shortest} to {longest}, median {median}"))
    yield from warnings(stats.warnings)
    if stats.without_reasoning:
        yield indented(Text(f"without a reasoning: {stats.without_reasoning:,}"))


def _splits(stats: GoldenStats) -> Table:
    grades = (f"grade {grade}" for grade in stats.splits[0].grades)
    table = columns("split", "queries", "examples", *grades)
    for split in stats.splits:
        counts = [split.queries, split.examples, *split.grades.values()]
        table.add_row(split.split, *(f"{count:,}" for count in counts))
    return table


def _counts(what: str, how: str, counts: dict[str, int]) -> Table:
    most = sorted(counts.items(), key=lambda pair: -pair[1])
    return columns(what, how, rows=((name, f"{count:,}") for name, count in most))
