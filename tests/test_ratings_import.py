"""`harness ratings import`: any table of ratings into a golden set, nothing twice, nothing guessed."""

import json
import tomllib
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, examples, harness, write_project

FOLDER = "golden/small"
RATED = [line["id"] for line in examples() if line["split"] != "shots"]


def table(here: Path, rows: str, name: str = "r.csv") -> Path:
    path = here / name
    path.write_text(rows, encoding="utf-8")
    return path


def ratings(here: Path) -> list[dict[str, Any]]:
    path = here / FOLDER / "ratings.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()] if path.exists() else []


def kinds(here: Path) -> dict[str, Any]:
    return tomllib.loads((here / FOLDER / "raters.toml").read_text("utf-8"))


def imported(path: Path, *words: str) -> Ended:
    return harness("ratings", "import", path, "--policy", "small", *words)


def long(*raters: str) -> str:
    """Grades 0, 1, 2 in turn, each rater one further on."""
    rows = (
        f"{item},{rater},{(at + turn) % 3}\n"
        for turn, rater in enumerate(raters)
        for at, item in enumerate(RATED)
    )
    return "item,rater,grade\n" + "".join(rows)


def test_what_is_imported_scores_as_the_file_does(here: Path) -> None:
    write_project(here)
    path = table(here, long("ann", "bob", "cy"))
    assert imported(path, "--kind", "human").code == 0
    assert kinds(here) == {rater: {"kind": "human"} for rater in ("ann", "bob", "cy")}
    assert {line["policy_version"] for line in ratings(here)} == {"v1"}
    from_file = harness("gate1", path, "--policy", "small", "--json").json
    own = harness("gate1", "--policy", "small", "--json").json
    assert own == {**from_file, "provisional": own["provisional"]}
    assert harness("golden", "lint", "small").code == 0


@pytest.mark.parametrize(
    ("rows", "words"),
    [
        ("id;ann;bob\n" + "".join(f"{i};1,0;\n" for i in RATED), ("--wide", "ann,bob", "--format", "csv")),
        ("q,n,who,said\n" + "".join(f"{i[:2]},{i[3:]},ann,Yes\n" for i in RATED),
         ("--columns", "item=q+n,rater=who,grade=said", "--labels", "Yes=1")),
        ("item,grade\n" + "".join(f"{i},1\n" for i in RATED), ("--rater", "ann")),
        ("item,rater,grade\n" + "".join(f"{i},{r},1\n" for i in RATED for r in ("ann", "bob")),
         ("--rater", "ann")),
    ],
    ids=["wide", "words and columns", "no rater column", "one of several raters"],
)  # fmt: skip
def test_any_table_that_gate1_takes_is_imported(here: Path, rows: str, words: tuple[str, ...]) -> None:
    write_project(here)
    if "--columns" in words:
        named = [{**line, "id": f"{line['id'][:2]}|{line['id'][3:]}"} for line in examples()]
        (here / FOLDER / "examples.jsonl").write_text("".join(json.dumps(n) + "\n" for n in named), "utf-8")
    ended = imported(table(here, rows), *words)
    assert ended.code == 0, ended.err
    assert {(line["rater"], line["grade"]) for line in ratings(here)} == {("ann", 1)}
    assert len(ratings(here)) == len(RATED)


def test_dry_run_says_what_would_be_added_and_writes_nothing(here: Path) -> None:
    write_project(here)
    before = sorted(path for path in here.rglob("*"))
    path = table(here, long("ann"))
    ended = imported(path, "--kind", "human", "--dry-run")
    assert (
        f"that would be added to golden/small/ratings.jsonl under small@v1, by ann: {len(RATED)}\n"
        in ended.err
    )
    assert "raters that would be added to raters.toml: ann (human)" in ended.err
    assert sorted(one for one in here.rglob("*") if one != path) == before


def test_nothing_is_added_twice(here: Path) -> None:
    write_project(here)
    path = table(here, long("ann"))
    imported(path)
    once = (here / FOLDER / "ratings.jsonl").read_bytes()
    ended = imported(path)
    assert ended.err.splitlines()[0].endswith("by ann: 0")
    assert f"ratings that are there already: {len(RATED)}" in ended.err
    assert (here / FOLDER / "ratings.jsonl").read_bytes() == once


def test_other_ratings_are_named_by_line_and_replaced_only_on_demand(here: Path) -> None:
    write_project(here)
    imported(table(here, long("ann")))
    other = table(here, f"item,rater,grade\n{RATED[0]},ann,2\n{RATED[1]},ann,2\n{RATED[2]},bob,1\n")
    ended = imported(other)
    assert ended.code == 2
    for line, grade in ((2, 0), (3, 1)):
        there = f"'{RATED[line - 2]}' by 'ann' under v1 is there already with grade {grade}, here 2"
        assert f"r.csv, line {line}: {there}" in ended.err
    assert len(ratings(here)) == len(RATED)
    ended = imported(other, "--replace")
    assert "by ann, bob: 1\n" in ended.err and "ratings replaced: 2\n" in ended.err
    now = {(line["item"], line["rater"]): line["grade"] for line in ratings(here)}
    assert (len(now), now[RATED[0], "ann"], now[RATED[2], "bob"]) == (len(RATED) + 1, 2, 1)


def test_rating_without_a_version_is_one_of_every_version(here: Path) -> None:
    write_project(here)
    line = {"item": RATED[0], "rater": "ann", "grade": 0}
    (here / FOLDER / "ratings.jsonl").write_text(json.dumps(line) + "\n", "utf-8")
    path = table(here, f"item,rater,grade\n{RATED[0]},ann,1\n")
    assert "is there already with grade 0, here 1" in imported(path).err
    assert imported(path, "--replace").code == 0
    assert ratings(here) == [{**line, "grade": 1, "policy_version": "v1"}]
    other = table(here, f"item,rater,grade,policy_version\n{RATED[0]},ann,2,v99\n{RATED[1]},ann,2,soon\n")
    ended = imported(other)
    for place, version in ((2, "v99"), (3, "soon")):
        fault = f"line {place}: policy_version '{version}': small has no such version; there are: v1\n"
        assert (ended.code, fault in ended.err) == (2, True)


def second_version(here: Path) -> None:
    path = here / "policies/small/v1.toml"
    path.with_name("v2.toml").write_text(path.read_text("utf-8").replace('"v1"', '"v2"'), "utf-8")


def test_ratings_are_counted_by_version_and_keep_their_time(here: Path) -> None:
    write_project(here)
    second_version(here)
    rows: list[dict[str, Any]] = [
        {"item": RATED[0], "rater": "ann", "grade": 1, "policy_version": "v1", "at": "2026-01-02T03:04:05"},
        {"item": RATED[0], "rater": "bob", "grade": 1, "policy_version": "v2"},
        {"item": RATED[1], "rater": "ann", "grade": 2, "policy_version": "v1"},
    ]
    ended = imported(table(here, "".join(json.dumps(row) + "\n" for row in rows), "r.jsonl"))
    there = "ratings added to golden/small/ratings.jsonl under"
    assert ended.err.splitlines()[1:3] == [f"{there} small@v1, by ann: 2", f"{there} small@v2, by bob: 1"]
    assert sorted(map(str, ratings(here))) == sorted(map(str, rows))


def test_a_raters_name_is_taken_without_its_outer_spaces(here: Path) -> None:
    write_project(here)
    path = table(here, f"item,grade\n{RATED[0]},1\n")
    for rater in ("zed", "  zed "):
        assert imported(path, "--rater", rater, "--kind", "human").code == 0
    assert ([line["rater"] for line in ratings(here)], list(kinds(here))) == (["zed"], ["zed"])
    assert "--rater: '  ' is not a name" in imported(path, "--rater", "  ").err


def test_duplicates_that_are_there_are_told_before_one_is_lost(here: Path) -> None:
    write_project(here)
    lines = [{"item": RATED[0], "rater": "ann", "grade": grade, "policy_version": "v1"} for grade in (0, 1)]
    path = here / FOLDER / "ratings.jsonl"
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), "utf-8")
    ended = imported(table(here, f"item,rater,grade\n{RATED[1]},ann,1\n"))
    assert (ended.code, "by rater 'ann' is graded twice" in ended.err) == (2, True)
    assert ratings(here) == lines


def test_versions_of_one_rating_are_imported_together(here: Path) -> None:
    write_project(here)
    second_version(here)
    rows = f"{RATED[0]},ann,1,v1\n{RATED[0]},ann,2,v2\n{RATED[0]},ann,2,v2\n"
    path = table(here, "item,rater,grade,policy_version\n" + rows)
    assert "line 4: item" in imported(path).err
    path.write_text(path.read_text("utf-8").removesuffix(f"{RATED[0]},ann,2,v2\n"), "utf-8")
    assert imported(path).code == 0
    assert [(line["grade"], line["policy_version"]) for line in ratings(here)] == [(1, "v1"), (2, "v2")]


def test_reasonings_are_kept_and_one_that_is_missing_contradicts_nothing(here: Path) -> None:
    write_project(here)
    told = table(here, f'item,rater,grade,reasoning\n{RATED[0]},ann,1,"So, it is."\n')
    imported(told)
    assert ratings(here)[0]["reasoning"] == "So, it is."
    assert (
        "ratings that are there already: 1"
        in imported(table(here, f"item,rater,grade\n{RATED[0]},ann,1\n")).err
    )
    ended = imported(table(here, f"item,rater,grade,reasoning\n{RATED[0]},ann,1,No.\n"))
    assert (ended.code, "is there already with another reasoning" in ended.err) == (2, True)


def test_what_raters_are_is_never_guessed(here: Path) -> None:
    write_project(here)
    path = here / FOLDER / "raters.toml"
    path.write_text('# by hand\n[ann]\nkind = "llm"   # reads alone\n', "utf-8")
    rated = table(here, long("ann", "bob", "c d"))
    ended = imported(rated)
    assert "raters.toml does not say what these raters are: bob, c d; say it with --kind" in ended.err
    assert kinds(here) == {"ann": {"kind": "llm"}}
    ended = imported(rated, "--kind", "human")
    assert (ended.code, "ann: raters.toml says llm, --kind says human" in ended.err) == (2, True)
    assert imported(table(here, long("bob", "c d")), "--kind", "human", "--replace").code == 0
    assert kinds(here) == {"ann": {"kind": "llm"}, "bob": {"kind": "human"}, "c d": {"kind": "human"}}
    assert path.read_text("utf-8").startswith('# by hand\n[ann]\nkind = "llm"   # reads alone\n')


def test_items_that_the_golden_set_lacks_are_left_out_and_named(here: Path) -> None:
    write_project(here)
    ended = imported(table(here, f"item,rater,grade\n{RATED[0]},ann,1\n{RATED[1].upper()},ann,1\n"))
    assert ended.code == 0
    assert "left out: rated items that are not in the golden set: 1 of 2" in ended.err
    assert f"{RATED[1].upper()!r} here is likely {RATED[1]!r} in golden/small: capitals differ" in ended.err
    assert len(ratings(here)) == 1
    ended = imported(table(here, "item,rater,grade\nx,ann,1\ny,ann,1\n"))
    assert (ended.code, "rated items that are not in the golden set: 2 of 2" in ended.err) == (2, True)


def test_faults_of_the_table_come_together_and_nothing_is_written(here: Path) -> None:
    write_project(here)
    ended = imported(table(here, f"item,rater,grade\n{RATED[0]},ann,7\n{RATED[1]},ann,1\n{RATED[2]},ann,x\n"))
    assert ended.code == 2
    assert "line 2" in ended.err and "line 4" in ended.err
    assert "no rater 'eve'; there are: ann" in imported(table(here, long("ann")), "--rater", "eve").err
    assert ratings(here) == []
