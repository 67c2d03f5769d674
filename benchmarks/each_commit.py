"""Which commit changed a number? python benchmarks/each_commit.py BASE [NEW] [--data DIR] [--reference DIR]

BASE and NEW are commits. BASE makes three runs of the shipped set; then the code of every commit up to NEW
scores them, the shipped ratings and the tables of same_numbers.txt, in this environment. Each commit whose
figures differ from those of its first parent is named, with how many differ and the first three.
"""

import argparse
import contextlib
import io
import json
import os
import runpy
import shlex
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from same_numbers import COMMANDS, readable, write_table

ROOT = Path(__file__).resolve().parent.parent
RUNS = ("eval", "eval --model builtin/majority", "eval --repeats 3 --limit 40")
FIRST = 3


def main() -> None:
    """Score with each commit's code, and tell what moved."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("base")
    words.add_argument("new", nargs="?", default="HEAD")
    for name in ("data", "reference"):
        words.add_argument(f"--{name}", type=Path)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as folder, contextlib.ExitStack() as stack:
        here = Path(folder)
        code = here / "code"
        git("worktree", "add", "--quiet", "--detach", str(code), given.base)
        stack.callback(git, "worktree", "remove", "--force", str(code))
        commands = prepare(here, code, given.data and given.data.resolve(), given.reference)
        commits = git("rev-list", "--reverse", f"{given.base}..{given.new}").split()
        known: dict[str, str] = {}  # as JSON, since hundreds of commits have ten thousand figures each
        for commit in commits:
            trees = [git("rev-parse", f"{one}:harness") for one in (f"{commit}^", commit)]
            for one, tree in zip((f"{commit}^", commit), trees, strict=True):
                if tree not in known:
                    subprocess.run(
                        ["git", "checkout", "--quiet", git("rev-parse", one).strip()], cwd=code, check=True
                    )
                    known[tree] = json.dumps(scored(here, code, commands))
            if trees[0] != trees[1]:
                tell(commit, *(json.loads(known[tree]) for tree in trees))
        say(f"{len(commits)} commits, {len(known)} versions of the code")


def prepare(here: Path, code: Path, data: Path | None, reference: Path | None) -> list[str]:
    """A project with BASE's runs and the tables in it; the commands to score them."""
    project = here / "project"
    for name in ("policies", "prompts", "golden"):
        shutil.copytree(code / name, project / name)
    for words in RUNS:
        in_process(code, project, [f"{words} --no-report"])
    runs = sorted(path.name for path in (project / "runs").glob("[!.]*"))
    shutil.move(project / "runs", here / "runs")
    for path in reference.glob("*.csv") if reference else ():
        write_table(project / path.name, readable(path))
    commands = [f"gate2 {name} --json" for name in runs] + [
        "gate1 --policy product-search --bootstrap --json"
    ]
    commands.append(f"compare {runs[0]} {runs[1]} --json")
    parts = COMMANDS.split("[data]")[1].split("[reference]")
    lines = [
        line
        for line in parts[0].splitlines()
        if data and line.startswith(("gate", "compare {data", "regress"))
    ]
    lines += parts[1].splitlines() if reference else []
    tables = [line for line in lines if line.endswith("--json") and "{lexical}" not in line]
    return commands + [line.format(data=data) for line in tables]


def scored(here: Path, code: Path, commands: list[str]) -> dict[str, Any]:
    """Every figure that the commands print, by command and key; the runs are as BASE wrote them."""
    project = here / "project"
    shutil.rmtree(project / "runs", ignore_errors=True)
    shutil.copytree(here / "runs", project / "runs")
    return in_process(code, project, commands)


def in_process(code: Path, project: Path, commands: list[str]) -> dict[str, Any]:
    """Run commands with the code of a checkout, all in one process of their own."""
    done = subprocess.run(
        [sys.executable, __file__, "--inside"],
        input=json.dumps(commands),
        stdout=subprocess.PIPE,
        cwd=project,
        env=os.environ | {"PYTHONPATH": str(code), "COLUMNS": "200"},
        text=True,
        check=True,
    )
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def inside() -> None:
    """The other process: run the commands that standard input lists, and print their figures."""
    found: dict[str, Any] = {}
    for words in json.load(sys.stdin):
        sys.argv = ["harness", *shlex.split(words)]
        printed, code = io.StringIO(), None
        with contextlib.redirect_stdout(printed), contextlib.redirect_stderr(io.StringIO()):
            try:
                runpy.run_module("harness", run_name="__main__")
            except SystemExit as end:
                code = end.code
        found[f"{words}: exit"] = code
        if words.endswith("--json") and printed.getvalue().startswith("{"):
            figures(json.loads(printed.getvalue()), words + ": ", found)
    sys.stdout.write(json.dumps(found))


def figures(value: Any, path: str, found: dict[str, Any]) -> None:
    """Every number and verdict of a JSON value, by its path."""
    parts = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, part in parts:
        figures(part, f"{path}.{key}", found)
    if (isinstance(value, int | float) and not isinstance(value, bool)) or path.endswith("verdict"):
        found[path] = value


def tell(commit: str, before: dict[str, Any], now: dict[str, Any]) -> None:
    """What differs from the commit before; nothing if only new figures came."""
    moved = [key for key in before if before[key] != now.get(key)]
    if moved:
        say(f"{git('log', '-1', '--format=%h %s', commit).strip()} ({len(moved):,} figures)")
        for key in moved[:FIRST]:
            say(f"  {key}: {before[key]} -> {now.get(key)}")


def say(text: str) -> None:
    """A line, at once: the whole takes an hour."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def git(*words: str) -> str:
    """What a git command prints."""
    return subprocess.run(["git", *words], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout


if __name__ == "__main__":
    inside() if sys.argv[1:] == ["--inside"] else main()
