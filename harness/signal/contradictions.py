"""Pairs whose users do other than their grade says: hidden and wanted, or shown and refused."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.scorecards.signal import (
    ClauseSignal,
    Contradiction,
    GroupedBy,
    GroupSignal,
    Kind,
    SideTests,
)
from harness.signal.exposure import Exposure
from harness.stats.agreement import Floats, Integers
from harness.stats.false_discovery import benjamini_hochberg, simes
from harness.stats.gamma_poisson import Prior, moments_prior, posterior_interval, posterior_mean
from harness.stats.poisson_tails import at_least, at_most

LEVEL = 0.05
"""The false discovery rate that is accepted."""
LEAST_PAIRS = 5
"""Pairs of the grade on the other side: the median of fewer is nobody's."""
WANTED: Kind = "wanted_and_hidden"
REFUSED: Kind = "shown_and_refused"


@dataclass(frozen=True, slots=True)
class Sides:
    """The grades that the policy hides, and those that it shows; lowest first."""

    hidden: tuple[int, ...]
    shown: tuple[int, ...]

    def reference(self, kind: Kind) -> int | None:
        """The grade next to the line, on the other side; None where the scale has none."""
        other = self.shown[:1] if kind == WANTED else self.hidden[-1:]
        return other[0] if other else None

    def grades(self, kind: Kind) -> tuple[int, ...]:
        """The grades whose pairs are tested."""
        return self.hidden if kind == WANTED else self.shown


@dataclass(frozen=True, slots=True)
class PairTests:
    """The tests of all pairs that have one; `pair` is the pair's number, `kind` the position in KINDS."""

    pair: Integers
    kind: Integers
    p: Floats
    q: Floats
    tested: tuple[SideTests, ...]


KINDS = (WANTED, REFUSED)


class Evidence:
    """What is known of each pair: events, exposure, and its attractiveness drawn towards its grade's."""

    def __init__(self, found: Exposure) -> None:
        self.found = found
        self.events = found.of_pairs(found.events)
        self.exposure = found.of_pairs("exposure")
        self.views = found.of_pairs("views")
        self.grade = found.graded.grade
        self.seen = self.exposure > 0
        self.priors: dict[int, Prior] = {}
        for grade in found.scale:
            mine = self.seen & (self.grade == grade)
            if mine.any():
                self.priors[grade] = moments_prior(self.events[mine], self.exposure[mine])

    def median(self, grade: int) -> tuple[float | None, Reason | None]:
        """The median attractiveness of a grade's pairs."""
        mine = self.seen & (self.grade == grade)
        count = int(mine.sum())
        if count < LEAST_PAIRS:
            why = f"{count} of the pairs with grade {grade} have views; at least {LEAST_PAIRS} are needed"
            return None, Reason("undefined", why)
        drawn = posterior_mean(self.priors[grade], self.events[mine], self.exposure[mine])
        return float(np.median(drawn)), None


def judge_pairs(known: Evidence, sides: Sides) -> PairTests:
    """Every seen pair against the median on the other side."""
    parts: list[tuple[Integers, Integers, Floats]] = []
    tested = []
    for number, kind in enumerate(KINDS):
        grades, reference = sides.grades(kind), sides.reference(kind)
        mine = np.isin(known.grade, grades)
        median, reason = (None, None) if reference is None else known.median(reference)
        unseen = int((mine & ~known.seen).sum())
        at = np.flatnonzero(mine & known.seen) if median is not None else np.zeros(0, dtype=np.int64)
        tail = at_least if kind == WANTED else at_most
        p = tail(known.events[at], (median or 0.0) * known.exposure[at])
        parts.append((at, np.full(len(at), number), p))
        tested.append(
            SideTests(
                kind=kind,
                grades=grades,
                reference=reference,
                median=median,
                n=len(at),
                unseen=unseen,
                found=0,
                reason=reason,
            )
        )
    pair, kinds, p = (np.concatenate([part[at] for part in parts]) for at in range(3))
    q = benjamini_hochberg(p) if len(p) else p
    counted = tuple(
        one.model_copy(update={"found": int(((q <= LEVEL) & (kinds == number)).sum())})
        for number, one in enumerate(tested)
    )
    return PairTests(pair, kinds, p, q, counted)


def contradictions(known: Evidence, tests: PairTests, sides: Sides) -> Iterator[Contradiction]:
    """The pairs that behaviour contradicts, the surest first."""
    graded = known.found.graded
    held = np.flatnonzero(tests.q <= LEVEL)
    order = held[np.lexsort((tests.pair[held], tests.p[held], tests.q[held]))]
    places = _positions(known, tests.pair[order])
    for at in order.tolist():
        pair, kind = int(tests.pair[at]), KINDS[int(tests.kind[at])]
        grade = int(known.grade[pair])
        prior, one = known.priors[grade], slice(pair, pair + 1)
        low, high = posterior_interval(prior, known.events[one], known.exposure[one])
        reference = sides.reference(kind)
        median = tests.tested[int(tests.kind[at])].median
        assert reference is not None and median is not None, "a kind that was tested"
        yield Contradiction(
            item=graded.items[pair],
            query=graded.queries[pair],
            grade=grade,
            kind=kind,
            attractiveness=float(posterior_mean(prior, known.events[one], known.exposure[one])[0]),
            ci=Interval(float(low[0]), float(high[0])),
            p=float(tests.p[at]),
            q_value=float(tests.q[at]),
            reference=reference,
            median=median,
            views=int(known.views[pair]),
            events=float(known.events[pair]),
            exposure=float(known.exposure[pair]),
            positions=places[pair],
            clauses=graded.clauses[pair],
            stratum=graded.strata[pair],
            tags=graded.tags[pair],
        )


def _positions(known: Evidence, pairs: Integers) -> dict[int, tuple[int, int]]:
    """The first and the last position at which each of these pairs was seen."""
    counted = known.found.counted
    mine = np.isin(counted.pair, pairs) & (counted.sums["views"] > 0) & (known.found.look_of > 0)
    found: dict[int, tuple[int, int]] = {}
    for pair, place in zip(counted.pair[mine].tolist(), counted.position[mine].tolist(), strict=True):
        low, high = found.get(pair, (place, place))
        found[pair] = min(low, place), max(high, place)
    return found


def by_clause(known: Evidence, tests: PairTests) -> list[ClauseSignal]:
    """Each clause that a tested pair cites, the surest first."""
    members = _members(known.found.graded.clauses[pair] for pair in tests.pair.tolist())
    q = _q_values(tests, members)
    rows = []
    for (name, at), value in zip(members.items(), q, strict=True):
        held = tests.q[at] <= LEVEL
        kinds = tests.kind[at]
        rows.append(
            ClauseSignal(
                id=name,
                contradicted=int(held.sum()),
                of=len(at),
                wanted_and_hidden=int((held & (kinds == 0)).sum()),
                shown_and_refused=int((held & (kinds == 1)).sum()),
                q_value=value,
            )
        )
    return sorted(rows, key=lambda one: (one.q_value, -one.contradicted, one.id))


def by_group(known: Evidence, tests: PairTests, sides: Sides) -> list[GroupSignal]:
    """The same by boundary, stratum and tag; of the last two only where the labels have any."""
    graded, pairs = known.found.graded, tests.pair.tolist()
    names: dict[GroupedBy, list[tuple[str, ...]]] = {
        "boundary": [
            (f"{known.grade[pair]}|{sides.reference(KINDS[kind])}",)
            for pair, kind in zip(pairs, tests.kind.tolist(), strict=True)
        ],
        "stratum": [(stratum,) if (stratum := graded.strata[pair]) else () for pair in pairs],
        "tag": [graded.tags[pair] for pair in pairs],
    }
    found = []
    for by, each in names.items():
        members = _members(each)
        rows = [
            GroupSignal(
                by=by, name=name, contradicted=int((tests.q[at] <= LEVEL).sum()), of=len(at), q_value=value
            )
            for (name, at), value in zip(members.items(), _q_values(tests, members), strict=True)
        ]
        found += sorted(rows, key=lambda one: (one.q_value, -one.contradicted, one.name))
    return found


def _members(names: "Sequence[tuple[str, ...]] | Iterator[tuple[str, ...]]") -> dict[str, Integers]:
    """The tests under each name."""
    found = defaultdict[str, list[int]](list)
    for at, each in enumerate(names):
        for name in dict.fromkeys(each):
            found[name].append(at)
    return {name: np.array(at) for name, at in found.items()}


def _q_values(tests: PairTests, members: dict[str, Integers]) -> list[float]:
    """Of each group, the q-value of the hypothesis that it holds no contradiction."""
    if not members:
        return []
    p = np.array([simes(tests.p[at]) for at in members.values()])
    return [float(value) for value in benjamini_hochberg(p)]
