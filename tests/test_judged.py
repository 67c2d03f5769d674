"""With whom people side, where behaviour contradicts the labels: `harness judged`."""

import json
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from browser import opened, runs_over, serious
from builders import harness
from judging import BETTER, DOWN, PAIRS, SAID, UP, judging, planned, write_plan
from playwright.sync_api import Browser

from harness import judged_files
from harness.golden.rating.pair_plan import Doubt, PlannedPair
from harness.scorecards.judged import SidedPair
from harness.signal.judged import SaidByRater, judged_pair, side_of, sided
from harness.stats.means import clustered_share
from harness.stats.proportions import clopper_pearson

ROOT = Path(__file__).resolve().parent.parent
WORSE = {"kind": "worse_than_graded", "grade": 2, "reference": 1}


@pytest.mark.parametrize(
    ("doubt", "sides"),
    [
        (UP, ("grade", "users", "users")),
        ({**UP, "grade": 1, "reference": 2}, ("grade", "grade", "users")),
        (DOWN, ("users", "grade", "grade")),
        ({**DOWN, "grade": 2, "reference": 0}, ("users", "grade", "grade")),
        (BETTER, ("neither", "grade", "users")),
        (WORSE, ("users", "users", "grade")),
        ({**WORSE, "grade": 1, "reference": 0}, ("users", "grade", "neither")),
    ],
)
def test_with_whom_a_grade_sides(doubt: dict[str, Any], sides: tuple[str, ...]) -> None:
    """Across the line its side counts; on one side of it the neighbouring grade."""
    assert tuple(side_of(Doubt.model_validate(doubt), grade) for grade in (0, 1, 2)) == sides


def pair_of(said: list[int | None], decided: int | None = None, query: str = "lamp") -> SidedPair:
    one = PlannedPair.model_validate(planned("p", query, "a lamp", UP))
    assert one.doubt is not None
    return judged_pair(
        one, one.doubt, [SaidByRater(str(at), grade) for at, grade in enumerate(said)], decided
    )


@pytest.mark.parametrize(
    ("said", "decided", "side"),
    [
        ([1, 2], None, "users"),
        ([0, 0], None, "grade"),
        ([0, 1], None, "undecided"),
        ([0, 1], 1, "users"),
        ([2, 2], 0, "grade"),
        ([2, None], None, "undecided"),
        ([None, None], None, "undecided"),
        ([None, None], 0, "grade"),
        ([], None, None),
        ([], 2, "users"),
        ([1], None, "users"),
    ],
)
def test_raters_agree_within_a_side_and_the_author_decides(
    said: list[int | None], decided: int | None, side: str | None
) -> None:
    assert pair_of(said, decided).side == side


def test_shares_are_of_the_judged_pairs_with_exact_intervals_where_each_has_its_query() -> None:
    """15 of 20 with users: Clopper and Pearson's .509 to .913, surely more than half."""
    pairs = [pair_of([2] if at < 15 else [0], query=f"lamp {at}") for at in range(20)]
    found = sided("all", "all", [*pairs, pair_of([])])
    assert (found.planned, found.judged, found.users, found.grade) == (21, 20, 15, 5)
    assert (found.users_share, found.users_ci) == (0.75, clopper_pearson(15, 20))
    assert found.users_ci is not None and round(found.users_ci.low, 3) == 0.509
    assert found.people == "users" and found.reason is None
    less = sided("all", "all", [pair_of([2] if at < 14 else [0], query=f"lamp {at}") for at in range(20)])
    assert less.people is None and less.users_ci is not None and less.users_ci.low < 0.5
    other = sided("all", "all", [pair_of([0], query=f"lamp {at}") for at in range(20)])
    assert (other.people, other.users_share, other.grade_share) == ("grade", 0, 1)


def test_pairs_of_a_query_stand_or_fall_together() -> None:
    pairs = [pair_of([2] if at % 4 else [0], query=f"lamp {at % 4}") for at in range(20)]
    found = sided("all", "all", pairs)
    happened = np.array([float(at % 4 > 0) for at in range(20)])
    assert found.users_ci == clustered_share(happened, np.arange(20) % 4)
    assert found.users_ci is not None and found.users_ci.low < clopper_pearson(15, 20).low
    assert found.people is None and found.n_queries == 4


def test_one_query_has_no_interval_and_no_pair_has_no_share() -> None:
    one = sided("all", "all", [pair_of([2]), pair_of([2])])
    assert (one.users_share, one.users_ci, one.people) == (1.0, None, None)
    assert one.reason is not None and "one query" in one.reason
    none = sided("all", "all", [pair_of([])])
    assert (none.users_share, none.grade_share, none.users_ci) == (None, None, None)
    assert none.reason == "undefined: none of its pairs is judged yet"


@pytest.fixture
def round_1(here: Path) -> Path:
    judging(here)
    return here


def test_a_round_says_by_clause_and_by_boundary_with_whom_people_side(round_1: Path) -> None:
    found = harness("judged", "sheet.jsonl", "--json").json
    one = found["all"]
    assert [one[key] for key in ("planned", "judged", "users", "grade", "undecided")] == [6, 6, 4, 1, 1]
    assert (found["policy"], found["round"], found["raters"]) == ("small@v1", "r1", ["ann", "bob"])
    named = {(group["by"], group["name"]): group["users"] for group in found["groups"]}
    assert named["clause", "laces-clause"] == 4
    assert (named["boundary", "0|1"], named["boundary", "1|0"], named["boundary", "1|2"]) == (2, 1, 1)
    assert next(pair for pair in found["pairs"] if pair["item"] == "n4")["grades"] == [0, 1]


def test_a_decision_of_the_author_counts(round_1: Path) -> None:
    listed = harness("adjudicate", "--round", "r1", "--list", "--json").json["disputes"]
    code = next(one["code"] for one in listed if one["grades"] == [0, 1])
    line = {"dispute": code, "grade": 0, "cause": "raters_slip"}
    Path("said.jsonl").write_text(json.dumps(line) + "\n", encoding="utf-8")
    assert harness("adjudicate", "--round", "r1", "--collect", "said.jsonl").code == 0
    found = harness("judged", "sheet.jsonl", "--json").json
    assert (found["all"]["users"], found["all"]["undecided"]) == (5, 0)
    assert next(pair["decided"] for pair in found["pairs"] if pair["item"] == "n4") == 0


def test_an_open_round_is_said_and_what_nobody_judged_is_counted(here: Path) -> None:
    opened = judging(here)
    path = here / "golden/small/production-ratings.jsonl"
    kept = [line for line in path.read_text("utf-8").splitlines() if json.loads(line)["item"] != "n1"]
    kept = [line for line in kept if (json.loads(line)["item"], json.loads(line)["rater"]) != ("n2", "bob")]
    path.write_text("\n".join(kept) + "\n", encoding="utf-8")
    (opened.folder / "sealed.jsonl").unlink()
    found = harness("judged", "sheet.jsonl", "--json").json
    assert (found["all"]["planned"], found["all"]["judged"]) == (6, 5)
    told = " ".join(found["warnings"])
    assert "not sealed" in told and "what is said here may change" in told
    assert "1 pair of the plan is judged by nobody yet" in told
    assert "1 pair has one rater alone" in told


def test_a_round_that_nobody_has_rated_has_no_shares(here: Path) -> None:
    from builders import write_project
    from production import plan

    write_project(here)
    plan(here, write_plan(here), seed=1)
    ended = harness("judged", "sheet.jsonl")
    assert ended.code == 0, ended.err
    assert "Cannot tell: none of its pairs is judged yet." in ended.out


def ratings(text: str, *words: str) -> Any:
    Path("ratings.csv").write_text(text, encoding="utf-8")
    return harness("judged", "sheet.jsonl", "--ratings", "ratings.csv", "--scale", "0-2", "--json", *words)


def test_a_table_of_bare_ratings_is_enough(here: Path) -> None:
    """No project, no clauses, no reasonings."""
    bare = [
        {**one, "doubt": {key: value for key, value in one["doubt"].items() if key != "clauses"}}
        for one in PAIRS
    ]
    write_plan(here, bare)
    rows = "".join(f"{item},{rater},{SAID[item][at]}\n" for item in SAID for at, rater in enumerate("ab"))
    found = ratings(f"item,rater,grade\n{rows}").json
    assert [found["all"][key] for key in ("users", "grade", "undecided")] == [4, 1, 1]
    assert {group["by"] for group in found["groups"]} == {"kind", "boundary"}
    wide = "".join(f"{item},{one},{other}\n" for item, (one, other) in SAID.items())
    assert ratings(f"item,a,b\n{wide}", "--wide", "a,b").json["all"] == found["all"]


@pytest.mark.parametrize(
    ("rows", "what"),
    [
        ("q9,a,1\n", "none of its pairs is in ratings.csv"),
        ("n1,a,7\n", "not on the scale"),
    ],
)
def test_ratings_of_something_else_are_refused(here: Path, rows: str, what: str) -> None:
    write_plan(here)
    ended = ratings(f"item,rater,grade\n{rows}")
    assert ended.code == 2 and what in " ".join(ended.err.split())


def test_an_id_that_is_another_querys_is_refused_with_all_of_them(here: Path) -> None:
    write_plan(here)
    ended = ratings("item,rater,grade,query\nn1,a,1,a hat\nn3,a,1,a sock\nn5,a,1,Desk-Fan\n")
    told = " ".join(ended.err.split())
    assert ended.code == 2 and "'a hat'" in told and "'a sock'" in told and "Desk-Fan" not in told


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("no.jsonl",), "no such file"),
        (("sheet.jsonl", "--round", "r1", "--ratings", "x.csv"), "give either --round or --ratings"),
        (("sheet.jsonl", "--wide", "a,b"), "--wide goes with --ratings"),
        (("sheet.jsonl", "--scale", "0-2"), "--scale goes with --ratings"),
        (("sheet.jsonl", "--round", "r7"), "no round 'r7'"),
        (("bare.jsonl",), "no pair of it says what users do against its label"),
    ],
)
def test_bad_usage_ends_with_2(round_1: Path, words: tuple[str, ...], what: str) -> None:
    write_plan(round_1, [planned("n1", "linen tablecloth", "a tablecloth", None)], "bare.jsonl")
    ended = harness("judged", *words)
    assert ended.code == 2 and what in " ".join(ended.err.split())


def test_without_a_round_of_production_pairs_the_command_that_plans_one_is_named(here: Path) -> None:
    from builders import write_project

    write_project(here)
    write_plan(here)
    assert "harness rate plan --policy small --from PLAN" in " ".join(
        harness("judged", "sheet.jsonl").err.split()
    )


def test_a_round_of_other_pairs_is_refused(round_1: Path) -> None:
    write_plan(round_1, [planned("z1", "a hat", "a hat", UP)], "other.jsonl")
    ended = harness("judged", "other.jsonl")
    assert ended.code == 2 and "none of its pairs is in round r1" in " ".join(ended.err.split())


def test_the_terminal_fits_and_says_what_to_do(round_1: Path) -> None:
    out = harness("judged", "sheet.jsonl").out
    assert max(map(len, out.splitlines())) <= 80
    assert "harness adjudicate --policy small@v1 --round r1" in out
    assert "harness golden add --policy small@v1 --round r1" in out
    assert "garden hose: n4: grades 0, 1" in out and "ann" in out.splitlines()[1]


def test_a_signal_is_judged_from_its_log_to_the_clause(here: Path) -> None:
    """The example of the docs: users are right about one clause, the labels about the other."""
    docs = ROOT / "docs"
    words = ("--labels", docs / "signal-labels.csv", "--scale", "0-4", "--at-least", "2", "-o", "sheet.jsonl")
    done = harness("signal", docs / "signal-example.csv", *words)
    assert "harness judged sheet.jsonl" in " ".join(done.err.split())
    rated = ("--ratings", docs / "signal-ratings.csv", "--scale", "0-4")
    found = harness("judged", "sheet.jsonl", *rated, "--json").json
    people = {one["name"]: one["people"] for one in found["groups"] if one["by"] == "clause"}
    assert people == {"kind-first": "users", "condition": "grade"}
    told = " ".join(harness("judged", "sheet.jsonl", *rated).out.split())
    assert "Read kind-first: people side with users there." in told and "Leave condition:" in told
    result = judged_files("sheet.jsonl", docs / "signal-ratings.csv", scale="0-4")
    assert result.all.users == found["all"]["users"]
    assert result.write_page("judged.html").read_text("utf-8").count("kind-first") > 2


def test_the_page_shows_it_and_is_accessible(round_1: Path, browser: Browser) -> None:
    assert harness("judged", "sheet.jsonl", "--html", "judged.html").code == 0
    text = (round_1 / "judged.html").read_text("utf-8")
    assert not re.search(r"https?://", text.replace("http://www.w3.org", ""))
    with opened((round_1 / "judged.html").as_uri(), browser=browser) as page:
        assert page.locator("tbody tr").count() == 3 + 1 + 3 + 6
        assert "With users: 4 (67%" in page.locator("#answer").inner_text()
        assert not serious(page) and not runs_over(page)
