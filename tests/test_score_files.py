"""Both gates on files as a user has them: with gaps, strangers and a single query, and on real ratings."""

import csv
import json
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from builders import Ended, harness, write_project
from scoring import fisher_z, numeric_error, sklearn_kappa

from harness.nouns.base import Weighting
from harness.score.threshold import WEIGHTINGS


def write(path: Path, head: str, rows: Sequence[tuple[Any, ...]]) -> str:
    path.write_text("\n".join([head, *(",".join(map(str, row)) for row in rows)]) + "\n", "utf-8")
    return path.name


def gate2(golden: str, grades: str, *words: str, scale: str = "0-2") -> Ended:
    return harness("gate2", "--golden", golden, "--grades", grades, "--scale", scale, *words, "--json")


def test_one_query_alone_is_inconclusive_in_both_gates(here: Path) -> None:
    golden = write(
        here / "golden.csv",
        "item,query,grade",
        [(at, "Lamp" if at % 2 else "lamp!", at % 3) for at in range(90)],
    )
    grades = write(here / "g.csv", "item,grade", [(at, (at + (at % 9 == 0)) % 3) for at in range(90)])
    ended = gate2(golden, grades)
    assert (ended.code, ended.json["n_clusters"], ended.json["kappa"]["ci"]) == (3, 1, None)
    assert ended.json["kappa"]["value"] == pytest.approx(1 - 10 / 60)
    assert "all items are of one query" in ended.json["reason"]
    rows = [
        (at, "lamp", rater, (at + (rater == "bob" and at % 9 == 0)) % 3)
        for at in range(90)
        for rater in ("ann", "bob")
    ]
    rated = write(here / "r.csv", "item,query,rater,grade", rows)
    measured = harness("gate1", rated, "--scale", "0-2", "--json")
    assert (measured.code, measured.json["kappa"]["ci"]) == (3, None)
    assert [one["p"] for one in measured.json["rater_bias"]] == [None, None]
    for words in (("gate1", rated), ("gate2", "--golden", golden, "--grades", grades)):
        assert "all items are of one query" in " ".join(harness(*words, "--scale", "0-2").out.split())


def test_answers_that_are_all_unreadable_are_no_score(here: Path) -> None:
    golden = write(here / "golden.csv", "item,query,grade", [(at, at // 2, at % 3) for at in range(12)])
    grades = write(here / "g.csv", "item,grade", [(at, "") for at in range(9)])
    score = gate2(golden, grades).json
    assert (score["coverage"], score["kappa"]["value"], score["accuracy"]) == (0, None, None)
    assert score["outcomes"] == {"graded": 0, "ungraded": 9, "failed": 3}
    assert score["ungraded_causes"] == {"no_answer": 9}
    assert "under the floor" in score["reason"] and score["kappa_worst_case"] is not None
    assert harness("gate2", "--golden", golden, "--grades", grades, "--scale", "0-2").code == 3


@pytest.mark.parametrize(
    ("more", "told"),
    [
        (1, "1 item of g.csv has no golden grade in golden.csv, or is a shot there ("),
        (2, "2 items of g.csv have no golden grade in golden.csv, or are shots there ("),
    ],
)
def test_grades_of_items_that_are_not_golden_are_told(here: Path, more: int, told: str) -> None:
    golden = write(here / "golden.csv", "item,grade", [(at, at % 3) for at in range(30)])
    grades = write(here / "g.csv", "item,grade", [(at, at % 3) for at in range(30 + more)])
    warnings = gate2(golden, grades).json["warnings"]
    assert [one[: len(told)] for one in warnings if "golden.csv" in one] == [told]


def test_golden_file_without_queries_says_that_independence_is_assumed(here: Path) -> None:
    items = [(at, at % 3) for at in range(30)]
    plain = write(here / "golden.csv", "item,grade", items)
    named = write(here / "named.csv", "item,query,grade", [(at, f"q{at // 3}", grade) for at, grade in items])
    grades = write(here / "g.csv", "item,grade", [(at, (grade + (at < 6)) % 3) for at, grade in items])
    one, other = gate2(plain, grades).json, gate2(named, grades).json
    assert (one["n_clusters"], other["n_clusters"]) == (30, 10)
    assert one["kappa"]["design_effect"] == pytest.approx(30 / 29)
    assert other["kappa"]["design_effect"] > 1.5
    assert sum("treat items as independent" in text for text in one["warnings"]) == 1
    assert sum("treat items as independent" in text for text in other["warnings"]) == 0


def test_ratings_of_other_items_explain_nothing_here(here: Path) -> None:
    golden = write(here / "golden.csv", "item,grade", [(at, at % 3) for at in range(9)])
    grades = write(here / "g.csv", "item,grade", [(at, (at + (at == 4)) % 3) for at in range(9)] + [("x", 1)])
    rows = [(f"other{at}", rater, at % 3) for at in range(40) for rater in ("ann", "bob")]
    ended = gate2(golden, grades, "--ratings", write(here / "r.csv", "item,rater,grade", rows))
    assert (ended.code, "r.csv: none of its items is in the golden set" in ended.err) == (2, True)
    score = gate2(golden, grades).json
    assert (score["ceiling"], score["gate1"], score["n"]) == (None, None, 9)
    assert (
        "1 item of g.csv has no golden grade in golden.csv, or is a shot there ('x' here)"
        in score["warnings"]
    )


def test_distances_on_a_scale_with_gaps_are_those_of_the_values(here: Path) -> None:
    golden = write(here / "golden.csv", "item,grade", list(zip("abcde", (0, 1, 3, 3, 1), strict=True)))
    grades = write(here / "g.csv", "item,grade", [*zip("abcd", (0, 3, 1, 3), strict=True), ("e", "")])
    score = gate2(golden, grades, scale="0,1,3").json
    # d r c over the margins (1, 1, 2) and (1, 1, 2): 10, 22 and 54; d over the four items: 2, 4 and 8.
    want = {
        name: float(1 - 4 * Fraction(o, e))
        for name, o, e in (("kappa", 2, 10), ("kappa_linear", 4, 22), ("kappa_quadratic", 8, 54))
    }
    assert {name: score[name]["value"] for name in want} == want
    assert (score["mae"], score["bias"], score["confusion"]["labels"]) == (1.0, 0.0, [0, 1, 3])
    assert [one["at_least"] for one in score["boundaries"]] == [1, 3]
    # The answer about e counts as 3: (0, 1, 3, 3, 1) against (0, 3, 1, 3, 3).
    worst = sklearn_kappa([0, 1, 3, 3, 1], [0, 3, 1, 3, 3], (0, 1, 3))
    assert score["kappa_worst_case"] == pytest.approx(worst)
    stray = write(here / "stray.csv", "item,grade", [("a", 2)])
    ended = harness("gate2", "--golden", golden, "--grades", stray, "--scale", "0,1,3", "--json")
    assert (ended.code, "2 is not on the scale 0,1,3" in ended.err) == (2, True)


def test_gaps_are_kept_by_gate1_too(here: Path) -> None:
    rated = write(here / "r.csv", "item,ann,bob", list(zip("abcd", (0, 1, 3, 3), (0, 3, 1, 3), strict=True)))
    score = harness("gate1", rated, "--wide", "ann,bob", "--scale", "0,1,3", "--json").json
    assert score["kappa_linear"]["value"] == float(Fraction(3, 11))
    assert (score["confused"][0]["grades"], score["confused"][0]["disagreements"]) == ([1, 3], 2)
    assert [(one["at_least"], one["disagreements"]) for one in score["boundaries"]] == [(1, 0), (3, 2)]
    assert [one["worst_boundary"] for one in score["rater_bias"]] == [3, 3]


def test_golden_file_tells_tags_clauses_and_reasons_as_a_run_does(here: Path) -> None:
    lines = [
        {"item": f"i{at}", "query": f"q{at // 2}", "title": f"thing {at}", "grade": at % 3,
         "reasoning": f"because {at}", "clauses": ["plain"], "tags": ["even" if at % 2 == 0 else "odd"]}
        for at in range(12)
    ]  # fmt: skip
    (here / "golden.jsonl").write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    rows = [(f"i{at}", 2 if at == 0 else at % 3, f"I see {at}", "plain odd") for at in range(12)]
    grades = write(here / "g.csv", "item,grade,reasoning,clauses", rows)
    score = gate2("golden.jsonl", grades).json
    assert [(one["name"], one["n"], one["accuracy"]) for one in score["per_tag"]] == [
        ("even", 6, 5 / 6),
        ("odd", 6, 1.0),
    ]
    assert [(one["name"], one["n"]) for one in score["per_clause"]] == [("plain", 12)]
    (miss,) = score["misses"]
    assert (miss["query"], miss["title"], miss["golden_reasoning"]) == ("q0", "thing 0", "because 0")
    assert (miss["reasoning"], miss["golden_clauses"], miss["clauses"]) == (
        "I see 0",
        ["plain"],
        ["plain", "odd"],
    )
    assert score["citations"]["right"] == {"n": 11, "any": 1.0, "all": 1.0}
    assert score["citations"]["unknown"] == {}, "without a policy nobody knows which clauses there are"
    shown = harness("gate2", "--golden", "golden.jsonl", "--grades", grades, "--scale", "0-2").out
    assert "golden 0 [plain]: because 0" in shown and "grader 2 [plain, odd]: I see 0" in shown
    none = harness("gate2", "--golden", "golden.jsonl", "--grades", grades, "--scale", "0-2", "--misses", "0")
    assert "because 0" not in none.out


def test_items_with_a_title_and_no_query_are_still_independent(here: Path) -> None:
    golden = write(here / "golden.csv", "item,title,grade", [(at, f"t{at}", at % 3) for at in range(9)])
    assert any("treat items as independent" in one for one in gate2(golden, golden).json["warnings"])


RATED = [(f"i{at}", at % 3, (at + (at % 7 == 0)) % 3, (at + (at % 8 == 0)) % 3) for at in range(60)]


@pytest.mark.parametrize(
    ("head", "rows", "words"),
    [
        ("item,ann,bob,cy", RATED, ("--ratings-wide", "bob,cy")),
        ("doc,bob,cy", [(i, b, c) for i, _, b, c in RATED],
         ("--ratings-wide", "bob,cy", "--ratings-columns", "item=doc")),
        ("doc,who,label", [(i, *one) for i, _, b, c in RATED for one in (("bob", b), ("cy", c))],
         ("--ratings-columns", "item=doc,rater=who,grade=label")),
    ],
)  # fmt: skip
def test_ratings_beside_may_have_any_layout(
    here: Path, head: str, rows: list[tuple[Any, ...]], words: tuple[str, ...]
) -> None:
    golden = write(here / "golden.csv", "item,grade", [(i, a) for i, a, *_ in RATED])
    write(here / "r.txt", head, rows)
    score = gate2(golden, golden, "--ratings", "r.txt", *words, "--ratings-format", "csv").json
    assert score["ceiling"]["raters"] == ["bob", "cy"]
    bob, cy = [b for *_, b, _ in RATED], [c for *_, c in RATED]
    assert score["ceiling"]["rater"] == pytest.approx(sklearn_kappa(bob, cy, (0, 1, 2)))
    refused = harness("gate2", "--golden", golden, "--grades", golden, "--scale", "0-2", *words)
    assert (refused.code, "name one with --ratings" in refused.err) == (2, True)


def test_of_a_rater_who_saw_a_pair_again_the_first_grade_counts(here: Path) -> None:
    golden = write(here / "golden.csv", "item,grade", [(at, at % 3) for at in range(30)])
    rows = [(at, "ann", at % 3, 0) for at in range(30)] + [(at, "ann", 0, 1) for at in range(9)]
    twice = write(here / "r.csv", "item,rater,grade,repeat", rows)
    assert gate2(golden, twice, "--rater", "ann").json["accuracy"] == 1.0
    again = write(here / "again.csv", "item,rater,grade,repeat", [*rows, (0, "ann", 1, 0)])
    refused = gate2(golden, again, "--rater", "ann")
    assert (refused.code, "item '0' is graded twice" in refused.err) == (2, True)


def test_grades_and_ratings_in_one_wide_file_are_read_once_and_warned_of(here: Path) -> None:
    golden = write(here / "golden.csv", "item,grade", [(i, a) for i, a, *_ in RATED])
    wide = write(here / "w.csv", "item,ann,bob,cy", RATED)
    words = ("--wide", "ann,bob,cy", "--rater", "ann", "--ratings", wide)
    score = gate2(golden, wide, *words).json
    assert (score["accuracy"], score["ceiling"]["raters"]) == (1.0, ["bob", "cy"])
    assert any("ann is one of the raters" in one for one in score["warnings"])
    two = gate2(golden, wide, "--wide", "ann,bob", "--rater", "ann", "--ratings", wide).json
    assert (two["gate1"], two["ceiling"]) == (None, None)
    assert any("fewer than two raters are left" in one for one in two["warnings"])
    # Ratings were named, and there are too few.
    assert two["provisional"].startswith("Gate 1 was not measured here, as it takes two raters")
    unnamed = gate2(golden, wide, "--wide", "ann,bob", "--rater", "ann").json
    assert "as no ratings were named (--ratings FILE)" in unnamed["provisional"]


def test_golden_set_of_a_policy_has_the_ratings_beside_it(here: Path) -> None:
    write_project(here)
    rows = [
        json.loads(line) for line in (here / "golden/small/examples.jsonl").read_text("utf-8").splitlines()
    ]
    ratings = [
        {"item": row["id"], "rater": who, "grade": row["grade"]} for row in rows for who in ("ann", "bob")
    ]
    (here / "golden/small/ratings.jsonl").write_text("".join(json.dumps(r) + "\n" for r in ratings), "utf-8")
    (here / "golden/small/raters.toml").write_text('[ann]\nkind = "human"\n[bob]\nkind = "llm"\n', "utf-8")
    grades = write(here / "g.csv", "item,grade", [(row["id"], row["grade"]) for row in rows])
    words = ("--grades", grades, "--policy", "small", "--json")
    own = harness("gate2", "--golden", "golden/small/examples.jsonl", *words).json
    assert (own["gate1"], own["ceiling"]["raters"]) == ("inconclusive", ["ann", "bob"])
    assert "bob rated as language models" in own["provisional"]
    copy = here / "copy.jsonl"
    copy.write_bytes((here / "golden/small/examples.jsonl").read_bytes())
    assert harness("gate2", "--golden", copy, *words).json["gate1"] is None


# --- an electronics shop's search: 1,589 pairs, 68 queries, three people -----------------------------------

CHORUS = (0, 1, 2, 3)
RATERS = ("agent_1", "agent_2", "agent_3")


def chorus(folder: Path) -> tuple[list[str], dict[str, list[int]], list[int]]:
    """Each item's query, each rater's grades, and the golden grades."""
    with (folder / "chorus/golden.csv").open(encoding="utf-8", newline="") as file:
        golden = {(row["query"], row["product_id"]): int(row["grade"]) for row in csv.DictReader(file)}
    with (folder / "chorus/ratings_long.csv").open(encoding="utf-8", newline="") as file:
        rated = {
            (row["query"], row["product_id"], row["rater"]): int(row["grade"]) for row in csv.DictReader(file)
        }
    columns = {rater: [rated[*item, rater] for item in golden] for rater in RATERS}
    return [query for query, _ in golden], columns, list(golden.values())


def check(found: dict[str, Any], kappa: Any, queries: list[str], printed: tuple[float, float, float]) -> None:
    """Value, error and interval against an oracle, and against what was seen."""
    value, error = kappa(np.ones(len(queries))), numeric_error(kappa, queries)
    assert found["value"] == pytest.approx(value, abs=1e-12)
    assert found["se"] == pytest.approx(error, rel=1e-5)
    assert found["ci"] == pytest.approx(fisher_z(value, error, len(set(queries))), abs=1e-6)
    assert (found["value"], *found["ci"]) == pytest.approx(printed, abs=5e-4)


GATE1 = {"none": (0.629, 0.539, 0.705), "linear": (0.720, 0.635, 0.788), "quadratic": (0.763, 0.676, 0.830)}


def test_gate1_of_chorus(real_data: Path) -> None:
    queries, columns, _ = chorus(real_data)
    words = ("--columns", "item=query+product_id", "--scale", "0-3", "--json")
    ended = harness("gate1", real_data / "chorus/ratings_long.csv", *words)
    for weighting, name in WEIGHTINGS.items():

        def kappa(weights: Any, weighting: Weighting = weighting) -> float:
            pairs = combinations(columns.values(), 2)
            return float(np.mean([sklearn_kappa(a, b, CHORUS, weighting, weights) for a, b in pairs]))

        check(ended.json[name], kappa, queries, GATE1[weighting])
    assert (ended.code, ended.json["verdict"], ended.json["n_clusters"]) == (1, "fail", 68)


GATE2 = {"agent_1": (0.689, 0.545, 0.794), "agent_2": (0.653, 0.523, 0.753), "agent_3": (0.635, 0.508, 0.735)}


@pytest.mark.parametrize("rater", RATERS)
def test_gate2_of_each_rater_of_chorus(real_data: Path, rater: str) -> None:
    queries, columns, golden = chorus(real_data)
    folder = real_data / "chorus"
    words = ("--golden", folder / "golden.csv", "--grades", folder / "ratings_long.csv", "--rater", rater)
    more = ("--columns", "item=query+product_id", "--scale", "0-3", "--ratings", folder / "ratings_long.csv")
    ended = harness("gate2", *words, *more, "--json")
    check(
        ended.json["kappa"],
        lambda w: sklearn_kappa(golden, columns[rater], CHORUS, "none", w),
        queries,
        GATE2[rater],
    )
    assert (ended.json["verdict"], ended.code) == ("fail", 1)
    assert ended.json["ceiling"]["raters"] == [other for other in RATERS if other != rater]
    assert sum(ended.json["diagnosis"].values()) == len(ended.json["misses"]) > 0
    assert max(map(len, harness("gate2", *words, *more).out.splitlines())) <= 80


def test_a_lower_limit_that_the_guard_sets_is_said(here: Path) -> None:
    rows = [(f"i{at}", f"q{at // 4}", at % 3) for at in range(120)]
    golden = "".join(f"{item},{query},{grade}\n" for item, query, grade in rows)
    (here / "golden.csv").write_text("item,query,grade\n" + golden, encoding="utf-8")
    for wrong, guarded in ((4, True), (5, False)):
        missed = range(0, 4 * wrong, 4)  # one wrong grade in each of so many queries
        grades = "".join(f"{i},{(g + (at in missed)) % 3}\n" for at, (i, _, g) in enumerate(rows))
        (here / "grades.csv").write_text("item,grade\n" + grades, encoding="utf-8")
        words = ("gate2", "--golden", "golden.csv", "--grades", "grades.csv", "--scale", "0-2")
        assert harness(*words, "--json").json["kappa"]["guarded"] is guarded
        assert ("a guard sets the lower limit" in " ".join(harness(*words).out.split())) is guarded
