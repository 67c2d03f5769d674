"""Runs in a line each: what a line says, what is read again, and damage that stops nothing."""

import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from builders import write_project
from comparing import perfect, run_of, wrong_on
from viewing import change_manifest, unfinish

from harness.errors import BadInput
from harness.runs.folder import load_run, open_run
from harness.runs.listing import QUIET, ListedRun, Listing, read_headline
from harness.score.reading import read_run
from harness.storage.project import Project
from harness.verdicts.assessment import assess, save_assessment


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The small project with one finished run."""
    root = tmp_path_factory.mktemp("listed")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_project(root)
        run_of(root, wrong_on(1, 5, 9))
    return root


@pytest.fixture
def project(whole: Path, here: Path) -> Project:
    """A copy of it, to work in."""
    shutil.copytree(whole, here, dirs_exist_ok=True)
    return Project(here)


def only(project: Project) -> ListedRun:
    """The one run."""
    (run,) = Listing(project).runs()
    return run


def folder_of(project: Project) -> Path:
    """Its folder."""
    (folder,) = project.runs.iterdir()
    return folder


def test_a_line_says_what_scoring_would_say(project: Project) -> None:
    run, score = only(project), assess(load_run(folder_of(project))).gate2
    assert run.headline is not None
    assert (run.state, run.kappa, run.ci) == ("finished", score.gated_kappa.value, score.gated_kappa.ci)
    said = run.headline
    assert (said.verdict, said.n, said.coverage) == (score.verdict, score.n, score.coverage)


def test_a_line_reads_the_manifest_and_the_scorecard_alone(project: Project) -> None:
    code = (
        "import sys\nfrom pathlib import Path\n"
        "from harness.runs.listing import Listing\nfrom harness.storage.project import Project\n"
        "opened = []\n"
        "sys.addaudithook(lambda event, what: event == 'open' and opened.append(Path(str(what[0]))))\n"
        "assert [run.state for run in Listing(Project(Path.cwd())).runs()] == ['finished']\n"
        "print(*sorted(path.name for path in opened if path.parent.parent.name == 'runs'))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=project.root)
    assert done.stdout.split() == ["manifest.json", "scorecard.json"], done.stderr


def test_a_scorecard_of_an_earlier_version_holds_its_misses_and_no_cost(project: Project) -> None:
    folder = folder_of(project)
    path, before = folder / "scorecard.json", only(project)
    lines = (folder / "disagreements.jsonl").read_text(encoding="utf-8").splitlines()
    score = json.loads(path.read_text(encoding="utf-8"))
    del score["spending"]
    path.write_text(json.dumps({**score, "misses": list(map(json.loads, lines))}), encoding="utf-8")
    now = only(project)
    assert (now.state, now.kappa, now.ci, now.verdict) == (
        "finished",
        before.kappa,
        before.ci,
        before.verdict,
    )
    assert (before.cost, now.cost) == (0.0, None)


@pytest.mark.parametrize("kept", [0, 300, -3])
def test_a_scorecard_that_was_cut_off_is_damage(project: Project, kept: int) -> None:
    path = folder_of(project) / "scorecard.json"
    path.write_text(path.read_text(encoding="utf-8")[:kept], encoding="utf-8")
    with pytest.raises(BadInput, match="can be deleted"):
        read_headline(path)
    run = only(project)
    assert run.state == "damaged"
    assert "scorecard.json" in run.faults[0]


@pytest.mark.parametrize(
    ("file", "content", "said"),
    [
        ("manifest.json", "{", "not JSON"),
        ("manifest.json", None, "no such file"),
        ("manifest.json", '{"format": 99}', "format"),
        ("manifest.json", "2026-02-30T00:00:00+00:00", "is not a time"),
        ("records.jsonl", None, "no such file"),
        ("policy.toml", None, "no such file"),
        ("scorecard.json", '{"verdict": "pass"}', "missing or wrong"),
        ("scorecard.json", "\udc80".encode("utf-8", "surrogateescape"), "not JSON"),
    ],
)
def test_a_damaged_folder_is_listed_with_what_is_wrong(
    project: Project, file: str, content: str | bytes | None, said: str
) -> None:
    path = folder_of(project) / file
    if said == "is not a time":
        manifest = json.loads(path.read_text(encoding="utf-8"))
        content = json.dumps({**manifest, "created_at": content})
    path.unlink()
    if content is not None:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    run = only(project)
    assert run.state == "damaged"
    assert said in run.faults[0]
    assert file in run.faults[0]


def test_a_folder_that_is_no_run_is_not_listed(project: Project) -> None:
    (project.runs / "baselines").mkdir()
    (project.runs / ".new-abc").mkdir()
    (project.runs / ".new-abc/manifest.json").write_text("{", encoding="utf-8")
    assert len(Listing(project).runs()) == 1
    assert Listing(project).run("baselines") is None
    assert Listing(project).run("../small") is None


def test_a_run_without_a_scorecard_is_listed_unscored(project: Project) -> None:
    (folder_of(project) / "scorecard.json").unlink()
    run = only(project)
    assert (run.state, run.kappa, run.ci) == ("unscored", None, None)


def test_an_unfinished_run_goes_on_as_long_as_answers_come(project: Project) -> None:
    unfinish(folder_of(project), 5)
    assert only(project).state == "going"
    then = time.time() - QUIET - 1
    os.utime(folder_of(project) / "records.jsonl", (then, then))
    assert only(project).state == "stopped"


def test_a_listing_notices_new_changed_and_removed_runs(project: Project, here: Path) -> None:
    listing = Listing(project)
    (first,) = listing.runs()
    assert listing.runs() == [first]
    run_of(here, perfect, file="other.csv")
    assert [run.kappa for run in listing.runs()] == [first.kappa, 1.0]
    change_manifest(folder_of_name(project, first.name), finished_at=None)
    assert listing.runs()[0].state == "gaps"
    (folder_of_name(project, first.name) / "scorecard.json").unlink()
    assert listing.runs()[0].state == "going"
    shutil.rmtree(project.runs / first.name)
    assert [run.kappa for run in listing.runs()] == [1.0]


def test_what_has_not_changed_is_not_read_again(project: Project) -> None:
    listing = Listing(project)
    before = listing.run(folder_of(project).name)
    assert listing.run(folder_of(project).name) is before


def test_a_run_says_what_it_cost_where_every_answer_does(project: Project) -> None:
    path = folder_of(project) / "records.jsonl"
    records = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert only(project).cost == spent(project) == 0.0
    for record in records:
        record["reply"]["text"] = 'it said "cost": 5 and "cached_reply": true'
        record["cost"] = 0.25
    first, second, third, *_ = records
    again = {**first, "cost": 0.5e-1}
    second["cached_reply"] = True
    for key in ("reply", "cost"):
        del third[key]
    third["outcome"] = {"kind": "failed", "detail": "gone"}
    write_records(path, [*records, again])
    # One was asked about twice, one was paid for before, and one never came.
    expected = pytest.approx(0.25 * (len(records) - 2) + 0.05)
    assert only(project).cost == expected
    assert spent(project) == expected
    del records[5]["cost"]
    write_records(path, records)
    assert only(project).cost is None
    assert spent(project) is None


def spent(project: Project) -> float | None:
    """What the run itself says that it cost."""
    return read_run(load_run(folder_of(project))).spending.cost


def write_records(path: Path, records: list[dict[str, Any]]) -> None:
    """Records as the journal writes them, and the scorecard that they have."""
    path.write_text("".join(json.dumps(record) + "\n" for record in records), encoding="utf-8")
    save_assessment(assess(open_run(path.parent)))


def folder_of_name(project: Project, name: str) -> Path:
    """A run's folder by its name."""
    return project.runs / name
