"""Whom a student learned from, and under which policy: said wherever it grades under another one."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from builders import CLAUSE, examples, harness, policy_text, write_golden
from comparing import item, run_of, side, wrong_on
from production import label_set

from harness.errors import BadInput
from harness.nouns.policy import Policy
from harness.policy.load import load_policy, policy_digest
from harness.providers.base import STUDENT
from harness.providers.student_file import load_saved
from harness.providers.student_policy import SHOWN, unknown_to
from harness.providers.student_saved import SavedStudent
from harness.storage.project import Project
from harness.student.check import check_student

EDITED = CLAUSE.replace("is at most 1", "is at most 1, unless it is sold with the thing")
MORE = "".join(f'\n[[clauses]]\nid = "new{n}"\ntext = "Rule {n}."\nwhy = "So."\n' for n in range(SHOWN + 1))


@pytest.fixture(scope="module")
def taught(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a student of a replay of grades, under small@v1."""
    root = tmp_path_factory.mktemp("taught")
    rows: list[dict[str, Any]] = [
        {"item": f"p{n}", "query": f"boots size {n}", "title": f"boots {n % 3}",
         "weight": 1, "stratum": "all", "position": 1, "teacher": n % 3}
        for n in range(30)
    ]  # fmt: skip
    label_set(root, rows)
    write_golden(root, examples(queries=40))
    done = harness("student", "train", root / "labels", "-o", root / "S", "--root", root)
    assert done.code == 0, done.err
    return root


@pytest.fixture
def shop(taught: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copytree(taught, tmp_path / "p")
    monkeypatch.chdir(tmp_path / "p")
    return tmp_path / "p"


def version(root: Path, name: str, clauses: str) -> Policy:
    """Another version of the policy, or one of another name, in the project."""
    known, _, number = name.partition("@")
    path = root / f"policies/{known}/{number}.toml"
    path.parent.mkdir(exist_ok=True)
    text = policy_text(known, clauses=clauses).replace('version = "v1"', f'version = "{number}"')
    path.write_text(text, encoding="utf-8")
    return load_policy(path)


def saved(root: Path, **others: Any) -> SavedStudent:
    return load_saved(root / "S").model_copy(update=others)


def test_a_student_notes_the_policy_that_it_learned(taught: Path) -> None:
    found = load_saved(taught / "S")
    assert found.policy_digest and found.policy_digest.startswith("sha256:")
    text = json.loads((taught / "S" / STUDENT).read_text("utf-8"))
    del text["policy_digest"]
    assert SavedStudent.model_validate(text).policy_digest is None


def test_what_another_version_changed_is_named(shop: Path) -> None:
    project, student = Project(shop), load_saved(shop / "S")
    same = load_policy(shop / "policies/small/v1.toml")
    assert unknown_to(student, same, project) is None
    edited = version(shop, "small@v2", EDITED)
    said = "It learned small@v1; what small@v2 changed is unknown to it: clause accessory (changed)."
    assert unknown_to(student, edited, project) == said
    # Clauses come before a grade, and of many the first ones are named.
    text = (shop / "policies/small/v2.toml").read_text("utf-8")
    more = text.replace('definition = "Said."', 'definition = "Said otherwise."', 1) + MORE
    (shop / "policies/small/v2.toml").write_text(more, encoding="utf-8")
    found = unknown_to(student, load_policy(shop / "policies/small/v2.toml"), project)
    assert found and "clause accessory (changed), clause new0 (added)" in found
    assert found.endswith("clause new2 (added) and 3 other parts.")
    why = version(shop, "small@v2", CLAUSE.replace("It is what they came for.", "They came for it."))
    assert unknown_to(student, why, project) == (
        "It learned small@v1; small@v2 changes nothing by which a pair is graded."
    )


def test_what_cannot_be_told_of_a_version_is_said(shop: Path) -> None:
    project, student = Project(shop), load_saved(shop / "S")
    edited = version(shop, "small@v2", EDITED)
    # A student of before there was a digest has learned what the file says now, as far as anyone knows.
    old = saved(shop, policy_digest=None)
    assert unknown_to(old, edited, project) == unknown_to(student, edited, project)
    now = version(shop, "small@v1", EDITED)
    assert policy_digest(now) != student.policy_digest
    assert unknown_to(old, now, project) is None
    found = unknown_to(student, now, project)
    assert found == "It learned small@v1 as it was before an edit: what the edit changed is unknown to it."
    found = unknown_to(student, edited, project)
    assert found == "It learned small@v1, which was edited since: what small@v2 changed cannot be said."
    (shop / "policies/small/v1.toml").unlink()
    found = unknown_to(student, edited, project)
    assert found == "It learned small@v1, which is not in policies/: what small@v2 changed cannot be said."
    for name in ("small", "small@", "small@../../v1", "small@v1@v1"):
        found = unknown_to(saved(shop, policy=name), edited, project)
        assert found and "cannot be said" in found


def test_a_student_of_another_policy_says_so_wherever_it_grades(shop: Path) -> None:
    version(shop, "other@v1", CLAUSE)
    (shop / "golden/other").mkdir()
    shutil.copy(shop / "golden/small/examples.jsonl", shop / "golden/other/examples.jsonl")
    words = ("--policy", "other", "--model", "student/S")
    told = "It learned the grades of small@v1, another policy: it knows no clause of other@v1."
    done = harness("eval", *words)
    assert done.code == 0 and told in " ".join(done.out.split())
    done = harness("label", "labels-pairs.csv", "-o", "L", "--unproven", *words)
    assert done.code == 0 and told in " ".join(done.out.split())
    name = run_of(shop, wrong_on(), policy="other")
    found = harness("student", "check", "--student", "student/S", "--teacher", name, "--json")
    assert found.json["origin"]["unknown"] == told
    assert [one for one in found.json["warnings"] if "another policy" in one]
    # What its own run says of it, but for what the warning says already.
    (note,) = found.json["notes"]
    assert note.startswith("This is a student of ") and note.endswith("it reads no prompt.")
    shown = harness("student", "check", "--student", "latest", "--teacher", name)
    assert note in " ".join(shown.out.split()) and shown.out.count("another policy") == 1


def test_runs_under_two_policies_are_not_held_against_each_other() -> None:
    ours, theirs = (
        side(*[item(f"i{n}", n % 3, n % 3, query=f"q{n}") for n in range(9)], name=name, policy=policy)
        for name, policy in (("s", "small@v1"), ("t", "other@v1"))
    )
    with pytest.raises(BadInput, match="s was graded under small@v1, and t under other@v1: grade both under"):
        check_student(ours, theirs)
    found = check_student(ours, replace(theirs, policy="small@v2"))
    assert found.warnings[0].startswith(
        "the student was graded under small@v1, and the teacher under small@v2"
    )
    assert "graded under" not in check_student(ours, replace(theirs, policy=None)).warnings[0]


def test_a_student_of_an_earlier_version_is_told_from_it_in_a_check(shop: Path) -> None:
    version(shop, "small@v2", EDITED)
    name = run_of(shop, wrong_on(), policy="small@v2")
    done = harness("student", "check", "--student", "student/S", "--teacher", name)
    told = "the student: it learned small@v1; what small@v2 changed is unknown to it: clause accessory"
    assert told in " ".join(done.out.split())


def test_a_teacher_that_did_not_teach_it_is_named(shop: Path) -> None:
    name = run_of(shop, wrong_on())
    done = harness("student", "check", "--student", "student/S", "--teacher", name)
    text = " ".join(done.out.split())
    assert "stand in for replay/grades.csv" in text and "its teacher" not in text
    assert "the student learned from replay/" in text and "and is held against replay/grades.csv" in text
    found = harness("student", "check", "--student", "latest", "--teacher", name, "--json").json
    assert found["origin"]["other"] and found["origin"]["held_against"] == "replay/grades.csv"
    # Its own teacher is a replay of the labels' grades, by the same name.
    (shop / "S" / STUDENT).write_text(
        (shop / "S" / STUDENT)
        .read_text("utf-8")
        .replace(load_saved(shop / "S").teacher, "replay/grades.csv"),
        encoding="utf-8",
    )
    done = harness("student", "check", "--student", "student/S", "--teacher", name)
    assert "its teacher" in done.out and "learned from" not in done.out
    # What the run was made with is gone: nothing says whom it learned from.
    shutil.rmtree(shop / "S")
    found = harness("student", "check", "--student", "latest", "--teacher", name, "--json").json
    assert found["origin"] is None and "its teacher" in found["reason"]


def test_a_run_of_the_student_itself_is_refused_before_it_grades(shop: Path) -> None:
    assert harness("eval", "--model", "student/S", "--policy", "small").code == 0
    assert harness("eval", "--model", "builtin/majority", "--policy", "small").code == 0
    before = sorted(one.name for one in (shop / "runs").iterdir())
    done = harness("student", "check", "--student", "student/S", "--teacher", "latest~1")
    assert done.code == 2 and "is a run of the student itself (student/S)" in " ".join(done.err.split())
    assert sorted(one.name for one in (shop / "runs").iterdir()) == before
    # Another student in its place is another grader.
    assert harness("student", "train", "labels", "-o", "S2", "--limit", "10").code == 0
    shutil.rmtree("S")
    shutil.move("S2", "S")
    done = harness("student", "check", "--student", "student/S", "--teacher", "latest~1")
    assert "itself" not in done.err and len([*(shop / "runs").iterdir()]) == len(before) + 1


def test_a_grader_that_learned_from_shots_has_no_teacher(shop: Path) -> None:
    name = run_of(shop, wrong_on())
    found = harness("student", "check", "--student", "builtin/majority", "--teacher", name, "--json").json
    assert found["origin"]["teacher"] == "the shots of the golden set"
    assert "stand in for replay/grades.csv" in found["reason"]
