"""The human ceiling and the alternative annotator test, by hand, against scipy and in simulation."""

import math
from typing import Any

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from one_kappa import kappa_spread

from harness.nouns.base import Weighting
from harness.scorecards.ceiling import AltTest
from harness.stats.agreement import CONSTANT_RATER, NO_ITEMS, NO_VARIATION, cohen_kappa, confusion
from harness.stats.alternative import Scoring, alternative_annotator_test
from harness.stats.ceiling import NO_REST, HumanCeiling, human_ceiling, leave_one_out
from harness.stats.intervals import ONE_CLUSTER, KappaTable, mean_spread
from harness.stats.paired import ALIKE, benjamini_yekutieli, holm
from harness.stats.raters import MISSING

Ints = NDArray[np.int64]
Panel = tuple[Ints, Ints, Ints]
"""A model's grades, several raters' and the items' clusters."""

SCALE = (0, 1, 2, 3, 4)
NAMES = "abcdefgh"
WEIGHTINGS: tuple[Weighting, ...] = ("none", "linear", "quadratic")
SCORINGS: tuple[Scoring, ...] = ("accuracy", "neg_rmse")
M = MISSING


def panel(seed: int, queries: int = 40, model_noise: float = 0.0, missing: float = 0.0) -> Panel:
    """Four items a query; three raters and a model that each misread the one query or the other as a whole.

    `model_noise` is the share of its grades that are drawn at random besides, `missing` that of all grades
    that are not there.
    """
    rng = np.random.default_rng(seed)
    clusters = np.repeat(np.arange(queries), 4)
    n = len(clusters)
    truth = rng.integers(5, size=n)
    misread = rng.random((queries, 4)) < 0.2
    astray = misread[clusters] | (rng.random((n, 4)) < 0.05)
    astray[:, 0] |= rng.random(n) < model_noise
    grades = np.where(astray, rng.integers(5, size=(n, 4)), truth[:, None])
    grades[rng.random((n, 4)) < missing] = MISSING
    return grades[:, 0], grades[:, 1:], clusters


def ceiling(one: Panel, weighting: Weighting = "none", least: int = 30) -> HumanCeiling:
    return human_ceiling(*one, SCALE, weighting, least=least)


def kappa(one: Ints, other: Ints, weighting: Weighting = "none") -> float:
    both = (one != MISSING) & (other != MISSING)
    value = cohen_kappa(confusion(one[both].tolist(), other[both].tolist(), SCALE), SCALE, weighting).value
    assert value is not None
    return value


def numbers(found: HumanCeiling) -> list[Any]:
    delta = found.delta
    return [found.model.value, found.raters.value, delta.value, delta.se, *(delta.ci or ())]


def rows(one: Panel, at: Any) -> Panel:
    return one[0][at], one[1][at], one[2][at]


def renumbered(one: Panel, seed: int) -> Panel:
    """The same items in another order, their clusters under other numbers, some of them unused."""
    rng = np.random.default_rng(seed)
    names = rng.permutation(2 * (int(one[2].max()) + 1))
    model, ratings, clusters = rows(one, rng.permutation(len(one[0])))
    return model, ratings, names[clusters]


# --- the ceiling ---------------------------------------------------------------------------------

SMALL: Panel = (np.array([0, 0, 1, 1]), np.array([[0, 0], [0, 1], [1, 1], [1, 0]]), np.arange(4))


def test_ceiling_of_four_items_is_that_by_hand() -> None:
    """kappa(model, 1) = 1, kappa(model, 2) = kappa(1, 2) = 0: every margin is even."""
    found = ceiling(SMALL)
    assert (found.model.value, found.raters.value, found.delta.value) == (0.5, 0.0, 0.5)
    # phi(1, 2) is +1 where they agree and -1 where not; phi(model, 1) is 0; so delta's is -phi / 2.
    se = math.sqrt(4 / 3 * 4 * 0.25) / 4
    assert found.delta.se == pytest.approx(se)
    assert found.delta.ci is not None
    assert found.delta.ci.high == pytest.approx(0.5 + 3.182446305284263 * se)
    assert (found.n, found.clusters) == (4, 4)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_model_that_repeats_one_of_two_raters_is_half_of_the_rest_above_them(weighting: Weighting) -> None:
    """Mean of 1 and kappa, minus kappa: (1 - kappa) / 2, with half of kappa's own error."""
    _, ratings, clusters = panel(1)
    ratings = ratings[:, :2]
    found = ceiling((ratings[:, 0], ratings, clusters), weighting)
    table = KappaTable(ratings[:, 0], ratings[:, 1], clusters, SCALE, weighting)
    alone = kappa_spread(table).se
    assert found.delta.value == pytest.approx((1 - float(table.kappa.exact or 0)) / 2)
    assert alone is not None
    assert found.delta.se == pytest.approx(alone / 2)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_difference_is_that_of_the_two_means(missing: float, weighting: Weighting) -> None:
    model, ratings, clusters = panel(2, model_noise=0.3, missing=missing)
    found = ceiling((model, ratings, clusters), weighting)
    graded = ratings[model != MISSING]
    of_model = np.mean([kappa(model, ratings[:, h], weighting) for h in range(3)])
    of_raters = np.mean([kappa(graded[:, a], graded[:, b], weighting) for a, b in ((0, 1), (0, 2), (1, 2))])
    assert found.model.value == pytest.approx(of_model)
    assert found.raters.value == pytest.approx(of_raters)
    assert found.delta.value == pytest.approx(of_model - of_raters)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_error_is_that_of_a_cluster_jackknife(missing: float, weighting: Weighting) -> None:
    one = panel(3, queries=150, model_noise=0.3, missing=missing)
    found = ceiling(one, weighting)
    names = np.unique(one[2])
    left = np.array([ceiling(rows(one, one[2] != name), weighting).delta.value for name in names])
    jackknife = math.sqrt((len(names) - 1) / len(names) * float(((left - left.mean()) ** 2).sum()))
    assert found.delta.se == pytest.approx(jackknife, rel=0.03)


def test_pairing_makes_the_error_smaller_than_two_separate_means_would() -> None:
    one = panel(3, queries=150)
    model, ratings, clusters = one
    every = np.arange(len(model))
    of_model = [KappaTable(model, column, clusters, SCALE, "none") for column in ratings.T]
    of_raters = [KappaTable(ratings[:, h], ratings[:, h - 1], clusters, SCALE, "none") for h in range(3)]
    parts = [mean_spread(part, [every] * 3, len(every), clusters).se for part in (of_model, of_raters)]
    apart = math.hypot(*[se for se in parts if se is not None])
    assert ceiling(one).delta.se < 0.8 * apart  # type: ignore[operator]


def test_fair_extra_rater_is_at_the_ceiling_and_a_worse_one_below() -> None:
    """95 % intervals hold 0 about as often as they say; with each item a query of its own, far from it."""
    panels = [panel(seed) for seed in range(200)]
    found = [ceiling(one).delta for one in panels]
    apart = [ceiling((model, ratings, np.arange(len(model)))).delta for model, ratings, _ in panels]
    held, held_apart = (
        np.mean([one.ci is not None and one.ci.low <= 0 <= one.ci.high for one in some])
        for some in (found, apart)
    )
    assert abs(np.mean([one.value for one in found])) < 0.01
    assert 0.91 <= held <= 0.985
    assert held_apart < 0.85
    worse = ceiling(panel(7, model_noise=0.4)).delta
    assert worse.ci is not None
    assert worse.ci.high < 0


def test_constant_model_has_kappa_0_and_no_interval() -> None:
    model, ratings, clusters = panel(4)
    found = ceiling((np.full_like(model, 2), ratings, clusters))
    assert found.model.value == 0
    assert found.delta.value == -found.raters.value  # type: ignore[operator]
    assert (found.delta.se, found.delta.ci, found.delta.reason) == (None, None, CONSTANT_RATER)


def test_items_without_a_model_grade_or_a_rating_play_no_part() -> None:
    one = panel(5, missing=0.2)
    ungraded = (np.full(9, M), np.full((9, 3), 4), np.full(9, 700))
    unrated = (np.zeros(9, dtype=np.int64), np.full((9, 3), M), np.full(9, 800))
    longer = tuple(np.concatenate(parts) for parts in zip(one, ungraded, unrated, strict=True))
    assert ceiling(longer) == ceiling(one)  # type: ignore[arg-type]
    assert ceiling(one).n == int(((one[0] != M) & (one[1] != M).any(axis=1)).sum())


def test_raters_are_compared_only_where_the_model_graded() -> None:
    model, ratings, clusters = panel(6)
    model = np.where(np.arange(len(model)) < 80, model, M)
    found = ceiling((model, ratings, clusters))
    assert found == ceiling((model[:80], ratings[:80], clusters[:80]))
    assert (found.n, found.clusters) == (80, 20)


def test_pair_with_few_common_items_is_left_out_where_another_has_enough() -> None:
    model, ratings, clusters = panel(8)
    ratings[29:, 2] = M
    found, every = ceiling((model, ratings, clusters)), ceiling((model, ratings, clusters), least=29)
    assert found == ceiling((model, ratings[:, :2], clusters))
    assert every.model != found.model and every.raters != found.raters
    assert every.delta.value != found.delta.value
    few = rows((model, ratings, clusters), np.arange(29))
    assert ceiling(few) == ceiling(few, least=0)


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_order_of_items_and_numbers_of_clusters_play_no_part(missing: float) -> None:
    one = panel(9, model_noise=0.2, missing=missing)
    other = renumbered(one, seed=1)
    assert numbers(ceiling(other)) == pytest.approx(numbers(ceiling(one)))
    assert ceiling(other).clusters == ceiling(one).clusters
    for a, b in zip(leave_one_out(*one, SCALE), leave_one_out(*other, SCALE), strict=True):
        assert (a.n, a.clusters, a.model) == (b.n, b.clusters, b.model)
        assert [a.delta.se, a.p_holm] == pytest.approx([b.delta.se, b.p_holm])
    plain, mixed = alternative(one, 0.1), alternative(other, 0.1)
    for x, y in zip(plain.annotators, mixed.annotators, strict=True):
        assert [x.p, x.p_clustered] == pytest.approx([y.p, y.p_clustered])


def test_items_of_one_query_count_as_less_than_as_many_queries() -> None:
    model, ratings, clusters = panel(10)
    twice = tuple(np.concatenate([part, part]) for part in (model, ratings, clusters))
    one, other = ceiling((model, ratings, clusters)), ceiling(twice)  # type: ignore[arg-type]
    assert other.delta.se == pytest.approx(one.delta.se)
    apart = (twice[0], twice[1], np.concatenate([clusters, clusters + 40]))
    assert ceiling(apart).delta.se < 0.75 * one.delta.se  # type: ignore[operator]


@pytest.mark.parametrize(
    ("model", "ratings", "clusters", "reason"),
    [
        pytest.param([0, 1, 2], [[0], [1], [1]], [0, 1, 2], "fewer than two raters", id="one rater"),
        pytest.param([0, 1, 2], [[0, M], [1, M], [M, 1]], [0, 1, 2], NO_ITEMS, id="no common item"),
        pytest.param([M, M], [[0, 1], [1, 0]], [0, 1], NO_ITEMS, id="no model grade"),
        pytest.param([2, 2], [[2, 2], [2, 2]], [0, 1], NO_VARIATION, id="no variation"),
    ],
)
def test_ceiling_without_two_means_is_undefined(
    model: list[int], ratings: list[list[int]], clusters: list[int], reason: str
) -> None:
    found = ceiling((np.array(model), np.array(ratings), np.array(clusters)))
    assert (found.delta.value, found.delta.se) == (None, None)
    assert reason in (found.delta.reason or "")


def test_one_query_and_full_agreement_have_a_value_and_no_interval() -> None:
    one_query = ceiling((SMALL[0], SMALL[1], np.zeros(4, dtype=np.int64)))
    assert (one_query.delta.value, one_query.delta.se, one_query.delta.reason) == (0.5, None, ONE_CLUSTER)
    same = np.arange(5)
    agreed = ceiling((same, np.stack([same] * 3, axis=1), same)).delta
    assert (agreed.value, agreed.se, agreed.ci, agreed.reason) == (0.0, 0.0, None, ALIKE)


# --- leaving one out -----------------------------------------------------------------------------


def test_rest_is_the_lower_median_of_two_others_or_more() -> None:
    """Rater 0's rest: of 4, 1, 1 and 4, 1, 2 the middle, of 0, 0 and 4, 3 the lower; then one other only."""
    ratings = np.array([[1, 4, 1, 1], [0, 4, 1, 2], [0, 0, 0, M], [3, M, 4, 3], [4, M, M, 2]])
    model = np.array([1, 2, 0, 4, 0])
    found = leave_one_out(model, ratings, np.arange(5), SCALE)[0]
    rest = np.array([1, 2, 0, 3])
    assert (found.n, found.clusters) == (4, 4)
    assert found.model.value == kappa(model[:4], rest)
    assert found.own.value == kappa(ratings[:4, 0], rest)
    assert found.delta.value == pytest.approx(kappa(model[:4], rest) - kappa(ratings[:4, 0], rest))


def test_leaving_one_out_tests_each_rater_with_t_and_adjusts_by_holm() -> None:
    found = leave_one_out(*panel(11, model_noise=0.5, missing=0.1), SCALE, "linear")
    for one in found:
        assert one.delta.value is not None and one.delta.se is not None and one.delta.ci is not None
        t = one.delta.value / one.delta.se
        assert one.p == pytest.approx(2 * scipy.stats.t.sf(abs(t), one.clusters - 1))
        assert (one.p < 0.05) == (not one.delta.ci.low <= 0 <= one.delta.ci.high)  # type: ignore[operator]
    assert [one.p_holm for one in found] == holm([one.p for one in found if one.p is not None])
    assert min(one.p for one in found if one.p is not None) < 0.05
    assert [one.rater for one in found] == [0, 1, 2]


def test_error_of_leaving_one_out_is_that_of_a_cluster_jackknife() -> None:
    one = panel(12, queries=150, model_noise=0.3, missing=0.1)
    found = leave_one_out(*one, SCALE)[1]
    names = np.unique(one[2])
    left = np.array([leave_one_out(*rows(one, one[2] != name), SCALE)[1].delta.value for name in names])
    jackknife = math.sqrt((len(names) - 1) / len(names) * float(((left - left.mean()) ** 2).sum()))
    assert found.delta.se == pytest.approx(jackknife, rel=0.03)


def test_model_that_repeats_a_rater_does_not_differ_from_it() -> None:
    _, ratings, clusters = panel(13)
    same, *others = leave_one_out(ratings[:, 0], ratings, clusters, SCALE)
    assert (same.delta.value, same.delta.se, same.p, same.p_holm) == (0.0, 0.0, 1.0, 1.0)
    assert (same.delta.ci, same.delta.reason) == (None, ALIKE)
    assert all(one.delta.value != 0 and one.p is not None and one.p < 1 for one in others)


def test_rater_who_cannot_be_tested_has_a_reason_and_does_not_burden_the_others() -> None:
    model, ratings, clusters = panel(14, model_noise=0.2)
    alone = np.column_stack([ratings, np.full(len(model), M)])
    assert leave_one_out(model, alone, clusters, SCALE)[:3] == leave_one_out(model, ratings, clusters, SCALE)
    last = leave_one_out(model, alone, clusters, SCALE)[3]
    assert (last.n, last.p, last.p_holm, last.delta.reason) == (0, None, None, NO_REST)
    for one in leave_one_out(np.full_like(model, 3), ratings, clusters, SCALE):
        assert (one.model.value, one.delta.se, one.p) == (0, None, None)
        assert one.delta.reason == CONSTANT_RATER
    for one in leave_one_out(model, ratings, np.zeros_like(clusters), SCALE):
        assert (one.delta.reason, one.p) == (ONE_CLUSTER, None)
        assert one.delta.value is not None


def test_difference_without_spread_has_no_p() -> None:
    """kappa 1 against kappa -1: every item has the same influence on both."""
    rest = np.array([0, 1, 0, 1])
    first, *_ = leave_one_out(rest, np.column_stack([1 - rest, rest, rest]), np.arange(4), SCALE)
    assert (first.delta.value, first.delta.se, first.p, first.delta.reason) == (2.0, 0.0, None, ALIKE)


# --- the alternative annotator test --------------------------------------------------------------


def alternative(one: Panel, epsilon: float, scoring: Scoring = "accuracy") -> AltTest:
    return alternative_annotator_test(*one, SCALE, scoring, epsilon, NAMES)


def by_definition(one: Panel, scale: tuple[int, ...], scoring: Scoring, epsilon: float) -> list[Any]:
    """The paper's procedure, item by item: (p, mean W_model, mean W_own) of each annotator."""
    model, ratings, _ = one
    found = []
    for h in range(ratings.shape[1]):
        wins, own = [], []
        for i in range(len(model)):
            rest = [scale[int(g)] for k, g in enumerate(ratings[i]) if k != h and g != MISSING]
            if model[i] == MISSING or ratings[i, h] == MISSING or not rest:
                continue
            scores = []
            for grade in (scale[int(model[i])], scale[int(ratings[i, h])]):
                if scoring == "accuracy":
                    scores.append(float(np.mean([grade == other for other in rest])))
                else:
                    scores.append(-math.sqrt(float(np.mean([(grade - other) ** 2 for other in rest]))))
            wins.append(int(scores[0] >= scores[1]))
            own.append(int(scores[1] >= scores[0]))
        d = np.array(own) - np.array(wins)
        p = scipy.stats.ttest_1samp(d, epsilon, alternative="less").pvalue
        found.append((float(p), float(np.mean(wins)), float(np.mean(own))))
    return found


@pytest.mark.parametrize("scoring", SCORINGS)
@pytest.mark.parametrize("epsilon", [0.0, 0.1, 0.2])
@pytest.mark.parametrize("missing", [0.0, 0.25])
def test_alternative_test_is_that_of_the_paper(scoring: Scoring, epsilon: float, missing: float) -> None:
    one = panel(15, model_noise=0.1, missing=missing)
    found = alternative_annotator_test(*one, SCALE, scoring, epsilon, NAMES)
    want = by_definition(one, SCALE, scoring, epsilon)
    for annotator, (p, model_wins, own_wins) in zip(found.annotators, want, strict=True):
        assert (annotator.grader, annotator.rater_share) == (model_wins, own_wins)
        assert annotator.p == pytest.approx(p, rel=1e-9)
    adjusted = scipy.stats.false_discovery_control([p for p, *_ in want], method="by")
    assert [one.rejected for one in found.annotators] == [p <= 0.05 for p in adjusted]
    assert found.winning_rate == pytest.approx(np.mean(adjusted <= 0.05))
    assert found.advantage == pytest.approx(np.mean([model_wins for _, model_wins, _ in want]))


@pytest.mark.parametrize(
    ("seed", "epsilon", "first", "last"), [(1, 0.15, 0.0496, 1e-4), (44, 0.1, 0.0325, 0.0504)]
)
def test_a_false_discovery_rate_of_a_twentieth_is_enough(
    seed: int, epsilon: float, first: float, last: float
) -> None:
    one = panel(seed)
    adjusted = scipy.stats.false_discovery_control(
        [p for p, *_ in by_definition(one, SCALE, "accuracy", epsilon)], method="by"
    )
    assert (adjusted[0], adjusted[-1]) == pytest.approx((first, last), abs=5e-5)
    rejected = [each.rejected for each in alternative(one, epsilon).annotators]
    assert rejected == [True, True, last < 0.05]


def test_distance_is_in_grades_and_not_in_positions() -> None:
    """The rest says 1, the annotator 0 and the model 10: one position off each, but not as far."""
    model, ratings, clusters = np.full(30, 2), np.tile([0, 1, 1], (30, 1)), np.arange(30)
    first, *_ = alternative_annotator_test(
        model, ratings, clusters, (0, 1, 10), "neg_rmse", 0.2, NAMES
    ).annotators
    assert (first.grader, first.rater_share, first.p) == (0.0, 1.0, 1.0)
    first, *_ = alternative_annotator_test(
        model, ratings, clusters, (0, 1, 10), "accuracy", 0.2, NAMES
    ).annotators
    assert (first.grader, first.rater_share, first.p) == (1.0, 1.0, 0.0)


def test_ties_credit_both() -> None:
    _, ratings, clusters = panel(16)
    found = alternative((ratings[:, 0], ratings, clusters), 0.1)
    same = found.annotators[0]
    assert (same.grader, same.rater_share) == (1.0, 1.0)
    assert (same.p, same.p_clustered, same.rejected) == (0.0, 0.0, True)


@pytest.mark.parametrize(("epsilon", "p"), [(0.0, 1.0), (0.1, 0.0)])
def test_without_variance_the_mean_decides(epsilon: float, p: float) -> None:
    grades = np.arange(30) % 5
    found = alternative((grades, np.stack([grades] * 3, axis=1), np.arange(30) // 3), epsilon)
    assert [(one.p, one.p_clustered) for one in found.annotators] == [(p, p)] * 3
    assert (found.winning_rate, found.advantage, found.passed) == (1 - p, 1.0, p == 0)


def test_model_as_good_as_the_rest_passes_and_a_random_one_fails() -> None:
    one = panel(17)
    good = alternative(one, 0.2)
    assert (good.passed, good.winning_rate) == (True, 1.0)
    random = np.random.default_rng(0).integers(5, size=len(one[0]))
    bad = alternative((random, one[1], one[2]), 0.2)
    assert (bad.passed, bad.winning_rate) == (False, 0.0)
    assert bad.advantage < good.advantage  # type: ignore[operator]


def test_winning_rate_grows_with_epsilon() -> None:
    found = [alternative(panel(17, model_noise=0.05), epsilon) for epsilon in (0.0, 0.1, 0.2, 0.4)]
    rates = [one.winning_rate for one in found]
    assert rates == sorted(rates)  # type: ignore[type-var]
    assert (rates[0], rates[-1]) == (0.0, 1.0)
    assert len({one.advantage for one in found}) == 1


def test_half_of_the_annotators_is_enough() -> None:
    """Two agree with each other; to the rest of either odd one, the model is as far off as they are."""
    truth = np.arange(40) % 5
    ratings = np.stack([truth, truth, (truth + 1) % 5, (truth + 2) % 5], axis=1)
    found = alternative(((truth + 3) % 5, ratings, np.arange(40)), 0.2)
    assert [one.rejected for one in found.annotators] == [False, False, True, True]
    assert (found.winning_rate, found.passed) == (0.5, True)


def test_clustered_p_is_the_t_of_the_mean_by_cluster() -> None:
    """Copies of an item are no evidence: with equal clusters of copies it is the test on one of each."""
    model, ratings, _ = panel(18, queries=15)
    copied = tuple(np.repeat(part, 3, axis=0) for part in (model, ratings, np.arange(60)))
    plain = alternative((model, ratings, np.arange(60)), 0.2)
    clustered = alternative(copied, 0.2)  # type: ignore[arg-type]
    for a, b in zip(plain.annotators, clustered.annotators, strict=True):
        assert b.p_clustered == pytest.approx(a.p)
        assert a.p_clustered == pytest.approx(a.p)
        assert b.n == 180
    best, copied_best = (min(x.annotators, key=lambda each: each.p) for x in (plain, clustered))
    assert copied_best.p < best.p


def test_one_query_has_no_clustered_p() -> None:
    model, ratings, clusters = panel(19)
    found = alternative((model, ratings, np.zeros_like(clusters)), 0.2)
    assert [one.p_clustered for one in found.annotators] == [None] * 3
    assert all(0 <= one.p <= 1 for one in found.annotators)


def test_annotator_with_too_few_items_is_left_out_and_still_counts_among_the_others() -> None:
    model, ratings, clusters = panel(20)
    few = np.where(np.arange(len(model)) < 29, ratings[:, 0], M)
    with_few = (model, np.column_stack([few, ratings]), clusters)
    found = alternative(with_few, 0.1)
    assert [one.rater for one in found.annotators] == ["b", "c", "d"]
    want = by_definition(with_few, SCALE, "accuracy", 0.1)
    assert [one.p for one in found.annotators] == pytest.approx([p for p, *_ in want[1:]])
    enough = np.where(np.arange(len(model)) < 30, ratings[:, 0], M)
    assert len(alternative((model, np.column_stack([enough, ratings]), clusters), 0.1).annotators) == 4


def test_fewer_than_three_annotators_with_enough_items_are_undefined() -> None:
    model, ratings, clusters = panel(21)
    ratings[12:, 1] = M
    found = alternative((model, ratings, clusters), 0.2)
    assert (found.winning_rate, found.advantage, found.passed) == (None, None, None)
    assert found.annotators == ()
    assert "annotator 1 with 12" in (found.reason or "")
    assert alternative((model, ratings[:, :2], clusters), 0.2).reason


# --- whatever comes in ---------------------------------------------------------------------------

graded = st.lists(st.tuples(*[st.integers(-1, 2)] * 4, st.integers(0, 4)), min_size=1, max_size=40)


@given(graded, st.sampled_from(WEIGHTINGS))
def test_no_nan_leaves_and_what_is_missing_has_a_reason(
    lines: list[tuple[int, ...]], weighting: Weighting
) -> None:
    items = np.array(lines)
    one = items[:, 0], items[:, 1:4], items[:, 4]
    found, others = ceiling(one, weighting, least=3), leave_one_out(*one, SCALE, weighting)
    for delta in (found.delta, *(each.delta for each in others)):
        values = (delta.value, delta.se, *(delta.ci or ()))
        assert all(value is None or math.isfinite(value) for value in values)
        assert (delta.ci is None) == (delta.reason is not None)
    for each in others:
        assert (each.p is None) == (each.p_holm is None)
        assert each.p is None or 0 <= each.p <= each.p_holm <= 1  # type: ignore[operator]


@given(graded, st.sampled_from(SCORINGS), st.floats(0, 1))
def test_alternative_test_is_in_range(lines: list[tuple[int, ...]], scoring: Scoring, epsilon: float) -> None:
    items = np.array(lines * 30)
    found = alternative_annotator_test(
        items[:, 0], items[:, 1:4], items[:, 4], SCALE, scoring, epsilon, NAMES
    )
    assert (found.winning_rate is None) == (found.reason is not None) == (found.passed is None)
    for one in found.annotators:
        shares = (one.grader, one.rater_share, one.p)
        assert all(0 <= share <= 1 for share in shares)
        assert one.grader + one.rater_share >= 1
        assert one.p_clustered is None or 0 <= one.p_clustered <= 1


# --- Benjamini and Yekutieli ---------------------------------------------------------------------


@given(st.lists(st.floats(0, 1), min_size=1, max_size=12))
def test_benjamini_yekutieli_is_that_of_scipy(p: list[float]) -> None:
    want = scipy.stats.false_discovery_control(p, method="by")
    assert benjamini_yekutieli(p) == pytest.approx(list(want))
