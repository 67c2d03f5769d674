"""Policies: what loads, and every fault by name."""

import shutil
from pathlib import Path

import pytest
from builders import CLAUSE, harness, policy, policy_text, write_project

from harness.errors import BadInput
from harness.policy.lint import unfinished
from harness.policy.load import load_gates, load_policy, policy_digest

BOUNDARY = """
[[boundaries]]
query = "q"
result = "r"
between = [0, 1]
grade = 1
higher = "h"
lower = "l"
decision = "d"
clauses = ["accessory"]
"""


def faults_of(folder: Path, text: str) -> list[str]:
    path = folder / "policy.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_policy(path)
    assert all(fault.where == str(path) for fault in caught.value.faults)
    return [fault.what for fault in caught.value.faults]


SPOILED = {
    "grade without an action": ("grades = [1, 2]", "grades = [2]", "actions: grade 1 has no action"),
    "grade with two actions": ("grades = [0]", "grades = [0, 1]", "grade 1 has several actions"),
    "action off the scale": ("grades = [0]", "grades = [0, 7]", "grade 7 is not on the scale"),
    "no author": ('author = "Said."', "", "author: missing"),
    "several authors": ('author = "Said."', 'author = ["A", "B"]', "author: expected exactly one"),
    "a key misspelt": ("goal =", 'gaol = ""\ngoal =', "gaol: unknown key"),
    "a value twice": ("value = 2", "value = 1", "the value 1 is given twice"),
    "a grade in words": ("value = 2", 'value = "two"', "grades[1].value: input should be a valid integer"),
    "unknown clause in a boundary": ('clauses = ["acc', 'clauses = ["nope', "cites the unknown clause 'nope"),
    "boundary off the scale": ("between = [0, 1]", "between = [1, 5]", "grade 5 is not on the scale"),
    "boundary decides elsewhere": ("between = [0, 1]", "between = [0, 2]", "not between [0, 2]"),
    "cap off the scale": ("max_grade = 1", "max_grade = 9", "max_grade 9 is not on the scale"),
    "no version": ('version = "v1"', 'version = "one"', "version: string should match pattern"),
}


@pytest.mark.parametrize(("old", "new", "what"), SPOILED.values(), ids=SPOILED)
def test_fault_is_named(tmp_path: Path, old: str, new: str, what: str) -> None:
    whole = policy_text(clauses=CLAUSE + BOUNDARY)
    assert old in whole
    assert any(what in found for found in faults_of(tmp_path, whole.replace(old, new)))


def test_clause_id_twice_is_named(tmp_path: Path) -> None:
    found = faults_of(tmp_path, policy_text(clauses=CLAUSE * 2))
    assert found == ["clauses: the id 'accessory' is given twice", "clauses: the id 'plain' is given twice"]


def test_all_faults_come_at_once(tmp_path: Path) -> None:
    text = policy_text(clauses=CLAUSE * 2 + BOUNDARY.replace("accessory", "nope"))
    assert len(faults_of(tmp_path, text.replace("grades = [1, 2]", "grades = [2]"))) == 4


def test_syntax_error_names_the_line(tmp_path: Path) -> None:
    assert "line 3" in faults_of(tmp_path, 'name = "a"\nversion = "v1"\ntitle = \n')[0]


def test_empty_definition_loads_and_is_unfinished() -> None:
    text = 'value = 2\nname = "Grade 2"\ndefinition = '
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "policy.toml"
        path.write_text(policy_text().replace(text + '"Said."', text + '" "'), encoding="utf-8")
        assert unfinished(load_policy(path)) == ["grades, 2: empty definition"]


def test_digest_ignores_release_and_layout(tmp_path: Path) -> None:
    plain = policy()
    path = tmp_path / "policy.toml"
    path.write_text("# a comment\nreleased = true\n" + policy_text(), encoding="utf-8")
    released = load_policy(path)
    assert released.released
    assert policy_digest(released) == policy_digest(plain)
    assert policy_digest(policy(clauses=CLAUSE)) != policy_digest(plain)


def test_gates_default_to_the_worst_grade_shown(tmp_path: Path) -> None:
    gates = load_gates(tmp_path / "gates.toml", policy((0, 1)))
    assert [(cell.golden, cell.action) for cell in gates.never_grow] == [(0, "show")]
    assert (gates.weighting, gates.gate1.bar, gates.coverage_floor, gates.margin) == ("none", 0.8, 0.99, 0.05)


def test_gates_faults_are_named(tmp_path: Path) -> None:
    path = tmp_path / "gates.toml"
    path.write_text('weighting = "cubic"\n[gate2]\nbar = 1.5\n', encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_gates(path, policy())
    assert "weighting" in str(caught.value)
    assert "gate2.bar" in str(caught.value)
    path.write_text('[[never_grow]]\ngolden = 9\naction = "burn"\n', encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        load_gates(path, policy())
    assert len(caught.value.faults) == 2


def test_lint_names_a_copied_version(here: Path) -> None:
    write_project(here)
    shutil.copy(here / "policies/small/v1.toml", here / "policies/small/v2.toml")
    ended = harness("policy", "lint", "--json")
    assert ended.code == 2
    assert "version: says 'v1', but this is v2; in a copy, set version" in ended.json["faults"][0]


@pytest.mark.parametrize("slip", ["", "\nfoo = [\n"])
def test_copy_of_a_released_version_is_no_default_while_it_says_the_old_one(here: Path, slip: str) -> None:
    write_project(here)
    path = here / "policies/small/v1.toml"
    path.write_text("released = true\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    path.with_name("v2.toml").write_text(path.read_text(encoding="utf-8") + slip, encoding="utf-8")
    assert harness("policy", "list").out == "small  v1 v2 (draft)\n"
    assert harness("policy", "show", "small", "--json").json["version"] == "v1"
    assert harness("policy", "lint").code == 2


def test_latest_version_is_the_default_and_v10_comes_after_v9(here: Path) -> None:
    write_project(here)
    for version in ("v9", "v10"):
        text = policy_text(clauses=CLAUSE).replace('version = "v1"', f'version = "{version}"')
        (here / f"policies/small/{version}.toml").write_text(text, encoding="utf-8")
    assert harness("policy", "list").out == "small  v1 v9 v10\n"
    assert harness("policy", "show", "small", "--json").json["version"] == "v10"
    assert harness("policy", "show", "small@v9", "--json").json["version"] == "v9"


NAMED = [
    ("policy", "show", "--policy", "small"), ("golden", "stats", "--policy", "small"), ("golden", "list"),
    ("golden", "lint"), ("golden", "sheet", "--rater", "ann", "--policy", "small"),
    ("golden", "confirm", "--policy", "small", "--unaffected"),
    ("eval", "--policy", "small", "--dry-run"), ("eval", "--json"), ("prompt", "render", "--policy", "small"),
    ("prompt", "diff", "teacher@v1", "teacher@v1", "--policy", "small"), ("gate1", "--policy", "small"),
    ("golden", "plan"), ("doctor", "builtin/majority", "--policy", "small"),
]  # fmt: skip


@pytest.mark.parametrize("words", NAMED, ids=" ".join)
def test_a_draft_that_a_name_means_is_said_once(here: Path, words: tuple[str, ...]) -> None:
    write_project(here)
    text = policy_text(clauses=CLAUSE)
    (here / "policies/small/v1.toml").write_text(text, encoding="utf-8")
    assert "note: no version" not in harness(*words).err  # the only version
    v2 = here / "policies/small/v2.toml"
    v2.write_text(text.replace('version = "v1"', 'version = "v2"'), encoding="utf-8")
    note = "note: no version of small is released: small is its latest draft, small@v2\n"
    assert harness(*words).err.count(note) == 1
    v2.write_text("released = true\n" + v2.read_text(encoding="utf-8"), encoding="utf-8")
    assert "note: no version" not in harness(*words).err


def test_a_version_that_is_named_has_no_note_and_json_stays_whole(here: Path) -> None:
    write_project(here)
    text = policy_text(clauses=CLAUSE).replace('version = "v1"', 'version = "v2"')
    (here / "policies/small/v2.toml").write_text(text, encoding="utf-8")
    assert "note:" not in harness("policy", "show", "small@v1").err
    assert harness("policy", "show", "small", "--json").json["version"] == "v2"


def test_shipped_policies_are_clean_and_shown_whole(shipped_project: Path) -> None:
    assert harness("policy", "lint", "--root", shipped_project).code == 0
    shown = harness("policy", "show", "product-search", "--root", shipped_project).out
    known = load_policy(shipped_project / "policies/product-search/v1.toml")
    texts = [clause.text for clause in known.clauses] + [b.decision for b in known.boundaries]
    assert all(text.strip() in shown for text in texts)
    assert "| 4, 3 | show |" in shown


@pytest.mark.parametrize("name", ["nope", "small@v7", "../small", "small@latest", ""])
def test_wrong_name_says_what_there_is(here: Path, name: str) -> None:
    write_project(here)
    ended = harness("policy", "show", name)
    assert ended.code == 2
    assert ended.err.startswith("error: ")
    assert "small" in ended.err or "name" in ended.err


@pytest.mark.parametrize("slip", ["\nfoo = [\n", None])
def test_slip_in_the_released_version_is_told_and_not_stepped_over(here: Path, slip: str | None) -> None:
    write_project(here)
    path = here / "policies/small/v1.toml"
    text = path.read_text(encoding="utf-8")
    draft = text.replace('version = "v1"', 'version = "v2"')
    path.with_name("v2.toml").write_text(draft, encoding="utf-8")
    released = "released = true\n" + text
    path.write_text(released, encoding="utf-8")
    assert harness("eval", "--policy", "small", "--json").code == 0
    spoiled = released + slip if slip else released.replace("= true", '= "yes please"')
    path.write_text(spoiled, encoding="utf-8")
    ended = harness("eval", "--policy", "small")
    assert (ended.code, "v1.toml" in ended.err) == (2, True)
    path.write_text(released, encoding="utf-8")
    # A draft that is half written stops nobody.
    path.with_name("v2.toml").write_text(draft + "\nfoo = [\n", encoding="utf-8")
    assert harness("eval", "--policy", "small").code == 0


def test_a_version_in_the_environment_ends_no_command() -> None:
    ended = harness("policy", "list", HARNESS_VERSION="true")
    assert "harness 0" not in ended.out


def test_the_only_policy_of_a_project_needs_no_name(here: Path) -> None:
    write_project(here)
    assert harness("golden", "stats", "--json").code == 0
    assert '"policy": "small@v1"' in harness("golden", "sheet", "--rater", "ann").out
    assert harness("policy", "show").out.startswith(harness("policy", "show", "small").out[:40])
    assert harness("eval", "--model", "builtin/majority").code in (0, 1, 3)
    assert harness("golden", "confirm", "--unaffected", "--json").json["policy"] == "small@v1"
    (here / "policies/other").mkdir()
    ended = harness("golden", "stats")
    assert (ended.code, "name one with --policy (there are: other, small)" in ended.err) == (2, True)
