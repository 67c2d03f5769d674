"""The splits in which new pairs join a golden set: by the rule of an import; existing pairs keep theirs."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from harness.golden.canaries import Canary
from harness.golden.similarity import Tokens, near_duplicates, text_tokens, tokens
from harness.golden.splits import SPLITS, deal, joined_queries
from harness.nouns.base import Split
from harness.nouns.pair import Example, NamedPair, query_key


class NewPair(NamedTuple):
    """A pair that is to join, with its grade."""

    pair: NamedPair
    grade: int


class Joined(NamedTuple):
    """The split of each new pair, by its id; and why other pairs fit in no split, in words."""

    splits: Mapping[str, Split]
    refused: Mapping[str, str]


def present_shares(golden: Iterable[Example]) -> tuple[int, int, int]:
    """The number of examples of each split."""
    count = Counter(one.split for one in golden)
    return count["shots"], count["dev"], count["test"]


def splits_of_new(
    golden: Sequence[Example | Canary], new: Sequence[NewPair], shares: tuple[int, int, int], seed: int
) -> Joined:
    """The split of each new pair. Existing pairs keep theirs.

    A query stays in one split, together with the queries of near-duplicate pairs. A pair that is similar to
    pairs of two splits fits in neither; one that is similar to a canary, which is graded, cannot be a shot.
    Other queries are dealt as in an import, so that the splits come near the `shares` in every grade.
    """
    examples = [one for one in golden if isinstance(one, Example)]
    splits: dict[str, set[Split]] = defaultdict(set)
    for one in examples:
        splits[one.cluster].add(one.split)
    canaries = {query_key(one.query) for one in golden if isinstance(one, Canary)}
    keys = {pair.cluster for pair, _ in new}
    first_of = joined_queries({*splits, *canaries, *keys}, _alike(golden, new))
    members: dict[str, set[str]] = defaultdict(set)
    for key, first in first_of.items():
        members[first].add(key)
    grades: dict[str, Counter[int]] = defaultdict(Counter)
    by_id = {pair.id: first_of[pair.cluster] for pair, _ in new}
    for pair, grade in new:
        grades[by_id[pair.id]][grade] += 1
    bound = {first: {split for key in members[first] for split in splits.get(key, ())} for first in grades}
    graded = {first for first in grades if members[first] & canaries}
    refused = {
        first: why for first, there in bound.items() if (why := _refusal(there, is_canary=first in graded))
    }
    placed: dict[Split, Counter[int]] = {split: Counter() for split in SPLITS}
    for one in examples:
        placed[one.split][one.grade] += 1
    for first, there in bound.items():
        if len(there) == 1:
            placed[next(iter(there))] += grades[first]
    free = {first: counts for first, counts in grades.items() if not bound[first]}
    dealt = deal(free, shares, seed, placed, graded)
    chosen = {first: next(iter(there)) if there else dealt[first] for first, there in bound.items()}
    return Joined(
        {id_: chosen[first] for id_, first in by_id.items() if first not in refused},
        {id_: refused[first] for id_, first in by_id.items() if first in refused},
    )


def _refusal(there: set[Split], *, is_canary: bool) -> str:
    """The reason why a query fits no split; empty if it fits one."""
    if len(there) > 1:
        named = " and ".join(split for split in SPLITS if split in there)
        return f"its query, or one of nearly the same text, is in {named}: in either it would leak the other"
    if is_canary and there == {"shots"}:
        return "its query, or one of nearly the same text, is in shots, and a canary has it, which is graded"
    return ""


def _alike(golden: Sequence[Example | Canary], new: Sequence[NewPair]) -> Iterator[tuple[str, str]]:
    """Every two queries with near-duplicate pairs, if one of them is new: existing pairs do not move."""
    words: list[tuple[str, Tokens]] = [(pair.cluster, tokens(pair)) for pair, _ in new]
    for one in golden:
        titles = [one.result.title] if isinstance(one, Example) else [one.plain.title, one.steered.title]
        words += [(query_key(one.query), text_tokens(one.query, title)) for title in titles]
    groups = [key for key, _ in words]
    for one_at, other_at in near_duplicates((text for _, text in words), groups):
        if min(one_at, other_at) < len(new):
            yield groups[one_at], groups[other_at]
