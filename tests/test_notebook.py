"""The gates on arrays and data frames: the same numbers as on files, and results that read well."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # ships no types
import pytest
from builders import harness
from one_kappa import kappa_spread
from test_stats import SCALE, against_golden, clustered, clustered_rows

from harness import compare, compare_files, gate1, gate2, gate2_files
from harness.errors import BadInput

GOLDEN = [0, 0, 1, 1, 2, 2, 0, 1, 2, 2]
GRADES = [0, 1, 1, 1, 2, 2, 0, 2, 2, 1]
CUBIC: Any = "cubic"
BEST: Any = "best"


def test_gate2_of_arrays_is_the_kappa_of_the_reference_set() -> None:
    rows = [row for row in clustered_rows() if row["run_a"]]
    golden, grades = [int(row["golden"]) for row in rows], [int(row["run_a"]) for row in rows]
    score = gate2(golden, grades, scale=SCALE, queries=[row["query"] for row in rows])
    want = clustered("gate2_run_a", weights="unweighted")
    assert score.kappa.value == pytest.approx(want["kappa"], abs=1e-9)
    assert score.kappa.se == pytest.approx(want["se_cluster"], abs=1e-9)
    spread = kappa_spread(against_golden(rows, "run_a", "unweighted"))
    assert score.kappa.ci == spread.ci
    assert score.n_clusters == want["clusters"]


def test_compare_of_arrays_is_the_paired_delta_of_the_reference_set() -> None:
    rows = clustered_rows()
    runs = [[int(row[run]) if row[run] else None for row in rows] for run in ("run_a", "run_b")]
    golden, queries = [int(row["golden"]) for row in rows], [row["query"] for row in rows]
    found = compare(golden, *runs, scale=SCALE, queries=queries)
    want = clustered("delta_run_b_minus_run_a", weights="unweighted")
    assert found.n_common == want["n"]
    assert found.kappa.delta == pytest.approx(want["delta"], abs=1e-9)
    assert found.kappa.se == pytest.approx(want["se_cluster"], abs=1e-9)
    flipped = [row for row in rows if row["run_a"] and row["run_b"] and row["run_a"] != row["run_b"]]
    assert len(found.flips) == len(flipped)
    back = compare(golden, runs[1], runs[0], scale=SCALE, queries=queries)
    assert found.kappa.delta == -(back.kappa.delta or 0)
    assert found.kappa.se == back.kappa.se
    assert (found.mcnemar.broken, found.mcnemar.fixed) == (back.mcnemar.fixed, back.mcnemar.broken)


def test_comparison_of_a_grader_with_itself_has_no_flip() -> None:
    found = compare(GOLDEN, GRADES, GRADES, scale="0-2")
    assert (found.kappa.delta, found.accuracy.delta, found.flips) == (0.0, 0.0, ())


def test_flips_are_sorted_and_named() -> None:
    found = compare([0, 1, 2, 2], [0, 0, 0, 2], [2, 1, 1, 2], scale="0-2")
    assert [(flip.item, flip.kind) for flip in found.flips] == [
        ("0", "broken"),
        ("1", "fixed"),
        ("2", "moved"),
    ]


def test_data_frames_name_raters_and_items() -> None:
    wide = pd.DataFrame({"ann": [0, 1, 2, None], "bob": [0, 1, 1, 2]}, index=["a", "b", "c", "d"])
    score = gate1(wide, scale="0-2", queries=["q", "q", "r", "r"])
    assert (score.raters, score.n_items, score.n_clusters) == (("ann", "bob"), 4, 2)
    assert score.disputed[0].item == "c"
    long = pd.DataFrame(
        [("a", "ann", 0, "q"), ("a", "bob", 0, "q"), ("b", "ann", 1, "q"), ("b", "bob", 1, "q"),
         ("c", "ann", 2, "r"), ("c", "bob", 1, "r"), ("d", "bob", 2, "r")],
        columns=["item", "rater", "grade", "query"],
    )  # fmt: skip
    assert gate1(long, scale="0-2") == score


def test_plain_arrays_have_numbered_raters_and_independent_items() -> None:
    score = gate1(np.array([[0, 0, 1], [1, 1, 1], [2, 2, 0]]), scale=(0, 1, 2))
    assert score.raters == ("rater 1", "rater 2", "rater 3")
    assert (score.n_clusters, any("independent" in one for one in score.warnings)) == (3, True)


def test_repeats_are_columns_and_missing_answers_are_unreadable() -> None:
    score = gate2(GOLDEN, [[one, None] for one in GRADES], scale="0-2", aggregate="vote")
    assert (score.coverage, score.accuracy, score.repeats and score.repeats.repeats) == (1.0, 0.7, 2)
    assert gate2(GOLDEN, [*GRADES[:-1], np.nan], scale="0-2").outcomes.ungraded == 1
    assert gate2(GOLDEN, pd.DataFrame({"grade": GRADES}), scale="0-2").accuracy == 0.7
    with pytest.raises(BadInput, match="columns are repeats, here is 'confidence'"):
        gate2(GOLDEN, pd.DataFrame({"confidence": GRADES}), scale="0-2")


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: gate2(GOLDEN, [9, *GRADES[1:]], scale="0-2"), r"grades\[0\]: 9 is not on the scale 0-2"),
        (lambda: gate2([None, *GOLDEN[1:]], GRADES, scale="0-2"), "every item needs its grade"),
        (lambda: gate2(GOLDEN, GRADES[1:], scale="0-2"), "9 for 10 golden grades"),
        (lambda: gate2(GOLDEN, GRADES, scale="0-2", queries=["q"]), "queries: 1 for 10 items"),
        (lambda: gate1([0, 1], scale="0-2"), "items x raters are wanted"),
        (lambda: gate2(pd.DataFrame({"g": [0, 1]}), [0, 1], scale="0-1"), "golden: one grade an item"),
        (lambda: gate2([0, 1], [0, 1], scale="0-1", ratings=[[0, 0]]), "ratings: 1 for 2 items"),
        (lambda: compare([0], [0], [0], scale="0-1", weighting=CUBIC), "'cubic' is not one of: none"),
        (lambda: gate1([[0, 0]], scale="0-1", weighting=CUBIC), "'cubic' is not one of: none"),
        (lambda: gate2([0, 1], [0, 1], scale="0-1", aggregate=BEST), "'best' is not one of: mean, vote"),
        (lambda: gate2([0, 1], [0, 1], scale="0-1", bar=8), "bar 8: a kappa lies between -1 and 1"),
        (lambda: gate1([[0], [1]], scale="0-2"), "two raters or more"),
        (lambda: gate2(pd.Series([0, 1], index=["a", "a"]), [0, 1], scale="0-1"), "names 1 item twice"),
        (lambda: gate1(pd.DataFrame([[0, 1]], columns=["a", "a"]), scale="0-1"), "columns are called 'a'"),
        (lambda: gate1(pd.DataFrame([[0, 1]], columns=["a", None]), scale="0-1"), r"column\[1\]: no name"),
        (lambda: compare([0, 1], [None, 1], [0, None], scale="0-1"), "no item has a readable answer in both"),
    ],
)  # fmt: skip
def test_wrong_arrays_are_refused_in_words(call: object, what: str) -> None:
    assert callable(call)
    with pytest.raises(BadInput, match=what):
        call()


def test_ratings_bring_gate1_the_ceiling_and_whose_problem_a_miss_is() -> None:
    golden = pd.Series([at % 3 for at in range(300)], index=[f"i{at}" for at in range(300)])
    grades = [(at + (at in (1, 2))) % 3 for at in range(300)]
    wide = pd.DataFrame({"ann": golden, "bob": golden})
    wide.loc["i1", ["ann", "bob"]] = 2
    wide.loc["i9", "bob"] = 2  # without one disagreement they would look copied
    queries = [f"q{at // 3}" for at in range(300)]
    score = gate2(golden, grades, scale="0-2", ratings=wide, queries=queries)
    assert {one.item: one.diagnosis for one in score.misses} == {"i1": "golden", "i2": "teacher"}
    assert score.ceiling is not None and score.ceiling.raters == ("ann", "bob")
    assert score.gate1 == gate1(wide, scale="0-2", queries=queries).verdict == "pass"
    assert score.provisional is None
    long = wide.rename_axis("item").reset_index().melt("item", var_name="rater", value_name="grade")
    long["query"] = [queries[int(name[1:])] for name in long["item"]]
    assert gate2(golden, grades, scale="0-2", ratings=long, queries=queries) == score
    assert gate2(golden, grades, scale="0-2").provisional is not None


def test_missing_queries_are_items_of_their_own_and_na_is_missing() -> None:
    score = gate2(
        [0, 1, 2, 2],
        pd.array([0, 1, 2, None], dtype="Int64"),
        scale="0-2",
        queries=["q", None, np.nan, "r"],
    )
    assert (score.n_clusters, score.outcomes.ungraded) == (3, 1)


NAMED = pd.Series(GOLDEN, index=[f"d{at}" for at in range(10)])
SHUFFLED = NAMED.sample(frac=1, random_state=3)
OF_ITEM = pd.Series([f"q{at // 3}" for at in range(10)], index=NAMED.index)


def test_series_and_frames_are_matched_by_their_index() -> None:
    assert list(SHUFFLED) != GOLDEN
    given = pd.DataFrame({"first": GRADES, "second": GOLDEN}, index=NAMED.index)
    want = gate2(NAMED, given, scale="0-2", queries=OF_ITEM)
    assert gate2(NAMED, SHUFFLED, scale="0-2").accuracy == 1.0
    assert gate2(NAMED, given.loc[SHUFFLED.index], scale="0-2", queries=OF_ITEM.loc[SHUFFLED.index]) == want
    moved = compare(NAMED, SHUFFLED, given["first"], scale="0-2", queries=OF_ITEM[::-1])
    assert moved == compare(GOLDEN, NAMED, GRADES, scale="0-2", queries=list(OF_ITEM))
    wide = given.assign(third=GRADES)
    found = gate1(wide, scale="0-2", queries=OF_ITEM[::-1])
    assert found == gate1(wide, scale="0-2", queries=list(OF_ITEM))


def test_plain_arrays_go_by_place_and_take_the_names_that_there_are() -> None:
    plain = gate2(NAMED, GRADES, scale="0-2", queries=list(OF_ITEM))
    assert plain == gate2(NAMED, pd.Series(GRADES, index=NAMED.index), scale="0-2", queries=OF_ITEM)
    assert gate2(GOLDEN, NAMED.where(NAMED != 0, 1), scale="0-2").misses[0].item == "d0"


@pytest.mark.parametrize("side", ["grades", "queries", "base", "candidate"])
@pytest.mark.parametrize(
    ("index", "what"),
    [
        ([f"x{at}" for at in range(10)], "no item in common .'d0' in golden, 'x0' here.: give both"),
        ([*NAMED.index[:8], "d0", "d9"], "the index names 1 item twice .the first: d0.: keep one"),
        ([*NAMED.index[:9], "x"], "1 of 10 items of golden are not in it .the first: 'd9'., and 1"),
        ([*NAMED.index[:9], None], "has 1 without a name .the first: row 10."),
        ([*NAMED.index[:8], None, pd.NA], "has 2 without a name .the first: row 9."),
    ],
)  # fmt: skip
def test_indexes_that_do_not_meet_are_refused(side: str, index: list[Any], what: str) -> None:
    other = pd.Series(GOLDEN, index=index)
    calls: dict[str, Any] = {
        "grades": lambda: gate2(NAMED, other, scale="0-2"),
        "queries": lambda: gate2(NAMED, GRADES, scale="0-2", queries=other),
        "base": lambda: compare(NAMED, other, GRADES, scale="0-2"),
        "candidate": lambda: compare(NAMED, NAMED, other, scale="0-2"),
    }
    with pytest.raises(BadInput, match=f"{side}: .*{what}"):
        calls[side]()


def test_fewer_items_are_refused_with_the_way_out_and_the_way_out_works() -> None:
    part = NAMED[:6]
    with pytest.raises(BadInput, match=r"4 of 10 items of golden.*grades.reindex\(golden.index\)"):
        gate2(NAMED, part, scale="0-2")
    assert gate2(NAMED, part.reindex(NAMED.index), scale="0-2").outcomes.ungraded == 4


def test_two_orders_beside_plain_golden_grades_are_refused() -> None:
    assert compare(GOLDEN, NAMED, NAMED, scale="0-2").flips == ()
    with pytest.raises(
        BadInput, match="base and candidate: the same items in another order, and golden has no"
    ):
        compare(GOLDEN, NAMED, SHUFFLED, scale="0-2")


def test_ratings_are_matched_by_name_or_by_place_or_refused() -> None:
    wide = pd.DataFrame({"ann": GRADES, "bob": GOLDEN}, index=NAMED.index)
    want = gate2(NAMED, GRADES, scale="0-2", ratings=wide, queries=list(OF_ITEM))
    assert want.misses[0].diagnosis == "policy"
    mixed = wide.loc[SHUFFLED.index]
    long = mixed.rename_axis("item").reset_index().melt("item", var_name="rater", value_name="grade")
    for ratings in (mixed, long):
        assert gate2(NAMED, GRADES, scale="0-2", ratings=ratings, queries=list(OF_ITEM)) == want
    plain = gate2(NAMED, GRADES, scale="0-2", ratings=wide.to_numpy(), queries=OF_ITEM)
    assert (plain.kappa, plain.misses[0].ratings) == (
        want.kappa,
        {"rater 1": wide["ann"].iloc[1], "rater 2": wide["bob"].iloc[1]},
    )
    with pytest.raises(BadInput, match="ratings: none of its items is in what is graded"):
        gate2(NAMED, GRADES, scale="0-2", ratings=wide.set_axis([f"x{at}" for at in range(10)]))


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA, pd.NaT, ""])
@pytest.mark.parametrize(("column", "what"), [("item", "empty item"), ("rater", "no rater")])
def test_missing_items_and_raters_are_refused(column: str, what: str, missing: Any) -> None:
    long = pd.DataFrame(
        {"item": ["a", "b", "a", "b"], "rater": ["ann", "ann", "bob", "bob"], "grade": [0, 1, 0, 1]},
        dtype=object,
    )
    assert gate1(long, scale="0-1").raters == ("ann", "bob")
    long.loc[3, column] = missing
    with pytest.raises(BadInput, match=rf"{column}\[3\]: {what}"):
        gate1(long, scale="0-1")


@pytest.mark.parametrize("missing", [None, np.nan, pd.NA])
def test_missing_queries_of_ratings_are_items_of_their_own(missing: Any) -> None:
    long = pd.DataFrame(
        {"item": [*"abcd"] * 2, "rater": ["ann"] * 4 + ["bob"] * 4, "grade": [0, 1, 0, 1] * 2,
         "query": ["q", missing, missing, missing] * 2},
        dtype=object,
    )  # fmt: skip
    assert gate1(long, scale="0-1").n_clusters == 4


def test_bootstrap_and_weighting_are_had_where_asked_for() -> None:
    assert gate2(GOLDEN, GRADES, scale="0-2", bootstrap=True).bootstrap is not None
    assert gate1([[0, 0], [1, 1], [2, 1]], scale="0-2", bootstrap=True).bootstrap is not None
    found = compare(GOLDEN, GRADES, GOLDEN, scale="0-2", weighting="linear")
    assert (found.gated, found.gated_change) == ("kappa_linear", found.kappa_linear)


def test_results_read_as_tables() -> None:
    for result, words in (
        (gate1([[0, 0], [1, 1], [2, 1]], scale="0-2"), "Mean pairwise kappa"),
        (gate2(GOLDEN, GRADES, scale="0-2"), "Cohen's kappa"),
        (compare(GOLDEN, GRADES, GOLDEN, scale="0-2"), "3 fixed, 0 broken"),
    ):
        assert words in repr(result)
        html = result._repr_html_()
        assert words in html.replace("&#x27;", "'") and html.startswith("<pre>")


def test_names_load_when_asked_for() -> None:
    code = (
        "import sys, harness; print('harness.notebook' in sys.modules, 'numpy' in sys.modules); harness.gate1"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "False"]
    with pytest.raises(AttributeError, match="no attribute 'gate9'"):
        _ = __import__("harness").gate9


def test_results_print_as_their_tables() -> None:
    grades = [[1, 1], [2, 2], [0, 1], [3, 3]]
    for result in (gate1(grades, scale="0-4"), gate2([1, 2, 0, 3], [1, 2, 1, 3], scale="0-4")):
        assert str(result) == repr(result)
        assert "Gate" in str(result) and "verdict=" not in str(result)


def test_files_are_scored_and_compared_as_on_the_command_line(here: Path) -> None:
    for name, grades in (("golden", GOLDEN), ("one", GRADES), ("other", GRADES[::-1])):
        rows = [f"d{at},q{at // 2},{grade}\n" for at, grade in enumerate(grades)]
        (here / f"{name}.csv").write_text("docid,query,label\n" + "".join(rows), encoding="utf-8")
    rows = [f"d{at},{rater},{grade}\n" for at, grade in enumerate(GOLDEN) for rater in ("ann", "bob")]
    (here / "ratings.csv").write_text("docid,rater,label\n" + "".join(rows), encoding="utf-8")
    columns = "item=docid,grade=label"
    words = ("--golden", "golden.csv", "--columns", columns, "--scale", "0-2", "--json")
    more: dict[str, Any] = {"scale": "0-2", "columns": columns}
    found = gate2_files("golden.csv", "one.csv", ratings="ratings.csv", **more)
    printed = harness("gate2", *words, "--grades", "one.csv", "--ratings", "ratings.csv").json
    assert json.loads(found.model_dump_json()) == printed
    assert (found.gate1, found.ceiling is not None) == (printed["gate1"], True)
    assert "Gate 2: does the grader agree" in str(found)
    moved = compare_files("golden.csv", "one.csv", "other.csv", **more)
    assert json.loads(moved.model_dump_json()) == harness("compare", "one.csv", "other.csv", *words).json
    assert "What moved" in str(moved)


def test_words_and_encodings_of_files_are_read_as_on_the_command_line(here: Path) -> None:
    labels, rows = "très=2,peu=1,non=0", ("d0,très", "d1,peu", "d2,non", "d3,peu")
    for name, grades in (("golden", rows), ("one", (*rows[:3], "d3,non")), ("other", rows)):
        (here / f"{name}.csv").write_bytes("\n".join(["item,grade", *grades]).encode("cp1252"))
    more: dict[str, Any] = {"scale": "0-2", "labels": labels, "encoding": "cp1252"}
    words = ("--golden", "golden.csv", "--scale", "0-2", "--labels", labels, "--encoding", "cp1252", "--json")
    found = gate2_files("golden.csv", "one.csv", **more)
    assert json.loads(found.model_dump_json()) == harness("gate2", *words, "--grades", "one.csv").json
    moved = compare_files("golden.csv", "one.csv", "other.csv", **more)
    assert json.loads(moved.model_dump_json()) == harness("compare", "one.csv", "other.csv", *words).json


def test_whose_grades_a_file_holds_can_be_said(here: Path) -> None:
    (here / "g.csv").write_text("item,grade\na,0\nb,1\nc,1\n", encoding="utf-8")
    rows = "a,ann,0\nb,ann,1\nc,ann,1\na,bob,0\nb,bob,1\nc,bob,0\n"
    (here / "r.csv").write_text(f"item,rater,grade\n{rows}", encoding="utf-8")
    assert gate2_files("g.csv", "r.csv", scale="0-1", rater="ann").accuracy == 1.0
    moved = compare_files("g.csv", "r.csv", "r.csv", scale="0-1", raters=("ann", "bob"))
    assert (moved.base, moved.candidate) == ("ann (r.csv)", "bob (r.csv)")
    with pytest.raises(BadInput, match="has several raters: ann, bob"):
        gate2_files("g.csv", "r.csv", scale="0-1")
