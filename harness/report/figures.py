"""The figures of the scorecards, each declared once with its name and format.

Terminal, page, Markdown and pictures list these figures. A new figure needs a field in the scorecard and a
line here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.scorecards.comparison import Change, Comparison


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure and the field that holds it. `name` is used on a page and in a sentence.

    `markdown`: its name in a summary, if it is shown there. `row`: its name in a terminal's table, below the
    kappa that it varies; `column`: its name over a column. `signed`: shown with a sign; `money`: in USD.
    `means`: an explanation. `if_any`: omitted if both sides are 0.
    """

    field: str
    name: str
    markdown: str = ""
    row: str = ""
    column: str = ""
    signed: bool = False
    money: bool = False
    means: str = ""
    if_any: bool = False

    def of(self, score: Any) -> Any:
        """Its value in a scorecard: a number, an Estimate or a Change."""
        return getattr(score, self.field)


KAPPAS = (
    Figure("kappa", "Cohen's kappa", "kappa", column="kappa"),
    *(
        Figure(f"kappa_{how}", f"kappa, {how} weights", f"kappa, {how}", f"  {how} weights", how)
        for how in ("linear", "quadratic")
    ),
)
"""Kappa under each weighting; one of them is gated."""
KAPPA_NAMES = {one.field: one.name for one in KAPPAS}
MAE = Figure("mae", "mean absolute error")
BIAS = Figure("bias", "bias", signed=True, means="the grader's mean minus the golden one")
DISTANCES = (MAE, BIAS)
"""Distances of a grader's grades from the golden ones, shown beside accuracy."""
CHANGES = (
    *KAPPAS,
    Figure("actions", "kappa of actions", markdown="kappa of actions"),
    Figure("accuracy", "accuracy", markdown="accuracy"),
    MAE,
    Figure("coverage", "coverage"),
    Figure("seconds", "seconds an answer", if_any=True),
    Figure("cost", "cost of an answer", money=True, if_any=True),
)
"""The figures of a comparison."""


def changes_of(found: Comparison) -> Iterator[tuple[Figure, Change]]:
    """Each figure of a comparison that is available, with its change."""
    for figure in CHANGES:
        change: Change | None = figure.of(found)
        if change is not None:
            yield figure, change


def any_of(change: Change) -> bool:
    """Whether either side has a value to show."""
    return bool(change.base or change.candidate)
