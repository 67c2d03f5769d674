"""Contradictions by clause, boundary, stratum and tag."""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence

import numpy as np

from harness.scorecards.signal import ClauseSignal, GroupedBy, GroupSignal
from harness.signal.contradictions import LEVEL, PairTests
from harness.signal.evidence import Evidence
from harness.stats.agreement import Integers
from harness.stats.false_discovery import benjamini_hochberg, simes


def by_clause(known: Evidence, tests: PairTests) -> list[ClauseSignal]:
    """Each clause that a tested pair cites, the surest first."""
    kinds = np.array([one.kind for one in tests.tested])
    rows, p = [], []
    for name, at in _each_name(known.found.graded.clauses.members(tests.pair)):
        contradicted, of = _pairs(tests, at)
        held = kinds[tests.by[at[tests.q[at] <= LEVEL]]]
        by_kind = {kind: int((held == kind).sum()) for kind in dict.fromkeys(kinds.tolist())}
        rows.append({"id": name, "contradicted": contradicted, "of": of, **by_kind})
        p.append(simes(tests.p[at]))
    found = [
        ClauseSignal.model_validate({**row, "q_value": q}) for row, q in zip(rows, _q_values(p), strict=True)
    ]
    return sorted(found, key=lambda one: (one.q_value, -one.contradicted, one.id))


def by_group(known: Evidence, tests: PairTests) -> list[GroupSignal]:
    """The same by boundary, stratum and tag; of the last two only where the labels have any."""
    graded = known.found.graded
    strata = (((name,) if name else (), at) for name, at in graded.strata.members(tests.pair))
    members: dict[GroupedBy, Iterable[tuple[tuple[str, ...], Integers]]] = {
        "boundary": _boundaries(known, tests),
        "stratum": strata,
        "tag": graded.tags.members(tests.pair),
    }
    found: list[GroupSignal] = []
    for by, each in members.items():
        rows, p = [], []
        for name, at in _each_name(each):
            rows.append((name, *_pairs(tests, at)))
            p.append(simes(tests.p[at]))
        signals = [
            GroupSignal(by=by, name=name, contradicted=contradicted, of=of, q_value=q)
            for (name, contradicted, of), q in zip(rows, _q_values(p), strict=True)
        ]
        found += sorted(signals, key=lambda one: (one.q_value, -one.contradicted, one.name))
    return found


def _boundaries(known: Evidence, tests: PairTests) -> Iterator[tuple[tuple[str, ...], Integers]]:
    """The tests of each grade against each other one."""
    for by, one in enumerate(tests.tested):
        mine = tests.by == by
        for grade in one.grades:
            at = np.flatnonzero(mine & (known.grade[tests.pair] == grade))
            if len(at):
                yield (f"{grade}|{one.reference}",), at


def _pairs(tests: PairTests, at: Integers) -> tuple[int, int]:
    """The pairs of these tests that are contradicted, and all of them: a pair can have two tests."""
    return len(np.unique(tests.pair[at[tests.q[at] <= LEVEL]])), len(np.unique(tests.pair[at]))


def _each_name(members: Iterable[tuple[tuple[str, ...], Integers]]) -> Iterator[tuple[str, Integers]]:
    """The tests under each name, of those under several names together."""
    parts = defaultdict[str, list[Integers]](list)
    for names, at in members:
        for name in dict.fromkeys(names):
            parts[name].append(at)
    for name, each in parts.items():
        yield name, np.sort(np.concatenate(each))


def _q_values(p: Sequence[float]) -> list[float]:
    """Of each group, the q-value of the hypothesis that it holds no contradiction."""
    return benjamini_hochberg(np.array(p)).tolist() if p else []
