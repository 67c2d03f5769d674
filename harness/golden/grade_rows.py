"""Rows of a table of grades, long or wide: who gave which item which grade. Every fault names its line."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import lru_cache, partial
from typing import NamedTuple

from harness.errors import Fault
from harness.golden.by_chance import Told
from harness.golden.rows import listed
from harness.golden.scales import grade_reader
from harness.golden.table_faults import TableFaults, without_doubles
from harness.nouns.base import MOST
from harness.nouns.pair import one_form, query_key
from harness.storage.cells import number_of
from harness.storage.tables import Layout, Row, Table, joined


class RowNotes(NamedTuple):
    """The further columns of a row, beside query and grade."""

    reasoning: str = ""
    split: str | None = None
    title: str | None = None
    policy_version: str | None = None
    at: str = ""
    clauses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    repeat: int = 0
    cannot: str = ""
    milliseconds: int | None = None
    policy_digest: str = ""

    @property
    def told(self) -> bool:
        """Whether a report shows any of it."""
        return bool(self.title or self.reasoning or self.clauses or self.tags)


NO_NOTES = RowNotes()


class GradedRow(NamedTuple):
    """One grade in a table; None where the cell is empty. `rater` is None where the table has no raters."""

    rater: str | None
    query: str | None
    grade: int | None
    notes: RowNotes = NO_NOTES

    @property
    def about(self) -> Told:
        """The item's query and title in this row."""
        return Told(self.query, self.notes.title)


_bare = lru_cache(maxsize=65_536)(GradedRow)
"""Equal rows without further notes share one object, since tables are long."""
Placed = tuple[int, str, GradedRow]
"""A row's line, its item, and its grade."""


def graded_rows(
    table: Table, layout: Layout, scale: tuple[int, ...], full: tuple[str, ...] = (), *, notes: bool = True
) -> Iterator[Placed]:
    """Every grade of a table, until the first fault. BadInput at the end, for every fault of every row.

    `full` names those of rater, query and grade that the table must have in every row. `notes`: whether to
    read the others.
    """
    wanted = ("item",) if layout.wide else ("item", "grade")
    headers = table.require(tuple(dict.fromkeys((*wanted, *full))), layout)
    headers |= {name: table.find(name, layout) for name in ("query", "rater", *RowNotes._fields)}
    if not (layout.wide or headers["rater"]):
        headers["repeat"] = ()  # these columns have another meaning: only a rater grades again
    told = notes and any(headers[name] for name in RowNotes._fields)
    read, faults = grade_reader(layout.labels, scale), TableFaults(table)
    for row in table.rows:
        item = one_form(joined(row, headers["item"]))
        if not item:
            faults.note(row, f"empty item ({'+'.join(headers['item'])})")
        query = _repeated(row, headers["query"])
        noted = _notes(row, headers, faults) if told else NO_NOTES
        for rater, column in _graders(row, layout, headers):
            text = row.text(column)
            grade, fault = read(text)
            if fault:
                faults.note_grade(row, column, text, fault)
            if full:
                faults.note_gaps(row, full, {"rater": rater, "query": query, "grade": fault or grade})
            if not faults:
                make = _bare if noted is NO_NOTES else GradedRow
                yield row.line, item, make(rater, query, grade, noted)
    faults.refuse()


def _notes(row: Row, headers: Mapping[str, tuple[str, ...]], faults: TableFaults) -> RowNotes:
    reasoning, split, title, version, at = (joined(row, headers[name]) for name in RowNotes._fields[:5])
    clauses, tags = (tuple(listed(row, headers[name])) for name in ("clauses", "tags"))
    repeat = number_of(joined(row, headers["repeat"]) or "0")
    if repeat is None or repeat < 0 or repeat != int(repeat):
        faults.note(
            row, f"repeat: {joined(row, headers['repeat'])!r} does not count a rater's grades: 0, 1 ..."
        )
        repeat = 0
    cannot, spent, digest = (joined(row, headers[name]) for name in RowNotes._fields[8:])
    milliseconds = number_of(spent) if spent else None
    if spent and not (milliseconds is not None and 0 <= milliseconds <= MOST):
        faults.note(row, f"milliseconds: {spent!r} is not a time; leave it empty where it is not known")
        milliseconds = None
    return RowNotes(
        reasoning, split or None, title or None, version or None, at, clauses, tags, int(repeat), cannot,
        None if milliseconds is None else round(milliseconds), digest,
    )  # fmt: skip


def by_item(table: Table, rows: Iterable[Placed], layout: Layout) -> dict[str, GradedRow]:
    """The rows of a table by their items. BadInput for every item that is graded twice."""
    remedy = partial(remedy_for_doubles, table, layout)
    return without_doubles(rows, lambda item: f"item {item!r}", table.place, remedy=remedy)


def remedy_for_doubles(table: Table, layout: Layout) -> list[Fault]:
    """How to resolve items that come twice: several people rated them, or their name lacks the query."""
    if rater := table.find("rater", layout):
        what = "says that these are the ratings of several people; harness ratings import takes them"
        return [Fault(str(table.path), f"the column {rater[0]} {what}, and gate2 --ratings")]
    return both_columns(table, layout)


def both_columns(table: Table, layout: Layout) -> list[Fault]:
    """How to resolve items that come twice since their name lacks the query; none where it does not."""
    item, query = table.find("item", layout), table.find("query", layout)
    if len(item) != 1 or not query or query == item or not _have_several_queries(table, item, query):
        return []
    which = f"{layout.mapped_by} " if layout.mapped_by else "a column "
    what = f"a result can belong to several queries; try {which}item={query[0]}+{item[0]}"
    return [Fault(str(table.path), what)]


def _have_several_queries(table: Table, item: tuple[str, ...], query: tuple[str, ...]) -> bool:
    """Whether an item of a table stands under several queries."""
    first: dict[str, str] = {}
    cells = ((joined(row, item), joined(row, query)) for row in table.rows)
    return any(first.setdefault(name, asked) != asked for name, asked in cells if name and asked)


def cluster_of(item: str, row: GradedRow) -> str:
    """An item's cluster key: its query, or the item itself where it has no query."""
    return query_key(row.query) if row.query else item


def _graders(
    row: Row, layout: Layout, headers: Mapping[str, tuple[str, ...]]
) -> Iterable[tuple[str | None, str]]:
    """Each rater of this row with the column of their grade."""
    if layout.wide:
        return ((one_form(column), column) for column in layout.wide)
    rater = _repeated(row, headers["rater"])
    return ((rater and one_form(rater), headers["grade"][0]),)


def _repeated(row: Row, headers: tuple[str, ...]) -> str | None:
    """A cell whose text many rows share: only one copy is kept in memory."""
    text = joined(row, headers)
    return sys.intern(text) if text else None
