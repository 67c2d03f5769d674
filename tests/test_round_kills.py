"""SIGKILL in a command: a round is whole or not there, and the same command again completes it."""

import json
import random
import shutil
import signal
from importlib import import_module
from pathlib import Path

import pytest
from builders import examples, harness, write_project
from forked import forked_command
from parties import Guest, answer, party

from harness.golden.rating.links import linked
from harness.golden.rating.rounds import open_round, rounds_of
from harness.golden.rating.waiting import closed_sets
from harness.storage.project import Project

KILLS = 4
POLICY = ("--policy", "small")
PLAN = ("rate", "plan", *POLICY, "--raters", "ann,bob", "--kind", "human")


def killed(root: Path, words: tuple[str, ...], after: float) -> None:
    """Run a command, and kill its process so long after it has begun: in its work, not in its imports."""
    for name in ("planning", "sealing", "links", "waiting"):
        import_module(f"harness.golden.rating.{name}")

    def alarm() -> None:
        signal.signal(signal.SIGALRM, signal.SIG_DFL)  # ends the process at once, as a kill does
        signal.setitimer(signal.ITIMER_REAL, after)

    forked_command(*words, "--root", str(root), before=alarm)


def moments(seed: str) -> list[float]:
    chance = random.Random(seed)
    return [chance.uniform(0.0, 0.4) for _ in range(KILLS)]


def test_a_killed_plan_leaves_no_round_or_a_whole_one(tmp_path: Path) -> None:
    for at, after in enumerate(moments("plan")):
        root = tmp_path / str(at)
        root.mkdir()
        write_project(root, golden=examples(queries=40))
        killed(root, PLAN, after)
        for name in rounds_of(Project(root), "small"):
            assert open_round(Project(root), "small", name).round.planned
            assert (root / "golden/small/rounds/.gitignore").exists()
            assert "[ann]" in (root / "golden/small/raters.toml").read_text(encoding="utf-8")
        assert harness(*PLAN, "--root", root).code == 0
        assert harness("rate", "status", *POLICY, "--root", root).code == 0


@pytest.mark.parametrize(
    "words",
    [
        pytest.param(("invite", "ann"), marks=pytest.mark.slow),
        pytest.param(("close", "--why", "ill"), marks=pytest.mark.slow),
        ("seal", "--all"),
    ],
)
def test_what_a_killed_command_wrote_is_whole(tmp_path: Path, words: tuple[str, ...]) -> None:
    whole = tmp_path / "whole"
    whole.mkdir()
    answer(party(whole, ("ann", "bob")), Guest("ann"), Guest("bob", 0.5))
    command = ("rate", *words, *POLICY)
    for at, after in enumerate(moments(words[0])):
        root = tmp_path / str(at)
        shutil.copytree(whole, root)
        killed(root, command, after)
        again = harness(*command, "--root", root)
        opened = open_round(Project(root), "small")
        if words[0] == "invite":
            assert again.code == 0 and linked(opened.folder)["ann"] in (1, 2)
        elif words[0] == "close":
            assert again.code == 0 or "there is nothing to close" in again.err
            assert closed_sets(opened).keys() == {"bob"}
        else:
            assert again.code == 0
            text = (root / "golden/small/ratings.jsonl").read_text(encoding="utf-8")
            lines = [json.loads(line) for line in text.splitlines()]
            assert len(lines) == len({(one["item"], one["rater"]) for one in lines}) == 270
            assert all(one.get("repeat", 0) == 0 for one in lines)
            assert len((opened.folder / "sealed.jsonl").read_text(encoding="utf-8").splitlines()) == 2
