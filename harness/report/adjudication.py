"""Disputes and what their decisions say, as tables for a terminal."""

from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from harness.golden.rating.adjudicated import Adjudicated, Looked
from harness.golden.rating.adjudications import cause_words
from harness.golden.rating.disputes import Dispute
from harness.report.parts import and_more, columns, entry, indented, table_of
from harness.storage.plural import plural

CLAUSES_SHOWN = 10


def disputes_view(counted: Adjudicated, disputes: Sequence[Dispute]) -> Iterator[RenderableType]:
    """Every dispute: the grades that were given, and the decision where there is one. No names."""
    yield from _head(counted)
    if disputes:
        golden = "" if counted.round else " and the golden one"
        yield Text(f"The grades of a pair are those of all its raters{golden}, by size.")
    for one in disputes:
        marks = [f"grades {', '.join(map(str, one.grades))}"] if one.grades else []
        if one.ungraded:
            marks.append(f"{one.ungraded} could not grade it")
        if one.moves_action:
            marks.append("changes the action")
        marks.append("open" if one.decision is None else f"decided {one.decision.grade}")
        title = f"{one.example.query}: {one.example.result.title}"
        yield from entry(title, f"{one.code}: {'; '.join(marks)}")


def summary_view(counted: Adjudicated) -> Iterator[RenderableType]:
    """Counts by cause and by clause, and what the teacher moved."""
    yield from _head(counted)
    words = cause_words()
    causes = ((words[name], f"{count:,}") for name, count in counted.causes.items())
    yield indented(columns("cause", "decisions", rows=causes))
    yield from _clauses(counted)
    reopened = f"{counted.reopened:,} reopened."
    changed = f"{counted.golden_changed:,} of {plural(counted.golden_noted, 'golden grade')} changed"
    unnoted = "the decisions do not note the golden grade that they found"
    about = "" if counted.round else f"{changed if counted.golden_noted else unnoted}; "
    said = f"{about}{reopened}"
    yield indented(Text(said if counted.decided else "No decision yet."))
    if counted.teacher is not None:
        yield indented(Text(_influence(counted.teacher)))


def _influence(looked: Looked) -> str:
    beside = f"Beside a teacher: {looked.decided:,} decided, {looked.differs:,} otherwise than the teacher"
    after = f"{looked.kept:,} kept, {looked.changed:,} changed, {looked.unlooked:,} not yet looked at"
    return f"{beside}; after the second look {after}."


def _head(counted: Adjudicated) -> Iterator[Text]:
    of = f", round {counted.round}" if counted.round else ""
    count = f"{counted.policy}{of}: {plural(counted.disputes, 'dispute')}"
    moves = "" if counted.change_action is None else f" ({counted.change_action:,} that change the action)"
    yield Text(f"{count}{moves}, {counted.decided:,} decided, {counted.open:,} open", style="bold")
    if not counted.disputes:
        where = f"in round {counted.round}" if counted.round else f"under {counted.policy}"
        none = f"There is no{' sealed' if counted.round else ''} rating {where} yet"
        alike = (
            f"No rating {where} differs from another{'' if counted.round else ' or from the golden grade'}"
        )
        yield Text(f"{alike if counted.rated else none}.")
        return
    rest = counted.disputes - counted.raters_differ
    raters = f"The raters differ from each other on {counted.raters_differ:,} of them, as Gate 1 counts"
    could_not = ", or one could not grade" if counted.ungraded else ""
    others = f"; on {rest:,} from the golden grade alone{could_not}" if rest else ""
    others = f"; {rest:,} one could not grade" if rest and counted.round else others
    yield Text(f"{raters}{others}.")


def _clauses(counted: Adjudicated) -> Iterator[RenderableType]:
    rows = ((one.id, f"{one.unclear:,}", f"{one.cited:,}") for one in counted.clauses[:CLAUSES_SHOWN])
    yield from table_of("clause", "unclear", "cited", rows=rows)
    yield from and_more(len(counted.clauses) - CLAUSES_SHOWN)
