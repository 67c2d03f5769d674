"""Scorecards of a few items, worked by hand: defaults, reasons, ties, and what is left out."""

from typing import Any

import numpy as np
import pytest
from builders import example
from scoring import SCALE, gate1, gate2, item, ratings

from harness.score.advice import advice
from harness.score.bar import Bar
from harness.score.rating_matrix import numbered, panel_of, renumbered
from harness.scorecards.gate1 import AgreementIn, RaterBias
from harness.stats.raters import coefficients, krippendorff_alpha

ROWS = {f"i{at:02}": {"ann": at % 3, "bob": (at + (at % 5 == 0)) % 3, "cy": (at * 2) % 3} for at in range(40)}


# --- the bar -----------------------------------------------------------------------------------------------


def test_bar_tells_every_other_bar_that_somebody_might_have_expected() -> None:
    bar = Bar("none", 0.8)
    assert bar.moved_from().moved is None
    assert bar.moved_from(None, "").moved is None
    assert bar.moved_from("kappa 0.7", None, "kappa 0.9") == Bar("none", 0.8, "kappa 0.7; kappa 0.9")
    assert bar.moved_from("kappa 0.7").moved_from(None, "kappa 0.9").moved == "kappa 0.7; kappa 0.9"
    assert Bar("quadratic", 0.85).text == "kappa_quadratic 0.85"


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
        ({"ann": "human"}, "raters.toml does not say what bob, cy is"),
        ({"ann": "llm"}, "ann rated as language models: this says nothing yet about people"),
    ],
)
def test_raters_who_are_not_known_to_be_people_make_it_provisional(
    kinds: dict[str, str] | None, words: str | None
) -> None:
    assert gate1(ROWS, kinds=kinds).provisional == words


def test_coefficients_beside_kappa_are_those_of_the_grades() -> None:
    score, panel = gate1(ROWS), panel_of(ratings(ROWS), SCALE)
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
        (bias("ann", 0.25, 0.0123), "Talk to ann, who grades 0.25 higher than the others (p = 0.012)"),
        (
            bias("ann", -0.25, 0.001, worst_boundary=2),
            "Talk to ann, who grades 0.25 lower than the others (p = 0.001), most of all at >= 2",
        ),
        (bias("ann", 0.005, 0.01), "Talk to ann, who grades 0.01 higher than the others (p = 0.01)"),
        (bias("ann", 0.0049, 0.01), "Talk to ann, who grades slightly higher than the others (p = 0.01)"),
        (bias("ann", 0.25, 0.0499), "Talk to ann, who grades 0.25 higher than the others (p = 0.05)"),
        (bias("ann", 0.25, 0.05), None),
        (bias("ann", 0.25, None), None),
        (bias("ann", None, 0.01), None),
    ],
)
def test_rater_whose_lean_is_significant_is_worth_a_talk(one: RaterBias, words: str | None) -> None:
    others = bias("bob", 0.0, 0.9), bias("cy", 0.0, 0.9)
    assert advised(one, *others) == ((words,) if words else ())


def test_of_two_raters_the_higher_one_is_told() -> None:
    assert advised(bias("ann", -0.25, 0.01), bias("bob", 0.25, 0.01)) == (
        "Talk to bob, who grades 0.25 higher than the others (p = 0.01)",
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
    assert first == "Sharpen the line between 1 (fair) and 2: 1 of 1 disagreements (100%) stand there"


# --- the panel ---------------------------------------------------------------------------------------------


def test_names_are_numbered_by_the_alphabet_and_gaps_are_closed() -> None:
    assert numbered(["b", "a", "c", "a"]).tolist() == [1, 0, 2, 0]
    assert renumbered(np.array([7, 3, 7, 9])).tolist() == [1, 0, 1, 2]


def test_pairs_that_share_nothing_count_only_where_no_pair_shares_anything() -> None:
    apart = {"i1": {"ann": 0}, "i2": {"bob": 1}, "i3": {"cy": 2}}
    assert panel_of(ratings(apart), SCALE).counted() == [(0, 1), (0, 2), (1, 2)]
    some = {**apart, "i4": {"ann": 1, "bob": 1}}
    assert panel_of(ratings(some), SCALE).counted() == [(0, 1)]


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
    assert score.warnings[-3:-1] == (
        "no golden item here has grade 2",
        "the grader never gives grade 2",
    )


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
