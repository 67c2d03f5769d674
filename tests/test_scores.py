"""Scores of Langfuse and annotations of Phoenix as grades: known forms, what is a grade, whose it is."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_project
from exchanged import FILES, imported, lines

from harness.golden.rating.sheet import code_of
from harness.nouns.pair import Pair

STORY = [
    ("q1-0", 0, "0", 0, "another thing"),
    ("q1-0", 1, "1", 0, ""),
    ("q1-2", 0, "2", 0, ""),
    ("q1-2", 1, "2", 0, ""),
]
KNOWN = [
    ("langfuse/scores.csv", "langfuse", ["texts and corrections: 1", "without a grade: 1"]),
    ("langfuse/scores.json", "langfuse", ["texts and corrections: 1", "without a grade: 1"]),
    ("langfuse/blob.jsonl", "langfuse", ["without a grade: 1"]),
    ("langfuse/api.json", "langfuse", ["without a grade: 1"]),
    ("phoenix/annotations.json", "phoenix", ["without a grade: 1"]),
    ("phoenix/dataframe.jsonl", "phoenix", ["without a grade: 1"]),
    ("phoenix/dataframe.csv", "phoenix", ["without a grade: 1"]),
]
NAMES = [name for name, _, _ in KNOWN]


@pytest.mark.parametrize(("name", "format", "left_out"), KNOWN)
def test_files_of_both_tools_say_the_same(here: Path, name: str, format: str, left_out: list[str]) -> None:
    write_project(here)
    ended = imported(FILES / name, "--kind", "human", "--keep-names")
    assert ended.code == 0, ended.err
    assert ended.err.startswith(f"read as {format}\n")
    raters = {"ann@example.com": 0, "Bob": 1}
    found = [
        (one["item"], raters[one["rater"]], str(one["grade"]), one.get("repeat", 0), one.get("reasoning", ""))
        for one in lines(here)
    ]
    assert sorted(found) == STORY
    said = [
        line.removeprefix("left out, ") for line in ended.err.splitlines() if line.startswith("left out, ")
    ]
    assert sorted(said) == left_out
    assert all(one["at"].startswith("2026-11-0") for one in lines(here))


def golden(here: Path) -> Path:
    path = here / "golden.csv"
    path.write_text("item,grade\nq1-0,0\nq1-1,1\nq1-2,2\n", "utf-8")
    return path


@pytest.mark.parametrize("name", NAMES)
def test_both_gates_read_them_as_files_of_grades(here: Path, name: str) -> None:
    labels = ("--labels", "Grade 0=0,Grade 1=1,Grade 2=2")
    words = ("--grades", FILES / name, "--golden", golden(here), "--scale", "0-2", *labels, "--json")
    ended = harness("gate2", *words, "--rater", "ann@example.com")
    found = json.loads(ended.out)
    # An empty score is an answer that could not be read.
    assert (found["n"], found["accuracy"], found["outcomes"]) == (
        3, 1.0, {"graded": 2, "ungraded": 1, "failed": 0},
    )  # fmt: skip
    ended = harness("gate2", *words)
    assert (ended.code, "has several raters: Bob, ann@example.com" in ended.err) == (2, True)
    ended = harness("gate1", FILES / name, "--scale", "0-2", *labels, "--json")
    assert json.loads(ended.out)["raters"] == ["Bob", "ann@example.com"], ended.err


def row(**more: Any) -> dict[str, Any]:
    """A score of an evaluator, as the user interface of Langfuse exports it."""
    plain = {"id": "s", "traceId": "t", "source": "EVAL", "name": "relevance", "dataType": "NUMERIC"}
    return {**plain, "value": 1, "stringValue": None, "comment": None, "metadata": {}, **more}


def annotation(**more: Any) -> dict[str, Any]:
    """An annotation of a model, as Phoenix's API has it."""
    plain = {"span_id": "s", "name": "relevance", "annotator_kind": "LLM", "identifier": "", "user_id": None}
    return {**plain, "metadata": {"item": "q1-0"}, "result": {"score": 1.0, "label": None}, **more}


def graded(here: Path, rows: list[dict[str, Any]], *words: str) -> Any:
    path = here / "scores.json"
    path.write_text(json.dumps(rows), "utf-8")
    return harness("gate2", "--grades", path, "--golden", golden(here), "--scale", "0-2", "--json", *words)


def test_of_several_scores_the_grade_is_named_and_never_chosen(here: Path) -> None:
    rows = [
        row(name=name, value=value, metadata={"item": item})
        for name in ("relevance", "tone")
        for item, value in (("q1-0", 0), ("q1-1", 1), ("q1-2", 2))
    ]
    ended = graded(here, rows)
    assert ended.code == 2 and "which of its scores is the grade? there are: relevance, tone" in ended.err
    assert "name it: --columns grade=relevance" in ended.err
    ended = graded(here, rows, "--grades-columns", "grade=tone")
    assert json.loads(ended.out)["n"] == 3
    ended = graded(here, rows, "--grades-columns", "grade=mood")
    assert ended.code == 2 and "no score mood; there are: relevance, tone" in ended.err
    # A column that is there is read as in any table.
    ended = graded(here, rows[:3], "--grades-columns", "grade=value,item=metadata.item")
    assert json.loads(ended.out)["accuracy"] == 1.0


@pytest.mark.parametrize(
    ("said", "grade"),
    [
        ({"dataType": "BOOLEAN", "value": True}, 1),
        ({"dataType": "BOOLEAN", "value": 0, "stringValue": "False"}, 0),
        ({"dataType": "CATEGORICAL", "value": 0, "stringValue": "2"}, 2),
        ({"dataType": "CATEGORICAL", "value": "2"}, 2),
        ({"value": 2.0}, 2),
    ],
)
def test_a_score_is_what_its_kind_says(here: Path, said: dict[str, Any], grade: int) -> None:
    ended = graded(here, [row(**said, metadata={"item": f"q1-{grade}"})])
    assert json.loads(ended.out)["confusion"]["matrix"][grade][grade] == 1


def test_a_category_is_never_its_place_in_a_list(here: Path) -> None:
    ended = graded(
        here, [row(dataType="CATEGORICAL", value=1, stringValue="Partial", metadata={"item": "q1-1"})]
    )
    assert ended.code == 2 and "Partial" in ended.err


@pytest.mark.parametrize("value", [0.85, 7, "yes"])
def test_a_score_off_the_scale_is_bad_input(here: Path, value: object) -> None:
    assert graded(here, [row(value=value, metadata={"item": "q1-0"})]).code == 2
    assert graded(here, [annotation(result={"score": value})]).code == 2


def test_a_label_counts_where_there_is_no_score_or_where_it_is_explained(here: Path) -> None:
    ended = graded(here, [annotation(result={"score": None, "label": "2"}, metadata={"item": "q1-2"})])
    assert json.loads(ended.out)["accuracy"] == 1.0
    both = [annotation(result={"score": 0.5, "label": "relevant"}, metadata={"item": "q1-2"})]
    assert graded(here, both).code == 2
    assert json.loads(graded(here, both, "--labels", "relevant=2").out)["accuracy"] == 1.0


def test_who_gave_a_score(here: Path) -> None:
    write_project(here)
    path = here / "scores.json"
    told = [
        row(metadata={"item": "q1-0"}), row(source="API", metadata={"item": "q1-0"}),
        row(source="ANNOTATION", authorUserName="Bob", metadata={"item": "q1-0"}),
    ]  # fmt: skip
    path.write_text(json.dumps(told), "utf-8")
    assert imported(path, "--keep-names").code == 0
    assert [one["rater"] for one in lines(here)] == ["API", "Bob", "EVAL"]
    path.write_text(json.dumps([row(source="ANNOTATION", metadata={"item": "q1-1"})]), "utf-8")
    ended = imported(path, "--keep-names")
    assert ended.code == 2 and "does not say who rated; name the one who did: --rater NAME" in ended.err
    assert imported(path, "--keep-names", "--rater", "cy").code == 0
    given = [
        annotation(),
        annotation(identifier="judge-2"),
        annotation(annotator_kind="HUMAN", identifier="di"),
    ]
    path.write_text(json.dumps(given), "utf-8")
    assert imported(path, "--keep-names").code == 0
    assert {one["rater"] for one in lines(here)} == {"API", "Bob", "EVAL", "cy", "LLM", "judge-2", "di"}


def test_a_score_of_a_trace_of_ours_tells_its_pair(here: Path) -> None:
    write_project(here)
    first = next(line for line in examples() if line["id"] == "q1-0")
    code = code_of(Pair.model_validate({"query": first["query"], "result": first["result"]}))
    path = here / "scores.json"
    path.write_text(json.dumps([row(traceId=code + "0" * 22)]), "utf-8")
    assert imported(path).code == 0
    path.write_text(json.dumps([annotation(span_id=code + "0" * 6, metadata=None)]), "utf-8")
    assert imported(path).code == 0
    assert [(one["item"], one["rater"]) for one in lines(here)] == [("q1-0", "EVAL"), ("q1-0", "LLM")]
    path.write_text(json.dumps([row(traceId="f" * 32)]), "utf-8")
    assert "f" * 32 in imported(path).err


def test_a_page_of_several_is_not_taken_for_all(here: Path) -> None:
    write_project(here)
    path = here / "scores.json"
    for more in ({"meta": {"totalPages": 2}}, {"next_cursor": "abc"}, {"meta": {"cursor": "abc"}}):
        path.write_text(json.dumps({"data": [row(metadata={"item": "q1-0"})], **more}), "utf-8")
        assert (imported(path).code, "is one page of several" in imported(path).err) == (2, True)
        ended = harness("gate2", "--grades", path, "--golden", golden(here), "--scale", "0-2")
        assert (ended.code, "is one page of several" in ended.err) == (2, True)


@pytest.mark.parametrize(
    "rows",
    [
        [{"score_name": "relevance", "score_value": 1, "trace": "q1-0"}],
        [{"name": "relevance", "value": 1, "item": "q1-0"}],
        [{"span_id": "s", "label": "2", "score": 2}],
        {"scores": [{"name": "relevance", "value": 1, "source": "API", "dataType": "NUMERIC"}]},
    ],
)
def test_an_unknown_form_is_named_and_not_read_as_the_nearest(here: Path, rows: Any) -> None:
    write_project(here)
    path = here / "scores.json"
    path.write_text(json.dumps(rows), "utf-8")
    ended = imported(path)
    assert ended.code == 2 and "has an unknown form" in ended.err
    assert harness("gate2", "--grades", path, "--golden", golden(here), "--scale", "0-2").code == 2
    for tool in ("langfuse", "phoenix"):
        assert imported(path, "--from", tool).code == 2


def test_a_table_of_grades_is_one_whatever_else_it_has(here: Path) -> None:
    rows = [{**row(), "item": "q1-2", "grade": 2}, {**annotation(), "item": "q1-1", "grade": 1}]
    for one in rows:
        assert json.loads(graded(here, [one]).out)["accuracy"] == 1.0


def test_nothing_is_written_for_them(here: Path) -> None:
    write_project(here)
    for tool, title in (("langfuse", "Langfuse"), ("phoenix", "Phoenix")):
        ended = harness(
            "ratings", "export", "--policy", "small", "--to", tool, "--pairs", "-o", here / "x.dat"
        )
        assert (ended.code, f"{title} takes no file of pairs or ratings" in ended.err) == (2, True)
        assert not (here / "x.dat").exists()


def test_metadata_in_a_cell_that_is_no_json_is_passed_over(here: Path) -> None:
    write_project(here)
    path = here / "scores.csv"
    for metadata in ("{broken", "[1]", "", '{"item": "q1-0"}'):
        with path.open("w", encoding="utf-8", newline="") as file:
            table = csv.DictWriter(file, row())
            table.writeheader()
            table.writerow(row(metadata=metadata))
        ended = imported(path, "--dry-run", "--replace")
        assert (ended.code == 0) == ("q1-0" in metadata)
        assert ("('t' here" in ended.err) == (ended.code == 2)
