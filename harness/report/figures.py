"""The figures of the scorecards, each declared once: what it is called, and how it is written.

Terminal, page, Markdown and pictures list what stands here. A new one needs its field in the scorecard, and a
line here.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from harness.scorecards.comparison import Change, Comparison


@dataclass(frozen=True, slots=True)
class Figure:
    """A figure by the field that holds it. `name` stands by itself, on a page or in a sentence.

    `markdown`: in a summary, where it is in those. `row`: in a terminal's table, below the kappa that it
    varies; `column`: over a column. `signed`: written with its sign; `money`: in USD. `means`: what a reader
    may not know of it. `if_any`: left out where both sides are 0.
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
"""How far a grader's grades lie from the golden ones, beside what share of them is right."""
CHANGES = (
    *KAPPAS,
    Figure("actions", "kappa of actions", markdown="kappa of actions"),
    Figure("accuracy", "accuracy", markdown="accuracy"),
    MAE,
    Figure("coverage", "coverage"),
    Figure("seconds", "seconds an answer", if_any=True),
    Figure("cost", "cost of an answer", money=True, if_any=True),
)
"""What is compared of two graders."""


def changes_of(found: Comparison) -> Iterator[tuple[Figure, Change]]:
    """Each figure that both sides of a comparison could have, with its change."""
    for figure in CHANGES:
        change: Change | None = figure.of(found)
        if change is not None:
            yield figure, change


def any_of(change: Change) -> bool:
    """Whether there is anything to show of either side."""
    return bool(change.base or change.candidate)
