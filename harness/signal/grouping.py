"""Contradictions by clause, boundary, stratum and tag."""

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np

from harness.scorecards.signal import ClauseSignal, GroupedBy, GroupSignal
from harness.signal.contradictions import LEVEL, PairTests
from harness.signal.evidence import Evidence
from harness.stats.agreement import Integers
from harness.stats.false_discovery import benjamini_hochberg, simes


def by_clause(known: Evidence, tests: PairTests) -> list[ClauseSignal]:
    """Each clause that a tested pair cites, the surest first."""
    members = _members(known.found.graded.clauses[pair] for pair in tests.pair.tolist())
    kinds = np.array([one.kind for one in tests.tested])
    rows = []
    for (name, at), value in zip(members.items(), _q_values(tests, members), strict=True):
        contradicted, of = _pairs(tests, at)
        held = kinds[tests.by[at[tests.q[at] <= LEVEL]]]
        by_kind = {kind: int((held == kind).sum()) for kind in dict.fromkeys(kinds.tolist())}
        rows.append(ClauseSignal(id=name, contradicted=contradicted, of=of, q_value=value, **by_kind))
    return sorted(rows, key=lambda one: (one.q_value, -one.contradicted, one.id))


def by_group(known: Evidence, tests: PairTests) -> list[GroupSignal]:
    """The same by boundary, stratum and tag; of the last two only where the labels have any."""
    graded, pairs = known.found.graded, tests.pair.tolist()
    references = [one.reference for one in tests.tested]
    names: dict[GroupedBy, list[tuple[str, ...]]] = {
        "boundary": [
            (f"{known.grade[pair]}|{references[by]}",)
            for pair, by in zip(pairs, tests.by.tolist(), strict=True)
        ],
        "stratum": [(stratum,) if (stratum := graded.strata[pair]) else () for pair in pairs],
        "tag": [graded.tags[pair] for pair in pairs],
    }
    found = []
    for by, each in names.items():
        members = _members(each)
        rows = [
            GroupSignal(by=by, name=name, contradicted=contradicted, of=of, q_value=value)
            for (name, at), value in zip(members.items(), _q_values(tests, members), strict=True)
            for contradicted, of in [_pairs(tests, at)]
        ]
        found += sorted(rows, key=lambda one: (one.q_value, -one.contradicted, one.name))
    return found


def _pairs(tests: PairTests, at: Integers) -> tuple[int, int]:
    """The pairs of these tests that are contradicted, and all of them: a pair can have two tests."""
    return len(np.unique(tests.pair[at[tests.q[at] <= LEVEL]])), len(np.unique(tests.pair[at]))


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
