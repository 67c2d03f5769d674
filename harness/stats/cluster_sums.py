"""What prediction-powered inference knows of each query: sums over its rows."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np

from harness.stats.agreement import Floats, Integers


@dataclass(frozen=True)
class ClusterSums:
    """What is known of each of Q queries about a figure f in [0, 1] (Q floats each).

    `human`, `teacher`, `labelled`: sums of w f(human), w f(teacher), w over the rows with a human grade, each
    row divided by its inclusion probability; `unseen`, `unlabelled`: of w f(teacher), w over the rows
    without. A query's mean with a count of 1 makes it a figure over queries. `rows`: how many labelled rows
    there are effectively, (sum w)^2 / sum w^2; `sizes`: how many in each query, None for a figure over
    queries.
    """

    human: Floats
    teacher: Floats
    labelled: Floats
    unseen: Floats
    unlabelled: Floats
    rows: float
    sizes: Floats | None = None

    @cached_property
    def has_labels(self) -> Integers:
        """The positions of the G queries with a human grade."""
        return np.flatnonzero(self.labelled > 0)

    @cached_property
    def has_others(self) -> Integers:
        """The positions of the H queries with rows that have none."""
        return np.flatnonzero(self.unlabelled > 0)

    @cached_property
    def disjoint(self) -> bool:
        """Whether no query has rows of both kinds."""
        return not bool(((self.labelled > 0) & (self.unlabelled > 0)).any())

    @property
    def human_only(self) -> float | None:
        """The mean of the human grades."""
        return _ratio(self.human, self.labelled)

    @property
    def teacher_only(self) -> float | None:
        """The mean of the teacher's grades over the rows without a human one."""
        return _ratio(self.unseen, self.unlabelled)

    def at(self, lam: float) -> float | None:
        """The estimate at a lambda: lam Fbar' + (sum Y - lam sum F) / sum n."""
        human = self.human_only
        if human is None or not lam or self.teacher_only is None:
            return human
        return lam * self.teacher_only + human - lam * float(self.teacher.sum() / self.labelled.sum())

    def without_each(self, lam: float | Floats) -> Floats:
        """The estimate without each query in turn (Q floats), at the same lambda or one for each query."""
        rest = self.human.sum() - self.human - lam * (self.teacher.sum() - self.teacher)
        values = rest / _positive(self.labelled.sum() - self.labelled)
        if np.any(lam):
            others = _positive(self.unlabelled.sum() - self.unlabelled)
            values = values + lam * (self.unseen.sum() - self.unseen) / others
        return np.asarray(values, dtype=np.float64)

    def best_without_each(self, at: Integers) -> Floats:
        """The best lambda without each query of `at` in turn: Q floats in [0, 1], 0 for the others.

        Both parts of lambda are products of linear combinations of the five columns: without a query their
        coefficients change, and the products lose what is its own.
        """
        columns = np.stack([self.human, self.teacher, self.labelled, self.unseen, self.unlabelled], axis=1)
        own = columns[at]
        y, f, n, u, other = (columns.sum(axis=0) - own).T
        none = np.zeros_like(n)
        human = np.stack([1 / n, none, -y / n**2, none, none], axis=1)
        teacher = np.stack([none, 1 / n, -f / n**2, -1 / other, u / other**2], axis=1)
        products = columns.T @ columns
        mine, theirs = (own * human).sum(axis=1), (own * teacher).sum(axis=1)
        both = ((human @ products) * teacher).sum(axis=1) - mine * theirs
        whole = ((teacher @ products) * teacher).sum(axis=1) - theirs**2
        found = np.zeros(len(self.human))
        found[at] = np.divide(both, whole, out=none, where=whole > 0).clip(0.0, 1.0)
        return found


def _ratio(top: Floats, bottom: Floats) -> float | None:
    whole = float(bottom.sum())
    return float(top.sum()) / whole if whole > 0 else None


def _positive(values: Floats) -> Floats:
    """Without zeros, where the only query was left out: whoever asks has refused those before."""
    return np.asarray(np.where(values > 0, values, np.nan), dtype=np.float64)
