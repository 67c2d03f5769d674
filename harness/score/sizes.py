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
from harness.score.threshold import Measured, Threshold
from harness.scorecards.sizes import Need, SizeRow, Sizes
from harness.stats.paired import delta_from
from harness.stats.planning import (
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


def size_golden_set(
    examples: Sequence[Example],
    policy: Policy,
    bar: Threshold,
    wish: SizeTarget,
    pilot: Pilot | None = None,
    against: Pilot | None = None,
) -> Sizes:
    """The sizes for a policy's golden set, by the shares of its grades in dev and test.

    The joint distribution is the mixture kappa diag(p) + (1 - kappa) p p', and its variance is multiplied
    by the pilot's design effect, or by 1 if that is smaller: with few queries it can be low by chance.
    """
    graded = [example for example in examples if example.split != "shots"]
    shares = _shares(graded, policy)
    queries = len({example.cluster for example in graded})
    per_query = len(graded) / queries
    answers = answer_matrix_of(pilot.items, policy.scale) if pilot else None
    measured = answers.measure(bar.weighting) if answers else None
    found = measured.spread.design_effect if measured else None
    effect = max(1.0, found or 1.0)

    def need(items: int | None) -> Need:
        return Need(items=items, queries=None if items is None else math.ceil(items / per_query))

    def row(kappa: float) -> SizeRow:
        joint = mixture(kappa, list(shares.values()))
        variance = variance_per_item(joint, policy.scale, bar.weighting)
        return SizeRow(
            kappa=kappa,
            half_width=need(items_for_half_width(variance, wish.half_width, effect)),
            to_pass=need(items_to_pass(variance, kappa, bar.bar, wish.power, effect)),
        )

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
        design_effect=effect,
        items_per_query=per_query,
        have=Need(items=len(graded), queries=queries),
        rows=tuple(row(kappa) for kappa in wish.kappas),
        to_tell_apart=need(_to_tell_apart(answers, against, shares, policy, bar, wish, effect)),
        notes=tuple(_notes(measured, against, max(wish.kappas))),
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


def _to_tell_apart(
    answers: AnswerMatrix | None,
    against: Pilot | None,
    shares: dict[int, float],
    policy: Policy,
    bar: Threshold,
    wish: SizeTarget,
    effect: float,
) -> int | None:
    """Items to detect a difference of two runs, from their paired error, or from unrelated errors."""
    if answers is not None and against is not None:
        other = answer_matrix_of(against.items, policy.scale)
        paired = _paired_variance(answers, other, bar)
        return items_for_delta(paired, wish.difference, wish.power)
    joint = mixture(bar.bar, list(shares.values()))
    variance = 2 * variance_per_item(joint, policy.scale, bar.weighting)
    return items_for_delta(variance, wish.difference, wish.power, effect)


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
