"""Grades from tables, long or wide: who gave which item which grade. Every fault names its line."""

import re
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.by_chance import Told
from harness.golden.rows import listed
from harness.golden.table_faults import NO_GRADE, TableFaults, rating_name, without_doubles
from harness.golden.versions import under_version
from harness.nouns.pair import Rating, one_form, query_key
from harness.nouns.policy import Policy
from harness.storage.cells import number_of
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Row, Table, joined

MOST_GRADES = 101
"""0 to 100: people cannot distinguish more grades, and kappa's matrix grows with their square."""


class RowNotes(NamedTuple):
    """What a table says about an item beside its query and its grade."""

    reasoning: str = ""
    split: str | None = None
    title: str | None = None
    policy_version: str | None = None
    at: str = ""
    clauses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    repeat: int = 0

    @property
    def told(self) -> bool:
        """Whether there is anything that a report shows."""
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
        """What the row says of the item."""
        return Told(self.query, self.notes.title)


_bare = lru_cache(maxsize=65_536)(GradedRow)
"""Rows that say no more are shared where they are alike, since tables are long."""
Placed = tuple[int, str, GradedRow]
"""A row's line, its item, and what it says of it."""


def parse_scale(text: str) -> tuple[int, ...]:
    """`0-4` as (0, 1, 2, 3, 4); `0,1,3` as it stands."""
    plain = "".join(text.split())
    span = re.fullmatch(r"(\d{1,9})-(\d{1,9})", plain)
    scale: Sequence[int] = ()
    if span:
        scale = range(int(span[1]), int(span[2]) + 1)
    elif re.fullmatch(r"-?\d{1,9}(,-?\d{1,9})*", plain):
        scale = sorted({int(part) for part in plain.split(",")})
    if not 2 <= len(scale) <= MOST_GRADES:
        raise BadInput(
            f"invalid scale {text[:80]!r}; expected 2 to {MOST_GRADES} grades, such as 0-4 or 0,1,3"
        )
    return tuple(scale)


def read_ratings(
    path: Path, layout: Layout, scale: tuple[int, ...], version: str | None = None
) -> list[Rating]:
    """The ratings of a table under a policy version, or under all; empty grades are missing ratings.

    A rating without a version counts under every version.
    """
    table = read_table(path, layout)
    full = () if layout.wide else ("rater",)
    # Several raters rate an item: one copy of its name is kept.
    rated = (
        (line, (sys.intern(item), row.rater, row.notes.repeat), row)
        for line, item, row in _of_version(path, graded_rows(table, layout, scale, full), version)
    )
    rows = without_doubles(rated, rating_name, table.place, remedy=_both_columns(table, layout))
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
    """One rating in a table; the grade is None where the cell is empty."""

    where: str
    item: str
    rater: str
    grade: int | None
    reasoning: str
    policy_version: str
    repeat: int
    at: str
    about: Told


def rating_rows(
    path: Path, layout: Layout, scale: tuple[int, ...], version: str, rater: str | None = None
) -> list[RatingRow]:
    """Every row of a table of ratings, each with its rater. BadInput for a rating that comes twice.

    `version` is the policy version of rows that name none. `rater` selects one where the table has raters,
    and otherwise names the one who gave all grades.
    """
    table = read_table(path, layout)
    nameless = rater is not None and not layout.wide and not table.find("rater", layout)
    rows = graded_rows(table, layout, scale, () if layout.wide or nameless else ("rater",))
    if rater is not None and not nameless:
        rows = _of_one_rater(path, rows, rater)
    found = (
        (line, RatingRow(f"{table.place} {line}", item, row.rater or rater or "", row.grade, *said))
        for line, item, row in rows
        for notes in [row.notes]
        for said in [(notes.reasoning, notes.policy_version or version, notes.repeat, notes.at, row.about)]
    )
    keyed = ((line, (row.item, row.rater, row.policy_version, row.repeat), row) for line, row in found)
    remedy = _both_columns(table, layout)
    return list(without_doubles(keyed, rating_name, table.place, remedy=remedy).values())


def read_grades(
    path: Path, layout: Layout, scale: tuple[int, ...], rater: str | None = None
) -> dict[str, GradedRow]:
    """One grader's row for each item. `rater` selects one where a table holds several."""
    table = read_table(path, layout)
    return by_item(table, _of_one_rater(path, graded_rows(table, layout, scale), rater), layout)


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


def graded_rows(
    table: Table, layout: Layout, scale: tuple[int, ...], full: tuple[str, ...] = (), *, notes: bool = True
) -> Iterator[Placed]:
    """Every grade of a table, while there is no fault. BadInput at the end, for every fault of every row.

    `full` names those of rater, query and grade that the table must have in every row. `notes`: whether to
    read the others.
    """
    wanted = ("item",) if layout.wide else ("item", "grade")
    headers = table.require(tuple(dict.fromkeys((*wanted, *full))), layout)
    headers |= {name: table.find(name, layout) for name in ("query", "rater", *RowNotes._fields)}
    if not (layout.wide or headers["rater"]):
        headers["repeat"] = ()  # another meaning: only a rater grades again
    told = notes and any(headers[name] for name in RowNotes._fields)
    read, faults = _grade_reader(layout.labels, scale), TableFaults(table)
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
    return RowNotes(reasoning, split or None, title or None, version or None, at, clauses, tags, int(repeat))


def by_item(table: Table, rows: Iterable[Placed], layout: Layout) -> dict[str, GradedRow]:
    """The rows of a table by their items. BadInput for every item that is graded twice."""
    remedy = _several_raters(table, layout) or _both_columns(table, layout)
    return without_doubles(rows, lambda item: f"item {item!r}", table.place, remedy=remedy)


def _several_raters(table: Table, layout: Layout) -> list[Fault]:
    """What to do where items come twice, since several people rated them."""
    rater = table.find("rater", layout)
    what = "says that these are the ratings of several people; harness ratings import takes them"
    return [Fault(str(table.path), f"the column {rater[0]} {what}, and gate2 --ratings")] if rater else []


def _both_columns(table: Table, layout: Layout) -> list[Fault]:
    """What to do where items come twice, since their name lacks the query."""
    item, query = table.find("item", layout), table.find("query", layout)
    if len(item) != 1 or not query or query == item:
        return []
    what = f"a result can belong to several queries; try --columns item={query[0]}+{item[0]}"
    return [Fault(str(table.path), what)]


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
    """A cell whose text many rows have: one copy is kept."""
    text = joined(row, headers)
    return sys.intern(text) if text else None


def _grade_reader(
    labels: Mapping[str, int | None], scale: tuple[int, ...]
) -> Callable[[str], tuple[int | None, str | None]]:
    """What reads a cell as a grade, None where it is empty; or says the fault in it."""
    off = [f"{word}={grade}" for word, grade in labels.items() if grade not in (None, *scale)]
    if off:
        raise BadInput(f"--labels: {', '.join(off)} is not on the scale {scale_text(scale)}")

    labels = {one_form(word): grade for word, grade in labels.items()}
    numbers = {number_of(word): grade for word, grade in labels.items()}
    recoded = any(grade not in (None, number) for number, grade in numbers.items() if number is not None)

    @lru_cache(maxsize=1024)
    def read(text: str) -> tuple[int | None, str | None]:
        text = one_form(text)
        if text in labels or not text:
            return labels.get(text), None
        # Spreadsheets and data frames write whole numbers as 3.0, or as 3,0.
        number = number_of(text)
        if number is not None and number in numbers:
            return numbers[number], None
        if number is None:
            return None, NO_GRADE
        if recoded:
            return None, f"{text} has no label, and --labels changes other numbers: add {text}=N to it"
        if number not in scale:
            return None, f"{text} is not on the scale {scale_text(scale)}"
        return int(number), None

    return read


def off_scale(grade: int, policy: Policy) -> str:
    """The fault text for a grade that the policy's scale does not have."""
    return f"grade {grade} is not on the scale {scale_text(policy.scale)} of {policy.label}"


def scale_text(scale: tuple[int, ...]) -> str:
    """A scale in words: 0-4, or 0,1,3 where it has gaps."""
    whole = scale[0] >= 0 and tuple(range(scale[0], scale[-1] + 1)) == scale
    return f"{scale[0]}-{scale[-1]}" if whole else ",".join(map(str, scale))
