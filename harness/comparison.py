"""Two graders of the same golden items: what moved, and whether it is real. Paired, clustered by query."""

from collections.abc import Mapping, Sequence

import numpy as np

from harness.errors import BadInput
from harness.noun import Weighting
from harness.score.bar import WEIGHTINGS
from harness.score.draws import Draws, draws_of
from harness.score.judged import Judged, voted
from harness.scorecards.comparison import Change, Comparison, Flip, Kind, McNemar, Statistic
from harness.scorecards.shared import Confusion
from harness.stats.agreement import Floats, Integers, cell_counts
from harness.stats.means import Mean, clustered_mean
from harness.stats.paired import (
    ChiSquare,
    Delta,
    delta_from,
    durkalski,
    mcnemar_exact,
    obuchowski,
    stuart_maxwell,
)


def compare_judged(
    base: Sequence[Judged], candidate: Sequence[Judged], scale: tuple[int, ...], names: tuple[str, str]
) -> Comparison:
    """The candidate minus the base, on the items that both have a readable answer for.

    With several answers an item, kappa is averaged over them and everything else goes by their vote.
    """
    ours, theirs = _readable(base), _readable(candidate)
    common = [item for item in ours if item in theirs]
    if not common:
        raise BadInput("nothing to compare: no item has a readable answer in both")
    before = draws_of([ours[item] for item in common], scale)
    after = draws_of([theirs[item] for item in common], scale)
    left = draws_of([voted(ours[item]) for item in common], scale)
    right = draws_of([voted(theirs[item]) for item in common], scale)
    one, other = left.grades[:, 0], right.grades[:, 0]
    return Comparison(
        base=names[0],
        candidate=names[1],
        n_common=len(common),
        n_clusters=len(np.unique(before.clusters)),
        only_base=tuple(item for item in ours if item not in theirs),
        only_candidate=tuple(item for item in theirs if item not in ours),
        **{name: _kappa(before, after, weighting) for weighting, name in WEIGHTINGS.items()},
        accuracy=_mean(_right(before), _right(after), before.clusters),
        mae=_mean(_distance(before), _distance(after), before.clusters),
        mcnemar=_mcnemar(one == left.golden, other == left.golden, left.clusters),
        stuart_maxwell=_test(stuart_maxwell(cell_counts(one, other, len(scale)))),
        moves=Confusion(labels=scale, matrix=cell_counts(one, other, len(scale))),
        flips=_flips(common, left, right),
    )


def _readable(items: Sequence[Judged]) -> Mapping[str, Judged]:
    return {item.item: item for item in items if any(answer.grade is not None for answer in item.answers)}


def _kappa(before: Draws, after: Draws, weighting: Weighting) -> Change:
    a, b = before.measure(weighting).kappa, after.measure(weighting).kappa
    if a.exact is None or b.exact is None:
        return Change(base=a.value, candidate=b.value, delta=None, reason=a.reason or b.reason)
    phi = before.influence(weighting), after.influence(weighting)
    found = delta_from(a.exact, b.exact, *phi, before.clusters)
    return _change(a.value, b.value, found)


def _change(base: float | None, candidate: float | None, found: Delta | Mean) -> Change:
    ci = None if found.low is None or found.high is None else (found.low, found.high)
    return Change(base=base, candidate=candidate, delta=found.value, ci=ci, se=found.se, reason=found.reason)


def _right(draws: Draws) -> Floats:
    """The share of each item's readable answers that is right."""
    return _per_item(draws, (draws.grades == draws.golden[:, None]).astype(np.float64))


def _distance(draws: Draws) -> Floats:
    """The mean distance of each item's readable answers from the golden grade."""
    values = np.asarray(draws.scale, dtype=np.float64)
    return _per_item(draws, np.abs(values[draws.grades] - values[draws.golden][:, None]))


def _per_item(draws: Draws, values: Floats) -> Floats:
    answered = draws.answered
    return np.asarray(np.where(answered, values, 0).sum(axis=1) / answered.sum(axis=1), dtype=np.float64)


def _mean(before: Floats, after: Floats, clusters: Integers) -> Change:
    return _change(float(before.mean()), float(after.mean()), clustered_mean(after - before, clusters))


def _mcnemar(before: Integers, after: Integers, clusters: Integers) -> McNemar:
    groups = int(clusters.max()) + 1
    broken = np.bincount(clusters, weights=before & ~after, minlength=groups).astype(np.int64)
    fixed = np.bincount(clusters, weights=after & ~before, minlength=groups).astype(np.int64)
    sizes = np.bincount(clusters, minlength=groups)
    return McNemar(
        broken=int(broken.sum()),
        fixed=int(fixed.sum()),
        exact=mcnemar_exact(int(broken.sum()), int(fixed.sum())),
        obuchowski=_test(obuchowski(broken.tolist(), fixed.tolist())),
        durkalski=_test(durkalski(broken.tolist(), fixed.tolist(), sizes.tolist())),
    )


def _test(found: ChiSquare) -> Statistic:
    return Statistic(value=found.value, df=found.df, p=found.p, reason=found.reason)


def _flips(items: Sequence[str], before: Draws, after: Draws) -> tuple[Flip, ...]:
    """Every item that is graded differently, the largest move first."""
    scale = before.scale
    found = [
        Flip(item=item, golden=scale[g], base=scale[a], candidate=scale[b], kind=_kind(g, a, b))
        for item, g, a, b in zip(items, before.golden, before.grades[:, 0], after.grades[:, 0], strict=True)
        if a != b
    ]
    return tuple(sorted(found, key=lambda flip: (-abs(flip.candidate - flip.base), flip.item)))


def _kind(golden: int, base: int, candidate: int) -> Kind:
    if candidate == golden:
        return "fixed"
    return "broken" if base == golden else "moved"
