"""Adjudications: the author's decision where raters differ from each other or from the golden grade."""

from collections import defaultdict
from collections.abc import Sequence
from pathlib import Path

from harness.nouns.base import Level, Noun
from harness.nouns.pair import Example, Rating
from harness.storage.files import load_nouns

FILE = "adjudications.jsonl"


class Adjudication(Noun):
    """One decision. `unclear`: the clauses whose wording caused the dispute."""

    item: str
    policy_version: str
    grade: Level
    reason: str
    unclear: tuple[str, ...] = ()
    at: str = ""


def load_adjudications(path: Path) -> list[Adjudication]:
    """Every decision in a file; empty without a file. BadInput names every invalid line."""
    return load_nouns(path, Adjudication)


def disputed(examples: Sequence[Example], ratings: Sequence[Rating]) -> dict[str, list[Rating]]:
    """The ratings of each example where a rater differs from another rater or from the golden grade."""
    by_item: dict[str, list[Rating]] = defaultdict(list)
    for rating in ratings:
        by_item[rating.item].append(rating)
    return {
        example.id: given
        for example in examples
        if (given := by_item.get(example.id)) and {rating.grade for rating in given} != {example.grade}
    }
