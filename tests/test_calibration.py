"""Calibration and decisions by hand, against scikit-learn and definitions, and where the truth is known."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from sklearn.metrics import brier_score_loss, log_loss

from harness.scorecards.confidence import BinScore
from harness.stats.calibration import BINS, NO_ITEMS, Calibration, calibration
from harness.stats.proportions import clopper_pearson

SCALE = (0, 1, 2, 3, 4)
GAPPED = (0, 1, 3)


@st.composite
def judged(draw: st.DrawFn) -> tuple[list[list[float]], list[int], list[int]]:
    """Probabilities, grades given and golden grades, over three grades; coarse, so that there are ties."""
    weights = st.lists(st.integers(0, 5), min_size=3, max_size=3).filter(any)
    at = st.integers(0, 2)
    items = draw(st.lists(st.tuples(weights, at, at), min_size=1, max_size=40))
    return [[w / 16 for w in row] for row, _, _ in items], [c for _, c, _ in items], [g for *_, g in items]


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-9)


def test_scores_by_hand() -> None:
    found = calibration([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]], [0, 2], [0, 1], GAPPED)
    assert found.n == 2
    assert found.brier == close(((0.09 + 0.04 + 0.01) + (0.01 + 0.49 + 0.36)) / 2)
    assert found.log_loss == close(-(math.log(0.7) + math.log(0.3)) / 2)
    assert found.rps == close(((0.09 + 0.01) + (0.01 + 0.36)) / 2)
    assert found.ece_width == close((0.3 + 0.6) / 2)
    assert (found.lost, found.reason) == (close(0), None)


def test_lost_mass_is_reported_and_renormalised_away() -> None:
    found = calibration([[0.4, 0.2, 0.2], [0.5, 0.25, 0.25], [1.0, 0.5, 0.5]], [0, 1, 2], [0, 0, 0], GAPPED)
    assert found.lost == close(0.2 / 3)
    assert [one.confidence for one in found.width_bins] == [close(0.25), close(0.5)]
    assert found.log_loss == close(math.log(2))


def test_confidence_is_that_of_the_grade_given_and_not_of_the_likeliest() -> None:
    found = calibration([[0.8, 0.1, 0.1]], [2], [2], GAPPED)
    (only,) = found.width_bins
    assert (only.confidence, only.accuracy, found.ece_width) == (close(0.1), 1.0, close(0.9))


def test_bins_of_equal_width_by_hand() -> None:
    sure = [0.0, 0.05, 0.6, 0.65, 1.0]
    found = calibration([[c, 1 - c] for c in sure], [0] * 5, [1, 1, 0, 1, 0], (0, 1))
    assert [(one.low, one.high, one.n) for one in found.width_bins] == [
        (0.0, close(1 / 15), 2),
        (close(9 / 15), close(10 / 15), 2),
        (close(14 / 15), 1.0, 1),
    ]
    assert [(one.confidence, one.accuracy) for one in found.width_bins] == [
        (close(0.025), 0.0),
        (close(0.625), 0.5),
        (1.0, 1.0),
    ]
    assert found.ece_width == close((2 * 0.025 + 2 * 0.125) / 5)
    assert found.width_bins[1].ci == clopper_pearson(1, 2)


def test_bins_of_equal_mass_hold_the_same_number_and_never_part_a_tie() -> None:
    sure = np.random.default_rng(0).uniform(size=100)
    found = mass_bins(sure)
    assert len(found) == BINS
    assert {one.n for one in found} == {6, 7}
    assert all(one.high < other.low for one, other in pairwise(found))
    tied = mass_bins(np.repeat([0.99, 0.5], [90, 10]))
    assert [(one.low, one.high, one.n) for one in tied] == [(0.5, 0.5, 10), (0.99, 0.99, 90)]


def mass_bins(sure: Any) -> tuple[BinScore, ...]:
    rows = np.stack([sure, 1 - sure], axis=1)
    return calibration(rows, np.zeros(len(sure), int), np.zeros(len(sure), int), (0, 1)).mass_bins


@given(judged())
def test_scores_equal_scikit_learn(items: tuple[list[list[float]], list[int], list[int]]) -> None:
    given_, chosen, golden = items
    found = calibration(given_, chosen, golden, GAPPED)
    p = np.array(given_) / np.sum(given_, axis=1, keepdims=True)
    assert found.brier == close(brier_score_loss(golden, p, labels=[0, 1, 2], scale_by_half=False))
    cuts = [(p[:, : k + 1].sum(axis=1).clip(0, 1), [int(g <= k) for g in golden]) for k in (0, 1)]
    assert found.rps == close(sum(brier_score_loss(y, below, labels=[0, 1]) for below, y in cuts))
    if found.log_loss is not None:
        assert found.log_loss == close(log_loss(golden, p, labels=[0, 1, 2]))
    else:
        assert any(p[at, grade] == 0 for at, grade in enumerate(golden))


@given(judged())
def test_expected_calibration_error_is_its_definition(
    items: tuple[list[list[float]], list[int], list[int]],
) -> None:
    given_, chosen, golden = items
    found = calibration(given_, chosen, golden, GAPPED)
    bins: dict[int, list[tuple[float, bool]]] = {}
    for row, mine, gold in zip(given_, chosen, golden, strict=True):
        sure = row[mine] / sum(row)
        bins.setdefault(min(int(sure * 15), 14), []).append((sure, mine == gold))
    gaps = [abs(sum(c for c, _ in one) - sum(right for _, right in one)) for one in bins.values()]
    assert found.ece_width == close(sum(gaps) / len(golden))
    assert [one.n for one in found.width_bins] == [len(bins[at]) for at in sorted(bins)]


@given(judged(), st.randoms())
def test_order_of_items_plays_no_part(
    items: tuple[list[list[float]], list[int], list[int]], random: Any
) -> None:
    rows = list(zip(*items, strict=True))
    p, chosen, golden = zip(*random.sample(rows, len(rows)), strict=True)
    one, other = calibration(*items, GAPPED), calibration(p, chosen, golden, GAPPED)
    for name in ("ece_width", "ece_mass", "brier", "log_loss", "rps", "lost"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9)
    assert [bin_.n for bin_ in one.mass_bins] == [bin_.n for bin_ in other.mass_bins]


@given(judged())
def test_every_item_is_in_one_bin_and_every_figure_in_its_range(
    items: tuple[list[list[float]], list[int], list[int]],
) -> None:
    found = calibration(*items, GAPPED)
    for bins in (found.width_bins, found.mass_bins):
        assert sum(one.n for one in bins) == found.n
        assert len(bins) <= BINS
        for one in bins:
            assert one.low - 1e-9 <= one.confidence <= one.high + 1e-9
            assert one.ci is not None
            assert 0 <= one.ci.low <= one.accuracy + 1e-12
            assert one.accuracy - 1e-12 <= one.ci.high <= 1
    assert 0 <= (found.brier or 0) <= 2
    assert 0 <= (found.rps or 0) <= 2
    gap = abs(sum(one.n * (one.confidence - one.accuracy) for one in found.width_bins)) / found.n
    for ece in (found.ece_width, found.ece_mass):
        assert ece is not None
        assert gap - 1e-9 <= ece <= 1


# --- where the truth is known --------------------------------------------------------------------


def simulated(n: int, seed: int, sharpened: float = 1.0) -> Calibration:
    """Golden grades drawn from probabilities, of which a grader claims a power: above 1, overconfident."""
    random = np.random.default_rng(seed)
    truth = random.dirichlet(np.ones(5), size=n)
    golden = (random.uniform(size=(n, 1)) > truth.cumsum(axis=1)).sum(axis=1).clip(0, 4)
    claimed = truth**sharpened
    return calibration(claimed, truth.argmax(axis=1), golden, SCALE)


def test_a_calibrated_grader_is_on_the_diagonal_and_an_overconfident_one_below() -> None:
    honest, boaster = simulated(20_000, 7), simulated(20_000, 7, sharpened=4)
    for name in ("ece_width", "ece_mass"):
        assert getattr(honest, name) < 0.015
        assert getattr(boaster, name) > 0.3
    for name in ("brier", "log_loss", "rps"):
        assert getattr(honest, name) < getattr(boaster, name)
    held = [one.ci.low <= one.confidence <= one.ci.high for one in honest.mass_bins if one.ci]
    assert sum(held) >= 13
    assert all(one.ci and one.ci.high < one.confidence for one in boaster.mass_bins)


def test_bins_are_clustered_by_query_and_one_query_alone_has_no_interval() -> None:
    """Ten queries of four answers that are right or wrong together are worth ten answers; then one query."""
    rows, right = np.tile([0.6, 0.4], (40, 1)), np.repeat([1, 0], [24, 16])
    (found,) = calibration(rows, np.ones(40, int), right, (0, 1), np.repeat(np.arange(10), 4)).width_bins
    (apart,) = calibration(rows, np.ones(40, int), right, (0, 1)).width_bins
    assert found.accuracy == apart.accuracy == 0.6
    assert apart.ci == clopper_pearson(24, 40)
    # deff = (10/9 x 2.4 x 16) / 1600 / (0.24 / 39) = 4.3333; t(39) and t(9) at 97.5 %.
    worth = 40 / (13 / 3) * (stats.t.ppf(0.975, 39) / stats.t.ppf(0.975, 9)) ** 2
    assert found.ci is not None
    assert found.ci.low == close(stats.beta.ppf(0.025, 0.6 * worth, 0.4 * worth + 1))
    (alone,) = calibration(rows, np.ones(40, int), right, (0, 1), np.zeros(40, int)).width_bins
    assert (alone.n, alone.ci) == (40, None)


def test_calibration_error_is_biased_upwards_in_small_n() -> None:
    few, many = (np.mean([simulated(n, seed).ece_width for seed in range(20)]) for n in (50, 5_000))
    assert few > 0.1
    assert many < 0.03


def test_certain_and_right_is_the_best_and_certain_and_wrong_the_worst() -> None:
    sure = np.eye(3)
    best, worst = (calibration(sure[[0, 2]], [0, 2], golden, GAPPED) for golden in ([0, 2], [2, 0]))
    assert (best.brier, best.log_loss, best.rps, best.ece_width) == (0, 0, 0, 0)
    assert str(best.log_loss) == "0.0"
    assert (worst.brier, worst.log_loss, worst.rps, worst.ece_width) == (2, None, 2, 1)


# --- what is undefined ---------------------------------------------------------------------------


def test_a_golden_grade_without_probability_has_no_log_loss_but_all_else() -> None:
    found = calibration([[0.5, 0.5, 0], [0.5, 0.5, 0]], [0, 0], [0, 2], GAPPED)
    assert found.log_loss is None
    assert found.reason == "log loss is undefined: the golden grade has probability 0 in 1 of 2 items"
    assert found.brier == close((0.5 + 1.5) / 2)


def test_nothing_is_undefined() -> None:
    found = calibration([], [], [], GAPPED)
    assert (found.n, found.reason, found.width_bins, found.mass_bins) == (0, NO_ITEMS, (), ())
    for name in ("lost", "ece_width", "ece_mass", "brier"):
        assert getattr(found, name) is None
    assert (found.log_loss, found.rps) == (None, None)


@pytest.mark.parametrize(
    ("row", "grade", "message"),
    [
        ([0, 0, 0], 0, "without any"),
        ([math.nan, 0.5, 0.5], 0, "not a number"),
        ([math.inf, 0.5, 0.5], 0, "not a number"),
        ([-0.1, 0.6, 0.5], 0, "negative"),
        ([0.5, 0.5], 0, "per grade"),
        ([0.5, 0.3, 0.2], 3, "off the scale"),
        ([0.5, 0.3, 0.2], -1, "off the scale"),
    ],
)
def test_bad_input_is_our_own_mistake(row: list[float], grade: int, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        calibration([row], [grade], [0], GAPPED)
    with pytest.raises(AssertionError):
        calibration([row], [0], [0, 0], GAPPED)
