"""The pairs that have a grade: out of a label set, or a table of query, item, grade and clauses."""

import json
from array import array
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from harness.golden.graded_files import Levels
from harness.golden.rows import RowTexts, listed
from harness.golden.scales import grade_reader
from harness.golden.table_faults import TableFaults, without_doubles
from harness.golden.versions import under_version
from harness.nouns.pair import one_form
from harness.runs.labels import is_label_set, load_labels
from harness.stats.agreement import Integers
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Row, Table, joined

BETWEEN = "\x1f"
"""Between query and item in a key: the unit separator, which no text has."""


@dataclass(slots=True)
class GradedPairs:
    """Pairs with their grades, in the order of the file. `ungraded`: rows without a grade, left out."""

    source: str
    queries: list[str] = field(default_factory=list)
    items: list[str] = field(default_factory=list)
    grades: list[int] = field(default_factory=list)
    clauses: list[tuple[str, ...]] = field(default_factory=list)
    strata: list[str | None] = field(default_factory=list)
    tags: list[tuple[str, ...]] = field(default_factory=list)
    ungraded: int = 0
    _once: dict[Any, Any] = field(default_factory=dict)
    """What many pairs have, such as their query, is held once."""

    def __len__(self) -> int:
        return len(self.items)

    def add(
        self,
        query: str,
        item: str,
        grade: int | None,
        clauses: tuple[str, ...] = (),
        stratum: str | None = None,
        tags: tuple[str, ...] = (),
    ) -> None:
        """One more."""
        if grade is None:
            self.ungraded += 1
            return
        once = self._once
        self.queries.append(once.setdefault(query, query))
        self.items.append(item)
        self.grades.append(grade)
        self.clauses.append(once.setdefault(clauses, clauses))
        self.strata.append(once.setdefault(stratum, stratum))
        self.tags.append(once.setdefault(tags, tags))

    @property
    def grade(self) -> Integers:
        """The grades as an array."""
        return np.array(self.grades, dtype=np.int64)

    def numbered_queries(self) -> Integers:
        """Each pair's query, numbered from 0."""
        numbers: dict[str, int] = {}
        return np.array([numbers.setdefault(one, len(numbers)) for one in self.queries], dtype=np.int64)

    def query_texts(self) -> Any:
        """The different queries in their order, as a pyarrow array."""
        import pyarrow as pa

        return pa.array(list(dict.fromkeys(self.queries)), pa.string())

    def keys(self) -> Any:
        """Query and item of each pair, as a pyarrow array."""
        import pyarrow as pa

        return pa.array(
            [f"{query}{BETWEEN}{item}" for query, item in zip(self.queries, self.items, strict=True)],
            pa.string(),
        )


def read_graded(path: Path, layout: Layout, levels: Levels) -> GradedPairs:
    """The graded pairs of a label set or of a table. BadInput names every faulty row.

    A golden set has the grades of the policy's version, where its rows keep their history.
    """
    if is_label_set(path):
        return _of_set(path)
    table = read_table(path, layout)
    if levels.policy and "history" in table.columns:
        table = under_version(table, layout, levels.policy.version)
    return _of_table(table, layout, levels)


def _of_set(folder: Path) -> GradedPairs:
    found = GradedPairs(str(folder))
    names = ("item", "query", "grade", "clauses", "stratum")
    for batch in load_labels(folder).batches(names):
        columns = [batch.column(name).to_pylist() for name in names]
        for item, query, grade, clauses, stratum in zip(*columns, strict=True):
            found.add(one_form(query.strip()), one_form(item), grade, tuple(clauses or ()), stratum)
    return found


def _of_table(table: Table, layout: Layout, levels: Levels) -> GradedPairs:
    headers = table.require(("query", "item", "grade"), layout)
    headers |= {name: table.find(name, layout) for name in ("clauses", "stratum", "tags")}
    read, faults = (
        grade_reader(layout.labels, levels.scale, layout.words_by),
        TableFaults(table, layout.words_by),
    )
    found = GradedPairs(str(table.path))
    marks = array("q")
    for row in table.rows:
        query, item = _named(row, headers)
        faults.note_gaps(row, ("query", "item"), {"query": query or None, "item": item or None})
        text = joined(row, headers["grade"])
        grade, fault = read(text)
        if fault:
            faults.note_grade(row, "+".join(headers["grade"]), text, fault)
        marks.append(hash((query, item)))
        found.add(
            query,
            item,
            grade,
            tuple(listed(row, headers["clauses"])),
            joined(row, headers["stratum"]) or None if headers["stratum"] else None,
            tuple(listed(row, headers["tags"])),
        )
    faults.refuse()
    _refuse_doubles(table, headers, marks)
    return found


def _named(row: Row, headers: Mapping[str, tuple[str, ...]]) -> tuple[str, str]:
    return one_form(joined(row, headers["query"])), one_form(joined(row, headers["item"]))


def _refuse_doubles(table: Table, headers: Mapping[str, tuple[str, ...]], marks: "array[int]") -> None:
    """BadInput for every pair that comes twice. Only what looks like another row is held, to be named."""
    seen, counts = np.unique(np.frombuffer(marks, dtype=np.int64), return_counts=True)
    twice = set(seen[counts > 1].tolist())
    if twice:
        keys = ((row.line, _named(row, headers)) for row in table.rows)
        rows = ((line, key, None) for line, key in keys if hash(key) in twice)
        without_doubles(rows, lambda key: f"item {key[1]!r} of query {key[0]!r}", table.place)


def pairs_shown(path: Path, layout: Layout) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Query and item of each row, with what a rating sheet shows of it: `result` and `context`."""
    if is_label_set(path):
        for cells in load_labels(path).rows(("item", "query", "pair")):
            yield one_form(cells["query"].strip()), one_form(cells["item"]), json.loads(cells["pair"])
        return
    table = read_table(path, layout)
    headers = table.require(("query", "item"), layout)
    texts = RowTexts(table, layout, ())
    for row in table.rows:
        found = texts.of(row)
        shown = {"result": found["result"], "context": found["context"]}
        yield *_named(row, headers), shown
