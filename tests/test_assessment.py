"""One assessment per run: each file is read once, judging reads one folder, every view has one object."""

import json
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest
from builders import harness, write_project
from comparing import perfect, run_of, wrong_on
from forked import RAISED, forked
from viewing import unfinish

from harness.cli.app import app
from harness.report.figures import CHANGES, KAPPAS, MAE, SCORED
from harness.report.page.data import report_data
from harness.report.page.write import report_page
from harness.runs.folder import Run, earlier_runs, open_run
from harness.score.reading import SHORT, read_run
from harness.verdicts.assessment import Assessment, assess, save_assessment


def opened(here: Path, *words: str) -> Counter[tuple[str, str]]:
    """How often a command opens each file of each run: by the run's name and the file's."""
    paths = opens(lambda: app([*words]))
    return Counter((path.parent.name, path.name) for path in paths if path.parent.parent == here / "runs")


def opens(action: Callable[[], object]) -> list[Path]:
    """Every file that an action opens in a process of its own, as often as it does."""
    with tempfile.TemporaryFile() as log:

        def note(event: str, what: tuple[Any, ...]) -> None:
            if event == "open" and not isinstance(what[0], int):
                os.write(log.fileno(), f"{Path(str(what[0])).absolute()}\n".encode())

        def noted() -> None:
            sys.addaudithook(note)
            action()

        assert forked(noted) != RAISED
        log.seek(0)
        return [Path(line) for line in log.read().decode("utf-8").splitlines()]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with two runs."""
    root = tmp_path_factory.mktemp("two")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_project(root)
        run_of(root, wrong_on(1, 5, 9))
        run_of(root, perfect, file="other.csv")
    return root


@pytest.fixture
def two(made: Path, here: Path) -> list[Path]:
    """The folders of the runs of a copy of it, the older one first."""
    shutil.copytree(made, here, dirs_exist_ok=True)
    return sorted((here / "runs").iterdir())


def test_an_eval_reads_what_grows_twice_and_its_scoring_reads_it_once(here: Path) -> None:
    write_project(here)
    found = Counter[str]()
    for (run, file), count in opened(here, "eval", "--policy", "small", "--limit", "5").items():
        if not run.startswith(".new-"):
            found[file] += count
    # Once to grade and once to score: the report, the spending and the list add nothing.
    assert (found["examples.jsonl"], found["records.jsonl"]) == (2, 2)
    assert found["manifest.json"] == 2
    assert {found[name] for name in ("policy.toml", "gates.toml")} == {1}
    assert found["prefix.txt"] == 0  # the grader is sent no prompt


@pytest.mark.parametrize(
    "words", [("gate2", "latest"), ("report", "latest"), ("compare", "latest~1", "latest"), ("runs", "show")]
)
def test_a_command_reads_each_file_of_a_run_once(here: Path, two: list[Path], words: tuple[str, ...]) -> None:
    found = opened(here, *words)
    grown = {key: count for key, count in found.items() if key[1] in ("examples.jsonl", "records.jsonl")}
    assert grown and set(grown.values()) == {1}


def test_judging_reads_one_folder_and_what_it_is_given(here: Path, two: list[Path]) -> None:
    paths = opens(lambda: assess(open_run(two[1])))
    assert {path.parent for path in paths if path.is_relative_to(here / "runs")} == {two[1]}
    assert earlier_runs(two[1]) == [two[0]]
    assert earlier_runs(two[0]) == []


def test_every_view_shows_the_one_assessment(here: Path, two: list[Path]) -> None:
    found = assess(open_run(two[0]))
    page = report_data(found)
    assert page["score"] is found.gate2
    assert page["gate1"] is found.gate1
    assert page["spending"] is found.reading.spending
    printed = harness("gate2", two[0].name, "--json").json
    assert printed == json.loads(found.gate2.model_dump_json())
    saved = json.loads((two[0] / "scorecard.json").read_text(encoding="utf-8"))
    assert saved.pop("spending") == json.loads(found.reading.spending.model_dump_json())
    assert saved == {key: value for key, value in printed.items() if key != "misses"}
    lines = (two[0] / "disagreements.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line) for line in lines] == printed["misses"]
    assert len(lines) == 3


def test_scoring_again_writes_the_same_files(two: list[Path]) -> None:
    names = ("scorecard.json", "disagreements.jsonl", "verdict.json")
    before = [(two[0] / name).read_bytes() for name in names]
    save_assessment(assess(open_run(two[0]), earlier=earlier_runs(two[0])))
    assert [(two[0] / name).read_bytes() for name in names] == before


def test_the_examples_of_a_long_run_stay_on_the_disk(two: list[Path]) -> None:
    run = open_run(two[0])
    short = read_run(run)
    assert len(short.kept) == len(short.items)
    long = read_run(_said_to_have(run, SHORT + 1))
    assert long.kept == ()
    assert list(long.each_example()) == list(short.each_example())


def _said_to_have(run: Run, examples: int) -> Run:
    return replace(run, manifest=run.manifest.model_copy(update={"examples": examples}))


def test_a_run_without_a_scorecard_is_scored_once_by_the_list(here: Path, two: list[Path]) -> None:
    before = harness("runs", "list", "--json").json
    (two[0] / "scorecard.json").unlink()
    assert harness("runs", "list", "--json").json == before
    assert (two[0] / "scorecard.json").exists()
    assert {file for _, file in opened(here, "runs", "list")} == {"manifest.json", "scorecard.json"}


def test_a_run_that_was_stopped_is_listed_as_not_scored(here: Path, two: list[Path]) -> None:
    unfinish(two[1], 5)
    (row,) = [row for row in harness("runs", "list", "--json").json["runs"] if not row["finished"]]
    assert (row["run"], row["kappa"], row["coverage"], row["verdict"]) == (two[1].name, None, None, None)
    assert "not scored" in harness("runs", "list").out


def test_a_declared_figure_is_in_every_view_of_a_comparison(here: Path, two: list[Path]) -> None:
    shown = harness("compare", two[0].name, two[1].name).out
    base, found = read_run(open_run(two[0])), assess(open_run(two[1]))
    page = report_page(found, base).replace("&#39;", "'")
    words = ("regress", "--base", two[0].name, "--candidate", two[1].name, "--markdown", "said.md")
    harness(*words)
    said = (here / "said.md").read_text(encoding="utf-8")
    for figure in CHANGES:
        if not figure.if_any:
            assert (figure.row or figure.name).strip() in shown
            assert f'<th scope="row">{figure.name}</th>' in page
        assert not figure.markdown or f"| {figure.markdown} |" in said


def test_a_declared_figure_is_in_every_view_of_a_scorecard(two: list[Path]) -> None:
    found: Assessment = assess(open_run(two[0]))
    shown = harness("gate2", two[0].name).out
    page = report_page(found).replace("&#39;", "'").lower()
    for figure in (*KAPPAS, *SCORED):
        if not figure.if_missing:
            assert (figure.row or figure.name).strip() in shown
            assert figure.name.lower() in page


@pytest.mark.parametrize("place", ["card", "note", "drawn"])
def test_a_new_figure_needs_one_declaration(
    two: list[Path], monkeypatch: pytest.MonkeyPatch, place: Literal["card", "note", "drawn"]
) -> None:
    toy = replace(MAE, name="toy figure", markdown="toy figure", place=place)
    monkeypatch.setattr("harness.report.figures.SCORED", (*SCORED, toy))
    monkeypatch.setattr("harness.report.figures.CHANGES", (*CHANGES, toy))
    found, base = assess(open_run(two[1])), read_run(open_run(two[0]))
    assert found.gate2.mae is not None
    assert f"toy figure {found.gate2.mae:.3f}" in harness("gate2", two[1].name).out
    assert report_page(found).lower().count("toy figure") == (2 if place == "drawn" else 1)
    assert "toy figure" in harness("compare", two[0].name, two[1].name).out
    assert '<th scope="row">toy figure</th>' in report_page(found, base)
    sides = ("--base", two[0].name, "--candidate", two[1].name)
    harness("regress", *sides, "--markdown", "toy.md")
    assert "| toy figure |" in Path("toy.md").read_text(encoding="utf-8")
