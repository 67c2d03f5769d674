"""Gate 1 judged on ratings alone: whose ratings count, and what is said beside them."""

from typing import Any

import pytest
from builders import examples

from harness.golden.rating.ratings import Rated
from harness.nouns.pair import Example, Rating, Unrated
from harness.nouns.policy import Gates
from harness.score.threshold import Threshold
from harness.verdicts.raters import judge_raters, people_alone

SCALE = (0, 1, 2)


def rated(*raters: str, kinds: dict[str, str] | None = None, **more: Any) -> Rated:
    """40 items; each rater differs from the first in one item of `7 + its place`."""
    lines = [
        Rating(
            item=f"i{at}", rater=rater, grade=(at + (place > 0 and at % (7 + place) == 0)) % 3, query=f"q{at}"
        )
        for at in range(40)
        for place, rater in enumerate(raters)
    ]
    return Rated(lines, kinds, **more)


def test_of_two_people_or_more_the_language_models_are_left_out() -> None:
    kinds = {"ann": "human", "bob": "human", "m2": "llm", "m1": "llm"}
    unrated = [Unrated(item="i0", rater=rater, cannot="policy_silent") for rater in ("m1", "ann")]
    given = rated("ann", "bob", "m1", "m2", kinds=kinds, unrated=unrated, warnings=("first",))
    found = people_alone(given)
    assert found.raters == {"ann", "bob"} and [one.rater for one in found.unrated] == ["ann"]
    left = "80 ratings by language models (m1, m2) left out: Gate 1 is read from people alone"
    assert found.warnings == ("first", left)
    assert (len(given.ratings), len(given.unrated)) == (160, 2), "the ratings that were given stay"
    assert judge_raters(given, SCALE, Gates()).raters == ("ann", "bob")


@pytest.mark.parametrize(
    "kinds",
    [
        None,
        {"ann": "human", "bob": "human"},
        {"ann": "human", "bob": "llm"},
        {"ann": "llm", "bob": "llm"},
    ],
    ids=["unknown", "people", "one person", "models"],
)
def test_without_two_people_and_a_model_nothing_is_left_out(kinds: dict[str, str] | None) -> None:
    given = rated("ann", "bob", kinds=kinds)
    assert people_alone(given) is given


@pytest.mark.parametrize("kind", [{}, {"bob": "other"}, {"bob": "human"}])
def test_who_is_not_said_to_be_a_person_does_not_count_as_one(kind: dict[str, str]) -> None:
    given = rated("ann", "bob", "m", kinds={"ann": "human", "m": "llm", **kind})
    left_out = people_alone(given).raters == {"ann", "bob"}
    assert left_out == (kind == {"bob": "human"}) != (people_alone(given) is given)


def test_the_gates_say_the_threshold_unless_another_is_asked_for() -> None:
    gates = Gates.model_validate({"weighting": "linear", "gate1": {"bar": 0.5}})
    found = judge_raters(rated("ann", "bob"), SCALE, gates)
    assert (found.weighting, found.bar) == ("linear", 0.5)
    found = judge_raters(rated("ann", "bob"), SCALE, gates, Threshold("quadratic", 0.9))
    assert (found.weighting, found.bar) == ("quadratic", 0.9)


def test_a_pair_below_the_floor_of_the_gates_is_named() -> None:
    given = rated("ann", "bob")
    for floor, named in ((0.999, True), (0.1, False)):
        found = judge_raters(given, SCALE, Gates.model_validate({"gate1": {"pair_floor": floor}}))
        assert any("ann" in one and "bob" in one for one in found.warnings) == named


def test_bootstrap_is_drawn_where_it_is_asked_for() -> None:
    given = rated("ann", "bob")
    assert judge_raters(given, SCALE, Gates()).bootstrap is None
    assert judge_raters(given, SCALE, Gates(), bootstrap=True).bootstrap is not None


def test_what_could_not_be_rated_is_counted() -> None:
    given = rated("ann", "bob", unrated=[Unrated(item="i99", rater="ann", cannot="policy_silent")])
    assert judge_raters(given, SCALE, Gates()).cannot == {"policy_silent": 1}


def test_agreement_is_told_by_what_the_examples_say() -> None:
    line = Example.model_validate({**examples()[0], "tags": ["warm"]})
    about = {f"i{at}": line for at in range(20)}
    found = judge_raters(rated("ann", "bob", about=about), SCALE, Gates())
    assert [one.name for one in found.per_tag] == ["warm"]


def test_warnings_of_the_ratings_come_first_then_items_that_are_not_graded() -> None:
    given = rated("ann", "bob", warnings=("first",), strangers=frozenset({"z", "y"}))
    warnings = judge_raters(given, SCALE, Gates()).warnings
    assert warnings[:2] == ("first", "left out: 2 rated items that the golden set lacks (y, z)")
    assert not any("lacks" in one for one in judge_raters(rated("ann", "bob"), SCALE, Gates()).warnings)


def test_ratings_of_a_round_that_is_open_are_provisional_and_say_who_is_left_out() -> None:
    found = judge_raters(rated("ann", "bob", early="the round is open", compared="cy"), SCALE, Gates())
    assert (found.provisional, found.compared) == ("the round is open", "cy")
    assert judge_raters(rated("ann", "bob"), SCALE, Gates()).provisional is None
    models = {"ann": "llm", "bob": "llm"}
    found = judge_raters(rated("ann", "bob", kinds=models, early="the round is open"), SCALE, Gates())
    assert (found.provisional or "").endswith("; the round is open")


def test_ratings_that_are_not_all_in_leave_the_verdict_open() -> None:
    low = Gates.model_validate({"gate1": {"bar": 0.3}})
    assert judge_raters(rated("ann", "bob"), SCALE, low).verdict == "pass"
    found = judge_raters(rated("ann", "bob", unfinished="bob is not done"), SCALE, low)
    assert (found.verdict, found.reason) == ("inconclusive", "bob is not done")


def test_advice_names_grades_and_tells_models_from_people() -> None:
    names = {0: "bad", 1: "fair", 2: "good"}
    lines = [
        Rating(item=f"i{at}", rater=rater, grade=min(2, at % 3 + (rater == "m2" and at % 2)))
        for at in range(60)
        for rater in ("ann", "m1", "m2")
    ]
    kinds = {"ann": "human", "m1": "llm", "m2": "llm"}
    found = judge_raters(Rated(lines, kinds), SCALE, Gates(), names=names)
    assert any("Look at the prompt of m2" in one for one in found.advice)
    assert any("(bad)" in one or "(fair)" in one for one in found.advice)
    people = judge_raters(Rated(lines, dict.fromkeys(kinds, "human")), SCALE, Gates(), names=names)
    assert not any("Look at the prompt" in one for one in people.advice)
