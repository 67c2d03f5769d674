"""Gate 1's figures: raters against each other, where they differ, who leans, and what to do about it."""

from itertools import combinations
from typing import Any

import numpy as np
import pytest
from builders import example
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats
from scoring import SCALE, Rows, differing, fisher_z, gate1, leaves, numeric_error, ratings, sklearn_kappa

from harness.errors import BadInput
from harness.golden.rating.ratings import Rated
from harness.nouns.base import Weighting
from harness.nouns.pair import Rating
from harness.nouns.policy import Gates
from harness.score.advice import advice
from harness.score.gate1 import score_gate1
from harness.score.rater_pairs import rater_pairs
from harness.score.rating_matrix import rating_matrix_of
from harness.score.threshold import WEIGHTINGS, Threshold
from harness.scorecards.gate1 import Gate1, RaterBias
from harness.verdicts.gates import judge_gate1
from harness.verdicts.raters import judge_raters

SMALL: Rows = {
    "i1": {"ann": 0, "bob": 0, "cy": 1},
    "i2": {"ann": 1, "bob": 2, "cy": 2},
    "i3": {"ann": 2, "bob": 2, "cy": 2},
    "i4": {"ann": 0, "bob": 2},
    "i5": {"ann": 1},
}
"""Ten pairs of ratings, of which five differ."""
QUERIES = {"i1": "Red shoe", "i2": "red  SHOE!", "i3": "lamp", "i4": "Lamp", "i5": "lamp"}
NAMES = {0: "bad", 1: "fair", 2: "good"}


def panel(raters: int, items: int = 120, missing: float = 0.2, seed: int = 3) -> dict[str, dict[str, int]]:
    """Raters who are right more often than not, the first of them stricter than the rest."""
    rng = np.random.default_rng(seed)
    rows: dict[str, dict[str, int]] = {}
    for at in range(items):
        truth = int(rng.integers(0, 3))
        row = {}
        for rater in range(raters):
            grade = truth if rng.random() < 0.7 else int(rng.integers(0, 3))
            if rater == 0 and rng.random() < 0.4:
                grade = max(0, grade - 1)
            if rng.random() >= missing:
                row[f"r{rater}"] = grade
        rows[f"i{at:03}"] = row
    return rows


# --- the mean of pairs ---------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_kappa_is_the_mean_over_pairs_with_its_clustered_error(weighting: Weighting, missing: float) -> None:
    rows = panel(3, missing=missing)
    queries = {name: f"q{at // 4}" for at, name in enumerate(rows)}
    found = getattr(gate1(rows, queries=queries), WEIGHTINGS[weighting])

    def kappa(weights: Any) -> float:
        values = []
        for one, other in combinations(("r0", "r1", "r2"), 2):
            both = [at for at, row in enumerate(rows.values()) if one in row and other in row]
            given = list(rows.values())
            left, right = [given[at][one] for at in both], [given[at][other] for at in both]
            values.append(sklearn_kappa(left, right, SCALE, weighting, weights[both]))
        return float(np.mean(values))

    assert found.value == pytest.approx(kappa(np.ones(len(rows))), abs=1e-12)
    assert found.se == pytest.approx(numeric_error(kappa, list(queries.values())), rel=1e-5)
    assert found.ci == pytest.approx(fisher_z(found.value, found.se, 30), abs=1e-12)
    assert found.n == sum(len(row) > 1 for row in rows.values())


def test_items_rated_once_count_as_items_and_take_no_part() -> None:
    rows = panel(2, missing=0.0)
    more = {**rows, **{f"x{at}": {"r0": at % 3} for at in range(50)}}
    one, other = gate1(rows), gate1(more)
    assert (one.n_items, other.n_items, other.kappa) == (120, 170, one.kappa)
    assert (other.confusion, other.boundaries, other.confused) == (
        one.confusion,
        one.boundaries,
        one.confused,
    )


def test_advice_counts_from_the_items_that_take_part() -> None:
    rows = panel(2, missing=0.0)
    rows |= {f"x{at:04}": {"r0": at % 3} for at in range(5000)}
    for name in list(rows)[:120]:
        rows[name]["r1"] = (rows[name]["r0"] + (name[-1] == "7")) % 3
    score = gate1(rows)
    assert score.items_needed is not None and score.kappa.n == 120
    more = score.items_needed - 120
    assert score.advice[-1] == (
        f"Rate about {more:,} more items ({score.items_needed:,} items that two raters share, in all) "
        "to decide, at the observed kappa and design effect"
    )


# --- where raters differ -------------------------------------------------------------------------------


def small(**more: Any) -> Gate1:
    return gate1(SMALL, queries=QUERIES, **more)


def test_boundaries_count_the_pairs_of_ratings_on_two_sides() -> None:
    # i1 crosses >=1 twice, i2 crosses >=2 twice, and i4 crosses both once.
    low, high = small().boundaries
    assert (low.at_least, low.disagreements, low.share) == (1, 3, 3 / 5)
    assert (high.at_least, high.disagreements, high.share) == (2, 3, 3 / 5)
    # At >=1 ann and bob have kappa 1/2 on four items; cy says "at least 1" of everything: twice kappa 0.
    assert low.kappa == pytest.approx(1 / 6)


def test_confused_grades_come_commonest_first() -> None:
    found = [(one.grades, one.disagreements, one.share) for one in small().confused]
    assert found == [((0, 1), 2, 0.4), ((1, 2), 2, 0.4), ((0, 2), 1, 0.2)]
    assert small().confusion.matrix == ((2, 2, 1), (2, 0, 2), (1, 2, 8))


def test_agreement_is_told_by_query_tag_and_clause_least_first() -> None:
    about = {
        "i1": example("i1", tags=("new",), clauses=("cap", "cap")),
        "i3": example("i3", tags=("new", "brand")),
        "i5": example("i5", tags=("new",), clauses=("alone",)),
    }
    score = small(about=about)
    assert [one.model_dump() for one in score.per_query] == [
        {"name": "Red shoe", "n": 2, "disputed": 2, "agreement": pytest.approx(1 / 3)},
        {"name": "Lamp", "n": 2, "disputed": 1, "agreement": 0.75},
    ]
    assert [(one.name, one.n, one.disputed) for one in score.per_tag] == [("new", 2, 1), ("brand", 1, 0)]
    assert [one.agreement for one in score.per_tag] == pytest.approx([4 / 6, 1])
    (cap,) = score.per_clause
    assert cap.model_dump() == {"name": "cap", "n": 1, "disputed": 1, "agreement": pytest.approx(1 / 3)}
    assert gate1(SMALL).per_query == ()


def test_disputes_come_widest_first_with_grades_and_reasons() -> None:
    given = [
        one.model_copy(update={"reasoning": f"{one.rater} on {one.item}"} if one.rater != "bob" else {})
        for one in ratings(SMALL, QUERIES)
    ]
    about = {"i4": example("i4", result={"title": "desk lamp"})}
    disputes = score_gate1(given, SCALE, Threshold("none", 0.8), about=about).disputed
    assert [one.item for one in disputes] == ["i4", "i1", "i2"]
    widest = disputes[0]
    assert (widest.query, widest.title, widest.grades) == ("Lamp", "desk lamp", {"ann": 0, "bob": 2})
    assert widest.reasons == {"ann": "ann on i4"}
    assert (disputes[1].title, set(disputes[1].reasons)) == (None, {"ann", "cy"})


def test_raters_who_never_differ_have_nothing_in_dispute() -> None:
    score = gate1({f"i{at}": dict.fromkeys(("ann", "bob"), at % 3) for at in range(9)})
    assert (score.disputed, score.confused, score.advice) == ((), (), ())
    assert [(one.disagreements, one.share, one.kappa) for one in score.boundaries] == [(0, None, 1.0)] * 2
    assert [one.worst_boundary for one in score.rater_bias] == [None, None]


# --- who leans ---------------------------------------------------------------------------------------------


def leans(rows: Rows, rater: str) -> list[float]:
    """The rater's grade minus the mean of the others', item by item."""
    return [
        row[rater] - float(np.mean([grade for name, grade in row.items() if name != rater]))
        for row in rows.values()
        if rater in row and len(row) > 1
    ]


def holm(p: list[float]) -> list[float]:
    """Holm (1979), by its definition."""
    order = sorted(range(len(p)), key=lambda at: p[at])
    found, least = [0.0] * len(p), 0.0
    for rank, at in enumerate(order):
        least = max(least, min(1.0, (len(p) - rank) * p[at]))
        found[at] = least
    return found


@pytest.mark.parametrize("missing", [0.0, 0.3])
def test_bias_is_a_t_test_against_the_mean_of_the_others(missing: float) -> None:
    rows = panel(4, missing=missing)
    score = gate1(rows)
    tests = [stats.ttest_1samp(leans(rows, rater), 0) for rater in score.raters]
    assert [one.bias for one in score.rater_bias] == pytest.approx(
        [np.mean(leans(rows, rater)) for rater in score.raters]
    )
    assert [one.n for one in score.rater_bias] == [len(leans(rows, rater)) for rater in score.raters]
    assert [one.p for one in score.rater_bias] == pytest.approx(holm([float(one.pvalue) for one in tests]))
    strict = score.rater_bias[0]
    assert strict.bias is not None and strict.p is not None and strict.bias < 0 and strict.p < 0.05


def test_bias_of_two_raters_is_one_test_turned_round() -> None:
    rows = panel(2, missing=0.1)
    one, other = gate1(rows).rater_bias
    assert one.p == other.p == pytest.approx(float(stats.ttest_1samp(leans(rows, "r0"), 0).pvalue))
    assert one.bias is not None and one.bias == -(other.bias or 0)


@given(st.lists(st.lists(st.integers(0, 2), min_size=3, max_size=3), min_size=1, max_size=12))
def test_complete_ratings_have_biases_that_cancel(grades: list[list[int]]) -> None:
    score = gate1({f"i{at}": dict(zip("abc", row, strict=True)) for at, row in enumerate(grades)})
    assert sum(one.bias or 0 for one in score.rater_bias) == pytest.approx(0)


def test_bias_without_a_p_has_a_reason() -> None:
    rows = panel(3, items=40, missing=0)
    alone = gate1(rows, queries=dict.fromkeys(rows, "lamp")).rater_bias
    for one in alone:
        assert one.bias is not None and one.kappa_vs_rest is not None
        assert one.p is None and "one query" in (one.reason or "")


def test_rater_who_shares_too_little_has_a_reason() -> None:
    rows = panel(2, missing=0)
    rows |= {name: {**rows[name], "cy": rows[name]["r0"]} for name in list(rows)[:10]}
    cy = gate1(rows).rater_bias[0]
    assert (cy.rater, cy.n, cy.kappa_vs_rest) == ("cy", 10, None)
    assert cy.reason == "undefined: fewer than 30 items in common with every other rater"


def test_rater_is_held_against_each_other_rater_in_turn() -> None:
    rows = panel(3, missing=0)
    columns = {rater: [row[rater] for row in rows.values()] for rater in ("r0", "r1", "r2")}
    for one in gate1(rows).rater_bias:
        others = [name for name in columns if name != one.rater]
        kappas = [sklearn_kappa(columns[one.rater], columns[name], SCALE, "linear") for name in others]
        assert one.kappa_vs_rest == pytest.approx(np.mean(kappas))
        crossings = {
            k: sum(
                (a >= k) != (b >= k)
                for n in others
                for a, b in zip(columns[one.rater], columns[n], strict=True)
            )
            for k in (1, 2)
        }
        assert one.worst_boundary == max(crossings, key=lambda k: crossings[k])


# --- advice ------------------------------------------------------------------------------------------------


def test_advice_names_the_line_the_clause_and_the_rater() -> None:
    rows = panel(3, items=200, missing=0)
    about = {name: example(name, clauses=("cap",) if at < 20 else ("plain",)) for at, name in enumerate(rows)}
    for name in list(rows)[:20]:
        rows[name] = {"r0": 0, "r1": 1, "r2": 0}
    score = gate1(rows, names=NAMES, about=about)
    worst, low = score.confused[0], score.rater_bias[0]
    assert worst.grades == (0, 1)
    total = sum(one.disagreements for one in score.confused)
    assert score.advice[0] == (
        f"Sharpen the line between 0 (bad) and 1 (fair): {worst.disagreements} of {total} disagreements "
        f"({worst.share:.0%}) stand there"
    )
    assert score.advice[1] == "Reword the clause cap: raters differ on 20 of its 20 items (33% agreement)"
    assert low.bias is not None and low.p is not None
    assert score.advice[2] == (
        f"Talk to r0, who grades {-low.bias:.2f} lower than the others (p by Holm {low.p:.2g}), "
        f"most of all at >= {low.worst_boundary}"
    )


def test_advice_on_a_lean_too_small_to_print_is_still_a_sentence() -> None:
    """2,000 items, of which seven say that ann grades lower: 0.0035, and p = 0.008."""
    rows = {f"i{at:04}": {"ann": at % 3, "bob": at % 3} for at in range(2000)}
    for at in range(1, 22, 3):
        rows[f"i{at:04}"]["ann"] = 0
    (said,) = [one for one in gate1(rows).advice if "Talk to both" in one]
    assert said == "Talk to both: bob grades slightly higher than ann (p = 0.0081), most of all at >= 1"


def test_advice_names_the_rater_who_agrees_least_of_three() -> None:
    rng = np.random.default_rng(1)
    rows = {f"i{at}": {"ann": at % 3, "bob": at % 3, "cy": int(rng.integers(0, 3))} for at in range(90)}
    for at in range(0, 90, 10):
        rows[f"i{at}"]["bob"] = (at + 1) % 3
    score = gate1(rows)
    kappa = score.rater_bias[2].kappa_vs_rest
    assert f"Talk to cy, who agrees least with the rest ({kappa:.2f}, linear)" in score.advice
    # Nobody talks to a language model.
    machine = advice(score, {}, {"cy"})
    assert (
        f"Look at the prompt of cy, a language model: it agrees least with the rest ({kappa:.2f}, linear)"
        in (machine)
    )
    assert not any("Talk to cy" in one for one in machine)
    two = gate1({name: {"ann": row["ann"], "cy": row["cy"]} for name, row in rows.items()})
    assert not any("agrees least" in one for one in two.advice)


def test_clause_of_few_items_is_not_named() -> None:
    about = {f"i{at}": example(f"i{at}", clauses=("cap",)) for at in range(1, 5)}
    assert not any("cap" in one for one in small(about=about).advice)


# --- the panel ---------------------------------------------------------------------------------------------


def test_panel_of_other_items_keeps_raters_and_has_gaps() -> None:
    found = rating_matrix_of(ratings(SMALL, QUERIES), SCALE).of(["i4", "nowhere", "i1"])
    assert (found.items, found.raters) == (("i4", "nowhere", "i1"), ("ann", "bob", "cy"))
    assert found.grades.tolist() == [[0, 2, -1], [-1, -1, -1], [0, 0, 1]]
    assert found.queries == ("lamp", "nowhere", "red shoe")
    assert len(set(found.clusters.tolist())) == 3
    assert [found.ratings_of(at) for at in range(3)] == [
        {"ann": 0, "bob": 2},
        {},
        {"ann": 0, "bob": 0, "cy": 1},
    ]


def test_panel_with_some_drops_raters_of_nothing_that_is_kept() -> None:
    found = rating_matrix_of(ratings(SMALL), SCALE)
    last_two = found.with_some(np.array([3, 4]))
    assert (last_two.raters, last_two.grades.shape) == (("ann", "bob"), (5, 2))
    assert last_two.grades[:, 1].tolist() == found.grades[:, 1].tolist()
    assert found.with_some(np.array([4])).raters == ("ann",)
    assert found.with_some(np.array([], dtype=np.int64)).raters == ()


def test_query_of_an_item_is_that_of_any_of_its_ratings() -> None:
    half = [
        Rating(item=item, rater=rater, grade=1, query="lamp" if rater == "bob" else None)
        for item in ("x", "y")
        for rater in ("ann", "bob")
    ]
    assert rating_matrix_of(half, SCALE).queries == ("lamp", "lamp")


# --- properties --------------------------------------------------------------------------------------------

GRADES = st.lists(
    st.tuples(st.dictionaries(st.sampled_from("abc"), st.integers(0, 2), min_size=1), st.sampled_from("pqr")),
    min_size=1,
    max_size=15,
)


def given_by(rows: Any) -> list[Rating]:
    found = [
        Rating(item=f"i{at}", rater=rater, grade=grade, query=query)
        for at, (row, query) in enumerate(rows)
        for rater, grade in row.items()
    ]
    return [*found, Rating(item="z", rater="a", grade=0), Rating(item="z", rater="b", grade=1)]


@given(GRADES, st.randoms())
def test_order_of_ratings_plays_no_part(rows: Any, random: Any) -> None:
    found = given_by(rows)
    shuffled = random.sample(found, len(found))
    one, other = (score_gate1(given, SCALE, Threshold("none", 0.8)) for given in (found, shuffled))
    assert differing(one, other) == []


@given(GRADES)
def test_turning_the_scale_round_turns_biases_and_keeps_every_kappa(rows: Any) -> None:
    found = given_by(rows)
    turned = [one.model_copy(update={"grade": 2 - one.grade}) for one in found]
    one, other = (score_gate1(given, SCALE, Threshold("none", 0.8)) for given in (found, turned))
    for name in WEIGHTINGS.values():
        assert getattr(one, name).value == getattr(other, name).value
    biases = [(a.bias, b.bias) for a, b in zip(one.rater_bias, other.rater_bias, strict=True)]
    assert all((a is None) == (b is None) and (a or 0) == pytest.approx(-(b or 0)) for a, b in biases)
    mirrored = tuple(line[::-1] for line in one.confusion.matrix[::-1])
    assert other.confusion.matrix == mirrored


@given(GRADES)
def test_no_figure_is_nan_and_shares_are_shares(rows: Any) -> None:
    score = score_gate1(given_by(rows), SCALE, Threshold("none", 0.8))
    numbers = [(at, one) for at, one in leaves(score.model_dump()) if isinstance(one, float)]
    assert [at for at, one in numbers if not np.isfinite(one)] == []
    assert sum(one.share for one in score.confused) == pytest.approx(1)
    intervals = [(one.ci, one.reason) for one in (score.kappa, score.kappa_linear, score.kappa_quadratic)]
    for ci, reason in [*intervals, *((pair.ci, pair.reason) for pair in score.pairs)]:
        assert ci is not None or reason
    for rater in score.rater_bias:
        assert rater.p is not None or rater.reason


def test_item_with_two_queries_is_refused() -> None:
    rows = [("a", "ann", 1, "q"), ("a", "bob", 1, "r"), ("b", "ann", 0, "Q"), ("b", "bob", 0, "q")]
    found = [Rating(item=i, rater=r, grade=g, query=q) for i, r, g, q in rows]
    with pytest.raises(BadInput, match=r"^item 'a': has several queries: q, r$"):
        rating_matrix_of(found, (0, 1))


def test_raters_without_a_common_item_are_no_pair_where_others_are() -> None:
    rows = [("ann", at, at % 3) for at in range(10)] + [("bob", at, at % 3) for at in range(20)]
    rows += [("cy", at, at % 2) for at in range(10, 20)]
    found = rating_matrix_of(
        [Rating(item=f"i{at}", rater=r, grade=g, query=f"q{at}") for r, at, g in rows], (0, 1, 2)
    )
    assert found.counted() == [(0, 1), (1, 2)]
    assert rater_pairs(found, "none").means["none"].kappa.value is not None


@pytest.mark.parametrize(("most", "counted"), [(29, [(0, 1), (0, 2)]), (30, [(0, 1)]), (31, [(0, 1)])])
def test_thirty_items_in_common_are_enough_to_be_counted_alone(most: int, counted: list[Any]) -> None:
    """ann and bob share so many, ann and cy 5; where no pair shares 30 those with any count."""
    rows = [(rater, at) for at in range(most) for rater in ("ann", "bob")]
    rows += [(rater, at) for at in range(100, 105) for rater in ("ann", "cy")]
    found = [Rating(item=f"i{at}", rater=rater, grade=at % 3, query=f"q{at}") for rater, at in rows]
    assert rating_matrix_of(found, (0, 1, 2)).counted() == counted


@pytest.mark.parametrize(
    ("many", "told"), [(10, None), (11, "1 more rater grades"), (12, "2 more raters grade")]
)
def test_more_than_ten_raters_who_lean_are_counted(many: int, told: str | None) -> None:
    lean = RaterBias(rater="ann", n=9, bias=0.5, kappa_vs_rest=0.5, p=0.01)
    score = gate1(SMALL).model_copy(update={"rater_bias": (lean,) * many, "disputed": (), "confused": ()})
    more = [one for one in advice(score, NAMES) if "more rater" in one]
    assert more == ([] if told is None else [f"{told} higher or lower than the others (p < 0.05)"])


def test_two_raters_are_named_both() -> None:
    found = [
        Rating(item=f"i{at}", rater=r, grade=min(2, at % 3 + (r == "bob" and at % 4 > 0)), query=f"q{at}")
        for at in range(60)
        for r in ("ann", "bob")
    ]
    score = judge_gate1(score_gate1(found, (0, 1, 2), Threshold("none", 0.8)))
    assert [one.partition(",")[0] for one in score.advice if "Talk" in one] == [
        "Talk to both: bob grades 0.50 higher than ann (p = 1.9e-10)"
    ]


def test_advice_on_grades_that_are_no_neighbours_says_so_and_names_the_queries() -> None:
    rows = {f"i{at}": {"ann": 2 * (at % 2), "bob": 2 * (at % 2 or at < 8)} for at in range(40)}
    queries = {name: "tin" if at < 6 else "pan" for at, name in enumerate(rows)}
    assert gate1(rows, queries=queries, names=NAMES).advice[0] == (
        "Say what the product is judged by: raters read the same pairs as 0 (bad) and as 2 (good), which are "
        "not neighbours; 4 of 4 disagreements (100%) stand there, most of all in the queries "
        "'tin' (3), 'pan' (1)"
    )
    assert gate1(rows, names=NAMES).advice[0].endswith("4 of 4 disagreements (100%) stand there")


def test_disagreements_in_a_query_are_counted_by_pairs_of_raters_as_their_sum_is() -> None:
    """Three raters: an item read as 0, 0, 2 holds two of the disagreements."""
    rows = {f"i{at}": {"ann": 0, "bob": 0, "cy": 2} for at in range(3)}
    rows |= {f"j{at}": {"ann": at % 3, "bob": at % 3, "cy": at % 3} for at in range(30)}
    queries = {name: "TN-2110 tin" if name < "i2" else "pan" for name in rows}
    score = gate1(rows, queries=queries, names=NAMES)
    assert (
        "6 of 6 disagreements (100%) stand there, most of all in the queries 'TN-2110 tin' (4), 'pan' (2)"
        in (score.advice[0])
    )
    assert [one.name for one in score.per_query] == ["TN-2110 tin", "pan"], "as raters read them"


def test_a_panel_with_one_person_sends_nobody_to_a_model() -> None:
    """Two language models beside a person: the one that leans is a prompt to look at."""
    lines = [
        Rating(item=f"i{at}", rater=rater, grade=min(2, at % 3 + (rater == "m2" and at % 2)))
        for at in range(60)
        for rater in ("ann", "m1", "m2")
    ]
    judged = judge_raters(Rated(lines, {"ann": "human", "m1": "llm", "m2": "llm"}), (0, 1, 2), Gates())
    assert any("Look at the prompt of m2, a language model: it grades" in one for one in judged.advice)
