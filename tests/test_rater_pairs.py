"""All pairs of raters at once against one pair after the other: the same figures to the last digit."""

import time
from dataclasses import replace
from itertools import combinations
from typing import TypeVar

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from one_kappa import kappa_spread

from harness.nouns.base import Reason, Weighting
from harness.nouns.pair import Rating
from harness.score.gate1 import score_gate1
from harness.score.rater_pairs import RaterPairs, rater_pairs
from harness.score.rating_matrix import MIN_COMMON, RatingMatrix, rating_matrix_of
from harness.score.threshold import WEIGHTINGS, Threshold
from harness.stats.agreement import Kappa, Matrix, crossing, mean_kappa, renumbered
from harness.stats.intervals import KappaTable, Spread, mean_spread
from harness.stats.raters import MISSING

SCALES = ((0, 1), (0, 1, 2), (-2, 0, 7), (0, 1, 2, 3, 4), (0, 10**9))


def made_up(seed: int, raters: int, items: int, missing: float, noise: float, queries: int) -> RatingMatrix:
    """Raters who give an item's grade, or with a share of `noise` any grade; seed 0 has a constant one."""
    random = np.random.default_rng(seed)
    scale = SCALES[seed % len(SCALES)]
    truth = np.repeat(random.integers(0, len(scale), items)[:, None], raters, axis=1)
    grades = np.where(random.random(truth.shape) < noise, random.integers(0, len(scale), truth.shape), truth)
    grades[:, 0] = 0 if seed % 7 == 0 else grades[:, 0]
    grades[random.random(grades.shape) < missing] = MISSING
    names = tuple(f"r{at}" for at in range(raters))
    clusters = renumbered(random.integers(0, queries, items))
    keys = tuple(f"q{one}" for one in clusters)
    return RatingMatrix(tuple(f"i{at}" for at in range(items)), names, keys, grades, clusters, scale)


Figure = TypeVar("Figure", Kappa, Spread)


def table(panel: RatingMatrix, pair: tuple[int, int], weighting: Weighting) -> KappaTable:
    """One pair alone."""
    at = panel.common(*pair)
    one, other = (panel.grades[at, rater] for rater in pair)
    return KappaTable(one, other, renumbered(panel.clusters[at]), panel.scale, weighting)


def pooled(matrices: list[Matrix], size: int) -> Matrix:
    """The sum of matrices and of their transposes: every ordered pair of raters."""
    total = np.zeros((size, size), dtype=np.int64)
    for matrix in matrices:
        total += np.array(matrix) + np.array(matrix).T
    return tuple(map(tuple, total.tolist()))


def of_all(found: Figure, said: list[Reason | None]) -> Figure:
    """A figure of several pairs, whose reason says how many of them it is of."""
    one = found.reason
    if one is None or one not in said or len(said) == 1:
        return found
    words = f"in {sum(each == one for each in said)} of {len(said)} pairs of raters {one.text}"
    return replace(found, reason=Reason(one.kind, words))


def test_a_reason_of_one_pair_is_not_told_of_all() -> None:
    both = [(f"i{at}", rater, at % 2) for at in range(6) for rater in ("ann", "bob")]
    ratings = [Rating(item=item, rater=rater, grade=grade) for item, rater, grade in [*both, ("i0", "cy", 0)]]
    found = score_gate1(ratings, (0, 1), Threshold("none", 0.8)).kappa.reason
    why = "both gave every item the same one grade, so chance alone explains it"
    assert found == f"undefined: in 2 of 3 pairs of raters {why}"


def one_by_one(panel: RatingMatrix, gated: Weighting, found: RaterPairs) -> None:
    """Every figure of all pairs, held against those of `stats` for one pair."""
    pairs = list(combinations(range(len(panel.raters)), 2))
    shared = [len(panel.common(*pair)) for pair in pairs]
    least = MIN_COMMON if max(shared) >= MIN_COMMON else min(1, max(shared))
    counted = [pair for pair, n in zip(pairs, shared, strict=True) if n >= least]
    assert (found.pairs, found.n, panel.counted()) == (pairs, shared, counted)
    used = np.unique(np.concatenate([panel.common(*pair) for pair in counted]))
    clusters = renumbered(panel.clusters[used])
    where = [np.searchsorted(used, panel.common(*pair)) for pair in counted]
    for weighting in WEIGHTINGS:
        tables = {pair: table(panel, pair, weighting) for pair in pairs}
        kappas = [tables[pair].kappa for pair in pairs]
        assert found.kappas[weighting].values() == [one.value for one in kappas]
        assert found.kappas[weighting].reasons == [one.reason for one in kappas]
        if weighting == gated:
            assert [(s.ci, s.se, s.se_iid, s.guarded, s.reason) for s in found.spreads] == [
                (s.ci, s.se, s.se_iid, s.guarded, s.reason) for s in map(kappa_spread, tables.values())
            ]
        taken = [replace(tables[p], clusters=clusters[at]) for p, at in zip(counted, where, strict=True)]
        mean = found.means[weighting]
        said = [one.kappa.reason for one in taken]
        assert mean.kappa == of_all(mean_kappa([one.kappa for one in taken]), said)
        assert mean.spread == of_all(mean_spread(taken, where, len(used), clusters), said)
        if weighting == "linear":
            for at in range(len(panel.raters)):
                theirs = [tables[pair] for pair in counted if at in pair]
                assert found.linear_of(at) == mean_kappa([one.kappa for one in theirs])
                matrix = pooled([one.matrix for one in theirs], len(panel.scale))
                assert found.of_rater[at].tolist() == [list(line) for line in matrix]
    matrix = pooled([table(panel, pair, "none").matrix for pair in pairs], len(panel.scale))
    assert found.matrix == matrix
    for at, kappa in enumerate(found.boundaries, start=1):
        sides = np.where(panel.grades == MISSING, MISSING, panel.grades >= at)
        above = replace(panel, grades=sides, scale=(0, 1))
        assert kappa == mean_kappa([table(above, pair, "none").kappa for pair in counted])
        assert crossing(found.matrix, at) == 2 * sum(
            int((table(above, pair, "none").rows != table(above, pair, "none").columns).sum())
            for pair in pairs
        )


@settings(deadline=None, max_examples=60)
@given(
    st.integers(0, 10_000),
    st.integers(2, 6),
    st.sampled_from([1, 4, 40, 90]),
    st.sampled_from([0.0, 0.2, 0.7]),
    st.sampled_from([0.0, 0.02, 0.5]),
    st.sampled_from([1, 2, 6, 300]),
    st.sampled_from(sorted(WEIGHTINGS)),
)
def test_pairs_at_once_are_pairs_one_by_one(
    seed: int, raters: int, items: int, missing: float, noise: float, queries: int, gated: Weighting
) -> None:
    panel = made_up(seed, raters, items, missing, noise, queries)
    one_by_one(panel, gated, rater_pairs(panel, gated))


@pytest.mark.parametrize("scale", [(0, 2**31), (0, 1, 2**40)])
def test_scales_whose_products_are_large_stay_exact(scale: tuple[int, ...]) -> None:
    panel = replace(made_up(5, 4, 60, 0.1, 0.3, 20), scale=scale)
    panel = replace(panel, grades=np.minimum(panel.grades, len(scale) - 1))
    one_by_one(panel, "quadratic", rater_pairs(panel, "quadratic"))


def test_eighty_raters_take_seconds() -> None:
    """Until now 80 raters were not done in 300 seconds."""
    random = np.random.default_rng(1)
    found = [
        Rating(item=f"i{item}", rater=f"r{rater}", grade=int(random.integers(0, 3)), query=f"q{item // 4}")
        for item in range(100)
        for rater in range(80)
    ]
    began = time.process_time()
    score = score_gate1(found, (0, 1, 2), Threshold("none", 0.8))
    assert time.process_time() - began < 20
    assert len(score.pairs) == 3160
    assert rating_matrix_of(found, (0, 1, 2)).counted() == list(combinations(range(80), 2))
