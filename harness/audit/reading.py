"""The golden items of an audit with the teacher's errors: from a run, rewritten pairs, or two files."""

from collections.abc import Iterable, Iterator, Mapping, Sequence

from harness.audit.features import Subject, language_of
from harness.audit.rewriting import PLAIN, pair_id
from harness.nouns.pair import Example
from harness.score.items import GradedItem, names_query
from harness.score.reading import Reading


def subjects_of_run(reading: Reading) -> Iterator[Subject]:
    """The items of a run with a readable answer, in the order in which they were first answered."""
    order: dict[str, int] = {}
    for record in reading.run.each_record():
        order.setdefault(record.example, len(order))
    for item, example in zip(reading.items, reading.each_example(), strict=True):
        if (error := _error(item)) is not None:
            yield _subject(example, error, order.get(item.item))


def subjects_of_plain(
    examples: Iterable[Example], grades: Mapping[str, int], asked: Sequence[str]
) -> Iterator[Subject]:
    """The examples with a readable answer to the pair as it is; `asked`: ids in the order of the answers."""
    order = {id_: at for at, id_ in enumerate(asked)}
    for example in examples:
        id_ = pair_id(example.id, PLAIN)
        if id_ in grades:
            yield _subject(example, float(grades[id_] - example.grade), order.get(id_))


def subjects_of_items(items: Iterable[GradedItem]) -> Iterator[Subject]:
    """The items of two files, which have a query and a title at most."""
    for item in items:
        if (error := _error(item)) is not None:
            about = item.about
            yield Subject(
                item=item.item,
                cluster=item.cluster,
                query=about.query if about and names_query(item) else "",
                # A file without titles has the item's id in its place.
                title=about.title if about and about.title != item.item else "",
                golden=item.golden,
                error=error,
                language=language_of(None, about.tags) if about else None,
            )


def _error(item: GradedItem) -> float | None:
    """The mean of the readable answers, less the golden grade; None without one."""
    grades = [answer.grade for answer in item.answers if answer.grade is not None]
    return sum(grades) / len(grades) - item.golden if grades else None


def _subject(example: Example, error: float, position: int | None) -> Subject:
    return Subject(
        item=example.id,
        cluster=example.cluster,
        query=example.query,
        title=example.result.title,
        golden=example.grade,
        error=error,
        result=example.result,
        position=position,
        language=language_of(example.context, example.tags),
    )
