"""What became of each golden item under a grader: from a run's records, or from two files."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Literal

from harness.golden.graded import GradedRow, clusters_of
from harness.records import Example, Failed, Grade, Key, Record, Result, Ungraded

Ending = Literal["graded", "ungraded", "failed"]


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer about an item; `grade` is None where none could be read."""

    grade: int | None
    outcome: Ending
    cause: str | None = None
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    probabilities: Mapping[int, float] | None = None


@dataclass(frozen=True, slots=True)
class Judged:
    """One item: its golden grade, and the grader's answers, one for each repeat."""

    item: str
    cluster: str
    golden: int
    answers: tuple[Answer, ...]
    about: Example | None = None


def judged(examples: Iterable[Example], records: Mapping[Key, Record], repeats: int = 1) -> list[Judged]:
    """Each example with what became of it; one that has no record was never answered."""
    return [
        Judged(
            item=example.id,
            cluster=example.cluster,
            golden=example.grade,
            answers=tuple(_answer(records.get((example.id, repeat))) for repeat in range(repeats)),
            about=example,
        )
        for example in examples
    ]


def _answer(record: Record | None) -> Answer:
    match record.outcome if record else Failed(detail="never asked"):
        case Grade(value=value, reasoning=reasoning, clauses=clauses):
            given = record.reply.probabilities if record and record.reply else None
            return Answer(value, "graded", None, reasoning, clauses, given)
        case Ungraded(cause=cause):
            return Answer(None, "ungraded", cause)
        case Failed():
            return Answer(None, "failed")


def judged_files(
    golden: Mapping[str, GradedRow], grades: Mapping[str, GradedRow]
) -> tuple[list[Judged], tuple[str, ...]]:
    """Each golden item with its grade from a file, and the items that only the file has.

    An empty grade is an unread answer; an item that the file lacks was never answered.
    """
    clusters = clusters_of(golden)
    items = []
    for item, row in golden.items():
        assert row.grade is not None, "golden grades are read without gaps"
        answers = (_given(grades.get(item)),)
        items.append(Judged(item, clusters[item], row.grade, answers, _about(row, row.grade)))
    return items, tuple(item for item in grades if item not in golden)


def _about(row: GradedRow, grade: int) -> Example | None:
    """The item as an example, as far as the file tells; None where it tells nothing.

    Not validated: what was not told stays open, and files of grades are long.
    """
    if not row.told:
        return None
    return Example.model_construct(
        id=row.item,
        query=row.query or row.item,
        result=Result.model_construct(title=row.title or row.item),
        grade=grade,
        reasoning=row.reasoning,
        clauses=row.clauses,
        tags=row.tags,
        policy_version="",
        split="dev",
    )


def _given(row: GradedRow | None) -> Answer:
    if row is None:
        return Answer(None, "failed")
    if row.grade is None:
        return Answer(None, "ungraded", "no_answer")
    if row.reasoning or row.clauses:
        return Answer(row.grade, "graded", None, row.reasoning, row.clauses)
    return _bare(row.grade)


@lru_cache
def _bare(grade: int) -> Answer:
    """A grade and nothing else: one for all that are alike, since files of grades are long."""
    return Answer(grade, "graded")


def voted(item: Judged) -> Judged:
    """The item with one answer, the commonest of its readable ones; of several, their lower median."""
    if len(item.answers) == 1:
        return item
    readable = [answer for answer in item.answers if answer.grade is not None]
    if not readable:
        return replace(item, answers=item.answers[:1])
    grade = vote([answer.grade for answer in readable if answer.grade is not None])
    return replace(item, answers=(next(answer for answer in readable if answer.grade == grade),))


def vote(grades: Sequence[int]) -> int:
    """The commonest grade; of several, their lower median."""
    counts = Counter(grades)
    most = max(counts.values())
    tied = sorted(grade for grade, count in counts.items() if count == most)
    return tied[(len(tied) - 1) // 2]
