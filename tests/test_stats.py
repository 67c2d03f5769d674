"""Intervals, several raters and paired tests: a constructed set of clustered grades, and what has to hold.

Published values are in test_reference.py.
"""

import csv
import json
import math
from copy import deepcopy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_kappa import kappa_spread, margins, table_of

from harness.nouns.base import Reason, Weighting
from harness.scorecards.shared import Estimate
from harness.stats.bootstrap import cluster_bootstrap
from harness.stats.intervals import ONE_CLUSTER, KappaTable, influence, mean_spread
from harness.stats.paired import (
    ALIKE,
    SAME_MARGINS,
    delta_kappa,
    durkalski,
    holm,
    mcnemar_exact,
    obuchowski,
    stuart_maxwell,
)
from harness.stats.raters import MISSING, NO_PAIRS, ONE_VALUE, coefficients, krippendorff_alpha

FOLDER = Path(__file__).parent / "cases/statistics"
CLUSTERED: list[dict[str, Any]] = json.loads((FOLDER / "clustered160.json").read_text(encoding="utf-8"))
NAMES: dict[str, Weighting] = {"unweighted": "none", "linear": "linear", "quadratic": "quadratic"}
SCALE = (0, 1, 2, 3, 4)


def close(value: float) -> Any:
    return pytest.approx(value, abs=1e-9)


# --- clusters ------------------------------------------------------------------------------------


def clustered_rows() -> list[dict[str, str]]:
    with (FOLDER / "inputs/clustered160.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def clustered(stat: str, **more: Any) -> dict[str, Any]:
    return next(
        one
        for one in CLUSTERED
        if one["stat"] == stat and all(one[key] == value for key, value in more.items())
    )


def against_golden(rows: list[dict[str, str]], run: str, weights: str) -> KappaTable:
    return table_of(
        [int(row["golden"]) for row in rows],
        [int(row[run]) for row in rows],
        [row["query"] for row in rows],
        SCALE,
        NAMES[weights],
    )


@pytest.mark.parametrize("weights", NAMES)
def test_clustered_interval_is_the_reference_one(weights: str) -> None:
    want = clustered("gate2_run_a", weights=weights)
    table = against_golden([row for row in clustered_rows() if row["run_a"]], "run_a", weights)
    spread = kappa_spread(table)
    assert table.kappa.value == close(want["kappa"])
    assert (spread.se_iid, spread.se) == (close(want["se_iid"]), close(want["se_cluster"]))
    assert list(spread.ci or ()) == [close(one) for one in want["ci95_fisher_z"]]
    assert spread.clusters == want["clusters"]
    assert spread.design_effect == pytest.approx((want["se_cluster"] / want["se_iid"]) ** 2)


@pytest.mark.parametrize("weights", NAMES)
def test_mean_of_pairs_with_missing_ratings_is_the_reference_one(weights: str) -> None:
    want = clustered("gate1", weights=weights)
    rows = clustered_rows()
    _, clusters = np.unique([row["query"] for row in rows], return_inverse=True)
    tables, items = [], []
    for a, b in (("rater_1", "rater_2"), ("rater_1", "rater_3"), ("rater_2", "rater_3")):
        common = [at for at, row in enumerate(rows) if row[a] and row[b]]
        left, right = [int(rows[at][a]) for at in common], [int(rows[at][b]) for at in common]
        tables.append(table_of(left, right, [rows[at]["query"] for at in common], SCALE, NAMES[weights]))
        items.append(np.array(common))
    spread = mean_spread(tables, items, len(rows), clusters)
    assert [table.kappa.value for table in tables] == [close(one) for one in want["pairs"]]
    assert spread.se == close(want["se_cluster"])
    found = coefficients(rater_array(rows), SCALE, NAMES[weights])
    assert found.fleiss.value == close(want["fleiss"])
    assert found.conger.value == close(want["conger"])
    assert found.gwet.value == close(want["gwet"])
    assert found.brennan_prediger.value == close(want["brennan_prediger"])


def rater_array(rows: list[dict[str, str]]) -> Any:
    names = ("rater_1", "rater_2", "rater_3")
    return np.array([[int(row[name]) if row[name] else MISSING for name in names] for row in rows])


@pytest.mark.parametrize("weights", NAMES)
def test_paired_delta_is_the_reference_one(weights: str) -> None:
    want = clustered("delta_run_b_minus_run_a", weights=weights)
    rows = [row for row in clustered_rows() if row["run_a"] and row["run_b"]]
    base, candidate = (against_golden(rows, run, weights) for run in ("run_a", "run_b"))
    delta = delta_kappa(base, candidate)
    assert len(rows) == want["n"]
    assert (delta.value, delta.se) == (close(want["delta"]), close(want["se_cluster"]))
    back = delta_kappa(candidate, base)
    assert delta.value is not None and delta.ci is not None and back.ci is not None
    assert (back.value, *back.ci) == (close(-delta.value), close(-delta.ci.high), close(-delta.ci.low))


def test_delta_of_a_run_with_itself_is_exactly_0() -> None:
    table = against_golden([row for row in clustered_rows() if row["run_a"]], "run_a", "unweighted")
    delta = delta_kappa(table, table)
    assert (delta.value, delta.se, delta.ci, delta.p, delta.reason) == (0.0, 0.0, None, 1.0, ALIKE)


def test_clustered_mcnemar_and_margins_of_two_runs_are_the_reference_ones() -> None:
    rows = [row for row in clustered_rows() if row["run_a"] and row["run_b"]]
    names = sorted({row["query"] for row in rows})
    broken, fixed, sizes = ([0] * len(names) for _ in range(3))
    counts = [[0] * 5 for _ in range(5)]
    for row in rows:
        at = names.index(row["query"])
        a, b = row["run_a"] == row["golden"], row["run_b"] == row["golden"]
        broken[at] += a and not b
        fixed[at] += b and not a
        sizes[at] += 1
        counts[int(row["run_a"])][int(row["run_b"])] += 1
    want = clustered("clustered_mcnemar_a_vs_b")
    assert (sum(broken), sum(fixed), len(names)) == (want["b"], want["c"], want["K"])
    assert obuchowski(broken, fixed).value == close(want["obuchowski"])
    assert durkalski(broken, fixed, sizes).value == close(want["durkalski"])
    found = margins(counts)
    wanted = clustered("stuart_maxwell_a_vs_b")
    assert (found.value, found.df) == (close(wanted["chi2"]), wanted["df"])


def test_one_query_has_no_interval() -> None:
    spread = kappa_spread(table_of([0, 1, 2, 3], [0, 1, 2, 2], ["q"] * 4, SCALE, "none"))
    assert spread.se is None and spread.ci is None
    assert "one query" in (spread.reason or "")


@pytest.mark.parametrize(("rows", "columns"), [([2, 2], [2, 2]), ([2, 2], [0, 1])])
def test_no_variation_has_no_interval_but_a_reason(rows: list[int], columns: list[int]) -> None:
    spread = kappa_spread(table_of(rows, columns, ["a", "b"], SCALE, "none"))
    assert (spread.se, spread.ci) == (None, None)
    assert spread.reason


graded = st.lists(
    st.tuples(st.sampled_from(SCALE), st.sampled_from(SCALE), st.sampled_from("abcdefgh")),
    min_size=2,
    max_size=60,
)


def table(items: list[tuple[int, int, str]], weighting: Weighting = "none") -> KappaTable:
    return table_of(
        [i for i, _, _ in items], [j for _, j, _ in items], [c for *_, c in items], SCALE, weighting
    )


@given(graded, st.randoms(), st.sampled_from(list(NAMES.values())))
def test_order_of_items_plays_no_part(
    items: list[tuple[int, int, str]], random: Any, weighting: Weighting
) -> None:
    one, other = (
        kappa_spread(table(items, weighting)),
        kappa_spread(table(random.sample(items, len(items)), weighting)),
    )
    for name in ("se", "ci"):
        assert getattr(one, name) == pytest.approx(getattr(other, name), abs=1e-9)


@given(graded, st.sampled_from(list(NAMES.values())))
def test_interval_holds_its_point_and_influences_sum_to_nothing(
    items: list[tuple[int, int, str]], weighting: Weighting
) -> None:
    one = table(items, weighting)
    spread = kappa_spread(one)
    if spread.ci is None:
        assert spread.reason
        return
    assert -1 <= spread.ci.low <= float(one.kappa.exact or 0) + 1e-12
    assert float(one.kappa.exact or 0) <= spread.ci.high <= 1
    assert float(influence(one).sum()) == pytest.approx(0, abs=1e-6)


@given(graded)
def test_swapping_the_two_graders_changes_no_interval(items: list[tuple[int, int, str]]) -> None:
    one, other = kappa_spread(table(items)), kappa_spread(table([(j, i, c) for i, j, c in items]))
    assert one.ci == pytest.approx(other.ci)


# --- reasons ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("reason", "sentence", "after"),
    [
        (Reason("undefined", "no item"), "undefined: no item", "undefined: no item"),
        (Reason("no interval", "one query"), "no interval: one query", "one query"),
        (Reason("remark", "no interval where kappa is 1: why"), *["no interval where kappa is 1: why"] * 2),
    ],
)
def test_a_reason_is_its_sentence_and_keeps_its_kind(reason: Reason, sentence: str, after: str) -> None:
    assert (reason, reason.after_no_interval) == (sentence, after)
    estimate = Estimate(value=None, reason=reason)
    assert estimate.model_dump(mode="json")["reason"] == sentence
    read = Estimate.model_validate_json(estimate.model_dump_json())
    given = Estimate.model_validate({"value": None, "reason": sentence})
    for kept in (estimate, read, given, deepcopy(read)):
        assert kept.reason is not None
        assert (kept.reason.kind, kept.reason.text) == (reason.kind, reason.text)


def test_kinds_of_the_reasons_that_a_kappa_has() -> None:
    """Undefined: no value. No interval: a value alone."""
    apart = ["a", "b", "c"]
    empty, alike = table_of([], [], [], SCALE, "none"), table_of([2, 2, 2], [2, 2, 2], apart, SCALE, "none")
    constant = table_of([2, 2, 2], [0, 1, 2], apart, SCALE, "none")
    one_query = table_of([0, 1, 2], [0, 1, 1], ["q"] * 3, SCALE, "none")
    found = [kappa_spread(each).reason for each in (empty, alike, constant, one_query)]
    assert [one and one.kind for one in found] == ["undefined", "undefined", "remark", "no interval"]


# --- the bootstrap -------------------------------------------------------------------------------


def test_bootstrap_agrees_with_the_interval_and_repeats_itself() -> None:
    one = against_golden([row for row in clustered_rows() if row["run_a"]], "run_a", "linear")
    found, spread = cluster_bootstrap(one), kappa_spread(one)
    assert found == cluster_bootstrap(one)
    assert found != cluster_bootstrap(one, seed=1)
    assert found.ci == pytest.approx(spread.ci, abs=0.02)
    assert found.undefined == 0


def test_bootstrap_without_enough_defined_draws_has_no_interval() -> None:
    found = cluster_bootstrap(table_of([0, 0, 1], [0, 0, 1], ["a", "b", "c"], SCALE, "none"))
    assert found.ci is None
    assert "have no kappa" in (found.reason or "")
    assert cluster_bootstrap(table_of([0, 1], [0, 1], ["a", "a"], SCALE, "none")).reason


# --- several raters ------------------------------------------------------------------------------


def test_clustered_alpha_is_the_reference_one() -> None:
    for one in CLUSTERED:
        if one["stat"] == "krippendorff_alpha":
            found = krippendorff_alpha(rater_array(clustered_rows()), SCALE, one["level"])
            assert found.value == close(one["value"])


def test_agreement_that_is_undefined_has_a_reason() -> None:
    alone = np.array([[0, MISSING], [MISSING, 1]])
    same = np.array([[1, 1], [1, 1]])
    assert krippendorff_alpha(alone, SCALE).reason == NO_PAIRS
    assert coefficients(alone, SCALE).fleiss.reason == NO_PAIRS
    assert krippendorff_alpha(same, SCALE).reason == ONE_VALUE
    assert coefficients(same, SCALE).fleiss.reason == ONE_VALUE
    assert krippendorff_alpha(same, (-1, 0, 1), "ratio").value is None


@given(st.lists(st.lists(st.integers(-1, 4), min_size=3, max_size=3), min_size=1, max_size=20))
def test_no_nan_leaves_the_module(rows: list[list[int]]) -> None:
    ratings = np.array(rows)
    found = coefficients(ratings, SCALE, "linear")
    several = [found.fleiss, found.conger, found.gwet, found.brennan_prediger, found.agreement]
    several += [krippendorff_alpha(ratings, SCALE), krippendorff_alpha(ratings, SCALE, "ratio")]
    for one in several:
        assert (one.value is None) == (one.reason is not None)
        assert one.value is None or math.isfinite(one.value)


# --- paired tests --------------------------------------------------------------------------------


def test_margins_by_query_are_obuchowski_s_where_there_are_two_grades() -> None:
    """With K/(K - 1) between the two: his test has it. Queries of which some take an item back."""
    random = np.random.default_rng(3)
    before, after, clusters = random.integers(0, 2, 60), random.integers(0, 2, 60), random.integers(0, 12, 60)
    broken = np.bincount(clusters, weights=(before > after), minlength=12)
    fixed = np.bincount(clusters, weights=(before < after), minlength=12)
    found, other = stuart_maxwell(before, after, clusters, 2), obuchowski(broken.tolist(), fixed.tolist())
    assert other.value is not None
    assert (found.value, found.df) == (close(other.value * 12 / 11), 1)


def test_margins_of_queries_that_move_together_are_not_shifted_by_chance_alone() -> None:
    """30 queries of ten items, each of which has one grade before and one after: nominal 5 %.

    In 3,000 draws 3.9 % are called different, and 86.8 % where items count as independent.
    """
    random, clusters = np.random.default_rng(8), np.repeat(np.arange(30), 10)
    by_query = by_item = 0
    for _ in range(300):
        before, after = np.repeat(random.integers(0, 4, (2, 30)), 10, axis=1)
        by_query += (stuart_maxwell(before, after, clusters, 4).p or 0) < 0.05
        by_item += (stuart_maxwell(before, after, np.arange(300), 4).p or 0) < 0.05
    assert by_query <= 300 * 0.08
    assert by_item > 300 * 0.5


def test_margins_of_one_query_and_of_queries_that_stay_as_they_are_have_a_reason() -> None:
    grades, other = np.array([0, 1, 1, 2]), np.array([1, 0, 1, 2])
    assert stuart_maxwell(grades, other, np.zeros(4, dtype=np.int64), 3).reason == ONE_CLUSTER
    assert stuart_maxwell(grades, other, np.array([0, 0, 1, 1]), 3).reason == SAME_MARGINS
    assert stuart_maxwell(grades, other, np.array([0, 1, 1, 1]), 3).df == 1


def test_paired_tests_of_nothing_have_a_reason() -> None:
    assert obuchowski([0, 0], [0, 0]).reason
    assert durkalski([], [], []).reason
    assert obuchowski([], []).reason
    assert margins(((3, 0), (0, 4))).reason
    assert mcnemar_exact(0, 0) == 1.0


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_and_keeps_their_order(p: list[float]) -> None:
    adjusted = [one for one in holm(p) if one is not None]
    assert all(before <= after <= 1 for before, after in zip(p, adjusted, strict=True))
    by_p = [adjusted[at] for at in sorted(range(len(p)), key=lambda at: p[at])]
    assert by_p == sorted(by_p)
