"""The action's script on pass, fail and inconclusive, and what the action and the hooks say of themselves."""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from builders import Ended, examples, harness, write_project
from comparing import run_of, write_grades
from shipped import ROOT
from test_regress import BASE, OPEN, PASSES, TABLE

SCRIPT = ROOT / "action/regress.sh"


def loaded(name: str) -> Any:
    return yaml.safe_load((ROOT / name).read_text(encoding="utf-8"))


ACTION = loaded("action.yml")
HOOKS = loaded(".pre-commit-hooks.yaml")


@pytest.fixture
def checkout(here: Path) -> Path:
    """What CI has: the project and its baseline, and no run."""
    write_project(here, golden=examples(queries=40))
    run = run_of(here, BASE)
    assert harness("baseline", "set", run).code == 0
    shutil.rmtree(here / "runs" / run)
    return here


def act(here: Path, **env: str) -> Ended:
    """Run the action's script as a step of GitHub's runs it."""
    set_ = {
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "GITHUB_ACTIONS": "true",
        "GITHUB_OUTPUT": str(here / "output"),
        "GITHUB_STEP_SUMMARY": str(here / "summary.md"),
        "HARNESS_EVAL_MODEL": "replay/grades.csv",
        **dict.fromkeys(("HARNESS_EVAL_POLICY", "HARNESS_EVAL_PROMPT", "HARNESS_EVAL_MAX_COST"), ""),
        "OUT": "out",
    }
    done = subprocess.run(
        ["bash", SCRIPT],
        cwd=here,
        env={**os.environ, **set_, **env},
        capture_output=True,
        text=True,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


# Each starts five interpreters. A loss is what the action is there for.
EACH = [pytest.param(*row, id=row[1], marks=[] if row[1] == "fail" else [pytest.mark.slow]) for row in TABLE]


@pytest.mark.parametrize(("candidate", "verdict", "code"), EACH)
def test_action_ends_as_regress_does_and_keeps_the_report(
    checkout: Path, candidate: Any, verdict: str, code: int
) -> None:
    write_grades(checkout / "grades.csv", candidate)
    ended = act(checkout)
    assert ended.code == code, ended.err
    assert (checkout / "output").read_text() == f"verdict={verdict}\n"
    assert verdict.upper() in (checkout / "summary.md").read_text().upper()
    assert ("::error" in ended.err) == (verdict == "fail")
    kept = {path.name for path in (checkout / "out").iterdir()}
    assert kept == {"report.html", "regress.xml", "scorecard.json", "summary.md", "verdict.json"}
    assert json.loads((checkout / "out/verdict.json").read_text())["regress"]["verdict"] == verdict
    assert (checkout / "out/summary.md").read_text() == (checkout / "summary.md").read_text()


@pytest.mark.slow
def test_action_lets_an_undecided_verdict_pass_with_a_warning_where_asked(checkout: Path) -> None:
    write_grades(checkout / "grades.csv", OPEN)
    ended = act(checkout, INCONCLUSIVE="warn")
    assert ended.code == 0, ended.err
    assert "::warning title=Regression::inconclusive" in ended.out
    assert (checkout / "output").read_text() == "verdict=inconclusive\n"


@pytest.mark.slow
def test_action_that_warns_of_what_is_undecided_still_fails_on_a_loss(checkout: Path) -> None:
    write_grades(checkout / "grades.csv", lambda at, golden: (golden + 1) % 3)
    assert act(checkout, INCONCLUSIVE="warn").code == 1


@pytest.mark.slow
def test_action_finds_a_project_in_a_folder(checkout: Path) -> None:
    inside = checkout / "search"
    inside.mkdir()
    for name in ("policies", "prompts", "golden", "runs"):
        shutil.move(checkout / name, inside / name)
    write_grades(inside / "grades.csv", PASSES)
    assert act(checkout, PROJECT="search").code == 0
    assert (checkout / "out/report.html").exists()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("env", "says"),
    [
        ({"INCONCLUSIVE": "maybe"}, "'maybe' is not fail or warn"),
        ({"HARNESS_EVAL_MODEL": "replay/none.csv"}, "none.csv"),
        ({"BASE": "nobody"}, "nobody"),
    ],
)
def test_action_that_cannot_work_is_no_verdict(checkout: Path, env: dict[str, str], says: str) -> None:
    write_grades(checkout / "grades.csv", PASSES)
    ended = act(checkout, **env)
    assert ended.code == 2
    assert says in ended.err
    assert not (checkout / "output").exists()


def test_action_hands_every_input_on_and_nothing_into_a_shell() -> None:
    steps = ACTION["runs"]["steps"]
    text = json.dumps(steps)
    assert set(re.findall(r"inputs\.([\w-]+)", text)) == set(ACTION["inputs"])
    assert [step["run"] for step in steps if "${{" in step.get("run", "")] == []
    (regress,) = (step for step in steps if step.get("id") == "regress")
    script = SCRIPT.read_text(encoding="utf-8")
    for name in regress["env"]:
        assert name.startswith("HARNESS_EVAL_") or f"${{{name}:-" in script, name
    options = harness("eval", "--help").out
    for name in (name for name in regress["env"] if name.startswith("HARNESS_EVAL_")):
        assert f"--{name.removeprefix('HARNESS_EVAL_').lower().replace('_', '-')} " in options, name
    assert ACTION["outputs"]["verdict"]["value"] == "${{ steps.regress.outputs.verdict }}"


@pytest.mark.parametrize(
    ("hook", "file", "text"),
    [
        ("policy-lint", "policies/small/v1.toml", "name = 3\n"),
        ("golden-lint", "golden/small/examples.jsonl", '{"id": "a"}\n'),
    ],
)
def test_hook_lets_a_sound_project_pass_and_stops_a_fault(
    here: Path, hook: str, file: str, text: str
) -> None:
    write_project(here)
    (found,) = (one for one in HOOKS if one["id"] == hook)
    assert re.search(found["files"], file)
    command, *words = shlex.split(found["entry"])
    assert command == "harness"
    assert not found["pass_filenames"]
    assert harness(*words).code == 0
    (here / file).write_text(text, encoding="utf-8")
    assert harness(*words).code == 2
