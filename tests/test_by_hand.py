"""Small cases of the statistics, worked by hand or by scipy: signs, degrees of freedom, reasons, defaults."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from scipy import stats

from harness.nouns.base import Reason
from harness.report.disagreements import alternative_sentence
from harness.scorecards.ceiling import AltTest, AnnotatorScore
from harness.stats.abstention import alone
from harness.stats.agreement import (
    CONSTANT_RATER,
    NO_ITEMS,
    NO_VARIATION,
    Kappa,
    cohen_kappa,
    confusion,
    crossing,
    mean_kappa,
)
from harness.stats.alternative import alternative_annotator_test
from harness.stats.calibration import calibration
from harness.stats.ceiling import NO_REST, human_ceiling, leave_one_out
from harness.stats.diagnostics import diagnostics
from harness.stats.intervals import ONE_CLUSTER, KappaTable
from harness.stats.paired import (
    ALIKE,
    benjamini_yekutieli,
    delta_kappa,
    durkalski,
    holm,
    obuchowski,
    one_sided_limits,
    skewed_limits,
    skewness,
)
from harness.stats.planning import items_to_pass
from harness.stats.proportions import clopper_pearson
from harness.stats.raters import BELOW_ZERO, MISSING, coefficients, krippendorff_alpha, lower_median

M = MISSING
SCALE = (0, 1, 2)


def table(rows: list[int], columns: list[int], clusters: list[int] | None = None) -> KappaTable:
    at = np.arange(len(rows)) if clusters is None else np.array(clusters)
    return KappaTable(np.array(rows), np.array(columns), at, SCALE, "none")


# --- agreement -------------------------------------------------------------------------------------------


def test_counts_that_cross_a_line_are_those_on_different_sides_of_it() -> None:
    matrix = ((1, 2, 3), (4, 5, 6), (7, 8, 9))
    assert crossing(matrix, 1) == (2 + 3) + (4 + 7)
    assert crossing(matrix, 2) == (3 + 6) + (7 + 8)


def test_mean_of_kappas_keeps_a_reason_to_distrust_it() -> None:
    half, third = Kappa(Fraction(1, 2)), Kappa(Fraction(1, 3), CONSTANT_RATER)
    assert mean_kappa([half, third]) == Kappa(Fraction(5, 12), CONSTANT_RATER)
    assert mean_kappa([half, half]) == Kappa(Fraction(1, 2), None)
    assert mean_kappa([]) == Kappa(None, Reason("undefined", "there are fewer than two raters"))
    assert mean_kappa([half, Kappa(None, NO_ITEMS), Kappa(None, NO_VARIATION)]) == Kappa(None, NO_ITEMS)


# --- two runs ----------------------------------------------------------------------------------------------


def test_difference_has_the_two_sided_p_of_its_queries() -> None:
    golden = [0, 1, 2, 0, 1, 2, 0, 1, 2, 0, 1, 2]
    base = table(golden, [0, 1, 2, 0, 1, 2, 0, 1, 0, 0, 1, 2], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    candidate = table(golden, [0, 1, 2, 1, 1, 0, 0, 2, 2, 0, 1, 1], [0, 0, 1, 1, 2, 2, 3, 3, 4, 4, 5, 5])
    found = delta_kappa(base, candidate)
    assert found.value is not None and found.se is not None
    assert found.value < 0
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.value) / found.se, 5))


@pytest.mark.parametrize(("base", "candidate"), [([0, 1], [1, 1]), ([1, 1], [0, 1])])
def test_difference_of_a_kappa_that_is_undefined_has_its_reason(
    base: list[int], candidate: list[int]
) -> None:
    """Where the golden grades are one grade, a grader that gives no other has no kappa."""
    found = delta_kappa(table([1, 1], base), table([1, 1], candidate))
    assert (found.value, found.reason) == (None, NO_VARIATION)


def test_difference_on_one_query_has_a_value_alone() -> None:
    golden, right, wrong = [0, 1, 2], [0, 1, 2], [0, 1, 1]
    found = delta_kappa(table(golden, wrong, [0, 0, 0]), table(golden, right, [0, 0, 0]))
    assert (found.value, found.se, found.p, found.reason) == (0.5, None, None, ONE_CLUSTER)


def test_skewness_of_an_error_is_that_of_its_clusters() -> None:
    """As scipy has it for what each cluster adds, over the root of their number."""
    sums = np.array([0.0, 1, -2, 4, 0.5])
    phi = np.concatenate([sums - 3, np.full(5, 3.0)])
    found = skewness(phi, np.tile(np.arange(5), 2), 5)
    assert found == pytest.approx(stats.skew(sums) / np.sqrt(5))


def test_change_that_only_loses_has_the_lower_limit_of_its_count() -> None:
    """40 of 4,000 queries are lost: Poisson's upper 95 % limit of 40 (Garwood 1936). The upper one is t's."""
    golden = list(range(3)) * 1_333 + [0]
    lost = [(grade + (at < 40)) % 3 for at, grade in enumerate(golden)]
    base, candidate = table(golden, golden), table(golden, lost)
    found = delta_kappa(base, candidate)
    assert found.value is not None and found.se is not None
    low, high = skewed_limits(base, candidate, found.value, found.se)
    exact = stats.chi2.ppf(0.95, 2 * 41) / 2
    assert low / found.value == pytest.approx(exact / 40, rel=0.01)
    assert high == one_sided_limits(found.value, found.se, 4_000).high


def test_one_sided_limits_are_those_of_t() -> None:
    """t(0.95, 9) = 1.833113."""
    low, high = one_sided_limits(0.1, 0.02, 10)
    assert (low, high) == pytest.approx((0.1 - 1.8331129 * 0.02, 0.1 + 1.8331129 * 0.02))


def test_clustered_mcnemar_is_a_chi_square_on_one_degree_of_freedom() -> None:
    """d = 2, 1, -1: (2 / 3) 2^2 / 6, and as halves 1^2 / 1.5."""
    for found, value in (
        (obuchowski([2, 1, 0], [0, 0, 1]), 4 / 9),
        (durkalski([2, 1, 0], [0, 0, 1], [2, 2, 2]), 2 / 3),
    ):
        assert (found.value, found.df, found.p) == pytest.approx((value, 1, stats.chi2.sf(value, 1)))


def ends(found: Any) -> tuple[float, float]:
    """The interval."""
    return found.ci.low, found.ci.high


def test_difference_on_two_queries_has_an_interval_on_one_degree_of_freedom() -> None:
    golden, clusters = [0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 1]
    base, candidate = table(golden, [0, 1, 1, 0, 1, 1], clusters), table(golden, [0, 1, 2, 0, 2, 1], clusters)
    found = delta_kappa(base, candidate)
    assert found.value is not None and found.se is not None and found.se > 0
    half = stats.t.ppf(0.975, 1) * found.se
    assert ends(found) == pytest.approx((found.value - half, found.value + half))
    assert found.p == pytest.approx(2 * stats.t.sf(abs(found.value) / found.se, 1))


def test_difference_without_spread_has_no_interval() -> None:
    """Two queries with the same items in each: nothing tells them apart."""
    golden, clusters = [0, 1, 2, 0, 1, 2], [0, 0, 0, 1, 1, 1]
    base, candidate = table(golden, [0, 1, 1, 0, 1, 1], clusters), table(golden, golden, clusters)
    found = delta_kappa(base, candidate)
    assert (found.value, found.se, found.p, found.ci, found.reason) == (0.5, 0.0, None, None, ALIKE)
    same = delta_kappa(base, base)
    assert (same.value, same.se, same.p, same.ci, same.reason) == (0.0, 0.0, 1.0, None, ALIKE)


def test_adjusted_p_is_1_at_most() -> None:
    assert benjamini_yekutieli([1.0, 0.9, 0.8]) == [1.0, 1.0, 1.0]
    assert holm([1.0, 0.9, 0.8]) == [1.0, 1.0, 1.0]


def test_one_test_that_comes_twice_counts_once() -> None:
    assert holm([0.01, 0.02, 0.04]) == pytest.approx([0.03, 0.04, 0.04])
    assert holm([0.01, 0.04, 0.01, None], "abac") == pytest.approx([0.02, 0.04, 0.02, None])


# --- shares ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("x", "n", "low", "high"),
    [
        (0, 10, 0.0, 0.30849710),
        (1, 10, 0.00252858, 0.44501612),
        (5, 10, 0.18708603, 0.81291397),
        (10, 10, 0.69150290, 1.0),
        (10, 100, 0.04900469, 0.17622260),
        (0.5, 10, None, None),
        (9.5, 10, None, None),
    ],
)
def test_exact_interval_of_a_share(x: float, n: float, low: float | None, high: float | None) -> None:
    """Clopper & Pearson 1934, by R's binom.test; a part of an item by the beta distribution alone."""
    found = clopper_pearson(x, n)
    assert tuple(found) == pytest.approx(
        (
            stats.beta.ppf(0.025, x, n - x + 1) if low is None else low,
            stats.beta.ppf(0.975, x + 1, n - x) if high is None else high,
        ),
        abs=1e-8,
    )
    narrow = clopper_pearson(x, n, 0.5)
    assert found[0] <= narrow[0] <= narrow[1] <= found[1]


def test_bar_at_an_end_of_the_scale_takes_no_number_of_items() -> None:
    assert items_to_pass(0.2, 0.5, -1.0) is None
    assert items_to_pass(0.2, 1.0, 0.5) is None


# --- the human ceiling ------------------------------------------------------------------------------------

MODEL = np.array([0, 1, 2, 1, 0, 2, 1, 0])
RATINGS = np.array([[0, 0], [1, 1], [2, 1], [1, 1], [0, 0], [2, 2], [0, 1], [0, 0]])


def test_ceiling_is_unweighted_unless_it_is_told() -> None:
    at = np.arange(8)
    plain = human_ceiling(MODEL, RATINGS, at, SCALE, least=1)
    assert plain == human_ceiling(MODEL, RATINGS, at, SCALE, "none", least=1)
    assert plain != human_ceiling(MODEL, RATINGS, at, SCALE, "quadratic", least=1)
    three = np.column_stack([RATINGS, RATINGS[:, 1]])
    one = leave_one_out(MODEL, three, at, SCALE)
    assert one == leave_one_out(MODEL, three, at, SCALE, "none")
    assert one != leave_one_out(MODEL, three, at, SCALE, "quadratic")


def test_two_queries_are_enough_for_an_interval() -> None:
    found = human_ceiling(MODEL, RATINGS, np.array([0, 0, 0, 0, 1, 1, 1, 1]), SCALE, least=1)
    assert (found.clusters, found.delta.reason) == (2, None)
    assert found.delta.se is not None and found.delta.se > 0


def test_ceiling_without_a_rater_has_no_item() -> None:
    found = human_ceiling(MODEL, np.empty((8, 0), dtype=np.int64), np.arange(8), SCALE, least=1)
    assert (found.n, found.clusters, found.model.value, found.delta.value) == (0, 0, None, None)
    assert found.delta.reason == found.model.reason


@pytest.mark.parametrize("constant", ["model", "raters"])
def test_ceiling_that_is_undefined_has_the_reason_of_the_mean_that_is(constant: str) -> None:
    """Grades on items where a pair of graders gives one grade alone have no kappa."""
    ones = np.ones(4, dtype=np.int64)
    varied = np.array([0, 1, 2, 1])
    if constant == "raters":
        found = human_ceiling(varied, np.column_stack([ones, ones]), np.arange(4), SCALE, least=1)
        assert (found.model.value, found.raters.value, found.delta.reason) == (0.0, None, NO_VARIATION)
    else:
        gaps = np.column_stack([np.array([1, 1, M, M]), np.array([1, 1, 0, 2])])
        model = np.array([1, 1, M, M])
        found = human_ceiling(model, gaps, np.arange(4), SCALE, least=1)
        assert (found.model.value, found.delta.reason) == (None, NO_VARIATION)


def test_undefined_model_is_told_before_what_ails_the_raters() -> None:
    found = human_ceiling(np.full(8, M), RATINGS, np.arange(8), SCALE, least=1)
    assert found.delta.reason == found.model.reason == NO_ITEMS


def test_rater_without_two_others_is_named_with_a_reason() -> None:
    found = leave_one_out(MODEL, RATINGS, np.arange(8), SCALE)
    assert [one.rater for one in found] == [0, 1]
    for one in found:
        assert (one.n, one.clusters, one.p, one.p_holm) == (0, 0, None, None)
        assert one.model == one.own == Kappa(None, NO_REST)
        assert (one.delta.value, one.delta.reason) == (None, NO_REST)


# --- calibration ------------------------------------------------------------------------------------------


def test_one_item_without_any_probability_among_others_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="without any probability"):
        calibration([[0.5, 0.5, 0.0], [0.0, 0.0, 0.0]], [0, 0], [0, 0], SCALE)


def test_kappa_is_unweighted_unless_it_is_told() -> None:
    matrix = confusion([0, 1, 2, 2], [0, 2, 2, 1], SCALE)
    assert cohen_kappa(matrix, SCALE) == cohen_kappa(matrix, SCALE, "none")
    assert cohen_kappa(matrix, SCALE) != cohen_kappa(matrix, SCALE, "quadratic")


# --- several raters ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratings", "median"),
    [
        ([M, M, M, M], M),
        ([2, M, M, M], 2),
        ([2, M, 0, M], 0),
        ([2, 1, 0, M], 1),
        ([3, 1, 0, 2], 1),
        ([3, 3, 0, 3], 3),
    ],
)
def test_lower_median_is_a_grade_that_somebody_gave(ratings: list[int], median: int) -> None:
    assert lower_median(np.array([ratings])).tolist() == [median]


def test_lower_median_of_five_and_six() -> None:
    found = lower_median(np.array([[4, 0, 3, 1, 2, M], [5, 4, 3, 2, 1, 0]]))
    assert found.tolist() == [2, 2]


def test_conger_of_two_raters_is_cohens_kappa() -> None:
    ratings = np.array([[0, 0], [1, 2], [2, 2], [0, 1], [1, 1], [2, 0]])
    one, other = ratings.T.tolist()
    kappa = cohen_kappa(confusion(one, other, SCALE), SCALE).value
    assert coefficients(ratings, SCALE).conger.value == pytest.approx(kappa)


def test_items_that_nobody_rated_play_no_part() -> None:
    ratings = np.array([[0, 0, M], [1, 2, 1], [2, 2, 2], [0, M, 1]])
    gaps = np.vstack([ratings, [[M, M, M]] * 3])
    assert coefficients(ratings, SCALE, "linear") == coefficients(gaps, SCALE, "linear")
    for metric in ("nominal", "ordinal", "interval", "ratio"):
        assert krippendorff_alpha(ratings, SCALE, metric) == krippendorff_alpha(gaps, SCALE, metric)


def test_ratio_metric_takes_0_and_no_negative_grade() -> None:
    """Of two ratings (0, 1), (1, 1), (2, 2): delta is 1 from 0 to anything, and 1/9 from 1 to 2.

    The totals are 1, 3, 2 of N = 6, so that alpha is 1 - 5 x 2 / (2 (1 x 3 + 1 x 2 + 3 x 2 / 9)).
    """
    ratings = np.array([[0, 1], [1, 1], [2, 2]])
    assert krippendorff_alpha(ratings, (0, 1, 2), "ratio").value == pytest.approx(1 - 10 / (2 * (5 + 6 / 9)))
    for metric in ("nominal", "ordinal", "interval"):
        assert krippendorff_alpha(ratings, (-1, 0, 1), metric).value is not None
    below = krippendorff_alpha(ratings, (-1, 0, 1), "ratio")
    assert (below.value, below.reason) == (None, BELOW_ZERO)


def test_bias_and_prevalence_are_for_two_grades_alone() -> None:
    two = diagnostics(((5, 1), (2, 4)))
    assert two.prevalence == pytest.approx(1 / 12)
    assert two.bias == pytest.approx(1 / 12)
    three = diagnostics(((5, 1, 0), (2, 4, 0), (0, 0, 3)))
    assert (three.prevalence, three.bias) == (None, None)


# --- the alternative annotator test ------------------------------------------------------------------------


def alternative(ratings: Any, clusters: Any, epsilon: float = 0.1) -> AltTest:
    """The test of a model that grades as the first annotator does."""
    model = ratings[:, 0] if ratings.shape[1] else np.zeros(len(ratings), dtype=np.int64)
    return alternative_annotator_test(model, ratings, clusters, SCALE, "accuracy", epsilon, "abcdefgh")


FOUR = np.array([[at % 3, at % 3, (at + (at % 4 == 0)) % 3, (at + (at % 5 == 0)) % 3] for at in range(60)])


def test_epsilon_is_a_difference_of_two_shares() -> None:
    at = np.arange(60)
    for epsilon in (0.0, 1.0):
        assert alternative(FOUR, at, epsilon).passed is not None
    for epsilon in (-0.01, 1.01):
        with pytest.raises(AssertionError, match="difference of two shares"):
            alternative(FOUR, at, epsilon)


def test_too_few_annotators_are_told_with_their_items() -> None:
    few = np.where(np.arange(60)[:, None] < (60, 60, 29, 0), FOUR, M)
    found = alternative(few, np.arange(60))
    assert (found.passed, found.winning_rate, found.advantage) == (None, None, None)
    assert found.reason == (
        "undefined: the test takes 3 annotators with 30 items each; here: annotator 0 with 60, "
        "annotator 1 with 60, annotator 2 with 29, annotator 3 with 0"
    )
    nobody = alternative(np.empty((60, 0), dtype=np.int64), np.arange(60))
    assert (nobody.reason or "").endswith("here: none")


def test_two_queries_are_enough_for_a_clustered_p() -> None:
    for clusters, several in ((np.arange(60) % 2, True), (np.zeros(60, dtype=np.int64), False)):
        for one in alternative(FOUR, clusters).annotators:
            assert (one.p_clustered is not None) == several


@pytest.mark.parametrize(
    ("clustered", "said"),
    [((0.3, 0.04), "p up to 0.01; up to 0.3 clustered by query"), ((None, None), "none for one query alone")],
)
def test_alternative_test_says_what_it_takes_for_granted(
    clustered: tuple[float | None, ...], said: str
) -> None:
    raters = tuple(
        AnnotatorScore(rater="r", n=60, grader=0.9, rater_share=0.8, p=p, p_clustered=other, rejected=True)
        for p, other in zip((0.001, 0.01), clustered, strict=True)
    )
    test = AltTest(epsilon=0.1, winning_rate=1.0, advantage=0.9, passed=True, annotators=raters)
    found = alternative_sentence(test) or ""
    assert "(epsilon 0.1): could replace 100% of the raters, passed; as published it takes items as" in found
    assert said in found
    nothing = AltTest(epsilon=0.1, winning_rate=None, advantage=None, passed=None)
    assert alternative_sentence(nothing) is None


def test_just_enough_items_with_an_error_among_them_are_too_risky_and_not_too_few() -> None:
    """117 without an error would show a risk below 5 %."""
    wrong = np.zeros(117, dtype=np.int64)
    wrong[0] = 1
    assert "at no coverage" in (alone(np.arange(117), wrong, 0.05).reason or "")
    assert "are too few" in (alone(np.arange(116), wrong[:116], 0.05).reason or "")
