"""Risk-coverage by hand, against every order of the tied items, and the promise of a threshold simulated."""

import math
from collections.abc import Sequence
from itertools import pairwise, permutations
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binomtest
from sklearn.metrics import auc, roc_auc_score

from harness.scorecards.confidence import SelectiveScore
from harness.stats.abstention import GRID, NO_ITEMS, alone, risk_coverage
from harness.stats.means import clustered_share

sure_and_wrong = st.lists(st.tuples(st.integers(0, 3), st.integers(0, 1)), min_size=1, max_size=60)
few_losses = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 4)), min_size=1, max_size=6)


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-9)


def selective(losses: Sequence[float]) -> float:
    """AURC of one order."""
    return sum(sum(losses[:k]) / k for k in range(1, len(losses) + 1)) / len(losses)


def generalised(losses: Sequence[float]) -> float:
    """AUGRC of one order: trapezoids under the accepted-and-wrong share, from coverage 0."""
    n = len(losses)
    return float(auc([k / n for k in range(n + 1)], [sum(losses[:k]) / n for k in range(n + 1)]))


def test_areas_by_hand() -> None:
    found = risk_coverage([0.9, 0.8, 0.7, 0.6], [0, 1, 0, 1])
    assert (found.n, found.risk) == (4, 0.5)
    assert found.aurc == close((0 + 1 / 2 + 1 / 3 + 2 / 4) / 4)
    assert found.e_aurc == close((1 / 2 + 1 / 3 + 2 / 4) / 4 - (1 / 3 + 2 / 4) / 4)
    assert found.augrc == close((0.125 + 0.25 + 0.375) / 4)
    assert [(one.coverage, one.risk, one.threshold) for one in found.curve] == [
        (0.25, 0.0, 0.9),
        (0.5, 0.5, 0.8),
        (0.75, close(1 / 3), 0.7),
        (1.0, 0.5, 0.6),
    ]


def test_tied_items_share_their_risk_by_hand() -> None:
    """One sure and right, then two tied, of which one is wrong: (0 + 1/4 + 1/3) / 3."""
    for losses in ([0, 0, 1], [0, 1, 0]):
        found = risk_coverage([0.9, 0.5, 0.5], losses)
        assert found.aurc == close((1 / 4 + 1 / 3) / 3)
        assert found.augrc == close(((1 / 6) / 2 + (1 / 6 + 1 / 3) / 2) / 3)
        assert [(one.coverage * 3, one.threshold) for one in found.curve] == [(1, 0.9), (3, 0.5)]


@given(few_losses)
def test_areas_are_the_mean_over_all_orders_of_the_tied_items(items: list[tuple[int, int]]) -> None:
    found = risk_coverage([sure for sure, _ in items], [loss / 4 for _, loss in items])
    orders = [
        [loss / 4 for _, loss in order]
        for order in permutations(items)
        if all(one[0] >= other[0] for one, other in pairwise(order))
    ]
    best = min(selective([loss / 4 for _, loss in order]) for order in permutations(items))
    assert found.aurc == close(sum(map(selective, orders)) / len(orders))
    assert found.augrc == close(sum(map(generalised, orders)) / len(orders))
    assert found.e_aurc == close(sum(map(selective, orders)) / len(orders) - best)


@given(sure_and_wrong)
def test_augrc_is_the_published_function_of_auroc_and_accuracy(items: list[tuple[int, int]]) -> None:
    """Traub et al. 2024: (1 - AUROC) acc (1 - acc) + (1 - acc)^2 / 2."""
    sure, wrong = [one for one, _ in items], [one for _, one in items]
    accuracy = 1 - sum(wrong) / len(wrong)
    auroc = roc_auc_score([1 - one for one in wrong], sure) if 0 < accuracy < 1 else 0.0
    want = (1 - auroc) * accuracy * (1 - accuracy) + (1 - accuracy) ** 2 / 2
    assert risk_coverage(sure, wrong).augrc == close(want)


def test_the_best_order_has_the_published_limit() -> None:
    """Geifman, Uziel & El-Yaniv 2019: the best AURC tends to r + (1 - r) ln(1 - r)."""
    found = risk_coverage(np.arange(20_000, 0, -1), np.repeat([0, 1], [16_000, 4_000]))
    assert found.aurc == pytest.approx(0.2 + 0.8 * math.log(0.8), abs=1e-4)
    assert found.e_aurc == 0.0
    assert found.augrc == close(0.2**2 / 2)


def test_confidence_that_says_nothing_gains_nothing() -> None:
    found = risk_coverage([0.5] * 8, [1, 0, 0, 0, 0, 0, 0, 1])
    assert (found.aurc, found.augrc) == (close(0.25), close(0.125))
    assert [(one.coverage, one.risk) for one in found.curve] == [(1.0, 0.25)]


@given(sure_and_wrong, st.randoms())
def test_order_of_items_and_scale_of_confidence_play_no_part(
    items: list[tuple[int, int]], random: Any
) -> None:
    other = random.sample(items, len(items))
    one = risk_coverage([sure for sure, _ in items], [wrong for _, wrong in items])
    two = risk_coverage([math.exp(sure) - 9 for sure, _ in other], [wrong for _, wrong in other])
    for name in ("risk", "aurc", "e_aurc", "augrc"):
        assert getattr(one, name) == close(getattr(two, name))
    assert [(p.coverage, p.risk) for p in one.curve] == [(p.coverage, p.risk) for p in two.curve]


@given(sure_and_wrong)
def test_curve_points_are_what_their_threshold_takes_in(items: list[tuple[int, int]]) -> None:
    found = risk_coverage([sure for sure, _ in items], [wrong for _, wrong in items])
    for point in found.curve:
        taken = [wrong for sure, wrong in items if sure >= point.threshold]
        assert point.coverage == len(taken) / len(items)
        assert point.risk == close(sum(taken) / len(taken))
    coverages = [point.coverage for point in found.curve]
    assert coverages == sorted(set(coverages))
    assert coverages[-1] == 1.0
    assert found.e_aurc is not None
    assert found.e_aurc >= 0


@pytest.mark.parametrize("n", [1, 7, 20, 33, 100, 180, 1_000])
def test_curve_is_thinned_to_every_twentieth(n: int) -> None:
    """100 and 180 are where the next whole number above n * 0.55 in floats is one too many."""
    found = risk_coverage(np.arange(n), np.zeros(n))
    sizes = [round(point.coverage * n) for point in found.curve]
    assert sizes == sorted({-(-n * step // GRID) for step in range(1, 21)})
    assert n % GRID or [point.coverage for point in found.curve] == [close(k / 20) for k in range(1, 21)]


def test_no_items_have_no_curve_but_a_reason() -> None:
    found = risk_coverage([], [])
    assert (found.n, found.risk, found.aurc, found.e_aurc, found.augrc) == (0, None, None, None, None)
    assert (found.curve, found.reason) == ((), NO_ITEMS)


@pytest.mark.parametrize(
    ("sure", "losses", "message"),
    [
        ([math.nan], [0], "NaN"),
        ([math.inf], [0], "infinity"),
        ([0.5], [math.nan], "NaN"),
        ([0.5], [-1], "negative"),
        ([0.5, 0.5], [1], "per item"),
        ([[0.5]], [[1]], "per item"),
    ],
)
def test_bad_input_is_our_own_mistake(sure: Any, losses: Any, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        risk_coverage(sure, losses)
    with pytest.raises(AssertionError, match=message):
        alone(sure, losses, 0.1)


# --- alone ---------------------------------------------------------------------------------------


def exact_limit(errors: int, n: int) -> float:
    """The one-sided limit at 95 % for 20 coverages together."""
    test = binomtest(errors, n, alternative="less")
    return float(test.proportion_ci(confidence_level=1 - 0.05 / 20, method="exact").high)


def test_threshold_is_the_one_of_the_largest_coverage_that_will_do() -> None:
    """The 600 surest have 6 errors, the other 400 have 200, scattered evenly."""
    wrong = np.zeros(1_000, dtype=np.int64)
    wrong[50:600:100] = 1
    wrong[600::2] = 1
    found = alone(np.linspace(1, 0, 1_000), wrong, 0.05)
    assert exact_limit(6, 600) < 0.05 < exact_limit(31, 650)
    assert (found.coverage, found.n, found.errors, found.reason) == (0.6, 600, 6, None)
    assert found.upper == close(exact_limit(6, 600))
    assert found.threshold == np.linspace(1, 0, 1_000)[599]
    loose = alone(np.linspace(1, 0, 1_000), wrong, 0.3)
    assert (loose.coverage, loose.errors) == (1.0, 206)


def test_a_coverage_takes_in_all_that_tie_with_its_last_item() -> None:
    """At 60 % stand 150 tied items, and the 30 errors among those behind the mark count."""
    sure = np.repeat([0.9, 0.8, 0.1], [500, 150, 350])
    wrong = np.repeat([0, 1, 0, 1], [620, 30, 0, 350])
    found = alone(sure, wrong, 0.02)
    assert (found.threshold, found.n, found.errors) == (0.9, 500, 0)


def test_too_few_items_say_how_many_it_takes() -> None:
    needed = next(n for n in range(1, 1_000) if exact_limit(0, n) < 0.05)
    assert needed == 117
    assert alone(np.arange(needed), np.zeros(needed), 0.05).coverage == 1.0
    found = alone(np.arange(needed - 1), np.zeros(needed - 1), 0.05)
    assert found.coverage is None
    assert found.reason == (
        f"{needed - 1} items are too few: it takes {needed} without an error to show a risk below 5.00%"
    )


def test_as_many_items_as_it_takes_are_not_too_few_where_one_is_wrong() -> None:
    """27 take 27 for a risk of .2; without the last, which is wrong, they are 26."""
    assert exact_limit(0, 26) > 0.2 > exact_limit(0, 27)
    found = alone(-np.arange(27.0), np.arange(27) == 26, 0.2)
    assert found.coverage is None and "at no coverage is the risk surely below" in (found.reason or "")
    found = alone(-np.arange(26.0), np.arange(26) == 25, 0.2)
    assert "26 items are too few: it takes 27" in (found.reason or "")


def test_limit_is_clustered_by_query() -> None:
    """One query of two answers has an error: the rest of 200 queries would do, were there 130 of them."""
    wrong, pairs = np.zeros(400), np.repeat(np.arange(200), 2)
    wrong[100] = 1
    sure = np.linspace(1, 0, 400)
    found = alone(sure, wrong, 0.05, pairs)
    assert (found.coverage, found.errors) == (1.0, 1)
    limits = clustered_share(wrong, pairs, 1 - 2 * 0.05 / 20)
    assert limits is not None and found.upper == limits.high > exact_limit(1, 400)
    crossed = alone(sure, wrong, 0.05, np.tile(np.arange(200), 2))
    assert crossed == found, "which queries, not in which order"


def test_few_queries_are_too_few_however_many_answers_they_have() -> None:
    found = alone(np.arange(1_160), np.zeros(1_160), 0.05, np.repeat(np.arange(116), 10))
    assert found.coverage is None
    assert found.reason == "116 queries are too few: it takes 117 without an error to show a risk below 5.00%"
    assert alone(np.arange(1_170), np.zeros(1_170), 0.05, np.repeat(np.arange(117), 10)).coverage == 1.0
    (one,) = {alone(np.arange(n), np.zeros(n), 0.05, np.zeros(n, dtype=int)).reason for n in (2, 500)}
    assert one == "1 query is too few: it takes 117 without an error to show a risk below 5.00%"


def test_threshold_of_a_part_takes_the_queries_of_that_part() -> None:
    """The surer half of 240 queries has no error and is enough by itself; the other half errs throughout."""
    clusters = np.repeat(np.arange(240), 2)
    found = alone(-clusters, clusters >= 120, 0.05, clusters)
    assert (found.n, found.threshold) == (240, -119)
    assert found.upper == close(exact_limit(0, 120))


def test_too_many_errors_have_no_threshold_but_a_reason() -> None:
    found = alone(np.arange(400), np.tile([0, 1], 200), 0.05)
    assert (found.threshold, found.coverage, found.n, found.errors, found.upper) == (None,) * 5
    assert "at no coverage is the risk surely below 5.00%" in (found.reason or "")
    lowest = min(exact_limit(n // 2, n) for n in range(20, 401, 20))
    assert f"the lowest upper limit is {lowest:.2%}" in (found.reason or "")
    assert alone([], [], 0.05) == SelectiveScore(target=0.05, reason=NO_ITEMS)


@pytest.mark.parametrize(("wrong", "target"), [([0.5], 0.1), ([2], 0.1), ([0], 0.0), ([0], 1.0)])
def test_half_an_error_and_an_idle_target_are_our_own_mistake(wrong: list[Any], target: float) -> None:
    with pytest.raises(AssertionError):
        alone([0.5], wrong, target)


@given(sure_and_wrong, st.floats(0.05, 0.95))
def test_what_is_found_keeps_the_target_and_no_larger_coverage_does(
    items: list[tuple[int, int]], target: float
) -> None:
    sure, wrong = [one for one, _ in items], [one for _, one in items]
    found = alone(sure, wrong, target)
    larger = [p for p in risk_coverage(sure, wrong).curve if p.coverage > (found.coverage or 0)]
    sizes = [round(p.coverage * len(sure)) for p in larger]
    assert all(exact_limit(round(p.risk * n), n) >= target for p, n in zip(larger, sizes, strict=True))
    if found.reason is None:
        assert found.upper is not None
        assert found.upper < target
        assert sum(w for s, w in items if s >= (found.threshold or 0)) == found.errors
        assert sum(s >= (found.threshold or 0) for s in sure) == found.n


def test_the_promise_is_kept_where_choosing_by_the_observed_risk_breaks_it() -> None:
    """P(wrong) = 1 - confidence, uniform: above a threshold t the true risk is (1 - t) / 2."""
    random, target = np.random.default_rng(11), 0.2
    broken, broken_by_eye, coverages = 0, 0, []
    for _ in range(300):
        sure = random.uniform(size=1_000)
        wrong = (random.uniform(size=1_000) > sure).astype(np.int64)
        found = alone(sure, wrong, target)
        coverages.append(found.coverage or 0.0)
        broken += found.threshold is not None and (1 - found.threshold) / 2 > target
        by_eye = [p.threshold for p in risk_coverage(sure, wrong).curve if p.risk < target]
        broken_by_eye += bool(by_eye) and (1 - by_eye[-1]) / 2 > target
    assert broken <= 300 * 0.05
    assert broken_by_eye > 300 * 0.15
    assert np.mean(coverages) > 0.2


def test_a_grader_that_is_mostly_wrong_is_not_short_of_items() -> None:
    found = alone(np.linspace(0.5, 0.9, 78), np.arange(78) % 3 > 0, 0.05)
    assert found.reason is not None and "too few" not in str(found.reason)
