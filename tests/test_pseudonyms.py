"""E-mail addresses and ids of crowds become pseudonyms: stable in the project, and made by it alone."""

import shutil
import stat
import subprocess
from pathlib import Path

import pytest
from builders import harness, write_project
from exchanged import FILES, FOLDER, exported, imported, lines

from harness.errors import BadInput
from harness.golden.rating.exchange.pseudonyms import PSEUDONYM, Pseudonyms
from harness.storage.project import Project

LABEL_STUDIO, MTURK = FILES / "label-studio/export.json", FILES / "mturk/batch_results.csv"
SALT = "golden/.private/rater_salt"


def raters(here: Path) -> set[str]:
    return {one["rater"] for one in lines(here)}


def test_the_same_person_has_the_same_pseudonym_in_every_file(here: Path) -> None:
    write_project(here)
    ended = imported(LABEL_STUDIO, "--kind", "human")
    assert "raters stored under a pseudonym: 2; --keep-names keeps names\n" in ended.err
    first = raters(here)
    assert len(first) == 2 and all(PSEUDONYM.fullmatch(name) for name in first)
    for name in ("label-studio/export.csv", "label-studio/json-min.json", "quepid/book.json"):
        ended = imported(FILES / name, "--replace")
        assert ended.code == 0, ended.err
        assert raters(here) == first
    table = here / "t.csv"
    table.write_text("item,rater,grade\nq2-0,Ann@Example.com,1\nq2-0,ann,1\n", "utf-8")
    imported(table)
    assert raters(here) == {*first, "ann"}


def test_nothing_that_is_stored_names_the_person(here: Path) -> None:
    write_project(here)
    imported(LABEL_STUDIO, "--kind", "human")
    imported(MTURK, "--kind", "human")
    for path in (here / "golden").rglob("*"):
        if path.is_file():
            text = path.read_text("utf-8")
            assert "example.com" not in text and "A1B2C3D4E5F6G7" not in text, path
    # Neither does what is exported; a pseudonym that comes back stays as it is.
    before = raters(here)
    exported(here / "out.csv", "mturk")
    assert imported(here / "out.csv").code == 0
    assert raters(here) == before


def test_names_are_kept_on_demand_and_other_names_always(here: Path) -> None:
    write_project(here)
    imported(LABEL_STUDIO, "--keep-names")
    imported(FILES / "potato/annotation_output", "--keep-names")
    assert raters(here) == {"ann@example.com", "bob@example.com", "ann"}
    assert not (here / SALT).exists()


def test_the_salt_is_for_its_owner_and_outside_version_control(here: Path) -> None:
    write_project(here)
    imported(LABEL_STUDIO)
    assert stat.S_IMODE((here / SALT).stat().st_mode) == 0o600
    subprocess.run(["git", "init", "-q"], cwd=here, check=True)
    subprocess.run(["git", "add", "-A"], cwd=here, check=True)
    listed = subprocess.run(["git", "ls-files"], cwd=here, check=True, capture_output=True, text=True).stdout
    assert "golden/small/ratings.jsonl" in listed and ".private" not in listed


def test_a_clone_without_the_salt_gives_nobody_a_second_name(here: Path) -> None:
    write_project(here)
    imported(LABEL_STUDIO)
    before, salt = lines(here), (here / SALT).read_text("utf-8")
    shutil.rmtree(here / "golden/.private")
    ended = imported(FILES / "quepid/book.json")
    assert (
        ended.code == 2 and "is missing, and raters have pseudonyms made with it; copy the file" in ended.err
    )
    # Nor under another policy of the project.
    shutil.copytree(here / "policies/small", here / "policies/other")
    text = (here / "policies/other/v1.toml").read_text("utf-8").replace('name = "small"', 'name = "other"')
    (here / "policies/other/v1.toml").write_text(text, "utf-8")
    shutil.copytree(here / FOLDER, here / "golden/other")
    (here / "golden/other/ratings.jsonl").unlink()
    ended = harness("ratings", "import", FILES / "quepid/book.json", "--policy", "other")
    assert ended.code == 2 and "is missing, and raters have pseudonyms" in ended.err
    # Another salt is no better.
    (here / "golden/.private").mkdir()
    (here / SALT).write_text("00" * 32, "utf-8")
    assert "another salt made the pseudonyms that are there" in imported(FILES / "quepid/book.json").err
    (here / SALT).write_text("no salt", "utf-8")
    assert "expected a salt of 64 hex digits" in imported(FILES / "quepid/book.json").err
    assert lines(here) == before
    (here / SALT).write_text(salt, "utf-8")
    assert imported(LABEL_STUDIO).code == 0
    assert lines(here) == before


def test_a_dry_run_writes_nothing(here: Path) -> None:
    write_project(here)
    before = sorted(here.rglob("*"))
    ended = imported(LABEL_STUDIO, "--dry-run")
    assert "stored under a pseudonym: 2 (the pseudonyms of a dry run are made up)" in ended.err
    assert sorted(here.rglob("*")) == before
    imported(LABEL_STUDIO)
    assert "made up" not in imported(LABEL_STUDIO, "--dry-run").err


def test_two_projects_share_no_pseudonym(tmp_path: Path) -> None:
    names = []
    for project in (Project(tmp_path / "one"), Project(tmp_path / "two"), Project(tmp_path / "one")):
        project.golden.mkdir(parents=True, exist_ok=True)
        made = Pseudonyms(project, ())
        names.append(made.of("ann@example.com", every=False))
        made.keep()
    assert names[0] == names[2] != names[1]
    assert names[0].split("-")[1:] != names[1].split("-")[1:]


@pytest.mark.parametrize(
    ("name", "every", "renamed"),
    [
        ("ann", False, False), ("ann", True, True), ("ann@example.com", False, True), ("a@b", False, False),
        ("rater-abc-abcdefgh", True, False), ("rater-abc-abcdefg1", True, True), ("@x.y", False, False),
    ],
)  # fmt: skip
def test_who_is_renamed(tmp_path: Path, name: str, every: bool, renamed: bool) -> None:
    assert (Pseudonyms(Project(tmp_path), ()).of(name, every=every) != name) == renamed


def test_pseudonyms_of_an_unknown_salt_are_refused_without_one(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="is missing"):
        Pseudonyms(Project(tmp_path), {"rater-abc-abcdefgh"}).of("ann@example.com", every=False)
