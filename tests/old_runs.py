"""The project in tests/cases/runs, read as a user would: what an earlier version of this program wrote."""

import json
import math
import os
import shutil
from pathlib import Path
from typing import Any

from builders import harness
from fault_server import Turn, fault_server, graded

from harness.demo.wire import Tokens
from harness.golden.holdout_log import LOOKS, looks
from harness.golden.overrides import OVERRIDES, overrides
from harness.golden.rating.adjudications import load_adjudications
from harness.golden.rating.raters import rater_kinds
from harness.grading.new_run import new_manifest
from harness.grading.plan import make_plan
from harness.runs.batch_log import BATCHES, BatchLog
from harness.runs.folder import load_run, run_names
from harness.runs.manifest import load_manifest
from harness.runs.pair_run import load_pair_run, pair_run_names, pairs_folder
from harness.runs.pairs import read_pairs
from harness.storage.project import Project
from harness.storage.tables import Layout

FROZEN = Path(__file__).resolve().parent / "cases/runs/project"
SCORED = (
    "verdict", "band", "gated", "bar", "weighting", "n", "n_clusters", "coverage", "outcomes", "accuracy",
    "mae", "bias", "confusion", "per_grade", "boundaries", "gate1", "kappa", "kappa_linear",
    "kappa_quadratic", "kappa_worst_case",
)  # fmt: skip
"""Keys of a scorecard that hold figures and judgements."""


def copied(root: Path) -> Project:
    """The frozen project in a folder that may be written to."""
    shutil.copytree(FROZEN, root, dirs_exist_ok=True)
    return Project(root)


def named(project: Project, end: str) -> str:
    """The first run whose name ends so."""
    return next(name for name in run_names(project) if name.endswith(end))


def load_everything(project: Project) -> None:
    """Every run and pair run, as the code that reads them does."""
    assert len(run_names(project)) == 13 and len(pair_run_names(project)) == 2
    for name in run_names(project):
        run = load_run(project.runs / name)
        assert run.examples and run.records
    for name in pair_run_names(project):
        assert len(load_pair_run(pairs_folder(project) / name).outcomes) == 6


def plans_have_the_same_digests(project: Project) -> None:
    """What was asked then would be the same run now."""
    pairs = read_pairs(project.root / "pairs.csv", Layout())
    folders = [project.runs / name for name in run_names(project)]
    folders += [pairs_folder(project) / name for name in pair_run_names(project)]
    for folder in folders:
        then = load_manifest(folder)
        plan = make_plan(project, then.asked, pairs if then.asked.pairs else None)
        now = new_manifest(project, plan)
        assert then.digests.changed(plan.digests) == [], folder.name
        assert (now.digests, now.gates, now.asked) == (then.digests, then.gates, then.asked), folder.name


def files_beside_are_read(project: Project) -> None:
    """What lies beside runs and golden sets, line by line."""
    (batched,) = project.runs.glob(f"*/{BATCHES}")
    with BatchLog(batched.parent) as log:
        assert [logged.step for logged in log.batches] == ["over"]
    golden = project.root / "golden"
    assert len(looks(golden / "shop" / LOOKS)) == 1
    assert len(overrides(golden / "bare" / OVERRIDES)) == 1
    assert len(load_adjudications(golden / "shop/adjudications.jsonl")) == 2
    assert rater_kinds(golden / "shop/raters.toml") == {"ann": "human", "ben": "human", "bot": "llm"}


def gate2_says_what_was_said(project: Project, name: str) -> None:
    """The scorecard is computed to the digit that was stored."""
    stored = json.loads((FROZEN / "runs" / name / "scorecard.json").read_text(encoding="utf-8"))
    found = harness("gate2", name, "--json", "--root", project.root).json
    for key in SCORED:
        assert holds(found[key], stored[key]), (key, found[key], stored[key])


def holds(found: Any, stored: Any) -> bool:
    """Whether all that was stored is there; more keys may have come. Sentences and last digits may change."""
    if isinstance(stored, dict):
        return all(key == "reason" or holds(found[key], value) for key, value in stored.items())
    if isinstance(stored, list):
        return len(found) == len(stored) and all(map(holds, found, stored))
    if isinstance(stored, float):
        return math.isclose(found, stored, rel_tol=1e-12)
    return bool(found == stored)


def commands_read_them(project: Project) -> None:
    """Listing, showing, reports, comparisons and the regression against a stored baseline."""
    root = ("--root", project.root)
    listed = harness("runs", "list", "--json", *root)
    assert [row["run"] for row in listed.json["runs"]] == run_names(project), listed.err
    for name in run_names(project):
        assert harness("runs", "show", name, "--json", *root).json["name"] == name
    steady, lexical = (
        named(project, "openai-steady-dev"),
        named(project, "shop@v2-teacher@v1-builtin-lexical-dev"),
    )
    page = project.root / "page.html"
    assert harness("report", steady, lexical, "-o", page, *root).code == 0
    assert page.stat().st_size > 10_000
    compared = harness("compare", lexical, steady, "--json", *root).json
    assert compared["n_common"] == 10
    assert {one["name"] for one in compared["changed"]} >= {"model"}
    assert "policy" not in {one["name"] for one in compared["changed"]}
    regress = harness("regress", "--base", "baseline", "--candidate", steady, "--json", *root)
    kept = json.loads((FROZEN / "runs" / steady / "verdict.json").read_text(encoding="utf-8"))["regress"]
    assert regress.code == 3, regress.err
    # The kept limits are from an error of 0, which is no interval any more.
    assert (regress.json["verdict"], regress.json["low"], kept["low"]) == (kept["verdict"], None, 0.0)
    assert regress.json["comparison"]["changed"] == [], "the baseline is of this very run"


def nothing_is_asked_twice(project: Project) -> None:
    """Pair runs are found again and replies come from the cache: there is no server at that address."""
    root = ("--root", project.root)
    address = ("--base-url", "http://127.0.0.1:9/v1")
    key = {"OPENAI_API_KEY": "test"}
    words = ("policy", "impact", "shop@v1", "shop@v2", "--pairs", project.root / "pairs.csv")
    teacher = ("--traffic", "traffic", "--model", "openai/steady", *address, "--json", *root)
    found = harness(*words, *teacher, **key)
    assert (found.code, found.json["n"]) == (0, 6), found.err
    assert len(pair_run_names(project)) == 2, "what was graded under both versions was not found again"
    again = harness(
        "eval", "--model", "openai/steady", "--policy", "shop@v2", "--no-report", *address, *root, **key
    )
    assert again.code == 0, again.err
    records = load_run(project.runs / run_names(project)[-1]).records.values()
    assert len(records) == 12 and all(record.cached_reply for record in records)


def unfinished_runs_go_on(project: Project) -> None:
    """A run that was stopped and one with a failed example ask what they lack, and nothing else."""
    key = {"OPENAI_API_KEY": "test"}
    for end, lacking in (("openai-stopped-dev", 7), ("openai-failing-dev", 1)):
        name = named(project, end)
        with fault_server(_answer) as server:
            words = (
                "eval",
                "--resume",
                name,
                "--no-report",
                "--base-url",
                server.url,
                "--root",
                project.root,
            )
            done = harness(*words, **key)
            assert (done.code, len(server.requests)) == (0, lacking), done.err
        run = load_run(project.runs / name)
        assert run.manifest.finished_at is not None and len(run.records) == 12


def _answer(number: int, body: dict[str, Any]) -> Turn:
    return graded(number % 3, tokens=Tokens(new=500))


def read_all(root: Path) -> None:
    """Everything above, in a copy of the project."""
    os.environ |= {"COLUMNS": "80", "NO_COLOR": "1"}
    project = copied(root)
    load_everything(project)
    plans_have_the_same_digests(project)
    files_beside_are_read(project)
    for name in run_names(project):
        if (FROZEN / "runs" / name / "scorecard.json").exists():
            gate2_says_what_was_said(project, name)
    commands_read_them(project)
    nothing_is_asked_twice(project)
    unfinished_runs_go_on(project)
