"""`harness runs rm`: whole folders of runs, and nothing else."""

import json
import shutil
from pathlib import Path

import pytest
from builders import harness, write_project

from harness.runs.record_log import RecordLog


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two runs, and one over production pairs."""
    root = tmp_path_factory.mktemp("runs")
    write_project(root)
    for split in ("dev", "test"):
        words = ("--policy", "small", "--split", split, "--no-report", "--root", root)
        assert harness("eval", *words).code == 0
    shutil.copytree(named(root / "runs", "dev"), root / "runs/pairs/over-pairs")
    return root


@pytest.fixture
def runs(made: Path, here: Path) -> Path:
    """The runs of a copy of it."""
    shutil.copytree(made, here, dirs_exist_ok=True)
    return here / "runs"


def named(runs: Path, ending: str) -> Path:
    (found,) = runs.glob(f"[!.]*-{ending}")
    return found


def names(runs: Path) -> set[str]:
    return {path.name for path in runs.glob("[!.]*")} | {path.name for path in runs.glob(".removed*")}


def test_runs_are_removed_whole_by_name_and_beginning(runs: Path) -> None:
    dev, test = named(runs, "dev"), named(runs, "test")
    ended = harness("runs", "rm", dev.name, str(dev), "latest", "pairs/over-pairs", "--yes", "--json")
    assert (ended.code, ended.json) == (0, {"removed": [dev.name, test.name, "pairs/over-pairs"]}), ended.err
    assert names(runs) == {"pairs"}
    assert list((runs / "pairs").iterdir()) == []


def test_pair_run_is_found_by_its_name(runs: Path) -> None:
    assert harness("runs", "rm", "over-pairs", "-y").out == "removed: pairs/over-pairs\n"


def test_damaged_run_can_be_removed(runs: Path) -> None:
    dev = named(runs, "dev")
    (dev / "manifest.json").unlink()
    assert harness("runs", "rm", dev.name, "--yes").code == 0
    assert not dev.exists()


@pytest.mark.parametrize(("answer", "gone"), [("y\n", True), ("n\n", False)])
def test_it_asks_first(runs: Path, answer: str, gone: bool) -> None:
    dev = named(runs, "dev")
    ended = harness("runs", "rm", dev.name, input=answer)
    assert (ended.code, dev.exists()) == (0, not gone)
    assert dev.name in ended.err
    assert ("nothing was removed" in ended.err) == (not gone)


def test_without_an_answer_nothing_is_removed(runs: Path) -> None:
    before = names(runs)
    ended = harness("runs", "rm", named(runs, "dev").name)
    assert (ended.code, names(runs)) == (2, before)
    assert "add --yes to remove without asking" in ended.err


def test_every_fault_is_named_and_nothing_removed(
    runs: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "run"
    shutil.copytree(named(runs, "dev"), elsewhere)
    (runs / "linked").symlink_to(elsewhere)
    (runs / "notes").mkdir()
    hidden = runs / ".new-draft"
    shutil.copytree(elsewhere, hidden)
    before = names(runs)
    wrong = ("nothing", str(elsewhere), "linked", "linked/", "notes", "pairs", "..", ".", "", ".new-draft")
    ended = harness("runs", "rm", named(runs, "dev").name, *wrong, "--yes")
    assert (ended.code, names(runs), hidden.exists()) == (2, before, True)
    assert elsewhere.exists()
    lines = ended.err.splitlines()[1:]
    assert len(lines) == len(wrong), ended.err
    said = ("no run 'nothing'", "not a run in", "a link", "a link", *["not a run"] * 4, "no run ''", "hidden")
    assert all(words in line for words, line in zip(said, lines, strict=True)), ended.err


def test_run_that_is_being_written_is_kept(runs: Path) -> None:
    dev = named(runs, "dev")
    with RecordLog(dev):
        ended = harness("runs", "rm", dev.name, "--yes")
    assert (ended.code, "another process is writing this run" in ended.err) == (2, True)
    assert dev.exists()


def test_baseline_is_kept_unless_forced(runs: Path) -> None:
    dev = named(runs, "dev")
    assert harness("baseline", "set", dev.name).code == 0
    ended = harness("runs", "rm", dev.name, "--yes")
    assert (ended.code, dev.exists()) == (2, True)
    assert "runs/baselines/small-dev.json" in ended.err
    assert harness("runs", "rm", dev.name, "--yes", "--force").code == 0
    assert json.loads((runs / "baselines/small-dev.json").read_text("utf-8"))["run"] == dev.name


def test_links_inside_a_run_are_not_followed(runs: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    kept = tmp_path_factory.mktemp("kept")
    (kept / "file").touch()
    dev = named(runs, "dev")
    (dev / "beside").symlink_to(kept)
    assert harness("runs", "rm", dev.name, "--yes").code == 0
    assert (kept / "file").exists()


def test_what_a_kill_left_of_a_removal_is_no_run_and_goes_with_the_next(runs: Path) -> None:
    named(runs, "dev").rename(runs / f".removed-{named(runs, 'dev').name}")
    assert len(harness("runs", "list", "--json").json["runs"]) == 1
    assert harness("runs", "rm", "latest", "--yes").code == 0
    assert names(runs) == {"pairs"}
