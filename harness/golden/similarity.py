"""Near-duplicate pairs by token Jaccard of query and title, without comparing all with all."""

from array import array
from collections import Counter, defaultdict
from collections.abc import Hashable, Iterable, Iterator, Sequence
from fractions import Fraction

from harness.nouns.pair import NamedPair, Pair
from harness.nouns.pair import words as words_of

NEAR = Fraction(9, 10)
"""From this Jaccard index on, two pairs are near-duplicates."""

Tokens = frozenset[str]


def tokens(pair: NamedPair | Pair) -> Tokens:
    """The casefolded words of query and title; the text itself where it has no word."""
    return text_tokens(pair.query, pair.result.title)


def text_tokens(query: str, title: str) -> Tokens:
    """As `tokens`, for a query and a title."""
    text = f"{query} {title}"
    return frozenset(words_of(text)) or frozenset({text})


class NearIndex:
    """Token sets in which those are found that are nearly another one.

    Prefix filtering (Chaudhuri, Ganti & Kaushik 2006): with the tokens in one order, those first that are
    rarest here, two sets this similar share a token within their first n - ceil(NEAR n) + 1. Only those are
    compared.
    """

    def __init__(self, sets: Sequence[Tokens]) -> None:
        self._sets = sets
        self._rarity = Counter(token for words in sets for token in words)
        self._index: dict[str, list[int]] = defaultdict(list)
        for position, words in enumerate(sets):
            for token in self._prefix(words):
                self._index[token].append(position)

    def of(self, words: Tokens) -> list[int]:
        """Positions of the sets with a Jaccard index of NEAR or more, in their order."""
        if self._index.keys().isdisjoint(words):
            return []
        candidates = {other for token in self._prefix(words) for other in self._index.get(token, ())}
        sets = ((other, self._sets[other]) for other in sorted(candidates))
        return [other for other, own in sets if _is_near(len(own & words), len(own), len(words))]

    def _prefix(self, words: Tokens) -> list[str]:
        ordered = sorted(words, key=lambda token: (self._rarity[token], token))
        return ordered[: len(ordered) - _needed(len(ordered)) + 1]


def near_duplicates(sets: Iterable[Tokens], groups: Sequence[Hashable]) -> Iterator[tuple[int, int]]:
    """Positions of every two token sets of different groups with a Jaccard index of NEAR or more.

    Found as in `NearIndex`, in little memory: a token that only one set has is shared with no other, so that
    a set with too many of those is near none.
    """
    numbers: dict[str, int] = {}
    flat, ends = array("q"), array("q", [0])
    for words in sets:
        flat.extend([numbers.setdefault(token, len(numbers)) for token in words])
        ends.append(len(flat))
    rarity = array("q", bytes(8 * len(numbers)))
    for token in flat:
        rarity[token] += 1
    index: dict[int, list[int]] = defaultdict(list)
    for position, group in enumerate(groups):
        size = ends[position + 1] - ends[position]
        mine = {token for token in flat[ends[position] : ends[position + 1]] if rarity[token] > 1}
        # Sorted, the lone tokens are the first of the set's prefix.
        first = len(mine) - _needed(size) + 1
        if first <= 0:
            continue
        prefix = sorted(mine, key=lambda token: (rarity[token], token))[:first]
        candidates = {other for token in prefix for other in index.get(token, ()) if groups[other] != group}
        for other in sorted(candidates):
            theirs = flat[ends[other] : ends[other + 1]]
            if _is_near(len(mine.intersection(theirs)), size, len(theirs)):
                yield other, position
        for token in prefix:
            index[token].append(position)


def _needed(size: int) -> int:
    """How many tokens a set of this size shares at least with one that is near it."""
    return -(-size * NEAR.numerator // NEAR.denominator)


def _is_near(shared: int, one: int, other: int) -> bool:
    """Whether the Jaccard index is NEAR or more. In whole numbers: long tables have many to compare."""
    return shared * NEAR.denominator >= NEAR.numerator * (one + other - shared)


def jaccard(one: Tokens, other: Tokens) -> Fraction:
    """Shared tokens as a share of all tokens."""
    return Fraction(len(one & other), len(one | other))
