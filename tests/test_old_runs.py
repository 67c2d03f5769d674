"""Run folders, pair runs, baselines and the reply cache of an earlier version stay readable for ever."""

from pathlib import Path

import pytest
from old_runs import (
    FROZEN,
    commands_read_them,
    copied,
    files_beside_are_read,
    gate2_says_what_was_said,
    load_everything,
    nothing_is_asked_twice,
    plans_have_the_same_digests,
    unfinished_runs_go_on,
)

SCORED = sorted(path.parent.name for path in FROZEN.glob("runs/*/scorecard.json"))


def test_every_run_loads(tmp_path: Path) -> None:
    load_everything(copied(tmp_path))


def test_plans_have_the_same_digests(tmp_path: Path) -> None:
    plans_have_the_same_digests(copied(tmp_path))


@pytest.mark.parametrize("name", SCORED)
def test_scorecard_is_the_stored_one_to_the_digit(tmp_path: Path, name: str) -> None:
    gate2_says_what_was_said(copied(tmp_path), name)


def test_files_beside_are_read(tmp_path: Path) -> None:
    files_beside_are_read(copied(tmp_path))


def test_commands_read_them(tmp_path: Path) -> None:
    commands_read_them(copied(tmp_path))


def test_nothing_is_asked_twice(tmp_path: Path) -> None:
    nothing_is_asked_twice(copied(tmp_path))


def test_unfinished_runs_go_on(tmp_path: Path) -> None:
    unfinished_runs_go_on(copied(tmp_path))
