"""The human ceiling in Gate 2's scorecard."""

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.shared import Estimate


class AgainstRest(Noun):
    """One rater and the grader, each against the lower median of the other raters.

    `p` is two-sided, `p_holm` corrected over the raters.
    """

    rater: str
    n: int
    grader: float | None
    rater_kappa: float | None
    delta: float | None
    ci: Interval | None
    p: float | None
    p_holm: float | None
    reason: Reason | None = None


class AnnotatorScore(Noun):
    """One rater in the alternative annotator test.

    `grader` and `rater_share`: how often each of the two is at least as close to the others.
    `p` tests rater minus grader < epsilon, and treats items as independent, as published; `p_clustered` does
    not, and is None for one query alone. `rejected`: the grader wins, by Benjamini and Yekutieli's p.
    """

    rater: str
    n: int
    grader: float
    rater_share: float
    p: float
    p_clustered: float | None
    rejected: bool


class AltTest(Noun):
    """The alternative annotator test (Calderon, Reichart & Dror 2025), with its declared epsilon.

    `winning_rate` is the share of raters that the grader could replace; 0.5 or more passes.
    `advantage` is the mean of the raters' `grader`.
    """

    epsilon: float | None
    winning_rate: float | None
    advantage: float | None
    passed: bool | None
    annotators: tuple[AnnotatorScore, ...] = ()
    reason: Reason | None = None


class Ceiling(Noun):
    """The human ceiling: how far raters agree with each other on the items that the grader graded.

    `delta` is the mean kappa of grader and rater minus that of rater and rater, paired and clustered;
    `as_good` is whether its lower limit is above minus the margin. Both and `rater` need 30 items that two
    raters rated (`shared`), or are undefined, as `delta.reason` says; `grader` needs 30 that one rated (`n`).
    """

    n: int
    shared: int
    raters: tuple[str, ...]
    provisional: str | None
    grader: float | None
    rater: float | None
    delta: Estimate
    margin: float
    as_good: bool | None
    leave_one_out: tuple[AgainstRest, ...]
    alt_test: AltTest
