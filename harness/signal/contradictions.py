"""Pairs whose users behave otherwise than the grade says.

Two families of tests, each with a false discovery rate of its own: across the line between what the policy
hides and what it shows; and between neighbouring grades on the same side of it.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from harness.nouns.base import Interval
from harness.scorecards.signal import BETTER, REFUSED, WANTED, WORSE, Contradiction, Kind, SideTests
from harness.signal.coded import Small
from harness.signal.evidence import Evidence
from harness.stats.agreement import Floats
from harness.stats.false_discovery import benjamini_hochberg
from harness.stats.gamma_poisson import posterior_interval, posterior_mean
from harness.stats.poisson_tails import at_least, at_most

LEVEL = 0.05
"""The false discovery rate that is accepted, of each family."""
AT_ONCE = 100_000
"""How many tails are computed at a time."""
Mask = NDArray[np.bool_]
UPWARD = (WANTED, BETTER)
"""Kinds of pairs that get more than the other grade's median pair; those of the other kinds get less."""


class Against(NamedTuple):
    """Pairs of these grades, tested against the median pair of another; None where the scale has none."""

    kind: Kind
    grades: tuple[int, ...]
    reference: int | None


@dataclass(frozen=True, slots=True)
class Sides:
    """The grades that the policy hides, and those that it shows; lowest first."""

    hidden: tuple[int, ...]
    shown: tuple[int, ...]

    def across(self) -> tuple[Against, ...]:
        """Each side against the grade next to the line on the other one."""
        return (
            Against(WANTED, self.hidden, next(iter(self.shown), None)),
            Against(REFUSED, self.shown, next(reversed(self.hidden), None)),
        )

    def same_side(self) -> tuple[Against, ...]:
        """Each grade against the next one up, and against the next one down, on its own side."""
        steps = [*pairwise(self.hidden), *pairwise(self.shown)]
        up = [Against(BETTER, (low,), high) for low, high in steps]
        return (*up, *(Against(WORSE, (high,), low) for low, high in steps))


@dataclass(frozen=True, slots=True)
class PairTests:
    """The tests of a family. Each entry has the pair's number, and `by`, its index in `tested`."""

    pair: Small
    by: Small
    p: Floats
    q: Floats
    tested: tuple[SideTests, ...]

    def found_only(self) -> "PairTests":
        """The tests that found something."""
        mine = self.q <= LEVEL
        return PairTests(self.pair[mine], self.by[mine], self.p[mine], self.q[mine], self.tested)

    @property
    def found(self) -> Small:
        """The pairs that are contradicted, in order."""
        return np.unique(self.pair[self.q <= LEVEL])


def judge_pairs(known: Evidence, sides: Sides) -> PairTests:
    """Every seen pair against the median pair of the grade next to the line, on the other side."""
    return _judged(known, sides.across(), known.seen)


def judge_same_side(known: Evidence, sides: Sides, across: PairTests) -> PairTests:
    """Every other seen pair against the median pairs of the grades beside its own, on the same side.

    A pair that is contradicted across the line would be found a second time, and would lower the bar for
    the others.
    """
    left = known.seen.copy()
    left[across.found] = False
    return _judged(known, sides.same_side(), left)


def _judged(known: Evidence, family: Sequence[Against], among: Mask) -> PairTests:
    made = [_tests(known, one, among) for one in family]
    pair, p = (np.concatenate([part[at] for part in made]) if made else np.zeros(0) for at in (0, 1))
    by = np.repeat(np.arange(len(made), dtype=np.int16), [len(part[0]) for part in made])
    q = benjamini_hochberg(p) if len(p) else p
    found = np.bincount(by[q <= LEVEL], minlength=len(made))
    tested = tuple(
        part[2].model_copy(update={"found": int(count)}) for part, count in zip(made, found, strict=True)
    )
    return PairTests(pair.astype(np.int32), by, p, q, tested)


def _tests(known: Evidence, one: Against, among: Mask) -> tuple[Small, Floats, SideTests]:
    """The pairs that are tested, the tail of each, and what was tested."""
    mine = np.isin(known.grade, one.grades)
    median, reason = (None, None) if one.reference is None else known.median(one.reference)
    at = np.flatnonzero(mine & among if median is not None else []).astype(np.int32)
    tail = at_least if one.kind in UPWARD else at_most
    p = np.empty(len(at))
    for start in range(0, len(at), AT_ONCE):
        part = at[start : start + AT_ONCE]
        p[start : start + AT_ONCE] = tail(known.events[part], (median or 0.0) * known.exposure[part])
    said = SideTests(
        kind=one.kind,
        grades=one.grades,
        reference=one.reference,
        median=median,
        n=len(at),
        unseen=int((mine & ~known.seen).sum()),
        found=0,
        reason=reason,
    )
    return at, p, said


def contradictions(known: Evidence, tests: PairTests) -> Iterator[Contradiction]:
    """The pairs that behaviour contradicts, the surest first."""
    graded = known.found.graded
    held = np.flatnonzero(tests.q <= LEVEL)
    order = held[np.lexsort((tests.pair[held], tests.p[held], tests.q[held]))]
    places, texts = _positions(known, tests.found), graded.texts(tests.found)
    for at in order.tolist():
        pair, by = int(tests.pair[at]), tests.tested[int(tests.by[at])]
        grade = int(known.grade[pair])
        prior, one = known.priors[grade], slice(pair, pair + 1)
        low, high = posterior_interval(prior, known.events[one], known.exposure[one])
        assert by.reference is not None and by.median is not None, "a kind that was tested"
        yield Contradiction(
            item=texts[pair][1],
            query=texts[pair][0],
            grade=grade,
            kind=by.kind,
            attractiveness=float(posterior_mean(prior, known.events[one], known.exposure[one])[0]),
            ci=Interval(float(low[0]), float(high[0])),
            p=float(tests.p[at]),
            q_value=float(tests.q[at]),
            reference=by.reference,
            median=by.median,
            views=int(known.views[pair]),
            events=float(known.events[pair]),
            exposure=float(known.exposure[pair]),
            positions=places[pair],
            clauses=graded.clauses[pair],
            stratum=graded.strata[pair],
            tags=graded.tags[pair],
        )


def _positions(known: Evidence, pairs: Small) -> dict[int, tuple[int, int]]:
    """The first and the last position at which each of these pairs was seen."""
    found: dict[int, tuple[int, int]] = {}
    for cells in known.found.counted.blocks() if len(pairs) else ():
        seen = (cells.sums["views"] > 0) & (known.found.look_at[cells.position] > 0)
        mine = np.isin(cells.pair, pairs) & seen
        for pair, place in zip(cells.pair[mine].tolist(), cells.position[mine].tolist(), strict=True):
            low, high = found.get(pair, (place, place))
            found[pair] = min(low, place), max(high, place)
    return found
