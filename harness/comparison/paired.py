"""The candidate minus the base, on the items with readable answers from both."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace

import numpy as np

from harness.comparison.coverage import coverage_change
from harness.comparison.differences import changes_between, naming_of, policies_differ, warnings_of
from harness.comparison.flips import find_flips
from harness.comparison.sides import Side, side_of_items
from harness.comparison.slices import slice_changes
from harness.errors import BadInput
from harness.nouns.base import Reason, Weighting
from harness.score.answer_matrix import AnswerMatrix, answer_matrix_of
from harness.score.items import GradedItem, voted
from harness.score.slices import action_labels
from harness.score.threshold import WEIGHTINGS
from harness.scorecards.comparison import CellChange, Change, Comparison, McNemar, Relabelled
from harness.scorecards.shared import Confusion
from harness.stats.agreement import Floats, Integers, cell_counts
from harness.stats.intervals import Tested
from harness.stats.means import clustered_mean
from harness.stats.paired import ALIKE, SAME, delta_from, durkalski, mcnemar_exact, obuchowski, stuart_maxwell

Pairing = list[tuple[GradedItem, GradedItem]]


def compare_sides(base: Side, candidate: Side, weighting: Weighting | None = None) -> Comparison:
    """Compare the candidate with the base. BadInput if they have nothing to compare.

    If the policies differ, each side is scored by its own golden grades. With several answers per item,
    kappa is averaged over the repeats and flips use the vote. `weighting`: the gated one, if not the
    candidate's own.
    """
    if base.scale != candidate.scale:
        raise BadInput(f"{base.name} and {candidate.name} were graded on different scales")
    differ = policies_differ(base, candidate)
    both = [key for key in base.items if key in candidate.items]
    if not both:
        raise BadInput(_nothing_shared(base, candidate))
    relabelled = [key for key in both if base.items[key].golden != candidate.items[key].golden]
    others = set(relabelled)
    kept = both if differ else [key for key in both if key not in others]
    pairs = [(base.items[key], candidate.items[key]) for key in kept]
    read = [(one, other) for one, other in pairs if _readable(one) and _readable(other)]
    if not read:
        lost = (
            "no item has a readable answer in both" if pairs else "every common item has another golden grade"
        )
        raise BadInput(f"nothing to compare: {lost}")
    chosen = weighting or candidate.gates.weighting
    changed, named = changes_between(base, candidate), naming_of(base, candidate)
    moved = any(map(_moved, *zip(*pairs, strict=True)))
    return Comparison(
        base=base.name,
        candidate=candidate.name,
        weighting=chosen,
        gated=WEIGHTINGS[chosen],
        policies_differ=differ,
        stale=candidate.stale,
        stale_base=base.stale,
        apart=candidate.apart or base.apart,
        **_left_out(base, candidate, pairs, relabelled),
        **_figures(base, candidate, read),
        coverage=coverage_change(base, candidate),
        seconds=_plain(base.seconds, candidate.seconds),
        cost=None if (base.cost, candidate.cost) == (None, None) else _plain(base.cost, candidate.cost),
        changed=changed,
        naming=named,
        warnings=warnings_of(base, candidate, changed, relabelled, moved=moved, naming=named),
    )


def compare_items(
    base: Sequence[GradedItem],
    candidate: Sequence[GradedItem],
    scale: tuple[int, ...],
    names: tuple[str, str],
    weighting: Weighting | None = None,
) -> Comparison:
    """Two lists of graded items, paired by name."""
    one, other = (
        side_of_items(name, items, scale) for name, items in zip(names, (base, candidate), strict=True)
    )
    return compare_sides(one, other, weighting)


def _nothing_shared(base: Side, candidate: Side) -> str:
    """The message for two sides without a common item."""
    parts = base.part, candidate.part
    other = (
        f": one graded {parts[0]}, the other {parts[1]}" if None not in parts and len({*parts}) > 1 else ""
    )
    return f"nothing to compare: {base.name} and {candidate.name} share no item{other}"


def _moved(one: GradedItem, other: GradedItem) -> bool:
    """Whether any answer differs, or is right while the other is wrong."""
    grades = [
        [(answer.grade, answer.grade == side.golden) for answer in side.answers] for side in (one, other)
    ]
    return grades[0] != grades[1]


def _readable(item: GradedItem) -> bool:
    return any(answer.grade is not None for answer in item.answers)


def _left_out(
    base: Side, candidate: Side, pairs: Pairing, relabelled: Sequence[str]
) -> dict[str, tuple[str | Relabelled, ...]]:
    """The items that no figure includes, and those whose golden grade differs between the sides."""
    old, new = base.items, candidate.items
    return {
        "only_base": tuple(item.item for key, item in old.items() if key not in new),
        "only_candidate": tuple(item.item for key, item in new.items() if key not in old),
        "unread_base": tuple(one.item for one, _ in pairs if not _readable(one)),
        "unread_candidate": tuple(other.item for _, other in pairs if not _readable(other)),
        "relabelled": tuple(
            Relabelled(item=new[key].item, base=old[key].golden, candidate=new[key].golden)
            for key in relabelled
        ),
    }


def _figures(base: Side, candidate: Side, read: Pairing) -> dict[str, object]:
    """All figures of the common items."""
    before, after = (answer_matrix_of(list(items), candidate.scale) for items in zip(*read, strict=True))
    clusters = after.clusters if candidate.knows_queries else before.clusters
    before, after = (replace(answers, clusters=clusters) for answers in (before, after))
    votes = [(voted(one), voted(other)) for one, other in read]
    left, right = (answer_matrix_of(list(items), candidate.scale) for items in zip(*votes, strict=True))
    one, other = left.grades[:, 0], right.grades[:, 0]
    abouts = [another.about or item.about for item, another in read]
    shares = _right(before), _right(after)
    return {
        "n_common": len(read),
        "n_clusters": len(np.unique(after.clusters)),
        **{name: _kappa(before, after, weighting) for weighting, name in WEIGHTINGS.items()},
        "accuracy": _mean(*shares, after.clusters),
        "mae": _mean(_distance(before), _distance(after), after.clusters),
        "actions": _actions(base, candidate, before, after),
        "mcnemar": _mcnemar(one == left.golden, other == right.golden, after.clusters),
        "stuart_maxwell": stuart_maxwell(one, other, after.clusters, len(candidate.scale)),
        "moves": Confusion(labels=candidate.scale, matrix=cell_counts(one, other, len(candidate.scale))),
        "never_grow": _cells(base, candidate, votes),
        "per_tag": slice_changes([one.tags if one else () for one in abouts], *shares, clusters),
        "per_clause": slice_changes([one.clauses if one else () for one in abouts], *shares, clusters),
        "flips": find_flips(base, candidate, votes),
    }


def _kappa(before: AnswerMatrix, after: AnswerMatrix, weighting: Weighting) -> Change:
    a, b = before.measure(weighting).kappa, after.measure(weighting).kappa
    if a.exact is None or b.exact is None:
        reason = a.reason if a.exact is None else b.reason
        return Change(base=a.value, candidate=b.value, delta=None, reason=reason)
    phi = after.influence(weighting) - before.influence(weighting)
    found = delta_from(float(b.exact - a.exact), phi, after.clusters)
    if found.value == 0 and found.reason is ALIKE and np.array_equal(before.grades, after.grades):
        found = replace(found, reason=SAME)
    return _change(a.value, b.value, found)


def _change(base: float | None, candidate: float | None, found: Tested) -> Change:
    tested = asdict(found)
    return Change(base=base, candidate=candidate, delta=tested.pop("value"), **tested)


def _plain(base: float | None, candidate: float | None) -> Change:
    """Two figures without an interval."""
    delta = None if base is None or candidate is None else candidate - base
    reason = Reason("remark", "a total of each side has no interval")
    return Change(base=base, candidate=candidate, delta=delta, reason=reason)


def _right(answers: AnswerMatrix) -> Floats:
    """For each item, the share of its readable answers that is right."""
    return _per_item(answers, (answers.grades == answers.golden[:, None]).astype(np.float64))


def _distance(answers: AnswerMatrix) -> Floats:
    """For each item, the mean distance of its readable answers from the golden grade."""
    values = np.asarray(answers.scale, dtype=np.float64)
    return _per_item(answers, np.abs(values[answers.grades] - values[answers.golden][:, None]))


def _per_item(answers: AnswerMatrix, values: Floats) -> Floats:
    answered = answers.answered
    return np.asarray(np.where(answered, values, 0).sum(axis=1) / answered.sum(axis=1), dtype=np.float64)


def _mean(before: Floats, after: Floats, clusters: Integers) -> Change:
    return _change(float(before.mean()), float(after.mean()), clustered_mean(after - before, clusters))


def _actions(base: Side, candidate: Side, before: AnswerMatrix, after: AnswerMatrix) -> Change | None:
    """The actions' kappa, each side by its own policy; None if the sides' actions differ."""
    if base.action_of is None or candidate.action_of is None:
        return None
    labels = action_labels(candidate.scale, candidate.action_of)
    if len(labels) < 2 or set(base.action_of.values()) != set(labels):
        return None
    one, other = (
        answers.regrouped([labels.index(side.action_of[grade]) for grade in answers.scale])
        for side, answers in ((base, before), (candidate, after))
        if side.action_of is not None
    )
    return _kappa(one, other, "none")


def _cells(base: Side, candidate: Side, votes: Pairing) -> tuple[CellChange, ...]:
    """The number of common items in each cell that must never grow, for both sides."""

    def count(side: Side, items: Sequence[GradedItem], golden: int, action: str) -> int:
        seen: Mapping[int, str] = side.action_of or {}
        return sum(
            item.golden == golden and seen.get(item.answers[0].grade or 0) == action
            for item in items
            if item.answers[0].grade is not None
        )

    if candidate.action_of is None:
        return ()
    ours, theirs = [one for one, _ in votes], [other for _, other in votes]
    return tuple(
        CellChange(
            golden=cell.golden,
            action=cell.action,
            base=count(base, ours, cell.golden, cell.action),
            candidate=count(candidate, theirs, cell.golden, cell.action),
            allowed=cell.growth,
        )
        for cell in candidate.gates.never_grow
    )


def _mcnemar(before: Integers, after: Integers, clusters: Integers) -> McNemar:
    groups = int(clusters.max()) + 1
    broken = np.bincount(clusters, weights=before & ~after, minlength=groups).astype(np.int64)
    fixed = np.bincount(clusters, weights=after & ~before, minlength=groups).astype(np.int64)
    sizes = np.bincount(clusters, minlength=groups)
    return McNemar(
        broken=int(broken.sum()),
        fixed=int(fixed.sum()),
        exact=mcnemar_exact(int(broken.sum()), int(fixed.sum())),
        obuchowski=obuchowski(broken.tolist(), fixed.tolist()),
        durkalski=durkalski(broken.tolist(), fixed.tolist(), sizes.tolist()),
    )
