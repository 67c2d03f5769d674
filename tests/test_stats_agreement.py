"""Kappa against scikit-learn, and what has to hold for any grades; published values: test_reference.py."""

from fractions import Fraction
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from harness.nouns.base import Weighting
from harness.stats.agreement import (
    NO_ITEMS,
    NO_VARIATION,
    Kappa,
    band,
    cohen_kappa,
    cohen_kappas,
    confusion,
    crossing,
    mean_kappa,
)

SCALE = (0, 1, 2, 3, 4)
WEIGHTINGS: list[Weighting] = ["none", "linear", "quadratic"]
grades = st.sampled_from(SCALE)
rated = st.lists(st.tuples(grades, grades), min_size=1, max_size=40)


def kappa(
    pairs: list[tuple[int, int]], scale: tuple[int, ...] = SCALE, weighting: Weighting = "none"
) -> Kappa:
    matrix = confusion([a for a, _ in pairs], [b for _, b in pairs], scale)
    return cohen_kappa(matrix, scale, weighting)


def test_no_kappa_has_no_band() -> None:
    assert band(Kappa(None, NO_ITEMS)) is None


@given(rated, st.sampled_from(WEIGHTINGS))
def test_kappa_equals_scikit_learn(pairs: list[tuple[int, int]], weighting: Weighting) -> None:
    found = kappa(pairs, weighting=weighting)
    if found.exact is None:
        return
    left, right = zip(*pairs, strict=True)
    oracle = cohen_kappa_score(left, right, labels=SCALE, weights=None if weighting == "none" else weighting)
    assert found.value == pytest.approx(oracle, abs=1e-12)


@given(rated, st.sampled_from(WEIGHTINGS))
def test_kappa_is_symmetric(pairs: list[tuple[int, int]], weighting: Weighting) -> None:
    swapped = [(b, a) for a, b in pairs]
    assert kappa(pairs, weighting=weighting) == kappa(swapped, weighting=weighting)


@given(rated, st.permutations(SCALE))
def test_unweighted_kappa_does_not_care_what_grades_are_called(
    pairs: list[tuple[int, int]], names: list[int]
) -> None:
    assert kappa(pairs) == kappa([(names[a], names[b]) for a, b in pairs])


@given(rated, st.randoms())
def test_order_of_items_does_not_matter(pairs: list[tuple[int, int]], random: Any) -> None:
    shuffled = random.sample(pairs, len(pairs))
    assert kappa(pairs) == kappa(shuffled)


@given(rated, st.sampled_from(WEIGHTINGS))
def test_an_unused_grade_changes_nothing(pairs: list[tuple[int, int]], weighting: Weighting) -> None:
    assert kappa(pairs, weighting=weighting) == kappa(pairs, (*SCALE, 9), weighting)


@given(st.lists(grades, min_size=1))
def test_agreement_with_oneself_is_1_or_undefined(given_: list[int]) -> None:
    found = kappa([(grade, grade) for grade in given_])
    assert found.exact in (None, 1)


@given(rated)
def test_linear_kappa_is_the_weighted_mean_of_its_boundaries(pairs: list[tuple[int, int]]) -> None:
    """Vanbelle & Albert 2009, Warrens 2013: the cumulative 2x2 tables, by expected disagreement."""
    matrix = confusion([a for a, _ in pairs], [b for _, b in pairs], SCALE)
    linear = cohen_kappa(matrix, SCALE, "linear").exact
    total, weights = Fraction(0), 0
    for at in range(1, len(SCALE)):
        table = confusion([a >= at for a, _ in pairs], [b >= at for _, b in pairs], (0, 1))
        weight = sum(table[0]) * sum(line[1] for line in table) + sum(table[1]) * sum(
            line[0] for line in table
        )
        total += weight * (cohen_kappa(table, (0, 1)).exact or 0)
        weights += weight
    assert linear == (total / weights if weights else None)


def test_kappas_of_several_matrices_are_those_of_each() -> None:
    """By hand: po and pe of the first are 6/8 and 1/2; the second is of one grade, the third of no item."""
    several = cohen_kappas(np.array([[[3, 1], [1, 3]], [[5, 0], [0, 0]], [[0, 0], [0, 0]]]), (0, 1), "none")
    assert several.values() == [0.5, None, None]
    assert several.mean(np.array([0, 0])) == Kappa(Fraction(1, 2))
    assert several.mean(np.array([0, 2, 1])) == Kappa(None, NO_ITEMS)
    assert several.mean(np.array([1, 0])) == Kappa(None, NO_VARIATION)


@pytest.mark.parametrize("times", [1, 2**27, 2**34, 2**50])
def test_kappa_of_a_matrix_is_that_of_its_multiples(times: int) -> None:
    """However large: products of counts no longer fit in 64 bits."""
    matrix = ((7 * times, 2 * times, times), (0, 5 * times, 3 * times), (times, times, 6 * times))
    # Margins 10, 8, 8 and 8, 8, 10: E = 80 + 64 + 80 + 64 + 4 x (100 + 64), and n O = 26 (6 + 4 x 2).
    assert cohen_kappa(matrix, (0, 1, 2), "quadratic").exact == Fraction(944 - 26 * 14, 944)


def test_mean_kappa_is_exact_and_undefined_where_a_part_is() -> None:
    thirds = [Kappa(Fraction(1, 3)), Kappa(Fraction(2, 3))]
    assert mean_kappa(thirds).exact == Fraction(1, 2)
    assert mean_kappa([*thirds, Kappa(None, NO_VARIATION)]) == Kappa(None, NO_VARIATION)
    assert mean_kappa([]).exact is None


def test_counts_on_two_sides_of_a_line_by_hand() -> None:
    assert crossing(((1, 2, 3), (4, 5, 6), (7, 8, 9)), 1) == 5 + 11


def test_a_grade_off_the_scale_is_our_own_mistake() -> None:
    with pytest.raises(AssertionError, match="off the scale"):
        confusion([0, 5], [0, 1], SCALE)
