"""`harness policy new` and `harness prompt new`: copies as drafts; what is there is never touched."""

import tomllib
from pathlib import Path

import pytest
from builders import harness
from shipped import ship

from harness.errors import BadInput
from harness.policy.load import load_policy
from harness.prompting.prompt import load_prompt
from harness.storage.project import Project
from harness.storage.versions import as_draft

POLICIES, PROMPTS = "policies/product-search", "prompts/teacher"


@pytest.fixture
def project(here: Path) -> Project:
    """The shipped project: policy v1 released, v2 a draft; three released prompts."""
    return Project(ship(here))


def texts(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but locks."""
    files = {str(path.relative_to(folder)): path for path in folder.rglob("*") if path.is_file()}
    return {name: path.read_bytes() for name, path in files.items() if not name.endswith(".lock")}


def changed_lines(old: Path, new: Path) -> list[str]:
    before, after = (path.read_text("utf-8").splitlines() for path in (old, new))
    assert len(before) == len(after)
    return [now for was, now in zip(before, after, strict=True) if was != now]


def test_next_version_of_a_policy_is_a_copy_of_the_latest_as_a_draft(project: Project) -> None:
    before = texts(project.root)
    ended = harness("policy", "new", "product-search")
    assert ended.code == 0
    assert "product-search@v3, a draft, a copy of product-search@v2" in " ".join(ended.out.split())
    assert "harness policy diff product-search@v2 product-search@v3" in ended.err
    new = project.root / POLICIES / "v3.toml"
    assert changed_lines(project.root / POLICIES / "v2.toml", new) == ['version = "v3"']
    assert {name: text for name, text in texts(project.root).items() if name in before} == before
    assert harness("policy", "lint", "--policy", "product-search@v3").code == 0


def test_copy_of_a_released_policy_is_a_draft(project: Project) -> None:
    ended = harness("policy", "new", "product-search@v7", "--from", "product-search@v1", "--json")
    assert (ended.code, ended.json) == (
        0,
        {
            "label": "product-search@v7",
            "path": str(project.root / POLICIES / "v7.toml"),
            "copied_from": "product-search@v1",
        },
    )
    new = project.root / POLICIES / "v7.toml"
    assert changed_lines(project.root / POLICIES / "v1.toml", new) == ['version = "v7"', "released = false"]


def test_copy_under_another_name_takes_the_gates_along(project: Project) -> None:
    ended = harness("policy", "new", "shop", "--from", "product-search")
    assert ended.code == 0
    assert "policy diff" not in ended.err
    new = load_policy(project.root / "policies/shop/v1.toml")
    assert (new.label, new.released) == ("shop@v1", False)
    old = load_policy(project.root / POLICIES / "v1.toml")
    assert new.rules == old.rules
    there = texts(project.root / "policies")
    assert there["shop/gates.toml"] == there["product-search/gates.toml"]
    (project.root / "policies/shop/gates.toml").write_text("margin = 0.2\n", "utf-8")
    assert harness("policy", "new", "shop", "--from", "product-search").code == 0
    assert (project.root / "policies/shop/gates.toml").read_text("utf-8") == "margin = 0.2\n"


@pytest.mark.parametrize(("words", "scale"), [((), (0, 1, 2, 3, 4)), (("--scale", "0-2"), (0, 1, 2))])
def test_new_policy_is_an_example(project: Project, words: tuple[str, ...], scale: tuple[int, ...]) -> None:
    ended = harness("policy", "new", "shop", *words)
    assert ended.code == 0
    assert "shop@v1, a draft, an example to change" in ended.out
    assert load_policy(project.root / "policies/shop/v1.toml").scale == scale
    assert harness("policy", "lint", "--policy", "shop").code == 0


def test_a_second_draft_without_a_release_is_said_to_be_the_default(project: Project) -> None:
    assert harness("policy", "new", "shop").err.count("note:") == 0
    assert (
        "no version of shop is released: shop is its latest draft, shop@v2"
        in harness("policy", "new", "shop").err
    )


def test_next_version_of_a_prompt_is_a_draft(project: Project) -> None:
    before = texts(project.root)
    ended = harness("prompt", "new", "teacher")
    assert ended.code == 0
    assert "teacher@v4, a draft, a copy of teacher@v3: prompts/teacher/v4" in ended.out
    assert "harness prompt diff teacher@v3 teacher@v4, harness eval --prompt teacher@v4" in ended.err
    old, new = project.root / PROMPTS / "v3", project.root / PROMPTS / "v4"
    assert changed_lines(old / "prompt.toml", new / "prompt.toml") == ['version = "v4"', "released = false"]
    made = {name.removeprefix("prompts/teacher/v4/") for name in texts(project.root).keys() - before.keys()}
    assert made == {"system.j2", "pair.j2", "prompt.toml"}
    assert {name: text for name, text in texts(project.root).items() if name in before} == before
    assert (load_prompt(project, "teacher").label, load_prompt(project, "teacher@v4").digest) == (
        "teacher@v3",
        load_prompt(project, "teacher@v3").digest,
    )


def test_environment_says_what_to_copy(project: Project) -> None:
    prompt = harness("prompt", "new", "judge", "--json", HARNESS_PROMPT_NEW_FROM="teacher@v1")
    policy = harness("policy", "new", "shop", "--json", HARNESS_POLICY_NEW_FROM="product-search@v2")
    copied = [prompt.json["copied_from"], policy.json["copied_from"]]
    assert copied == ["teacher@v1", "product-search@v2"]


@pytest.mark.parametrize(
    ("words", "label", "copied"),
    [
        (("judge",), "judge@v1", "teacher@v3"),
        (("judge@v5",), "judge@v5", "teacher@v3"),
        (("judge", "--from", "teacher@v1"), "judge@v1", "teacher@v1"),
        (("teacher@v6", "--from", "teacher@v2"), "teacher@v6", "teacher@v2"),
    ],
)
def test_prompt_of_a_name_and_a_version(
    project: Project, words: tuple[str, ...], label: str, copied: str
) -> None:
    ended = harness("prompt", "new", *words, "--json")
    assert ended.code == 0
    assert (ended.json["label"], ended.json["copied_from"]) == (label, copied)
    found = load_prompt(project, label)
    assert (found.label, found.spec.released) == (label, False)
    assert found.digest == load_prompt(project, copied).digest
    assert harness("prompt", "render", label).code == 0


def test_new_prompt_after_its_own_latest_version(project: Project) -> None:
    assert harness("prompt", "new", "judge", "--from", "teacher@v1").code == 0
    assert harness("prompt", "new", "judge", "--json").json["copied_from"] == "judge@v1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("policy", "new", "a/b"), "invalid name 'a/b'; expected name or name@v1"),
        (("policy", "new", "product-search@v1"), "v1 is there; without a version, the next one is begun"),
        (("policy", "new", "shop@v3"), "shop has no version yet: its first one is v1, not v3"),
        (("policy", "new", "shop", "--from", "nope"), "no policy 'nope'"),
        (("policy", "new", "shop", "--from", "product-search@v9"), "has no version v9"),
        (("policy", "new", "shop", "--scale", "x"), "invalid scale 'x'"),
        (("policy", "new", "product-search", "--scale", "0-1"), "has a scale; change it in the copy"),
        (
            ("policy", "new", "shop", "--from", "product-search", "--scale", "0-1"),
            "--from product-search has a scale",
        ),
        (("policy", "new", "link"), "is a link; expected a folder"),
        (("policy", "new", "link", "--from", "product-search"), "is a link; expected a folder"),
        (("prompt", "new", "teacher@v3"), "v3 is there; without a version, the next one is begun"),
        (("prompt", "new", "judge", "--from", "nope"), "no prompt 'nope'"),
        (("prompt", "new", "judge", "--from", "teacher@v9"), "has no version v9"),
        (("prompt", "new", "x@1"), "invalid name 'x@1'"),
        (("prompt", "new", "link"), "is a link; expected a folder"),
    ],
)
def test_what_is_wrong_is_named_and_nothing_is_written(
    project: Project, words: tuple[str, ...], said: str
) -> None:
    (project.root / "elsewhere").mkdir()
    for folder in (project.policies, project.prompts):
        (folder / "link").symlink_to(project.root / "elsewhere")
    before = sorted(project.root.rglob("*"))
    ended = harness(*words)
    assert ended.code == 2
    assert said in ended.err
    assert sorted(project.root.rglob("*")) == before


def test_copy_keeps_what_looks_like_its_values(tmp_path: Path) -> None:
    head = '# name = "a"\nname = "a" # name\nversion = \'v1\'\nreleased = true\n'
    text = f'{head}[[c]]\nname = "a"\nversion = "v1"\n'
    made = as_draft(text, tmp_path, version="v2", name='b\\1"')
    assert tomllib.loads(made) == {
        "name": 'b\\1"',
        "version": "v2",
        "released": False,
        "c": [{"name": "a", "version": "v1"}],
    }
    assert made.startswith('# name = "a"\n')
    with pytest.raises(BadInput, match=r'with version = "v2", name = "b" and released = false'):
        as_draft('"name" = "a"\nversion = "v1"\n', tmp_path, version="v2", name="b")
