"""Near-duplicate pairs by token Jaccard of query and title, without comparing all with all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from harness.nouns.pair import Example, Pair
from harness.nouns.pair import words as words_of

NEAR = Fraction(9, 10)
"""From this Jaccard index on, two pairs are near-duplicates."""

Tokens = frozenset[str]


def tokens(pair: Example | Pair) -> Tokens:
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
        return [other for other in sorted(candidates) if is_near(self._sets[other], words)]

    def _prefix(self, words: Tokens) -> list[str]:
        ordered = sorted(words, key=lambda token: (self._rarity[token], token))
        needed = -(-len(ordered) * NEAR.numerator // NEAR.denominator)
        return ordered[: len(ordered) - needed + 1]


def near_duplicates(left: Sequence[Tokens], right: Iterable[Tokens]) -> Iterator[tuple[int, int]]:
    """Positions (in left, in right) of every two token sets with a Jaccard index of NEAR or more."""
    near = NearIndex(left)
    return ((other, position) for position, words in enumerate(right) for other in near.of(words))


def is_near(one: Tokens, other: Tokens) -> bool:
    """Whether the Jaccard index is NEAR or more. In whole numbers: long tables have many to compare."""
    shared = len(one & other)
    return shared * NEAR.denominator >= NEAR.numerator * (len(one) + len(other) - shared)


def jaccard(one: Tokens, other: Tokens) -> Fraction:
    """Shared tokens as a share of all tokens."""
    return Fraction(len(one & other), len(one | other))
