"""Gate 2 for a terminal: the verdict in a sentence, then the figures, then details."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.disagreements import ceiling_view, diagnosis_view
from harness.report.figures import scored
from harness.report.formats import interval, number, percent, with_interval
from harness.report.kappas import kappas
from harness.report.parts import below, cells, columns, indented, matrix_table, table_of, verdict_lines
from harness.scorecards.gate2 import Gate2, SliceScore
from harness.storage.plural import plural

BAND_WORDS = {
    "strong": "strong (above 0.8)",
    "moderate": "moderate (0.6 to 0.8)",
    "weak": "weak (below 0.6)",
}
SLICES_SHOWN = 5
FEW_ITEMS = 5
"""Tags and clauses with fewer items are in the JSON only: their kappa is noise."""
GRADES_BESIDE = 8
"""With more grades, precision and recall get a separate table: beside the matrix they would be cut."""
PARADOX = 0.8
"""From this share of exact agreement on, explain a weak kappa (Feinstein & Cicchetti 1990)."""


def verdict_view(score: Gate2) -> Iterator[RenderableType]:
    """The verdict in a sentence, kappa by weighting, and the other figures."""
    yield from verdict_lines(score)
    yield Text(agreement_sentence(score))
    yield kappas(score, "Cohen's kappa")
    yield indented(Text(_figures(score)))


def confusion_view(score: Gate2) -> Iterator[RenderableType]:
    """The confusion matrices of grades and actions, the boundaries, and repeats."""
    yield from _grades(score)
    yield from _actions(score)
    yield indented(Text(_boundaries(score)))
    yield from _repeats(score)


def raters_view(score: Gate2) -> Iterator[RenderableType]:
    """The grader beside human raters, and where it disagrees."""
    yield from ceiling_view(score.ceiling)
    yield from diagnosis_view(score)


def parts_view(score: Gate2) -> Iterator[RenderableType]:
    """The clustering, and the weakest clauses and tags."""
    if score.naming != "none":
        yield indented(Text(_clustering(score)))
    yield from _weakest("clauses", score.per_clause)
    yield from _weakest("tags", score.per_tag)


def agreement_sentence(score: Gate2) -> str:
    """The agreement of grader and golden set in words."""
    graded = f"{score.outcomes.graded:,} of {plural(score.n, 'example')}"
    if score.repeats:
        total = score.n * score.repeats.repeats if score.repeats.aggregate == "mean" else score.n
        graded = f"{score.outcomes.graded:,} of {plural(total, 'answer')}"
    if score.band is None:
        return f"No agreement could be measured on {graded}."
    value = number(score.gated_kappa.value)
    return f"Agreement is {BAND_WORDS[score.band]}: {score.gated_words} {value} on {graded}."


def _figures(score: Gate2) -> str:
    lines = []
    for figure in scored(score):
        means = figure.means(score)
        lines.append(f"{figure.name} {figure.text(score)}{f' ({means})' if means else ''}")
    found = score.diagnostics
    if (found.observed or 0) >= PARADOX and score.band == "weak":
        lines.append(
            f"high agreement and a low kappa: kappa could reach {number(found.kappa_max)}; "
            f"PABAK {number(found.pabak)}, AC1 {number(found.ac1)} (never gated)"
        )
        if found.prevalence is not None:
            lines.append(f"prevalence index {number(found.prevalence)}, bias index {number(found.bias)}")
    return "\n".join(lines)


def _grades(score: Gate2) -> Iterator[RenderableType]:
    """The confusion matrix, with each grade's recall and precision at its edges if they fit."""
    labels, matrix = score.confusion.labels, score.confusion.matrix
    if len(labels) > GRADES_BESIDE:
        yield indented(matrix_table("golden \\ grader", labels, matrix))
        table = columns("grade", "total", "precision", "recall", "F1")
        for one in score.per_grade:
            shares = number(one.precision, 2), number(one.recall, 2), number(one.f1, 2)
            table.add_row(str(one.grade), f"{one.support:,}", *shares)
        yield indented(table)
        return
    table = columns("golden \\ grader", *map(str, labels), "total", "recall")
    for at, line in enumerate(matrix):
        one = score.per_grade[at]
        table.add_row(str(one.grade), *cells(line, at), f"{one.support:,}", number(one.recall, 2))
    table.add_section()
    table.add_row("precision", *(number(one.precision, 2) for one in score.per_grade), "", "")
    table.add_row("F1", *(number(one.f1, 2) for one in score.per_grade), "", "")
    yield indented(table)


def _actions(score: Gate2) -> Iterator[RenderableType]:
    actions = score.actions
    if actions is None:
        if (why := score.no_actions) is not None:
            yield indented(Text(f"Actions: none; {why}"))
        return
    bar = f"; the bar is {actions.bar:g}" if actions.bar is not None else ""
    yield indented(Text(f"Actions: kappa {number(actions.kappa)} {interval(actions.ci)}{bar}".rstrip()))
    yield indented(matrix_table("golden \\ grader", actions.labels, actions.matrix), above=0)
    for cell in score.never_grow:
        places = 0 if cell.limit is None else 1
        guard = f": {cell.guard}" if cell.guard else ""
        most = f", at most {cell.ci.high:.{places}%} (95 %{guard})" if cell.ci else ""
        most = f" ({cell.reason})" if cell.reason else most
        limit = f"; the limit is {cell.limit:.1%}" if cell.limit is not None else ""
        name = f"golden {cell.golden} with action {cell.action}"
        yield below(f"must not grow: {name}: {cell.found}{most}{limit}")


def _boundaries(score: Gate2) -> str:
    parts = [f">={one.at_least} {number(one.kappa, 2)}" for one in score.boundaries]
    return f"kappa at each boundary: {'   '.join(parts)}"


def _clustering(score: Gate2) -> str:
    """The number of clusters and the design effect behind the intervals."""
    effect = score.gated_kappa.design_effect
    cost = f", design effect {effect:.2f}" if effect is not None else ""
    counted = ", each item without one counted as one" if score.naming == "some" else ""
    return f"Intervals are clustered by query: {plural(score.n_clusters, 'query')}{counted}{cost}."


def lowest_parts(slices: tuple[SliceScore, ...]) -> list[SliceScore]:
    """The tags or clauses with the lowest accuracy, among those with enough items."""
    known = [one for one in slices if one.n >= FEW_ITEMS and one.accuracy is not None]
    return sorted(known, key=lambda one: (one.accuracy, one.name))[:SLICES_SHOWN]


def _weakest(name: str, slices: tuple[SliceScore, ...]) -> Iterator[RenderableType]:
    rows = (
        (one.name, percent(one.accuracy), f"{one.n:,}", number(one.kappa, 2), interval(one.ci, 2) or "-")
        for one in lowest_parts(slices)
    )
    names = f"{name} with the lowest accuracy", "accuracy", "items", "kappa", "interval"
    yield from table_of(*names, rows=rows)


def _repeats(score: Gate2) -> Iterator[RenderableType]:
    found = score.repeats
    if found is None:
        return
    how = "every answer counts its share" if found.aggregate == "mean" else "the commonest answer counts"
    yield indented(
        Text(
            f"Asked {found.repeats} times ({how}): answers agree {percent(found.agreement)},\n"
            f"all the same on {percent(found.unanimous)} of the items "
            f"(actions: {percent(found.unanimous_actions)}); "
            f"kappa between repeats {with_interval(number(found.kappa.value), found.kappa.ci)}"
        )
    )
