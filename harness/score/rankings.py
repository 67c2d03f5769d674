"""Precision and NDCG of the first k results, where the rows' positions are known: one value a query."""

from typing import NamedTuple

import numpy as np

from harness.nouns.base import Reason
from harness.score.production_rows import Mask, ProductionRows, effective_number, query_weights
from harness.stats.agreement import Floats
from harness.stats.cluster_sums import ClusterSums
from harness.stats.intervals import Tested
from harness.stats.prediction_powered import Powered, powered_mean
from harness.stats.raters import MISSING
from harness.storage.plural import plural

PARTLY = 0.1
"""The largest share of the rated queries that may be rated in part alone, as where a rater left a row out.

Where parts of queries are drawn, only short lists are ever rated in full, which are not like the others.
"""
NO_LIST = "no query has a human grade and a position for each row of its list"
LONGEST = 50
"""Positions after this one are not read: users rarely look there, and long lists would take much memory."""


class Lists(NamedTuple):
    """By query and position: the mean value of what stood there, NaN where it is not known."""

    values: Floats
    there: Mask

    def known(self, k: int) -> Mask:
        """The queries with a value at each of the first k positions, as far as their list goes."""
        there, values = self.there[:, :k], self.values[:, :k]
        gap = np.maximum.accumulate(self.there[:, ::-1], axis=1)[:, ::-1][:, :k] & ~there
        return np.asarray(self.there.any(axis=1) & ~gap.any(axis=1) & ~(np.isnan(values) & there).any(axis=1))

    def precision(self, k: int) -> Floats:
        """The sum over the first k positions, over k: a shorter list counts as not good at the end."""
        return np.asarray(np.nansum(self.values[:, :k], axis=1) / k)

    def ndcg(self, k: int) -> Floats:
        """DCG over the best DCG of the same results (Jarvelin & Kekalainen 2002), log2(1 + position).

        0 where nothing in the list has any gain, as trec_eval has it.
        """
        gains = np.where(np.isnan(self.values), 0.0, self.values)
        discount = 1 / np.log2(np.arange(2, gains.shape[1] + 2))
        best = -np.sort(-gains, axis=1)
        found, ideal = ((one[:, :k] * discount[:k]).sum(axis=1) for one in (gains, best))
        return np.asarray(np.divide(found, ideal, out=np.zeros_like(found), where=ideal > 0))


class RankingSums(NamedTuple):
    """The sums of a figure of rankings, and how many queries cannot be judged.

    `partly`: of how many queries people graded a part of the list alone.
    """

    sums: ClusterSums
    n_labelled: int
    n_unlabelled: int
    cannot_tell: int
    partly: int

    def mean(self) -> Powered:
        """The estimate. Undefined where too few lists were rated in full to stand for the others."""
        found, rated = powered_mean(self.sums), self.n_labelled + self.partly
        if self.n_labelled and self.partly <= PARTLY * rated:
            return found
        which = (
            f"of {self.partly:,} of {plural(rated, 'rated query', 'rated queries')} people graded only a part"
        )
        why = Reason("undefined", f"{which} of the list: draw whole queries" if self.partly else NO_LIST)
        return Powered(
            None, None, None, 0.0, found.teacher_only, Tested(None, reason=why),
            found.clusters_labelled, found.clusters_unlabelled, reason=why,
        )  # fmt: skip


def lists_of(rows: ProductionRows, values: Floats, *, human: bool) -> Lists:
    """The lists that people, or the teacher, would grade so. Several rows at one position count by weight."""
    assert rows.position is not None, "the caller looked"
    longest = int(min(LONGEST, rows.position.max(initial=0)))
    grades = rows.human if human else rows.teacher
    placed = (rows.position > 0) & (rows.position <= longest)
    at = rows.queries[placed] * longest + rows.position[placed] - 1
    shape, cells = (rows.n_queries, longest), rows.n_queries * longest
    known = grades[placed] != MISSING
    weight = rows.weight[placed]
    count, graded = (np.bincount(one, minlength=cells).reshape(shape) for one in (at, at[known]))
    read = np.bincount(at[known], weights=weight[known], minlength=cells).reshape(shape)
    value = values[grades[placed][known]] * weight[known]
    total = np.bincount(at[known], weights=value, minlength=cells).reshape(shape)
    # A position where one of several rows is not graded is not known.
    full = (count > 0) & (graded == count)
    return Lists(np.divide(total, read, out=np.full(shape, np.nan), where=full), count > 0)


def ranked(rows: ProductionRows, values: Floats, k: int, kind: str) -> RankingSums:
    """P@k or NDCG@k by query: labelled where people graded all of the list, else by the teacher alone."""
    people, teacher = (lists_of(rows, values, human=human) for human in (True, False))
    depth = k if kind == "p" else people.values.shape[1]
    by_people, by_teacher = people.known(depth), teacher.known(depth)
    theirs, its = (one.precision(k) if kind == "p" else one.ndcg(k) for one in (people, teacher))
    labelled, others = by_people & by_teacher, by_teacher & ~by_people
    counts = np.where(labelled, query_weights(rows, rows.labelled), 0.0)
    once = others.astype(float)
    sums = ClusterSums(theirs * counts, its * counts, counts, its * once, once, effective_number(counts))
    asked = np.bincount(rows.queries, minlength=rows.n_queries) > 0
    partly = others & ~np.isnan(people.values[:, :depth]).all(axis=1)
    return RankingSums(
        sums, int(labelled.sum()), int(others.sum()), int((asked & ~by_teacher).sum()), int(partly.sum())
    )
