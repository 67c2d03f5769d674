"""The number of examples and queries that a golden set needs."""

import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.errors import BadInput
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.score.answer_matrix import AnswerMatrix, answer_matrix_of
from harness.score.items import GradedItem
from harness.score.reading import Reading
from harness.score.threshold import Measured, Threshold
from harness.scorecards.sizes import ExpectedInterval, Need, SizeRow, Sizes
from harness.stats.paired import delta_from
from harness.stats.planning import (
    half_width,
    items_for_delta,
    items_for_half_width,
    items_to_pass,
    mixture,
    variance_per_item,
)

NEAR_1 = 0.9
"""Above this kappa so few items disagree that the interval's guard decides, not the standard error."""
GUARDED = (
    f"with a true kappa above {NEAR_1:g} few queries hold a disagreement, and the interval's guard passes "
    "less often than this: take half as many examples again, or more"
)
TRUE_KAPPAS = (0.6, 0.7, 0.8, 0.85, 0.9, 0.95)
RATED_KAPPAS = (0.5, 0.6, 0.7, 0.8, 0.9)
NO_PILOT = (
    "no pilot run: items of one query are treated as independent (design effect 1), which asks for too few; "
    "name one with --pilot"
)
NO_PAIR = "no second run: two runs' errors are treated as unrelated, the worst case; name one with --against"


@dataclass(frozen=True, slots=True)
class SizeTarget:
    """The goals of a plan: a half-width, a difference to detect, and the power."""

    half_width: float = 0.05
    difference: float = 0.05
    power: float = 0.8
    kappas: tuple[float, ...] = TRUE_KAPPAS


@dataclass(frozen=True, slots=True)
class Pilot:
    """A run to estimate the design effect from; `items` are graded as in Gate 2."""

    name: str
    items: Sequence[GradedItem]


def pilot_of(reading: Reading, policy: Policy) -> Pilot:
    """A run as a pilot. BadInput if it graded no split, or on another scale than the policy's."""
    run, apart = reading.run, reading.run.manifest.asked.kind.apart
    if apart:
        raise BadInput(f"{run.folder.name} {apart}; name a run over a split as the pilot")
    if run.policy.scale != policy.scale:
        raise BadInput(f"{run.folder.name} was graded on another scale than {policy.label} has")
    return Pilot(run.folder.name, reading.items)


@dataclass(frozen=True, slots=True)
class _Plan:
    """Sizes for one design effect, by the shares of the golden grades.

    The joint distribution is the mixture kappa diag(p) + (1 - kappa) p p'.
    """

    shares: dict[int, float]
    bar: Threshold
    wish: SizeTarget
    effect: float
    items_per_query: float

    def need(self, items: int | None) -> Need:
        return Need(items=items, queries=None if items is None else math.ceil(items / self.items_per_query))

    def variance(self, kappa: float) -> float:
        """Of kappa, times the number of independent items."""
        return variance_per_item(
            mixture(kappa, list(self.shares.values())), tuple(self.shares), self.bar.weighting
        )

    def row(self, kappa: float) -> SizeRow:
        variance = self.variance(kappa)
        return SizeRow(
            kappa=kappa,
            half_width=self.need(items_for_half_width(variance, self.wish.half_width, self.effect)),
            to_pass=self.need(items_to_pass(variance, kappa, self.bar.bar, self.wish.power, self.effect)),
        )

    def to_tell_apart(self, paired: float | None) -> Need:
        """To detect a difference of two runs, from their paired variance, or from unrelated errors."""
        variance, effect = (2 * self.variance(self.bar.bar), self.effect) if paired is None else (paired, 1.0)
        return self.need(items_for_delta(variance, self.wish.difference, self.wish.power, effect))


def size_golden_set(
    examples: Sequence[Example],
    policy: Policy,
    bar: Threshold,
    wish: SizeTarget,
    pilot: Pilot | None = None,
    against: Pilot | None = None,
) -> Sizes:
    """The sizes for a policy's golden set, by the shares of its grades in dev and test.

    Variances are multiplied by the pilot's design effect, or by 1 if that is smaller: with few queries it
    can be low by chance.
    """
    graded = [example for example in examples if example.split != "shots"]
    shares = _shares(graded, policy)
    queries = len({example.cluster for example in graded})
    answers, others = (answer_matrix_of(one.items, policy.scale) if one else None for one in (pilot, against))
    measured = answers.measure(bar.weighting) if answers else None
    found = measured.spread.design_effect if measured else None
    plan = _Plan(shares, bar, wish, max(1.0, found or 1.0), len(graded) / queries)
    paired = _paired_variance(answers, others, bar) if answers and others else None
    return Sizes(
        policy=policy.label,
        weighting=bar.weighting,
        bar=bar.bar,
        power=wish.power,
        half_width=wish.half_width,
        difference=wish.difference,
        shares=shares,
        pilot=pilot.name if pilot else None,
        pilot_kappa=measured.kappa.value if measured else None,
        pilot_design_effect=found,
        design_effect=plan.effect,
        items_per_query=plan.items_per_query,
        have=Need(items=len(graded), queries=queries),
        rows=tuple(map(plan.row, wish.kappas)),
        to_tell_apart=plan.to_tell_apart(paired),
        notes=tuple(_notes(measured, against, max(wish.kappas))),
    )


def expected_intervals(
    examples: Sequence[Example], policy: Policy, bar: Threshold
) -> tuple[ExpectedInterval, ...]:
    """The half-width of Gate 1's interval to expect from rating these examples, by the true kappa.

    By the shares of their golden grades. Items of one query count as independent, which promises too
    narrow an interval. BadInput where kappa is undefined.
    """
    plan = _Plan(_shares(examples, policy), bar, SizeTarget(), 1.0, 1.0)
    return tuple(
        ExpectedInterval(kappa=kappa, half_width=half_width(plan.variance(kappa), len(examples)))
        for kappa in RATED_KAPPAS
    )


def _shares(graded: Sequence[Example], policy: Policy) -> dict[int, float]:
    """Each grade's share. BadInput if kappa is undefined: without examples, or with one grade only."""
    if not graded:
        raise BadInput(f"the golden set of {policy.name} has no example in dev or test")
    counts = Counter(example.grade for example in graded)
    if len(counts) < 2:
        raise BadInput(
            f"every example of {policy.name} in dev and test has grade {graded[0].grade}: "
            "kappa is undefined, however many there are"
        )
    return {grade: counts[grade] / len(graded) for grade in policy.scale}


def _paired_variance(base: AnswerMatrix, candidate: AnswerMatrix, bar: Threshold) -> float:
    """n SE^2 of the difference of two runs' kappas; it includes the design effect, which is at least 1."""
    both = np.flatnonzero(base.answered.any(axis=1) & candidate.answered.any(axis=1))
    one, other = base.where(both), candidate.where(both)
    a, b = one.measure(bar.weighting).kappa.exact, other.measure(bar.weighting).kappa.exact
    if a is None or b is None:
        raise BadInput("--against: kappa is undefined on the examples that both runs graded")
    phi = other.influence(bar.weighting) - one.influence(bar.weighting)
    found = delta_from(float(b - a), phi, one.clusters)
    return max(float((phi**2).mean()), len(one.golden) * (found.se or 0.0) ** 2)


def _notes(measured: Measured | None, against: Pilot | None, highest: float) -> Iterator[str]:
    """The assumptions made because a measurement is missing, or kappas are high."""
    if highest > NEAR_1:
        yield GUARDED
    if measured is None:
        yield NO_PILOT
    elif measured.spread.design_effect is None:
        why = measured.reason or "nothing disagrees"
        yield f"the pilot has no design effect ({why}): 1 is assumed"
    elif measured.spread.design_effect < 1:
        effect = f"the pilot's design effect is {measured.spread.design_effect:.2f}"
        yield f"{effect}, and 1 is taken: a few queries show less by chance, and too few would be asked for"
    if against is None:
        yield NO_PAIR
