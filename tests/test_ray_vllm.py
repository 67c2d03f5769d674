"""--engine ray-vllm up to the GPU: what the processor is told and given, and what becomes of its rows."""

import importlib.util
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import harness, write_project
from labelling import label, labelled, rows, write_rows

from harness.grading.plan import make_plan, setup_of
from harness.nouns.records import Failed, Grade, Ungraded
from harness.pricing.prices import NoPrice
from harness.production.ray_vllm import ERROR, Asking, record_of_row
from harness.providers.base import LONGEST_ANSWER
from harness.runs.manifest import Asked
from harness.runs.pairs import ShownPair
from harness.storage.project import Project

with_ray = pytest.mark.skipif(
    importlib.util.find_spec("ray") is None,
    reason="Ray is not installed: pip install 'teacher-harness[ray]'",
)
PAIR = ShownPair.model_validate({"id": "a", "query": "tent", "result": {"title": "tent model 1x2"}})


def asked(**given: Any) -> Asked:
    return Asked(
        model="vllm/org/m", policy="small", prompt="teacher", splits=("dev",), **{"temperature": 0.0, **given}
    )


def answer(**given: Any) -> dict[str, Any]:
    text = json.dumps({"reasoning": "r", "clauses": [], "grade": 2})
    row = {"item": "a", "digest": PAIR.pair.digest, "generated_text": text, ERROR: ""}
    return {**row, "num_input_tokens": 90, "num_generated_tokens": 9, **given}


@pytest.mark.parametrize("fold", [False, True])
def test_a_row_has_the_prompt_of_a_server(here: Path, fold: bool) -> None:
    write_project(here)
    plan = make_plan(Project(here), asked(seed=7, max_tokens=300, fold_system=fold))
    row = Asking(plan, setup_of(Project(here), plan)).row(PAIR)
    shown = [one.content for one in plan.writer.prompt("a", PAIR.pair).messages]
    assert [one["content"] for one in row["messages"]] == (["\n\n".join(shown)] if fold else shown)
    assert (row["item"], row["digest"]) == ("a", PAIR.pair.digest)
    schema = json.loads(row["sampling_params"].pop("structured_outputs")["json"])
    assert schema["properties"]["grade"]["enum"] == [0, 1, 2]
    assert row["sampling_params"] == {"temperature": 0.0, "seed": 7, "max_tokens": 300}


def test_an_answer_has_room_where_no_limit_is_asked_for(here: Path) -> None:
    write_project(here)
    plan = make_plan(Project(here), asked(no_schema=True))
    row = Asking(plan, setup_of(Project(here), plan)).row(PAIR)
    assert row["sampling_params"] == {"temperature": 0.0, "max_tokens": LONGEST_ANSWER}


def test_a_row_that_comes_back_is_an_outcome(here: Path) -> None:
    write_project(here)
    plan = make_plan(Project(here), asked(max_tokens=10))
    price = NoPrice(model="vllm/org/m", reason="a model of one's own")

    good = record_of_row(answer(), plan, price)
    assert isinstance(good.outcome, Grade) and good.outcome.value == 2
    assert (good.example, good.pair, good.repeat, good.cost) == ("a", PAIR.pair.digest, 0, None)
    assert good.reply and good.reply.usage and good.reply.usage.input_tokens == 90
    assert good.reply.model == "org/m"
    cut = record_of_row(answer(num_generated_tokens=10), plan, price).outcome
    assert isinstance(cut, Ungraded) and cut.cause == "cut_off"
    odd = record_of_row(answer(generated_text="no idea"), plan, price).outcome
    assert isinstance(odd, Ungraded) and odd.cause == "no_answer"
    lost = record_of_row(answer(generated_text="", **{ERROR: "ValueError: too long"}), plan, price)
    assert lost.outcome == Failed(detail="vLLM: ValueError: too long") and lost.reply is None


@with_ray
@pytest.mark.parametrize(
    "words, why",
    [
        (("--model", "openai/m"), "--model vllm/NAME"),
        (("--model", "vllm/m"), "needs --temperature"),
    ],
)
def test_what_would_be_another_teacher_is_refused(here: Path, words: tuple[str, ...], why: str) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(3))
    ended = harness("label", "pairs.csv", "-o", "L", "--unproven", "--engine", "ray-vllm", *words,
                    OPENAI_API_KEY="k")  # fmt: skip
    assert ended.code == 2 and why in " ".join(ended.err.split()), ended.err
    assert not Path("L").exists()


@with_ray
@pytest.mark.slow
def test_the_processor_keeps_rows_that_fail() -> None:
    script = (
        "from harness.production.ray_vllm import processor_config\n"
        "from harness.runs.manifest import Asked\n"
        "asked = Asked(model='vllm/org/m', policy='p', prompt='t', splits=('dev',))\n"
        "print(processor_config(asked, 3).model_dump_json())\n"
    )
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout.splitlines()[-1])
    assert (found["model_source"], found["concurrency"]) == ("org/m", 3)
    assert found["should_continue_on_error"] is True
    assert found["engine_kwargs"]["enable_prefix_caching"] is True


FAKE = """
import json, re, sys
from harness.production import engines
from harness.production.ray_vllm import ERROR, RayVllm

def generate(row):
    title = re.findall(r"model (\\d+)x(\\d)", row["messages"][-1]["content"])[-1]
    text = json.dumps({"reasoning": "r", "clauses": [], "grade": int(title[1])})
    lost = "RuntimeError: no memory" if title[0] == "7" else ""
    kept = {"item": row["item"], "digest": row["digest"], "num_input_tokens": 5, "num_generated_tokens": 6}
    return {**kept, "generated_text": "" if lost else text, ERROR: lost}

engines.ENGINES["ray-vllm"] = lambda actors: RayVllm(actors, lambda asked, n: lambda data: data.map(generate))
from harness.cli.app import main
main()
"""


@with_ray
@pytest.mark.slow
def test_a_label_set_by_a_processor_without_a_gpu(here: Path) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(60, distinct=40))
    (here / "fake.py").write_text(FAKE, encoding="utf-8")
    words = ["label", "pairs.csv", "-o", "L", "--policy", "small", "--unproven", "--json"]
    words += ["--engine", "ray-vllm", "--model", "vllm/org/m", "--temperature", "0"]
    done = subprocess.run(
        [sys.executable, "fake.py", *words], capture_output=True, text=True, env=dict(os.environ)
    )
    assert done.returncode == 4 and "Traceback" not in done.stderr, done.stderr
    assert json.loads(done.stdout)["outcomes"] == {"graded": 58, "ungraded": 0, "failed": 2}
    lost = [row for row in labelled() if row["outcome"] == "failed"]
    assert {row["title"] for row in lost} == {"tent model 7x1"}
    assert lost[0]["detail"] == "vLLM: RuntimeError: no memory"
    assert not Path("L/parts").exists()


def test_without_the_package_it_says_what_to_install(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "ray", None)
    write_project(here)
    write_rows(here / "pairs.csv", rows(3))
    for engine in ("ray", "ray-vllm"):
        ended = label(None, "pairs.csv", "--unproven", "--engine", engine, model="builtin/majority")
        assert (ended.code, Path("L").exists()) == (2, False)
        assert "pip install 'teacher-harness[ray]'" in " ".join(ended.err.split())
