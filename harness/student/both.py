"""The items that a student and its teacher have both graded, as arrays."""

from dataclasses import dataclass, replace

import numpy as np

from harness.comparison.sides import Side
from harness.score.answer_matrix import answer_matrix_of
from harness.score.items import GradedItem, voted
from harness.stats.agreement import Floats, Integers


@dataclass(frozen=True, slots=True)
class Both:
    """The items that both could read, in one order. Each grader's grades are positions on the scale."""

    items: tuple[GradedItem, ...]
    """With the student's answers."""
    golden: Integers
    student: Integers
    teacher: Integers
    clusters: Integers
    scale: tuple[int, ...]

    @property
    def better(self) -> Floats:
        """1 where only the student is right, -1 where only the teacher is, else 0."""
        right = (self.student == self.golden).astype(np.float64)
        return np.asarray(right - (self.teacher == self.golden), dtype=np.float64)


def with_votes(side: Side) -> Side:
    """The side with one answer for each item: the vote of several."""
    return replace(side, items={key: voted(item) for key, item in side.items.items()})


def both_of(student: Side, teacher: Side) -> Both:
    """The items with the same golden grade that both could read."""
    pairs = [
        (item, teacher.items[key])
        for key, item in student.items.items()
        if key in teacher.items
        and item.golden == teacher.items[key].golden
        and None not in (item.answers[0].grade, teacher.items[key].answers[0].grade)
    ]
    ours, theirs = ([pair[side] for pair in pairs] for side in (0, 1))
    one, other = answer_matrix_of(ours, student.scale), answer_matrix_of(theirs, student.scale)
    return Both(tuple(ours), one.golden, one.grades[:, 0], other.grades[:, 0], one.clusters, student.scale)
