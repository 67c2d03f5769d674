"""Choose and order the shots that a prompt shows."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from harness.golden.similarity import Tokens, jaccard, tokens
from harness.nouns.pair import Example, Pair


def choose_shots(shots: Sequence[Example], count: int | None, scale: tuple[int, ...]) -> list[Example]:
    """`count` shots balanced over the grades (None: all), in a fixed order that cycles through the scale.

    Of the shots of a grade, those that cite most clauses not yet shown are chosen. Where no shot cites a
    clause, those with a reasoning come first, then those of the query that is shown least. Ties go by id.
    """
    ordered = sorted(shots, key=lambda shot: shot.id)
    left = {grade: [shot for shot in ordered if shot.grade == grade] for grade in scale}
    if count is None or count >= len(shots):
        return [shot for round_ in zip_longest(*left.values()) for shot in round_ if shot is not None]
    shown: set[str] = set()
    queries = Counter[str]()
    cited = any(shot.clauses for shot in shots)

    def rank(shot: Example) -> tuple[int, int]:
        if cited:
            return len(set(shot.clauses) - shown), 0
        return bool(shot.reasoning), -queries[shot.cluster]

    chosen: list[Example] = []
    while len(chosen) < count:
        for grade in scale:
            if left[grade] and len(chosen) < count:
                best = max(left[grade], key=rank)
                left[grade].remove(best)
                shown |= set(best.clauses)
                queries[best.cluster] += 1
                chosen.append(best)
    return chosen


def nearest_shots(pair: Pair, shots: Sequence[tuple[Example, Tokens]], count: int) -> list[Example]:
    """The `count` shots that share most words with a pair, the nearest last: next to the pair."""
    if not count:
        return []
    words = tokens(pair)
    ranked = sorted(shots, key=lambda shot: (-jaccard(words, shot[1]), shot[0].id))
    return [shot for shot, _ in reversed(ranked[:count])]
