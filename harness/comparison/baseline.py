"""Baselines: the data of a run that a comparison needs, small enough for git.

A baseline holds digests of pairs, golden grades and answers, one pair per line; no replies or texts.
"""

import json
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from harness.comparison.sides import Side, side_of_run
from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.base import Level, Noun
from harness.nouns.policy import Gates
from harness.runs.folder import BASELINES, Run
from harness.score.items import GradedItem, ItemAnswer
from harness.storage.files import build, read_json, write_atomic
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.verdicts.assessment import Assessment, assess

SHARED = ("run", "policy", "part", "gates", "scale", "facts", "shots", "stale", "seconds", "cost", "warnings")
"""The fields of its side that a baseline keeps unchanged."""


class Case(Noun):
    """One item of a baseline with its grades; None for an unreadable answer."""

    pair: str
    item: str
    golden: Level
    grades: tuple[Level | None, ...]


class Baseline(Noun):
    """A run that others are compared with. `actions`: empty where the policy had not decided on them."""

    format: Literal[1] = 1
    run: str
    policy: str
    part: str
    kappa: float | None
    gates: Gates
    scale: tuple[Level, ...]
    actions: dict[int, str]
    facts: dict[str, str]
    shots: int | None = None
    stale: int = 0
    seconds: float | None
    cost: float | None = None
    warnings: tuple[str, ...] = ()
    cases: tuple[Case, ...]


def set_baseline(project: Project, run: Run) -> Path:
    """Save a finished run as the baseline of its policy and split. BadInput for an unfinished run."""
    manifest = run.manifest
    what = manifest.asked.kind.apart or (None if manifest.finished_at else "is not finished")
    if what:
        raise BadInput(f"{run.folder.name} {what}: a baseline is a finished run over a split")
    path = baseline_path(project, run.policy.name, manifest.asked.part)
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomic(path, _text(_baseline(assess(run))))
    return path


def baseline_path(project: Project, policy: str, part: str) -> Path:
    """The path of the baseline of a policy and split."""
    return project.runs / BASELINES / f"{policy}-{part}.json"


def _baseline(found: Assessment) -> Baseline:
    run, side = found.run, side_of_run(found.reading)
    return Baseline(
        **{name: getattr(side, name) for name in SHARED},
        kappa=found.gate2.gated_kappa.value,
        actions=run.policy.decided_actions or {},
        cases=tuple(
            Case(
                pair=key,
                item=item.item,
                golden=item.golden,
                grades=tuple(answer.grade for answer in item.answers),
            )
            for key, item in sorted(side.items.items(), key=lambda one: one[1].item)
        ),
    )


def _text(baseline: Baseline) -> str:
    """JSON with one case per line, so that a diff shows the changed cases."""
    data = baseline.model_dump(mode="json")
    cases = data.pop("cases")
    head = json.dumps(data, indent=1, ensure_ascii=False)[:-2]
    lines = ",\n".join("  " + json.dumps(case, ensure_ascii=False) for case in cases)
    return f'{head},\n "cases": [\n{lines}\n ]\n}}\n'


def load_baseline(path: Path) -> Baseline:
    """Load a baseline file. BadInput names what is wrong with it."""
    if not path.exists():
        raise BadInput(f"there is no baseline {path}: `harness baseline set RUN` makes one")
    found, faults = build(Baseline, read_json(path), str(path))
    if found is None:
        raise BadInput(faults)
    refuse_faults(Fault(str(path), text) for text in _damage(found))
    return found


def _damage(found: Baseline) -> Iterator[str]:
    """Faults that no run writes, but a merge in git can cause."""
    if not found.cases:
        yield "cases: none; expected one or more"
    if found.actions and set(found.actions) != set(found.scale):
        yield "actions: expected one for each grade of the scale"
    for pair, count in Counter(case.pair for case in found.cases).items():
        if count > 1:
            yield f"cases: {pair} appears {plural(count, 'time')}"
    known = {None, *found.scale}
    for case in found.cases:
        if case.golden not in found.scale or not known.issuperset(case.grades):
            yield f"cases: {case.item} has a grade that is not on the scale"
        if len(case.grades) != len(found.cases[0].grades) or not case.grades:
            answers = plural(len(case.grades), "answer")
            yield f"cases: {case.item} has {answers}; other cases have another number"


def side_of_baseline(baseline: Baseline) -> Side:
    """A baseline as a side."""
    return Side(
        **{name: getattr(baseline, name) for name in SHARED},
        name=f"baseline ({baseline.run})",
        items={case.pair: _judged(case) for case in baseline.cases},
        action_of=baseline.actions or None,
        knows_queries=False,
    )


def _judged(case: Case) -> GradedItem:
    """A case without its query: the other side provides the clusters."""
    answers = tuple(
        ItemAnswer(grade, "ungraded" if grade is None else "graded", None) for grade in case.grades
    )
    return GradedItem(item=case.item, cluster=case.item, golden=case.golden, answers=answers)
