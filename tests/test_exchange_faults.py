"""Files of ratings that are odd, damaged or hostile: named by place, all at once, and never guessed."""

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from builders import examples, write_golden, write_project
from exchanged import FILES, imported, lines

from harness.errors import BadInput
from harness.golden.rating.exchange.responses import MOST_JSON, json_of

CODES = {"q1-0": "1e2bebe16f", "q1-1": "975173ca36", "q1-2": "a4cb15ac43"}


def choice(name: str, *texts: Any) -> dict[str, Any]:
    return {"from_name": name, "to_name": "shown", "type": "choices", "value": {"choices": [*texts]}}


def task(number: int, *annotations: dict[str, Any], **data: Any) -> dict[str, Any]:
    return {"id": number, "data": {"pair": CODES["q1-0"], **data}, "annotations": [*annotations]}


def annotation(number: int, *results: Any, by: Any = 1, **more: Any) -> dict[str, Any]:
    return {"id": number, "completed_by": by, "result": [*results], **more}


def written(here: Path, content: Any, name: str = "x.json") -> Path:
    path = here / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return path


def test_every_fault_of_a_file_is_told_at_once(here: Path) -> None:
    write_project(here)
    grade = choice("grade", "1")
    path = written(
        here,
        [
            task(
                1,
                annotation(1, choice("grade", "1", "2")),
                annotation(2, grade, choice("cannot", "policy_silent")),
            ),
            task(2, annotation(3, grade, lead_time="long"), {"id": 4, "result": grade, "completed_by": 1}),
            {"id": 3, "data": "text", "annotations": []},
            7,
            task(5, annotation(5, choice("grade", "9")), annotation(6, choice("grade", "Great"))),
            task(
                6,
                annotation(7, choice("cannot", "tired")),
                annotation(1, grade),
                annotation(8, grade, by=None),
            ),
            task(7, annotation(9, choice("grade", "Great")), policy="big@v1"),
            task(8, annotation(10, grade), policy="small@v9"),
        ],
    )
    ended = imported(path)
    assert ended.code == 2
    for fault in (
        "task 1, annotation 1: grade: 2 answers (1, 2); expected one",
        "task 1, annotation 2: a grade ('1') and why there is none ('policy_silent'); keep one of them",
        "task 2: annotations[1].lead_time: input should be a valid number",
        "task 2: annotations[2].result: expected a list, not ",
        "task 3: data: expected an object (keys with values), not ",
        "task 4: expected an object (keys with values), not ",
        "task 5, annotation 5: grade: 9 is not on the scale 0-2",
        "task 5, annotation 6: grade: 'Great' is not a grade",
        'x.json: say which grade each word means: --labels "Great=N"',
        "task 6, annotation 7: cannot: 'tired' is none of our causes: ambiguous_text, policy_silent",
        f"task 6, annotation 1: comes twice (first: {path}, task 1, annotation 1); export the file again",
        "task 6, annotation 8: does not say who rated; name the one who did: --rater NAME",
        "task 7, annotation 9: rated under big@v1, not under small: import it with --policy big@v1",
    ):
        assert fault in ended.err, ended.err
    assert lines(here) == []
    ended = imported(written(here, [task(8, annotation(10, grade), policy="small@v9")]))
    assert "policy_version 'v9': small has no such version; there are: v1" in ended.err


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("x.json", "[" * 100_000, "not JSON"),
        ("x.json", '{"a":' * 100_000, "not JSON"),
        ("x.json", '[{"id": 1, "id": 2}]', "key 'id' given twice"),
        ("x.json", "[]", "an unknown form: an empty list; name its format: --from label-studio, "),
        ("x.json", [{"text": "a", "label": "b"}], "form: a list of objects with text, label;"),
        ("x.json", {"examples": []}, "has an unknown form: an object with examples;"),
        ("x.json", 3, "has an unknown form: a int;"),
        ("x.jsonl", '{"text": "a", "label": 1}\n', "no column for item"),
        ("x.csv", "query,docid,ann\na,b,1\n", "no column for item"),
        ("x.csv", "", "holds no"),
        ("x.bin", "a", "unknown format '.bin'"),
    ],
)  # fmt: skip
def test_an_unknown_form_is_named_and_read_as_no_other(
    here: Path, name: str, content: Any, said: str
) -> None:
    write_project(here)
    ended = imported(written(here, content, name))
    assert (ended.code, said in ended.err) == (2, True), ended.err


@pytest.mark.parametrize("name", ["label-studio", "argilla", "quepid", "potato", "mturk", "prolific"])
def test_a_file_of_another_tool_is_refused_by_each_reader(here: Path, name: str) -> None:
    write_project(here)
    for number, content in enumerate(("[]", "{}", "3", '[{"x": 1}]', "item,rater,grade\nq1-0,ann,1\n")):
        path = written(here, content, f"{number}.{'csv' if 'item' in content else 'json'}")
        ended = imported(path, "--from", name)
        assert ended.code == 2 and "Traceback" not in ended.err and str(path) in ended.err, ended.err
    (here / "empty").mkdir()
    assert imported(here / "empty").err.startswith(f"error: {here / 'empty'}: is a folder, and not Potato's")


def test_which_control_is_the_grade_is_asked_and_can_be_said(here: Path) -> None:
    write_project(here)
    path = written(here, [task(1, annotation(1, choice("relevance", "1")))])
    ended = imported(path)
    assert (
        "which of its questions is the grade? there are: relevance; name it: --columns grade=relevance"
        in ended.err
    )
    assert imported(path, "--columns", "grade=relevance").code == 0
    assert [(one["rater"], one["grade"]) for one in lines(here)] == [("label-studio-1", 1)]


@pytest.mark.parametrize(
    ("text", "words", "grade"),
    [
        ("0", (), 0), ("2.0", (), 2), ("Grade 1", (), 1), ("grade 1", (), 1), ("2 Grade 2", (), 2),
        ("Exact", ("--labels", "Exact=2"), 2), ("Grade 1", ("--labels", "Grade 1=0"), 0),
    ],
)  # fmt: skip
def test_grades_are_numbers_the_policys_words_or_labels(
    here: Path, text: str, words: tuple[str, ...], grade: int
) -> None:
    write_project(here)
    assert imported(written(here, [task(1, annotation(1, choice("grade", text)))]), *words).code == 0
    assert [one["grade"] for one in lines(here)] == [grade]


def rating(value: Any) -> dict[str, Any]:
    return {"from_name": "grade", "type": "rating", "value": {"rating": value}}


def test_stars_and_numbers_are_grades_and_zero_is_one(here: Path) -> None:
    write_project(here)
    number = {"from_name": "grade", "type": "number", "value": {"number": 0}}
    path = written(here, [task(1, annotation(1, rating(2)), annotation(2, number, by=2))])
    assert imported(path).code == 0
    assert [one["grade"] for one in lines(here)] == [2, 0]
    state = {"user_id": "eve", "instance_id_to_label_to_value": {
        CODES["q1-0"]: [[{"schema": "grade", "name": "slider"}, 0]],
        CODES["q1-1"]: [[{"schema": "grade", "name": "scale_2"}, "2"]],
        CODES["q1-2"]: {"grade": {"1": True, "0": False}},
    }}  # fmt: skip
    assert imported(written(here, state, "user_state.json")).code == 0
    assert [one["grade"] for one in lines(here) if one["rater"] == "eve"] == [0, 2, 1]


def test_annotations_that_began_as_predictions_are_said(here: Path) -> None:
    write_project(here)
    path = written(here, [task(1, annotation(1, choice("grade", "1"), parent_prediction=3))])
    assert (
        "warning: 1 of the annotations began as a model's prediction: they are not blind"
        in imported(path).err
    )


def test_a_machine_among_potatos_raters_is_said(here: Path) -> None:
    write_project(here)
    state = {
        "user_id": "bot",
        "origin": {"kind": "llm"},
        "instance_id_to_label_to_value": {CODES["q1-0"]: {"grade": {"1": "1"}}},
    }
    assert "Potato says that bot is a machine" in imported(written(here, state)).err


def by_text(query: str, title: str) -> dict[str, Any]:
    return {
        "id": 1,
        "data": {"query": query, "title": title},
        "annotations": [annotation(1, choice("grade", "1"))],
    }


def test_pairs_join_by_their_texts_where_there_is_no_code(here: Path) -> None:
    golden = examples()
    golden.append({**golden[4], "id": "other", "result": {**golden[4]["result"], "brand": "x"}})
    write_project(here, golden=golden)
    assert imported(written(here, [by_text("Blue  LAMP", "something else 1x0, entirely")])).code == 0
    assert [one["item"] for one in lines(here)] == ["q1-0"]
    ended = imported(written(here, [by_text("blue lamp", "blue lamp model 1x1")]))
    assert ended.code == 2 and "blue lamp model 1x1 (several pairs have this query and title)" in ended.err
    ended = imported(written(here, [by_text("blue lamp", "nothing")]))
    assert "rated items that are not in the golden set: 1 of 1 ('blue lamp | nothing' here" in ended.err


def test_ids_that_do_not_meet_are_left_out_with_the_likeliest_reason(here: Path) -> None:
    write_project(here)
    tasks = [
        task(number, annotation(number, choice("grade", "1")), pair="", item=id_)
        for number, id_ in enumerate(("q1-0", "Q1-2"))
    ]
    ended = imported(written(here, tasks))
    assert (
        "not in the golden set: 1 of 2 ('Q1-2' here is likely 'q1-2' in golden/small: capitals differ)"
        in ended.err
    )
    assert [one["item"] for one in lines(here)] == ["q1-0"]


def test_ids_that_meet_by_chance_are_refused(here: Path) -> None:
    write_project(here)
    tasks = [
        {
            "id": 1,
            "data": {"item": "q1-0", "query": "a boat"},
            "annotations": [annotation(1, choice("grade", "1"))],
        }
    ]
    assert "have the id of something else" in imported(written(here, tasks)).err
    assert lines(here) == []


def test_answers_about_one_pair_are_counted_by_time(here: Path) -> None:
    write_project(here)
    times = ("2026-11-03", "2026-11-01", "2026-11-02")
    given = [annotation(n, choice("grade", str(n)), created_at=at) for n, at in enumerate(times)]
    # The last two are in another task about the same pair.
    assert imported(written(here, [task(1, given[0]), task(2, *given[1:])])).code == 0
    assert [(one.get("repeat", 0), one["grade"]) for one in lines(here)] == [(0, 1), (1, 2), (2, 0)]


def test_two_answers_with_one_number_are_refused(here: Path) -> None:
    write_project(here)
    labels = {"user_id": "ann", "instance_id": f"{CODES['q1-0']}.1"}
    lines_ = [{**labels, "labels": {"grade": {grade: grade}}} for grade in "01"]
    path = written(here, "".join(json.dumps(line) + "\n" for line in lines_), "x.jsonl")
    assert f"line 2: item 'q1-0' by rater 'ann' is rated twice (first: {path}, line 1)" in imported(path).err
    assert imported(written(here, json.dumps(lines_[0]), "x.jsonl")).code == 0
    assert [(one["repeat"], one["grade"]) for one in lines(here)] == [(1, 0)]


def test_other_ratings_give_way_only_on_demand(here: Path) -> None:
    write_project(here)
    imported(written(here, [task(1, annotation(1, choice("grade", "1")))]))
    changed = written(here, [task(1, annotation(1, choice("cannot", "policy_silent")))])
    ended = imported(changed)
    assert (
        ended.code == 2
        and "is there already with grade 1, here cannot: policy_silent; --replace" in ended.err
    )
    assert imported(changed, "--replace").code == 0
    assert [one.get("cannot") for one in lines(here)] == ["policy_silent"]


def test_a_table_says_why_there_is_no_grade(here: Path) -> None:
    write_project(here)
    head = "item,rater,grade,cannot,milliseconds\n"
    bad = "q1-0,ann,1,policy_silent,\nq1-1,ann,,tired,\nq1-2,ann,1,,soon\n"
    ended = imported(written(here, head + bad, "x.csv"))
    assert "line 4: milliseconds: 'soon' is not a time" in ended.err
    ended = imported(written(here, head + bad.replace("soon", ""), "x.csv"))
    assert "line 2: has a grade, and says in `cannot` why there is none" in ended.err
    assert "line 3: cannot: 'tired' is none of our causes" in ended.err
    ended = imported(written(here, head + "q1-0,ann,1,,5\nq1-1,ann,,policy_silent,7\nq1-2,ann,,,\n", "x.csv"))
    assert ended.code == 0
    assert [(one.get("grade"), one.get("cannot"), one["milliseconds"]) for one in lines(here)] == [
        (1, None, 5), (None, "policy_silent", 7),
    ]  # fmt: skip


def test_forms_of_mturks_answers(here: Path) -> None:
    write_project(here)
    with (FILES / "mturk/batch_results.csv").open(newline="", encoding="utf-8") as file:
        row = next(csv.DictReader(file))
    for number, answers in enumerate(
        (
            {"Answer.grade.label": "2"},
            {"Answer.grade.1": "false", "Answer.grade.2": "true"},
            {"Answer.taskAnswers": '[{"grade": {"label": "2"}, "reasoning": ""}]'},
            {"Answer.taskAnswers": '[{"grade": {"1": false, "2": true}}]'},
        )
    ):
        cells = {name: cell for name, cell in row.items() if not name.startswith("Answer.")}
        with (here / "x.csv").open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, [*cells, *answers])
            writer.writeheader()
            writer.writerow({**cells, **answers, "WorkerId": f"A{number}"})
        assert imported(here / "x.csv", "--keep-names").code == 0
    assert [one["grade"] for one in lines(here)] == [2, 2, 2, 2]


def test_argillas_columns_must_fit_each_other(here: Path) -> None:
    write_project(here)
    flat = {
        "id": CODES["q1-0"],
        "grade.responses": ["1"],
        "grade.responses.users": ["a", "b"],
        "grade.responses.status": [],
    }
    ended = imported(written(here, [flat]))
    assert f"record {CODES['q1-0']}: grade: expected equally many values, users and statuses" in ended.err
    two = {
        "id": 1,
        "fields": {},
        "responses": {"grade": [{"value": "1", "user_id": "a"}, {"value": "2", "user_id": "a"}]},
    }
    assert (
        "record 1: grade: two responses of the user a; export the records again"
        in imported(written(here, [two])).err
    )
    names = {"fields": [{}, {}], "responses": [{}], "id": ["a", "b"]}
    assert "its columns are not equally long" in imported(written(here, names)).err


def test_a_long_file_is_read(here: Path) -> None:
    write_golden_of = examples(queries=400)
    write_project(here)
    write_golden(here, write_golden_of)
    rated = [line for line in write_golden_of if line["split"] != "shots"]
    tasks = [
        {"id": number, "data": {"item": line["id"]}, "annotations": [
            annotation(number * 10 + by, choice("grade", str(line["grade"])), by=by) for by in range(3)
        ]}
        for number, line in enumerate(rated)
    ]  # fmt: skip
    assert imported(written(here, tasks)).code == 0
    assert len(lines(here)) == 3 * len(rated)


@pytest.mark.parametrize(("more", "said"), [(0, "not JSON"), (1, "import it in parts")])
def test_a_json_file_that_memory_would_not_hold_is_refused(tmp_path: Path, more: int, said: str) -> None:
    path = tmp_path / "out.json"
    with path.open("wb") as file:
        file.truncate(MOST_JSON + more)
    with pytest.raises(BadInput, match=said):
        json_of(path)
