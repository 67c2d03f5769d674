"""Estimates of production: the reference, the formulas by hand, and where there is no interval."""

import csv
import json
import math
import random
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import t as student

from harness.report.page.words import sentence
from harness.stats.cluster_sums import ClusterSums
from harness.stats.few_events import FEW_EVENTS, design_effect, few_events, rows_alike
from harness.stats.intervals import NO_SPREAD
from harness.stats.means import rare_upper
from harness.stats.prediction_powered import (
    LAMBDA_VARIES,
    NO_LABELS,
    ONE_LABELLED,
    Moments,
    error,
    human_mean,
    moments,
    powered_error,
    powered_mean,
    with_tuning,
)
from harness.stats.proportions import adjusted_share, clopper_pearson, effective_rows
from harness.stats.rogan_gladen import NO_BETTER, NO_OTHERS, ONE_KIND, OUT_OF_RANGE, rogan_gladen
from harness.stats.stratified import ALIKE, APART, Strata, difference, stratified_mean, teacher_difference

FOLDER = Path(__file__).parent / "cases/statistics"


class Row(NamedTuple):
    """A row of production; `human` is None where nobody rated it."""

    query: int
    teacher: float
    human: float | None = None
    weight: float = 1.0
    stratum: int = 0


def sums_of(rows: Sequence[Row], queries: int | None = None) -> ClusterSums:
    """The sums by query, in a plain loop."""
    count = queries or max(row.query for row in rows) + 1
    sums = [[0.0] * count for _ in range(5)]
    weights = []
    squares = [0.0] * count
    for row in rows:
        if row.human is None:
            sums[3][row.query] += row.weight * row.teacher
            sums[4][row.query] += row.weight
        else:
            weights.append(row.weight)
            squares[row.query] += row.weight**2
            for at, value in enumerate((row.human, row.teacher, 1.0)):
                sums[at][row.query] += row.weight * value
    kish = sum(weights) ** 2 / sum(w * w for w in weights) if weights else 0.0
    human, teacher, labelled, unseen, unlabelled = (np.array(one) for one in sums)
    sizes = np.array(
        [whole**2 / square if square else 0.0 for whole, square in zip(labelled, squares, strict=True)]
    )
    return ClusterSums(human, teacher, labelled, unseen, unlabelled, kish, sizes)


def some_rows(
    seed: int, labelled: int = 30, others: int = 60, share: float = 0.5, *, both: bool = False
) -> list[Row]:
    """Rows by chance; with `both`, a query has rows of either kind."""
    by_chance = random.Random(seed)
    rows = []
    for query in range(labelled + others):
        good = by_chance.betavariate(2 * share, 2 * (1 - share))
        for number in range(by_chance.randint(2, 6)):
            human = float(by_chance.random() < good)
            teacher = human if by_chance.random() < 0.8 else float(by_chance.random() < 0.6)
            rated = query < labelled and not (both and number % 2)
            rows.append(Row(query, teacher, human if rated else None, by_chance.uniform(0.5, 2)))
    return rows


def test_it_equals_the_reference() -> None:
    """PRODUCTION.md, section 1; computed by another implementation."""
    wanted = json.loads((FOLDER / "production.json").read_text(encoding="utf-8"))
    with (FOLDER / "inputs/production.csv").open(encoding="utf-8") as file:
        lines = list(csv.DictReader(file))
    numbers = {query: at for at, query in enumerate(sorted({line["query"] for line in lines}))}
    rows = [
        Row(numbers[one["query"]], float(one["teacher"]), float(one["human"]) if one["human"] else None)
        for one in lines
    ]
    sums = sums_of(rows)
    found = powered_mean(sums)
    assert found.value == pytest.approx(wanted["theta"], abs=1e-9)
    assert found.se == pytest.approx(wanted["se"], abs=1e-9)
    assert found.ci == pytest.approx(wanted["ci"], abs=1e-9)
    assert found.lam == pytest.approx(wanted["lam"], abs=1e-9)
    assert found.teacher_only == pytest.approx(wanted["teacher_only"], abs=1e-9)
    assert found.human.value == pytest.approx(wanted["human_only"], abs=1e-9)
    assert (found.clusters_labelled, found.clusters_unlabelled) == (wanted["G"], wanted["H"])
    assert (float(sums.labelled.sum()), float(sums.unlabelled.sum())) == (wanted["n"], wanted["N"])
    assert not found.few and found.reason is None


class Sides(NamedTuple):
    """Sums by query: human grades, the teacher's, weights; then those of the rows without a human grade."""

    y: dict[int, float]
    f: dict[int, float]
    n: dict[int, float]
    u: dict[int, float]
    m: dict[int, float]

    @classmethod
    def of(cls, rows: Sequence[Row]) -> "Sides":
        sides = cls(*(defaultdict[int, float](float) for _ in range(5)))
        for row in rows:
            if row.human is None:
                sides.u[row.query] += row.weight * row.teacher
                sides.m[row.query] += row.weight
            else:
                sides.y[row.query] += row.weight * row.human
                sides.f[row.query] += row.weight * row.teacher
                sides.n[row.query] += row.weight
        return sides

    def without(self, query: int) -> "Sides":
        return Sides(*({g: value for g, value in side.items() if g != query} for side in self))

    def lam(self) -> float:
        """lambda, of queries that have rows of one kind."""
        total = sum(self.n.values())
        ey = {g: self.y[g] - sum(self.y.values()) / total * self.n[g] for g in self.n}
        ef = {g: self.f[g] - sum(self.f.values()) / total * self.n[g] for g in self.n}
        bottom = sum(one**2 for one in ef.values()) / total**2 + self.v_u()
        return min(1.0, max(0.0, sum(ey[g] * ef[g] for g in self.n) / total**2 / bottom)) if bottom else 0.0

    def v_u(self) -> float:
        rest = sum(self.m.values())
        seen = sum(self.u.values()) / rest
        return sum((self.u[h] - seen * self.m[h]) ** 2 for h in self.m) / rest**2

    def theta(self, lam: float) -> float:
        human = sum(self.y[g] - lam * self.f[g] for g in self.n) / sum(self.n.values())
        return human + lam * sum(self.u.values()) / sum(self.m.values())


def spread(values: Sequence[float]) -> float:
    """The jackknife's variance."""
    mean = sum(values) / len(values)
    return (len(values) - 1) / len(values) * sum((one - mean) ** 2 for one in values)


def the_larger(fixed: float, tuned: float, human: float) -> float:
    """SE^2: with lambda tuned anew if that is a tenth more, at most that of humans only."""
    return max(fixed, min(tuned, human)) if tuned > 1.1 * fixed else fixed


def by_hand(rows: Sequence[Row]) -> tuple[float, float, float]:
    """theta, SE and lambda by the formulas of PRODUCTION.md, written out over dicts; lambda tuned anew."""
    sides = Sides.of(rows)
    lam, h = sides.lam(), len(sides.m)
    rest = lam**2 * sides.v_u() * h / (h - 1)
    left = [sides.without(g) for g in sides.n]
    fixed, tuned, human = (
        spread([one.theta(value) for one, value in zip(left, lams, strict=True)])
        for lams in ([lam] * len(left), [one.lam() for one in left], [0.0] * len(left))
    )
    return sides.theta(lam), math.sqrt(the_larger(fixed + rest, tuned + rest, human)), lam


@given(seed=st.integers(0, 10_000))
@settings(max_examples=40)
def test_the_formulas_written_out_give_the_same(seed: int) -> None:
    rows = some_rows(seed)
    theta, se, lam = by_hand(rows)
    found = powered_mean(sums_of(rows))
    assert not found.few
    assert (found.value, found.se, found.lam) == pytest.approx((theta, se, lam), abs=1e-12)
    half = student.ppf(0.975, 29) * se
    assert found.ci == pytest.approx((max(0, theta - half), min(1, theta + half)), abs=1e-9)


@given(seed=st.integers(0, 10_000))
@settings(max_examples=20)
def test_queries_with_rows_of_both_kinds_are_left_out_of_both_at_once(seed: int) -> None:
    rows = some_rows(seed, labelled=40, others=10, both=True)
    sums = sums_of(rows)
    found = powered_mean(sums)
    left = [sums_of([row for row in rows if row.query != query], 50) for query in range(50)]
    best = [moments(one).best for one in left]
    assert sums.best_without_each(np.arange(50)) == pytest.approx(best, abs=1e-9)

    def square(lams: Sequence[float], among: Sequence[ClusterSums]) -> float:
        return spread([one.at(lam) or 0.0 for one, lam in zip(among, lams, strict=True)])

    human = square([0.0] * 40, left[:40])
    wanted = the_larger(square([found.lam] * 50, left), square(best, left), human)
    assert found.value == pytest.approx(sums.at(found.lam))
    assert found.se == pytest.approx(math.sqrt(wanted))


def test_the_error_of_lambda_counts_where_it_is_more_than_a_tenth() -> None:
    """At a tenth the formula with lambda held fixed is kept; above, at most the humans' own error counts."""
    tenth = math.sqrt(LAMBDA_VARIES)
    assert with_tuning(1.0, tenth * 0.999, 5.0) == 1.0
    assert with_tuning(1.0, tenth * 1.001, 5.0) == tenth * 1.001
    assert with_tuning(1.0, 3.0, 2.0) == 2.0
    assert with_tuning(1.0, 3.0, 0.9) == 1.0
    kept = [powered_error(sums, moments(sums).best) for sums in map(sums_of, map(some_rows, range(100)))]
    fixed = [error(sums, moments(sums).best) for sums in map(sums_of, map(some_rows, range(100)))]
    larger = sum(one > other for one, other in zip(kept, fixed, strict=True))
    assert 10 < larger < 90, "both rules come up"


@given(seed=st.integers(0, 10_000), both=st.booleans())
@settings(max_examples=20)
def test_lambda_is_where_the_variance_is_least(seed: int, both: bool) -> None:
    sums = sums_of(some_rows(seed, both=both))
    best = moments(sums).best

    def variance(lam: float) -> float:
        n, m = sums.labelled.sum(), sums.unlabelled.sum()
        parts = [
            (one - one.sum() / of.sum() * of) / of.sum()
            for one, of in ((sums.human, sums.labelled), (sums.teacher, sums.labelled))
        ]
        unseen = (sums.unseen - sums.unseen.sum() / m * sums.unlabelled) / m
        assert n > 0
        influence = parts[0] + lam * (unseen - parts[1])
        return float(influence @ influence)

    others = [lam for lam in (best - 0.05, best + 0.05, 0.0, 1.0) if 0 <= lam <= 1]
    assert all(variance(best) <= variance(lam) + 1e-15 for lam in others)


def test_the_order_of_the_queries_does_not_matter() -> None:
    sums = sums_of(some_rows(3))
    order = np.random.default_rng(0).permutation(len(sums.human))
    turned = ClusterSums(
        sums.human[order], sums.teacher[order], sums.labelled[order], sums.unseen[order],
        sums.unlabelled[order], sums.rows,
    )  # fmt: skip
    one, other = powered_mean(sums), powered_mean(turned)
    assert (one.value, one.se, one.lam) == pytest.approx((other.value, other.se, other.lam), abs=1e-12)


def test_a_row_of_weight_2_counts_as_two_rows() -> None:
    rows = [row._replace(weight=1.0 + row.query % 2) for row in some_rows(5)]
    twice = [one for row in rows for one in [row._replace(weight=1.0)] * int(row.weight)]
    one, other = powered_mean(sums_of(rows)), powered_mean(sums_of(twice))
    assert (one.value, one.se) == pytest.approx((other.value, other.se), abs=1e-12)


def test_the_unit_of_the_weights_does_not_matter() -> None:
    """Rows may stand for thousands of searches, or for a thousandth of all."""
    rows = some_rows(5)
    one, other = (
        powered_mean(sums_of([row._replace(weight=by * row.weight) for row in rows])) for by in (1, 1e-5)
    )
    assert one.lam > 0 and one.ci and one.more
    assert other.ci == pytest.approx(one.ci)
    assert (other.value, other.se, other.lam, other.more, other.teacher_only) == pytest.approx(
        (one.value, one.se, one.lam, one.more, one.teacher_only)
    )


def test_a_teacher_that_knows_nothing_is_not_used() -> None:
    rows = some_rows(1)
    constant = powered_mean(sums_of([row._replace(teacher=1.0) for row in rows]))
    assert (constant.lam, constant.value) == (0.0, constant.human.value)
    assert constant.saved == 0.0
    against = [row._replace(teacher=1.0 - row.teacher) for row in rows]
    assert powered_mean(sums_of(against)).lam == 0.0


def test_lambda_is_1_at_most() -> None:
    rows = [
        row._replace(teacher=0.3 * (row.human or 0.0) if row.human is not None else 0.1)
        for row in some_rows(2)
    ]
    assert powered_mean(sums_of(rows)).lam == 1.0


def test_the_interval_is_hardly_ever_wider_than_that_of_humans_alone() -> None:
    widest = 0.0
    for seed in range(200):
        found = powered_mean(sums_of(some_rows(seed)))
        assert found.ci and found.human.ci
        widest = max(widest, (found.ci.high - found.ci.low) / (found.human.ci.high - found.human.ci.low))
    assert widest < 1.02


def test_without_labels_there_is_no_value_and_with_one_query_no_interval() -> None:
    nothing = powered_mean(sums_of([Row(0, 1.0), Row(1, 0.0)]))
    assert (nothing.value, nothing.reason, nothing.teacher_only) == (None, NO_LABELS, 0.5)
    one = powered_mean(sums_of([Row(0, 1.0, 1.0), Row(0, 1.0, 0.0), Row(1, 0.0)]))
    assert (one.value, one.ci, one.se, one.reason) == (0.5, None, None, ONE_LABELLED)


def test_one_query_without_labels_tells_no_spread() -> None:
    rows = [row for row in some_rows(4, others=1) if row.query <= 30]
    found = powered_mean(sums_of(rows))
    assert (found.lam, found.clusters_unlabelled) == (0.0, 1)
    assert found.value == found.human.value and found.ci is not None
    two = powered_mean(sums_of(some_rows(4, others=2)))
    assert two.lam > 0 and two.clusters_unlabelled == 2


def test_two_rated_queries_are_enough_for_the_exact_interval() -> None:
    """One of two: Clopper and Pearson's is .0126 to .9874; of as many of both, those that count are few."""
    found = powered_mean(sums_of(alike(1, 2)))
    assert found.ci == pytest.approx((0.0126, 0.9874), abs=5e-5)
    assert found.reason is not None and "1 of 2 labelled queries hold a row that counts," in found.reason


def alike(events: int, queries: int = 60, rows: int = 1) -> list[Row]:
    """Queries of one row each, the first of which hold an event."""
    return [Row(query, 0.0, float(query < events)) for query in range(queries) for _ in range(rows)]


@pytest.mark.parametrize("turned", [False, True])
def test_fewer_than_ten_queries_with_an_event_take_the_exact_interval(turned: bool) -> None:
    """With independent rows it is Clopper and Pearson's; below ten, whatever the skewness."""
    rows = [row._replace(human=1 - (row.human or 0)) if turned else row for row in alike(FEW_EVENTS - 1)]
    found = powered_mean(sums_of([*rows, Row(60, 1.0), Row(61, 0.0)]))
    x = 60 - (FEW_EVENTS - 1) if turned else FEW_EVENTS - 1
    assert found.few and found.lam == 0.0
    assert found.reason is not None and "few_events: 9 of 60" in found.reason
    held = "a row that does not count" if turned else "a row that counts"
    assert f"labelled queries hold {held}, and 10 are needed" in found.reason
    # A person is told without the name that programs read.
    assert sentence(found.reason).startswith("9 of 60 labelled queries hold")
    assert found.ci == pytest.approx(clopper_pearson(x, 60), abs=1e-3)
    assert few_events(sums_of(alike(FEW_EVENTS)), 0.05, skewed=0.0) is None
    assert few_events(sums_of(alike(FEW_EVENTS - 1)), 0.05, skewed=0.0) is not None


def test_a_skewed_share_takes_more_rows() -> None:
    """Cochran's rule, n > 25 (1 - 2p)^2 / (p (1 - p)): at p = .2 it takes 56.25 independent rows."""
    enough, few = sums_of(alike(12, 60)), sums_of(alike(11, 55))
    for sums, held in ((enough, True), (few, False)):
        only, by_rule = human_mean(sums)
        assert only.value == pytest.approx(0.2)
        assert by_rule is not held
    assert "worth 54 independent rows, and a share of 0.2 needs 56" in str(human_mean(few)[0].reason)
    # Near a half it never asks for more.
    assert human_mean(sums_of(alike(10, 20)))[1] is False


def test_an_error_of_0_is_no_interval() -> None:
    rows = [Row(query, float(row), float(row)) for query in range(40) for row in (0, 1)]
    found = powered_mean(sums_of(rows))
    assert (found.value, found.se, found.ci, found.reason) == (0.5, 0.0, None, NO_SPREAD)


def test_no_event_at_all_still_has_an_interval() -> None:
    found = powered_mean(sums_of([Row(query, 0.0, 0.0) for query in range(40)]))
    assert found.value == 0.0 and found.few
    assert found.ci == pytest.approx(clopper_pearson(0, 40))
    assert found.saved is None and found.more is None


def test_the_exact_interval_has_the_design_effect_of_both_estimates_and_t_on_the_queries() -> None:
    """Korn and Graubard's: 40 queries, one of which has half of the rows, and no event."""
    sums = sums_of([*alike(6, 40, rows=2), *[Row(39, 0.0, 0.0)] * 80])
    found, by_rule = human_mean(sums)
    assert by_rule and found.ci and found.se and found.value == 12 / 160
    by_spread = 160 / effective_rows(found.value, 160, found.se)
    clusters = 160**2 / (39 * 2**2 + 82**2)
    assert rows_alike(sums) == 1.0  # no query has both an event and none
    assert design_effect(sums, found.value, found.se) == pytest.approx(math.sqrt(by_spread * 160 / clusters))
    kept = 160 / math.sqrt(by_spread * 160 / clusters)
    assert found.ci == pytest.approx(adjusted_share(found.value, 160, kept, 39))
    # A figure over queries has no rows within one.
    assert design_effect(replace(sums, sizes=None), found.value, found.se) == pytest.approx(by_spread)


@pytest.mark.parametrize("weight", [1.0, 2.5])
def test_rho_is_one_less_the_spread_within_queries_over_that_of_all(weight: float) -> None:
    """Fleiss and Cuzick 1979, by a plain loop; what every row weighs does not matter."""
    marks = [[1, 0, 0], [0, 0], [1, 1, 1, 0], [0], [0, 0, 0, 0, 0, 1]]
    rows = [Row(query, 0.0, float(one), weight) for query, ones in enumerate(marks) for one in ones]
    n, p = 16, 5 / 16
    within = sum(len(ones) * (sum(ones) / len(ones)) * (1 - sum(ones) / len(ones)) for ones in marks)
    assert rows_alike(sums_of(rows)) == pytest.approx(1 - within / (p * (1 - p) * (n - 5)))


def test_rho_lies_between_0_and_1_and_is_0_where_nothing_tells() -> None:
    apart = [Row(query, 0.0, float(at)) for query in range(9) for at in (0, 1)]
    assert rows_alike(sums_of(apart)) == 0.0  # every query is mixed as all are
    assert rows_alike(sums_of(alike(3, 9))) == 0.0  # one row each
    assert rows_alike(sums_of(alike(0, 9, rows=4))) == 0.0  # no event
    assert rows_alike(sums_of(alike(3, 9, rows=4))) == 1.0


def test_in_queries_of_one_size_the_two_design_effects_agree() -> None:
    """But for G / (G - 1), so that nothing changes there."""
    by_chance = random.Random(3)
    rows = [
        Row(query, 0.0, float(by_chance.random() < (query % 4) / 8)) for query in range(200) for _ in range(5)
    ]
    sums = sums_of(rows)
    found = human_mean(sums)[0]
    assert found.value is not None and found.se is not None
    by_spread = 1_000 / effective_rows(found.value, 1_000, found.se)
    assert by_spread > 1.2
    assert design_effect(sums, found.value, found.se) == pytest.approx(by_spread, rel=0.01)


@pytest.mark.parametrize(("events", "widened"), [(0, True), (1, True), (2, False), (4, False)])
def test_the_guard_widens_where_no_spread_of_events_is_known(events: int, widened: bool) -> None:
    """With an event in one query, or in none, nothing says how much queries with events differ."""
    sums = sums_of(
        [Row(query, 0.0, float(query < events and not at)) for query in range(40) for at in range(5)]
    )
    found = human_mean(sums)[0]
    limit = rare_upper(sums.human / 5, np.full(40, 5.0), np.arange(40))
    assert found.ci and limit
    assert (found.ci.high == limit) is widened


def test_rare_shares_are_covered_in_queries_of_unequal_size() -> None:
    """One row in four is of one query in twenty; the jackknife's design effect alone covers .91."""
    random_ = np.random.default_rng(5)
    sizes, chances = np.array([2, 3, 4, 6, 10, 19, 35, 61]), (0.27, 0.16, 0.12, 0.20, 0.10, 0.10, 0.03, 0.02)
    held = 0
    for _ in range(1_500):
        n = random_.choice(sizes, 200, p=chances)
        good = random_.binomial(n, random_.beta(0.02 * 7 / 3, 0.98 * 7 / 3, 200)).astype(float)
        whole, nobody = n.astype(float), np.zeros(200)
        ci = human_mean(ClusterSums(good, nobody, whole, nobody, nobody, whole.sum(), whole))[0].ci
        held += ci is not None and ci.low <= 0.02 <= ci.high
    assert 0.93 < held / 1_500 < 0.975


def test_effective_rows_are_those_over_the_design_effect() -> None:
    independent = math.sqrt(0.3 * 0.7 / 99)
    assert effective_rows(0.3, 100, independent) == pytest.approx(100)
    assert effective_rows(0.3, 100, 2 * independent) == pytest.approx(25)
    assert effective_rows(0.3, 100, independent / 2) == 100
    assert effective_rows(0.0, 100, 0.0) == 100
    assert effective_rows(0.3, 1, 0.1) == effective_rows(0.3, 1, 2.0) == 1
    assert effective_rows(0.5, 2, math.sqrt(0.5)) == pytest.approx(1)


def test_a_share_of_few_clusters_has_t_on_their_degrees_of_freedom() -> None:
    """Korn and Graubard 1998: t(.975, 9) = 2.262157; of five clusters and of two 2.776445 and 12.706205."""
    for freedom, t in ((4, 2.7764451052), (1, 12.7062047362)):
        kept = 8 * (2.2621571628 / t) ** 2
        assert adjusted_share(0.25, 10, 8, freedom) == pytest.approx(clopper_pearson(0.25 * kept, kept))
    # At most as many as there are; where no cluster or no row is left to compare, as many as are kept.
    assert adjusted_share(0.25, 10, 9.9, 1e6) == pytest.approx(clopper_pearson(2.5, 10))
    assert adjusted_share(0.25, 10, 8, 0) == clopper_pearson(2, 8)
    assert adjusted_share(0.25, 1, 0.5, 5) == clopper_pearson(0.125, 0.5)


def test_what_more_labels_bring_is_what_the_formula_says() -> None:
    """m times the labelled queries make v_Y/m - c^2/(m (v_F + m V_u)) a quarter of what it is."""
    found = Moments(human=4.0, both=2.0, teacher=2.0, apart=0.5)
    times = found.times_as_many()

    def variance(m: float) -> float:
        return (found.human - found.both**2 / (found.teacher + m * found.apart)) / m

    assert variance(times) == pytest.approx(variance(1) / 4)
    assert Moments(1.0, 0.0, 1.0, 1.0).times_as_many() == 4
    assert Moments(1.0, 0.5, 1.0, 0.0).times_as_many() == 4
    # A teacher that errs the wrong way round is not used, and one that is never off leaves no variance.
    assert Moments(1.0, -0.5, 1.0, 1.0).times_as_many() == 4
    assert Moments(1.0, 2.0, 3.0, 1.0).times_as_many() == 4
    # In another unit, such as that of a few thousand rows, it is as many times.
    small = Moments(*(1e-4 * one for one in (4.0, 2.0, 2.0, 0.5)))
    assert small.times_as_many() == pytest.approx(times)
    assert variance(found.times_as_many(3)) == pytest.approx(variance(1) / 9)


def test_what_the_teacher_saved_is_the_ratio_of_the_variances() -> None:
    found = powered_mean(sums_of(some_rows(6)))
    assert found.se and found.human.se and found.saved is not None
    assert found.saved == pytest.approx((found.human.se / found.se) ** 2 - 1)
    assert found.saved > 0


def strata_of(rows: Sequence[Row], queries: int, names: int = 2) -> Strata:
    parts = [
        sums_of([row for row in rows if row.stratum == at] or [Row(0, 0.0)], queries) for at in range(names)
    ]
    weights = np.zeros((names, queries))
    for row in rows:
        weights[row.stratum, row.query] += row.weight
    return Strata(parts, weights)


def test_strata_add_up_by_their_share_of_production() -> None:
    rows = [row._replace(stratum=int(row.query % 3 == 0)) for row in some_rows(7, 60, 120)]
    strata = strata_of(rows, 180)
    found = stratified_mean(strata, sums_of(rows))
    parts = [powered_mean(part) for part in strata.parts]
    shares = strata.shares
    assert not strata.cut and not strata.thin
    assert found.value == pytest.approx(
        sum(w * (one.value or 0) for w, one in zip(shares, parts, strict=True))
    )
    square = sum((w * (one.se or 0)) ** 2 for w, one in zip(shares, parts, strict=True))
    assert found.se == pytest.approx(math.sqrt(square))
    assert found.lam == pytest.approx(sum(w * one.lam for w, one in zip(shares, parts, strict=True)))
    freedom = square**2 / sum(
        (w * (one.se or 0)) ** 4 / (one.clusters_labelled - 1) for w, one in zip(shares, parts, strict=True)
    )
    assert found.ci and found.value
    assert found.ci.high == pytest.approx(found.value + student.ppf(0.975, freedom) * math.sqrt(square))


def test_strata_that_cut_through_queries_are_jackknifed_by_whole_query() -> None:
    rows = [row._replace(stratum=int(row.teacher > 0.5)) for row in some_rows(8, 60, 60)]
    strata = strata_of(rows, 120)
    found = stratified_mean(strata, sums_of(rows))
    lams = [moments(part).best for part in strata.parts]

    def theta(kept: Sequence[Row]) -> float:
        left = strata_of(kept, 120)
        values = [part.at(lam) for part, lam in zip(left.parts, lams, strict=True)]
        return float(left.shares @ np.array(values, dtype=float))

    without = [theta([row for row in rows if row.query != query]) for query in range(120)]
    square = 119 / 120 * sum((one - sum(without) / 120) ** 2 for one in without)
    assert strata.cut
    assert (found.value, found.se) == pytest.approx((theta(rows), math.sqrt(square)))


def test_post_stratifying_by_the_teachers_grade_uses_the_teacher() -> None:
    """In a stratum its grade is the same everywhere: lambda is 0, and yet the interval is narrower."""
    rows = [row._replace(stratum=int(row.teacher > 0.5)) for row in some_rows(9, 60, 400)]
    strata = strata_of(rows, 460)
    found = stratified_mean(strata, sums_of(rows))
    alone = powered_mean(sums_of(rows)).human
    assert found.lam == 0.0 and found.se and alone.se and found.se < 0.9 * alone.se


def test_a_stratum_without_spread_asks_for_four_times_the_queries() -> None:
    """As half the width does without a teacher: three times as many more; the others say it themselves."""
    rows = [row._replace(stratum=int(row.query % 3 == 0)) for row in some_rows(7, 60, 120)]
    rows = [
        row._replace(human=1.0, teacher=1.0) if row.stratum and row.human is not None else row for row in rows
    ]
    strata = strata_of(rows, 180)
    spread, none = (powered_mean(part).more for part in strata.parts)
    assert none is None and spread is not None
    found = stratified_mean(strata, sums_of(rows))
    assert found.more == pytest.approx(strata.shares @ np.array([spread, 3.0]))


def test_few_events_are_counted_over_all_strata() -> None:
    rows = [row._replace(human=0.0 if row.human is not None else None) for row in some_rows(7, 60, 120)]
    rows = [row._replace(stratum=int(row.query % 3 == 0)) for row in rows]
    found = stratified_mean(strata_of(rows, 180), sums_of(rows))
    assert found.few and found.lam == 0.0 and found.value == 0.0 and found.ci and found.ci.high > 0


def test_a_stratum_with_four_rated_queries_is_thin() -> None:
    rows = [row._replace(stratum=int(row.query < 4)) for row in some_rows(7, 60, 120)]
    assert strata_of(rows, 180).thin == [1]
    rows = [row._replace(stratum=int(row.query < 5)) for row in some_rows(7, 60, 120)]
    assert strata_of(rows, 180).thin == []


def test_the_difference_of_two_teachers_is_paired_by_query() -> None:
    rows = some_rows(10, 60, 200)
    other = [row._replace(teacher=row.teacher if row.query % 4 else 1.0) for row in rows]
    first, second = sums_of(rows), sums_of(other)
    found = difference(first, second)
    values = powered_mean(first), powered_mean(second)
    assert found.value == pytest.approx((values[1].value or 0) - (values[0].value or 0))
    lams = moments(first).best, moments(second).best

    def apart(query: int) -> float:
        one, two = (
            sums_of([row for row in side if row.query != query], 260).at(lam)
            for side, lam in zip((rows, other), lams, strict=True)
        )
        assert one is not None and two is not None
        return two - one

    without = [apart(query) for query in range(260)]
    square = 259 / 260 * sum((one - sum(without) / 260) ** 2 for one in without)
    assert found.se == pytest.approx(math.sqrt(square))
    assert found.se is not None and found.se < 0.7 * math.hypot(values[0].se or 0, values[1].se or 0)
    teachers = teacher_difference(first, second)
    plain = [
        sum(row.weight * row.teacher for row in side) / sum(row.weight for row in side)
        for side in (rows, other)
    ]
    assert teachers.value == pytest.approx(plain[1] - plain[0])
    assert teachers.ci is not None and teachers.ci.low > 0


def test_queries_with_as_many_rows_rated_as_not_are_left_out_of_a_difference_in_turn() -> None:
    by_chance = random.Random(4)
    rows = [
        Row(query, float(by_chance.random() < 0.5), float(query % 2) if at else None)
        for query in range(40)
        for at in (0, 1)
    ]
    rows = [row._replace(teacher=row.human) if row.human and row.query % 5 else row for row in rows]
    other = [row._replace(teacher=row.teacher if row.query % 3 else 1 - row.teacher) for row in rows]
    lams = [moments(sums_of(side)).best for side in (rows, other)]
    assert max(lams) > 0.1

    def apart(query: int) -> float:
        sides = [sums_of([row for row in side if row.query != query], 40) for side in (rows, other)]
        values = [side.at(lam) or 0.0 for side, lam in zip(sides, lams, strict=True)]
        return values[1] - values[0]

    without = [apart(query) for query in range(40)]
    square = 39 / 40 * sum((one - sum(without) / 40) ** 2 for one in without)
    assert difference(sums_of(rows), sums_of(other)).se == pytest.approx(math.sqrt(square))


def test_few_events_of_a_difference_are_those_of_the_human_grades_alone() -> None:
    """150 rows at a share of .1, where it takes 178 (Cochran), though the teacher's errors are none."""
    rated = [Row(query, float(query < 15), float(query < 15)) for query in range(150)]
    sums = sums_of([*rated, *(Row(150 + query, float(query % 10 == 0)) for query in range(1_000))])
    assert few_events(sums, error(sums, 1.0)) is None
    found = difference(sums, sums)
    assert found.reason is not None and found.reason.kind == "few_events"


def test_teachers_of_two_queries_differ_with_t_on_one_degree() -> None:
    """By query 1 - 0 and 1 - 1: the mean is .5, without the one 0, without the other 1."""
    first, second = ([Row(0, one), Row(1, 1.0)] for one in (0.0, 1.0))
    found = teacher_difference(sums_of(first), sums_of(second))
    assert (found.value, found.se) == pytest.approx((0.5, 0.5))
    assert found.ci == pytest.approx((0.5 - 12.7062047 * 0.5, 0.5 + 12.7062047 * 0.5))


def test_teachers_of_no_row_do_not_differ() -> None:
    sums = sums_of(some_rows(11, 5, 5))
    none = np.zeros(10)
    nothing = ClusterSums(none, none, none, none, none, 0.0)
    for sides in ((sums, nothing), (nothing, sums)):
        found = teacher_difference(*sides)
        assert (found.value, found.ci) == (None, None)
        assert found.reason is not None and found.reason.kind == "undefined"


def test_without_a_row_of_the_teacher_alone_the_estimate_is_that_of_humans() -> None:
    sums = sums_of([Row(0, 1.0, 0.0), Row(1, 1.0, 1.0), Row(1, 0.0, 1.0)])
    assert sums.teacher_only is None
    assert sums.at(0.0) == sums.at(0.5) == pytest.approx(2 / 3)


def test_the_same_twice_does_not_differ() -> None:
    sums = sums_of(some_rows(11, 60))
    assert difference(sums, sums).reason == ALIKE
    assert difference(sums, sums).value == 0.0
    assert teacher_difference(sums, sums).reason == ALIKE
    nobody = sums_of([row._replace(human=None) for row in some_rows(11, 60)])
    assert difference(sums, nobody).reason == APART


def test_few_events_on_a_side_leave_a_difference_without_an_interval() -> None:
    sums = sums_of(some_rows(12, 60))
    rare = sums_of(
        [
            row._replace(
                human=float(row.query < 3) if row.human is not None else None,
                teacher=float(row.query % 70 < 4),
            )
            for row in some_rows(12, 60)
        ]
    )
    assert moments(rare).best > 0.1
    for sides in ((sums, rare), (rare, sums)):
        found = difference(*sides)
        values = [powered_mean(side).value or 0 for side in sides]  # of the rare side, humans only
        assert found.value == pytest.approx(values[1] - values[0])
        assert found.ci is None and found.p is None
        assert found.reason is not None and "few_events" in found.reason


def checked(rows: Sequence[Row]) -> Any:
    sums = sums_of(rows)
    both = np.zeros(len(sums.human))
    for row in rows:
        both[row.query] += row.weight * row.teacher * (row.human or 0.0)
    return rogan_gladen(sums, both)


def test_rogan_gladen_corrects_by_sensitivity_and_specificity() -> None:
    """(p + sp - 1) / (se + sp - 1) (Rogan & Gladen 1978): se .9, sp .8 and p .6 give .4 / .7."""
    labelled = [Row(q, float(q != 0), 1.0) for q in range(10)] + [
        Row(q, float(q < 12), 0.0) for q in range(10, 20)
    ]
    others = [Row(q, float(q < 32)) for q in range(20, 40)]
    found = checked([*labelled, *others])
    assert (found.sensitivity, found.specificity) == pytest.approx((0.9, 0.8))
    assert found.value == pytest.approx(0.4 / 0.7)
    assert found.ci is not None and found.ci.low < found.value < found.ci.high


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        (lambda row: row._replace(human=1.0 if row.human is not None else None), ONE_KIND),
        (lambda row: row._replace(teacher=1 - (row.human or 0.0)), NO_BETTER),
        # It says 1 to everything: a sensitivity of 1, and a specificity of 0.
        (lambda row: row._replace(teacher=1.0), NO_BETTER),
    ],
)
def test_rogan_gladen_says_why_it_is_undefined(change: Callable[[Row], Row], reason: str) -> None:
    found = checked([change(row) for row in some_rows(13)])
    assert (found.value, found.reason) == (None, reason)


def test_rogan_gladen_has_nothing_to_correct_where_every_row_is_rated() -> None:
    rated = [row for row in some_rows(13) if row.human is not None]
    assert checked(rated).reason == NO_OTHERS


def test_rogan_gladen_of_two_rated_queries_and_a_single_row_has_t_on_one_degree() -> None:
    """Both queries have se 1 and sp .5; without the one the other says the same, so that only rows differ."""
    marks = [(1.0, 1.0), (0.0, 0.0), (1.0, 0.0)]
    rated = [Row(query, teacher, human) for query in (0, 1) for teacher, human in marks]
    alone = checked([*rated, Row(2, 1.0)])
    assert (alone.sensitivity, alone.specificity, alone.value) == (1.0, 0.5, 1.0)
    assert alone.ci is None  # without the row itself there is no share
    # p is 3/4; without one row that says 1 it is 2/3, and without the one that says 0 it is 1.
    found = checked([*rated, *(Row(2 + at, float(at < 3)) for at in range(4))])
    values = [2 * (p - 0.5) for p in (3 / 4, 3 / 4, 2 / 3, 2 / 3, 2 / 3, 1)]
    se = math.sqrt(5 / 6 * sum((one - sum(values) / 6) ** 2 for one in values))
    assert found.raw == pytest.approx(0.5)
    assert found.ci == pytest.approx((max(0, 0.5 - 12.7062047 * se), min(1, 0.5 + 12.7062047 * se)))
    # Rows that all say the same have no spread.
    assert checked([*rated, *(Row(2 + at, 0.75) for at in range(4))]).ci is None


def test_rogan_gladen_says_that_it_is_clipped() -> None:
    labelled = [Row(q, 1.0, 1.0) for q in range(10)] + [Row(q, float(q < 15), 0.0) for q in range(10, 20)]
    found = checked([*labelled, *(Row(q, 0.0) for q in range(20, 40))])
    assert found.raw == pytest.approx(-1.0)
    assert (found.value, found.reason) == (0.0, OUT_OF_RANGE)


def test_the_error_at_lambda_0_is_that_of_humans_alone() -> None:
    sums = sums_of(some_rows(14, both=True))
    assert error(sums, 0.0) == pytest.approx(human_mean(sums)[0].se)
