"""Gate 2's figures: kappa of one answer and of several, what is missing, actions, parts and warnings."""

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from one_kappa import kappa_spread, table_of
from scipy import stats
from scoring import (
    ACTIONS,
    SCALE,
    answer,
    differing,
    fisher_z,
    gate2,
    item,
    jackknife_error,
    leaves,
    many,
    numeric_error,
    plain_kappa,
    sklearn_kappa,
)

from harness.errors import BadInput
from harness.nouns.base import Weighting
from harness.nouns.policy import Gates
from harness.score.answer_matrix import answer_matrix_of
from harness.score.items import GradedItem, ItemAnswer
from harness.score.threshold import WEIGHTINGS
from harness.scorecards.gate2 import Gate2
from harness.scorecards.shared import Estimate


def estimate(score: Gate2, weighting: Weighting) -> Estimate:
    found: Estimate = getattr(score, WEIGHTINGS[weighting])
    return found


def mean_of_draws(items: list[GradedItem], weighting: Weighting, weights: Any) -> float:
    """The mean of the draws' kappas by their definition, each over the answers that it has."""
    kappas = []
    for draw in range(len(items[0].answers)):
        read = [at for at, one in enumerate(items) if one.answers[draw].grade is not None]
        grades = [items[at].answers[draw].grade or 0 for at in read]
        kappas.append(plain_kappa([items[at].golden for at in read], grades, SCALE, weighting, weights[read]))
    return float(np.mean(kappas))


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_kappa_by_its_definition_is_scikit_learns(weighting: Weighting) -> None:
    items = many(1, 0.0)
    golden, grades = [one.golden for one in items], [one.answers[0].grade or 0 for one in items]
    weights = np.linspace(0.0, 2.0, len(items))
    known = sklearn_kappa(golden, grades, SCALE, weighting, weights)
    assert plain_kappa(golden, grades, SCALE, weighting, weights) == pytest.approx(known, abs=1e-12)


# --- kappa -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize("missing", [0.0, 0.2])
def test_one_answer_an_item_is_one_kappa(weighting: Weighting, missing: float) -> None:
    items = many(1, missing)
    read = [(one.golden, one.answers[0].grade, one.cluster) for one in items]
    known = [(golden, grade, query) for golden, grade, query in read if grade is not None]
    golden, grades, queries = zip(*known, strict=True)
    table = table_of(golden, grades, queries, SCALE, weighting)
    spread, found = kappa_spread(table), estimate(gate2(items), weighting)
    assert found.value == pytest.approx(sklearn_kappa(golden, grades, SCALE, weighting), abs=1e-12)
    assert found.value == table.kappa.value
    assert found.n == len(known) and (found.n == 300) == (missing == 0)
    assert found.ci == pytest.approx(spread.ci, abs=1e-12)
    assert [found.se, found.design_effect] == pytest.approx([spread.se, spread.design_effect])


@pytest.mark.parametrize("weighting", WEIGHTINGS)
@pytest.mark.parametrize(("draws", "missing"), [(1, 0.1), (3, 0.0), (3, 0.2)])
def test_kappa_of_several_answers_is_their_mean_with_the_error_of_that_mean(
    weighting: Weighting, draws: int, missing: float
) -> None:
    items = many(draws, missing)
    queries = [one.cluster for one in items]

    def kappa(weights: Any) -> float:
        return mean_of_draws(items, weighting, weights)

    found = estimate(gate2(items), weighting)
    assert found.value == pytest.approx(kappa(np.ones(300)), abs=1e-12)
    assert found.se is not None and found.value is not None
    assert found.se == pytest.approx(numeric_error(kappa, queries), rel=1e-5)
    assert found.se == pytest.approx(jackknife_error(kappa, queries), rel=0.04)
    assert found.ci == pytest.approx(fisher_z(found.value, found.se, 60), abs=1e-12)


@pytest.mark.parametrize("weighting", WEIGHTINGS)
def test_influence_of_each_item_is_the_slope_of_the_mean_in_its_weight(weighting: Weighting) -> None:
    items = many(2, 0.2)[:40]
    slopes = []
    for at in range(40):
        nudge = np.where(np.arange(40) == at, 1e-4, 0.0)
        up, down = (mean_of_draws(items, weighting, 1 + sign * nudge) for sign in (1, -1))
        slopes.append((up - down) / 2e-4 * 40)
    assert answer_matrix_of(items, SCALE).influence(weighting) == pytest.approx(np.array(slopes), abs=1e-6)


def test_same_answer_three_times_is_no_more_certain_than_once() -> None:
    once = many(1)
    thrice = [GradedItem(one.item, one.cluster, one.golden, one.answers * 3) for one in once]
    for weighting in WEIGHTINGS:
        one, three = estimate(gate2(once), weighting), estimate(gate2(thrice), weighting)
        assert three.value == one.value
        assert three.se == pytest.approx(one.se)
        assert three.ci == pytest.approx(one.ci)


# --- what is missing ---------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scale", "golden", "worst"),
    [
        ((0, 1, 2), 2, 0), ((0, 1, 2), 0, 2), ((0, 1, 2), 1, 0), ((0, 1, 3), 1, 3), ((0, 1, 3), 3, 0),
        ((0, 2, 3), 2, 0), ((0, 2, 4), 2, 0), ((-2, 0, 1), 0, -2), ((-1, 0, 1), 0, -1), ((0, 1), 1, 0),
    ],
)  # fmt: skip
def test_missing_answer_counts_as_the_grade_farthest_off_and_of_two_the_lower(
    scale: tuple[int, ...], golden: int, worst: int
) -> None:
    rest = [item(f"{at}{grade}", grade, grade) for grade in scale for at in range(3)]
    missing = gate2([*rest, item("x", golden, None)], scale)
    filled = gate2([*rest, item("x", golden, worst)], scale)
    assert (missing.kappa_worst_case, missing.kappa_worst_case_ci) == (filled.kappa.value, filled.kappa.ci)
    assert missing.kappa.value == 1.0
    for other in set(scale) - {worst}:
        linear = Gates(weighting="linear")
        low = gate2([*rest, item("x", golden, None)], scale, gates=linear).kappa_worst_case
        high = gate2([*rest, item("x", golden, other)], scale, gates=linear).kappa_linear.value
        assert low is not None and high is not None
        if abs(other - golden) < abs(worst - golden):
            assert low < high


def test_coverage_and_causes_count_answers_and_under_a_vote_items() -> None:
    items = [
        item("a", 0, 0, None, 0),
        item("b", 1, None, None, None),
        GradedItem("c", "c", 2, (answer(2), ItemAnswer(None, "failed"), answer(2))),
    ]
    mean, vote = gate2(items), gate2(items, aggregate="vote")
    assert (mean.n, mean.coverage) == pytest.approx((3, 4 / 9))
    assert mean.outcomes.model_dump() == {"graded": 4, "ungraded": 4, "failed": 1}
    assert mean.ungraded_causes == {"bad_json": 4}
    assert (vote.n, vote.coverage) == pytest.approx((3, 2 / 3))
    assert vote.outcomes.model_dump() == {"graded": 2, "ungraded": 1, "failed": 0}


def test_nothing_readable_is_undefined_everywhere_with_reasons() -> None:
    score = gate2([item("a", 0, None), item("b", 1, None)], action_of=ACTIONS)
    assert (score.coverage, score.accuracy, score.mae, score.bias) == (0, None, None, None)
    assert set(score.reasons) >= {"accuracy", "mae", "bias"}
    for one in (score.kappa, score.kappa_linear, score.kappa_quadratic):
        assert (one.value, one.ci, one.n) == (None, None, 0) and "no item was graded" in (one.reason or "")
    assert score.actions is not None and score.actions.reason
    assert all(one.kappa is None and one.reason for one in score.boundaries)
    assert (score.verdict, score.misses) == ("inconclusive", ())


def test_no_items_at_all_is_bad_input() -> None:
    with pytest.raises(BadInput, match="nothing to score"):
        gate2([])


# --- actions and cells -------------------------------------------------------------------------------------


def cell_gates(limit: float | None = None) -> Gates:
    return Gates.model_validate({"never_grow": [{"golden": 0, "action": "show", "limit": limit}]})


def test_actions_are_kappa_of_what_is_seen() -> None:
    items = many(1)
    read = [(one.golden, one.answers[0].grade) for one in items if one.answers[0].grade is not None]
    golden, grades = zip(*read, strict=True)
    actions = gate2(items, action_of=ACTIONS).actions
    assert actions is not None
    want = sklearn_kappa([g == 2 for g in golden], [g == 2 for g in grades], (0, 1))
    assert actions.labels == ("show", "hide")
    assert actions.kappa == pytest.approx(want, abs=1e-12)
    shown = sum(g == 2 for g in golden)
    assert [sum(line) for line in actions.matrix] == [shown, len(golden) - shown]


def test_one_action_for_every_grade_has_no_kappa() -> None:
    actions = gate2(many(1), action_of=dict.fromkeys(SCALE, "show")).actions
    assert actions is not None and (actions.kappa, actions.labels) == (None, ("show",))
    assert "one action for every grade" in (actions.reason or "")
    assert gate2(many(1)).actions is None and "actions" in gate2(many(1)).reasons


def test_cell_counts_an_item_once_by_the_share_of_its_answers() -> None:
    items = [item(f"s{at}", 0, 2, 2, 0) for at in range(4)] + [
        item(f"h{at}", 0, 0, None, 0) for at in range(8)
    ]
    items += [item(f"m{at}", 0, None, None, None) for at in range(2)] + [item("t", 2, 2, 2, 2)]
    (cell,) = gate2(items, action_of=ACTIONS, gates=cell_gates()).never_grow
    x, n = 4 * 2 / 3, 12
    assert (cell.count, cell.n, cell.share) == pytest.approx((8, n, x / n))
    limits = stats.beta.ppf(0.025, x, n - x + 1), stats.beta.ppf(0.975, x + 1, n - x)
    assert cell.ci == pytest.approx(limits, abs=1e-9)
    worst = x + 8 / 3 + 2
    limits = stats.beta.ppf(0.025, worst, 14 - worst + 1), stats.beta.ppf(0.975, worst + 1, 14 - worst)
    assert cell.ci_worst_case == pytest.approx(limits, abs=1e-9)


def test_cell_is_never_said_to_hold_more_items_than_there_are() -> None:
    items = [item(f"s{at}", 0, 2, 2, 0) for at in range(10)] + [item(f"t{at}", 2, 2, 2, 2) for at in range(9)]
    score = gate2(items, action_of=ACTIONS, gates=cell_gates(0.1))
    assert "golden 0 with action show: 6.67 of 10" in (score.reason or "")
    once = [GradedItem(one.item, one.cluster, one.golden, one.answers[:1]) for one in items]
    assert "show: 10 of 10" in (gate2(once, action_of=ACTIONS, gates=cell_gates(0.1)).reason or "")


def test_cell_without_an_item_has_no_share() -> None:
    (cell,) = gate2([item("a", 2, 2)], action_of=ACTIONS, gates=cell_gates()).never_grow
    assert (cell.count, cell.n, cell.share, cell.ci) == (0, 0, None, None)


# --- parts -------------------------------------------------------------------------------------------------


def test_tags_and_clauses_are_scored_on_their_own_items() -> None:
    items = [
        item("a", 0, 0, tags=("new", "new"), clauses=("cap",), query="red shoe"),
        item("b", 1, 1, tags=("new",), query="red shoe"),
        item("c", 2, 1, tags=("new", "brand"), clauses=("cap",), query="lamp"),
        item("d", 2, None, tags=("brand",), query="lamp"),
        item("e", 0, 0, query="lamp"),
    ]
    score = gate2(items)
    assert [(one.name, one.n, one.n_clusters) for one in score.per_tag] == [("brand", 2, 1), ("new", 3, 2)]
    assert [one.accuracy for one in score.per_tag] == pytest.approx([0.0, 2 / 3])
    assert score.per_tag[1].kappa == pytest.approx(sklearn_kappa([0, 1, 2], [0, 1, 1], SCALE))
    (cap,) = score.per_clause
    assert (cap.name, cap.n) == ("cap", 2)
    assert (cap.accuracy, cap.kappa) == pytest.approx((0.5, 1 / 3))
    lone = gate2([item("a", 0, None, tags=("t",)), item("b", 1, 1)]).per_tag[0]
    assert (lone.n, lone.accuracy, lone.kappa) == (1, None, None) and lone.reason


def test_floor_is_the_commonest_golden_grade_and_of_two_the_lower() -> None:
    floor = gate2([item(str(at), golden, 0) for at, golden in enumerate((2, 2, 1, 1, 0))]).floor
    assert floor.model_dump() == {"grade": 1, "accuracy": 0.4, "kappa": 0.0}
    alike = gate2([item("a", 2, 2), item("b", 2, 0)]).floor
    assert alike.model_dump() == {"grade": 2, "accuracy": 1.0, "kappa": None}


def test_boundaries_are_kappas_of_at_least() -> None:
    items = many(1, 0.0)
    golden, grades = [one.golden for one in items], [one.answers[0].grade or 0 for one in items]
    found = gate2(items).boundaries
    assert [one.at_least for one in found] == [1, 2]
    for one in found:
        rows, columns = ([grade >= one.at_least for grade in given] for given in (golden, grades))
        assert one.kappa == pytest.approx(sklearn_kappa(rows, columns, (0, 1)), abs=1e-12)


# --- warnings ----------------------------------------------------------------------------------------------


def test_grades_that_nobody_has_are_named() -> None:
    warnings = gate2([item("a", 0, 0), item("b", 5, 0)], (0, 2, 3, 5)).warnings
    assert "no golden item here has grades 2, 3" in warnings
    assert "the grader never gives grade 5" in warnings
    assert not any("never gives" in one for one in gate2([item("a", 0, None)]).warnings)
    full = gate2([item(str(grade), grade, grade, query="q") for grade in SCALE])
    assert full.warnings == ()


def test_items_without_queries_are_said_to_be_taken_as_independent() -> None:
    independent = "no item names its query: the intervals treat items as independent"
    assert independent in gate2([item("a", 0, 0), item("b", 1, 1)]).warnings
    assert independent not in gate2([item("a", 0, 0, query="q"), item("b", 1, 1)]).warnings
    assert independent not in gate2([item("a", 0, 0, tags=("t",))]).warnings


def test_band_that_depends_on_the_weighting_is_told() -> None:
    # Unweighted (0.9 - 0.34) / 0.66 = 0.848; every miss is a far one, so that quadratic weights like it less.
    rows = [(0, 0), (0, 0), (0, 0), (0, 0), (1, 1), (1, 1), (2, 2), (2, 2), (2, 2), (2, 0)]
    score = gate2([item(str(at), golden, grade) for at, (golden, grade) in enumerate(rows)])
    golden, grades = zip(*rows, strict=True)
    assert score.kappa.value == pytest.approx(sklearn_kappa(golden, grades, SCALE))
    told = [one for one in score.warnings if "depends on the weighting" in one]
    assert told == [
        "the band depends on the weighting: strong with weighting none, moderate with weighting linear, "
        "moderate with weighting quadratic"
    ]


# --- properties --------------------------------------------------------------------------------------------

ROWS = st.lists(
    st.tuples(
        st.integers(0, 2),
        st.lists(st.one_of(st.none(), st.integers(0, 2)), min_size=2, max_size=2),
        st.sampled_from("pqrst"),
    ),
    min_size=1,
    max_size=24,
)


def built(rows: Any, scale: tuple[int, ...] = SCALE) -> list[GradedItem]:
    causes = ("bad_json", "refused", "cut_off")
    made = []
    for at, (golden, grades, query) in enumerate(rows):
        chances = {grade: (grade + 1.0 + at % 3) / 9 for grade in scale}
        told = tuple(answer(grade, probabilities=chances if grade is not None else None) for grade in grades)
        told = tuple(
            one if one.grade is not None else type(one)(None, "ungraded", causes[at % 3]) for one in told
        )
        made.append(GradedItem(f"i{at:02}", query, golden, told))
    return made


@given(ROWS, st.randoms())
def test_order_of_items_plays_no_part_in_the_whole_scorecard(rows: Any, random: Any) -> None:
    items = built(rows)
    shuffled = random.sample(items, len(items))
    one, other = gate2(items, action_of=ACTIONS), gate2(shuffled, action_of=ACTIONS)
    assert differing(one, other) == []
    assert list(one.ungraded_causes) == list(other.ungraded_causes)


@given(ROWS)
def test_swapping_golden_set_and_grader_keeps_the_three_kappas(rows: Any) -> None:
    read = [(golden, grades[0], query) for golden, grades, query in rows if grades[0] is not None]
    if not read:
        return
    there = gate2([item(f"{at}", a, b, query=q) for at, (a, b, q) in enumerate(read)])
    back = gate2([item(f"{at}", b, a, query=q) for at, (a, b, q) in enumerate(read)])
    for name in WEIGHTINGS.values():
        one, other = getattr(there, name), getattr(back, name)
        assert one.value == other.value
        assert (one.ci, one.se) == (pytest.approx(other.ci), pytest.approx(other.se))


@given(ROWS)
def test_unused_grade_on_top_of_the_scale_changes_no_unweighted_value(rows: Any) -> None:
    complete = [(golden, [grade or 0 for grade in grades], query) for golden, grades, query in rows]
    one, other = (gate2(built(complete), scale) for scale in (SCALE, (*SCALE, 3)))
    assert one.kappa_worst_case == other.kappa_worst_case
    assert (one.accuracy, one.mae, one.bias, one.floor) == (
        other.accuracy,
        other.mae,
        other.bias,
        other.floor,
    )
    apart = differing(one, other)
    assert [at for at in apart if at.startswith((".kappa.", ".repeats.agree", ".repeats.unan"))] == []
    assert (one.kappa_linear.value, one.kappa_quadratic.value) == (
        other.kappa_linear.value, other.kappa_quadratic.value,
    )  # fmt: skip
    assert other.boundaries[:2] == one.boundaries and other.per_grade[:3] == one.per_grade


@given(ROWS)
def test_grader_that_is_the_golden_set_has_kappa_1_or_none(rows: Any) -> None:
    score = gate2(
        [item(f"{at}", golden, golden, golden, query=query) for at, (golden, _, query) in enumerate(rows)]
    )
    varied = len({golden for golden, _, _ in rows}) > 1
    for one in (score.kappa, score.kappa_linear, score.kappa_quadratic):
        assert one.value == (1.0 if varied else None)
        assert one.ci is None or one.ci[1] == 1.0
    assert (score.accuracy, score.misses) == (1.0, ())


@given(ROWS, st.sampled_from(["mean", "vote"]))
def test_no_figure_is_nan_and_what_has_no_interval_has_a_reason(rows: Any, aggregate: str) -> None:
    score = gate2(built(rows), aggregate=aggregate, action_of=ACTIONS, gates=cell_gates(0.2))
    numbers = [(at, one) for at, one in leaves(score.model_dump()) if isinstance(one, float)]
    assert [at for at, one in numbers if not np.isfinite(one)] == []
    estimates = [score.kappa, score.kappa_linear, score.kappa_quadratic]
    assert score.repeats is not None
    for one in [*estimates, score.repeats.kappa]:
        assert one.ci is not None or one.reason
        if one.value is not None and one.ci is not None:
            assert -1 <= one.ci[0] <= one.value <= one.ci[1] <= 1
    assert 0 <= score.coverage <= 1


def test_repeat_that_nobody_answered_takes_nothing_from_the_others() -> None:
    once = [
        GradedItem(f"i{at}", f"q{at // 2}", at % 3, (ItemAnswer((at + (at % 5 == 0)) % 3, "graded"),))
        for at in range(30)
    ]
    silent = [
        replace(item, answers=(*item.answers, ItemAnswer(None, "ungraded", "no_answer"))) for item in once
    ]
    one, other = (answer_matrix_of(items, (0, 1, 2)).measure("none") for items in (once, silent))
    assert (one.kappa.exact, one.ci) == (other.kappa.exact, other.ci)


def test_queries_without_a_graded_item_are_not_counted() -> None:
    items = [GradedItem(f"i{at}", f"q{at % 3}", 1, (answer(1 if at % 3 else None),)) for at in range(9)]
    assert gate2(items).n_clusters == 2
