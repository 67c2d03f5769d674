"""What the arms of an experiment were shown to, and how they differ."""

from collections.abc import Iterator, Sequence
from typing import Literal, NamedTuple

import numpy as np

from harness.nouns.base import Reason
from harness.scorecards.signal import ArmDifference, ArmSize
from harness.signal.searches import MOST_ARMS, Searches, SearchPart
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import Tested
from harness.stats.paired import delta_of

EMPTY_ARM = Reason("undefined", "an arm without a search")
Figure = Literal["outcome", "dcg"]
FIGURES: tuple[Figure, ...] = ("outcome", "dcg")


class _Values(NamedTuple):
    """Values of one figure with their arms and sessions, which are numbered from 0 and contiguous."""

    arm: Integers
    value: Floats
    session: Integers


class Arms:
    """What one pass counts for each arm (A entries): the values of each figure, their sums, and queries."""

    def __init__(self, searches: Searches) -> None:
        self._searches = searches
        count = len(searches.arms)
        self.n = {figure: np.zeros(count, dtype=np.int64) for figure in FIGURES}
        self._sums = {figure: np.zeros(count) for figure in FIGURES}
        self._queries: list[Integers] = [np.zeros(0, dtype=np.int64)] * count
        for part in searches.parts() if count > 1 else ():
            for figure, values in _values(part).items():
                mine = values.arm >= 0
                self.n[figure] += np.bincount(values.arm[mine], minlength=count)
                self._sums[figure] += np.bincount(values.arm[mine], values.value[mine], minlength=count)
            whole = part.ungraded == 0
            for at in np.unique(part.arm[whole & (part.arm >= 0)]).tolist():
                more = part.query[whole & (part.arm == at)]
                self._queries[at] = np.union1d(self._queries[at], more)

    def sizes(self) -> Iterator[ArmSize]:
        """What each arm was shown to: searches whose results all have a grade, and its own sessions."""
        for at, name in sorted(enumerate(self._searches.arms), key=lambda one: one[1]):
            yield ArmSize(
                arm=name,
                sessions=int(self.n["outcome"][at]),
                searches=int(self.n["dcg"][at]),
                queries=len(self._queries[at]),
            )

    def differences(self) -> Iterator[ArmDifference]:
        """Each arm against the first by name, in the outcome of sessions and in the DCG of searches."""
        arms = self._searches.arms
        base, *others = sorted(range(len(arms)), key=lambda at: arms[at])
        squares = self._squares(base, others)
        for other in others:
            for figure in FIGURES:
                n, n_base = int(self.n[figure][other]), int(self.n[figure][base])
                mean, mean_base = self._mean(figure, other), self._mean(figure, base)
                tested = Tested(None, reason=EMPTY_ARM)
                if mean is not None and mean_base is not None:
                    tested = delta_of(mean - mean_base, *squares[figure, other], n + n_base)
                yield ArmDifference(
                    arm=arms[other],
                    base=arms[base],
                    figure=figure,
                    value=mean,
                    base_value=mean_base,
                    difference=tested.value,
                    ci=tested.ci,
                    p=tested.p,
                    n=n,
                    n_base=n_base,
                    reason=tested.reason,
                )

    def _mean(self, figure: Figure, arm: int) -> float | None:
        count = int(self.n[figure][arm])
        return float(self._sums[figure][arm]) / count if count else None

    def _squares(self, base: int, others: Sequence[int]) -> dict[tuple[Figure, int], tuple[float, int]]:
        """By figure and arm: the squared sums of the influences of each session, added up; and sessions."""
        found = {(figure, other): (0.0, 0) for figure in FIGURES for other in others}
        for part in self._searches.parts():
            for figure, values in _values(part).items():
                for other in others:
                    kept = (values.arm == base) | (values.arm == other)
                    means = self._mean(figure, other), self._mean(figure, base)
                    if not kept.any() or None in means:
                        continue
                    sums = self._influences(figure, other, base, _Values(*(one[kept] for one in values)))
                    before, groups = found[figure, other]
                    found[figure, other] = before + float(sums @ sums), groups + len(sums)
        return found

    def _influences(self, figure: Figure, other: int, base: int, values: _Values) -> Floats:
        """What each session adds to the difference of two means, times the number of values."""
        count, count_base = int(self.n[figure][other]), int(self.n[figure][base])
        n, apart = count + count_base, np.zeros(len(values.value))
        for arm, size, sign in ((other, count, 1), (base, count_base, -1)):
            mine, mean = values.arm == arm, self._sums[figure][arm] / size
            apart[mine] = sign * (values.value[mine] - mean) * n / size
        number = np.unique(values.session, return_inverse=True)[1]
        return np.asarray(np.bincount(number, weights=apart), dtype=np.float64)


def _values(part: SearchPart) -> dict[Figure, _Values]:
    """The outcome of each session, with its arm, -2 where it was in several; the DCG of each whole search."""
    sessions, number = np.unique(part.session, return_inverse=True)
    outcome, high = np.zeros(len(sessions)), np.full(len(sessions), -2)
    low = np.full(len(sessions), MOST_ARMS)
    np.maximum.at(outcome, number, part.outcome)
    np.maximum.at(high, number, part.arm)
    np.minimum.at(low, number, part.arm)
    whole = part.ungraded == 0
    return {
        "outcome": _Values(np.where(low == high, low, -2), outcome, sessions),
        "dcg": _Values(part.arm[whole], part.dcg[whole], part.session[whole]),
    }
