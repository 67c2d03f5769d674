"""recorded/NAME: a reply is found by the text of its prompt, and answers no other."""

import json
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from builders import examples, harness, write_golden, write_project
from shipped import ROOT, ship

from harness.grading.plan import make_plan
from harness.providers.recorded import digests_of
from harness.runs.manifest import Asked
from harness.storage.project import find_project

MADE = "golden/small/recorded/someone.jsonl"
EVAL = ("eval", "--policy", "small", "--model", "recorded/someone", "--split", "dev+test")


def record(root: Path, replies: dict[str, str], prompt: str = "teacher") -> Path:
    """Write replies to the prompts as they read now, by example."""
    asked = Asked(model="recorded/someone", policy="small", prompt=prompt, splits=("dev", "test"))
    plan = make_plan(find_project(root), asked)
    lines = []
    for example in plan.examples:
        if example.id in replies:
            whole, prefix = digests_of(plan.writer.prompt(example.id, example.pair).messages)
            known = {"asked_with": plan.asked.prompt, "item": example.id, "model": "m-1", "on": "2026-01-02"}
            lines.append({"prompt": whole, "prefix": prefix, **known, "reply": replies[example.id]})
    path = root / MADE
    path.parent.mkdir(exist_ok=True)
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def text(grade: int) -> str:
    return json.dumps({"reasoning": "as it looks", "clauses": [], "grade": grade})


@pytest.fixture
def golden(here: Path) -> dict[str, int]:
    """A project, and the grades of what its eval grades."""
    write_project(here)
    return {line["id"]: line["grade"] for line in examples() if line["split"] != "shots"}


def test_recorded_replies_are_read_as_a_model_s_are(here: Path, golden: dict[str, int]) -> None:
    first, second, *_ = golden
    record(here, {id_: text(grade) for id_, grade in golden.items()} | {first: "4, I think", second: ""})
    ended = harness(*EVAL, "--json")
    assert ended.json["outcomes"] == {"graded": len(golden) - 2, "ungraded": 2, "failed": 0}
    assert ended.json["kappa"]["value"] == 1.0
    manifest = json.loads(Path(ended.json["run"]).joinpath("manifest.json").read_text("utf-8"))
    assert manifest["model_answered"] == ["m-1"]
    assert manifest["unprompted"] is False


def test_a_run_says_that_its_replies_are_recorded(here: Path, golden: dict[str, int]) -> None:
    record(here, {id_: text(grade) for id_, grade in golden.items()})
    out = " ".join(harness(*EVAL).out.split())
    assert "recorded on 2026-01-02: no model was asked now" in out
    assert "golden/small/recorded/README.md" in out
    (page,) = here.glob("runs/*/report.html")
    assert "no model was asked now" in page.read_text(encoding="utf-8")


@pytest.mark.parametrize("edited", ["prompts/teacher/v1/system.j2", "policies/small/v1.toml"])
def test_a_recording_does_not_answer_a_prompt_that_was_edited(
    here: Path, golden: dict[str, int], edited: str
) -> None:
    record(here, {id_: text(grade) for id_, grade in golden.items()})
    path = here / edited
    before = path.read_text(encoding="utf-8")
    after = before.replace('goal = "', 'goal = "Edited. ') if edited.endswith("toml") else f"Edited. {before}"
    assert after != before
    path.write_text(after, encoding="utf-8")
    ended = harness(*EVAL)
    assert ended.code == 4
    assert "the replies are to teacher@v1 as they once read, and none is to this prompt" in " ".join(
        ended.err.split()
    )


def test_a_pair_that_was_edited_has_no_reply_and_the_others_do(here: Path, golden: dict[str, int]) -> None:
    record(here, {id_: text(grade) for id_, grade in golden.items()})
    lines = examples()
    changed = next(line for line in lines if line["split"] == "dev")
    changed["result"]["title"] += " in red"
    write_golden(here, lines)
    ended = harness(*EVAL, "--json")
    assert ended.code == 4
    assert ended.json["outcomes"] == {"graded": len(golden) - 1, "ungraded": 0, "failed": 1}
    (record_,) = [
        line
        for line in Path(ended.json["run"]).joinpath("records.jsonl").read_text("utf-8").splitlines()
        if '"failed"' in line
    ]
    assert f"has no reply to {changed['id']} as it reads now" in record_


def test_a_second_reply_to_one_prompt_is_refused(here: Path, golden: dict[str, int]) -> None:
    path = record(here, {id_: text(grade) for id_, grade in golden.items()})
    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join([*lines, lines[1]]), encoding="utf-8")
    assert f"{path}, line 2: a second reply to one prompt" in " ".join(harness(*EVAL).err.split())


@pytest.mark.parametrize("name", ["nobody", "../examples", "../../small/recorded/someone"])
def test_an_unknown_recording_names_those_there_are(here: Path, golden: dict[str, int], name: str) -> None:
    record(here, {id_: text(grade) for id_, grade in golden.items()})
    ended = harness("eval", "--policy", "small", "--model", f"recorded/{name}")
    assert ended.code == 2
    assert "there are: recorded/someone" in ended.err


def test_what_a_server_would_be_sent_is_refused(here: Path, golden: dict[str, int]) -> None:
    record(here, {id_: text(grade) for id_, grade in golden.items()})
    ended = harness(*EVAL, "--temperature", "0.5")
    assert (ended.code, "remove --temperature" in ended.err) == (2, True)


def test_the_time_that_reading_takes_is_nobody_s_speed(here: Path, golden: dict[str, int]) -> None:
    record(here, {id_: text(grade) for id_, grade in golden.items()})
    runs = [harness(*EVAL, "--json").json["run"] for _ in range(2)]
    assert harness("compare", *(Path(run).name for run in runs), "--json").json["seconds"]["base"] is None


@pytest.mark.slow
def test_the_demonstration_is_what_the_readme_shows(here: Path) -> None:
    ship(here)
    shutil.copy(ROOT / "Makefile", here)
    (here / ".venv").symlink_to(sys.prefix)
    words = ("make", "--no-print-directory", "--assume-old=.venv/installed", "demo")
    done = subprocess.run(words, cwd=here, capture_output=True, text=True, check=True)
    shown = re.findall(
        r"^```text\n(== 1.*?)^```", (ROOT / "README.md").read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    rest = done.stdout
    for part in filter(None, shown[0].split("...\n")):
        _, there, rest = rest.partition(part)
        assert there, f"{part!r} does not come after what is shown before it"
    assert "No model was asked" in rest
    assert len(list((here / "runs").glob("*/report-against-*.html"))) == 1
