"""Gate 1 for a terminal: a plain sentence first, the numbers after."""

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.figures import KAPPAS
from harness.report.formats import chance, interval, number, percent, signed
from harness.report.kappas import kappas
from harness.report.parts import (
    below,
    columns,
    grid,
    indented,
    matrix_table,
    table_of,
    verdict_lines,
    warnings,
    whole,
)
from harness.score.few import SHOWN, few_names, least_agreeing, least_consistent, lowest_pairs
from harness.scorecards.gate1 import AgreementIn, DisputedItem, Gate1, PairAgreement, RaterBias
from harness.storage.plural import plural

CLEAR = "The raters agree: the policy is clear."
COPIED = "The raters agree, but nothing shows that they rated independently."
OPEN = {
    "strong": "Agreement looks strong, but so few ratings do not show it yet.",
    "moderate": "Agreement looks moderate so far, and these ratings do not decide it.",
    "weak": "Agreement looks weak so far, and these ratings do not decide it.",
}
MEANING = {
    "strong": "The raters agree, but less than this bar requires.",
    "moderate": "The raters agree moderately: refine the policy where they differ.",
    "weak": "The raters hardly agree: the policy is ambiguous. Mend it before any teacher is judged by it.",
}
CAUSES = {
    "ambiguous_text": "ambiguous text",
    "policy_silent": "policy silent",
    "not_enough_shown": "not enough shown",
}
DISPUTES_SHOWN = 5
PARTS_SHOWN = 5
NAMES_BESIDE = 48
"""The width in characters for raters' names as columns; longer ones are listed in lines."""


def gate1_view(score: Gate1, disputes: int = 1, *, every: bool = False) -> Iterator[RenderableType]:
    """Gate 1's report; `disputes` is the number of disputed pairs to show with the raters' reasons.

    Of many raters it shows those who agree least; with `every`, all of them.
    """
    queries = "" if score.naming == "none" else f" in {plural(score.n_clusters, 'query')}"
    items = f"{plural(score.n_items, 'item')}{queries}"
    yield Text(f"Gate 1: do the raters agree? {len(score.raters):,} raters, {items}", style="bold")
    yield from verdict_lines(score)
    if score.verdict == "pass":
        yield Text(COPIED if score.alike else CLEAR)
    elif score.doubt:
        yield Text(COPIED)
    elif score.band:
        yield Text((OPEN if score.verdict == "inconclusive" else MEANING)[score.band])
    yield from gate1_figures(score, disputes, every=every)
    if score.advice:
        yield Text("\nWhat to do:")
    yield grid((("-", f"{one}.") for one in score.advice), between=1)
    yield from warnings(score.warnings, above=True)


def gate1_figures(score: Gate1, disputes: int, *, every: bool = False) -> Iterator[RenderableType]:
    """The figures alone, without a word about the verdict."""
    yield kappas(score, "Mean pairwise kappa")
    if not every:
        yield from _many(score)
    yield indented(_pairs(score, score.pairs if every else lowest_pairs(score)))
    yield indented(Text(_beside(score)))
    yield indented(_biases(score.rater_bias if every else least_agreeing(score)))
    if score.self_agreement:
        yield indented(_again(score, every=every))
    if score.cannot:
        yield indented(Text(f"Could not be rated, and is not counted in any figure: {cannot_words(score)}"))
    labels, matrix = score.confusion.labels, score.confusion.matrix
    yield indented(matrix_table("rater \\ other rater", labels, matrix))
    if score.disputed:
        yield indented(_boundaries(score))
        yield from _parts("clauses", score.per_clause)
        yield from _parts("tags", score.per_tag)
        yield from _parts("queries", score.per_query)
        yield indented(Text(f"In dispute: {plural(len(score.disputed), 'item')}; the widest apart:"))
        yield indented(_disputes(score, max(disputes, DISPUTES_SHOWN)), above=0)
        yield from _reasons(score, disputes)


def _many(score: Gate1) -> Iterator[RenderableType]:
    """The spread of the kappas of many pairs of raters, and which pairs are shown."""
    if len(score.pairs) <= SHOWN:
        return
    counted = [getattr(pair, score.gated) for pair in score.pairs if pair.counted]
    known = sorted(value for value in counted if value is not None)
    spread = (
        f"{number(known[0])} to {number(known[-1])}, median {number(float(np.median(known)))}"
        if known
        else "-"
    )
    left, undefined = len(score.pairs) - len(counted), len(counted) - len(known)
    raters = f" and of {len(score.raters):,} raters" if len(score.raters) > SHOWN else ""
    lines = [
        f"{len(score.pairs):,} pairs of raters: {score.gated_words} {spread}",
        f"of these left out of the mean: {left:,}; undefined: {undefined:,}",
        f"The {SHOWN} lowest of the pairs{raters} (all: --all or --json):",
    ]
    yield indented(Text("\n".join(lines)))


def _pairs(score: Gate1, pairs: Sequence[PairAgreement]) -> Table:
    table = columns("raters", "items", *(one.column for one in KAPPAS), f"interval of {score.gated}")
    for pair in pairs:
        name = " - ".join(pair.raters) + ("" if pair.counted else " (left out)")
        values = (number(one.of(pair)) for one in KAPPAS)
        table.add_row(name, f"{pair.n:,}", *values, interval(pair.ci) or "-")
    return table


def _beside(score: Gate1) -> str:
    alpha = score.alpha
    return (
        f"Krippendorff's alpha: nominal {number(alpha.nominal)}, ordinal {number(alpha.ordinal)}, "
        f"interval {number(alpha.interval)}\n"
        f"Fleiss {number(score.fleiss)}   Conger {number(score.conger)}   "
        f"AC1 {number(score.ac1)}   AC2 (linear) {number(score.ac2)}\n"
        f"agreement {percent(score.agreement)}   Brennan-Prediger (PABAK) {number(score.brennan_prediger)}   "
        f"design effect {number(score.gated_kappa.design_effect, 1)}"
    )


def _biases(raters: Sequence[RaterBias]) -> Table:
    table = columns("rater against the rest", "items", "bias", "p (Holm)", "linear kappa", "worst at")
    for one in raters:
        at = "-" if one.worst_boundary is None else f">={one.worst_boundary}"
        figures = signed(one.bias), chance(one.p), number(one.kappa_vs_rest)
        table.add_row(one.rater, f"{one.n:,}", *figures, at)
    return table


def _again(score: Gate1, *, every: bool) -> Table:
    table = columns(
        "rater with their own first grade", "again", "equal", "kappa", f"interval of {score.gated}"
    )
    for one in score.self_agreement if every else least_consistent(score):
        cells = (percent(one.agreement), number(one.kappa), interval(one.ci) or "-")
        table.add_row(one.rater, f"{one.n:,}", *cells)
    return table


def causes_words(cannot: Mapping[str, int]) -> str:
    """Causes with their counts."""
    return ", ".join(f"{CAUSES[cause]} {count:,}" for cause, count in cannot.items())


def cannot_words(score: Gate1) -> str:
    """What could not be rated, by cause and by rater."""
    causes = causes_words(score.cannot)
    raters = few_names([f"{one.rater} {one.n:,}" for one in score.cannot_by_rater])
    return f"{plural(sum(score.cannot.values()), 'rating')} ({causes}; by {raters})"


def _boundaries(score: Gate1) -> Table:
    rows = (
        (f">={one.at_least}", number(one.kappa), f"{one.disagreements:,}", percent(one.share))
        for one in score.boundaries
    )
    return columns("raters on two sides of", "kappa", "disagreements", "share", rows=rows)


def _parts(name: str, parts: Sequence[AgreementIn]) -> Iterator[RenderableType]:
    """The parts where raters agree least; empty if they always agree."""
    lowest = [part for part in parts if part.disputed][:PARTS_SHOWN]
    rows = ((one.name, percent(one.agreement), f"{one.n:,}", f"{one.disputed:,}") for one in lowest)
    yield from table_of(f"{name} with the least agreement", "agreement", "items", "in dispute", rows=rows)


def _disputes(score: Gate1, shown: int) -> RenderableType:
    if sum(len(rater) + 2 for rater in score.raters) > NAMES_BESIDE:
        return Text("\n".join(_by_grade(dispute) for dispute in score.disputed[:shown]))
    table = columns("item")
    table.columns[0].max_width = 40
    for rater in score.raters:
        # Names stay on one line while there is room, and then wrap instead of being cut.
        table.add_column(rater, justify="right", overflow="fold", min_width=min(3, len(rater)))
    for dispute in score.disputed[:shown]:
        table.add_row(_named(dispute), *(str(dispute.grades.get(rater, "-")) for rater in score.raters))
    return table


def _by_grade(dispute: DisputedItem) -> str:
    """Each grade with its raters, if there are too many raters for a column each."""
    given: dict[int, list[str]] = {}
    for rater, grade in dispute.grades.items():
        given.setdefault(grade, []).append(rater)
    return f"{_named(dispute)}: " + "; ".join(f"{grade} {few_names(given[grade])}" for grade in sorted(given))


def _named(dispute: DisputedItem) -> str:
    """A dispute's item, with its query and title unless the id contains them."""
    said = [text for text in (dispute.query, dispute.title) if text and text not in dispute.item]
    return f"{whole(dispute.item)}{': ' if said else ''}{' -> '.join(said)}"


def _reasons(score: Gate1, shown: int) -> Iterator[RenderableType]:
    """The raters' reasons on the pairs with the widest disagreement."""
    for worst in [dispute for dispute in score.disputed if dispute.reasons][:shown]:
        what = f"{worst.query or worst.item}: {worst.title or ''}".rstrip(": ")
        yield indented(Text(f"{worst.item} ({what})"))
        for rater, reason in worst.reasons.items():
            yield below(f"{rater} {worst.grades.get(rater, '-')}: {reason}")
