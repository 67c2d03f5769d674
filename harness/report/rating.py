"""A round of rating for a terminal: what was planned, and how far the raters are."""

from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.golden.rating.plan_summary import RoundSummary
from harness.golden.rating.progress import RoundProgress
from harness.report.formats import number
from harness.report.parts import below, columns, indented, warnings
from harness.scorecards.sizes import ExpectedInterval
from harness.storage.plural import plural

NO_TIME = "How long it takes is unknown: --seconds N counts with N seconds a pair."


def plan_view(
    found: RoundSummary, expected: Sequence[ExpectedInterval], warned: Sequence[str] = ()
) -> Iterator[RenderableType]:
    """A planned round: what was drawn, what each rater gets, what it will show."""
    pairs, raters = plural(found.pairs, "pair"), plural(len(found.raters), "rater")
    title = f"Round {found.round} of {found.policy}: {pairs}, {raters}, {plural(found.planned, 'rating')}"
    yield Text(title, style="bold")
    drawn = f"at random {found.at_random:,}, hunted {found.hunted:,}; rated by all: {found.by_all:,}"
    yield Text(f"Drawn {drawn}; seed {found.seed}")
    if found.also:
        more = plural(found.also, "more id")
        yield Text(
            f"The same pairs have {more}: each pair is rated once, and that counts under each of its ids."
        )
    yield indented(_strata(found))
    yield indented(_shares(found))
    if any(one.minutes is None for one in found.raters):
        yield indented(Text(NO_TIME))
    if expected:
        yield indented(_expected(expected))
        yield below("Pairs of one query count as independent here: expect it wider.")
    yield from warnings(warned, above=True)


def _strata(found: RoundSummary) -> Table:
    rows = (
        (one.name or "(all)", f"{one.at_random:,}", number(one.pi), f"{one.hunted:,}") for one in found.strata
    )
    return columns("stratum", "at random", "chance of each", "hunted", rows=rows)


def _shares(found: RoundSummary) -> Table:
    table = columns("rater", "pairs", "of these again", "queries", "minutes")
    for one in found.raters:
        minutes = "-" if one.minutes is None else f"{one.minutes:,.0f}"
        table.add_row(one.rater, f"{one.places:,}", f"{one.again:,}", f"{one.queries:,}", minutes)
    return table


def _expected(expected: Sequence[ExpectedInterval]) -> Table:
    table = columns("if the raters' kappa is", *(f"{one.kappa:g}" for one in expected))
    table.add_row("Gate 1's interval is about +-", *(number(one.half_width) for one in expected))
    return table


def progress_view(found: RoundProgress, closed: Mapping[str, str]) -> Iterator[RenderableType]:
    """The progress of a round, without grades and without signs of agreement.

    `closed`: the raters whose missing ratings are no longer waited for, and since when.
    """
    done = f"{found.answered:,} of {plural(found.planned, 'rating')}"
    yield Text(f"Round {found.round} of {found.policy}: {done}", style="bold")
    table = columns("rater", "pairs", "graded", "cannot", "later", "left", "seconds", "links", "sealed")
    for one in found.raters:
        counts = (one.places, one.graded, one.cannot, one.later, one.left)
        seconds = "-" if one.seconds is None else f"{one.seconds:.1f}"
        when = one.sealed_at[:10] if one.sealed_at else "-"
        table.add_row(one.rater, *(f"{count:,}" for count in counts), seconds, f"{one.links:,}", when)
    yield indented(table)
    left = {one.rater: one.left for one in found.raters}
    for rater, at in closed.items():
        if left.get(rater):
            yield below(f"{rater}: {left[rater]:,} missing, no longer waited for since {at[:10]}")
    yield from warnings([found.policy_changed] if found.policy_changed else [], above=True)
