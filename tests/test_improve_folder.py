"""The folder of a search that somebody sends: links, pipes and edited answers are named; nothing is asked."""

import json
import os
import shutil
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import harness
from improving import RULE, blind_spot, golden, learning, project, simulated, with_shots

from harness.errors import BadInput
from harness.improve.folder import MOST, search_folder
from harness.improve.reflection import LARGEST
from harness.prompting.prompt import SYSTEM
from harness.runs.record_log import RECORDS
from harness.storage.project import Project


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, str, list[Any]]]:
    """A project with a search that has ended, the address of its server, and what that was asked."""
    root = tmp_path_factory.mktemp("searched")
    project(root, golden(20))
    with simulated(blind_spot) as server:
        done = search(root, server.url)
        assert done.code == 0, done.err
        yield root, server.url, server.requests


def search(root: Path, url: str, *more: str) -> Any:
    words = ("--base-url", url, "--root", root, "--proposals", "2", "--json")
    return harness("improve", "teacher@v1", "--model", "openai/sim", *words, *more)


def folder_of(root: Path) -> Path:
    (found,) = (root / "runs/improve").iterdir()
    return found


def version_of(folder: Path) -> Path:
    """The folder of the first version: the one without the rule."""
    return next(one for one in sorted((folder / "candidates").iterdir()) if RULE not in said(one))


def said(version: Path) -> str:
    return (version / SYSTEM).read_text(encoding="utf-8")


def moved(path: Path) -> None:
    """A link in the place of a file or a folder, to what it was."""
    away = path.parent / f"{path.name.lstrip('.')}-away"
    if path.parent.name == "improve" or path.name == "improve":
        away = path.parents[2] / "away"
    path.rename(away)
    path.symlink_to(away)


def piped(path: Path) -> None:
    shutil.rmtree(path) if path.is_dir() else path.unlink(missing_ok=True)
    os.mkfifo(path)


def edited(change: Callable[[dict[str, Any]], object]) -> Callable[[Path], None]:
    """The first record of the first version, changed."""

    def edit(folder: Path) -> None:
        path = version_of(folder) / RECORDS
        first, *rest = path.read_text(encoding="utf-8").splitlines(keepends=True)
        record = json.loads(first)
        change(record)
        path.write_text("".join([json.dumps(record) + "\n", *rest]), encoding="utf-8")

    return edit


def off_scale(record: dict[str, Any]) -> None:
    record["outcome"] = {"kind": "grade", "value": 9, "reasoning": "", "clauses": []}


def large(folder: Path) -> None:
    with (folder / "reflections.jsonl").open("r+b") as file:
        file.truncate(LARGEST + 1)


CHANGED: dict[str, tuple[Callable[[Path], Any], str]] = {
    "a link to the folder": (moved, "is a link; expected a folder"),
    "a link to all searches": (lambda f: moved(f.parent), "improve: is a link; expected a folder"),
    "a link to the versions": (lambda f: moved(f / "candidates"), "candidates: is a link"),
    "a link to a version": (lambda f: moved(version_of(f)), "is a link; expected a regular file"),
    "a link to records": (lambda f: moved(version_of(f) / RECORDS), f"{RECORDS}: is a link"),
    "a link to a template": (lambda f: moved(version_of(f) / SYSTEM), f"{SYSTEM}: is a link"),
    "a link to replies": (lambda f: moved(f / "reflections.jsonl"), "reflections.jsonl: is a link"),
    "a link to the result": (lambda f: moved(f / "improvement.json"), "improvement.json: is a link"),
    "a link as the lock": (lambda f: moved(f / ".records.lock"), ".records.lock: is a link"),
    "a pipe for calls": (lambda f: piped(version_of(f) / "calls.jsonl"), "is not a regular file"),
    "a pipe for the versions": (lambda f: piped(f / "candidates"), "candidates: is not a regular file"),
    "another template": (lambda f: (version_of(f) / SYSTEM).write_text("Other.", "utf-8"),
                         f"{SYSTEM}: was changed after the search wrote it"),
    "no template": (lambda f: (version_of(f) / SYSTEM).unlink(), f"{SYSTEM}: no such file"),
    "a grade off the scale": (edited(off_scale), "grade 9 is not on the scale of small@v1: the file was"),
    "another question": (edited(lambda r: r.update(example="gone")), "gone: the search asks no such"),
    "a repeat": (edited(lambda r: r.update(repeat=1)), "the search asks no such question"),
    "another pair": (edited(lambda r: r.update(pair="0" * 64)), "answers about another pair"),
    "no record": (edited(lambda r: r.clear()), "not a record"),
    "replies without end": (large, f"reflections.jsonl: larger than {LARGEST >> 20} MB"),
}  # fmt: skip


@pytest.mark.parametrize("name", CHANGED)
def test_a_folder_that_no_search_left_so_is_refused(
    served: tuple[Path, str, list[Any]], tmp_path: Path, name: str
) -> None:
    root, url, requests = served
    shutil.copytree(root, tmp_path / "p")
    change, told = CHANGED[name]
    change(folder_of(tmp_path / "p"))
    before = len(requests)
    done = search(tmp_path / "p", url)
    assert done.code == 2 and told in done.err.replace("\n    ", " "), done.err
    assert len(requests) == before


def test_an_untouched_copy_goes_on(served: tuple[Path, str, list[Any]], tmp_path: Path) -> None:
    root, url, requests = served
    shutil.copytree(root, tmp_path / "p")
    before = len(requests)
    assert search(tmp_path / "p", url).json["answers"] == 0
    assert len(requests) == before


def test_all_that_is_wrong_is_named_at_once(served: tuple[Path, str, list[Any]], tmp_path: Path) -> None:
    shutil.copytree(served[0], tmp_path / "p")
    folder = folder_of(tmp_path / "p")
    moved(folder / "improvement.json")
    piped(version_of(folder) / "calls.jsonl")
    with pytest.raises(BadInput) as caught:
        search_folder(Project(tmp_path / "p"), folder.name)
    assert len(caught.value.faults) == 2


@pytest.mark.parametrize(
    "where", ["runs", "runs/improve", "runs/improve/name", "runs/improve/name/candidates"]
)
def test_a_file_in_the_place_of_a_folder_is_named(tmp_path: Path, where: str) -> None:
    path = tmp_path / where
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("notes", encoding="utf-8")
    with pytest.raises(BadInput) as caught:
        search_folder(Project(tmp_path), "name")
    (fault,) = caught.value.faults
    assert fault.where == str(path) and "is a file; expected a folder: move it, or delete it" in fault.what
    assert path.read_text("utf-8") == "notes"


def test_nothing_is_written_through_a_link(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (tmp_path / "p/runs/improve/name").mkdir(parents=True)
    (tmp_path / "p/runs/improve/name/candidates").symlink_to(outside)
    with pytest.raises(BadInput, match="candidates: is a link"):
        search_folder(Project(tmp_path / "p"), "name")
    assert not list(outside.iterdir())


def test_more_versions_than_a_search_makes_are_not_read(tmp_path: Path) -> None:
    above = tmp_path / "runs/improve/name/candidates"
    for number in range(MOST):
        (above / f"{number:016x}").mkdir(parents=True)
    assert search_folder(Project(tmp_path), "name") == above.parent
    (above / "one-more").mkdir()
    with pytest.raises(BadInput, match=r"holds 1,001 folders, which no search makes"):
        search_folder(Project(tmp_path), "name")


def test_a_search_for_shots_goes_on_with_the_template_of_the_prompt_alone(tmp_path: Path) -> None:
    with_shots(tmp_path, "of no help")
    with simulated(learning) as server:
        first = search(tmp_path, server.url, "--shots").json
        asked = len(server.requests)
        assert search(tmp_path, server.url, "--shots").json == {**first, "answers": 0}
        version = next((folder_of(tmp_path) / "candidates").iterdir())
        (version / SYSTEM).write_text(said(version) + "Other.", encoding="utf-8")
        done = search(tmp_path, server.url, "--shots")
        assert done.code == 2 and f"{SYSTEM}: was changed after the search wrote it" in done.err
        assert len(server.requests) == asked
