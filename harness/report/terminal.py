"""Scorecards as text for a terminal of 80 columns: a plain sentence first, the numbers after."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from harness.scorecards import ActionScore, Confusion, Estimate, Gate, Gate1, Gate2

BAND_WORDS = {
    "strong": "strong (above 0.8)",
    "moderate": "moderate (0.6 to 0.8)",
    "weak": "weak (below 0.6)",
}
GATE1_ADVICE = {
    "strong": "The raters agree: the policy is clear.",
    "moderate": "The raters agree moderately: refine the policy where they differ.",
    "weak": "The raters hardly agree: the policy is ambiguous. Mend it before any teacher is judged by it.",
}
DISPUTES_SHOWN = 5


def gate2_view(score: Gate2, grader: str, against: str) -> Iterator[RenderableType]:
    """Gate 2: how far a grader agrees with a golden set."""
    yield Text(f"Gate 2: does {grader} agree with {against}?", style="bold")
    yield Text(_gate2_sentence(score))
    yield _kappas(score, "Cohen's kappa")
    yield Padding(Text(_figures(score)), (1, 0, 0, 2))
    yield Padding(_grades(score), (1, 0, 0, 2))
    if score.actions is not None:
        yield Padding(Text(f"Actions: kappa {number(score.actions.kappa)}"), (1, 0, 0, 2))
        yield Padding(_actions(score.actions), (0, 0, 0, 2))
    yield Padding(Text(_boundaries(score)), (1, 0, 0, 2))
    yield from _notes(score)


def gate1_view(score: Gate1) -> Iterator[RenderableType]:
    """Gate 1: how far raters agree among themselves."""
    items = f"{score.n_items:,} items in {score.n_clusters:,} queries"
    yield Text(f"Gate 1: do the raters agree? {len(score.raters)} raters, {items}", style="bold")
    if score.band and not score.provisional:
        yield Text(GATE1_ADVICE[score.band])
    elif score.band:
        yield Text(f"Agreement is {BAND_WORDS[score.band]}, and provisional: {score.provisional}.")
    else:
        yield Text(f"No answer: {score.reason}.")
    yield _kappas(score, "Mean pairwise kappa")
    yield Padding(_pairs(score), (1, 0, 0, 2))
    yield Padding(Text(_beside(score)), (1, 0, 0, 2))
    yield Padding(_biases(score), (1, 0, 0, 2))
    yield Padding(_confusion(score.confusion, "rater", "other rater"), (1, 0, 0, 2))
    if score.disputed:
        yield Padding(Text(f"In dispute: {len(score.disputed):,} items; the widest apart:"), (1, 0, 0, 2))
        yield Padding(_disputes(score), (0, 0, 0, 2))
    yield from _notes(score)


def number(value: float | None, places: int = 3) -> str:
    """A figure, or a dash where it is undefined."""
    return "-" if value is None else f"{value:.{places}f}"


def _gate2_sentence(score: Gate2) -> str:
    graded = f"{score.outcomes.graded:,} of {score.n:,} examples"
    value = number(getattr(score, score.gated).value)
    if score.band is None:
        return f"No answer on {graded}: {score.reason}."
    return f"Agreement is {BAND_WORDS[score.band]}: {score.gated} {value} on {graded}."


def _kappas(score: Gate, title: str) -> RenderableType:
    table = Table.grid(padding=(0, 2))
    rows = (("none", score.kappa), ("linear", score.kappa_linear), ("quadratic", score.kappa_quadratic))
    for weighting, estimate in rows:
        gated = weighting == score.weighting
        name = {"none": title, "linear": "  linear weights", "quadratic": "  quadratic weights"}[weighting]
        bar = f"gated; the bar is {score.bar:g}" if gated else ""
        table.add_row(name, Text(_estimate(estimate), style="bold" if gated else ""), bar)
    return Padding(table, (1, 0, 0, 2))


def _estimate(estimate: Estimate) -> str:
    interval = f" [{estimate.ci[0]:.3f}, {estimate.ci[1]:.3f}]" if estimate.ci else ""
    return number(estimate.value) + interval


def _figures(score: Gate2) -> str:
    ends = score.outcomes
    causes = ", ".join(f"{cause} {n}" for cause, n in score.ungraded_causes.items())
    lines = [
        f"accuracy {number(score.accuracy)}   mean absolute error {number(score.mae)}   "
        f"bias {'-' if score.bias is None else f'{score.bias:+.3f}'}",
        f"coverage {score.coverage:.1%}: {ends.graded:,} graded, {ends.ungraded:,} unreadable"
        f"{f' ({causes})' if causes else ''}, {ends.failed:,} failed",
    ]
    if ends.graded < score.n:
        lines.append(f"{score.gated} with every answer that is missing counted worst: "
                     f"{number(score.kappa_worst_case)}")  # fmt: skip
    return "\n".join(lines)


def _grades(score: Gate2) -> Table:
    """The confusion matrix, with each grade's recall at the end of its row and its precision below."""
    table = _matrix_table("golden \\ grader", score.confusion.labels)
    table.add_column("total", justify="right")
    table.add_column("recall", justify="right")
    for at, line in enumerate(score.confusion.matrix):
        one = score.per_grade[at]
        cells = _cells(line, at)
        table.add_row(str(one.grade), *cells, f"{one.support:,}", number(one.recall, 2))
    table.add_section()
    table.add_row("precision", *(number(one.precision, 2) for one in score.per_grade), "", "")
    table.add_row("F1", *(number(one.f1, 2) for one in score.per_grade), "", "")
    return table


def _confusion(confusion: Confusion, rows: str, columns: str) -> Table:
    table = _matrix_table(f"{rows} \\ {columns}", confusion.labels)
    for at, line in enumerate(confusion.matrix):
        table.add_row(str(confusion.labels[at]), *_cells(line, at))
    return table


def _actions(actions: ActionScore) -> Table:
    table = _matrix_table("golden \\ grader", actions.labels)
    for at, line in enumerate(actions.matrix):
        table.add_row(actions.labels[at], *_cells(line, at))
    return table


def _matrix_table(corner: str, labels: Sequence[int | str]) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column(corner)
    for label in labels:
        table.add_column(str(label), justify="right")
    return table


def _cells(line: Sequence[int], diagonal: int) -> list[Text]:
    """Counts: the agreements bold, the zeros a dot, so that the pattern shows."""
    return [
        Text(f"{count:,}" if count else "·", style="bold" if at == diagonal else "")
        for at, count in enumerate(line)
    ]


def _boundaries(score: Gate2) -> str:
    parts = [f">={one.at_least} {number(one.kappa, 2)}" for one in score.boundaries]
    return f"kappa at each boundary: {'   '.join(parts)}"


def _pairs(score: Gate1) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("raters")
    for name in ("items", "kappa", "linear", "quadratic"):
        table.add_column(name, justify="right")
    for pair in score.pairs:
        name = " - ".join(pair.raters) + ("" if pair.counted else " (left out)")
        values = (pair.kappa, pair.kappa_linear, pair.kappa_quadratic)
        table.add_row(name, f"{pair.n:,}", *map(number, values))
    return table


def _beside(score: Gate1) -> str:
    alpha = score.alpha
    return (
        f"Krippendorff's alpha: nominal {number(alpha.nominal)}, ordinal {number(alpha.ordinal)}, "
        f"interval {number(alpha.interval)}\n"
        f"Fleiss {number(score.fleiss)}   Conger {number(score.conger)}   "
        f"AC1 {number(score.ac1)}   AC2 (linear) {number(score.ac2)}"
    )


def _biases(score: Gate1) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("rater against the rest")
    for name in ("items", "bias", "linear kappa"):
        table.add_column(name, justify="right")
    for one in score.rater_bias:
        bias = "-" if one.bias is None else f"{one.bias:+.3f}"
        table.add_row(one.rater, f"{one.n:,}", bias, number(one.kappa_vs_rest))
    return table


def _disputes(score: Gate1) -> Table:
    table = Table(box=None, pad_edge=False, header_style="dim")
    table.add_column("item", overflow="ellipsis", no_wrap=True, max_width=40)
    for rater in score.raters:
        # Names stay whole as long as there is room for them; then they fold instead of being cut.
        table.add_column(rater, justify="right", overflow="fold", min_width=min(3, len(rater)))
    for dispute in score.disputed[:DISPUTES_SHOWN]:
        table.add_row(dispute.item, *(str(dispute.grades.get(rater, "-")) for rater in score.raters))
    return table


def _notes(score: Gate) -> Iterator[RenderableType]:
    for warning in score.warnings:
        yield Text(f"Warning: {warning}.", style="yellow")
    if score.verdict is None:
        yield Text("")
        yield Text(f"No verdict: {score.reason}.")
