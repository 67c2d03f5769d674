"""Drafts for an imported golden set: a policy skeleton to fill in, and a README."""

from collections.abc import Mapping
from pathlib import Path

from harness.golden.splits import SPLITS
from harness.golden.tally import GoldenTally
from harness.storage.files import write_atomic
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.versions import toml_string

GATES_SKELETON = """\
# The bars for runs under this policy.
weighting = "none"       # which Cohen's kappa is gated: none, linear or quadratic
coverage_floor = 0.99    # a run that reads fewer of its answers is inconclusive
margin = 0.05            # how much kappa a candidate may lose to the baseline, or a grader to raters

[gate1]
bar = 0.8

[gate2]
bar = 0.8
"""

_POLICY = """\
# A skeleton, made from the scale of an imported golden set. Fill in what is empty:
# `harness policy lint --policy {name}` lists what is left.

name = "{name}"
version = "v1"
title = ""
author = ""      # exactly one person answers for a policy; the others go into contributors
surface = ""     # where the results are shown, and to whom
goal = ""        # what a great experience is there
"""

_GRADE = """
[[grades]]
value = {value}
name = {name}
definition = ""
"""

_ACTIONS = """
# What the surface does with a grade. The line between the two is a guess: draw your own.
[[actions]]
name = "show"
grades = {shown}
shown = ""

[[actions]]
name = "filter"
grades = {filtered}
shown = "not at all"

# The rules that settle gray areas go here; a chain of thought cites them by id.
# [[clauses]]
# id = "accessory"
# text = "An accessory of the thing asked for is at most 1."
# why = "Someone who looks for the thing does not own it yet."
# max_grade = 1
"""

_README = """\
# Golden set: {name}

{examples} over {queries}, imported; no grade was changed.

| source | digest | licence | examples |
|---|---|---|---|
{sources}

Splits are by query: {splits}. Shots may be shown to a teacher; dev is to iterate on; test is to gate on.

The import brings grades. A golden set also says why: add a `reasoning` and the `clauses` that decide to
each example, starting with the shots. `harness golden lint --policy {name}` counts what is missing.
"""


def policy_skeleton(name: str, scale: tuple[int, ...], words: Mapping[int, str] | None = None) -> str:
    """A policy file for a scale, to fill in; grades of the upper half are shown. `words`: names of grades."""
    middle = len(scale) // 2
    names = {value: toml_string((words or {}).get(value, f"Grade {value}")) for value in scale}
    grades = "".join(_GRADE.format(value=value, name=names[value]) for value in reversed(scale))
    actions = _ACTIONS.format(shown=list(scale[middle:]), filtered=list(scale[:middle]))
    return _POLICY.format(name=name) + grades + actions


def write_skeleton(
    project: Project, name: str, scale: tuple[int, ...], words: Mapping[int, str] | None = None
) -> Path:
    """Write a new policy to fill in, with its gates; returns the path of its file."""
    folder = project.policies / name
    folder.mkdir(parents=True)
    write_atomic(folder / "gates.toml", GATES_SKELETON)
    write_atomic(folder / "v1.toml", policy_skeleton(name, scale, words))
    return folder / "v1.toml"


def golden_readme(name: str, tally: GoldenTally) -> str:
    """The README of an imported set: its sources and its splits."""
    return _README.format(
        name=name,
        examples=plural(tally.examples, "example"),
        queries=plural(len(tally.queries), "query"),
        sources="\n".join(f"| {' | '.join(origin)} | {n} |" for origin, n in tally.origins.items()),
        splits=", ".join(f"{tally.splits[split]} {split}" for split in SPLITS),
    )
