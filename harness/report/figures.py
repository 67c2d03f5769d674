"""The figures of the scorecards, each declared once with its name and format.

Terminal, page, Markdown and pictures list these figures. A new figure needs a field in the scorecard and a
line here.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

from harness.nouns.base import Interval
from harness.report.formats import number, signed, with_interval
from harness.scorecards.gate2 import Gate2

if TYPE_CHECKING:
    from harness.scorecards.comparison import Change, Comparison


@dataclass(frozen=True, slots=True)
class FieldFigure:
    """A figure and the field that holds it. `name` is used on a page and in a sentence.

    `markdown`: its name in a summary, if it is shown there. `row`: its name in a terminal's table, below the
    kappa that it varies; `column`: its name over a column. `signed`: shown with a sign; `money`: in USD;
    `share`: in per cent. `if_any`: omitted if both sides are 0; `if_missing`: only if answers are missing.
    `ci`: the field of its interval. `means`: an explanation. `place`: where a run's page has it: on a card,
    in a note below the matrix, or drawn among the kappas.
    """

    field: str
    name: str
    markdown: str = ""
    row: str = ""
    column: str = ""
    signed: bool = False
    money: bool = False
    share: bool = False
    means: Callable[[Gate2], str] = lambda score: ""
    less_is_better: bool = False
    if_any: bool = False
    if_missing: bool = False
    ci: str = ""
    place: Literal["card", "note", "drawn"] = "note"

    def of(self, score: Any) -> Any:
        """Its value in a scorecard: a number, an Estimate or a Change."""
        return getattr(score, self.field)

    def ci_of(self, score: Gate2) -> Interval | None:
        """Its interval, if it has one."""
        found: Interval | None = getattr(score, self.ci) if self.ci else None
        return found

    def text(self, score: Gate2) -> str:
        """Its value in a scorecard, with the interval."""
        value = self.of(score)
        shown = f"{value:.1%}" if self.share else signed(value) if self.signed else number(value)
        return with_interval(shown, self.ci_of(score))


def _floor(score: Gate2) -> str:
    floor = f"giving {score.floor.grade} to everything would get {number(score.floor.accuracy)}"
    return f"{floor}, kappa {number(score.floor.kappa, 0)}"


def _outcomes(score: Gate2) -> str:
    ends = score.outcomes
    causes = ", ".join(f"{cause} {n}" for cause, n in score.ungraded_causes.items())
    unread = f"{ends.ungraded:,} unreadable{f' ({causes})' if causes else ''}"
    return f"{ends.graded:,} graded, {unread}, {ends.failed:,} failed"


KAPPAS = (
    FieldFigure("kappa", "Cohen's kappa", "kappa", column="kappa"),
    *(
        FieldFigure(f"kappa_{how}", f"kappa, {how} weights", f"kappa, {how}", f"  {how} weights", how)
        for how in ("linear", "quadratic")
    ),
)
"""Kappa under each weighting; one of them is gated."""
KAPPA_NAMES = {one.field: one.name for one in KAPPAS}
ACCURACY = FieldFigure("accuracy", "accuracy", markdown="accuracy", means=_floor, place="card")
MAE = FieldFigure("mae", "mean absolute error", less_is_better=True)
COVERAGE = FieldFigure("coverage", "coverage", share=True, means=_outcomes, place="card")
SCORED = (
    ACCURACY,
    MAE,
    FieldFigure("bias", "bias", signed=True, means=lambda score: "the grader's mean minus the golden one"),
    COVERAGE,
    FieldFigure(
        "kappa_worst_case",
        "gated kappa, missing answers counted worst",
        ci="kappa_worst_case_ci",
        if_missing=True,
        place="drawn",
    ),
)
"""The figures of a run's scorecard beside kappa."""
CHANGES = (
    *KAPPAS,
    FieldFigure("actions", "kappa of actions", markdown="kappa of actions"),
    ACCURACY,
    MAE,
    COVERAGE,
    FieldFigure("seconds", "seconds an answer", if_any=True),
    FieldFigure("cost", "cost of an answer", money=True, if_any=True),
)
"""The figures of a comparison."""


def scored(score: Gate2) -> list[FieldFigure]:
    """The figures of a scorecard beside kappa that apply to it."""
    return [figure for figure in SCORED if score.coverage < 1 or not figure.if_missing]


def changes_of(found: "Comparison") -> Iterator[tuple[FieldFigure, "Change"]]:
    """Each figure of a comparison that is available, with its change."""
    for figure in CHANGES:
        change: Change | None = figure.of(found)
        if change is not None:
            yield figure, change


def contrary(found: "Comparison", *, better: bool) -> Iterator[tuple[FieldFigure, "Change"]]:
    """The figures whose whole interval contradicts the change of the gated kappa."""
    for figure, change in changes_of(found):
        if change.ci is not None:
            low, high = change.ci
            up, down = (high < 0, low > 0) if figure.less_is_better else (low > 0, high < 0)
            if down if better else up:
                yield figure, change


def any_of(change: "Change") -> bool:
    """Whether either side has a value to show."""
    return bool(change.base or change.candidate)
