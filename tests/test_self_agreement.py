"""Intra-rater agreement: later grades of a rater beside the first ones of the same items."""

import json
from pathlib import Path

import numpy as np
import pytest
from builders import harness, write_project
from hypothesis import given
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score

from harness.nouns.pair import Rating
from harness.score.gate1 import score_gate1
from harness.score.rating_matrix import readings as in_order
from harness.score.self_agreement import self_agreement
from harness.score.threshold import Threshold

SCALE = (0, 1, 2)
BAR = Threshold("none", 0.8)


def rating(item: int, grade: int, repeat: int = 0, rater: str = "ann") -> Rating:
    return Rating(item=f"i{item}", rater=rater, grade=grade, repeat=repeat, query=f"q{item // 3}")


grades = st.integers(0, 2)


@given(st.lists(st.tuples(grades, grades, grades), min_size=8, max_size=30))
def test_kappa_is_that_of_later_grades_with_the_first(readings: list[tuple[int, int, int]]) -> None:
    ratings = [
        rating(item, grade, at) for item, three in enumerate(readings) for at, grade in enumerate(three)
    ]
    (found,) = self_agreement(in_order(ratings[::-1])[1], SCALE, "none")
    first = [three[0] for three in readings for _ in (1, 2)]
    later = [grade for three in readings for grade in three[1:]]
    assert (found.n, found.items) == (2 * len(readings), len(readings))
    assert found.agreement == pytest.approx(np.mean([a == b for a, b in zip(first, later, strict=True)]))
    if found.kappa is None:
        assert found.reason
        assert found.ci is None
    else:
        assert found.kappa == pytest.approx(cohen_kappa_score(first, later, labels=SCALE), abs=1e-12)
        assert found.ci is not None or found.reason is not None


def test_an_item_that_comes_twice_widens_the_interval() -> None:
    """Three readings of ten items tell less than one more reading of twenty."""
    three = [rating(item, (item + (item % 5 == at)) % 3, at) for item in range(10) for at in range(3)]
    (found,) = self_agreement(in_order(three)[1], SCALE, "none")
    apart = [
        Rating(item=f"{at}{item}", rater="ann", grade=grade, repeat=place, query=f"{at}{item}")
        for item in range(10)
        for at in (1, 2)
        for place, grade in enumerate((item % 3, (item + (item % 5 == at)) % 3))
    ]
    (more,) = self_agreement(in_order(apart)[1], SCALE, "none")
    assert found.kappa != 1
    assert found.ci is not None
    assert more.ci is not None
    assert found.ci.high - found.ci.low > more.ci.high - more.ci.low


def test_gate_1_compares_raters_by_their_first_grades() -> None:
    once = [
        rating(item, (item * (1 + (rater == "bob" and item % 4 == 0))) % 3, rater=rater)
        for item in range(40)
        for rater in ("ann", "bob", "cid")
    ]
    again = [rating(item, (item + 1) % 3, 1, "bob") for item in range(10)]
    before, after = score_gate1(once, SCALE, BAR), score_gate1([*again, *once], SCALE, BAR)
    assert before.self_agreement == ()
    assert [one.rater for one in after.self_agreement] == ["bob"]
    assert after.model_copy(update={"self_agreement": ()}) == before
    # The lowest number is the first grade, whatever it is.
    moved = [one.model_copy(update={"repeat": one.repeat + 1}) for one in [*again, *once]]
    assert score_gate1(moved, SCALE, BAR) == after


HEAD = "item,query,rater,grade,repeat\n"


def table(here: Path, rows: list[str], head: str = HEAD) -> str:
    (here / "ratings.csv").write_text(head + "\n".join(rows) + "\n", encoding="utf-8")
    return "ratings.csv"


def rows(again: str = "1") -> list[str]:
    once = [f"i{at},q{at % 9},{rater},{at % 3},0" for at in range(36) for rater in ("ann", "bob")]
    return [*once, *(f"i{at},q{at % 9},ann,{(at + (at < 3)) % 3},{again}" for at in range(12))]


def test_a_table_says_which_grade_is_a_repeat(here: Path) -> None:
    told = harness("gate1", table(here, rows()), "--scale", "0-2")
    assert "rater with their own first grade" in told.out
    assert "ann" in told.out.split("their own first grade")[1].splitlines()[1]
    found = harness("gate1", table(here, rows()), "--scale", "0-2", "--json").json
    (own,) = found["self_agreement"]
    assert (own["rater"], own["n"], own["items"], own["agreement"]) == ("ann", 12, 12, 0.75)
    assert found["n_items"] == 36
    assert found["kappa"]["value"] == 1
    without = harness("gate1", table(here, rows()[:72]), "--scale", "0-2")
    assert "own first grade" not in without.out


@pytest.mark.parametrize("again", ["", "0"])
def test_two_grades_without_a_repeat_are_refused(here: Path, again: str) -> None:
    ended = harness("gate1", table(here, rows(again)), "--scale", "0-2")
    assert ended.code == 2
    assert "graded twice" in ended.err


@pytest.mark.parametrize("again", ["yes", "-1", "1.5"])
def test_a_repeat_that_does_not_count_is_named_with_its_line(here: Path, again: str) -> None:
    ended = harness("gate1", table(here, rows(again)), "--scale", "0-2")
    assert ended.code == 2
    assert f"line 74: repeat: {again!r}" in ended.err


def test_a_column_of_this_name_beside_a_single_grader_has_another_meaning(here: Path) -> None:
    golden = [f"i{at},q{at},{at % 3},never" for at in range(9)]
    name = table(here, golden, "item,query,grade,repeat\n")
    ended = harness("gate2", "--golden", name, "--grades", name, "--scale", "0-2", "--json")
    assert ended.json["kappa"]["value"] == 1


def test_imported_repeats_are_kept_and_shown_in_the_report(here: Path) -> None:
    write_project(here)
    ids = [json.loads(line)["id"] for line in (here / "golden/small/examples.jsonl").read_text().splitlines()]
    given = [f"{id},{rater},{at % 2 + 1},0" for at, id in enumerate(ids) for rater in ("ann", "bob")]
    given += [f"{id},bob,{at % 2 + 1},1" for at, id in enumerate(ids[:4])]
    name = table(here, given, "item,rater,grade,repeat\n")
    for _ in range(2):  # the second import adds nothing
        assert harness("ratings", "import", name, "--policy", "small", "--kind", "human").code == 0
    kept = (here / "golden/small/ratings.jsonl").read_text(encoding="utf-8").splitlines()
    assert len(kept) == len(given)
    assert sum(json.loads(line).get("repeat", 0) for line in kept) == 4
    assert harness("gate1", "--policy", "small", "--json").json["self_agreement"][0]["n"] == 4
    assert harness("eval", "--policy", "small", "--model", "builtin/majority").code == 0
    (page,) = (here / "runs").glob("[!.]*/report.html")
    assert "Each rater with their own first grades" in page.read_text(encoding="utf-8")
