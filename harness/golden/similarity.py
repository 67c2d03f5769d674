"""Which pairs say nearly the same: token Jaccard of query and title, without comparing all with all."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction

from harness.nouns.pair import Example, Pair
from harness.nouns.pair import words as words_of

NEAR = Fraction(9, 10)
"""From this Jaccard index on, two pairs are near-duplicates."""

Tokens = frozenset[str]


def tokens(pair: Example | Pair) -> Tokens:
    """The words of query and title, without case; the text itself where it has no word."""
    return text_tokens(pair.query, pair.result.title)


def text_tokens(query: str, title: str) -> Tokens:
    """As `tokens`, for a pair that is not made yet."""
    text = f"{query} {title}"
    return frozenset(words_of(text)) or frozenset({text})


def near_duplicates(left: Sequence[Tokens], right: Iterable[Tokens]) -> Iterator[tuple[int, int]]:
    """Positions (in left, in right) of every two token sets with a Jaccard index of NEAR or more.

    Prefix filtering (Chaudhuri, Ganti & Kaushik 2006): with the tokens in one order, those first that are
    rarest in `left`, two sets this similar share a token within their first n - ceil(NEAR n) + 1. Only
    those that do are compared. `right` is gone through once and never held.
    """
    rarity = Counter(token for words in left for token in words)
    index: dict[str, list[int]] = defaultdict(list)
    for position, words in enumerate(left):
        for token in _prefix(words, rarity):
            index[token].append(position)
    for position, words in enumerate(right):
        candidates = {other for token in _prefix(words, rarity) for other in index.get(token, ())}
        for other in sorted(candidates):
            if jaccard(left[other], words) >= NEAR:
                yield other, position


def jaccard(one: Tokens, other: Tokens) -> Fraction:
    """Shared tokens as a share of all tokens."""
    return Fraction(len(one & other), len(one | other))


def _prefix(words: Tokens, rarity: Counter[str]) -> list[str]:
    ordered = sorted(words, key=lambda token: (rarity[token], token))
    needed = -(-len(ordered) * NEAR.numerator // NEAR.denominator)
    return ordered[: len(ordered) - needed + 1]
