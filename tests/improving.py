"""A teacher and a proposer that are simulated on loopback, and a golden set for them."""

import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from builders import write_project
from fault_server import FaultServer, Turn, completion, fault_server

from harness.demo.wire import Tokens, WireAnswer
from harness.storage.project import Project

TAGS = (
    "{{ policy.goal }}\n{% for shot in shots %}{{ shot.pair.result | json }} {{ shot.grade }}\n{% endfor %}"
)
RULE = "A refill is a part of the thing and never the thing itself."
GRADES = (0, 1, 2)
THINGS = ("kettle", "lamp", "chair", "pan", "hat", "jar", "table", "box", "sofa", "desk", "rug", "clock")


def golden(
    queries: int = 48, blind: bool = True, labels: random.Random | None = None
) -> list[dict[str, Any]]:
    """Four dev pairs for each query; every second query has a refill, worth 0, among them.

    `labels`: golden grades at random.
    """
    made = []
    for number in range(queries):
        query = f"{THINGS[number % len(THINGS)]} number{number}"
        for place, grade in enumerate((2, 1, 0, 0)):
            refill = blind and place == 2 and number % 2 == 0
            kind = "refill pack" if refill else ("set", "spare", "other", "odd")[place]
            made.append(
                {
                    "id": f"q{number}-{place}",
                    "query": query,
                    "result": {"title": f"{kind} m{number}x{place} g{grade}"},
                    "grade": labels.choice(GRADES) if labels else grade,
                    "reasoning": f"decided r{number}x{place}",
                    "clauses": ["plain"],
                    "policy_version": "v1",
                    "split": "dev",
                }
            )
    return made


def project(root: Path, pairs: list[dict[str, Any]]) -> Project:
    """A project with that golden set."""
    return write_project(root, golden=pairs)


def is_proposing(asked: dict[str, Any]) -> bool:
    """Whether a request asks for a proposal."""
    return "<template>" in text_of(asked)


def text_of(asked: dict[str, Any]) -> str:
    """All messages of a request."""
    return "\n".join(str(message["content"]) for message in asked["messages"])


def answer(grade: int) -> Turn:
    """A grade."""
    return completion(json.dumps({"reasoning": "So.", "clauses": [], "grade": grade}))


def proposal(template: str, note: str = "Says more.") -> Turn:
    """A reply with a template."""
    return completion(f"{note}\n<template>\n{template}\n</template>")


def template_in(asked: dict[str, Any]) -> str:
    """The template that a proposer is shown."""
    text = str(asked["messages"][-1]["content"])
    return text.partition("<template>\n")[2].partition("\n</template>")[0]


def blind_spot(asked: dict[str, Any], dice: random.Random) -> Turn:
    """A teacher that takes refills for the thing until it is told, and errs on a tenth of the rest."""
    text = text_of(asked)
    if is_proposing(asked):
        shown = template_in(asked)
        learned = RULE if "refill pack" in text.partition("</template>")[2] else f"Mind word {dice.random()}."
        return proposal(f"{shown}\n{learned}")
    title = str(asked["messages"][-1]["content"])
    if "refill pack" in title:
        return answer(0 if RULE in text else 2)
    golden_grade = int(title.rpartition(" g")[2][0])
    steady = random.Random(title)
    return answer(golden_grade if steady.random() > 0.1 else steady.choice(GRADES))


def at_random(asked: dict[str, Any], dice: random.Random) -> Turn:
    """A teacher whose answers change with every word of the prompt, and agree with nothing."""
    if is_proposing(asked):
        return proposal(f"{template_in(asked)}\nMind word {dice.random()}.")
    return answer(random.Random(text_of(asked)).choice(GRADES))


GOOD = "the good one"
"""The shot that cures the blind spot."""


def with_shots(root: Path, title: str = GOOD) -> None:
    """A project with twelve shots, of which one helps; the prompt shows four."""
    pairs = golden()
    for number in range(12):
        name = title if number == 7 else f"shown {number}"
        pairs.append(
            {
                **pairs[0],
                "id": f"shot-{number}",
                "query": f"thing {number} for a shot",
                "result": {"title": name},
                "split": "shots",
            }
        )
    project(root, pairs)


def learning(asked: dict[str, Any], dice: random.Random) -> Turn:
    """A teacher that learns from one shot alone."""
    title = str(asked["messages"][-1]["content"])
    return answer(0) if GOOD in text_of(asked) and "refill pack" in title else blind_spot(asked, dice)


@contextmanager
def simulated(
    teacher: Callable[[dict[str, Any], random.Random], Turn], seed: int = 0
) -> Iterator[FaultServer]:
    """The server of a simulated teacher, which proposes too."""
    dice = random.Random(seed)

    def answered(number: int, asked: dict[str, Any]) -> Turn:
        turn = teacher(asked, dice)
        if not isinstance(turn.said, WireAnswer):
            return turn
        # A token is four letters, so that the whole prompt was read.
        return replace(turn, said=replace(turn.said, tokens=Tokens(len(text_of(asked)) // 4)))

    with fault_server(answered) as server:
        yield server
