"""The pairs that have a grade: out of a label set, or a table of query, item, grade and clauses."""

import json
import zlib
from array import array
from collections.abc import Iterator, Mapping
from functools import cached_property
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
from harness.signal.coded import Coded, Small
from harness.signal.pair_texts import PairTexts
from harness.signal.text_hash import PairHash, PairIndex, whole
from harness.stats.agreement import Integers
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Row, Table, joined

GROUPS = 100
"""How many groups of queries are left out in turn: with more, errors hardly change."""
FLUSH = 10_000
"""Pairs whose texts wait in memory."""


class GradedPairs:
    """Pairs with their grades, in the order of the file. `ungraded`: rows without a grade, left out.

    Held are some 45 bytes a pair, which do not grow with its texts: these are found again by their hash, and
    wait on disk. No pair is added once one was looked up.
    """

    def __init__(self, source: str) -> None:
        self.source, self.ungraded = source, 0
        self.clauses, self.tags = Coded[tuple[str, ...]](), Coded[tuple[str, ...]]()
        self.strata = Coded[str | None]()
        self._grades = array("i")
        self._waiting: tuple[list[str], list[str]] = ([], [])
        self._hash, self._texts = PairHash(), PairTexts()
        self._numbers, self._checks = array("Q"), array("I")
        # Of each row of pairs of one query: its hash, its group, and how many pairs.
        self._queries, self._groups, self._lengths = array("Q"), array("B"), array("I")

    def __len__(self) -> int:
        return len(self._grades)

    def add(
        self,
        query: str,
        item: str,
        grade: int | None,
        clauses: tuple[str, ...] = (),
        stratum: str | None = None,
        tags: tuple[str, ...] = (),
    ) -> None:
        """Append a pair."""
        if grade is None:
            self.ungraded += 1
            return
        self._waiting[0].append(query)
        self._waiting[1].append(item)
        self._grades.append(grade)
        self.clauses.append(clauses)
        self.strata.append(stratum)
        self.tags.append(tags)
        if len(self._waiting[0]) >= FLUSH:
            self._flush()

    def _flush(self) -> None:
        import pyarrow as pa

        if not self._waiting[0]:
            return
        queries, items = (pa.array(texts, pa.string()) for texts in self._waiting)
        numbers, checks = self._hash.of(queries, items)
        self._numbers.frombytes(numbers.tobytes())
        self._checks.frombytes(checks.tobytes())
        self._texts.add(queries, items)
        hashes = self._hash.queries.of(queries)[0]
        first = np.flatnonzero(np.r_[True, hashes[1:] != hashes[:-1]])
        self._queries.frombytes(hashes[first].tobytes())
        self._lengths.frombytes(np.diff(np.r_[first, len(hashes)]).astype(np.uint32).tobytes())
        texts = (self._waiting[0][at] for at in first.tolist())
        self._groups.extend(zlib.crc32(text.encode("utf-8", "replace")) % GROUPS for text in texts)
        self._waiting = ([], [])

    @cached_property
    def grade(self) -> Small:
        """The grades as an array."""
        return np.array(self._grades, dtype=np.int32)

    @cached_property
    def query(self) -> Small:
        """Each pair's query, numbered from 0 in their order."""
        return np.repeat(self._query_of_row, np.frombuffer(self._lengths, dtype=np.uint32))

    @cached_property
    def _query_of_row(self) -> Small:
        self._flush()
        hashes = np.frombuffer(self._queries, dtype=np.uint64)
        _, first, number = np.unique(hashes, return_index=True, return_inverse=True)
        rank = np.empty(len(first), dtype=np.int32)
        rank[np.argsort(first)] = np.arange(len(first), dtype=np.int32)
        return rank[number]

    @cached_property
    def group(self) -> Small:
        """Each pair's group of queries. It depends on its text alone; few queries have a group each."""
        few = self.query_count <= GROUPS
        groups = self._query_of_row if few else np.frombuffer(self._groups, dtype=np.uint8)
        return np.repeat(groups.astype(np.uint8), np.frombuffer(self._lengths, dtype=np.uint32))

    @cached_property
    def query_count(self) -> int:
        """The different queries."""
        return int(self._query_of_row.max(initial=-1)) + 1

    @cached_property
    def _index(self) -> PairIndex:
        self._flush()
        numbers, checks = np.array(self._numbers, dtype=np.uint64), np.array(self._checks, dtype=np.uint32)
        self._numbers, self._checks = array("Q"), array("I")
        return PairIndex.over(numbers, checks)

    def find(self, queries: Any, items: Any) -> Integers:
        """The number of each of these pairs, of pyarrow columns; -1 of one without a grade."""
        queries, items = whole(queries), whole(items)
        found = self._index.find(*self._hash.of(queries, items))
        if queries.null_count or items.null_count:
            there = queries.is_valid().to_numpy(False) & items.is_valid().to_numpy(False)
            found = np.where(there, found, -1)
        return found

    def query_hashes(self, queries: Any) -> Any:
        """A number for each text of a column, the same for the same text."""
        return self._hash.queries.of(whole(queries))[0]

    def texts(self, pairs: Small) -> dict[int, tuple[str, str]]:
        """Query and item of some pairs."""
        self._flush()
        return self._texts.of(pairs)


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
    """BadInput for every pair that comes twice. Only rows that look alike are held, to name them."""
    seen = np.frombuffer(marks, dtype=np.int64)
    seen.sort()
    twice = set(seen[1:][seen[1:] == seen[:-1]].tolist())
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
