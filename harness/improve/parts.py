"""The dev pairs in two parts: edits are proposed from one, and accepted on the other."""

from collections.abc import Sequence
from typing import NamedTuple

from harness.errors import BadInput
from harness.golden.similarity import near_duplicates, tokens
from harness.golden.splits import assign_splits
from harness.nouns.pair import Example
from harness.storage.plural import plural

LEAST_QUERIES = 10
"""Queries that each part needs: with fewer, the interval of a difference says too little to accept by."""
HALVES = (0, 50, 50)
"""Shares of shots, propose and select."""


class Parts(NamedTuple):
    """All pairs of one query lie in one part, and so do those of queries with near-duplicate pairs."""

    propose: tuple[Example, ...]
    select: tuple[Example, ...]


def parts_of(examples: Sequence[Example], seed: int) -> Parts:
    """Deal the queries by a seed, so that both parts have their share of every grade.

    BadInput where a part has fewer than LEAST_QUERIES queries.
    """
    queries = [example.cluster for example in examples]
    pairs = [(example.query, example.grade) for example in examples]
    near = near_duplicates(map(tokens, examples), queries)
    dealt = assign_splits(pairs, HALVES, seed, ((queries[one], queries[other]) for one, other in near))
    propose = tuple(example for example in examples if dealt[example.cluster] == "dev")
    select = tuple(example for example in examples if dealt[example.cluster] == "test")
    counts = [len({example.cluster for example in part}) for part in (propose, select)]
    if min(counts) < LEAST_QUERIES:
        known = plural(len(set(queries)), "query", "queries")
        raise BadInput(
            f"dev has {known}: {counts[0]} to propose from and {counts[1]} to accept on; a search needs "
            f"{LEAST_QUERIES} in each part, that is {2 * LEAST_QUERIES} in dev that share no near-duplicates"
        )
    return Parts(propose, select)
