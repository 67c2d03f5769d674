"""What a watch saw of each day: the teacher's losses on sentinels, and the mix of the traffic."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from harness.nouns.base import Interval, Weighting
from harness.scorecards.watch import HumanEstimate
from harness.stats.agreement import Floats, distances, renumbered
from harness.stats.baseline_evidence import BaselineEvidence, drift_beside, evidence_of
from harness.stats.e_process import Drift
from harness.stats.means import clustered_mean

MOST_STRATA = 1_000
"""Different strata of a day: with more, the column is an id."""
UNREAD_LOSS = 1.0
"""The loss of an answer that cannot be read: the largest. Left out, it would look like no change."""


@dataclass(frozen=True, slots=True)
class SentinelDay:
    """The sentinels of one day. `loss`: the mean over them; `ci`: of loss minus `baseline`."""

    day: str
    loss: float
    baseline: float
    n: int
    n_queries: int
    unread: int = 0
    ci: Interval | None = None
    models: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class BaselineLooks:
    """The mean loss of each repeat, and how many pairs of how many queries each has; who answered.

    `known`: what the answers say of the true mean. `never_read`: pairs whose answer no look could read.
    """

    losses: tuple[float, ...]
    n: int
    n_queries: int
    known: BaselineEvidence
    models: tuple[str, ...] = ()
    never_read: int = 0

    @property
    def loss(self) -> float:
        """The mean of the looks."""
        return float(np.mean(self.losses))

    def drift(self, losses: Floats, delta: float, asked: Floats | None = None) -> Drift:
        """The evidence after each day; `asked`: how many of the pairs each day has, None for all.

        A pair that a day lacks counts as right for a worse teacher, and as wrong for a better one.
        """
        # The mean of so many answers cannot tell a smaller loss from 0.
        least = 1 / (self.n * len(self.losses) + 1)
        part = np.ones(len(losses)) if asked is None else asked / self.n
        low = losses * part
        return drift_beside(low, low + (1 - part), self.known, self.loss, delta, least)


@dataclass(slots=True)
class TrafficDay:
    """The traffic of one day, added up by stratum: weight, and weight by grade (None: not read)."""

    day: str
    rows: int = 0
    weights: dict[str, float] = field(default_factory=lambda: defaultdict(float))
    grades: dict[str, dict[int, float]] = field(
        default_factory=lambda: defaultdict(lambda: defaultdict(float))
    )
    estimate: HumanEstimate | None = None

    def add(self, stratum: str, grade: int | None, weight: float) -> None:
        """Add a row."""
        self.rows += 1
        self.weights[stratum] += weight
        if grade is not None:
            self.grades[stratum][grade] += weight

    @property
    def fault(self) -> str | None:
        """The faults of the strata."""
        if len(self.weights) <= MOST_STRATA:
            return None
        return f"stratum: {len(self.weights):,} different ones, at most {MOST_STRATA:,}: is it an id?"

    def strata(self, names: Sequence[str]) -> Floats:
        """The share of each stratum."""
        return _shares([self.weights.get(name, 0.0) for name in names])

    def graded(self, scale: Sequence[int]) -> Floats:
        """The share of each grade among the rows that were read."""
        return _shares([sum(part.get(grade, 0.0) for part in self.grades.values()) for grade in scale])

    def means(self, names: Sequence[str]) -> Floats:
        """The mean grade within each stratum; NaN where there is none."""
        return np.array([_mean(self.grades.get(name, {})) for name in names])


def _shares(weights: Sequence[float]) -> Floats:
    found = np.array(weights, dtype=np.float64)
    total = found.sum()
    return np.asarray(found / total if total else found, dtype=np.float64)


def _mean(weights: Mapping[int, float]) -> float:
    total = sum(weights.values())
    return sum(grade * weight for grade, weight in weights.items()) / total if total else float("nan")


def pooled(days: Iterable[TrafficDay]) -> TrafficDay:
    """The traffic of several days as one, in which every day counts alike."""
    found = TrafficDay("")
    for one in days:
        found.rows += one.rows
        total = sum(one.weights.values()) or 1.0
        for stratum, weight in one.weights.items():
            found.weights[stratum] += weight / total
        for stratum, grades in one.grades.items():
            for grade, weight in grades.items():
                found.grades[stratum][grade] += weight / total
    return found


def day_order(day: str) -> tuple[int, str]:
    """The order of days: numbers by value, dates by the calendar."""
    return (int(day), "") if day.isdecimal() else (0, day)


class GradeLoss:
    """The loss of a grade where another one is golden: the kappa's disagreement, scaled to [0, 1]."""

    def __init__(self, scale: Sequence[int], weighting: Weighting) -> None:
        apart = distances(scale, weighting)
        self._apart = apart / apart.max()
        self._at = {grade: at for at, grade in enumerate(scale)}

    def of(self, golden: int, grade: int | None) -> float:
        """From 0 to 1; an answer that cannot be read has 1."""
        return UNREAD_LOSS if grade is None else float(self._apart[self._at[golden], self._at[grade]])


@dataclass(frozen=True, slots=True)
class SentinelLoss:
    """One sentinel's loss on one day."""

    item: str
    query: str
    loss: float
    unread: bool = False


def baseline_of(repeats: Sequence[Sequence[SentinelLoss]]) -> tuple[BaselineLooks, dict[str, float]]:
    """The baseline looks, and each pair's mean loss in them. Every look has the same pairs, each once."""
    losses: dict[str, list[float]] = defaultdict(list)
    read = set[str]()
    for repeat in repeats:
        for one in repeat:
            losses[one.item].append(one.loss)
            if not one.unread:
                read.add(one.item)
    means = tuple(float(np.mean([one.loss for one in repeat])) for repeat in repeats)
    queries = {one.query for repeat in repeats for one in repeat}
    known = evidence_of(losses.values())
    looks = BaselineLooks(means, len(losses), len(queries), known, never_read=len(losses) - len(read))
    return looks, {item: float(np.mean(each)) for item, each in losses.items()}


def sentinel_day(
    day: str,
    seen: Sequence[SentinelLoss],
    looks: BaselineLooks,
    by_item: Mapping[str, float],
    models: tuple[str, ...] = (),
) -> SentinelDay:
    """A day beside its baseline: that of the same pairs, where the baseline has some of them."""
    paired = [one for one in seen if one.item in by_item]
    used = paired or list(seen)
    before = np.array([by_item.get(one.item, looks.loss) for one in used])
    after = np.array([one.loss for one in used])
    numbers: dict[str, int] = {}
    clusters = renumbered(np.array([numbers.setdefault(one.query, len(numbers)) for one in used]))
    return SentinelDay(
        day,
        float(after.mean()),
        float(before.mean()),
        len(used),
        len(numbers),
        sum(one.unread for one in used),
        clustered_mean(after - before, clusters).ci,
        models,
    )
