"""Evidence of a drift that may be looked at every day, and mixes held against each other."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watching import Planted, judged, stream

from harness.stats.confidence_sequence import sequence_radius
from harness.stats.e_process import FRACTIONS, MOST, START, drift_process, first_at
from harness.stats.mixes import jensen_shannon, kitagawa, stability_index

SHARE = st.floats(0, 1)


def by_hand(values: list[float], baseline: float, delta: float) -> float:
    """The definition, product by product: every bet, begun on every day."""
    total, weights = 0.0, 2 * sum(FRACTIONS)
    begins = range(1, len(values) + 1)
    for part in FRACTIONS:
        for eta, tolerated in (
            (part * 0.95 / (baseline + delta), -delta),
            (-part * 0.95 / (1 - baseline + delta), delta),
        ):
            for first in begins:
                weight = START / ((first + START - 1) * (first + START))
                factors = [1 + eta * (value - baseline + tolerated) for value in values[first - 1 :]]
                total += part * weight * math.prod(factors) / weights
    return total + START / (len(values) + START)


@pytest.mark.parametrize(
    ("values", "baseline", "delta"),
    [([0.2], 0.15, 0.02), ([0.3, 0.1, 0.25], 0.15, 0.02), ([0.0, 1.0, 0.5, 0.5], 0.4, 0.1)],
)
def test_the_evidence_is_the_average_of_products(values: list[float], baseline: float, delta: float) -> None:
    found = drift_process(np.array(values), np.full(len(values), baseline), delta).both
    assert found[-1] == pytest.approx(by_hand(values, baseline, delta), rel=1e-12)


@given(st.lists(SHARE, min_size=1, max_size=30), SHARE, st.floats(0, 0.3))
def test_no_day_can_end_it(values: list[float], baseline: float, delta: float) -> None:
    found = drift_process(np.array(values), np.full(len(values), baseline), delta, 0.01)
    for side in (found.higher, found.lower, found.both):
        assert (side > 0).all() and (side <= MOST).all()


@given(SHARE, st.floats(0.001, 0.3))
def test_on_the_edge_of_what_is_tolerated_nothing_is_gained(baseline: float, delta: float) -> None:
    """A figure that is 0 or 1, with baseline + delta as its mean: the evidence has a mean of 1 at most."""
    mean = min(baseline + delta, 1.0)
    one, none = (drift_process(np.array([x]), np.array([baseline]), delta).both[0] for x in (1.0, 0.0))
    assert mean * one + (1 - mean) * none <= 1 + 1e-12


def test_sides_are_told_apart_and_the_first_day_over_the_threshold_is_found() -> None:
    worse = drift_process(np.full(60, 0.4), np.full(60, 0.15), 0.02)
    better = drift_process(np.full(60, 0.02), np.full(60, 0.3), 0.02)
    assert worse.higher[-1] > 40 > worse.lower[-1] and better.lower[-1] > 40 > better.higher[-1]
    at = first_at(worse.both, 0.025)
    assert at is not None and worse.both[at] >= 40 > worse.both[at - 1]
    assert first_at(np.array([1.0, 39.9]), 0.025) is None and first_at(np.array([1.0, 40.0]), 0.025) == 1


def test_a_day_by_hand() -> None:
    """b = .15, delta = .02, a loss of 1: the largest bet is .95 / .17 and gains .83 times that."""
    drift = drift_process(np.array([1.0]), np.array([0.15]), 0.02)
    # Bets weigh as much as they are large: 8, 4, 2 and 1 of 15.
    gains = [8 * part / 15 * (1 + part * 0.95 / 0.17 * 0.83) for part in (1, 0.5, 0.25, 0.125)]
    assert drift.higher[0] == pytest.approx((sum(gains) + 30) / 31)
    losses = [8 * part / 15 * (1 - part * 0.95 / 0.87 * 0.87) for part in (1, 0.5, 0.25, 0.125)]
    assert drift.lower[0] == pytest.approx((sum(losses) + 30) / 31)


def test_a_change_after_many_quiet_days_is_found_nearly_as_soon() -> None:
    early = first_at(drift_process(np.full(90, 0.3), np.full(90, 0.15), 0.02).both, 0.025)
    quiet = np.concatenate([np.full(300, 0.15), np.full(90, 0.3)])
    late = first_at(drift_process(quiet, np.full(390, 0.15), 0.02).both, 0.025)
    assert early is not None and late is not None and late - 300 <= early + 7


def test_published_and_hand_computed_mixes() -> None:
    then, now = np.array([0.5, 0.3, 0.2]), np.array([0.4, 0.3, 0.3])
    assert stability_index(then, now) == pytest.approx(-0.1 * math.log(0.8) + 0.1 * math.log(1.5))
    assert stability_index(np.array([1.0, 0.0]), np.array([0.9, 0.1])) == pytest.approx(
        -0.1 * math.log(0.9) + (0.1 - 1e-4) * math.log(0.1 / 1e-4)
    )
    assert jensen_shannon(np.array([1.0, 0.0]), np.array([0.0, 1.0])) == 1.0
    # Lin 1991: the entropy of the mean mix, less the mean entropy.
    p, q = np.array([0.5, 0.5]), np.array([1.0, 0.0])
    entropy = -(0.75 * math.log2(0.75) + 0.25 * math.log2(0.25))
    assert jensen_shannon(p, q) == pytest.approx(entropy - 0.5)


@given(st.lists(st.floats(0.01, 1), min_size=2, max_size=6), st.data())
def test_mix_and_within_add_up(weights: list[float], data: st.DataObject) -> None:
    k = len(weights)
    then = np.array(weights) / sum(weights)
    now = np.array(data.draw(st.lists(st.floats(0.01, 1), min_size=k, max_size=k)))
    now /= now.sum()
    first, second = (np.array(data.draw(st.lists(st.floats(0, 4), min_size=k, max_size=k))) for _ in range(2))
    parts = kitagawa(then, now, first, second)
    assert parts.mix + parts.within == pytest.approx(now @ second - then @ first, abs=1e-9)
    assert (
        jensen_shannon(then, now) == pytest.approx(jensen_shannon(now, then))
        and stability_index(then, now) >= 0
    )


def test_a_part_that_comes_is_a_change_of_the_mix() -> None:
    """By hand: nothing changes within the first part, and the second has a grade 2 below it."""
    then, now = np.array([1.0, 0.0]), np.array([0.75, 0.25])
    parts = kitagawa(then, now, np.array([3.0, np.nan]), np.array([3.0, 1.0]))
    assert parts.mix == pytest.approx(-0.5) and parts.within == 0
    back = kitagawa(now, then, np.array([3.0, 1.0]), np.array([3.0, np.nan]))
    assert back.mix == pytest.approx(0.5) and back.within == 0
    never = kitagawa(then, then, np.array([1.0, np.nan]), np.array([3.0, np.nan]))
    assert never == (0, 2)


@pytest.mark.slow
@pytest.mark.parametrize(("rows", "delta"), [(2, 0.02), (5, 0.0), (20, 0.0), (200, 0.02)])
def test_quiet_traffic_rarely_alarms(rows: int, delta: float) -> None:
    """100 streams of 120 days against a baseline of five, in which some strata may not be seen at all."""
    draw = np.random.default_rng(3)
    quiet = Planted(days=120, rows=rows, losses=(0.1,) * 10)
    found = [judged(*stream(draw, quiet), delta) for _ in range(100)]
    assert found.count("traffic") + found.count("both") <= 5
    assert found.count("teacher") <= 2


def test_the_radius_of_a_sequence_by_hand() -> None:
    """Waudby-Smith et al.: sqrt(2 (t s^2 rho^2 + 1) / (t^2 rho^2) log(sqrt(t s^2 rho^2 + 1) / alpha))."""
    alpha, s, t = 0.05, 0.1, 4
    rho2 = (-2 * math.log(alpha) + math.log(-2 * math.log(alpha) + 1)) / (10 * s**2)
    grown = t * s**2 * rho2 + 1
    wanted = math.sqrt(2 * grown / (t**2 * rho2) * math.log(math.sqrt(grown) / alpha))
    assert sequence_radius(np.full(t, s), alpha)[-1] == pytest.approx(wanted, rel=1e-12)
    assert wanted > 1.96 * s / math.sqrt(t)
    # Days of errors .1, .2 and .3 have .14 for t s^2; rho is that of ten days such as the first.
    grown = 0.14 * rho2 + 1
    wanted = math.sqrt(2 * grown / (3**2 * rho2) * math.log(math.sqrt(grown) / alpha))
    assert sequence_radius(np.array([0.1, 0.2, 0.3]), alpha)[-1] == pytest.approx(wanted, rel=1e-12)


@pytest.mark.slow
def test_a_sequence_holds_on_all_days_together() -> None:
    draw = np.random.default_rng(1)
    noise = draw.normal(0, 0.05, (2000, 60))
    off = np.abs(np.cumsum(noise, axis=1) / np.arange(1, 61)) > sequence_radius(np.full(60, 0.05), 0.05)
    assert off.any(axis=1).mean() <= 0.05
    # The usual interval of the mean, looked at daily, does not.
    usual = np.abs(np.cumsum(noise, axis=1) / np.arange(1, 61)) > 1.96 * 0.05 / np.sqrt(np.arange(1, 61))
    assert usual.any(axis=1).mean() > 0.2


@pytest.mark.slow
@pytest.mark.parametrize(
    ("verdict", "shift", "mix"),
    [("none", 0.0, 0.0), ("teacher", 0.05, 0.0), ("traffic", 0.0, 0.1), ("both", 0.05, 0.2)],
)
def test_who_drifted_is_told(verdict: str, shift: float, mix: float) -> None:
    """60 streams of each kind, a change on day 20 of 60: 58 are found, and laid to the right one."""
    draw = np.random.default_rng(8)
    planted = Planted(shift=shift, mix=mix, baseline=20)
    found = [judged(*stream(draw, planted), 0.0) for _ in range(60)]
    assert found.count(verdict) >= 58, found
