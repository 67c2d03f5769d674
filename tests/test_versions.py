"""Golden files that hold grades of several policy versions: each version is held against its own."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_golden, write_project

from harness.errors import BadInput
from harness.golden.grade_rows import GradedRow
from harness.golden.grade_tables import read_golden_grades
from harness.storage.tables import Layout, parse_columns

NOW = {"grade": 2, "reasoning": "now", "clauses": ["plain"], "policy_version": "v3"}
THEN = {"policy_version": "v1", "grade": 1, "reasoning": "then", "clauses": ["accessory"]}


def row(id_: str = "a", *history: Any, **changes: Any) -> dict[str, Any]:
    return {"id": id_, "query": f"q {id_}", **NOW, "history": list(history), **changes}


def put(path: Path, *rows: dict[str, Any]) -> Path:
    path.write_text("".join(json.dumps(one) + "\n" for one in rows), encoding="utf-8")
    return path


def read(path: Path, version: str | None, layout: Layout | None = None) -> dict[str, GradedRow]:
    return read_golden_grades(path, layout or Layout(), (0, 1, 2), version)


def test_row_is_as_its_history_has_it(tmp_path: Path) -> None:
    stood = {**THEN, "policy_version": "v2", "stands": True}
    path = put(tmp_path / "g.jsonl", row("a", THEN, stood))
    grades = {version: read(path, version)["a"] for version in ("v1", "v2", "v3", "v9")}
    assert [(one.grade, one.notes.policy_version) for one in grades.values()] == [
        (1, "v1"),
        (1, "v2"),
        (2, "v3"),
        (2, "v3"),
    ]
    assert (grades["v1"].notes.reasoning, grades["v1"].notes.clauses) == ("then", ("accessory",))
    # A judgement that stands is worded as the one after it.
    assert (grades["v2"].notes.reasoning, grades["v2"].notes.clauses) == ("now", ("plain",))
    assert read(path, None)["a"].grade == 2


def test_grade_of_today_may_be_off_the_scale_of_then(tmp_path: Path) -> None:
    path = put(tmp_path / "g.jsonl", row("a", THEN, grade=9))
    assert read(path, "v1")["a"].grade == 1
    with pytest.raises(BadInput, match="9 is not on the scale 0-2"):
        read(path, "v3")


def test_table_that_tells_no_version_is_of_every_one(tmp_path: Path) -> None:
    path = put(tmp_path / "g.jsonl", {"id": "a", "grade": 2, "history": ["once 1"]})
    assert (read(path, "v1")["a"].grade, read(path, "v1")["a"].notes.policy_version) == (2, None)


def test_mapped_headers_and_parquet_have_a_history_too(tmp_path: Path) -> None:
    import datasets

    rows = [row("a", THEN, {**THEN, "policy_version": "v2", "why": "w"}), row("b", policy_version="v1")]
    datasets.Dataset.from_list(rows).to_parquet(str(tmp_path / "g.parquet"))
    found = read(tmp_path / "g.parquet", "v1")
    assert {item: (one.grade, one.notes.policy_version) for item, one in found.items()} == {
        "a": (1, "v1"),
        "b": (2, "v1"),
    }
    renamed = {"doc": "a", "label": 2, "under": "v3", "history": [THEN]}
    layout = Layout(parse_columns("item=doc,grade=label,policy_version=under"))
    assert read(put(tmp_path / "r.jsonl", renamed), "v1", layout)["a"].grade == 1


def test_history_that_cannot_be_read_names_its_line(tmp_path: Path) -> None:
    path = put(tmp_path / "g.jsonl", row("a", THEN), row("b", {"policy_version": "v1"}, "once 1"))
    with pytest.raises(BadInput) as caught:
        read(path, "v1")
    assert [str(fault) for fault in caught.value.faults] == [
        f"{path}, line 2, history[1]: grade: missing",
        f"{path}, line 2, history[2]: not an object: 'once 1'",
    ]


@pytest.fixture
def two_versions(here: Path) -> Path:
    """A project whose policy has two versions; under v1 each grade 2 was a 1."""
    write_project(here)
    folder = here / "policies/small"
    (folder / "v2.toml").write_text((folder / "v1.toml").read_text("utf-8").replace('"v1"', '"v2"'), "utf-8")
    lines = [
        {
            **line,
            "policy_version": "v2",
            "history": [{"policy_version": "v1", "grade": min(1, line["grade"])}],
        }
        for line in examples()
    ]
    write_golden(here, lines)
    asked = [line for line in lines if line["split"] != "shots"]
    grades = "".join(f"{line['id']},{min(1, line['grade'])}\n" for line in asked)
    (here / "v1.csv").write_text("item,grade\n" + grades, encoding="utf-8")
    return here


def gate2(policy: str, golden: str | Path = "golden/small/examples.jsonl") -> Any:
    words = ("gate2", "--golden", golden, "--grades", "v1.csv", "--policy", policy)
    return harness(*words, "--json").json


def test_own_golden_file_has_the_grades_of_the_version_that_is_asked_for(two_versions: Path) -> None:
    assert (gate2("small@v1")["accuracy"], gate2("small@v2")["accuracy"]) == (1.0, 2 / 3)
    run = harness(
        "eval", "--policy", "small@v1", "--model", "replay/v1.csv", "--split", "dev+test", "--json"
    ).json
    of_files = gate2("small@v1")
    for key in ("accuracy", "kappa", "confusion", "n", "verdict", "reason"):
        assert of_files[key] == run[key]


def test_own_ratings_are_those_of_the_version_too(two_versions: Path) -> None:
    rated = [line for line in examples() if line["split"] != "shots"]
    ratings = [
        {"item": line["id"], "rater": rater, "grade": min(1, line["grade"]), "policy_version": "v1"}
        for line in rated
        for rater in ("ann", "bob")
    ]
    put(two_versions / "golden/small/ratings.jsonl", *ratings)
    assert gate2("small@v1")["ceiling"]["raters"] == ["ann", "bob"]
    after = gate2("small@v2")
    assert (after["gate1"], after["ceiling"], after["accuracy"]) == (None, None, 2 / 3)
    assert "Gate 1 was not measured here" in after["provisional"]


def test_copy_elsewhere_keeps_its_history(two_versions: Path) -> None:
    copy = two_versions / "copy.jsonl"
    copy.write_bytes((two_versions / "golden/small/examples.jsonl").read_bytes())
    assert gate2("small@v1", copy)["accuracy"] == 1.0


def test_grades_of_another_version_gate_nothing(two_versions: Path) -> None:
    # A spreadsheet has no history.
    harness("golden", "export", "small", "-o", "export.csv")
    score = gate2("small@v1", "export.csv")
    assert (score["verdict"], score["reason"], score["accuracy"]) == (
        "inconclusive",
        "18 of 18 golden grades in export.csv are of another version, and small@v1 has none of those",
        2 / 3,
    )
    assert "of another version" not in gate2("small@v2", "export.csv")["reason"]


def test_compare_and_regress_go_by_the_version_too(two_versions: Path) -> None:
    words = ("--golden", "golden/small/examples.jsonl", "--policy")
    found = harness("compare", "v1.csv", "v1.csv", *words, "small@v1", "--json").json
    assert (found["accuracy"]["base"], found["stale"]) == (1.0, 0)
    harness("golden", "export", "small", "-o", "export.csv")
    files = ("--base", "v1.csv", "--candidate", "v1.csv", "--golden", "export.csv")
    ended = harness("regress", *files, "--policy", "small@v1", "--json")
    assert (ended.code, ended.json["comparison"]["stale"]) == (3, 18)
    assert "18 examples were not yet judged under small@v1" in ended.json["comparison"]["warnings"]
    assert "not yet judged under the candidate's policy version" in ended.json["reason"]
