"""What the gates found: the objects that `--json` prints. Their keys are contract (docs/json.md).

A number that is undefined is None, and `reason` or `reasons` says why.
"""

from typing import Literal

from harness.noun import Band, Noun, Weighting

Verdict = Literal["pass", "fail", "inconclusive"]


class Estimate(Noun):
    """A statistic with its 95 % interval and standard error; `reason` for whatever of it is missing."""

    value: float | None
    ci: tuple[float, float] | None = None
    se: float | None = None
    reason: str | None = None


class Confusion(Noun):
    """Counts: `matrix[i][j]` items have the row label i and the column label j."""

    labels: tuple[int, ...]
    matrix: tuple[tuple[int, ...], ...]


class PairAgreement(Noun):
    """Two raters on the items that both rated. `counted`: whether the mean takes them in."""

    raters: tuple[str, str]
    n: int
    kappa: float | None
    kappa_linear: float | None
    kappa_quadratic: float | None
    ci: tuple[float, float] | None = None
    counted: bool
    reason: str | None = None


class Alpha(Noun):
    """Krippendorff's alpha under three metrics."""

    nominal: float | None
    ordinal: float | None
    interval: float | None


class RaterBias(Noun):
    """A rater against the lower median of the others, where two or more others rated.

    `bias` is the mean of the rater's grade minus theirs; `kappa_vs_rest` has linear weights.
    """

    rater: str
    n: int
    bias: float | None
    kappa_vs_rest: float | None
    reason: str | None = None


class Dispute(Noun):
    """An item on which raters differ."""

    item: str
    grades: dict[str, int]


class Gate(Noun):
    """What both gates report: the verdict's parts, and kappa under each weighting."""

    gate: Literal[1, 2]
    verdict: Verdict | None
    band: Band | None
    reason: str | None
    bar: float
    weighting: Weighting
    gated: Literal["kappa", "kappa_linear", "kappa_quadratic"]
    n_clusters: int
    kappa: Estimate
    kappa_linear: Estimate
    kappa_quadratic: Estimate
    warnings: tuple[str, ...] = ()


class Gate1(Gate):
    """Do the raters agree: is the policy clear? Kappas are means over pairs of raters.

    `provisional`: why the answer is none about people, where raters are not known to be people.
    """

    gate: Literal[1] = 1
    provisional: str | None = None
    n_items: int
    raters: tuple[str, ...]
    pairs: tuple[PairAgreement, ...]
    alpha: Alpha
    fleiss: float | None
    conger: float | None
    ac1: float | None
    ac2: float | None
    rater_bias: tuple[RaterBias, ...]
    reasons: dict[str, str]
    confusion: Confusion
    disputed: tuple[Dispute, ...]


class Outcomes(Noun):
    """How many items ended in each way."""

    graded: int
    ungraded: int
    failed: int


class GradeScore(Noun):
    """One grade: of those given it, how many are right; of those that are it, how many were given it."""

    grade: int
    precision: float | None
    recall: float | None
    f1: float | None
    support: int


class BoundaryScore(Noun):
    """Agreement on whether a grade is `at_least` this high."""

    at_least: int
    kappa: float | None
    reason: str | None = None


class ActionScore(Noun):
    """Agreement on what the user would see: rows golden, columns teacher."""

    kappa: float | None
    labels: tuple[str, ...]
    matrix: tuple[tuple[int, ...], ...]
    reason: str | None = None


class Gate2(Gate):
    """Does the grader agree with the golden set: does it encode the policy?"""

    gate: Literal[2] = 2
    n: int
    coverage: float
    outcomes: Outcomes
    ungraded_causes: dict[str, int]
    kappa_worst_case: float | None
    accuracy: float | None
    mae: float | None
    bias: float | None
    confusion: Confusion
    per_grade: tuple[GradeScore, ...]
    boundaries: tuple[BoundaryScore, ...]
    actions: ActionScore | None
    gate1: Verdict | None = None
    reasons: dict[str, str]
