"""Intra-rater agreement: does a rater who sees a pair again give it the same grade?"""

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from harness.nouns.base import Weighting
from harness.nouns.pair import Rating, query_key
from harness.score.rating_matrix import numbered
from harness.scorecards.gate1 import SelfAgreement
from harness.stats.intervals import KappaTable, mean_spread


def self_agreement(
    again: Sequence[tuple[Rating, Rating]], scale: tuple[int, ...], weighting: Weighting
) -> tuple[SelfAgreement, ...]:
    """Each rater's kappa with their own first grades, over the items that they graded again.

    `again` has each later grade beside the first: a third one is a second comparison with it. Intervals are
    clustered by query, or by item where there is none. Empty if nobody graded an item again.
    """
    pairs: dict[str, list[tuple[Rating, Rating]]] = defaultdict(list)
    for pair in again:
        pairs[pair[0].rater].append(pair)
    return tuple(_of_one(rater, pairs[rater], scale, weighting) for rater in sorted(pairs))


def _of_one(
    rater: str, pairs: Sequence[tuple[Rating, Rating]], scale: tuple[int, ...], weighting: Weighting
) -> SelfAgreement:
    position = {grade: at for at, grade in enumerate(scale)}
    first, later = (np.array([position[pair[at].grade] for pair in pairs]) for at in (0, 1))
    names = [query_key(one.query) if one.query else one.item for one, _ in pairs]
    clusters = numbered(names)
    table = KappaTable(first, later, clusters, scale, weighting)
    spread = mean_spread([table], [np.arange(len(pairs))], len(pairs), clusters)
    return SelfAgreement(
        rater=rater,
        n=len(pairs),
        items=len({one.item for one, _ in pairs}),
        agreement=float((first == later).mean()),
        kappa=table.kappa.value,
        ci=spread.ci,
        reason=table.kappa.reason or spread.reason,
    )
