"""Tests read what ships from a copy: following the docs must not turn them red."""

import os
from pathlib import Path

import pytest
from builders import harness
from shipped import FILES, ROOT, ship


@pytest.mark.parametrize("name", ["policies/product-search/v1.toml", "runs", "prompts/teacher"])
def test_a_test_that_reads_the_project_around_it_fails(name: str) -> None:
    read = (lambda path: path.read_text()) if name.endswith(".toml") else os.listdir
    with pytest.raises(pytest.fail.Exception, match="is the user's"):
        read(ROOT / name)


def test_a_link_to_the_project_around_it_fails_too(here: Path) -> None:
    with pytest.raises(pytest.fail.Exception, match="is the user's"):
        (here / "policies").symlink_to(ROOT / "policies")


def test_a_command_without_a_folder_finds_no_project() -> None:
    assert "no policies/ folder" in harness("policy", "list").err


def test_copy_of_what_ships_has_nothing_of_the_user(here: Path) -> None:
    ship(here)
    copied = {str(path.relative_to(here)) for path in here.rglob("*") if path.is_file()}
    assert {name for name in copied if not name.startswith(FILES)} == set()
    assert harness("policy", "lint").code == harness("golden", "lint").code == 0
