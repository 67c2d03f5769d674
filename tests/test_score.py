"""What stands beside Gate 2: misses, citations and the human ceiling."""

from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import harness
from scoring import ACTIONS, SCALE, answer, gate2, item, sklearn_kappa

from harness.score.items import GradedItem
from harness.scorecards.gate2 import Diagnosis

# --- misses ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("ratings", "diagnosis"),
    [
        ({"ann": 2, "bob": 2}, "teacher"), ({"ann": 2, "bob": 2, "cy": 2}, "teacher"),
        ({"ann": 2, "bob": 0}, "policy"), ({"ann": 2, "bob": 2, "cy": 0}, "policy"),
        ({"ann": 0, "bob": 0}, "golden"), ({"ann": 1, "bob": 1, "cy": 1}, "golden"),
        ({"ann": 2}, "unrated"), ({"ann": 0}, "unrated"),
    ],
)  # fmt: skip
def test_miss_is_the_problem_of_whom_the_ratings_say(ratings: dict[str, int], diagnosis: Diagnosis) -> None:
    """Golden 2 and graded 0; both raters may also agree on 1, which neither of them has."""
    score = gate2([item("a", 2, 0), item("b", 1, 1)], rows={"a": ratings, "b": {"ann": 1, "bob": 1}})
    (miss,) = score.misses
    assert (miss.item, miss.golden, miss.grade, miss.diagnosis) == ("a", 2, 0, diagnosis)
    assert miss.ratings == ratings
    assert score.diagnosis == {**dict.fromkeys(("policy", "teacher", "golden", "unrated"), 0), diagnosis: 1}


def test_miss_without_any_rating_is_unrated() -> None:
    score = gate2([item("a", 2, 0)], rows={"elsewhere": {"ann": 0, "bob": 1}})
    assert score.diagnosis["unrated"] == 1 and score.misses[0].ratings == {}
    assert gate2([item("a", 2, 0)]).diagnosis["unrated"] == 1


def test_worst_miss_comes_first() -> None:
    """What is seen otherwise comes before the distance, and that before the name."""
    items = [
        item("far", 0, 1), item("b", 2, 1), item("a", 1, 2), item("right", 1, 1), item("unread", 2, None),
        item("worst", 0, 2),
    ]  # fmt: skip
    seen = gate2(items, action_of=ACTIONS).misses
    assert [one.item for one in seen] == ["worst", "a", "b", "far"]
    assert [(one.golden_action, one.action) for one in seen[:2]] == [("hide", "show")] * 2
    assert [one.item for one in gate2(items).misses] == ["worst", "a", "b", "far"]
    wide = gate2([item("near", 2, 1), item("wide", 0, 9)], (0, 1, 2, 9), action_of={**ACTIONS, 9: "hide"})
    assert [one.item for one in wide.misses] == ["near", "wide"]


def test_miss_of_several_answers_is_their_vote_with_all_of_them_beside_it() -> None:
    score = gate2(
        [item("a", 2, 2, 0, 0), item("b", 1, 1, 1, 0), item("c", 2, None, 2, 1), item("d", 0, 0, 0, 0)]
    )
    assert [(one.item, one.grade, one.draws) for one in score.misses] == [
        ("a", 0, (2, 0, 0)),
        ("c", 1, (None, 2, 1)),
    ]
    assert gate2([item("a", 2, 0)]).misses[0].draws == ()


def test_citations_are_counted_apart_for_right_and_wrong_grades() -> None:
    def cites(name: str, grade: int | None, *clauses: str, golden: tuple[str, ...]) -> GradedItem:
        about = item(name, 1, grade, clauses=golden)
        return GradedItem(about.item, about.cluster, 1, (answer(grade, clauses=clauses),), about.about)

    items = [
        cites("both", 1, "a", "b", golden=("a", "b")),
        cites("one", 1, "a", golden=("a", "b")),
        cites("other", 1, "x", "c", golden=("a",)),
        cites("wrong", 0, "a", "x", "y", golden=("a",)),
        cites("unread", None, golden=("a",)),
        cites("nothing to cite", 1, "a", golden=()),
    ]
    found = gate2(items, clause_ids=frozenset("abc")).citations
    assert found is not None
    assert found.right.model_dump() == {"n": 3, "any": pytest.approx(2 / 3), "all": pytest.approx(1 / 3)}
    assert found.wrong.model_dump() == {"n": 1, "any": 1.0, "all": 1.0}
    assert list(found.unknown.items()) == [("x", 2), ("y", 1)]
    assert gate2([cites("silent", 1, golden=("a",))]).citations is None


# --- the ceiling -------------------------------------------------------------------------------------------


def crowd(items: int = 60) -> tuple[dict[str, dict[str, int]], dict[str, int]]:
    """Three raters and a golden grade for each item; cy is the worst of them."""
    rng = np.random.default_rng(5)
    wrong = {"ann": 0.1, "bob": 0.15, "cy": 0.4}
    rows, golden = {}, {}
    for at in range(items):
        truth = golden[f"i{at:02}"] = at % 3
        rows[f"i{at:02}"] = {
            name: int(rng.integers(0, 3)) if rng.random() < share else truth for name, share in wrong.items()
        }
    return rows, golden


def test_raters_of_nothing_that_was_graded_are_dropped_from_the_ceiling() -> None:
    rows, golden = crowd()
    some = {name: row if at < 40 else {"dee": 1} for at, (name, row) in enumerate(rows.items())}
    items = [item(name, golden[name], golden[name] if at < 40 else None) for at, name in enumerate(rows)]
    found = gate2(items, rows=some).ceiling
    assert found is not None and (found.n, found.raters) == (40, ("ann", "bob", "cy"))
    assert [one.rater for one in found.leave_one_out] == ["ann", "bob", "cy"]
    assert gate2([item(name, 0, None) for name in rows], rows=rows).ceiling is None


def test_ceiling_is_grader_and_rater_minus_rater_and_rater() -> None:
    rows, golden = crowd()
    given = {name: (grade + (at % 7 == 0)) % 3 for at, (name, grade) in enumerate(golden.items())}
    found = gate2([item(name, golden[name], given[name]) for name in rows], rows=rows).ceiling
    columns = {rater: [row[rater] for row in rows.values()] for rater in ("ann", "bob", "cy")}
    mine = np.mean([sklearn_kappa(list(given.values()), column, SCALE) for column in columns.values()])
    theirs = np.mean([sklearn_kappa(a, b, SCALE) for a, b in combinations(columns.values(), 2)])
    assert found is not None
    assert (found.grader, found.rater) == pytest.approx((float(mine), float(theirs)))
    assert found.delta.value == pytest.approx(mine - theirs)
    assert found.delta.ci is not None and found.as_good == (found.delta.ci[0] > -found.margin)


def test_items_in_another_order_have_their_own_ratings() -> None:
    rows, golden = crowd()
    items = [item(name, golden[name], (golden[name] + (at % 5 == 0)) % 3) for at, name in enumerate(rows)]
    there, back = gate2(items, rows=rows), gate2(items[::-1], rows=rows)
    assert there.misses == back.misses
    assert there.ceiling and back.ceiling and there.ceiling.grader == back.ceiling.grader


@pytest.mark.parametrize("named", [True, False])
def test_rater_who_is_the_grader_is_not_held_against_itself(here: Path, named: bool) -> None:
    rows, golden = crowd()
    told = [(name, rater, grade) for name, row in rows.items() for rater, grade in row.items()]
    write(here / "golden.csv", "item,grade", list(golden.items()))
    write(here / "ratings.csv", "item,rater,grade", told)
    write(here / "cy.csv", "item,rater,grade", [line for line in told if line[1] == "cy"])
    grades = ("--grades", "ratings.csv", "--rater", "cy") if named else ("--grades", "cy.csv")
    words = ("--golden", "golden.csv", *grades, "--ratings", "ratings.csv", "--scale", "0-2", "--json")
    score = harness("gate2", *words).json
    assert score["ceiling"]["raters"] == ["ann", "bob"]
    assert score["ceiling"]["delta"]["value"] < 0
    assert score["misses"] and all(set(one["ratings"]) == {"ann", "bob"} for one in score["misses"])
    given = [row["cy"] for row in rows.values()]
    assert score["kappa"]["value"] == pytest.approx(sklearn_kappa(list(golden.values()), given, SCALE))


def write(path: Path, head: str, rows: list[tuple[Any, ...]]) -> None:
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n", "utf-8")


def test_ratings_beside_have_the_queries_of_the_golden_file(here: Path) -> None:
    """Ratings without a query column are of the queries that the golden file names: Gate 1 is no surer."""
    golden = {f"i{at:03}": at % 3 for at in range(300)}
    told = [(name, "ann", grade) for name, grade in golden.items()]
    told += [(name, "bob", 0 if name.endswith("50") else grade) for name, grade in golden.items()]
    write(here / "golden.csv", "item,query,grade", [(name, "lamp", grade) for name, grade in golden.items()])
    write(here / "ratings.csv", "item,rater,grade", told)
    write(here / "g.csv", "item,grade", list(golden.items()))
    (here / "raters.toml").write_text('[ann]\nkind = "human"\n[bob]\nkind = "human"\n', "utf-8")
    words = ("--golden", "golden.csv", "--grades", "g.csv", "--ratings", "ratings.csv", "--scale", "0-2")
    score = harness("gate2", *words, "--json").json
    assert (score["gate1"], score["provisional"]) == ("inconclusive", "Gate 1 has not passed (inconclusive)")
    # What was measured goes before what the raters are.
    (here / "raters.toml").write_text('[ann]\nkind = "llm"\n[bob]\nkind = "human"\n', "utf-8")
    said = harness("gate2", *words, "--json").json["provisional"]
    assert said.startswith("Gate 1 has not passed (inconclusive); in Gate 1, ann")
