"""Scorecards of a few items, worked by hand: defaults, reasons, ties, and what is left out."""

import json
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # ships no types
import pytest
from builders import example, harness, write_project
from fault_server import Turn, completion, error, fault_server
from oracle import DEV, ask
from scoring import ACTIONS, SCALE, gate1, gate2, item, ratings, text_of

from harness.errors import BadInput
from harness.golden.grade_rows import GradedRow
from harness.golden.rating.files import of_known
from harness.golden.rating.ratings import Rated, without_rater
from harness.nouns.base import Weighting
from harness.nouns.policy import Gates
from harness.report.disagreements import ceiling_sentence
from harness.report.gate1 import gate1_view
from harness.report.gate2 import parts_view
from harness.report.page.words import sentence
from harness.score.advice import advice
from harness.score.answer_matrix import answer_matrix_of
from harness.score.arrays import ratings_from
from harness.score.ceiling import NO_EPSILON, SEVERAL
from harness.score.gate1 import score_gate1
from harness.score.items import INDEPENDENT, GradedItem, ItemAnswer, answered, vote
from harness.score.rating_matrix import numbered, rating_matrix_of
from harness.score.threshold import Measured, Threshold, bands_differ, bands_of
from harness.scorecards.gate1 import AgreementIn, RaterBias
from harness.scorecards.gate2 import Gate2
from harness.stats.agreement import Kappa, renumbered
from harness.stats.alternative import alternative_annotator_test
from harness.stats.ceiling import human_ceiling, leave_one_out
from harness.stats.intervals import ONE_CLUSTER, KappaTable, Spread, influence
from harness.stats.raters import coefficients, krippendorff_alpha

ROWS = {f"i{at:02}": {"ann": at % 3, "bob": (at + (at % 5 == 0)) % 3, "cy": (at * 2) % 3} for at in range(40)}


# --- the bar -----------------------------------------------------------------------------------------------


def test_bar_tells_every_other_bar_that_somebody_might_have_expected() -> None:
    bar = Threshold("none", 0.8)
    assert bar.moved_from().moved is None
    assert bar.moved_from(None, "").moved is None
    assert bar.moved_from("kappa 0.7", None, "kappa 0.9") == Threshold("none", 0.8, "kappa 0.7; kappa 0.9")
    assert bar.moved_from("kappa 0.7").moved_from(None, "kappa 0.9").moved == "kappa 0.7; kappa 0.9"
    assert Threshold("quadratic", 0.85).text == "kappa_quadratic 0.85"


def test_bootstrap_is_had_where_it_is_asked_for() -> None:
    assert gate1(ROWS).bootstrap is None
    found = gate1(ROWS, bootstrap=True)
    check = found.bootstrap
    assert check is not None and check.ci is not None and found.kappa.ci is not None
    assert (check.draws, check.undefined, check.reason) == (10_000, 0.0, None)
    assert list(check.ci) == pytest.approx(list(found.kappa.ci), abs=0.1)
    alone = gate1(ROWS, queries=dict.fromkeys(ROWS, "lamp"), bootstrap=True).bootstrap
    assert alone is not None and alone.ci is None and "one query" in (alone.reason or "")


# --- Gate 1 ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "words"),
    [
        (None, None),
        ({"ann": "human", "bob": "human", "cy": "human"}, None),
        (
            {"ann": "llm", "bob": "human", "cy": "llm"},
            "ann, cy rated as language models: this says nothing yet about people",
        ),
        ({"ann": "human"}, "raters.toml does not say what bob, cy are"),
        ({"ann": "llm"}, "ann rated as language models: this says nothing yet about people"),
    ],
)
def test_raters_who_are_not_known_to_be_people_make_it_provisional(
    kinds: dict[str, str] | None, words: str | None
) -> None:
    assert gate1(ROWS, kinds=kinds).provisional == words


def test_coefficients_beside_kappa_are_those_of_the_grades() -> None:
    score, panel = gate1(ROWS), rating_matrix_of(ratings(ROWS), SCALE)
    plain, linear = coefficients(panel.grades, SCALE), coefficients(panel.grades, SCALE, "linear")
    assert (score.fleiss, score.conger) == (plain.fleiss.value, plain.conger.value)
    assert (score.ac1, score.ac2) == (plain.gwet.value, linear.gwet.value)
    assert (score.brennan_prediger, score.agreement) == (plain.brennan_prediger.value, plain.agreement.value)
    for metric in ("nominal", "ordinal", "interval"):
        assert getattr(score.alpha, metric) == krippendorff_alpha(panel.grades, SCALE, metric).value
    assert score.reasons == {}
    assert len({score.alpha.nominal, score.alpha.ordinal, score.alpha.interval}) == 3


def test_coefficients_that_are_undefined_are_named_with_their_reasons() -> None:
    score = gate1({f"i{at}": {"ann": 1, "bob": 1} for at in range(5)})
    assert set(score.reasons) == {"fleiss", "conger", "alpha.nominal", "alpha.ordinal", "alpha.interval"}
    assert (score.fleiss, score.alpha.ordinal, score.agreement) == (None, None, 1.0)


def bias(
    name: str, lean: float | None, p: float | None = None, rest: float | None = None, **more: Any
) -> RaterBias:
    known: dict[str, Any] = {"rater": name, "n": 40, "bias": lean, "p": p, "kappa_vs_rest": rest}
    return RaterBias(**{**known, "worst_boundary": None, **more})


def advised(*biases: RaterBias, **more: Any) -> tuple[str, ...]:
    """What is advised where raters never differ but for this."""
    score = gate1({f"i{at}": {"ann": at % 3, "bob": at % 3} for at in range(40)})
    update = {"rater_bias": biases, "raters": tuple(one.rater for one in biases), "items_needed": None}
    return advice(score.model_copy(update={**update, **more}), {1: "fair"})


@pytest.mark.parametrize(
    ("one", "words"),
    [
        (bias("ann", 0.25, 0.0123), "Talk to ann, who grades 0.25 higher than the others (p by Holm 0.012)"),
        (
            bias("ann", -0.25, 0.001, worst_boundary=2),
            "Talk to ann, who grades 0.25 lower than the others (p by Holm 0.001), most of all at >= 2",
        ),
        (bias("ann", 0.005, 0.01), "Talk to ann, who grades 0.01 higher than the others (p by Holm 0.01)"),
        (
            bias("ann", 0.0049, 0.01),
            "Talk to ann, who grades slightly higher than the others (p by Holm 0.01)",
        ),
        (bias("ann", 0.25, 0.0499), "Talk to ann, who grades 0.25 higher than the others (p by Holm 0.05)"),
        (bias("ann", 0.25, 0.05), None),
        (bias("ann", 0.25, None), None),
        (bias("ann", None, 0.01), None),
    ],
)
def test_rater_whose_lean_is_significant_is_worth_a_talk(one: RaterBias, words: str | None) -> None:
    others = bias("bob", 0.0, 0.9), bias("cy", 0.0, 0.9)
    assert advised(one, *others) == ((words,) if words else ())


def test_of_two_raters_both_are_told() -> None:
    assert advised(bias("ann", -0.25, 0.01), bias("bob", 0.25, 0.01)) == (
        "Talk to both: bob grades 0.25 higher than ann (p = 0.01)",
    )
    assert advised(bias("ann", 0.0, 1.0), bias("bob", 0.0, 1.0)) == ()
    assert advised(bias("ann", None), bias("bob", None)) == ()


@pytest.mark.parametrize(("least", "told"), [(0.05, True), (0.1, True), (0.11, False)])
def test_rater_who_agrees_a_tenth_less_than_any_other_is_told(least: float, told: bool) -> None:
    found = advised(bias("ann", 0.0, rest=0.9), bias("bob", 0.0, rest=least), bias("cy", 0.0, rest=0.2))
    assert found == ((f"Talk to bob, who agrees least with the rest ({least:.2f}, linear)",) if told else ())


def test_rater_without_a_kappa_is_no_outlier_and_two_raters_have_none() -> None:
    known = bias("ann", 0.0, rest=0.9), bias("bob", 0.0, rest=0.2)
    assert advised(*known, bias("cy", 0.0, rest=None)) == ()
    assert advised(*known) == ()


@pytest.mark.parametrize(("agreement", "told"), [(0.79, True), (0.8, False), (0.81, False)])
def test_clause_that_is_as_clear_as_the_rest_is_not_named(agreement: float, told: bool) -> None:
    clause = AgreementIn(name="cap", n=20, disputed=4, agreement=agreement)
    found = advised(agreement=0.8, per_clause=(clause,))
    words = f"Reword the clause cap: raters differ on 4 of its 20 items ({agreement:.0%} agreement)"
    assert found == ((words,) if told else ())


def test_clause_that_nobody_disputes_is_not_named_and_the_first_of_several_is() -> None:
    clauses = [
        AgreementIn(name="few", n=4, disputed=4, agreement=0.1),
        AgreementIn(name="quiet", n=9, disputed=0, agreement=0.2),
        AgreementIn(name="loud", n=5, disputed=3, agreement=0.4),
        AgreementIn(name="next", n=9, disputed=3, agreement=0.5),
    ]
    (only,) = advised(agreement=None, per_clause=tuple(clauses))
    assert only == "Reword the clause loud: raters differ on 3 of its 5 items (40% agreement)"


def test_names_of_grades_are_told_where_they_are_known() -> None:
    rows = {f"i{at}": {"ann": 0, "bob": 0} for at in range(20)} | {"x": {"ann": 1, "bob": 2}}
    (first, *_) = gate1(rows, names={1: "fair"}).advice
    assert first == "Sharpen the line between 1 (fair) and 2: 1 of 1 disagreement (100%) stands there"


# --- the panel ---------------------------------------------------------------------------------------------


def test_grades_of_a_file_take_the_place_of_a_runs_answers() -> None:
    items = [GradedItem(name, "q", 1, (ItemAnswer(0, "graded"),)) for name in ("a", "b")]
    rows = {name: GradedRow(None, None, 2) for name in ("a", "z")}
    given, strangers, odd = answered(items, rows, "f", "r")
    assert [(one.item, one.golden, one.answers[0].grade) for one in given] == [("a", 1, 2), ("b", 1, None)]
    assert (strangers, odd) == (("z",), ())


def test_names_are_numbered_by_the_alphabet_and_gaps_are_closed() -> None:
    assert numbered(["b", "a", "c", "a"]).tolist() == [1, 0, 2, 0]
    assert renumbered(np.array([7, 3, 7, 9])).tolist() == [1, 0, 1, 2]


def test_pairs_that_share_nothing_count_only_where_no_pair_shares_anything() -> None:
    apart = {"i1": {"ann": 0}, "i2": {"bob": 1}, "i3": {"cy": 2}}
    assert rating_matrix_of(ratings(apart), SCALE).counted() == [(0, 1), (0, 2), (1, 2)]
    some = {**apart, "i4": {"ann": 1, "bob": 1}}
    assert rating_matrix_of(ratings(some), SCALE).counted() == [(0, 1)]


# --- Gate 2 ------------------------------------------------------------------------------------------------


def test_grades_have_precision_recall_and_f1_by_hand() -> None:
    """Golden 0, 0, 0, 1, 1 against 0, 0, 1, 1, 1; nobody has a 2."""
    pairs = [(0, 0), (0, 0), (0, 1), (1, 1), (1, 1)]
    score = gate2([item(f"i{at}", golden, grade) for at, (golden, grade) in enumerate(pairs)])
    found = [(one.grade, one.precision, one.recall, one.f1, one.support) for one in score.per_grade]
    assert found == [
        (0, 1.0, pytest.approx(2 / 3), pytest.approx(4 / 5), 3),
        (1, pytest.approx(2 / 3), 1.0, pytest.approx(4 / 5), 2),
        (2, None, None, None, 0),
    ]
    assert (score.accuracy, score.mae, score.bias) == (0.8, 0.2, 0.2)
    assert score.warnings[-2] == "no golden item here has grade 2"
    assert not any("never gives" in warning for warning in score.warnings)


def test_miss_tells_all_that_is_known_of_its_item() -> None:
    miss = item("a", 2, 0, result={"title": "boot"}, reasoning="because", clauses=("cap",))
    rows = {"a": {"ann": 2, "bob": 2}}
    actions = {0: "hide", 1: "hide", 2: "show"}
    score = gate2([miss, item("b", 1, 1), item("c", 0, 0)], rows=rows, action_of=actions)
    (found,) = score.misses
    assert (found.item, found.query, found.title) == ("a", "query a", "boot")
    assert (found.golden, found.grade, found.golden_action, found.action) == (2, 0, "show", "hide")
    assert (found.diagnosis, found.ratings, found.draws) == ("teacher", {"ann": 2, "bob": 2}, ())
    assert (found.golden_reasoning, found.golden_clauses) == ("because", ("cap",))
    assert score.diagnosis == {"policy": 0, "teacher": 1, "golden": 0, "unrated": 0}


def test_misses_that_look_alike_come_by_distance_and_then_by_name() -> None:
    actions = {0: "hide", 1: "hide", 2: "hide"}
    score = gate2(
        [item("b", 0, 1), item("a", 0, 1), item("d", 0, 2), item("c", 2, 0), item("e", 1, 1)],
        action_of=actions,
    )
    assert [miss.item for miss in score.misses] == ["c", "d", "a", "b"]


def test_tag_named_twice_by_an_item_counts_it_once() -> None:
    score = gate2([item("a", 1, 1, tags=["x", "x", "y"]), item("b", 0, 1, tags=["x"])])
    assert [(one.name, one.n, one.accuracy) for one in score.per_tag] == [("x", 2, 0.5), ("y", 1, 1.0)]


def test_example_of_a_panel_is_known_by_its_id() -> None:
    about = {"i01": example("i01", result={"title": "boot"})}
    score = gate1({"i01": {"ann": 0, "bob": 2}, "i02": {"ann": 0, "bob": 1}}, about=about)
    assert [(one.item, one.title) for one in score.disputed] == [("i01", "boot"), ("i02", None)]


@pytest.mark.parametrize(("queries", "independent"), [(None, True), (dict.fromkeys(ROWS, "lamp"), False)])
def test_ratings_without_queries_are_said_to_be_taken_as_independent(
    queries: dict[str, str] | None, independent: bool
) -> None:
    assert (INDEPENDENT in gate1(ROWS, queries=queries).warnings) == independent


def test_rater_who_agrees_no_more_than_by_chance_has_a_kappa_of_0_and_counts() -> None:
    chance = bias("ann", 0.0, rest=0.5), bias("bob", 0.0, rest=0.0), bias("cy", 0.0, rest=0.6)
    assert advised(*chance) == ("Talk to bob, who agrees least with the rest (0.00, linear)",)
    below = bias("ann", 0.0, rest=0.5), bias("bob", 0.0, rest=0.0), bias("cy", 0.0, rest=-0.05)
    assert advised(*below) == ()


def test_causes_come_by_number_and_then_by_name() -> None:
    causes = ["refused", "bad_json", "bad_json", "cut_off", "no_answer", "no_answer"]
    unread = [
        GradedItem(f"u{at}", f"u{at}", 1, (ItemAnswer(None, "ungraded", cause),))
        for at, cause in enumerate(causes)
    ]
    score = gate2([*unread, item("a", 1, 1), GradedItem("f", "f", 0, (ItemAnswer(None, "failed"),))])
    assert list(score.ungraded_causes.items()) == [
        ("bad_json", 2),
        ("no_answer", 2),
        ("cut_off", 1),
        ("refused", 1),
    ]
    outcomes = score.outcomes
    assert (outcomes.graded, outcomes.ungraded, outcomes.failed) == (1, 6, 1)
    assert score.coverage == 1 / 8


def test_figures_that_are_missing_have_their_reasons_and_no_others() -> None:
    plain = gate2([item(f"i{at}", at % 3, at % 3) for at in range(9)], action_of=ACTIONS)
    assert plain.reasons == {}
    bare = gate2([item(f"i{at}", at % 3, None) for at in range(9)])
    assert {name: bare.reasons[name] for name in ("accuracy", "mae", "bias")} == dict.fromkeys(
        ("accuracy", "mae", "bias"), "undefined: no item was graded"
    )
    assert bare.reasons["actions"] == "no policy defines actions"
    alike = gate2([item(f"i{at}", 1, 1) for at in range(9)], action_of=ACTIONS)
    assert set(alike.reasons) == {"kappa_worst_case"}
    assert alike.kappa_worst_case is None


def test_actions_are_scored_unweighted_with_an_interval_as_found_and_at_worst() -> None:
    """Four grades with three actions: what is shown is scored as if the actions were the grades."""
    actions = {0: "hide", 1: "hide", 2: "warn", 3: "show"}
    as_grade = {0: 2, 1: 2, 2: 1, 3: 0}
    pairs = [(at % 4, (at + (at % 5 == 0) * 2 + (at % 7 == 0)) % 4) for at in range(60)]
    items = [item(f"i{at:02}", *pair, query=f"q{at // 2}") for at, pair in enumerate(pairs)]
    missing = item("x", 0, None)
    gates = Gates.model_validate({"gate2": {"actions": 0.7}})
    found = gate2([*items, missing], (0, 1, 2, 3), gates=gates, action_of=actions).actions
    seen = [
        item(f"i{at:02}", as_grade[a], as_grade[b], query=f"q{at // 2}") for at, (a, b) in enumerate(pairs)
    ]
    plain, worst = gate2(seen), gate2([*seen, item("x", 2, 0)])
    assert found is not None
    assert (found.labels, found.bar, found.reason) == (("show", "warn", "hide"), 0.7, None)
    assert (found.kappa, found.ci, found.matrix) == (
        plain.kappa.value,
        plain.kappa.ci,
        plain.confusion.matrix,
    )
    assert found.ci_worst_case == worst.kappa.ci != plain.kappa.ci


def test_one_action_for_all_grades_keeps_its_bar() -> None:
    gates = Gates.model_validate({"gate2": {"actions": 0.7}})
    found = gate2([item("a", 0, 1)], gates=gates, action_of=dict.fromkeys(SCALE, "show")).actions
    assert found is not None
    assert (found.kappa, found.bar, found.labels, found.matrix) == (None, 0.7, ("show",), ((1,),))


def test_boundaries_are_scored_as_two_grades() -> None:
    pairs = [(at % 3, (at + (at % 4 == 0)) % 3) for at in range(40)]
    score = gate2([item(f"i{at:02}", *pair) for at, pair in enumerate(pairs)])
    for boundary in score.boundaries:
        at_least = boundary.at_least
        two = [item(f"i{at:02}", int(a >= at_least), int(b >= at_least)) for at, (a, b) in enumerate(pairs)]
        plain = gate2(two, (0, 1)).kappa
        assert (boundary.kappa, boundary.ci, boundary.reason) == (plain.value, plain.ci, plain.reason)


def test_slices_have_an_interval_or_a_reason() -> None:
    tagged = [item(f"t{at:02}", at % 3, (at + (at % 4 == 0)) % 3, tags=["x"]) for at in range(24)]
    score = gate2([*tagged, item("one", 1, 1, tags=["lone"])])
    plain = gate2(tagged).kappa
    by_name = {one.name: one for one in score.per_tag}
    assert (by_name["x"].kappa, by_name["x"].ci, by_name["x"].reason) == (plain.value, plain.ci, None)
    lone = by_name["lone"]
    assert (lone.kappa, lone.ci) == (None, None)
    assert (lone.reason or "").startswith("undefined")


def test_cells_need_a_policy_that_says_what_is_shown() -> None:
    gates = Gates.model_validate({"never_grow": [{"golden": 0, "action": "show"}]})
    items = [item("a", 1, 1), item("b", 2, 0)]
    assert gate2(items, gates=gates).never_grow == ()
    (empty,) = gate2(items, gates=gates, action_of=ACTIONS).never_grow
    assert (empty.count, empty.n, empty.share, empty.ci, empty.ci_worst_case) == (0, 0, None, None, None)
    assert empty.reason is None
    alike = [item(name, 0, grade, query="one") for name, grade in (("a", 0), ("b", 2))]
    (one,) = gate2(alike, gates=gates, action_of=ACTIONS).never_grow
    assert (one.count, one.n, one.share, one.ci, one.reason) == (1, 2, 0.5, None, ONE_CLUSTER)
    (two,) = gate2([*alike, item("c", 0, 2, query="two")], gates=gates, action_of=ACTIONS).never_grow
    assert two.ci is not None and two.reason is None


def test_bootstrap_of_gate2_is_that_of_its_gated_kappa() -> None:
    items = [item(f"i{at:02}", at % 3, (at + (at % 4 == 0)) % 3, query=f"q{at // 2}") for at in range(60)]
    assert gate2(items).bootstrap is None
    linear = gate2(items, gates=Gates(weighting="linear"), bootstrap=True)
    plain = gate2(items, bootstrap=True)
    assert linear.bootstrap is not None and plain.bootstrap is not None
    assert linear.bootstrap.ci != plain.bootstrap.ci
    for score in (linear, plain):
        assert score.bootstrap is not None and score.bootstrap.ci is not None
        assert list(score.bootstrap.ci) == pytest.approx(list(score.gated_kappa.ci or ()), abs=0.05)


def test_influence_of_answers_that_are_all_there_is_that_of_their_table() -> None:
    items = [item(f"i{at:02}", at % 3, (at + (at % 4 == 0)) % 3) for at in range(24)]
    draws = answer_matrix_of(items, SCALE)
    whole = KappaTable(draws.golden, draws.grades[:, 0], draws.clusters, SCALE, "linear")
    assert draws.influence("linear") == pytest.approx(influence(whole))


@pytest.mark.parametrize(
    ("grades", "voted"),
    [([0, 1, 2], 1), ([0, 2], 0), ([2, 2, 0], 2), ([0, 0, 1, 1, 2, 2, 3, 3], 1), ([4], 4)],
)
def test_vote_of_a_tie_is_the_lower_median_of_the_commonest(grades: list[int], voted: int) -> None:
    assert vote(grades) == voted


def test_miss_of_two_answers_shows_both() -> None:
    (miss,) = gate2([item("a", 2, 0, 1), item("b", 1, 1, 1), item("c", 0, 0, 0)]).misses
    assert (miss.grade, miss.draws) == (0, (0, 1))


def test_citations_of_right_and_wrong_answers_by_hand() -> None:
    def cites(name: str, golden: int, grade: int, *clauses: str) -> GradedItem:
        asked = item(name, golden, grade, clauses=("cap", "plain"))
        return replace(asked, answers=(ItemAnswer(grade, "graded", clauses=clauses),))

    right = [cites("a", 1, 1, "cap"), cites("b", 2, 2, "cap", "plain"), cites("c", 0, 0, "odd", "weird")]
    known = frozenset({"cap", "plain"})
    found = gate2(right, clause_ids=known).citations
    assert found is not None
    assert (found.right.n, found.right.any, found.right.all) == (3, 2 / 3, 1 / 3)
    assert (found.wrong.n, found.wrong.any, found.wrong.all) == (0, None, None)
    more = [*right, cites("d", 1, 0, "weird", "new"), cites("e", 1, 2, "odd"), cites("f", 1, 2, "odd")]
    found = gate2(more, clause_ids=known).citations
    assert found is not None
    assert list(found.unknown.items()) == [("odd", 3), ("weird", 2), ("new", 1)]
    assert (found.wrong.n, found.wrong.any) == (3, 0.0)
    assert gate2([cites("a", 1, 1), cites("b", 0, 0)], clause_ids=known).citations is None
    tied = gate2([cites("a", 1, 1, "z", "y"), cites("b", 0, 0)], clause_ids=known).citations
    assert tied is not None and list(tied.unknown) == ["y", "z"]


@pytest.mark.parametrize("weighting", ["none", "linear"])
def test_pair_below_the_floor_is_told_though_the_mean_hides_it(weighting: Weighting) -> None:
    bar = Threshold(weighting, 0.8)
    pairs = {
        one.raters: getattr(one, bar.text.split()[0]) for one in score_gate1(ratings(ROWS), SCALE, bar).pairs
    }
    lowest = min(pairs, key=lambda raters: pairs[raters])
    value = pairs[lowest]
    assert sorted(pairs.values())[1] > value + 0.001

    def told(floor: float) -> list[str]:
        score = score_gate1(ratings(ROWS), SCALE, bar, pair_floor=floor)
        return [warning for warning in score.warnings if "alone, under" in warning]

    one, other = lowest
    assert told(value) == []
    assert told(value + 0.0005) == [
        f"{one} and {other} agree on a kappa of {value:.3f} alone, under {value + 0.0005:g}"
    ]


def test_pairs_say_whether_the_mean_takes_them_in() -> None:
    rows = ROWS | {f"x{at}": {"bob": at % 3, "dee": at % 3} for at in range(5)}
    counted = {one.raters: one.counted for one in gate1(rows).pairs}
    assert counted == {
        ("ann", "bob"): True,
        ("ann", "cy"): True,
        ("ann", "dee"): False,
        ("bob", "cy"): True,
        ("bob", "dee"): False,
        ("cy", "dee"): False,
    }


# --- the ceiling --------------------------------------------------------------------------------------------


def rated(answers: int = 1, epsilon: float | None = 0.2, weighting: Weighting = "linear") -> Gate2:
    """60 items in 20 queries with three raters and a grader, each of them wrong now and then."""

    def given(at: int, step: int) -> int:
        return (at + (at % step == 0)) % 3

    rows = {
        f"i{at:02}": {"ann": at % 3, "bob": given(at, 4), **({} if at % 7 == 0 else {"cy": given(at, 5)})}
        for at in range(60)
    }
    made = [
        item(f"i{at:02}", at % 3, *(given(at, 6 + one) for one in range(answers)), query=f"q{at // 3}")
        for at in range(60)
    ]
    gates = Gates.model_validate({"weighting": weighting, "human_ceiling": {"epsilon": epsilon}})
    return gate2(made, rows=rows, gates=gates)


def arrays(step: int = 6) -> tuple[Any, Any, Any]:
    """The same as arrays: the grader's positions, the raters' and the queries."""
    at = np.arange(60)
    ratings_ = np.stack([at % 3, (at + (at % 4 == 0)) % 3, (at + (at % 5 == 0)) % 3], axis=1)
    ratings_[at % 7 == 0, 2] = -1
    return (at + (at % step == 0)) % 3, ratings_, at // 3


def test_ceiling_is_that_of_the_statistics() -> None:
    found = rated().ceiling
    assert found is not None
    want = human_ceiling(*arrays(), SCALE, "linear", least=30)
    assert (found.n, found.raters) == (60, ("ann", "bob", "cy"))
    assert (found.grader, found.rater) == (want.model.value, want.raters.value)
    assert (found.delta.value, found.delta.se, found.delta.reason) == (want.delta.value, want.delta.se, None)
    assert want != human_ceiling(*arrays(), SCALE, least=30)
    assert found.delta.ci is not None
    assert found.as_good == (found.delta.ci[0] > -found.margin)
    for one, other in zip(found.leave_one_out, leave_one_out(*arrays(), SCALE, "linear"), strict=True):
        assert (one.rater, one.n) == (found.raters[other.rater], other.n)
        assert (one.grader, one.rater_kappa) == (other.model.value, other.own.value)
        assert (one.delta, one.p, one.p_holm) == (other.delta.value, other.p, other.p_holm)
        assert (one.reason, one.ci is None) == (other.delta.reason, other.delta.reason is not None)


def test_alternative_test_is_that_of_the_statistics() -> None:
    score = rated()
    assert score.ceiling is not None
    names = ("ann", "bob", "cy")
    found, want = score.ceiling.alt_test, alternative_annotator_test(*arrays(), SCALE, "accuracy", 0.2, names)
    assert found == want
    assert (found.epsilon, found.reason) == (0.2, None)
    assert tuple(one.rater for one in found.annotators) == names


def test_alternative_test_that_was_not_made_says_why() -> None:
    undeclared, several = rated(epsilon=None).ceiling, rated(answers=2).ceiling
    assert undeclared is not None and several is not None
    assert (undeclared.alt_test.epsilon, undeclared.alt_test.reason) == (None, NO_EPSILON)
    assert (several.alt_test.epsilon, several.alt_test.reason) == (0.2, SEVERAL)
    assert (several.alt_test.passed, several.alt_test.annotators, several.leave_one_out) == (None, (), ())


def test_ceiling_of_several_answers_is_the_mean_of_theirs() -> None:
    found = rated(answers=2).ceiling
    assert found is not None
    one, other = (human_ceiling(*arrays(step), SCALE, "linear", least=30) for step in (6, 7))
    assert one.delta.value is not None and other.delta.value is not None
    assert found.delta.value == pytest.approx((one.delta.value + other.delta.value) / 2)
    assert found.grader == pytest.approx(np.mean([float(x.model.exact or 0) for x in (one, other)]))
    assert one.delta.se is not None and other.delta.se is not None
    assert found.delta.se == pytest.approx((one.delta.se + other.delta.se) / 2)
    assert found.delta.ci is not None
    assert sum(found.delta.ci) / 2 == pytest.approx(found.delta.value)


# --- arrays and probabilities ------------------------------------------------------------------------------


def test_grade_off_the_scale_is_named_by_rater_and_place() -> None:
    wide = pd.DataFrame({"ann": [0, 1], "bob": [0, 9]}, index=["x", "y"])
    with pytest.raises(BadInput, match=r"^bob\[1\]: 9 is not on the scale 0-2$"):
        ratings_from(wide, SCALE, None)
    with pytest.raises(BadInput, match=r"^rater 2\[0\]: 7 is not on the scale 0-2$"):
        ratings_from([[0, 7], [1, 1]], SCALE, None)


def test_item_that_a_rater_graded_twice_is_named() -> None:
    long = pd.DataFrame({"item": ["x", "x", "y"], "rater": ["ann", "ann", "ann"], "grade": [0, 1, 1]})
    with pytest.raises(BadInput, match=r"^item 'x' is graded twice by 'ann'$"):
        ratings_from(long, SCALE, None)


def test_grade_that_probabilities_do_not_name_has_none() -> None:
    """Of 0.3 and 0.1 the first is three quarters; nothing is on the grade that is not named."""
    answer_ = ItemAnswer(0, "graded", probabilities={0: 0.3, 2: 0.1})
    found = gate2([GradedItem("a", "a", 0, (answer_,)), item("b", 1, 1)]).confidence
    assert found is not None
    assert found.n == 1
    assert found.lost == pytest.approx(0.6)
    assert [one.confidence for one in found.bins] == [pytest.approx(0.75)]


# --- from the records of a run ----------------------------------------------------------------------------


def test_floor_of_two_grades_has_a_kappa_of_0_and_of_one_grade_none() -> None:
    two = gate2([item("a", 0, 1), item("b", 0, 0), item("c", 1, 1)]).floor
    assert (two.grade, two.accuracy, two.kappa) == (0, 2 / 3, 0.0)
    one = gate2([item("a", 1, 1), item("b", 1, 0)]).floor
    assert (one.grade, one.accuracy, one.kappa) == (1, 1.0, None)


def test_records_of_a_run_are_scored_with_their_causes_and_probabilities(here: Path) -> None:
    write_project(here)
    said = json.dumps({"reasoning": "Because.", "clauses": ["plain"], "grade": 1})

    def script(number: int, body: dict[str, Any]) -> Turn:
        turns = {0: completion("I cannot say."), 1: completion("Nor again."), 2: error(400, "x", "too long")}
        return turns.get(number) or completion(said)

    with fault_server(script) as server:
        ended = ask(server, "--json", "--max-connections", "1")
    found = ended.json
    assert found["outcomes"] == {"graded": len(DEV) - 2, "ungraded": 1, "failed": 1}
    assert found["ungraded_causes"] == {"no_answer": 1}
    wrong = {line["id"] for line in DEV[2:] if line["grade"] != 1}
    assert {miss["item"] for miss in found["misses"]} == wrong
    for miss in found["misses"]:
        assert (miss["reasoning"], miss["clauses"]) == ("Because.", ["plain"])
        assert miss["golden_reasoning"] and miss["golden_clauses"] and miss["query"] and miss["title"]


def test_probabilities_of_a_run_reach_its_scorecard(here: Path) -> None:
    write_project(here)
    found = harness("eval", "--policy", "small", "--model", "builtin/lexical", "--json").json
    assert found["confidence"]["n"] == found["n"]


# --- what decides in a line ---------------------------------------------------------------------------------


@pytest.mark.parametrize(("margin", "as_good"), [(0.9, True), (0.001, False)])
def test_as_good_as_the_raters_is_decided_by_the_margin_below_zero(margin: float, as_good: bool) -> None:
    """The grader is slightly worse than the raters: the interval of the difference holds 0."""
    items = [item(name, row["ann"], row["ann"] if at % 4 else (row["ann"] + 1) % 3) for at, (name, row) in
             enumerate(ROWS.items())]  # fmt: skip
    ceiling = gate2(items, rows=ROWS, gates=Gates(margin=margin)).ceiling
    assert ceiling is not None and ceiling.delta.ci is not None
    assert -0.9 < ceiling.delta.ci.low < -0.001
    assert ceiling.as_good is as_good


def test_ratings_keep_the_query_of_their_own_and_get_that_of_their_item() -> None:
    rows = pd.DataFrame(
        {"item": ["a", "b"], "rater": ["ann", "ann"], "grade": [1, 2], "query": ["own", None]}
    )
    queries: dict[str, str | None] = {"a": "Own!", "b": "hat"}
    rated = Rated(ratings_from(rows, SCALE, items=queries))
    found = of_known(rated, queries, Path("r"), "golden").ratings
    assert [(rating.item, rating.query) for rating in found] == [("a", "own"), ("b", "hat")]


def test_common_items_of_two_raters_are_those_that_both_rated() -> None:
    rows = {"x": {"ann": 0, "bob": 1}, "y": {"ann": 1}, "z": {"bob": 2}}
    assert rating_matrix_of(ratings(rows), SCALE).common(0, 1).tolist() == [0]


def test_bands_that_differ_are_two_different_ones() -> None:
    """Linear and quadratic weights share a band here; that without weights is another."""
    spread = Spread(3)
    kappas: dict[Weighting, Fraction] = {"none": Fraction(1, 2), "linear": Fraction(17, 20)}
    kappas["quadratic"] = Fraction(9, 10)
    two = {how: Measured(Kappa(exact, None), spread, 9) for how, exact in kappas.items()}
    assert len(bands_differ(bands_of(two))) == 1
    assert bands_differ(bands_of(dict.fromkeys(kappas, two["linear"]))) == ()


def test_a_grader_that_is_one_of_the_raters_is_not_rated_by_itself(here: Path) -> None:
    """Of ann, bob and cy, cy is the grader: two raters are left, with the kappa of ann and bob alone."""
    (here / "golden.csv").write_text("item,grade\n" + _column("ann"), "utf-8")
    rows = "".join(f"{name},{who},{row[who]}\n" for name, row in ROWS.items() for who in row)
    (here / "r.csv").write_text("item,rater,grade\n" + rows, "utf-8")
    words = ("gate2", "--golden", "golden.csv", "--grades", "r.csv", "--rater", "cy", "--ratings", "r.csv")
    found = harness(*words, "--scale", "0-2", "--bootstrap", "--json").json
    assert found["ceiling"]["raters"] == ["ann", "bob"]
    assert found["bootstrap"]["draws"] > 0


def _column(rater: str) -> str:
    return "".join(f"{name},{row[rater]}\n" for name, row in ROWS.items())


# --- what some items lack -----------------------------------------------------------------------------------


def test_items_without_a_query_are_counted_where_others_have_one() -> None:
    items = [item(f"i{at}", at % 2, at % 2, query="lamp" if at < 4 else "") for at in range(10)]
    said = "6 of 10 items name no query: each counts as a query of its own"
    found = gate2(items)
    assert said in found.warnings
    shown = " ".join(text_of(parts_view(found)).split())
    assert "by query: 7 queries, each item without one counted as one" in shown


def test_the_floor_is_over_the_answers_that_accuracy_is_over() -> None:
    """Six of the ten are 1, of which the grader read one; of the five that it read four are 0."""
    items = [item(f"i{at}", int(at < 6), None if at < 5 else int(at < 6)) for at in range(10)]
    found = gate2(items)
    assert (found.accuracy, found.floor.grade, found.floor.accuracy) == (1.0, 0, 0.8)


def test_few_items_are_no_ground_to_call_the_grader_as_good_as_the_raters() -> None:
    few = dict(list(ROWS.items())[:29])
    items = [item(name, row["ann"], row["ann"]) for name, row in few.items()]
    ceiling = gate2(items, rows=few, gates=Gates(margin=0.9)).ceiling
    assert ceiling is not None and ceiling.as_good is None


@pytest.mark.parametrize("shared", [1, 29, 30])
def test_raters_who_share_few_items_are_no_mark_for_the_grader(shared: int) -> None:
    """Ann rated 60 items and Cy some of them: their kappa rests on those alone."""
    rows = {
        f"i{at}": {
            "ann": (at + (at % 7 == 0)) % 3,
            **({"cy": (at + (at % 5 == 0)) % 3} if at < shared else {}),
        }
        for at in range(60)
    }
    items = [item(name, at % 3, at % 3) for at, name in enumerate(rows)]
    ceiling = gate2(items, rows=rows, gates=Gates(margin=0.9)).ceiling
    assert ceiling is not None and (ceiling.n, ceiling.shared) == (60, shared)
    assert ceiling.as_good is (True if shared == 30 else None)
    few = (
        f"only {shared} item{'s were' if shared > 1 else ' was'} rated by two raters: too few to compare with"
    )
    assert (ceiling_sentence(ceiling) == few) == (shared < 30)


def test_raters_whose_names_differ_in_capitals_alone_are_asked_about() -> None:
    rows = {f"i{at}": {"zed": at % 3, "Zed": at % 3, "ann": (at + (at % 5 == 0)) % 3} for at in range(40)}
    said = "Zed, zed differ in capitals, spaces or marks alone: is it one person?"
    assert said in gate1(rows).warnings
    assert f"Warning: {said}\n" in text_of(gate1_view(gate1(rows)))
    assert sentence(said) == said
    # The grader may be one of the others, who would then be compared with themselves.
    rated = Rated(ratings({name: {**row, "bob": 0} for name, row in rows.items()}))
    assert said in without_rater(rated, "zed")[1]
    assert said not in without_rater(rated, "bob")[1]
