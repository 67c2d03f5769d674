"""Which of the safe shots a prompt shows, and in which order."""

from collections import Counter
from collections.abc import Sequence
from itertools import zip_longest

from harness.golden.similarity import Tokens, jaccard, tokens
from harness.nouns.pair import Example, Pair


def choose_shots(shots: Sequence[Example], count: int | None, scale: tuple[int, ...]) -> list[Example]:
    """`count` shots balanced over the grades (None: all), in a fixed order that runs through the scale.

    Of the shots of a grade, those with a reasoning come first, then those that cite most clauses not yet
    shown, or without clauses those of the query that is shown least. Ties go by id.
    """
    left = {grade: sorted(_of(shots, grade), key=lambda shot: shot.id) for grade in scale}
    if count is None or count >= len(shots):
        return [shot for round_ in zip_longest(*left.values()) for shot in round_ if shot is not None]
    shown: set[str] = set()
    queries = Counter[str]()
    chosen: list[Example] = []
    while len(chosen) < count:
        for grade in scale:
            if left[grade] and len(chosen) < count:
                best = max(
                    left[grade],
                    key=lambda shot: (bool(shot.reasoning), _novelty(shot, shown, queries)),
                )
                left[grade].remove(best)
                shown |= set(best.clauses)
                queries[best.cluster] += 1
                chosen.append(best)
    return chosen


def nearest_shots(pair: Pair, shots: Sequence[tuple[Example, Tokens]], count: int) -> list[Example]:
    """The `count` shots that share most words with a pair, the nearest last, where a reader looks back to."""
    if not count:
        return []
    words = tokens(pair)
    ranked = sorted(shots, key=lambda shot: (-jaccard(words, shot[1]), shot[0].id))
    return [shot for shot, _ in reversed(ranked[:count])]


def _novelty(shot: Example, shown: set[str], queries: Counter[str]) -> int:
    """How many of a shot's clauses are not yet shown; without clauses, how little its query is shown."""
    return len(set(shot.clauses) - shown) if shot.clauses else -queries[shot.cluster]


def _of(shots: Sequence[Example], grade: int) -> list[Example]:
    return [shot for shot in shots if shot.grade == grade]
