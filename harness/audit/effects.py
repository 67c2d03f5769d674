"""Is the teacher's error related to a feature, among items of one golden grade?"""

from collections.abc import Iterator, Sequence
from functools import partial

import numpy as np

from harness.audit.features import AGAINST, LEAST_SIDE, PER_SD, AuditFeature, Subject, features
from harness.nouns.base import Reason
from harness.score.rating_matrix import numbered
from harness.scorecards.audit import Effect, Outcome
from harness.stats.agreement import Floats, renumbered
from harness.stats.intervals import FEW, Tested
from harness.stats.paired import holm
from harness.stats.slopes import within_slope

LEAST = 30
"""The fewest items with which a feature is tested."""


def effects(subjects: Sequence[Subject]) -> tuple[Effect, ...]:
    """The effect of every feature on the error and on its size, with Holm's p over all of them."""
    found = [effect for feature in features(subjects) for effect in _both(subjects, feature)]
    corrected = holm([one.p for one in found])
    return tuple(one.model_copy(update={"p_holm": p}) for one, p in zip(found, corrected, strict=True))


def _both(subjects: Sequence[Subject], feature: AuditFeature) -> Iterator[Effect]:
    """The effect on the error, and on the absolute error."""
    having = [(one, v) for one, v in zip(subjects, feature.values, strict=True) if v is not None]
    known = [one for one, _ in having]
    values = np.array([value for _, value in having], dtype=np.float64)
    errors = np.array([one.error for one in known], dtype=np.float64)
    sides: tuple[tuple[Outcome, Floats], ...] = (("error", errors), ("absolute error", np.abs(errors)))
    for outcome, of in sides:
        made = partial(
            Effect,
            feature=feature.name,
            outcome=outcome,
            unit=feature.unit,
            n=len(known),
            n_clusters=len({one.cluster for one in known}),
        )
        reason = feature.reason or _too_little(known, values, of, feature)
        if reason is not None:
            yield made(effect=None, reason=reason)
            continue
        tested = _tested(known, values, of, per_sd=feature.unit == PER_SD)
        yield made(effect=tested.value, ci=tested.ci, p=tested.p, reason=tested.reason)


def _too_little(
    known: Sequence[Subject], values: Floats, errors: Floats, feature: AuditFeature
) -> Reason | None:
    """Why an effect cannot be tested; None if it can."""
    if len(known) < LEAST:
        return Reason("undefined", f"fewer than {LEAST} items have it")
    if feature.unit == AGAINST and min(int(values.sum()), int((1 - values).sum())) < LEAST_SIDE:
        return Reason("undefined", f"fewer than {LEAST_SIDE} items on one side")
    wrong = {one.cluster for one, error in zip(known, errors, strict=True) if error}
    if len(wrong) < FEW:
        return Reason("undefined", f"the teacher errs in fewer than {FEW} queries")
    return None


def _tested(known: Sequence[Subject], values: Floats, errors: Floats, *, per_sd: bool) -> Tested:
    spread = float(values.std()) if per_sd else 1.0
    scaled = np.asarray((values - values.mean()) / spread, dtype=np.float64) if spread else values * 0
    grades = renumbered(np.array([one.golden for one in known], dtype=np.int64))
    return within_slope(scaled, errors, grades, numbered([one.cluster for one in known]))
