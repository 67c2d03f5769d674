"""`harness init`: what it writes is valid over every scale; after a fault nothing is written."""

import json
import os
import re
import shlex
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import harness
from hypothesis import given
from hypothesis import strategies as st
from shipped import FILES, ROOT

from harness.errors import BadInput
from harness.golden.examples import load_examples
from harness.policy.load import load_policy
from harness.scaffold.example import example_policy
from harness.scaffold.levels import drafted_actions, drafted_grades, grades_of_levels
from harness.scaffold.new_folder import whole_folder
from harness.scaffold.origin import requirement
from harness.storage.project import Project

DEVELOPS = {
    "demo",
    "docs",
    "test",
    "test-slow",
    "check",
    "format",
    "golden-update",
    "screenshots",
    "mutants",
    "clean",
}
"""The targets of this repository that develop the harness."""
WRITTEN = {
    ".github/workflows/check.yml",
    ".github/workflows/watch.yml",
    ".gitignore",
    "Makefile",
    "README.md",
    "requirements.txt",
    "golden/shop/README.md",
    "golden/shop/examples.jsonl",
    "policies/shop/gates.toml",
    "policies/shop/v1.toml",
    "runs/baselines/.gitkeep",
    *(f"prompts/teacher/v{n}/{name}" for n in (1, 2, 3) for name in ("pair.j2", "prompt.toml", "system.j2")),
}
PAIRS = "query,product_id,title,label\nshoe,1,red,3\nshoe,2,blue,0\nhat,3,wool,1\nhat,4,felt,3\n"
MAPPED = ("--columns", "item=query+product_id,grade=label")


def files_in(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def init(*words: str) -> Any:
    return harness("init", *words)


@pytest.fixture
def shop(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A new project, which the commands work on."""
    assert init("shop").code == 0
    monkeypatch.chdir(here / "shop")
    return here / "shop"


# --- what is written ---------------------------------------------------------------------------------


def test_new_project_is_whole_clean_and_graded_without_a_key(shop: Path) -> None:
    assert files_in(shop) == WRITTEN
    assert list(shop.parent.iterdir()) == [shop]
    assert harness("policy", "lint").code == 0
    linted = harness("golden", "lint", "--json")
    assert (linted.code, linted.json) == (0, {"findings": []})
    ended = harness("eval", "--json")
    assert ended.code == 0
    assert ended.json["outcomes"] == {"graded": 12, "ungraded": 0, "failed": 0}
    assert harness("doctor").code == 0


def test_example_data_says_that_it_is(shop: Path) -> None:
    lines = (shop / "golden/shop/examples.jsonl").read_text("utf-8").splitlines()
    examples = [json.loads(line) for line in lines]
    assert {one["provenance"]["source"] for one in examples} == {"made up by harness init as example data"}
    assert {tag for one in examples for tag in one["tags"]} == {"example-data"}
    readmes = [(shop / name).read_text("utf-8") for name in ("README.md", "golden/shop/README.md")]
    assert ["written by `harness init`" in text for text in readmes] == [True, True]


def test_prompts_of_a_new_project_are_those_that_ship(shop: Path, shipped_project: Path) -> None:
    names = [name for name in FILES if name.startswith("prompts/")]
    there = {f"{name}/{file}" for name in names for file in files_in(shipped_project / name)}
    assert there == {name for name in WRITTEN if name.startswith("prompts/")}
    assert [
        name for name in there if (shop / name).read_bytes() != (shipped_project / name).read_bytes()
    ] == []


@pytest.mark.parametrize("prompt", ["teacher@v1", "teacher@v2", "teacher@v3"])
def test_every_prompt_renders(shop: Path, prompt: str) -> None:
    ended = harness("prompt", "render", prompt)
    assert ended.code == 0
    assert "belong in front of this shopper" in ended.out


def test_next_commands_are_said(here: Path) -> None:
    out = init("shop").out.splitlines()
    assert [line.split(" HARNESS=")[0] for line in out[-3:]] == ["  cd shop", "  make eval", "  make report"]


# --- the Makefile, the workflow, the README ----------------------------------------------------------


def recipes(makefile: Path) -> dict[str, str]:
    """The recipe of each target with a help text."""
    text = makefile.read_text(encoding="utf-8")
    found = re.findall(r"^([a-z0-9-]+):[^\n]*  (## [^\n]*)\n((?:\t[^\n]*\n)+)", text, flags=re.MULTILINE)
    return {
        name: said + "\n" + recipe.replace("$(BIN)/harness", "$(HARNESS)") for name, said, recipe in found
    }


def test_makefile_has_the_targets_of_this_repository(shop: Path) -> None:
    theirs, ours = recipes(shop / "Makefile"), recipes(ROOT / "Makefile")
    assert {name: text for name, text in theirs.items() if name != "install"} == {
        name: text for name, text in ours.items() if name not in DEVELOPS
    }
    (phony,) = re.findall(r"^\.PHONY: (.*)$", (shop / "Makefile").read_text("utf-8"), flags=re.MULTILINE)
    assert set(phony.split()) == {*theirs, "ready"}


def made(folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["make", *words], cwd=folder, capture_output=True, text=True, check=False)


def test_make_takes_the_harness_of_the_environment_that_it_made(shop: Path) -> None:
    assert ".venv/bin/harness" not in made(shop, "-n", "eval").stdout
    (shop / ".venv/bin").mkdir(parents=True)
    (shop / ".venv/bin/harness").touch(0o755)
    assert ".venv/bin/harness eval" in made(shop, "-n", "eval").stdout
    assert "/else/harness eval" in made(shop, "-n", "eval", "HARNESS=/else/harness").stdout


def test_make_without_a_harness_says_what_to_do(shop: Path) -> None:
    ended = made(shop, "eval", "HARNESS=/nowhere/harness")
    assert ended.returncode == 2
    assert "There is no /nowhere/harness: make install, or name one" in ended.stderr


@pytest.mark.parametrize(
    ("words", "lacks"),
    [
        (("estimate",), "LABELS"),
        (("label", "PAIRS=pairs.csv"), "OUT"),
        (("ship",), "POLICY"),
        (("impact", "V1=shop@v1", "V2=shop@v2"), "PAIRS"),
    ],
)
def test_make_names_the_variable_that_a_target_cannot_do_without(
    shop: Path, words: tuple[str, ...], lacks: str
) -> None:
    ended = made(shop, *words, "HARNESS=true")
    assert ended.returncode == 2 and f"name {lacks}=..., as in `make help`" in ended.stderr
    assert made(shop, *words, "HARNESS=true", f"{lacks}=x").returncode == 0


def steps(shop: Path) -> list[dict[str, Any]]:
    yaml = pytest.importorskip("yaml")
    flow = yaml.safe_load((shop / ".github/workflows/check.yml").read_text("utf-8"))
    assert flow["permissions"] == {"contents": "read"}
    found: list[dict[str, Any]] = flow["jobs"]["check"]["steps"]
    return found


@pytest.mark.slow
def test_workflow_gates_the_grades_of_a_teacher(shop: Path) -> None:
    (shop / ".venv/bin").mkdir(parents=True)
    (shop / ".venv/bin/harness").symlink_to(Path(sys.executable).with_name("harness"))
    examples = load_examples(shop / "golden/shop/examples.jsonl", load_policy(shop / "policies/shop/v1.toml"))
    (shop / "ci").mkdir()
    rows = [f"{one.id},{one.grade}\n" for one in examples if one.split == "dev"]
    (shop / "ci/grades.csv").write_text("item,grade\n" + "".join(rows), "utf-8")
    assert harness("eval", "--model", "replay/ci/grades.csv").code == 0
    assert harness("baseline", "set", "latest").code == 0
    env = {**os.environ, "GITHUB_STEP_SUMMARY": str(shop / "summary.md"), "MODEL": "replay/ci/grades.csv"}
    codes = {}
    for step in steps(shop):
        if "run" in step and step["name"] != "Install":
            done = subprocess.run(["bash", "-e", "-c", step["run"]], cwd=shop, env=env, capture_output=True)
            codes[step["name"]] = done.returncode
    # Twelve pairs pass nothing: they are too few, and Gate 1 was never measured.
    assert codes == {
        "Check the policies and the golden sets": 0,
        "Grade the golden set": 0,
        "Gate 2": 2,
        "Hold it against the baseline": 0,
    }
    assert "regress" in (shop / "summary.md").read_text("utf-8").casefold()


def test_workflow_and_readme_name_targets_that_there_are(shop: Path) -> None:
    text = (shop / "README.md").read_text("utf-8")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    lines = [line.split("  #")[0] for block in blocks for line in block.splitlines()]
    lines += [step["run"] for step in steps(shop) if "run" in step]
    targets = {shlex.split(line)[1] for line in lines if line.startswith("make ")}
    # A run that is its own baseline passes: the baseline comes before the run that is held against it.
    assert (
        lines.index("harness baseline set latest")
        < lines.index("make eval MODEL=openai/NAME PROMPT=teacher@v4")
        < lines.index("make regress")
    )
    assert "harness rate plan --policy shop --raters ann,bob --kind human --pairs 12" in lines
    assert {"eval", "gate2", "regress", "lint", "install"} <= targets <= {*recipes(shop / "Makefile"), "help"}
    assert harness("eval").code == 0
    for line in lines:
        words = shlex.split(line)
        if words[0] == "harness":
            assert harness(*words[1:]).code == 0, line


# --- scales ------------------------------------------------------------------------------------------


@given(st.lists(st.integers(-3, 300), min_size=2, max_size=101, unique=True).map(sorted))
def test_example_policy_is_sound_over_any_scale(scale: list[int]) -> None:
    levels = grades_of_levels(scale)
    assert list(levels) == sorted(levels)
    assert (levels[0], levels[-1]) == (scale[0], scale[-1])
    covered = [grade for action in drafted_actions(scale) for grade in action.grades]
    assert sorted(covered) == scale
    assert f"between = [{scale[scale.index(levels[3]) - 1]}, {levels[3]}]" in example_policy("shop", scale)


@pytest.mark.parametrize(
    ("scale", "levels", "actions"),
    [
        ("0-1", (0, 0, 0, 1, 1), {"show": [1], "filter": [0]}),
        ("0-2", (0, 0, 1, 2, 2), {"show": [2], "related": [1], "filter": [0]}),
        ("0-3", (0, 0, 1, 2, 3), {"show": [2, 3], "related": [1], "filter": [0]}),
        ("0-4", (0, 1, 2, 3, 4), {"show": [3, 4], "related": [2], "filter": [0, 1]}),
        ("1-5", (1, 2, 3, 4, 5), {"show": [4, 5], "related": [3], "filter": [1, 2]}),
        (
            "0,10,50,90,100,110",
            (0, 10, 50, 100, 110),
            {"show": [100, 110], "related": [50, 90], "filter": [0, 10]},
        ),
    ],
)
def test_grades_of_a_scale(
    here: Path, scale: str, levels: tuple[int, ...], actions: dict[str, list[int]]
) -> None:
    assert init("shop", "--scale", scale).code == 0
    policy = load_policy(here / "shop/policies/shop/v1.toml")
    assert grades_of_levels(policy.scale) == levels
    assert {action.name: list(action.grades) for action in policy.actions} == actions
    root = ("--root", "shop")
    assert harness("policy", "lint", *root).code == harness("golden", "lint", *root).code == 0
    graded = {one.grade for one in load_examples(here / "shop/golden/shop/examples.jsonl", policy)}
    assert graded == set(levels)


@pytest.mark.parametrize(
    ("scale", "first", "middle", "last"),
    [
        (
            (0, 1),
            "1 Good: The thing asked for; nothing that",
            None,
            "0 Irrelevant: Another thing than the one",
        ),
        (
            (0, 1, 2),
            "2 Good: The thing asked for; nothing",
            "1 Related: A second",
            "0 Irrelevant: Does not serve",
        ),
        (
            (0, 1, 2, 3),
            "3 Exact: The thing asked for, and",
            "2 Good: The thing",
            "0 Irrelevant: Does not serve",
        ),
        (
            (0, 1, 2, 3, 4),
            "4 Exact: The thing asked for, and",
            "3 Good: The thing",
            "0 Irrelevant: Serves nothing",
        ),
        (
            tuple(range(0, 90, 10)),
            "80 Exact: The thing asked for, and",
            "70 Grade 70: Between Good (60) and Exact (80), in proportion.",
            "0 Irrelevant: Serves nothing",
        ),
    ],
)
def test_definitions_of_a_scale(scale: tuple[int, ...], first: str, middle: str | None, last: str) -> None:
    said = [f"{grade.value} {grade.name}: {grade.definition}" for grade in drafted_grades(scale)]
    assert len(said) == len(set(said)) == len(scale)
    assert said[0].startswith(first)
    assert middle is None or said[1].startswith(middle)
    assert said[-1].startswith(last)


# --- from a table ------------------------------------------------------------------------------------


def test_project_from_a_table_has_its_pairs_and_its_scale(here: Path) -> None:
    (here / "pairs.csv").write_text(PAIRS, "utf-8")
    ended = init("shop", "--from", "pairs.csv", *MAPPED, "--license", "MIT", "--json")
    assert ended.code == 0
    assert ended.json == {
        "path": str(here / "shop"),
        "policy": "shop@v1",
        "scale": "0-3",
        "examples": 4,
        "example_data": False,
    }
    assert files_in(here / "shop") == WRITTEN
    policy = load_policy(here / "shop/policies/shop/v1.toml")
    assert policy.scale == (0, 1, 2, 3)
    examples = load_examples(here / "shop/golden/shop/examples.jsonl", policy)
    assert {one.id: one.grade for one in examples} == {"shoe|1": 3, "shoe|2": 0, "hat|3": 1, "hat|4": 3}
    assert {one.provenance.licence for one in examples if one.provenance} == {"MIT"}
    readme = (here / "shop/README.md").read_text("utf-8")
    assert "mean nothing" not in readme and "--kind human\n" in readme


def test_readme_of_a_table_reads_the_next_one_as_this_one(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    table = PAIRS.replace("title", "product title").replace("3\n", "Exact\n").replace("0\n", "No\n")
    (here / "pairs.csv").write_text(table, "utf-8")
    columns = ("--columns", "item=query+product_id,title=product title,grade=label")
    labels = 'Exact=2,No=0,"Almost, ""so""=1",1=1,-='
    assert init("shop", "--from", "pairs.csv", *columns, "--labels", labels).code == 0
    monkeypatch.chdir(here / "shop")
    readme = Path("README.md").read_text("utf-8")
    assert "asks for `--discard-judgements` too" in readme
    words = shlex.split(re.findall(r"`harness (golden import [^`]*)`", readme)[0])
    words[words.index("FILE")] = "../pairs.csv"
    ended = harness(*words)
    assert ended.code == 0, ended.err


def test_words_without_an_order_are_told_with_the_columns_that_lack(here: Path) -> None:
    (here / "pairs.csv").write_text("query,product title,grade\nshoe,a,good\nshoe,b,bad\n", "utf-8")
    said = " ".join(init("shop", "--from", "pairs.csv").err.split())
    assert "no column for item, no column for title" in said
    assert "such as 'item=query+product title')" in said
    assert '--labels "good=N,bad=N"' in said
    # Without a column of grades there are no words to see.
    (here / "pairs.csv").write_text("query,product title,verdict\nshoe,a,good\n", "utf-8")
    said = " ".join(init("shop", "--from", "pairs.csv").err.split())
    assert "no column for grade" in said and "--labels" not in said


def test_words_of_grades_become_their_names(here: Path) -> None:
    (here / "pairs.csv").write_text(PAIRS.replace("3\n", "Exact\n").replace("0\n", "No\n"), "utf-8")
    labels = 'Exact=2,No=0,"Almost, ""so""=1",1=1'
    ended = init("shop", "--from", "pairs.csv", *MAPPED, "--labels", labels)
    assert ended.code == 0, ended.err
    assert 'the grades 0-2 (0 No, 1 Almost, "so", 2 Exact)' in " ".join(ended.out.split())
    policy = load_policy(here / "shop/policies/shop/v1.toml")
    assert {level.value: level.name for level in policy.grades} == {0: "No", 1: 'Almost, "so"', 2: "Exact"}


@pytest.mark.parametrize(
    ("grades", "scale"),
    [
        ((1, 3), (1, 2, 3)),
        ((0, 10), tuple(range(11))),
        ((0, 11), (0, 11)),
        ((0, 25, 100), (0, 25, 100)),
        (tuple(range(101)), tuple(range(101))),
        (("1.0", "3,0"), (1, 2, 3)),
    ],
)
def test_scale_is_a_whole_span_or_the_grades_that_are_there(
    here: Path, grades: tuple[Any, ...], scale: tuple[int, ...]
) -> None:
    rows = [f"q{n};i{n};t{n};{grade}\n" for n, grade in enumerate(grades)]
    (here / "p.csv").write_text("query;item;title;grade\n" + "".join(rows), "utf-8")
    assert init("shop", "--from", "p.csv").code == 0
    assert load_policy(here / "shop/policies/shop/v1.toml").scale == scale


def test_environment_sets_the_table(here: Path) -> None:
    (here / "p.csv").write_text("query,item,title,grade\na,1,t,0\nb,2,u,1\n", "utf-8")
    ended = harness("init", "shop", "--json", HARNESS_INIT_FROM="p.csv")
    assert ended.json["example_data"] is False


def test_a_given_scale_is_taken_over_that_of_the_table(here: Path) -> None:
    (here / "pairs.csv").write_text(PAIRS, "utf-8")
    assert init("shop", "--from", "pairs.csv", *MAPPED, "--scale", "0-4", "--name", "hats").code == 0
    assert load_policy(here / "shop/policies/hats/v1.toml").scale == (0, 1, 2, 3, 4)


# --- what is wrong -----------------------------------------------------------------------------------

WORDS = "query,item,title,grade\na,1,t,good\nb,2,t,bad\nc,3,t,good\n"
TABLES = {
    "words.csv": WORDS,
    "half.csv": WORDS.replace("good", "1.5").replace("bad", "1"),
    "sizes.csv": "query,item,title,grade\n" + "".join(f"q{n},{n},t,size{n}\n" for n in range(10)),
    "one.csv": WORDS.replace("good", "1").replace("bad", "1"),
    "none.csv": "query,item,title,grade\na,1,t,\n",
    "many.csv": "query,item,title,grade\n" + "".join(f"q{n},{n},t,{n}\n" for n in range(102)),
    "twice.csv": "query,item,title,grade\na,1,t,0\na,1,t,1\n",
    "pairs.csv": PAIRS,
}


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("shop", "--name", "a/b"), "--name: 'a/b' is not a valid policy name"),
        (("my shop",), "'my shop' is not a valid policy name (letters, digits, - . _); name the policy"),
        (("shop", "--scale", "4"), "invalid scale '4'"),
        (("shop", "--scale", "0-101"), "invalid scale '0-101'"),
        (("no/shop",), "no/shop: there is no folder no to make it in"),
        (("words.csv",), "words.csv: is a file"),
        (("link",), "link: is a link"),
        (("full",), "full: is not empty: a, b, c, d, e and 2 more; name a new folder"),
        (("left",), "or remove what an init that was stopped has left"),
        (("shop", "--from", "no.csv"), "no.csv: no such file"),
        (("shop", "--from", "pairs.csv"), "no column for item, no column for grade"),
        (("shop", "--from", "words.csv"), "words.csv: grade: 'good' (2), 'bad' (1): not whole numbers"),
        (("shop", "--from", "words.csv"), 'give each a grade: --labels "good=N,bad=N"'),
        (("shop", "--from", "words.csv", "--labels", "good=1"), "grade: 'bad' (1): not whole numbers"),
        (("shop", "--from", "half.csv"), "grade: '1.5' (2): not whole numbers"),
        (("shop", "--from", "sizes.csv"), "'size7' (1) and 2 more: not whole numbers"),
        (("shop", "--from", "one.csv"), "one.csv: grade: all grades are 1; give the scale"),
        (("shop", "--from", "none.csv"), "grade: no row has a grade; give the scale"),
        (
            ("shop", "--from", "many.csv"),
            "many.csv: grade: has 102 different grades; a scale has at most 101",
        ),
        (("shop", "--from", "twice.csv"), "twice.csv, line"),
        (("shop", "--from", "pairs.csv", *MAPPED, "--scale", "0-2"), "3 is not on the scale 0-2"),
        (("shop", "--from", "pairs.csv", *MAPPED, "--splits", "1/2"), "splits: '1/2' is not"),
        (("shop", "--from", "pairs.csv", *MAPPED, "--attributes", "size"), "--attributes: no column size"),
        (("shop", "--seed", "1", "--labels", "a=1"), "--seed, --labels: only for a table of graded pairs"),
        (("shop", "--license", "MIT"), "--license: only for a table of graded pairs; add --from FILE"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(here: Path, words: tuple[str, ...], said: str) -> None:
    for name, text in TABLES.items():
        (here / name).write_text(text, "utf-8")
    (here / "link").symlink_to("target")
    (here / "left/.harness-init-x").mkdir(parents=True)
    for name in "abcdefg":
        (here / "full" / name).mkdir(parents=True)
    before = sorted(here.rglob("*"))
    ended = init(*words)
    assert ended.code == 2
    assert said in ended.err
    assert "Traceback" not in ended.err
    assert sorted(here.rglob("*")) == before


def test_link_to_an_empty_folder_is_not_followed(here: Path) -> None:
    (here / "empty").mkdir()
    (here / "link").symlink_to("empty")
    assert init("link").code == 2
    assert list((here / "empty").iterdir()) == []


def test_example_data_gives_way_to_a_table(shop: Path) -> None:
    (shop / "pairs.csv").write_text(PAIRS, "utf-8")
    words = re.findall(r"`harness (golden import [^`]*)`", (shop / "README.md").read_text("utf-8"))[0].split()
    words[words.index("FILE")] = "pairs.csv"
    ended = harness(*words, *MAPPED)
    assert ended.code == 0, ended.err
    assert "example-data" not in (shop / "golden/shop/examples.jsonl").read_text("utf-8")
    assert "written by `harness init`" not in (shop / "golden/shop/README.md").read_text("utf-8")


def test_empty_folder_that_one_is_in_is_filled(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (here / "shop").mkdir()
    monkeypatch.chdir(here / "shop")
    before = (here / "shop").stat().st_ino
    ended = init(".")
    assert ended.code == 0
    assert "cd " not in ended.out
    assert files_in(here / "shop") == WRITTEN
    assert (here / "shop").stat().st_ino == before


def test_workflow_below_the_root_of_a_repository_is_noted(here: Path) -> None:
    (here / ".git").mkdir()
    assert "note: GitHub reads .github alone: move shop/.github there" in init("shop").err


# --- whole or not at all -----------------------------------------------------------------------------


@pytest.mark.parametrize("there", [False, True])
def test_interrupted_in_the_middle_leaves_nothing(here: Path, there: bool) -> None:
    if there:
        (here / "shop").mkdir()
    with pytest.raises(KeyboardInterrupt), whole_folder(here / "shop") as draft:
        (draft / "a").touch()
        raise KeyboardInterrupt
    assert list(here.rglob("*")) == ([here / "shop"] if there else [])


@pytest.mark.parametrize("there", [False, True])
def test_what_someone_else_writes_meanwhile_stays(here: Path, there: bool) -> None:
    if there:
        (here / "shop").mkdir()
    with (
        pytest.raises(BadInput, match=r"is not empty: mine|made by another process"),
        whole_folder(here / "shop") as draft,
    ):
        (draft / "policies").mkdir()
        (here / "shop").mkdir(exist_ok=True)
        (here / "shop/mine").write_text("mine", "utf-8")
    assert sorted(here.rglob("*")) == [here / "shop", here / "shop/mine"]


@pytest.mark.slow
@pytest.mark.parametrize("there", [False, True])
@pytest.mark.parametrize("files", [1, 8])
def test_killed_in_the_middle_leaves_no_half_project(here: Path, files: int, there: bool) -> None:
    if there:
        (here / "shop").mkdir()
    beside = here / "shop" if there else here
    with subprocess.Popen(
        [sys.executable, "-m", "harness", "init", "shop"], stdout=subprocess.DEVNULL
    ) as process:
        # A moment is a number of files written: the machine's speed plays no part.
        while process.poll() is None:
            if (
                sum(one.is_file() for draft in beside.glob(".harness-init-*") for one in draft.rglob("*"))
                >= files
            ):
                break
        process.kill()
    # The policies come last: with them the project is whole, and without them it is none.
    if (here / "shop/policies").exists():
        assert files_in(here / "shop") >= WRITTEN
    elif not there:
        assert not (here / "shop").exists()


# --- where the harness comes from --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("record", "line"),
    [
        (None, "teacher-harness==0.1.0"),
        (
            {"url": "https://me:pw@example.org/t.whl", "archive_info": {}},
            "teacher-harness @ https://example.org/t.whl",
        ),
        (
            {"url": "https://example.org/h", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "teacher-harness @ git+https://example.org/h@abc",
        ),
        ({"url": "file:///home/me/dist/t.whl"}, "./wheels/teacher_harness-0.1.0-py3-none-any.whl"),
        (
            {"url": "file:///home/me/h", "dir_info": {"editable": True}},
            "./wheels/teacher_harness-0.1.0-py3-none-any.whl",
        ),
    ],
)
def test_requirement_is_where_the_harness_was_installed_from(
    here: Path, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any] | None, line: str
) -> None:
    info = here / "teacher_harness-0.1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: teacher-harness\nVersion: 0.1.0\n", "utf-8")
    if record is not None:
        (info / "direct_url.json").write_text(json.dumps(record), "utf-8")
    monkeypatch.syspath_prepend(str(here))
    assert requirement() == line


def test_project_that_is_found_is_the_new_one(shop: Path) -> None:
    assert Project(shop).how_to("eval", prompt="teacher@v1") == "make eval PROMPT=teacher@v1"


def test_floor_s_hint_names_no_policy_that_is_the_only_one_and_fits_the_terminal(
    shop: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(shop)
    own = "make eval MODEL=openai/NAME FLAGS='--base-url http://localhost:8000/v1'"
    assert f"  {own}\n" in harness("eval", "--no-report").out
    assert harness("policy", "new", "warehouse-search").code == 0
    hint = harness("eval", "--policy", "shop", "--no-report").out.partition("a server of your own:\n")[2]
    shown = hint.splitlines()[:2]
    assert shown == [
        "  make eval POLICY=shop@v1 MODEL=openai/NAME \\",
        "    FLAGS='--base-url http://localhost:8000/v1'",
    ]
