"""How good production is, for a terminal."""

from collections.abc import Iterator
from itertools import chain
from pathlib import Path

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import (
    chance,
    ended,
    interval,
    number,
    percent,
    signed,
    with_interval,
    without_code,
)
from harness.report.parts import headed, table_of, warnings
from harness.scorecards.estimate import EstimatedFigure, Estimates, RatingsUsed, TwoTeachers, Worst
from harness.storage.plural import plural

QUESTION = "How good is what is shown?"
ONE_TRUTH = "Over the same rows the true value is the same: only the teachers' grades can differ."
LEVEL = 0.05
"""Below this, Holm's p says that a stratum differs from the rest by more than chance."""
OVER = {
    "items": "over items: what a shopper sees, every row counts",
    "queries": "over queries: every query counts once",
}


def estimate_view(found: Estimates) -> Iterator[RenderableType]:
    """The main figure in words, then all of them, the strata, and the difference of two label sets."""
    yield Text(f"{QUESTION} {rows_words(found)}", style="bold")
    main = found.estimates[0]
    yield from (Text(line) for line in main_lines(main))
    yield from (Text(line) for line in labels_lines(main))
    yield from _figures(found)
    yield from _strata(found)
    yield from _differences(found)
    yield from (Text(line) for line in ("", *facts_lines(found)))
    yield from warnings(found.warnings, above=True)


def main_lines(main: EstimatedFigure) -> Iterator[str]:
    """The first figure and how it was made, in sentences."""
    value = with_interval(number(main.value), main.ci)
    yield f"{main.words[:1].upper()}{main.words[1:]}: {value}, {OVER[main.over]}."
    human, alone = main.human_only, number(main.teacher_only)
    yield (
        f"Humans only: {with_interval(number(human.value), human.ci)}; teacher only, on the other rows, "
        f"uncorrected: {alone}; lambda {main.lam:.2f}."
    )
    if main.reason:
        yield f"Note: {ended(without_code(main.reason))}"


def labels_lines(main: EstimatedFigure) -> Iterator[str]:
    """The human labels that the teacher saved, and how many more would halve the interval."""
    if main.saved and main.saved.queries:
        saved = plural(main.saved.queries, "query")
        yield f"The teacher saved the human labels of about {saved} ({plural(main.saved.items, 'row')})."
    if main.to_halve and main.to_halve.queries:
        more = plural(main.to_halve.queries, "more query")
        rest = main.clusters_unlabelled
        few = f"; these labels have {rest:,} more" if rest else "; these labels have no more"
        there = few if rest < main.to_halve.queries else ""
        yield f"About {more} ({plural(main.to_halve.items, 'row')}) would halve the interval{there}."


def rows_words(found: Estimates) -> str:
    """The rows that the estimate is about."""
    rows, queries = plural(found.n, "row"), plural(found.n_queries, "query")
    by = f" by {found.policy}" if found.policy else ""
    return f"{rows} of {queries}{by}{', weighted' if found.weighted else ''}"


def _figures(found: Estimates) -> Iterator[RenderableType]:
    rows = (_row(one) for one in found.estimates if one.stratum is None)
    yield from table_of("figure", "estimate", "interval", "humans only", "teacher", "lambda", rows=rows)
    few = [one.name for one in found.estimates if one.stratum is None and one.reason]
    if few[1:] or (few and few[0] != found.estimates[0].name):
        yield Text(f"  Few events, or no interval: {', '.join(few)}; --json says why.", style="dim")
    for one in found.estimates:
        if one.cannot_tell:
            left = plural(one.cannot_tell, "query")
            yield Text(
                f"  {one.name}: cannot tell for {left}: a grade or a position is missing.", style="dim"
            )


def _row(one: EstimatedFigure) -> tuple[str, ...]:
    human = with_interval(number(one.human_only.value, 2), one.human_only.ci, 2)
    return one.name, number(one.value), interval(one.ci, 2), human, number(one.teacher_only), f"{one.lam:.2f}"


def _strata(found: Estimates) -> Iterator[RenderableType]:
    """The main figure in each stratum, and the worst one."""
    main, parts = found.estimates[0], strata_of(found)
    if not parts:
        return
    yield from headed(f"{main.name} by {found.by}:")
    names = found.by or "", "share", "estimate", "interval", "teacher", "rated", "to the rest", "p (Holm)"
    yield from table_of(*names, rows=map(_stratum_row, parts))
    if found.worst:
        yield Text(worst_sentence(found.worst))


def _stratum_row(one: EstimatedFigure) -> tuple[str, ...]:
    rest = one.against_rest
    apart = (signed(rest.difference), chance(rest.p_holm)) if rest else ("-", "-")
    figures = number(one.value), interval(one.ci, 2), number(one.teacher_only), f"{one.n_labelled:,}"
    return one.stratum or "", percent(one.share), *figures, *apart


def strata_of(found: Estimates) -> list[EstimatedFigure]:
    """The main figure in each stratum."""
    name = found.estimates[0].name
    return [one for one in found.estimates if one.stratum is not None and one.name == name]


def is_sure(worst: Worst) -> bool:
    """Whether the worst stratum differs from the rest by more than chance."""
    return worst.p_holm is not None and worst.p_holm < LEVEL


def worst_sentence(worst: Worst) -> str:
    """The stratum whose figure is lowest."""
    if worst.p_holm is None:
        return f"Lowest in {worst.stratum}: {number(worst.value)}; no test says whether by chance."
    chance = "more than chance explains" if is_sure(worst) else "which chance may explain"
    return f"Lowest in {worst.stratum}: {number(worst.value)}, {chance} (Holm)."


def _differences(found: Estimates) -> Iterator[RenderableType]:
    if not found.differences:
        return
    yield from headed(f"{sides_words(found)}, by the same ratings:")
    names = "figure", "first", "second", "difference", "interval", "teachers alone", "interval"
    yield from table_of(*names, rows=map(_difference_row, found.differences))
    yield Text(f"  {ONE_TRUTH}", style="dim")
    if found.by:
        yield Text("  Both without strata, unlike the figures above.", style="dim")


def sides_words(found: Estimates) -> str:
    """The two label sets of a difference."""
    return " minus ".join(Path(name).name for name in (found.other or "", found.labels))


def _difference_row(one: TwoTeachers) -> tuple[str, ...]:
    both = ((signed(found.difference), interval(found.ci)) for found in (one, one.teachers))
    return one.name, number(one.first), number(one.second), *chain.from_iterable(both)


def facts_lines(found: Estimates) -> Iterator[str]:
    """Coverage, what was left out, who rated."""
    main = found.estimates[0]
    queries = plural(main.clusters_labelled, "query")
    yield f"{plural(main.n_labelled, 'row')} of {queries} have a human grade."
    yield f"The teacher graded {percent(found.coverage)} of the rows, by weight."
    if main.worst_case:
        ends = interval(main.worst_case)
        yield f"With the others at their worst and best, the interval would be {ends}."
    if found.shots:
        yield f"{plural(found.shots, 'row is', 'rows are')} left out: a shot has the query."
    if found.unproven:
        yield "The teacher is not proven: no gate has passed it. The human grades correct it all the same."
    if found.ratings:
        yield from rated_lines(found.ratings)


def rated_lines(used: RatingsUsed) -> Iterator[str]:
    """Who rated, and how far they differ."""
    raters = f"{plural(len(used.raters), 'rater')} ({', '.join(used.raters[:5])})"
    yield f"{plural(used.items, 'item')} rated by {raters}; of several grades the lower median counts."
    if used.passed_over:
        more = plural(used.passed_over, "more rated item counts", "more rated items count")
        yield f"{more} for no row: a shot has the query, or another of them is the same pair."
    if used.several:
        low, high = number(used.lowest), number(used.highest)
        edges = f"{low} to {high}" if low != high else f"{low} either way"
        yield (
            f"{used.differ:,} of {used.several:,} with several ratings differ: by the lowest, or highest, "
            f"grade the main figure would be {edges}."
        )
    if used.adjudicated:
        yield f"On {plural(used.adjudicated, 'item')} the author's decision counts."
