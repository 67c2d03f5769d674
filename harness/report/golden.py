"""A golden set in numbers, as tables for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.golden.summary import GoldenStats
from harness.report.parts import warnings

TAGS_SHOWN = 20


def golden_view(stats: GoldenStats) -> Iterator[RenderableType]:
    """Splits by grade, clauses by count, tags, reasonings."""
    title = f"Golden set of {stats.policy}: {stats.examples:,} examples, {stats.queries:,} queries"
    yield Text(title, style="bold")
    yield Padding(_splits(stats), (1, 0, 0, 2))
    if stats.clauses:
        yield Padding(_counts("clause", "cited", stats.clauses), (1, 0, 0, 2))
    if stats.tags:
        most = dict(list(stats.tags.items())[:TAGS_SHOWN])
        yield Padding(_counts("tag", "examples", most), (1, 0, 0, 2))
    if len(stats.tags) > TAGS_SHOWN:
        yield Padding(Text(f"... and {len(stats.tags) - TAGS_SHOWN} more tags; --json has all"), (0, 0, 0, 2))
    if stats.reasoning_words:
        shortest, median, longest = stats.reasoning_words
        words = f"words per reasoning: {shortest} to {longest}, median {median}"
        yield Padding(Text(words), (1, 0, 0, 2))
    yield from warnings(stats.warnings)
    if stats.without_reasoning:
        yield Padding(Text(f"without a reasoning: {stats.without_reasoning:,}"), (1, 0, 0, 2))


def _splits(stats: GoldenStats) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("split")
    for name in ("queries", "examples"):
        table.add_column(name, justify="right")
    for grade in stats.splits[0].grades:
        table.add_column(f"grade {grade}", justify="right")
    for split in stats.splits:
        counts = [split.queries, split.examples, *split.grades.values()]
        table.add_row(split.split, *(f"{count:,}" for count in counts))
    return table


def _counts(what: str, how: str, counts: dict[str, int]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(what)
    table.add_column(how, justify="right")
    for name, count in sorted(counts.items(), key=lambda pair: -pair[1]):
        table.add_row(name, f"{count:,}")
    return table
