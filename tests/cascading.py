"""A project with a cascade in it: a student that knows some pairs, a proven teacher, and their runs."""

import random
from pathlib import Path
from typing import Any

from builders import Ended, harness, write_project
from fault_server import FaultServer
from oracle import KEYS
from production import label_set

KINDS = ("boots", "tents", "lamps", "stoves")
QUERIES = 64
"""In dev, and in test."""
MARGIN = "0.15"
PRICES = '[models."openai/m"]\ninput = 1.0\noutput = 0.01\nbatch = 0.5\n'


def lines(number: int, by_chance: random.Random) -> list[tuple[str, int]]:
    """Titles of a query and their grades: in words where the number is even, else in the mark alone."""
    kind, other = KINDS[number % 4], KINDS[(number + 1) % 4]
    if number % 2 == 0:
        told = ((f"fine {kind} {number}x2", 2), (f"cover to fit with {kind} {number}x1", 1),
                (f"good {other} {number}x0", 0))  # fmt: skip
        return list(told)
    drawn = by_chance.choices((0, 1, 2), k=3)
    return [(f"surprise box {number}{at}x{grade}", grade) for at, grade in enumerate(drawn)]


def golden() -> list[dict[str, Any]]:
    """Shots, dev and test."""
    by_chance = random.Random(3)
    splits = ["shots"] * 4 + ["dev", "test"] * QUERIES
    made = []
    for number, split in enumerate(splits):
        # Both splits have as many of each kind.
        kind = number if split == "shots" else (number - 4) // 2
        for at, (title, grade) in enumerate(lines(kind, by_chance)):
            name = f"g{number}-{at}"
            made.append(
                {
                    "id": name,
                    "query": f"{KINDS[kind % 4]} wanted {number + 1000}",
                    "result": {"title": f"{title.rpartition(' ')[0]} {number + 1000}x{grade} {name}"},
                    "grade": grade,
                    "reasoning": f"Because {name}.",
                    "clauses": ["accessory" if grade < 2 else "plain"],
                    "policy_version": "v1",
                    "split": split,
                }
            )
    return made


def rows(queries: int, start: int = 0, seed: int = 5) -> list[dict[str, Any]]:
    """Rows of production, half of which a student can know."""
    by_chance = random.Random(seed)
    found: list[dict[str, Any]] = []
    for number in range(start, start + queries):
        for title, grade in lines(number, by_chance):
            row = {"item": f"p{len(found)}", "query": f"{KINDS[number % 4]} size {number}", "title": title,
                   "weight": 1, "stratum": "all", "position": 1, "teacher": grade}  # fmt: skip
            found.append(row)
    return found


def at(server: FaultServer) -> tuple[str, str]:
    return "--base-url", server.url


def cascade_project(root: Path, server: FaultServer, margin: str = MARGIN) -> None:
    """Train the student S, run the teacher on dev and on test, and write cascade.json."""
    write_project(root, golden=golden())
    (root / "policies/small/gates.toml").write_text(f"margin = {MARGIN}\n", encoding="utf-8")
    (root / "prices.toml").write_text(PRICES, encoding="utf-8")
    label_set(root, rows(80))
    inside = ("--root", root)
    assert harness("student", "train", root / "labels", "-o", root / "S", *inside).code == 0
    for split in ("dev", "test"):
        words = ("--policy", "small", "--model", "openai/m", "--split", split, *at(server), *inside)
        ended = harness("eval", *words, "--no-report", **KEYS)
        assert ended.code == 0, ended.err
    done = chosen(root, "--margin", margin)
    assert done.code == 0, done.out + done.err


def chosen(root: Path, *words: str, file: str = "cascade.json") -> Ended:
    """`harness student cascade` by the newest runs of the teacher."""
    runs = [one.name for one in sorted((root / "runs").iterdir()) if "openai-m" in one.name]
    student = f"student/{root / 'S'}"
    graders = ("--student", student, "--teacher", ",".join(runs[-2:]))
    return harness("student", "cascade", *graders, "-o", root / file, "--root", root, "--json", *words)
