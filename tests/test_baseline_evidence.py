"""What a baseline says of its true mean, and what that leaves of false alarms and of power."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from watching import LOSSES, looks_of

from harness.score.watch_power import power_of
from harness.score.watched import BaselineLooks
from harness.stats.baseline_evidence import BETS, drift_beside, evidence_of, means_around
from harness.stats.e_process import drift_process, first_at

FIRM = np.array(LOSSES)
"""A teacher that mostly errs on the same pairs, as teachers at temperature 0 do."""


def test_the_evidence_of_a_baseline_by_hand() -> None:
    """Two pairs in three looks: 0, 1, 1 and 0, 0, 1. The first looks predict only."""
    found = evidence_of([(0.0, 1.0, 1.0), (0.0, 0.0, 1.0)])
    assert (found.n, found.total) == (4, 3.0)
    assert found.surprise == pytest.approx((1 - 0) ** 2 + (1 - 0.5) ** 2 + 0 + (1 - 0) ** 2)
    mean = np.array([0.9])
    # Bets of 6 / sqrt(4) and 16 / sqrt(4) are too large: .7 is the largest.
    wanted = [np.exp(bet * (4 * 0.9 - 3) + (np.log(1 - bet) + bet) * 2.25) for bet in (0.7, 0.7)]
    assert found.below(mean)[0] == pytest.approx(np.mean(wanted))
    wanted = [np.exp(bet * (3 - 4 * 0.9) + (np.log(1 - bet) + bet) * 2.25) for bet in (0.7, 0.7)]
    assert found.above(mean)[0] == pytest.approx(np.mean(wanted))


def test_bets_are_as_large_as_the_answers_are_few() -> None:
    found, mean = evidence_of(np.zeros((100, 10))), np.array([0.01])
    wanted = [np.exp(bet / np.sqrt(900) * 900 * 0.01) for bet in (6, 16)]
    assert BETS == (6, 16) and found.below(mean)[0] == pytest.approx(np.mean(wanted))


def test_a_single_look_says_nothing() -> None:
    found = evidence_of([(1.0,), (0.0,)])
    assert found.n == 0 and (found.below(np.array([0.0, 1.0])) == 1).all()
    assert found.interval(0.5) == (0.0, 1.0)


def test_an_interval_ends_where_a_mean_is_refuted_on_either_side() -> None:
    """At alpha / 2 each: 40 times the evidence of chance."""
    found = evidence_of([(0.0, 1.0, 0.0, 0.0, 1.0)] * 60)
    means = means_around(0.4)
    low, high = found.interval(0.4)
    below, above = found.below(means), found.above(means)
    assert low == means[above < 40].min() > 0 and high == means[below < 40].max() < 1
    assert above[means < low].min() >= 40 and below[means > high].min() >= 40


def test_an_interval_holds_the_mean_of_the_baseline_though_later_looks_refute_it() -> None:
    """The first look only predicts, and here it is unlike all others."""
    low, high = evidence_of([(1.0, *[0.0] * 9)] * 400).interval(0.1)
    assert low == 0 and high == pytest.approx(0.1)
    low, high = evidence_of([(0.0, *[1.0] * 9)] * 400).interval(0.9)
    assert low == pytest.approx(0.9) and high == 1


def test_looks_that_are_alike_are_no_certainty() -> None:
    few, many = evidence_of([(0.0,) * 5] * 2).interval(0.0), evidence_of([(0.0,) * 20] * 50).interval(0.0)
    # exp(.7 n mu) reaches 40 there: 8 answers take the largest bet.
    assert few.high == pytest.approx(np.log(40) / (0.7 * 8), abs=0.01)
    assert few.low == many.low == 0 < many.high < 0.02


@given(st.lists(st.floats(0, 1), min_size=2, max_size=3), st.sampled_from(["below", "above"]))
def test_over_all_answers_the_evidence_has_a_mean_of_one_at_most(chances: list[float], side: str) -> None:
    """Every outcome of three looks, with its chance: the definition of an e-value, for any pairs."""
    pairs, looks, expected = len(chances), 3, 0.0
    for number in range(2 ** (pairs * looks)):
        answers = np.array([(number >> at) & 1 for at in range(pairs * looks)]).reshape(pairs, looks)
        chance = np.prod(
            [p if one else 1 - p for p, row in zip(chances, answers, strict=True) for one in row]
        )
        found = getattr(evidence_of(answers.astype(float)), side)(np.array([np.mean(chances)]))
        expected += chance * found[0]
    assert expected <= 1 + 1e-9


def test_the_smallest_evidence_over_all_means_counts() -> None:
    known = evidence_of(np.tile([1.0, 0, 0, 0, 0, 0, 0, 0], (20, 1)).T)
    values, before = np.full(30, 0.3), np.full(30, 0.125)
    found = drift_beside(values, values, known, 0.125, 0.02, 0.001)
    for mean in (0.1, 0.125, 0.15, 0.2, 0.3):
        alone = drift_process(values, np.full(30, mean), 0.02, 0.001)
        below, above = known.below(np.array([mean])), known.above(np.array([mean]))
        assert (found.both <= (below * alone.higher + above * alone.lower) / 2 * 1.05).all()
    assert found.both[-1] < drift_process(values, before, 0.02, 0.001).both[-1]


def test_a_pair_that_is_missing_is_no_evidence_in_either_direction() -> None:
    """Half of 8 pairs are asked: all wrong is 4 of 8 at least, all right at most 4 of 8."""
    base = looks_of(np.tile([1.0, 1, 1, 1, 0, 0, 0, 0], (5, 1)))
    for value in (1.0, 0.0):
        half = base.drift(np.full(30, value), 0.02, np.full(30, 4.0))
        assert first_at(half.both, 0.025) is None
        assert first_at(base.drift(np.full(30, value), 0.02).both, 0.025) is not None


@given(st.integers(0, 7), st.integers(1, 8), st.integers(0, 1000))
def test_a_day_that_lacks_pairs_has_no_more_evidence_than_any_full_one(
    wrong: int, asked: int, seed: int
) -> None:
    """Nor than one whose missing answers are all right for a worse teacher, all wrong for a better one."""
    draw = np.random.default_rng(seed)
    base, losses = looks_of(np.tile(np.arange(8) < wrong, (5, 1)).astype(float)), draw.random((12, 8)) < 0.4
    part = base.drift(losses[:, :asked].mean(axis=1), 0.02, np.full(12, float(asked)))
    low = np.where(np.arange(8) < asked, losses, False).mean(axis=1)
    high = np.where(np.arange(8) < asked, losses, True).mean(axis=1)
    mean, least = np.full(12, base.loss), 1 / 41
    more, less = (drift_process(one, mean, 0.02, least) for one in (low, high))
    both = more.higher + less.lower
    assert (part.both <= both / 2 * (1 + 1e-9)).all()


def test_means_are_close_where_the_baseline_is() -> None:
    means = means_around(0.2)
    assert (means[0], means[-1]) == (0, 1) and 0.2 in means and (np.diff(means) >= 0).all()
    assert np.diff(means)[195:205].max() < 1e-4


def alarms(losses: np.ndarray, looks: int, delta: float, shift: float, days: int, streams: int) -> float:
    """The share of simulated watches that alarm; the shift comes on day 20, or on the first if it is all."""
    draw = np.random.default_rng(1)
    later = losses + (1 - losses) * shift / (1 - losses.mean())
    found = 0
    for _ in range(streams):
        base, start = baseline(draw, losses, looks), 20 if days > 30 else 0
        chances = np.where((np.arange(days) < start)[:, None], losses, later)
        values = (draw.random(chances.shape) < chances).mean(axis=1)
        drift = base.drift(values, delta)
        found += first_at(drift.both, 0.025) is not None
    return found / streams


def baseline(draw: np.random.Generator, losses: np.ndarray, looks: int) -> BaselineLooks:
    return looks_of((draw.random((looks, len(losses))) < losses).astype(np.float64))


@pytest.mark.slow
@pytest.mark.parametrize("sentinels", [2, 5, 20, 50])
@pytest.mark.parametrize(("looks", "delta"), [(5, 0.02), (5, 0.0), (20, 0.0)])
def test_quiet_watches_alarm_in_at_most_one_of_forty(sentinels: int, looks: int, delta: float) -> None:
    """Teachers that err on 2, 15 and 50 % of any pairs, and one that errs on the same; the claim is .025."""
    for losses in (*(np.full(sentinels, p) for p in (0.02, 0.15, 0.5)), np.resize(FIRM[5:], sentinels)):
        assert alarms(losses, looks, delta, 0.0, 200, 80) <= 0.025


@pytest.mark.slow
def test_a_shift_of_five_hundredths_is_found() -> None:
    """docs/watch.md: 58 of 60 with 50 sentinels a day, `--delta 0 --repeats 20`, in 40 days."""
    assert alarms(FIRM, 20, 0.0, 0.05, 60, 300) >= 58 / 60
    assert alarms(FIRM, 20, 0.02, 0.10, 60, 300) >= 58 / 60


@pytest.mark.slow
@pytest.mark.parametrize(("looks", "delta"), [(5, 0.02), (20, 0.0)])
@pytest.mark.parametrize("losses", [FIRM, np.full(50, 0.15), np.full(20, 0.1)])
def test_what_a_watch_says_that_it_can_see_it_finds(losses: np.ndarray, looks: int, delta: float) -> None:
    """The shift of the median baseline, from the first of 30 days on: in 70 % of the cases."""
    draw = np.random.default_rng(2)
    said = [power_of(baseline(draw, losses, looks), delta, 0.025).shift or 1.0 for _ in range(15)]
    shift = float(np.median(said))
    assert alarms(losses, looks, delta, shift, 30, 200) >= 0.7
    assert alarms(losses, looks, delta, shift / 2, 30, 200) <= 0.5
