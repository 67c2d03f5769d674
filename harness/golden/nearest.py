"""The golden example that is nearest to a pair, by the words of query and title."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from fractions import Fraction

from harness.golden.similarity import Tokens, jaccard, tokens
from harness.nouns.pair import Example, Pair


class Nearest:
    """An index of the examples by word, so that only those that share one are compared."""

    def __init__(self, examples: Sequence[Example]) -> None:
        self._examples = examples
        self._sets = [tokens(example) for example in examples]
        self._holding: dict[str, list[int]] = defaultdict(list)
        for at, words in enumerate(self._sets):
            for word in words:
                self._holding[word].append(at)

    def of(self, pair: Pair) -> tuple[Example | None, Fraction]:
        """The example with the highest Jaccard index, the first of several; None where none shares a word."""
        words = tokens(pair)
        shared = Counter(at for word in words for at in self._holding.get(word, ()))
        best, most = None, Fraction(0)
        for at, count in shared.items():
            found = Fraction(count, len(words) + len(self._sets[at]) - count)
            if found > most or (found == most and best is not None and at < best):
                best, most = at, found
        return (None if best is None else self._examples[best]), most


def spread_out(sets: Sequence[Tokens], queries: Sequence[str], number: int, near: Fraction) -> list[int]:
    """Positions of up to `number` of the sets, in order, none near one that was chosen before.

    First one set of each query, then more of the same queries.
    """
    taken: list[int] = []
    seen = set[str]()
    for again in (False, True):
        for at, words in enumerate(sets):
            if len(taken) == number:
                return taken
            if at in taken or (queries[at] in seen and not again):
                continue
            if all(jaccard(words, sets[other]) < near for other in taken):
                taken.append(at)
                seen.add(queries[at])
    return taken
