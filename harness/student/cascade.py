"""Choose a cascade: dev gives the confidence from which the student's answer counts; test confirms it once.

Reads what was graded, and asks nobody.
"""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from harness.comparison.cascade import (
    CASCADE,
    CascadeAnswers,
    Couple,
    answers_of,
    couple_of,
    judge_cascade,
)
from harness.comparison.sides import Side
from harness.errors import BadInput
from harness.nouns.base import Weighting
from harness.nouns.policy import Gates
from harness.score.answer_matrix import AnswerMatrix
from harness.score.items import independence, names_query
from harness.score.threshold import WEIGHTINGS
from harness.scorecards.cascade import CascadeCheck, CascadeCost, CascadePart, CascadePoint
from harness.scorecards.shared import Verdict
from harness.scorecards.student import Delta, StudentKappas
from harness.stats.cascade import thresholds
from harness.stats.few_events import FEW_EVENTS
from harness.stats.means import clustered_mean, clustered_share
from harness.storage.plural import plural
from harness.student.check import kappas_of, refuse_same

LEAST = 20
"""How many dev items both have to have graded for a choice of threshold."""
KEPT = 0.1
"""The least share that the student has to answer: for less, a cascade is not worth making."""
TRIED = 200
"""Thresholds that are tried at most."""
FAR = 1.96
"""Standard errors by which the share sent may differ between dev and test by chance."""
MAY: dict[Verdict, str] = {
    "pass": "the cascade may stand in for its teacher",
    "fail": "the cascade may not stand in for its teacher",
    "inconclusive": "whether the cascade may stand in for its teacher is not shown",
}


@dataclass(frozen=True, slots=True)
class Rule:
    """How the threshold is chosen on dev.

    Without `share`: the least share sent whose loss of kappa is shown to be within the margin. With it: the
    highest kappa of those that send no more. None: the margin, or the weighting, of gates.toml.
    """

    weighting: Weighting | None = None
    margin: float | None = None
    share: float | None = None

    def words(self, gated: str, margin: float) -> str:
        """The rule as a sentence says it."""
        if self.share is None:
            return f"the least share sent whose loss of {gated} is shown to be within {margin:g}"
        return f"the highest {gated} of those that send {self.share:.0%} or less"


def choose_cascade(
    student: Side,
    teacher: Side,
    splits: Mapping[str, str],
    rule: Rule,
    cost: CascadeCost,
    sure: Mapping[str, float] | None = None,
) -> CascadeCheck:
    """Choose a threshold on dev, and hold the cascade against its teacher on test.

    `splits`: each item's, by name; `sure`: the student's confidence by item, where its answers have no
    probabilities. Nothing of test moves the threshold. BadInput where dev has fewer than LEAST items, where
    test has none, where the student is its own teacher, and where it gives no confidence.
    """
    refuse_same(student, teacher)
    couple = couple_of(student, teacher, sure)
    dev, test = (_part(couple, splits, name) for name in ("dev", "test"))
    gates = student.gates
    weighting = rule.weighting or gates.weighting
    gates = gates if rule.margin is None else gates.model_copy(update={"margin": rule.margin})
    margin, gated = gates.margin, WEIGHTINGS[weighting]
    on_dev = answers_of(dev)
    if len(on_dev.sure) < LEAST:
        few = plural(len(on_dev.sure), "item")
        raise BadInput(f"both graded {few} of dev, on which the threshold is chosen: {LEAST} are needed")
    curve = _curve(on_dev, weighting, cost)
    chosen = _chosen(curve, rule, margin)
    made = partial(
        CascadeCheck,
        policy=student.policy,
        student=student.name,
        teacher=teacher.name,
        gated=gated,
        margin=margin,
        share=rule.share,
        rule=rule.words(gated, margin),
        curve=curve,
        cost=cost,
        notes=student.notes,
    )
    if chosen is None:
        verdict, reason = _none(curve, rule, gated, margin, len(np.unique(on_dev.clusters)))
        return made(
            threshold=None, dev=None, test=None, verdict=verdict, reason=reason,
            warnings=_independence(dev),
        )  # fmt: skip
    return made(threshold=chosen.threshold, **_confirmed(dev, test, chosen.threshold, weighting, gates, cost))


def _confirmed(
    dev: Couple, test: Couple, threshold: float, weighting: Weighting, gates: Gates, cost: CascadeCost
) -> dict[str, Any]:
    """The figures of a threshold on dev and test, and the verdict of test."""
    judged = judge_cascade(test, threshold, weighting, gates)
    on_dev, on_test = answers_of(dev), answers_of(test)
    warnings = (
        *_independence(dev),
        *_drift(on_dev, on_test, threshold),
        *judged.comparison.warnings,
    )
    return {
        "dev": _measured(dev, on_dev, threshold, weighting, cost),
        "test": _measured(test, on_test, threshold, weighting, cost),
        "verdict": judged.verdict,
        "reason": f"{MAY[judged.verdict]}: {judged.reason}",
        "conditions": judged.conditions,
        "warnings": tuple(dict.fromkeys(warnings)),
    }


def _part(couple: Couple, splits: Mapping[str, str], part: str) -> Couple:
    """A split of both. BadInput where the teacher, or the student, graded nothing of it."""
    items: Collection[str] = {item for item, split in splits.items() if split == part}
    found = couple.of(items, part)
    for side in (found.teacher, found.student):
        if not side.items:
            what = "the threshold is chosen on dev, and confirmed on test"
            raise BadInput(f"{side.name} graded nothing of {part}: {what}; name runs on both: DEV,TEST")
    return found


def _curve(answers: CascadeAnswers, weighting: Weighting, cost: CascadeCost) -> tuple[CascadePoint, ...]:
    """The cascade at every threshold that is tried, by the share sent."""
    return tuple(
        _point(answers, float(one), weighting, cost) for one in thresholds(answers.sure, TRIED).tolist()
    )


def _point(
    answers: CascadeAnswers, threshold: float, weighting: Weighting, cost: CascadeCost
) -> CascadePoint:
    share = float(answers.asked(threshold).mean())
    loss = answers.loss(threshold, weighting)
    return CascadePoint(
        threshold=threshold,
        sent=share,
        kappa=answers.cascade(threshold).measure(weighting).kappa.value,
        delta=loss.value,
        low=loss.low,
        high=loss.high,
        differ=loss.differ,
        cost=cost.of(share),
        reason=loss.reason,
    )


def _chosen(curve: Sequence[CascadePoint], rule: Rule, margin: float) -> CascadePoint | None:
    """The point that the rule takes; None where there is none."""
    worth = [one for one in curve if one.sent <= 1 - KEPT]
    if rule.share is None:
        return next((one for one in worth if one.low is not None and one.low > -margin), None)
    within = [one for one in worth if one.sent <= rule.share and one.kappa is not None]
    return max(within, key=lambda one: (one.kappa, -one.sent), default=None)


def _none(
    curve: Sequence[CascadePoint], rule: Rule, gated: str, margin: float, queries: int
) -> tuple[Verdict, str]:
    """The verdict where no threshold is chosen. `queries`: those of dev."""
    worth = [one for one in curve if one.sent <= 1 - KEPT]
    if not worth:
        least = min((one.sent for one in curve), default=1.0)
        return "inconclusive", f"no threshold leaves {KEPT:.0%} of dev to the student: all send {least:.0%}"
    if rule.share is not None:
        least = min(one.sent for one in worth)
        return (
            "inconclusive",
            f"every threshold sends more than {rule.share:.0%} of dev: at least {least:.0%}",
        )
    best = max(worth, key=lambda one: -np.inf if one.low is None else one.low)
    limit = "no limit" if best.low is None else f"95 % limit {best.low:+.3f}"
    if best.low is not None and best.differ < FEW_EVENTS:
        few = f"answers differ in {best.differ:,} of {plural(queries, 'query', 'queries')}"
        allows = f"exact {limit}: {few}, which still allows such a loss; more queries of dev narrow it"
        limit = f"{allows}, and a share (--share) takes a threshold without that proof"
    moved = "cannot be compared" if best.delta is None else f"moves by {best.delta:+.3f}"
    where = f"where {best.sent:.0%} are sent {gated} {moved} ({limit})"
    if all(one.high is not None and one.high < -margin for one in worth):
        return "fail", f"every threshold on dev surely loses more than {margin:g}: {where}"
    return "inconclusive", f"no threshold on dev is shown to lose less than {margin:g}: at best, {where}"


def _measured(
    couple: Couple, answers: CascadeAnswers, threshold: float, weighting: Weighting, cost: CascadeCost
) -> CascadePart:
    """All figures of a threshold on one split."""
    asked = answers.asked(threshold).astype(np.float64)
    loss = answers.loss(threshold, weighting)
    share = float(asked.mean())
    return CascadePart(
        part=couple.student.part or "",
        n=len(asked),
        n_clusters=len(np.unique(answers.clusters)),
        sent=share,
        sent_ci=clustered_share(asked, answers.clusters),
        student=_kappas(couple.student.name, answers.student),
        cascade=_kappas(CASCADE, answers.cascade(threshold)),
        teacher=_kappas(couple.teacher.name, answers.teacher),
        delta=Delta(value=loss.value, ci=loss.ci, se=loss.se, reason=loss.reason),
        low=loss.low,
        high=loss.high,
        differ=loss.differ,
        cost=cost.of(share),
    )


def _kappas(name: str, answers: AnswerMatrix) -> StudentKappas:
    """The figures of one grader, on the items that it could read."""
    read = answers.answered[:, 0]
    return kappas_of(name, answers.where(read), float(read.mean()))


def _independence(couple: Couple) -> tuple[str, ...]:
    items = couple.teacher.items.values()
    return independence(sum(map(names_query, items)), len(items))


def _drift(dev: CascadeAnswers, test: CascadeAnswers, threshold: float) -> tuple[str, ...]:
    """A warning where the student is as sure on test as on dev only by chance."""
    means = [clustered_mean(one.asked(threshold).astype(np.float64), one.clusters) for one in (dev, test)]
    one, other = means
    if one.value is None or other.value is None or not (one.se and other.se):
        return ()
    if abs(one.value - other.value) <= FAR * float(np.hypot(one.se, other.se)):
        return ()
    sent = f"{one.value:.0%} of dev and {other.value:.0%} of test are sent, more apart than chance explains"
    return (f"{sent}: the student is not as sure of both, and production may be a third kind",)
