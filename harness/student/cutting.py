"""A student that gives scores and not grades: cuts are chosen on dev, and judged on test alone."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np

from harness.comparison.sides import Side, regraded
from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.pair import Example, one_form
from harness.score.items import NEVER_ASKED, GradedItem, ItemAnswer
from harness.scorecards.student import ChosenCuts
from harness.stats.agreement import cell_counts, cohen_kappa
from harness.stats.cuts import best_cuts, placed
from harness.storage.cells import number_of
from harness.storage.formats import read_table
from harness.storage.plural import plural
from harness.storage.tables import Layout, joined

LEAST = 20
"""How many dev items with a score are needed to choose cuts."""
HIGHEST = 1e15


def read_scores(path: Path, layout: Layout, name: str = "score") -> dict[str, float]:
    """The scores of a table with the columns `item` and `score`, or another `name`; empty cells are left out.

    BadInput names every fault.
    """
    table = read_table(path, layout)
    headers = table.require(("item", name), layout)
    scores: dict[str, float] = {}
    faults: list[Fault] = []
    for row in table.rows:
        item, text = one_form(joined(row, headers["item"])), joined(row, headers[name])
        value = number_of(text)
        if what := _wrong(item, text, value, name, known=item in scores):
            faults.append(Fault(table.where(row), what))
        elif value is not None:
            scores[item] = value
    refuse_faults(faults)
    return scores


def _wrong(item: str, text: str, value: float | None, name: str, *, known: bool) -> str:
    if not item:
        return "no item"
    if text and (value is None or not abs(value) <= HIGHEST):
        return f"{name} {text!r} is not a number"
    return f"{item} has a {name} already" if known else ""


def cut_scores(
    scores: Mapping[str, float], dev: Sequence[Example], teacher: Side, graded: Collection[str], name: str
) -> tuple[Side, Side, ChosenCuts]:
    """The student and its teacher on what is not in dev, and the cuts. `graded`: the items that are in test.

    Only scores and golden grades of dev choose the cuts. BadInput where there are too few.
    """
    known = [one for one in dev if one_form(one.id) in scores]
    if len(known) < LEAST:
        few = plural(len(known), "item")
        what = f"scores {few} of dev, on which the cuts are chosen: {LEAST} or more are needed"
        raise BadInput([Fault(name, what)])
    scale, weighting = teacher.scale, teacher.gates.weighting
    there = np.array([scores[one_form(one.id)] for one in known])
    golden = np.array([scale.index(one.grade) for one in known], dtype=np.int64)
    cuts = best_cuts(there, golden, scale, weighting)
    kappa = cohen_kappa(cell_counts(golden, placed(there, cuts), len(scale)), scale, weighting).value
    items = {key: item for key, item in teacher.items.items() if item.item in graded}
    if not items:
        what = "the cuts are chosen on dev, and judged on test"
        raise BadInput(f"{teacher.name} graded nothing of test: {what}")
    cut = {key: _cut(item, scores, cuts, scale) for key, item in items.items()}
    student = regraded(teacher, name, cut, part="test", notes=(), warnings=())
    on_test = replace(teacher, items=items, part="test")
    return student, on_test, ChosenCuts(cuts=cuts, n=len(known), kappa=kappa)


def _cut(
    item: GradedItem, scores: Mapping[str, float], cuts: Sequence[float], scale: Sequence[int]
) -> GradedItem:
    score = scores.get(one_form(item.item))
    if score is None:
        return replace(item, answers=(NEVER_ASKED,))
    grade = scale[int(placed(np.array([score]), cuts)[0])]
    return replace(item, answers=(ItemAnswer(grade, "graded"),))
