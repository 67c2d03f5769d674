"""Counts of a golden set for `harness golden stats`."""

from collections import Counter
from collections.abc import Iterator, Sequence

from harness.golden.splits import SPLITS
from harness.nouns.base import Noun
from harness.nouns.pair import Example
from harness.nouns.policy import Policy


class SplitCount(Noun):
    """One split: its size, its queries, and its examples of each grade of the scale."""

    split: str
    examples: int
    queries: int
    grades: dict[int, int]


class GoldenStats(Noun):
    """A golden set in numbers. `reasoning_words`: (shortest, median, longest) of the reasonings present."""

    policy: str
    examples: int
    queries: int
    splits: tuple[SplitCount, ...]
    clauses: dict[str, int]
    tags: dict[str, int]
    reasoning_words: tuple[int, int, int] | None
    without_reasoning: int
    warnings: tuple[str, ...]


def golden_stats(examples: Sequence[Example], policy: Policy) -> GoldenStats:
    """Counts by split and grade, by clause (those never cited too), by tag."""
    cited = Counter(clause for example in examples for clause in example.clauses)
    clauses = {clause.id: cited[clause.id] for clause in policy.clauses}
    lengths = sorted(len(example.reasoning.split()) for example in examples if example.reasoning)
    return GoldenStats(
        policy=policy.label,
        examples=len(examples),
        queries=query_count(examples),
        splits=tuple(_split_count(split, examples, policy) for split in SPLITS),
        clauses={**clauses, **cited},
        tags=dict(Counter(tag for example in examples for tag in example.tags).most_common()),
        reasoning_words=(lengths[0], lengths[len(lengths) // 2], lengths[-1]) if lengths else None,
        without_reasoning=len(examples) - len(lengths),
        warnings=tuple(_warnings(policy, cited)),
    )


def _warnings(policy: Policy, cited: Counter[str]) -> Iterator[str]:
    """Clauses that no example cites, and grades that no boundary argues."""
    for clause in policy.clauses:
        if not cited[clause.id]:
            yield f"no example cites the clause {clause.id}"
    argued = {grade for boundary in policy.boundaries for grade in boundary.between}
    for grade in policy.scale:
        if policy.boundaries and grade not in argued:
            yield f"no boundary of the policy argues grade {grade}"


def _split_count(split: str, examples: Sequence[Example], policy: Policy) -> SplitCount:
    inside = [example for example in examples if example.split == split]
    grades = Counter(example.grade for example in inside)
    return SplitCount(
        split=split,
        examples=len(inside),
        queries=query_count(inside),
        grades={grade: grades[grade] for grade in policy.scale},
    )


def query_count(examples: Sequence[Example]) -> int:
    """How many queries the examples have."""
    return len({example.cluster for example in examples})
