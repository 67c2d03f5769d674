"""The quality of a grader's probabilities, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.formats import interval, number, percent
from harness.report.parts import below, columns, indented, whole
from harness.scorecards.confidence import Confidence, SelectiveScore
from harness.storage.plural import plural

FIFTHS = 5
FIRST = 5
"""The number of least confident answers to list; the JSON has more."""


def confidence_view(score: Confidence | None) -> Iterator[RenderableType]:
    """Calibration, and the share that could be graded alone; empty if the grader gives no probabilities."""
    if score is None:
        return
    yield indented(
        Text(
            f"Its own probabilities, on {plural(score.n, 'answer')}: calibration error {number(score.ece)}, "
            f"Brier {number(score.brier)}, RPS {number(score.rps)}"
        )
    )
    table = columns("confidence", "answers", "said", "right", "interval")
    for one in score.bins:
        span = f"{one.low:.2f} to {one.high:.2f}"
        said = percent(one.confidence), percent(one.accuracy)
        table.add_row(span, f"{one.n:,}", *said, interval(one.ci, 2))
    yield indented(table, above=0)
    yield below(alone_sentence(score.alone))
    if score.to_people:
        first = ", ".join(map(whole, score.to_people[:FIRST]))
        what = "People should look first at what it is least sure of"
        if len(score.curve) == 1:
            what = "It is equally sure of all its answers, so that people may start anywhere."
        if score.alone.coverage is not None:
            what = f"The other {len(score.to_people):,} go to people"
        shown = what if score.alone.coverage is None and len(score.curve) == 1 else f"{what}: {first}"
        yield below(shown)
    if score.curve:
        yield indented(_curve(score))


def _curve(score: Confidence) -> Table:
    """The risk-coverage curve at every fifth of coverage, the most confident answers first."""
    steps = [at / FIFTHS for at in range(1, FIFTHS + 1)]
    chosen = dict.fromkeys(min(score.curve, key=lambda one: abs(one.coverage - step)) for step in steps)
    rows = ((percent(one.coverage), number(one.threshold, 2), percent(one.risk)) for one in chosen)
    return columns("graded alone", "confidence from", "wrong of these", rows=rows)


def alone_sentence(found: SelectiveScore) -> str:
    """The share that could be graded alone, in words."""
    if found.coverage is None:
        return f"Could be graded alone at {percent(found.target)} error: nothing yet ({found.reason})."
    return (
        f"Could be graded alone at {percent(found.target)} error: the {percent(found.coverage)} with "
        f"confidence {number(found.threshold, 2)} or more ({found.errors:,} of {found.n:,} wrong here, "
        f"at most {number(found.upper, 3)}); check it on other examples."
    )
