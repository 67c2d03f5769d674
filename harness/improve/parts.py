"""The dev pairs in two parts: edits are proposed from one, and accepted on the other."""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from harness.errors import BadInput
from harness.golden.similarity import near_duplicates, tokens
from harness.golden.splits import assign_splits
from harness.golden.summary import query_count
from harness.nouns.pair import Example
from harness.storage.plural import plural

LEAST_QUERIES = 10
"""How many queries each part needs: with fewer, the interval of a difference is too wide to accept by."""
HALVES = (0, 50, 50)
"""Shares of shots, propose and select."""
TRIES, NEXT = 50, 1_000_003
"""How many splits are tried, and the step between their seeds."""


class Parts(NamedTuple):
    """All pairs of one query lie in one part, and so do those of queries with near-duplicate pairs."""

    propose: tuple[Example, ...]
    select: tuple[Example, ...]


def parts_of(examples: Sequence[Example], seed: int) -> Parts:
    """Deal the queries by a seed, so that both parts have their share of every grade.

    Where a part gets fewer than LEAST_QUERIES, as where some queries have most of the pairs, they are dealt
    again, by seeds that follow from it. BadInput where no dealing has enough.
    """
    queries = [example.cluster for example in examples]
    pairs = [(example.query, example.grade) for example in examples]
    near = near_duplicates(map(tokens, examples), queries)
    joined = [(queries[one], queries[other]) for one, other in near]
    counts = []
    for at in range(TRIES):
        parts = _dealt(examples, assign_splits(pairs, HALVES, seed + at * NEXT, joined))
        counts.append((query_count(parts.propose), query_count(parts.select)))
        if min(counts[-1]) >= LEAST_QUERIES:
            return parts
    known = plural(len(set(queries)), "query", "queries")
    raise BadInput(
        f"dev has {known}: {counts[0][0]} to propose from and {counts[0][1]} to accept on; a search needs "
        f"{LEAST_QUERIES} in each part, that is {2 * LEAST_QUERIES} in dev that share no near-duplicates"
    )


def _dealt(examples: Sequence[Example], dealt: Mapping[str, str]) -> Parts:
    propose, select = (
        tuple(example for example in examples if dealt[example.cluster] == part) for part in ("dev", "test")
    )
    return Parts(propose, select)
