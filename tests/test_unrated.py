"""Pairs that a rater could not rate: lines of ratings.jsonl that are counted, and never a grade."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from oracle import only_run

from harness.errors import BadInput
from harness.golden.examples import load_examples
from harness.golden.rating.ratings import add_ratings, load_said, rated_under
from harness.nouns.pair import Example, Rating, Unrated
from harness.policy.load import load_policy, policy_digest
from harness.runs.folder import load_run
from harness.score.gate1_warnings import mostly_hard
from harness.scorecards.gate1 import CouldNotRate

RATINGS = "golden/small/ratings.jsonl"


def rated(here: Path, *more: dict[str, Any]) -> Path:
    """A project whose golden grades two raters repeat, and further lines."""
    write_project(here, golden=examples(queries=16))
    kept = [line for line in examples(queries=16) if line["split"] != "shots"]
    lines = [
        {"item": line["id"], "rater": rater, "grade": line["grade"], "policy_version": "v1"}
        for line in kept
        for rater in ("ann", "bob")
    ]
    path = here / RATINGS
    path.write_text("".join(json.dumps(line) + "\n" for line in [*lines, *more]), encoding="utf-8")
    (here / "golden/small/raters.toml").write_text(
        "".join(f'[{name}]\nkind = "human"\n' for name in ("ann", "bob", "cy")), encoding="utf-8"
    )
    return path


def cannot(item: str, cause: str = "policy_silent", rater: str = "cy", **more: Any) -> dict[str, Any]:
    return {"item": item, "rater": rater, "cannot": cause, "policy_version": "v1", **more}


def test_gate1_counts_them_by_cause_and_rater_and_changes_no_figure(here: Path) -> None:
    path = rated(here)
    before = harness("gate1", "--policy", "small", "--json").json
    assert (before["cannot"], before["cannot_by_rater"]) == ({}, [])
    with path.open("a", encoding="utf-8") as file:
        for line in (
            cannot("q1-0"),
            cannot("q1-1", "ambiguous_text"),
            cannot("q1-2"),
            cannot("q9-0", rater="dan"),
        ):
            file.write(json.dumps(line) + "\n")
    after = harness("gate1", "--policy", "small", "--json").json
    assert after["cannot"] == {"ambiguous_text": 1, "policy_silent": 3}
    assert after["cannot_by_rater"] == [
        {"rater": "cy", "n": 3, "causes": {"ambiguous_text": 1, "policy_silent": 2}},
        {"rater": "dan", "n": 1, "causes": {"policy_silent": 1}},
    ]
    assert {**after, "cannot": {}, "cannot_by_rater": []} == before
    told = " ".join(harness("gate1", "--policy", "small").out.split())
    assert "Could not be rated, and is not counted in any figure: 4 ratings" in told
    assert "(ambiguous text 1, policy silent 3; by cy 3, dan 1)" in told


def test_only_the_first_reading_counts(here: Path) -> None:
    """A grade after `cannot` is no first reading; `cannot` after a grade is no first reading either."""
    first = {"item": "q1-0", "rater": "cy", "grade": 0, "policy_version": "v1"}
    more = [
        first,
        cannot("q1-0", repeat=1),
        cannot("q1-1"),
        cannot("q1-1", "ambiguous_text", repeat=2),
        {**first, "item": "q1-1", "repeat": 1},
    ]
    path = rated(here, *more)
    policy = load_policy(here / "policies/small/v1.toml")
    taken = [
        (one.item, one.repeat)
        for one in rated_under(path, policy, load_examples(path.with_name("examples.jsonl"), policy)).ratings
        if one.rater == "cy"
    ]
    assert taken == [("q1-0", 0)]
    assert harness("gate1", "--policy", "small", "--json").json["cannot"] == {"policy_silent": 1}


@pytest.mark.parametrize(("hard", "said"), [(3, False), (4, True)])
def test_who_could_not_rate_a_tenth_is_named(here: Path, hard: int, said: bool) -> None:
    path = rated(here)
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 72, "36 items"
    items = [line["item"] for line in lines if line["rater"] == "ann"][:hard]
    kept = [line for line in lines if line["rater"] != "ann" or line["item"] not in items]
    kept += [cannot(item, rater="ann") for item in items]
    path.write_text("".join(json.dumps(line) + "\n" for line in kept), encoding="utf-8")
    warnings = harness("gate1", "--policy", "small", "--json").json["warnings"]
    words = (
        f"ann could not rate {hard} of 36 items: agreement is about the others, which may be the easy ones"
    )
    assert (words in warnings) is said


@pytest.mark.parametrize(
    ("hard", "graded", "said"), [(1, 9, True), (1, 10, False), (10, 90, True), (10, 91, False)]
)
def test_a_tenth_is_much(hard: int, graded: int, said: bool) -> None:
    first = [Rating(item=f"i{at}", rater="ann", grade=0) for at in range(graded)]
    told = list(mostly_hard([CouldNotRate(rater="ann", n=hard, causes={"policy_silent": hard})], first))
    assert bool(told) is said
    assert not list(mostly_hard([CouldNotRate(rater="bob", n=hard, causes={})], first)), "who graded nothing"


def test_a_run_keeps_them_and_its_page_says_so(here: Path) -> None:
    rated(here, cannot("q1-0"))
    assert harness("eval", "--policy", "small", "--model", "builtin/majority").code in (0, 1, 3)
    run = load_run(only_run(here))
    assert [(one.item, one.cannot) for one in run.unrated] == [("q1-0", "policy_silent")]
    assert "cy" not in {one.rater for one in run.ratings}
    assert harness("report", "latest").code == 0
    page = (only_run(here) / "report.html").read_text(encoding="utf-8")
    said = "Could not be rated, and is not counted in any figure: 1 rating (policy silent 1; by cy 1)."
    assert said in page


def test_every_bad_line_is_named(here: Path) -> None:
    path = rated(
        here, {**cannot("q1-0"), "grade": 1}, cannot("q1-1", "tired"), {"item": "q1-2", "rater": "cy"}
    )
    count = len(path.read_text(encoding="utf-8").splitlines())
    ended = harness("gate1", "--policy", "small")
    assert ended.code == 2
    assert f"line {count - 2}: has a grade and `cannot`: keep the one that holds" in ended.err
    assert f"line {count - 1}: cannot: input should be" in ended.err
    assert f"line {count}: grade: missing" in ended.err


def test_an_item_that_is_not_there_is_an_error_of_lint(here: Path) -> None:
    rated(here, cannot("nowhere"))
    assert "nowhere: rated, but not in the golden set" in harness("golden", "lint", "--policy", "small").out


def test_agreement_on_items_that_the_golden_set_lacks_is_none(here: Path) -> None:
    """Two raters who agree on a thousand invented items have not agreed on one golden item more."""
    path = rated(here)
    before = harness("gate1", "--policy", "small", "--json").json
    invented = [
        {"item": f"x{at}", "rater": rater, "grade": at % 3, "policy_version": "v1"}
        for at in range(1000)
        for rater in before["raters"]
    ]
    with path.open("a", encoding="utf-8") as file:
        file.writelines(json.dumps(line) + "\n" for line in invented)
    after = harness("gate1", "--policy", "small", "--json").json
    assert "left out: 1,000 rated items that the golden set lacks (x0, x1," in " ".join(after["warnings"])
    assert {**after, "warnings": []} == {**before, "warnings": []}


def test_adding_replaces_a_grade_by_a_cause_and_back(tmp_path: Path) -> None:
    path = tmp_path / "ratings.jsonl"
    grade = Rating(item="a", rater="ann", grade=1, policy_version="v1")
    cause = Unrated(item="a", rater="ann", cannot="not_enough_shown", policy_version="v1")
    assert add_ratings(path, [grade]).added == {"v1": 1}
    assert add_ratings(path, [cause]).replaced == 1
    assert load_said(path) == [cause]
    assert add_ratings(path, [cause]).same == 1
    assert add_ratings(path, [grade]).replaced == 1
    assert load_said(path) == [grade]
    path.write_text(path.read_text() + cause.model_dump_json(exclude_defaults=True) + "\n", encoding="utf-8")
    with pytest.raises(BadInput, match="item 'a' by rater 'ann' is graded twice"):
        add_ratings(path, [])


def test_an_import_keeps_them_and_says_where_it_contradicts(here: Path) -> None:
    path = rated(here, cannot("q1-0"))
    table = here / "new.csv"
    table.write_text("item,rater,grade\nq1-0,cy,2\nq1-1,cy,2\n", encoding="utf-8")
    ended = harness("ratings", "import", table, "--policy", "small")
    assert ended.code == 2
    assert "is there already with cannot: policy_silent, here 2; --replace takes this one" in ended.err
    table.write_text("item,rater,grade\nq1-1,cy,2\n", encoding="utf-8")
    assert harness("ratings", "import", table, "--policy", "small").code == 0
    assert sum(isinstance(one, Unrated) for one in load_said(path)) == 1


def test_a_collected_sheet_notes_the_policy_as_it_read(here: Path) -> None:
    write_project(here)
    policy = load_policy(here / "policies/small/v1.toml")
    some = next(line for line in examples() if line["split"] != "shots")
    code = Example.model_validate(some).pair.digest.removeprefix("sha256:")[:10]
    sheet = here / "ann.jsonl"
    sheet.write_text(json.dumps({"pair": code, "policy": "small@v1", "grade": 1}) + "\n", encoding="utf-8")
    assert harness("golden", "collect", sheet, "--policy", "small", "--rater", "ann").code == 0
    assert [one.policy_digest for one in load_said(here / RATINGS)] == [policy_digest(policy)]
    # Rated again when the policy read otherwise, with the same grade: that is another rating.
    path = here / "policies/small/v1.toml"
    path.write_text(path.read_text(encoding="utf-8").replace("Said.", "Said otherwise."), encoding="utf-8")
    again = harness("golden", "collect", sheet, "--policy", "small", "--rater", "ann")
    assert "replaced: 1" in again.err
    assert [one.policy_digest for one in load_said(here / RATINGS)] == [policy_digest(load_policy(path))]
    assert (
        "are there already: 1"
        in harness("golden", "collect", sheet, "--policy", "small", "--rater", "ann").err
    )


def test_a_file_of_ratings_with_causes_is_read_as_a_table_without_those_lines(here: Path) -> None:
    path = rated(here)
    before = harness("gate1", path, "--policy", "small", "--json").json
    with path.open("a", encoding="utf-8") as file:
        file.write(json.dumps(cannot("q1-0", rater="ann", repeat=1)) + "\n")
    assert harness("gate1", path, "--policy", "small", "--json").json == before
    assert harness("eval", "--policy", "small", "--model", "builtin/majority").code in (0, 1, 3)
    assert harness("gate2", "latest", "--ratings", path).code in (0, 1, 3)
