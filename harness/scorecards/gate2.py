"""Gate 2's scorecard: does the grader agree with the golden set?"""

from typing import Literal

from pydantic import Field

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.ceiling import Ceiling
from harness.scorecards.confidence import Confidence
from harness.scorecards.shared import Confusion, Estimate, Gate, Outcomes, Verdict

Aggregate = Literal["mean", "vote"]


class GradeScore(Noun):
    """One grade's precision, recall and F1.

    `f1` is also the specific agreement on that grade, 2 n_ii / (golden + given).
    """

    grade: int
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class BoundaryScore(Noun):
    """Agreement on whether a grade is `at_least` this high."""

    at_least: int
    kappa: float | None
    ci: Interval | None = None
    reason: Reason | None = None


class ActionScore(Noun):
    """Agreement on what the user would see: rows golden, columns teacher. `bar`: if one is declared.

    `ci_worst_case` assumes for every missing answer the grade farthest from the golden one.
    """

    kappa: float | None
    ci: Interval | None = None
    ci_worst_case: Interval | None = None
    bar: float | None = None
    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    reason: Reason | None = None


class CellScore(Noun):
    """A cell that must never grow: golden items of a grade that got an action.

    `share` is of the `n` graded items with that golden grade, `ci` its interval, clustered by query, and
    `limit` the share that gates.toml allows, if it declares one. `ci_worst_case` assumes that every
    missing answer is in the cell. `guarded`: so few queries have an item in it that their number, not their
    spread, sets the upper limit. `reason` says why items have no interval.
    """

    golden: int
    action: str
    count: int
    n: int
    share: float | None
    ci: Interval | None
    ci_worst_case: Interval | None = None
    limit: float | None = None
    guarded: bool = False
    reason: Reason | None = None

    @property
    def guard(self) -> str:
        """The method of the upper limit, if not the usual one; more items can have a lower limit."""
        few = "fewer than five queries have one, so the number of queries, not their spread, sets the limit"
        return f"{few}; it can fall once a fifth has one" if self.guarded else ""

    @property
    def found(self) -> str:
        """The number of items in it, in words; with several answers per item, the sum of their shares."""
        return f"{round((self.share or 0.0) * self.n, 2):.10g} of {self.n}"


class SliceScore(Noun):
    """Agreement on the items with a tag, or whose golden reasoning cites a clause. Gated weighting."""

    name: str
    n: int
    n_clusters: int
    accuracy: float | None
    kappa: float | None
    ci: Interval | None = None
    reason: Reason | None = None


class Floor(Noun):
    """The floor: giving the most common golden grade to every item gets kappa 0 and this accuracy."""

    grade: int
    accuracy: float
    kappa: float | None


class Diagnostics(Noun):
    """Diagnostics that explain kappa and are never gated; None for an undefined figure.

    `observed` (po) and `expected` (pe) are shares of exact agreement. `kappa_max` is the kappa that the
    margins allow. `pabak` is Brennan and Prediger's: kappa with uniform chance, (q po - 1)/(q - 1).
    `ac1` is Gwet's (2008). `prevalence` and `bias` (Byrt, Bishop & Carlin 1993) are for two grades only.
    """

    observed: float | None
    expected: float | None
    kappa_max: float | None
    pabak: float | None
    ac1: float | None
    prevalence: float | None
    bias: float | None


Diagnosis = Literal["policy", "teacher", "golden", "unrated"]


class Disagreement(Noun):
    """An item on which grader and golden set differ, with a diagnosis of the cause.

    `policy`: the raters differ too. `teacher`: the raters agree with the golden grade. `golden`: the raters
    agree with each other, but not with the golden grade. `unrated`: fewer than two ratings.
    """

    item: str
    query: str | None = None
    title: str | None = None
    golden: int
    grade: int
    draws: tuple[int | None, ...] = ()
    golden_action: str | None = None
    action: str | None = None
    diagnosis: Diagnosis
    ratings: dict[str, int] = Field(default={})
    golden_reasoning: str = ""
    reasoning: str = ""
    golden_clauses: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()


class Citing(Noun):
    """How often the grader cites what the golden reasoning cites, over `n` answers.

    `any` and `all`: the share that cites at least one, or every one, of the golden clauses.
    """

    n: int
    any: float | None
    all: float | None


class Citations(Noun):
    """Cited clauses, separately for right and wrong grades. `unknown`: clauses that the policy lacks."""

    right: Citing
    wrong: Citing
    unknown: dict[str, int]


class Repeats(Noun):
    """Repeated answers to the same pairs: does the grader agree with itself?

    Over items with two readable answers or more: `agreement` is the share of agreeing pairs of answers,
    `unanimous` that of items whose answers are all the same; `kappa` the mean pairwise kappa of repeats.
    """

    repeats: int
    aggregate: Aggregate
    n: int
    agreement: float | None
    unanimous: float | None
    unanimous_actions: float | None
    kappa: Estimate
    alpha: float | None


class Gate2(Gate):
    """Gate 2: does the grader agree with the golden set?

    With several answers per item (`repeats`), figures are means over the repeats and counts are sums;
    under `vote`, they are those of the most common answer.
    """

    gate: Literal[2] = 2
    n: int
    coverage: float
    outcomes: Outcomes
    ungraded_causes: dict[str, int]
    kappa_worst_case: float | None
    kappa_worst_case_ci: Interval | None = None
    accuracy: float | None
    mae: float | None
    bias: float | None
    confusion: Confusion
    per_grade: tuple[GradeScore, ...]
    boundaries: tuple[BoundaryScore, ...]
    actions: ActionScore | None
    never_grow: tuple[CellScore, ...] = ()
    per_tag: tuple[SliceScore, ...] = ()
    per_clause: tuple[SliceScore, ...] = ()
    floor: Floor
    diagnostics: Diagnostics
    ceiling: Ceiling | None = None
    diagnosis: dict[Diagnosis, int]
    misses: tuple[Disagreement, ...] = ()
    citations: Citations | None = None
    repeats: Repeats | None = None
    confidence: Confidence | None = None
    gate1: Verdict | None = None
    reasons: dict[str, Reason]
    no_actions: str | None = Field(None, exclude=True)
    """Why nothing is counted by the policy's actions, if it has any but does not say what they show."""
