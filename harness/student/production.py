"""On production: is the student right as often as its teacher, where people rated a sample of the rows?"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

import numpy as np

from harness.errors import BadInput, Fault
from harness.nouns.pair import query_key
from harness.runs.labels import LabelSet, load_labels
from harness.score.estimate import EstimateRequest
from harness.score.estimate_files import GivenRatings, Labelled, estimate_files, levels_of_labels
from harness.score.human_grades import HumanGrade, human_grades
from harness.score.labelled_rows import rated_pairs
from harness.score.production_rows import effective_number
from harness.scorecards.comparison import Condition
from harness.scorecards.estimate import EstimatedFigure
from harness.scorecards.student import OnProduction
from harness.stats.agreement import Floats
from harness.stats.cluster_sums import ClusterSums
from harness.stats.few_events import FEW_EVENTS
from harness.stats.paired import one_sided_limits
from harness.stats.prediction_powered import human_mean
from harness.storage.plural import plural
from harness.storage.tables import Layout

NAME = "right on production as often, but for {margin:g}"


class _Row(NamedTuple):
    """A rated pair of production: whether each is right, and what it weighs."""

    query: str
    student: bool
    teacher: bool
    weight: float


@dataclass(slots=True)
class _Given:
    """The labels of the rated pairs in a label set, by digest."""

    grades: dict[str, int | None] = field(default_factory=dict)
    weights: dict[str, float] = field(default_factory=dict)
    queries: dict[str, str] = field(default_factory=dict)


def check_production(
    student: Path, teacher: Path, rated: GivenRatings, margin: float
) -> tuple[OnProduction, Condition]:
    """The shares of production on which each gives the human grade, and whether the student's is not lower.

    Each rated pair counts by its traffic over its inclusion probability; an answer that could not be read is
    wrong. BadInput where the label sets have no rated pair in common.
    """
    ours, theirs = load_labels(student), load_labels(teacher)
    if ours.policy != theirs.policy:
        raise BadInput([Fault(str(teacher), f"was made by another policy than {student}")])
    policy = ours.policy
    people = human_grades(
        rated.path, rated.layout, policy.scale, policy, rated.decided, uniform=rated.uniform
    )
    by_pair, _ = rated_pairs(ours, people)
    pairs = {key: grade for key, (_, grade) in by_pair.items()}
    rows = _rows(pairs, _given(ours, pairs), _given(theirs, pairs))
    if not rows:
        raise BadInput([Fault(people.file, f"no pair in it is in both {student} and {teacher}")])
    return _judged(rows, margin, _estimate(student, rated))


def _given(labels: LabelSet, pairs: Mapping[str, HumanGrade]) -> _Given:
    """The grades of the rated pairs; those whose query a shot has are left out."""
    found = _Given()
    for row in labels.rows(("digest", "query", "weight", "grade", "shot_query")):
        key = row["digest"]
        if key in pairs and not row["shot_query"]:
            found.grades[key] = row["grade"]
            found.weights[key] = found.weights.get(key, 0.0) + row["weight"]
            found.queries[key] = query_key(row["query"])
    return found


def _rows(pairs: Mapping[str, HumanGrade], ours: _Given, theirs: _Given) -> list[_Row]:
    return [
        _Row(
            ours.queries[key],
            ours.grades[key] == one.grade,
            theirs.grades[key] == one.grade,
            ours.weights[key] / (one.pi or 1.0),
        )
        for key, one in pairs.items()
        if key in ours.grades and key in theirs.grades
    ]


def _judged(rows: list[_Row], margin: float, estimate: EstimatedFigure) -> tuple[OnProduction, Condition]:
    weight = np.array([row.weight for row in rows])
    right, taught = (np.array([float(row[side]) for row in rows]) for side in (1, 2))
    _, queries = np.unique([row.query for row in rows], return_inverse=True)

    def by_query(values: Floats) -> ClusterSums:
        sums, whole = (
            np.bincount(queries, weights=one).astype(np.float64) for one in (weight * values, weight)
        )
        nothing = np.zeros_like(whole)
        sizes = np.bincount(queries).astype(np.float64)
        return ClusterSums(sums, nothing, whole, nothing, nothing, effective_number(weight), sizes)

    # A difference from -1 to 1 as a mean in [0, 1].
    moved, _ = human_mean(by_query((right - taught + 1) / 2))
    lost, _ = human_mean(by_query((taught > right).astype(np.float64)))
    groups = int(queries.max()) + 1
    events = len(np.unique(queries[right != taught]))
    difference = float((weight * (right - taught)).sum() / weight.sum())
    low = high = None
    if events >= FEW_EVENTS and moved.se:
        low, high = one_sided_limits(difference, 2 * moved.se, groups)
    elif lost.ci:
        # So few queries differ that a normal limit would be too narrow: take the most that the share can
        # lose.
        low = -lost.ci.high
    verdict = _condition(difference, low, high, margin, events)
    share = float(weight.sum())
    return OnProduction(
        n=len(rows),
        n_queries=groups,
        student=float((weight * right).sum() / share),
        teacher=float((weight * taught).sum() / share),
        difference=difference,
        low=low,
        high=high,
        differ=events,
        estimate=estimate,
    ), verdict


def _condition(
    difference: float, low: float | None, high: float | None, margin: float, events: int
) -> Condition:
    name = NAME.format(margin=margin)
    said = f"on production right {difference:+.3f} of the traffic as often"
    if low is not None and low > -margin:
        reason = f"{said}, surely no loss beyond {margin:g} (95 % limit {low:+.3f})"
        return Condition(name=name, verdict="pass", reason=reason)
    if high is not None and high < -margin:
        reason = f"{said}, surely a loss beyond {margin:g} (95 % limit {high:+.3f})"
        return Condition(name=name, verdict="fail", reason=reason)
    few = (
        f"; only {plural(events, 'rated query differs', 'rated queries differ')}"
        if events < FEW_EVENTS
        else ""
    )
    reason = f"{said}: a loss beyond {margin:g} is neither shown nor ruled out{few}"
    return Condition(name=name, verdict="inconclusive", reason=reason)


def _estimate(student: Path, rated: GivenRatings) -> EstimatedFigure:
    """The main figure of production, with the student as the proxy of people."""
    labels = Labelled(student, Layout(), levels_of_labels(student))
    return estimate_files(labels, rated, EstimateRequest()).estimates[0]
