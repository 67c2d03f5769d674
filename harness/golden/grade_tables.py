"""Ratings and grades from tables: those of one policy version, of one rater, or golden ones."""

import sys
from collections.abc import Iterable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.by_chance import Told
from harness.golden.grade_rows import (
    GradedRow,
    Placed,
    both_columns,
    by_item,
    graded_rows,
    remedy_for_doubles,
)
from harness.golden.scores import graded_table
from harness.golden.table_faults import rating_name, without_doubles
from harness.golden.versions import under_version
from harness.nouns.pair import Rating, one_form
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Table


def read_ratings(
    path: Path, layout: Layout, scale: tuple[int, ...], version: str | None = None
) -> list[Rating]:
    """The ratings of a table under a policy version, or under all; empty grades are missing ratings.

    A rating without a version counts under every version.
    """
    table, layout = graded_table(path, layout)
    full = () if layout.wide else ("rater",)
    # Several raters rate an item: keep one copy of its name.
    rated = (
        (line, (sys.intern(item), row.rater, row.notes.repeat), row)
        for line, item, row in _of_version(path, graded_rows(table, layout, scale, full), version)
    )
    rows = without_doubles(rated, rating_name, table.place, remedy=partial(both_columns, table, layout))
    return [
        Rating(
            item=item,
            rater=rater,
            grade=row.grade,
            reasoning=row.notes.reasoning,
            policy_version=row.notes.policy_version or "",
            repeat=row.notes.repeat,
            query=row.query,
        )
        for (item, rater, _), row in rows.items()
        if rater is not None and row.grade is not None
    ]


def _of_version(path: Path, rows: Iterable[Placed], version: str | None) -> Iterator[Placed]:
    """The rows under the version. BadInput at the end for none, and for several versions if none is named."""
    versions: set[str | None] = set()
    for placed in rows:
        own = placed[2].notes.policy_version
        versions.add(own)
        if version is None or own in (None, version):
            yield placed
    there = ", ".join(sorted(filter(None, versions)))
    if version is not None and versions and versions.isdisjoint((None, version)):
        raise BadInput([Fault(str(path), f"no ratings under {version}; there are: {there}")])
    if version is None and len(versions - {None}) > 1:
        raise BadInput(
            [Fault(str(path), f"ratings under several policy versions: {there}; name one with --policy")]
        )


class RatingRow(NamedTuple):
    """One rating in a table; the grade is None where the cell is empty, or why there is none in `cannot`."""

    where: str
    item: str
    rater: str
    grade: int | None
    reasoning: str
    policy_version: str
    repeat: int
    at: str
    clauses: tuple[str, ...]
    cannot: str
    milliseconds: int | None
    policy_digest: str
    about: Told


def rating_rows(
    path: Path, layout: Layout, scale: tuple[int, ...], version: str, rater: str | None = None
) -> list[RatingRow]:
    """Every row of a table of ratings, each with its rater. BadInput for a rating that comes twice.

    `version` is the policy version of rows that name none. `rater` selects one where the table has raters,
    and otherwise names the one who gave all grades.
    """
    table, layout = graded_table(path, layout)
    nameless = rater is not None and not layout.wide and not table.find("rater", layout)
    rows = graded_rows(table, layout, scale, () if layout.wide or nameless else ("rater",))
    if rater is not None and not nameless:
        rows = _of_one_rater(path, rows, rater)
    found = (
        (line, _rating_row(f"{table.place} {line}", item, row, row.rater or rater or "", version))
        for line, item, row in rows
    )
    keyed = ((line, (row.item, row.rater, row.policy_version, row.repeat), row) for line, row in found)
    remedy = partial(both_columns, table, layout)
    return list(without_doubles(keyed, rating_name, table.place, remedy=remedy).values())


def _rating_row(where: str, item: str, row: GradedRow, rater: str, version: str) -> RatingRow:
    """A row as a rating, under `version` where it names none."""
    notes = row.notes._asdict() | {"policy_version": row.notes.policy_version or version}
    kept = {name: notes[name] for name in RatingRow._fields if name in notes}
    return RatingRow(where, item, rater, row.grade, **kept, about=row.about)


def read_grades(
    path: Path, layout: Layout, scale: tuple[int, ...], rater: str | None = None
) -> dict[str, GradedRow]:
    """One grader's row for each item. `rater` selects one of several in a table: the first grades count."""
    table, layout = graded_table(path, layout)
    return by_item(table, _of_one_grader(path, graded_rows(table, layout, scale), rater), layout)


HELD = 50_000
"""The most rows of a table of grades that are held in memory, if only some are looked up."""


def stored_grades(
    path: Path, layout: Layout, scale: tuple[int, ...], rater: str | None = None
) -> Mapping[str, GradedRow]:
    """As `read_grades`; the rows of a long table stay on the disk."""
    table = read_table(path, layout)
    rows = _of_one_grader(path, graded_rows(table, layout, scale), rater)
    if len(table.rows) <= HELD:
        return by_item(table, rows, layout)
    from harness.golden.stored_grades import StoredGrades

    return StoredGrades(rows, table.place, partial(remedy_for_doubles, table, layout))


def _of_one_grader(path: Path, rows: Iterable[Placed], rater: str | None) -> Iterator[Placed]:
    """The rows of the rater. Of a pair that a round showed twice, the first one counts, as in Gate 1."""
    for placed in _of_one_rater(path, rows, rater):
        if rater is None or not placed[2].notes.repeat:
            yield placed


def _of_one_rater(path: Path, rows: Iterable[Placed], rater: str | None) -> Iterator[Placed]:
    """The rows of the rater. BadInput at the end if it has none, or if no rater is named among several."""
    raters: set[str] = set()
    rater = rater and one_form(rater)
    for placed in rows:
        own = placed[2].rater
        if own is not None:
            raters.add(own)
        if rater is None or own == rater:
            yield placed
    there = ", ".join(sorted(raters))
    if rater is not None and rater not in raters:
        raise BadInput([Fault(str(path), f"no rater {rater!r}; there are: {there or 'none'}")])
    if rater is None and len(raters) > 1:
        raise BadInput([Fault(str(path), f"has several raters: {there}; name one with --rater")])


def read_golden_grades(
    path: Path, layout: Layout, scale: tuple[int, ...], version: str | None = None
) -> dict[str, GradedRow]:
    """The golden grade of each item of a table; none may be empty.

    Rows of the split `shots` are left out: the teacher saw them. With a policy `version`, the grades of that
    version, where rows keep their history.
    """
    table = read_table(path, layout)
    then = under_version(table, layout, version) if version else table
    rows = by_item(table, _without_gaps(table, graded_rows(then, layout, scale)), layout)
    for item in [item for item, row in rows.items() if row.notes.split == "shots"]:
        del rows[item]
    return rows


def _without_gaps(table: Table, rows: Iterable[Placed]) -> Iterator[Placed]:
    """The rows. BadInput at the end for every golden grade that is missing, but for shots."""
    faults = []
    for placed in rows:
        line, _, row = placed
        if row.grade is None and row.notes.split != "shots":
            faults.append(Fault(f"{table.place} {line}", "no golden grade"))
        yield placed
    refuse_faults(faults)
