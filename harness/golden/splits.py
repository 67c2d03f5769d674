"""Splits by query: all pairs of one query lie in one split, and each split has its share of every grade."""

import random
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from fractions import Fraction
from heapq import nsmallest

from harness.errors import BadInput
from harness.nouns.base import Split
from harness.nouns.pair import Example, query_key
from harness.storage.digest import digest

SPLITS: tuple[Split, ...] = ("shots", "dev", "test")


def parse_shares(text: str) -> tuple[int, int, int]:
    """`20/40/40` as the shares of shots, dev and test."""
    try:
        shots, dev, test = (int(part) for part in text.split("/"))
    except ValueError:
        shots = dev = test = -1
    if min(shots, dev, test) < 0 or shots + dev + test != 100:
        raise BadInput(f"splits: {text!r} is not shots/dev/test in per cent, such as 20/40/40")
    return shots, dev, test


def parse_splits(text: str) -> tuple[Split, ...]:
    """`dev`, `test` or `dev+test`: the splits that may be graded."""
    allowed: dict[str, Split] = {"dev": "dev", "test": "test"}
    parts = text.split("+")
    if not set(parts) <= set(allowed) or len(set(parts)) < len(parts):
        hint = " (shots are shown to teachers, so they are never graded)" if "shots" in parts else ""
        raise BadInput(f"split: {text!r} is not dev, test or dev+test{hint}")
    return tuple(allowed[part] for part in parts)


def assign_splits(
    pairs: Sequence[tuple[str, int]],
    shares: tuple[int, int, int],
    seed: int,
    together: Iterable[tuple[str, str]] = (),
) -> dict[str, Split]:
    """The split of each query key, for pairs of (query, grade).

    Queries are assigned largest first, those of one size in a seeded order, each to the split that lacks
    most of its grades. `together` joins two queries that must lie in one split, such as those of
    near-duplicate pairs. The order of `pairs` does not matter.
    """
    first_of = joined_queries({query_key(query) for query, _ in pairs}, together)
    grades: dict[str, Counter[int]] = defaultdict(Counter)
    for query, grade in pairs:
        grades[first_of[query_key(query)]][grade] += 1
    dealt = deal(grades, shares, seed)
    return {query: dealt[first] for query, first in first_of.items()}


def deal(
    grades: Mapping[str, Counter[int]],
    shares: tuple[int, int, int],
    seed: int,
    placed: Mapping[Split, Counter[int]] | None = None,
    graded: Collection[str] = (),
) -> dict[str, Split]:
    """The split of each query with its `grades`; `placed` are those that the splits have already.

    `shares`: of shots, dev and test, of any sum; a split without a share gets nothing. `graded`: queries that
    may not be in shots.
    """
    queries = sorted(grades)
    random.Random(seed).shuffle(queries)
    queries.sort(key=lambda query: -grades[query].total())
    there = {split: Counter((placed or {}).get(split, ())) for split in SPLITS}
    total = sum((*grades.values(), *there.values()), Counter[int]())
    target = {
        split: {grade: Fraction(share * n, sum(shares)) for grade, n in total.items()}
        for split, share in zip(SPLITS, shares, strict=True)
        if share
    }
    dealt: dict[str, Split] = {}
    for query in queries:
        open_ = [split for split in target if split != "shots" or query not in graded] or ["dev"]
        split = max(open_, key=lambda split: _lack(grades[query], target.get(split, {}), there[split]))
        there[split] += grades[query]
        dealt[query] = split
    return dealt


def joined_queries(queries: Collection[str], together: Iterable[tuple[str, str]]) -> dict[str, str]:
    """For each query the alphabetically first query joined with it, directly or through others."""
    first = {query: query for query in queries}

    def find(query: str) -> str:
        while first[query] != query:
            first[query] = query = first[first[query]]
        return query

    for one, other in together:
        low, high = sorted((find(query_key(one)), find(query_key(other))))
        first[high] = low
    return {query: find(query) for query in queries}


def _lack(query: Counter[int], target: dict[int, Fraction], placed: Counter[int]) -> Fraction:
    """How much of a query's grades a split still lacks, as a share of its target.

    Exact fractions, since with rounding the order of the rows would decide ties.
    """
    wanted = ((n, target.get(grade, Fraction(0)), placed[grade]) for grade, n in query.items())
    return sum((n * (want - has) / want for n, want, has in wanted if want), Fraction(0))


def choose_examples(
    golden: Sequence[Example], splits: Sequence[Split], limit: int | None = None, seed: int = 0
) -> list[Example]:
    """The examples of the splits; with a limit a seeded sample, the same for every model and prompt.

    With the same seed, a larger limit includes the sample of a smaller one.
    """
    inside = [example for example in golden if example.split in splits]
    if not inside:
        raise BadInput(f"the golden set has no example in split {'+'.join(splits)}")
    ids = None if limit is None else sample_ids(inside, splits, limit, seed)
    return inside if ids is None else [example for example in inside if example.id in ids]


def named_examples(golden: Sequence[Example], ids: Collection[str]) -> list[Example]:
    """The examples of dev and test with these ids. BadInput if one is missing, or none is named."""
    found = [example for example in golden if example.id in ids and example.split != "shots"]
    missing = set(ids) - {example.id for example in found}
    if missing or not found:
        named = ", ".join(sorted(missing)) or "(none named)"
        in_shots = sorted(missing & {example.id for example in golden})
        rule = "which raters do not rate: harness golden confirm or regrade"
        hint = f"; {in_shots[0]} is in shots, {rule}" if in_shots else ""
        hint += "; double quotes enclose an id with a comma" if len(ids) > 1 else ""
        raise BadInput(f"--only: no example {named} in dev or test{hint}")
    return found


def sample_ids(golden: Iterable[Example], splits: Sequence[Split], limit: int, seed: int) -> frozenset[str]:
    """The ids of a seeded sample of the splits; all ids if there are no more than `limit`."""
    inside = (example for example in golden if example.split in splits)
    keyed = ((digest([seed, example.pair.digest]), at, example.id) for at, example in enumerate(inside))
    return frozenset(id_ for _, _, id_ in nsmallest(limit, keyed))
