"""Means and kappas over clusters: errors, intervals, the guard and the bootstrap, by hand and by scipy."""

import math
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray
from one_kappa import kappa_spread
from scipy import stats

from harness.nouns.base import Interval, Weighting
from harness.stats.agreement import NO_ITEMS, NO_VARIATION, Floats, Integers
from harness.stats.bootstrap import cluster_bootstrap
from harness.stats.intervals import (
    FEW,
    NO_INTERVAL,
    NO_SPREAD,
    ONE_CLUSTER,
    KappaTable,
    clustered_error,
    mean_spread,
)
from harness.stats.means import NOTHING, by_guard, clustered_mean, clustered_share, guarded, rare_upper
from harness.stats.proportions import clopper_pearson
from harness.stats.three_way import items_needed


def test_mean_of_clusters_by_hand() -> None:
    """Deviations .25, -.75, .25, .25 sum to -.5 and .5 by cluster: SE = sqrt(2/1 x .5) / 4, t = 3 on 1."""
    found = clustered_mean(np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]))
    assert (found.value, found.se, found.reason) == (0.75, 0.25, None)
    assert found.p == pytest.approx(1 - 2 * math.atan(3) / math.pi)


@given(st.lists(st.integers(-9, 9), min_size=2, max_size=20).filter(lambda given: len(set(given)) > 1))
def test_mean_of_items_that_are_clusters_of_their_own_has_the_usual_t_test(given: list[int]) -> None:
    values = [one / 8 for one in given]
    found, usual = clustered_mean(np.array(values), np.arange(len(values))), stats.ttest_1samp(values, 0)
    assert found.value == pytest.approx(np.mean(values), abs=1e-12)
    assert found.se == pytest.approx(stats.sem(values), abs=1e-12)
    assert found.p == pytest.approx(usual.pvalue, abs=1e-9)


def test_mean_without_an_error_says_why() -> None:
    assert clustered_mean(np.zeros(0), np.arange(0)).reason == NOTHING
    alone = clustered_mean(np.array([1.0, 2.0]), np.array([0, 0]))
    assert (alone.value, alone.se, alone.p, alone.reason) == (1.5, None, None, ONE_CLUSTER)
    alike = clustered_mean(np.array([1.0, 2.0, 2.0, 1.0]), np.array([0, 0, 1, 1]))
    assert (alike.value, alike.se, alike.p, alike.reason) == (1.5, None, None, NO_SPREAD)


def test_error_of_a_total_counts_a_cluster_without_an_item_too() -> None:
    """Three clusters, of which the middle one is empty: sqrt(3/2 x (1 + 1)) / 2."""
    assert clustered_error(np.array([1.0, -1.0]), np.array([0, 2]), 3, 2) == pytest.approx(math.sqrt(3) / 2)


@pytest.mark.parametrize("touched", range(FEW + 1))
def test_share_that_is_seldom_seen_has_an_upper_limit_from_its_clusters(touched: int) -> None:
    """12 clusters of two items each; in the touched ones the first of the two happened: d* = 1/2."""
    clusters = np.repeat(np.arange(12), 2)
    happened = np.array([float(at % 2 == 0 and at < 2 * touched) for at in range(24)])
    found = rare_upper(happened, np.ones(24), clusters)
    limit = stats.beta.ppf(0.975, touched + 1, 12 - touched)
    least = 1 - 0.025 ** (1 / 12)
    assert found == (None if touched >= FEW else pytest.approx(max(least, limit * (0.5 if touched else 1))))


def test_a_worse_result_has_no_lower_limit_than_none_at_all() -> None:
    """One item of 400 in one of 20 queries: 0.2487 x 1/20, were it not for the limit of no item, 0.1684."""
    clusters, once = np.repeat(np.arange(20), 20), np.zeros(400)
    once[7] = 1
    none, one = (clustered_share(happened, clusters) for happened in (np.zeros(400), once))
    assert none is not None and one is not None
    assert none.high == one.high == pytest.approx(1 - 0.025 ** (1 / 20)) == pytest.approx(0.1684, abs=1e-4)
    assert (none.low, one.low > 0) == (0.0, True)


def test_share_of_items_that_are_their_own_clusters_is_exact() -> None:
    happened = np.array([1.0, 0.5, 0.0, 0.0])
    assert clustered_share(happened, np.arange(4)) == clopper_pearson(1.5, 4)
    assert clustered_share(happened, np.arange(4), 0.5) == clopper_pearson(1.5, 4, 0.5)
    assert clustered_share(np.array([1.0]), np.array([0])) == clopper_pearson(1, 1)
    assert clustered_share(happened, np.zeros(4, dtype=np.int64)) is None
    assert clustered_share(happened, np.array([0, 0, 1, 1])) is not None, "two clusters are enough"


def test_share_of_clusters_counts_as_many_items_as_they_are_worth() -> None:
    """Sizes 1, 2, 3, 4, 5 twice: G* = 30^2 / (2 x 55) = 8.18; in all queries but two half happened or all."""
    sizes = np.tile([1, 2, 3, 4, 5], 2)
    clusters = np.repeat(np.arange(10), sizes)
    happened = np.repeat([1.0, 0.5, 0.0, 1.0, 0.5, 0.5, 1.0, 0.5, 0.0, 1.0], sizes)
    share = happened.mean()
    sums = np.bincount(clusters, weights=happened - share)
    effect = 10 / 9 * (sums @ sums) / 30**2 / (share * (1 - share) / 29)
    assert effect > 1
    for confidence in (0.95, 0.5):
        tail = (1 + confidence) / 2
        n = 30 / effect * (stats.t.ppf(tail, 29) / stats.t.ppf(tail, 900 / 110 - 1)) ** 2
        ends = [
            stats.beta.ppf(1 - tail, share * n, n - share * n + 1),
            stats.beta.ppf(tail, share * n + 1, n - share * n),
        ]
        found, turned = (clustered_share(one, clusters, confidence) for one in (happened, 1 - happened))
        assert found is not None and turned is not None
        # In two queries it did not happen at all, and in eight not wholly: the guard has no word.
        assert list(found) == pytest.approx(ends)
        assert [1 - turned.high, 1 - turned.low] == pytest.approx(list(found))


def test_clusters_that_are_more_alike_than_chance_make_no_item_worth_more() -> None:
    """Every query has the same share, so that the design effect found is 0: it is taken as 1."""
    clusters, happened = np.repeat(np.arange(20), 2), np.tile([1.0, 0.0], 20)
    found = clustered_share(happened, clusters)
    n = 40 * (stats.t.ppf(0.975, 39) / stats.t.ppf(0.975, 19)) ** 2
    assert found is not None
    assert found.high == pytest.approx(stats.beta.ppf(0.975, n / 2 + 1, n / 2))


LEVELS = [(0.05, 0.0), (0.05, 0.6), (0.1, 0.3), (0.1, 1.0), (0.2, 0.1), (0.2, 0.6)]


@pytest.mark.parametrize(("share", "alike"), LEVELS)
@pytest.mark.parametrize("sizes", [(5,), (1, 2, 5, 15)], ids=["even", "uneven"])
def test_limit_of_a_share_holds_its_level_where_queries_have_several_items(
    sizes: tuple[int, ...], share: float, alike: float
) -> None:
    """20 queries, beta-binomial with the intra-cluster correlation `alike`; 2.5 % of limits may be too low.

    In 10,000 draws of each, the share of upper limits below the true share, in %, of this interval and (in
    brackets) of Clopper and Pearson's for independent items. The lower limits: 1.6 at most (24.0).

        items a query   share   alike 0     0.1         0.3         0.6          1
        5               0.05    0.0 (0.5)   0.0 (1.6)   0.0 (4.7)   0.0 (13.5)   0.0 (36.3)
        5               0.1     0.0 (2.5)   0.0 (4.7)   0.0 (9.4)   0.0 (15.2)   0.0 (12.2)
        5               0.2     0.9 (1.2)   1.9 (2.7)   2.7 (7.1)   2.5 (12.2)   1.0 (20.5)
        1, 2, 5 or 15   0.05    0.0 (1.4)   0.0 (4.7)   0.0 (12.5)  0.0 (23.7)   0.0 (40.6)
        1, 2, 5 or 15   0.1     0.1 (1.5)   0.3 (6.2)   0.2 (14.8)  0.0 (25.9)   0.0 (36.8)
        1, 2, 5 or 15   0.2     0.6 (1.9)   2.1 (7.2)   3.4 (15.8)  2.2 (24.1)   0.1 (30.1)
    """
    random, low, high, exact = np.random.default_rng(5), 0, 0, 0
    for _ in range(400):
        of = random.choice(sizes, 20)
        chance = _chances(random, share, alike)
        clusters = np.repeat(np.arange(20), of)
        happened = (random.random(len(clusters)) < chance[clusters]).astype(np.float64)
        found = clustered_share(happened, clusters)
        assert found is not None
        high += found.high < share
        low += found.low > share
        exact += clopper_pearson(happened.sum(), len(happened)).high < share
    assert max(high, low) <= 400 * 0.05
    if alike >= 0.3:
        assert exact > 400 * 0.05, "what independent items would promise is broken"


def _chances(random: np.random.Generator, share: float, alike: float) -> NDArray[np.float64]:
    """Each query's own chance, with the mean `share`, and as spread as the correlation asks for."""
    if alike in (0, 1):
        return np.where(random.random(20) < share, 1.0, 0.0) if alike else np.full(20, share)
    return random.beta(share * (1 - alike) / alike, (1 - share) * (1 - alike) / alike, 20)


def test_weights_decide_how_many_clusters_there_are_in_effect() -> None:
    """Weights 1, 1, 2: (1 + 1 + 2)^2 / (1 + 1 + 4) = 8/3 clusters, and the touched ones hold a quarter."""
    found = rare_upper(np.array([1.0, 0.0, 0.0]), np.array([1.0, 1.0, 2.0]), np.arange(3))
    x, n = 8 / 12, 8 / 3
    assert found == pytest.approx(stats.beta.ppf(0.975, x + 1, n - x))


def test_share_of_a_single_cluster_has_no_limit() -> None:
    assert rare_upper(np.zeros(3), np.ones(3), np.zeros(3, dtype=np.int64)) is None


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95])
def test_nothing_in_ten_clusters_is_0_of_10_at_any_confidence(confidence: float) -> None:
    """Clopper and Pearson's upper limit of 0 of n is 1 - tail^(1/n)."""
    found = clustered_share(np.zeros(20), np.repeat(np.arange(10), 2), confidence)
    assert found is not None
    assert ends(found) == pytest.approx((0, 1 - ((1 - confidence) / 2) ** (1 / 10)))


@pytest.mark.parametrize("happened", [np.repeat([1.0, 0.0], [3, 7]), np.repeat([0.0, 1.0], [3, 7])])
def test_the_guard_holds_where_fewer_clusters_than_it_is_told_differ(happened: Floats) -> None:
    """Three of ten differ, so that it takes four: .3 is at most .6525 then (Clopper and Pearson)."""
    ci, whole, clusters = Interval(0.4, 0.6), np.ones(10), np.arange(10)
    assert guarded(ci, happened, whole, clusters, few=3) == ci
    wider = guarded(ci, happened, whole, clusters, few=4)
    assert ends(wider) == pytest.approx((0.4, 0.6525) if happened.mean() < 0.5 else (0.3475, 0.6), abs=5e-5)


def test_the_exact_interval_of_single_items_is_not_by_the_guard() -> None:
    happened, each = np.zeros(10), np.arange(10)
    ci = clustered_share(happened, each)
    assert ci is not None
    assert not by_guard(ci, happened, each)


def test_items_that_would_decide_are_those_of_the_formula() -> None:
    """t(0.975, 9) = 2.262157, and atanh 0.8 - atanh 0.7 = 0.231312."""
    needed = 100 * (2.2621571627 * 0.05 / (1 - 0.49) / (math.atanh(0.8) - math.atanh(0.7))) ** 2
    assert items_needed(100, 0.7, 0.05, 10, 0.8) == math.ceil(needed) == 92
    assert items_needed(100, 0.9, 0.05, 10, 0.8) == math.ceil(
        100 * (2.2621571627 * 0.05 / (1 - 0.81) / (math.atanh(0.9) - math.atanh(0.8))) ** 2
    )


@pytest.mark.parametrize(
    ("kappa", "bar", "clusters"),
    [(0.8, 0.8, 10), (1.0, 0.8, 10), (-1.0, 0.8, 10), (0.7, 1.0, 10), (0.7, -1.0, 10), (0.7, 0.8, 1)],
)
def test_no_number_of_items_is_told_where_none_would_decide(kappa: float, bar: float, clusters: int) -> None:
    assert items_needed(100, kappa, 0.05, clusters, bar) is None


def test_two_queries_are_enough_to_tell_how_many_items_it_takes() -> None:
    assert items_needed(100, 0.7, 0.05, 2, 0.8) == math.ceil(
        100 * (stats.t.ppf(0.975, 1) * 0.05 / 0.51 / (math.atanh(0.8) - math.atanh(0.7))) ** 2
    )


def test_two_clusters_are_enough_for_a_limit() -> None:
    found = rare_upper(np.array([1.0, 0.0]), np.ones(2), np.arange(2))
    assert found == pytest.approx(stats.beta.ppf(0.975, 2, 1))


# --- the bootstrap -----------------------------------------------------------------------------------------


def items(rows: list[int], columns: list[int], clusters: list[int]) -> KappaTable:
    return KappaTable(np.array(rows), np.array(columns), np.array(clusters), (0, 1, 2), "none")


def ends(found: Any) -> tuple[float, float]:
    """The interval, or what has one."""
    ci = found if isinstance(found, Interval) else found.ci
    return ci.low, ci.high


def test_bootstrap_of_two_clusters_has_three_outcomes() -> None:
    """Twice the one cluster, both, or twice the other: a quarter of the draws lies at each end."""
    one, other = ([0, 1, 2, 1], [0, 1, 2, 0]), ([0, 1, 2, 0], [0, 2, 1, 0])
    both = items(one[0] + other[0], one[1] + other[1], [0] * 4 + [1] * 4)
    found = cluster_bootstrap(both)
    alone = [items(*cluster, [0] * 4).kappa.value for cluster in (one, other)]
    assert ends(found) == pytest.approx((min(filter(None, alone)), max(filter(None, alone))))
    assert (found.draws, found.undefined, found.reason) == (10_000, 0.0, None)


def test_bootstrap_makes_as_many_draws_as_it_is_asked_for() -> None:
    table = items([0, 1, 2, 1] * 2, [0, 1, 2, 0] * 2, [0] * 4 + [1] * 4)
    for draws in (999, 1_000, 1_500):
        found = cluster_bootstrap(table, draws=draws)
        assert (found.draws, found.undefined) == (draws, 0.0)


@pytest.mark.parametrize("tables", [(), (items([], [], []),), (items([0, 1], [0, 1], [0, 0]),)])
def test_bootstrap_without_two_clusters_draws_nothing(tables: tuple[KappaTable, ...]) -> None:
    found = cluster_bootstrap(*tables)
    assert (found.draws, found.undefined, found.reason) == (0, 0.0, ONE_CLUSTER)


def test_bootstrap_without_enough_kappas_says_how_many_are_missing() -> None:
    """Of two clusters with one grade each, only both together have a kappa: half of the draws do."""
    found = cluster_bootstrap(items([0, 1], [0, 1], [0, 1]))
    assert found.draws == 10_000
    assert found.undefined == pytest.approx(0.5, abs=0.02)
    assert found.reason == f"{found.undefined:.1%} of the draws have no kappa"


@pytest.mark.parametrize(("varied", "n", "told"), [(4, 40, True), (4, 12, False), (5, 40, False)])
def test_bootstrap_is_trusted_where_a_hundredth_of_the_draws_has_no_kappa_at_most(
    varied: int, n: int, told: bool
) -> None:
    """Of n items v have the other grade, and (1 - v/n)^n of the draws none of these: 1.5, 0.8 or 0.5 %."""
    grades = [1] * varied + [0] * (n - varied)
    found = cluster_bootstrap(items(grades, grades, list(range(n))))
    assert found.undefined == pytest.approx((1 - varied / n) ** n, abs=0.003)
    assert (found.reason is not None) == told


def test_bootstrap_has_the_percentiles_of_drawing_clusters_by_hand() -> None:
    rng = np.random.default_rng(5)
    groups, size = 40, 5
    golden = rng.integers(0, 3, groups * size)
    given = np.where(rng.random(groups * size) < 0.7, golden, rng.integers(0, 3, groups * size))
    clusters = np.repeat(np.arange(groups), size)
    counts = np.zeros((groups, 3, 3))
    np.add.at(counts, (clusters, golden, given), 1)
    drawn = counts[rng.integers(0, groups, (10_000, groups))].sum(axis=1) / len(golden)
    agreed, chance = drawn.trace(axis1=1, axis2=2), (drawn.sum(axis=1) * drawn.sum(axis=2)).sum(axis=1)
    low, high = np.quantile((agreed - chance) / (1 - chance), (0.025, 0.975))
    found = cluster_bootstrap(KappaTable(golden, given, clusters, (0, 1, 2), "none"))
    assert ends(found) == pytest.approx((low, high), abs=0.03 * (high - low))


def test_interval_of_a_mean_is_that_of_t() -> None:
    """t(0.975, 1) = 12.706205, on the error of the first test."""
    found = clustered_mean(np.array([1.0, 0.0, 1.0, 1.0]), np.array([0, 0, 1, 1]))
    assert ends(found) == pytest.approx((0.75 - 12.7062047 * 0.25, 0.75 + 12.7062047 * 0.25))


# --- the spread of a kappa ---------------------------------------------------------------------------------

NOBODY = KappaTable(np.arange(0), np.arange(0), np.arange(0), (0, 1, 2), "none")


@pytest.mark.parametrize(
    ("table", "clusters", "reason"),
    [
        (items([1, 1], [1, 1], [0, 1]), 2, NO_VARIATION),
        (NOBODY, 0, NO_ITEMS),
        (items([0, 1, 2], [0, 1, 1], [0, 0, 0]), 1, ONE_CLUSTER),
        (items([0, 1], [1, 0], [0, 1]), 2, NO_INTERVAL.format(value="-1")),
        (items([0, 1, 2, 0, 1, 2], [0, 1, 1, 0, 1, 1], [0, 0, 0, 1, 1, 1]), 2, NO_SPREAD),
        (items([0, 1, 1, 1], [0, 1, 1, 1], [0, 0, 1, 2]), 3, None),
    ],
)
def test_queries_are_counted_whether_there_is_an_interval_or_not(
    table: KappaTable, clusters: int, reason: str | None
) -> None:
    several = [table, table]
    where = [np.arange(len(table.rows))] * 2
    for found in (kappa_spread(table), mean_spread(several, where, len(table.rows), table.clusters)):
        assert (found.clusters, found.reason) == (clusters, reason)
        assert (found.se is None) == (reason is not None)


def test_perfect_agreement_has_no_error_and_a_guard() -> None:
    found = kappa_spread(items([0, 1, 2, 0], [0, 1, 2, 0], [0, 1, 2, 3]))
    assert (found.se, found.se_iid, found.clusters, found.guarded) == (0.0, 0.0, 4, True)
    expected = 1 - (0.5**2 + 0.25**2 + 0.25**2)
    assert ends(found) == pytest.approx((max(-1.0, 1 - (1 - 0.025**0.25) / expected), 1.0))


def test_two_queries_are_enough_for_a_spread() -> None:
    found = kappa_spread(items([0, 1, 2, 0, 1, 2, 0], [0, 1, 1, 0, 1, 2, 0], [0, 0, 0, 1, 1, 1, 1]))
    assert (found.clusters, found.reason) == (2, None)
    assert found.se is not None and found.se > 0


@pytest.mark.parametrize(("weighting", "size", "largest"), [("linear", 2, 4), ("quadratic", 4, 16)])
def test_guard_takes_the_size_of_the_disagreements_that_it_saw(
    weighting: Weighting, size: int, largest: int
) -> None:
    """On a scale of 0, 2 and 4 one query of six differs by one step: a 2 becomes a 0, the rest are 4."""
    golden, given = np.array([1, 2, 2, 2, 2, 2]), np.array([0, 2, 2, 2, 2, 2])
    table = KappaTable(golden, given, np.arange(6), (0, 2, 4), weighting)
    limit = stats.beta.ppf(0.975, 2, 5)
    guard = 1 - limit * size / table.expected()
    assert guard > max(-1.0, 1 - limit * largest / table.expected())
    found = kappa_spread(table)
    assert found.guarded
    assert ends(found)[0] == pytest.approx(guard)


def test_guard_ends_at_the_end_of_the_scale() -> None:
    """4 of 12 queries differ, and chance alone would make 0.28 of them: 1 - 0.651 / 0.28 is below -1."""
    found = kappa_spread(items([1, 1] + [0] * 10, [0, 0, 1, 1] + [0] * 8, list(range(12))))
    assert (found.guarded, ends(found)[0]) == (True, -1.0)


@pytest.mark.parametrize("first", [True, False])
def test_query_in_which_any_pair_disagrees_counts_for_the_guard(first: bool) -> None:
    """The one pair disagrees in five queries of fifty, the other nowhere: five are enough for no guard."""
    golden = np.array([0] * 40 + [1] * 10)
    given = np.array([0] * 45 + [1] * 5)
    tables = [KappaTable(golden, other, np.arange(50), (0, 1, 2), "none") for other in (given, golden)]
    found = mean_spread(tables if first else tables[::-1], [np.arange(50)] * 2, 50, np.arange(50))
    assert (found.guarded, found.reason) == (False, None)
    four = np.array([0] * 44 + [1] * 6)
    tables[0] = KappaTable(golden, four, np.arange(50), (0, 1, 2), "none")
    found = mean_spread(tables if first else tables[::-1], [np.arange(50)] * 2, 50, np.arange(50))
    assert found.guarded


@given(st.integers(2, 30), st.integers(1, 6), st.data())
def test_a_limit_above_that_of_more_events_is_by_the_guard(
    groups: int, size: int, data: st.DataObject
) -> None:
    """Of nested sets of events in the same items, only a guarded limit may be above that of a larger one."""
    clusters = np.repeat(np.arange(groups), size)
    touched = data.draw(st.permutations(range(groups)))
    happened = np.zeros(groups * size)
    found = []
    for at in touched:
        found.append((clustered_share(happened, clusters), by_guard_of(happened, clusters)))
        happened[at * size] = 1.0
    for (few, by_its_guard), (more, _) in pairwise(found):
        assert few is not None and more is not None
        assert by_its_guard or few.high <= more.high + 1e-12


def by_guard_of(happened: Floats, clusters: Integers) -> bool:
    found = clustered_share(happened, clusters)
    return found is not None and by_guard(found, happened, clusters)
