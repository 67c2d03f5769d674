"""How attractive each grade's results are, and which neighbouring grades behaviour does not tell apart."""

from collections.abc import Iterator

import numpy as np

from harness.nouns.base import Reason
from harness.scorecards.signal import Measure, OtherLadder, Rung, Step
from harness.signal.exposure import Exposure
from harness.stats.agreement import Floats
from harness.stats.grouped_jackknife import jackknifed

NOT_SEEN = Reason("undefined", "no view of a pair of this grade")
NO_BASE = Reason("undefined", "nothing to count it against")
ONE_UNSEEN = Reason("undefined", "one of the two grades has no value")
PER: dict[Measure, str] = {
    "clicks": "look",
    "carts": "look",
    "purchases": "look",
    "returns": "purchase",
    "dwell": "click",
}
"""What each measure is divided by. A look is a view times the chance that its position was looked at."""
BASE = {"purchase": "purchases", "click": "clicks"}


class Ladder:
    """A measure by grade, of everything and without each group of queries."""

    def __init__(self, found: Exposure, measure: Measure) -> None:
        self._found, self.measure = found, measure
        usable = ~np.isnan(found.looks)
        self.events = found.cube(measure)[..., usable].sum(axis=2)
        if PER[measure] == "look":
            views = found.views[..., usable]
            looks, without = found.looks[usable], np.nan_to_num(found.looks_without[:, usable])
            whole = views.sum(axis=0)
            # A position whose propensity no longer shows without a group is left out of both sides.
            kept = without > 0
            events = found.cube(measure)[..., usable]
            self._base = (whole * looks).sum(axis=1)
            self._base_without = ((whole - views) * without[:, None, :]).sum(axis=2)
            self._events_without = ((events.sum(axis=0) - events) * kept[:, None, :]).sum(axis=2)
        else:
            base = found.cube(BASE[PER[measure]])[..., usable].sum(axis=2)
            self._base = base.sum(axis=0)
            self._base_without = self._base - base
            self._events_without = self.events.sum(axis=0) - self.events
        self.value = _ratio(self.events.sum(axis=0), self._base)
        self.without = _ratio(self._events_without, self._base_without)

    def rungs(self) -> Iterator[Rung]:
        """Each grade, the lowest first."""
        found = self._found
        views, queries = found.of_pairs.views, found.graded.query
        for at, grade in enumerate(found.scale):
            seen = (found.grades == at) & (views > 0)
            value = float(self.value[at])
            known = bool(np.isfinite(value))
            tested = jackknifed(value, self.without[:, at]) if known else None
            yield Rung(
                grade=grade,
                attractiveness=value if known else None,
                ci=tested.ci.within(0, np.inf) if tested and tested.ci else None,
                n=int(seen.sum()),
                n_queries=len(np.unique(queries[seen])),
                views=int(views[seen].sum()),
                events=float(self.events[:, at].sum()),
                reason=(tested.reason if tested else None)
                if known
                else (NO_BASE if seen.any() else NOT_SEEN),
            )

    def steps(self) -> Iterator[Step]:
        """Each boundary between neighbouring grades."""
        scale = self._found.scale
        for at in range(len(scale) - 1):
            value = float(self.value[at + 1] - self.value[at])
            between = scale[at], scale[at + 1]
            if not np.isfinite(value):
                yield Step(between=between, difference=None, reason=ONE_UNSEEN)
                continue
            tested = jackknifed(value, self.without[:, at + 1] - self.without[:, at])
            ci = tested.ci
            apart = None if ci is None else not ci.low <= 0 <= ci.high
            yield Step(
                between=between, difference=value, ci=ci, p=tested.p, told_apart=apart, reason=tested.reason
            )


def other_ladders(found: Exposure, measure: Measure) -> Iterator[OtherLadder]:
    """The ladders of the other measures that the log has."""
    for other, per in PER.items():
        base = BASE.get(per, "views")
        if other != measure and {other, base} <= set(found.counted.names):
            ladder = Ladder(found, other)
            yield OtherLadder(
                measure=other, per=per, ladder=tuple(ladder.rungs()), boundaries=tuple(ladder.steps())
            )


def _ratio(top: Floats, bottom: Floats) -> Floats:
    return np.asarray(
        np.divide(top, bottom, out=np.full(np.shape(bottom), np.nan), where=bottom > 0), dtype=np.float64
    )
