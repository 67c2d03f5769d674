"""Gate 1: do the raters agree?"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np

from harness.errors import BadInput
from harness.records import Rating, query_key
from harness.score.bar import NO_INTERVALS, WEIGHTINGS, Bar, gate_fields
from harness.scorecards import Alpha, Confusion, Dispute, Gate1, PairAgreement, RaterBias
from harness.stats.agreement import Matrix, cohen_kappa, confusion, mean_kappa, pooled
from harness.stats.raters import MISSING, Metric, coefficients, krippendorff_alpha

METRICS: tuple[Metric, ...] = ("nominal", "ordinal", "interval")
MIN_COMMON = 30
"""A pair of raters with fewer items in common is shown but left out of the mean, if any pair has more."""


def score_gate1(
    ratings: Sequence[Rating], scale: tuple[int, ...], bar: Bar, kinds: Mapping[str, str] | None = None
) -> Gate1:
    """Agreement among raters: the mean of the pairwise kappas, over the items that two raters share.

    `kinds` says of each rater whether it is "human" or "llm"; None where nobody says it.
    """
    by_rater: dict[str, dict[str, int]] = defaultdict(dict)
    for rating in ratings:
        by_rater[rating.rater][rating.item] = rating.grade
    raters = tuple(sorted(by_rater))
    if len(raters) < 2:
        raise BadInput(f"agreement takes two raters or more; here: {', '.join(raters) or 'none'}")
    tables = {pair: _table(by_rater, pair, scale) for pair in combinations(raters, 2)}
    sizes = {pair: sum(map(sum, table)) for pair, table in tables.items()}
    enough = {pair for pair, n in sizes.items() if n >= MIN_COMMON} or set(tables)
    mean = {
        weighting: mean_kappa(
            [cohen_kappa(tables[pair], scale, weighting) for pair in tables if pair in enough]
        )
        for weighting in WEIGHTINGS
    }
    items = {rating.item: query_key(rating.query) if rating.query else rating.item for rating in ratings}
    return Gate1(
        **gate_fields(mean, bar, len(set(items.values()))),
        warnings=tuple(
            f"{one} and {other} share {sizes[one, other]} items, under {MIN_COMMON}: left out of the mean"
            for one, other in tables
            if (one, other) not in enough
        ),
        provisional=_provisional(raters, kinds) if kinds is not None else None,
        n_items=len(items),
        raters=raters,
        pairs=tuple(_pair(pair, table, scale, pair in enough) for pair, table in tables.items()),
        **_beside(ratings, raters, scale),
        rater_bias=tuple(_bias(rater, by_rater, scale) for rater in raters),
        confusion=Confusion(labels=scale, matrix=pooled(list(tables.values()), len(scale))),
        disputed=_disputed(by_rater, items),
    )


def _beside(ratings: Sequence[Rating], raters: Sequence[str], scale: tuple[int, ...]) -> dict[str, Any]:
    """The other coefficients for several raters, with a reason for each that is undefined."""
    rows = {item: at for at, item in enumerate(dict.fromkeys(rating.item for rating in ratings))}
    array = np.full((len(rows), len(raters)), MISSING, dtype=np.int64)
    for rating in ratings:
        array[rows[rating.item], raters.index(rating.rater)] = scale.index(rating.grade)
    plain, linear = coefficients(array, scale), coefficients(array, scale, "linear")
    alpha = {metric: krippendorff_alpha(array, scale, metric) for metric in METRICS}
    found = {"fleiss": plain.fleiss, "conger": plain.conger, "ac1": plain.gwet, "ac2": linear.gwet}
    named = {**found, **{f"alpha.{metric}": one for metric, one in alpha.items()}}
    return {
        **{name: one.value for name, one in found.items()},
        "alpha": Alpha(**{metric: one.value for metric, one in alpha.items()}),
        "reasons": {name: one.reason for name, one in named.items() if one.reason},
    }


def _bias(rater: str, by_rater: Mapping[str, Mapping[str, int]], scale: tuple[int, ...]) -> RaterBias:
    """A rater against the lower median of two or more others."""
    own, rest = [], []
    for item, grade in by_rater[rater].items():
        others = sorted(given[item] for name, given in by_rater.items() if name != rater and item in given)
        if len(others) >= 2:
            own.append(grade)
            rest.append(others[(len(others) - 1) // 2])
    kappa = cohen_kappa(confusion(own, rest, scale), scale, "linear")
    bias = sum(a - b for a, b in zip(own, rest, strict=True)) / len(own) if own else None
    return RaterBias(rater=rater, n=len(own), bias=bias, kappa_vs_rest=kappa.value, reason=kappa.reason)


def _provisional(raters: Sequence[str], kinds: Mapping[str, str]) -> str | None:
    """Why this is no answer about people, where it is none."""
    machines = [rater for rater in raters if kinds.get(rater) == "llm"]
    unknown = [rater for rater in raters if rater not in kinds]
    if machines:
        return f"{', '.join(machines)} rated as language models: this says nothing yet about people"
    return f"raters.toml does not say what {', '.join(unknown)} is" if unknown else None


def _table(
    by_rater: Mapping[str, Mapping[str, int]], pair: tuple[str, str], scale: tuple[int, ...]
) -> Matrix:
    one, other = by_rater[pair[0]], by_rater[pair[1]]
    common = [item for item in one if item in other]
    return confusion([one[item] for item in common], [other[item] for item in common], scale)


def _pair(raters: tuple[str, str], table: Matrix, scale: tuple[int, ...], counted: bool) -> PairAgreement:
    kappa = cohen_kappa(table, scale)
    return PairAgreement(
        raters=raters,
        n=sum(map(sum, table)),
        kappa=kappa.value,
        kappa_linear=cohen_kappa(table, scale, "linear").value,
        kappa_quadratic=cohen_kappa(table, scale, "quadratic").value,
        counted=counted,
        reason=kappa.reason or NO_INTERVALS,
    )


def _disputed(by_rater: Mapping[str, Mapping[str, int]], items: Iterable[str]) -> tuple[Dispute, ...]:
    """The items on which raters differ, widest apart first."""
    found = [
        Dispute(item=item, grades={rater: given[item] for rater, given in by_rater.items() if item in given})
        for item in items
    ]
    split = [dispute for dispute in found if len(set(dispute.grades.values())) > 1]
    return tuple(sorted(split, key=lambda dispute: (-_spread(dispute), dispute.item)))


def _spread(dispute: Dispute) -> int:
    return max(dispute.grades.values()) - min(dispute.grades.values())
