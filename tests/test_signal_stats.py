"""The formulas of `harness signal`: published values, values by hand, other libraries."""

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.stats import intervals
from harness.stats.association import NO_ERROR, Observed, log_odds
from harness.stats.false_discovery import benjamini_hochberg, simes
from harness.stats.gamma_poisson import moments_prior, posterior_interval, posterior_mean
from harness.stats.grouped_jackknife import jackknifed
from harness.stats.poisson_tails import at_least, at_most
from harness.stats.position_bias import propensities

PUBLISHED = (
    0.0001, 0.0004, 0.0019, 0.0095, 0.0201, 0.0278, 0.0298, 0.0344, 0.0459, 0.3240, 0.4262, 0.5719, 0.6528,
    0.7590, 1.0,
)  # fmt: skip
"""Benjamini & Hochberg (1995), section 4: at .05 the first four are rejected."""


def test_propensities_by_hand() -> None:
    views = np.array([[100.0, 50, 10], [200, 100, 0]])
    clicks = np.array([[20.0, 5, 0], [20, 5, 0]])
    # Position 2: (5 * 100/150 + 5 * 200/300) / (20 * 50/150 + 20 * 100/300) = 6.67 / 13.33.
    assert propensities(views, clicks).tolist() == pytest.approx([1.0, 0.5, 0.0])


def test_no_propensity_where_no_stratum_is_at_both_positions() -> None:
    views, clicks = np.array([[100.0, 0], [0, 100]]), np.array([[20.0, 0], [0, 5]])
    first, second = propensities(views, clicks).tolist()
    assert first == 1 and np.isnan(second)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.floats(0.1, 10))
def test_propensities_are_those_of_the_process_whatever_stands_where(
    look: list[float], factor: float
) -> None:
    views = np.random.default_rng(1).integers(1, 500, (4, len(look))).astype(float)
    clicks = views * np.array([0.02, 0.1, 0.3, 0.6])[:, None] * np.array(look)
    wanted = np.array(look) / look[0]
    assert propensities(views, clicks) == pytest.approx(wanted)
    assert propensities(np.stack([views * factor] * 2), np.stack([clicks * factor] * 2))[1] == pytest.approx(
        wanted
    )


def test_moments_of_rates_by_hand() -> None:
    events, exposure = np.array([2.0, 8, 20]), np.array([10.0, 20, 70])
    # m = .3; s2 = (10 * .01 + 20 * .01 + 70 * (2/7 - .3)^2) / 100; beyond = s2 - m * 3 / 100 < 0.
    prior = moments_prior(events, exposure)
    assert (prior.rate, prior.shape) == pytest.approx((100, 30))
    # m = .3; s2 = (50 * .04 + 50 * .04) / 100 = .04; beyond = .04 - .3 * 2/100 = .034.
    prior = moments_prior(np.array([5.0, 25]), np.array([50.0, 50]))
    assert (prior.rate, prior.shape) == pytest.approx((0.3 / 0.034, 0.09 / 0.034))
    drawn = posterior_mean(prior, np.array([5.0]), np.array([50.0]))
    assert drawn == pytest.approx((0.09 / 0.034 + 5) / (0.3 / 0.034 + 50))


@pytest.mark.parametrize("unit", [1.0, 1024.0])
def test_rates_that_differ_as_poisson_explains_are_known_by_their_exposure_alone(unit: float) -> None:
    """m = 1/4 and s2 = 1/256, which is m n / sum E = 1/4 x 2/128; with one event apart there is more."""
    exposure = np.array([64.0, 64]) * unit
    prior = moments_prior(np.array([20.0, 12]), exposure)
    assert (prior.rate, prior.shape) == (128 * unit, 32)
    # s2 = (5/64)^2 = 25/4096; beyond = 25/4096 - 1/256 = 9/4096, and m / beyond is less than 128.
    prior = moments_prior(np.array([21.0, 11]), exposure)
    assert (prior.rate, prior.shape) == pytest.approx((1024 / 9 * unit, 256 / 9))


def test_a_group_without_events_has_a_low_rate_and_not_none() -> None:
    prior = moments_prior(np.zeros(4), np.full(4, 25.0))
    assert (prior.rate, prior.shape) == pytest.approx((100, 0.5))


def test_interval_of_a_rate_is_that_of_its_gamma() -> None:
    from scipy.stats import gamma

    prior = moments_prior(np.array([5.0, 25]), np.array([50.0, 50]))
    low, high = posterior_interval(prior, np.array([7.0]), np.array([30.0]))
    right = gamma(prior.shape + 7, scale=1 / (prior.rate + 30))
    assert (low[0], high[0]) == pytest.approx((right.ppf(0.025), right.ppf(0.975)))


@given(st.floats(0.001, 60))
def test_poisson_tails_are_exact(expected: float) -> None:
    from scipy.stats import poisson

    x, mean = np.arange(61.0), np.full(61, expected)
    assert at_least(x, mean) == pytest.approx(poisson.sf(x - 1, expected), rel=1e-9, abs=1e-300)
    assert at_most(x, mean) == pytest.approx(poisson.cdf(x, expected), rel=1e-9, abs=1e-300)


def test_the_published_false_discovery_rates() -> None:
    q = benjamini_hochberg(np.array(PUBLISHED))
    assert (q <= 0.05).tolist() == [True] * 4 + [False] * 11
    assert q[3] == pytest.approx(0.0095 * 15 / 4) and q[-1] == 1


@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_false_discovery_rates_follow_their_definition(p: list[float]) -> None:
    q = benjamini_hochberg(np.array(p))
    ranked = sorted(p)
    for value, mine in zip(p, q.tolist(), strict=True):
        later = [one * len(p) / rank for rank, one in enumerate(ranked, 1) if one >= value]
        assert mine == pytest.approx(min(1.0, *later))
    assert simes(np.array(p)) == pytest.approx(
        min(1.0, *(one * len(p) / k for k, one in enumerate(ranked, 1)))
    )


def test_the_jackknife_of_a_mean_is_its_standard_error() -> None:
    values = np.array([1.0, 2, 4, 7, 9, 3])
    without = (values.sum() - values) / (len(values) - 1)
    found = jackknifed(float(values.mean()), without)
    assert found.se == pytest.approx(values.std(ddof=1) / np.sqrt(len(values)))
    assert found.ci is not None and found.se is not None
    assert found.ci.high - found.ci.low == pytest.approx(2 * 2.5705818 * found.se)


def test_no_interval_of_fewer_than_five_groups() -> None:
    few = np.array([1.0, 2, 4, 3, np.nan])
    assert jackknifed(2.0, few).ci is None
    assert jackknifed(2.0, np.array([1.0, 2, 4, 3, 5])).ci is not None
    alike = jackknifed(2.0, np.full(6, 2.0))
    assert (alike.value, alike.ci, alike.reason) == (2.0, None, intervals.NO_SPREAD)


def fitted(
    feature: Any, outcome: Any, clusters: Any, second: Any = None, cuts: Sequence[int] = ()
) -> intervals.Tested:
    """The log odds, from the observations in pieces that are cut at these places."""
    columns: list[Any] = [np.split(np.asarray(one), cuts) for one in (feature, outcome, clusters)]
    columns.append([None] * (len(cuts) + 1) if second is None else np.split(second, cuts))
    parts = [Observed(*piece) for piece in zip(*columns, strict=True)]
    return log_odds(lambda: iter(parts))[0]


@pytest.mark.parametrize("two_ways", [False, True])
def test_log_odds_are_those_of_statsmodels(two_ways: bool) -> None:
    discrete = pytest.importorskip("statsmodels.discrete.discrete_model")
    chance = np.random.default_rng(4)
    feature = chance.normal(3, 2, 600)
    clusters, second = chance.integers(0, 40, 600), np.sort(chance.integers(0, 250, 600))
    outcome = (chance.random(600) < 1 / (1 + np.exp(2 - 0.4 * feature))).astype(float)
    columns = np.column_stack([np.ones(600), (feature - feature.mean()) / feature.std()])
    groups = np.column_stack([clusters, second]) if two_ways else clusters
    theirs = discrete.Logit(outcome, columns).fit(disp=0, cov_type="cluster", cov_kwds={"groups": groups})
    cuts = [int(np.searchsorted(second, at)) for at in (30, 31, 180)]
    found = fitted(feature, outcome, clusters, second if two_ways else None, cuts)
    assert found.value is not None and found.se is not None and found.ci is not None
    assert found.value * feature.std() == pytest.approx(theirs.params[1], rel=1e-9)
    assert found.se * feature.std() == pytest.approx(theirs.bse[1], rel=1e-9)
    assert np.array(found.ci) * feature.std() == pytest.approx(theirs.conf_int()[1], rel=1e-9)
    assert found.p == pytest.approx(theirs.pvalues[1], rel=1e-6)


def test_log_odds_of_a_table_by_hand() -> None:
    # 30 of 100 without, 60 of 100 with: log(60/40) - log(30/70).
    feature = np.repeat([0.0, 1], 100)
    outcome = np.concatenate([np.arange(100) < 30, np.arange(100) < 60]).astype(float)
    found = fitted(feature, outcome, np.arange(200))
    assert found.value == pytest.approx(np.log(60 / 40) - np.log(30 / 70))
    # The sandwich of independent observations is that of the table, times n/(n - 2).
    plain = 1 / 60 + 1 / 40 + 1 / 30 + 1 / 70
    assert found.se == pytest.approx(np.sqrt(plain * 200 / 198), rel=1e-3)


def test_five_queries_are_enough_for_log_odds() -> None:
    """By query 0 and 1 alternate, and go with the outcome in three of five: log(3/2) - log(2/3)."""
    feature = np.tile([0.0, 1], 5)
    outcome = np.where(np.arange(10) < 6, feature, 1 - feature)
    assert fitted(feature, outcome, np.arange(10) // 2).value == pytest.approx(2 * np.log(3 / 2))


def test_log_odds_of_one_exception_on_each_side_are_a_figure() -> None:
    feature = np.repeat([0.0, 1], 50_000)
    outcome = feature.copy()
    outcome[[0, -1]] = 1, 0
    assert fitted(feature, outcome, np.arange(100_000)).value == pytest.approx(2 * np.log(49_999))


def test_a_two_way_variance_below_zero_is_no_error() -> None:
    """Those of both ways minus that of their pairs can be less (Cameron, Gelbach & Miller 2011)."""
    feature, outcome = [1, 1, 0, 1, 1, 0, 0, 0, 1, 0, 1, 1], [1, 0, 0, 0, 1, 1, 0, 1, 0, 0, 0, 1]
    clusters = np.array([5, 4, 5, 2, 2, 0, 3, 1, 4, 0, 3, 1])
    second = np.array([0, 5, 3, 0, 1, 3, 5, 4, 2, 4, 1, 2])
    numbers = np.array(feature, dtype=float), np.array(outcome, dtype=float)
    one_way = fitted(*numbers, clusters)
    assert one_way.value is not None and one_way.se
    found = fitted(*numbers, clusters, second)
    assert (found.value, found.se, found.ci, found.p) == (None, None, None, None)
    assert found.reason == NO_ERROR


def test_an_error_of_clusters_that_are_alike_is_that_of_as_many_observations() -> None:
    feature = np.repeat([0.0, 1], 40)
    outcome = np.concatenate([np.arange(40) < 12, np.arange(40) < 24]).astype(float)
    one = fitted(feature, outcome, np.arange(80))
    five = fitted(np.repeat(feature, 5), np.repeat(outcome, 5), np.repeat(np.arange(80), 5))
    assert one.se is not None and five.se == pytest.approx(one.se, rel=0.02)


@pytest.mark.parametrize(
    ("feature", "outcome", "clusters", "why"),
    [
        ([0.0, 1, 0, 1, 0, 1], [1.0] * 6, range(6), "outcome is the same"),
        ([2.0] * 6, [0.0, 1, 0, 1, 1, 0], range(6), "the same everywhere"),
        ([0.0, 1, 0, 1, 0, 1], [0.0, 1, 1, 1, 0, 0], [0, 0, 1, 1, 2, 3], "fewer than 5"),
        ([0.0, 0, 0, 1, 1, 1], [0.0, 0, 0, 1, 1, 1], range(6), "without an error"),
    ],
)
def test_undefined_associations_have_a_reason(
    feature: list[float], outcome: list[float], clusters: list[int], why: str
) -> None:
    found = fitted(np.array(feature), np.array(outcome), np.array(clusters))
    assert found.value is None and why in str(found.reason)
