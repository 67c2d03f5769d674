"""Golden items with a grader's answers: from a run's records, or from two files."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from statistics import median_low, multimode
from typing import TYPE_CHECKING, Literal

from harness.errors import BadInput
from harness.golden.by_chance import Told, other_items
from harness.golden.grade_rows import GradedRow, cluster_of
from harness.golden.unmatched import unmatched
from harness.nouns.base import Naming
from harness.nouns.pair import Example, one_form
from harness.nouns.records import Failed, Grade, Record, Ungraded
from harness.storage.plural import plural

if TYPE_CHECKING:
    from harness.golden.graded_files import Golden


Ending = Literal["graded", "ungraded", "failed"]


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """One answer about an item; `grade` is None if it is unreadable."""

    grade: int | None
    outcome: Ending
    cause: str | None = None
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    probabilities: Mapping[int, float] | None = None

    @property
    def sure(self) -> float | None:
        """The probability of the grade given, as a share of all that were given; None without any."""
        given = self.probabilities
        total = sum(given.values()) if given and self.grade is not None else 0.0
        return given.get(self.grade or 0, 0.0) / total if given and total > 0 else None


NEVER_ASKED = ItemAnswer(None, "failed")
INDEPENDENT = "no item names its query: the intervals treat items as independent"


@dataclass(frozen=True, slots=True)
class ItemText:
    """An item's texts, for reports; a subset of the example's fields, to save memory in long runs."""

    query: str
    title: str
    tags: tuple[str, ...] = ()
    clauses: tuple[str, ...] = ()
    reasoning: str = ""


@dataclass(frozen=True, slots=True)
class GradedItem:
    """One item: its golden grade, and the grader's answers, one for each repeat.

    `named`: a query was given for it, which may be called as the item is.
    """

    item: str
    cluster: str
    golden: int
    answers: tuple[ItemAnswer, ...]
    about: ItemText | None = None
    named: bool = False


def names_query(item: GradedItem) -> bool:
    """Whether the cluster is a query. It is the item's own id if no query is known."""
    if item.named:
        return True
    return item.cluster != item.item or (item.about is not None and item.about.query != item.item)


def independence(named: int, items: int) -> tuple[str, ...]:
    """A warning if some or all items do not name their query."""
    some = f"{items - named:,} of {plural(items, 'item')} name no query: each counts as a query of its own"
    warning = {"all": (), "some": (some,), "none": (INDEPENDENT,)}
    return warning[naming(named, items)]


def naming(named: int, items: int) -> Naming:
    """How many of the items name their query, in a word."""
    return "all" if named == items else "some" if named else "none"


def about_of(example: Example) -> ItemText:
    """The fields of an example that a scorecard shows."""
    return ItemText(example.query, example.result.title, example.tags, example.clauses, example.reasoning)


def answer_of(record: Record) -> ItemAnswer:
    """The fields of a record that a scorecard uses."""
    match record.outcome:
        case Grade(value=value, reasoning=reasoning, clauses=clauses):
            given = record.reply.probabilities if record.reply else None
            return ItemAnswer(value, "graded", None, reasoning, clauses, given)
        case Ungraded(cause=cause):
            return ItemAnswer(None, "ungraded", cause)
        case Failed():
            return NEVER_ASKED


def items_of_files(
    golden: "Golden", grades: Mapping[str, GradedRow], name: str
) -> tuple[list[GradedItem], tuple[str, ...]]:
    """Each golden item with its grade from the file `name`, and warnings."""
    items = []
    for item, row in golden.rows.items():
        assert row.grade is not None, "golden grades are read without gaps"
        items.append(
            GradedItem(
                item,
                cluster_of(item, row),
                row.grade,
                _given(grades.get(item)),
                _told_of(item, row),
                named=bool(row.query),
            )
        )
    both = ((item, row.about, golden.rows[item].about) for item, row in grades.items() if item in golden.rows)
    odd = other_items(both, name, golden.name)
    strangers = [item for item in grades if item not in golden.rows]
    if not strangers:
        return items, odd
    unmet = unmatched(strangers, (item for item in golden.rows if item not in grades), golden.name)
    what = f"no golden grade in {golden.name}, or {'is a shot' if len(strangers) == 1 else 'are shots'} there"
    lost = f"{plural(len(strangers), f'item of {name} has', f'items of {name} have')} {what} ({unmet})"
    if len(strangers) == len(grades):
        raise BadInput(f"all {lost}")
    return items, (lost, *odd)


def answered(
    items: Sequence[GradedItem], grades: Mapping[str, GradedRow], name: str, run: str
) -> tuple[list[GradedItem], tuple[str, ...], tuple[str, ...]]:
    """A run's items with their grades from the file `name` instead, the file's other items, and warnings."""
    known = {one_form(item.item): item.about for item in items}
    odd = other_items(
        (
            (item, row.about, Told(about.query, about.title))
            for item, row in grades.items()
            if (about := known.get(item))
        ),
        name,
        run,
    )
    given = [replace(item, answers=_given(grades.get(one_form(item.item)))) for item in items]
    return given, tuple(item for item in grades if item not in known), odd


def _told_of(item: str, row: GradedRow) -> ItemText | None:
    """The file's texts about an item; None if it has none."""
    notes = row.notes
    if not notes.told:
        return None
    return ItemText(row.query or item, notes.title or item, notes.tags, notes.clauses, notes.reasoning)


def _given(row: GradedRow | None) -> tuple[ItemAnswer]:
    """A file's answer; an item that the file lacks has failed."""
    if row is None:
        return (NEVER_ASKED,)
    if row.grade is not None and (row.notes.reasoning or row.notes.clauses):
        return (ItemAnswer(row.grade, "graded", None, row.notes.reasoning, row.notes.clauses),)
    return bare_answer(row.grade)


@lru_cache
def bare_answer(grade: int | None) -> tuple[ItemAnswer]:
    """A grade without reasoning or clauses; an empty one is unreadable. Cached, since files are long."""
    return (ItemAnswer(None, "ungraded", "no_answer") if grade is None else ItemAnswer(grade, "graded"),)


def voted(item: GradedItem) -> GradedItem:
    """The item with one answer, the most common of its readable ones; of a tie, the lower median."""
    if len(item.answers) == 1:
        return item
    readable = [answer for answer in item.answers if answer.grade is not None]
    if not readable:
        return replace(item, answers=item.answers[:1])
    grade = vote([answer.grade for answer in readable if answer.grade is not None])
    return replace(item, answers=(next(answer for answer in readable if answer.grade == grade),))


def vote(grades: Sequence[int]) -> int:
    """The most common grade; of a tie, the lower median."""
    return median_low(multimode(grades))
