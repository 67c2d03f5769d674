"""Many golden grades at once: `harness golden regrade --file`."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_golden, write_project

SAID = "The result is a lace, which goes with the thing asked for and is not the thing."


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a second version; the examples of q0 to q3 have no reasoning."""
    golden = [one if at >= 12 else {**one, "reasoning": ""} for at, one in enumerate(examples())]
    write_project(tmp_path, golden=golden)
    text = (tmp_path / "policies/small/v1.toml").read_text("utf-8").replace('"v1"', '"v2"')
    (tmp_path / "policies/small/v2.toml").write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def lines(root: Path) -> dict[str, dict[str, Any]]:
    text = (root / "golden/small/examples.jsonl").read_text(encoding="utf-8")
    return {one["id"]: one for one in map(json.loads, text.splitlines())}


def regrade(name: str, text: str, *words: str, policy: str = "small@v2") -> Any:
    Path(name).write_text(text, encoding="utf-8")
    return harness("golden", "regrade", "--file", name, "--policy", policy, *words)


def test_a_table_of_bare_grades_regrades_bare_examples(here: Path) -> None:
    before = lines(here)
    ended = regrade("new.csv", "item,grade\nq0-0,1\nq1-1,2\n", "--why", "read again", "--json")
    assert ended.code == 0, ended.err
    assert ended.json["regraded"] == ["q0-0", "q1-1"] and "q0-0" not in ended.json["left"]
    now = lines(here)
    assert (now["q0-0"]["grade"], now["q1-1"]["grade"]) == (1, 2)
    (past,) = now["q1-1"]["history"]
    assert (past["grade"], past["why"], past["policy_version"]) == (1, "read again", "v1")
    assert {id_ for id_, one in now.items() if one != before[id_]} == {"q0-0", "q1-1"}
    again = regrade("new.csv", "item,grade\nq0-0,1\nq1-1,2\n", "--why", "read again")
    assert again.code == 0 and again.out.count("as it was") == 2
    assert lines(here) == now


def test_rows_bring_reasoning_clauses_and_why_of_their_own(here: Path) -> None:
    rows = [
        {"id": "q5-2", "grade": 1, "reasoning": SAID, "clauses": ["accessory"], "why": "it is a lace"},
        {"id": "q0-1", "grade": 0, "clauses": []},
    ]
    text = "".join(json.dumps(row) + "\n" for row in rows)
    assert regrade("new.jsonl", text, "--why", "the others").code == 0
    one, other = (lines(here)[id_] for id_ in ("q5-2", "q0-1"))
    assert (one["grade"], one["reasoning"], one["clauses"]) == (1, SAID, ["accessory"])
    assert (one["history"][0]["why"], other["history"][0]["why"]) == ("it is a lace", "the others")


def test_every_fault_of_every_row_is_named_and_nothing_is_written(here: Path) -> None:
    before = (here / "golden/small/examples.jsonl").read_bytes()
    rows = (
        "q0-0,1,,ok", "q0-0,2,,ok", "nope,1,,ok", "q0-1,9,,ok", "q0-2,,,ok", "nowhere,8,,ok", ",1,,ok",
        "q1-0,good,,ok", "q5-2,1,,ok", "q1-2,2,accessory,ok", "q1-1,2,nowhere,",
    )  # fmt: skip
    ended = regrade("new.csv", "item,grade,clauses,why\n" + "\n".join(rows) + "\n")
    assert ended.code == 2
    told = " ".join(ended.err.split())
    for where, what in (
        (3, "'q0-0' is graded twice (first: new.csv, line 2)"),
        (4, "nope: not an example or canary of this set"),
        (5, "grade: 9 is not on the scale 0-2"),
        (6, "no grade"),
        (7, "nowhere: not an example or canary of this set"),
        (7, "grade: 8 is not on the scale 0-2"),
        (8, "no item"),
        (9, "grade: 'good' is not a grade"),
        (10, "q5-2: no reasoning; give --reasoning: the one that is there leads to the grade before"),
        (11, "q1-2: grade 2, but accessory allows at most 1"),
        (12, "q1-1: cites the clause 'nowhere', unknown in small@v2"),
        (12, "q1-1: no reason; give --why"),
    ):
        assert f"new.csv, line {where}" in told and what in told, what
    assert (here / "golden/small/examples.jsonl").read_bytes() == before


@pytest.mark.parametrize(
    ("words", "what"),
    [
        (("q0-0",), "ID: with --file, they are columns of the file"),
        (("--grade", "1"), "--grade: with --file, they are columns of the file"),
    ],
)
def test_an_option_that_a_file_has_a_column_for_is_refused(
    here: Path, words: tuple[str, ...], what: str
) -> None:
    assert what in regrade("new.csv", "item,grade\nq0-0,1\n", *words).err


def test_without_a_file_an_example_and_its_grade_are_named(here: Path) -> None:
    assert "ID --grade N --why TEXT; or many, --file FILE" in harness("golden", "regrade", "q0-0").err
    assert "goes with --file" in harness("golden", "regrade", "q0-0", "--grade", "1", "--format", "csv").err
    assert "holds no rows" in regrade("new.csv", "item,grade\n").err


def test_one_bare_example_is_regraded_without_a_reasoning(here: Path) -> None:
    words = ("--policy", "small@v2", "--grade", "1", "--why", "read again")
    assert harness("golden", "regrade", "q0-0", *words).code == 0
    assert lines(here)["q0-0"]["grade"] == 1
    assert "the one that is there leads to the grade before" in harness(
        "golden", "regrade", "q5-0", *words
    ).err.replace("\n", " ")


def test_headers_of_its_own_are_mapped(here: Path) -> None:
    text = "pair,label,because\nq0-0,1,a lace\n"
    assert regrade("new.csv", text, "--columns", "item=pair,grade=label,why=because").code == 0
    assert lines(here)["q0-0"]["history"][0]["why"] == "a lace"


def test_a_golden_set_that_was_exported_and_edited_comes_back(here: Path) -> None:
    golden = examples()
    write_golden(here, golden)
    edited = [{**one, "grade": 1, "reasoning": SAID} if one["id"] == "q2-2" else one for one in golden]
    text = "".join(json.dumps(one) + "\n" for one in edited)
    ended = regrade("new.jsonl", text, "--why", "read again", "--json", policy="small@v1")
    assert ended.json["regraded"] == ["q2-2"]
