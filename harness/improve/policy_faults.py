"""Disagreements that are the policy's fault: its author has to learn from them, not a prompt."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import NamedTuple

from harness.golden.rating.ratings import Said
from harness.nouns.pair import Example, Rating
from harness.score.disagreements import diagnose
from harness.score.items import GradedItem
from harness.scorecards.improvement import PolicyFault


class Sorted(NamedTuple):
    """Examples by who has to learn from them.

    `kept`: all but the faults; `wrong`: places in it of disagreements.
    """

    kept: tuple[Example, ...]
    wrong: tuple[int, ...]
    unread: int
    unrated: int
    faults: tuple[PolicyFault, ...]


def sorted_out(examples: Sequence[Example], items: Sequence[GradedItem], ratings: Sequence[Said]) -> Sorted:
    """Withhold the disagreements on which the raters differ from each other."""
    said: dict[str, dict[str, int]] = defaultdict(dict)
    for one in ratings:
        if isinstance(one, Rating):
            said[one.item][one.rater] = one.grade
    kept, wrong, unread, unrated = list[Example](), list[int](), 0, 0
    faults: list[tuple[Example, tuple[int, ...]]] = []
    for example, item in zip(examples, items, strict=True):
        given = tuple(said[example.id].values())
        if item.answers[0].grade != item.golden:
            whose = diagnose(item.golden, given)
            if whose == "policy":
                faults.append((example, given))
                continue
            wrong.append(len(kept))
            unread += item.answers[0].grade is None
            unrated += whose == "unrated"
        kept.append(example)
    return Sorted(tuple(kept), tuple(wrong), unread, unrated, tuple(_by_clause(faults)))


def _by_clause(faults: Sequence[tuple[Example, tuple[int, ...]]]) -> Iterator[PolicyFault]:
    """The clause with most of them first."""
    by_clause: dict[str | None, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for example, given in faults:
        for clause in example.clauses or (None,):
            by_clause[clause][example.id] = given
    for clause, items in sorted(by_clause.items(), key=lambda one: (-len(one[1]), one[0] or "")):
        yield PolicyFault(clause=clause, items=items)
