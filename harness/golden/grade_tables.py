"""Grades from tables, long or wide: who gave which item which grade. Every fault names its line."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.golden.rows import listed
from harness.golden.versions import under_version
from harness.nouns.pair import Rating, one_form, query_key
from harness.nouns.policy import Policy
from harness.storage.cells import number_of
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Row, Table, joined

MOST_GRADES = 101
"""0 to 100: people cannot distinguish more grades, and kappa's matrix grows with their square."""
MOST_WORDS = 12
"""Words that an error lists, where grades are wanted."""
TWICE = "item {0!r} by rater {1!r}"
"""How a duplicate rating is named; see `refuse_doubles`."""
TEXTS = ("query", "reasoning", "split", "title", "policy_version")
BESIDE = (*TEXTS, "rater", "clauses", "tags")
"""Optional columns beside item and grade."""


@dataclass(frozen=True, slots=True)
class GradedRow:
    """One grade in a table; None where the cell is empty. `rater` is None where the table has no raters.

    The other fields hold what else the table says about the item.
    """

    where: str
    item: str
    rater: str | None
    query: str | None
    grade: int | None
    reasoning: str
    split: str | None = None
    title: str | None = None
    policy_version: str | None = None
    clauses: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()

    @property
    def told(self) -> bool:
        """Whether the table says more than a grade and a query."""
        return bool(self.title or self.reasoning or self.clauses or self.tags)


def parse_scale(text: str) -> tuple[int, ...]:
    """`0-4` as (0, 1, 2, 3, 4); `0,1,3` as it stands."""
    plain = "".join(text.split())
    span = re.fullmatch(r"(\d+)-(\d+)", plain)
    scale: Sequence[int] = ()
    if span:
        scale = range(int(span[1]), int(span[2]) + 1)
    elif re.fullmatch(r"-?\d+(,-?\d+)*", plain):
        scale = sorted({int(part) for part in plain.split(",")})
    if not 2 <= len(scale) <= MOST_GRADES:
        raise BadInput(f"invalid scale {text!r}; expected 2 to {MOST_GRADES} grades, such as 0-4 or 0,1,3")
    return tuple(scale)


def read_ratings(path: Path, layout: Layout, scale: tuple[int, ...]) -> list[Rating]:
    """Every rating of a table; empty grades are missing ratings. BadInput for duplicates too."""
    rows = rating_rows(path, layout, scale)
    refuse_doubles([(row.where, (row.item, row.rater)) for row in rows], TWICE)
    return [
        Rating(item=row.item, rater=row.rater, grade=row.grade, reasoning=row.reasoning, query=row.query)
        for row in rows
        if row.rater is not None and row.grade is not None
    ]


def rating_rows(
    path: Path, layout: Layout, scale: tuple[int, ...], rater: str | None = None
) -> list[GradedRow]:
    """Every row of a table of ratings, each with its rater.

    `rater` selects one where the table has raters, and otherwise names the one who gave all grades.
    """
    table = read_table(path, layout)
    nobody = rater is not None and not layout.wide and not table.find("rater", layout)
    rows = graded_rows(table, layout, scale, () if layout.wide or nobody else ("rater",))
    if nobody:
        rows = [replace(row, rater=rater) for row in rows]
    nameless = [Fault(row.where, "no rater") for row in rows if row.rater is None]
    if nameless:
        raise BadInput(nameless)
    chosen = rows if rater is None else [row for row in rows if row.rater == rater]
    if not chosen:
        raise _no_rater(path, rater, rows)
    return chosen


def read_grades(
    path: Path, layout: Layout, scale: tuple[int, ...], rater: str | None = None
) -> dict[str, GradedRow]:
    """One grader's row for each item. `rater` selects one where a table holds several."""
    rows = graded_rows(read_table(path, layout), layout, scale)
    raters = sorted({row.rater for row in rows if row.rater is not None})
    if rater is not None and rater not in raters:
        raise _no_rater(path, rater, rows)
    if rater is None and len(raters) > 1:
        raise BadInput([Fault(str(path), f"has several raters: {', '.join(raters)}; name one with --rater")])
    chosen = [row for row in rows if rater is None or row.rater == rater]
    refuse_doubles([(row.where, (row.item,)) for row in chosen], "item {0!r}")
    return {row.item: row for row in chosen}


def _no_rater(path: Path, rater: str | None, rows: Sequence[GradedRow]) -> BadInput:
    there = ", ".join(sorted({row.rater for row in rows if row.rater is not None})) or "none"
    return BadInput([Fault(str(path), f"no rater {rater!r}; there are: {there}")])


def read_golden_grades(
    path: Path, layout: Layout, scale: tuple[int, ...], version: str | None = None
) -> dict[str, GradedRow]:
    """The golden grade of each item of a table; none may be empty.

    Rows of the split `shots` are left out: the teacher saw them. With a policy `version`, the grades of that
    version, where rows keep their history.
    """
    table = read_table(path, layout)
    rows = graded_rows(under_version(table, layout, version) if version else table, layout, scale)
    refuse_doubles([(row.where, (row.item,)) for row in rows], "item {0!r}")
    golden = {row.item: row for row in rows if row.split != "shots"}
    empty = [Fault(row.where, "no golden grade") for row in golden.values() if row.grade is None]
    if empty:
        raise BadInput(empty)
    return golden


def graded_rows(
    table: Table, layout: Layout, scale: tuple[int, ...], also: tuple[str, ...] = ()
) -> list[GradedRow]:
    """Every grade of a table. BadInput for missing columns, and for every grade off the scale.

    `also` names further columns that the table must have.
    """
    wanted = ("item",) if layout.wide else ("item", "grade")
    headers = table.require((*wanted, *also), layout)
    headers |= {name: table.find(name, layout) for name in BESIDE}
    several = {name: headers[name][0] for name in ("clauses", "tags") if headers[name]}
    faults: list[Fault] = []
    unknown = _UnknownWords(table.path)
    rows: list[GradedRow] = []
    off = [f"{word}={grade}" for word, grade in layout.labels.items() if grade not in (None, *scale)]
    if off:
        raise BadInput(f"--labels: {', '.join(off)} is not on the scale {scale_text(scale)}")
    for row in table.rows:
        where = table.where(row)
        item = one_form(joined(row, headers["item"]))
        if not item:
            faults.append(Fault(where, f"empty item ({'+'.join(headers['item'])})"))
        query, reasoning, split, title, version = (_cell(row, headers[name]) for name in TEXTS)
        words = {name: tuple(listed(row.cells.get(header))) for name, header in several.items()}
        for rater, column in _graders(row, layout, headers):
            text = row.text(column)
            if text in layout.labels:
                grade, fault = layout.labels[text], None
            else:
                grade, fault = _grade(text, scale)
            if fault is _NO_GRADE:
                unknown.note(where, column, text)
            elif fault:
                faults.append(Fault(where, f"{column}: {fault}"))
            rows.append(
                GradedRow(
                    where=where,
                    item=item,
                    rater=rater,
                    query=query,
                    grade=grade,
                    reasoning=reasoning or "",
                    split=split,
                    title=title,
                    policy_version=version,
                    **words,
                )
            )
    faults += unknown.faults
    if faults:
        raise BadInput(faults)
    return rows


_NO_GRADE = "is not a grade"


class _UnknownWords:
    """Words where grades are wanted: each is named once, with its first place, since files are long."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._found: dict[tuple[str, str], list[str | int]] = {}

    def note(self, where: str, column: str, text: str) -> None:
        """One more row with this word."""
        entry = self._found.setdefault((column, text), [where, 0])
        entry[1] = int(entry[1]) + 1

    @property
    def faults(self) -> list[Fault]:
        """A fault for each word, and one that says what to do."""
        found = []
        for (column, text), (where, count) in self._found.items():
            rows = f" ({count:,} rows)" if count != 1 else ""
            found.append(Fault(str(where), f"{column}: {shortened(text)!r} is not a grade{rows}"))
        if not found:
            return []
        words = list(dict.fromkeys(text for _, text in self._found))
        named = ",".join(_option_word(shortened(word)) + "=N" for word in words[:MOST_WORDS])
        quote = "'" if '"' in named else '"'
        more = f" (and {len(words) - MOST_WORDS:,} more)" if len(words) > MOST_WORDS else ""
        what = f"say which grade each word means: --labels {quote}{named}{quote}{more}"
        return [*found[:MOST_WORDS], Fault(str(self._path), what)]


def _option_word(word: str) -> str:
    return f'"{word}"' if "," in word else word


def shortened(text: str) -> str:
    """A cell as a message shows it."""
    return text if len(text) <= 60 else text[:57] + "..."


def refuse_doubles(found: list[tuple[str, tuple[Any, ...]]], wording: str, verb: str = "is graded") -> None:
    """BadInput for every duplicate key, with both places."""
    first: dict[tuple[Any, ...], str] = {}
    faults = []
    for where, key in found:
        if key in first:
            faults.append(Fault(where, f"{wording.format(*key)} {verb} twice (first: {first[key]})"))
        first.setdefault(key, where)
    if faults:
        raise BadInput(faults)


def clusters_of(rows: Mapping[str, GradedRow]) -> dict[str, str]:
    """Each item's cluster key: its query, or the item itself where it has no query."""
    return {item: query_key(row.query) if row.query else item for item, row in rows.items()}


def _graders(
    row: Row, layout: Layout, headers: dict[str, tuple[str, ...]]
) -> Iterator[tuple[str | None, str]]:
    """Each rater of this row with the column of their grade."""
    if layout.wide:
        yield from ((column, column) for column in layout.wide)
        return
    yield _cell(row, headers["rater"]), headers["grade"][0]


def _cell(row: Row, headers: tuple[str, ...]) -> str | None:
    return (joined(row, headers) or None) if headers else None


@lru_cache(maxsize=1024)
def _grade(text: str, scale: tuple[int, ...]) -> tuple[int | None, str | None]:
    """A cell as a grade, None where it is empty; or the fault in it."""
    if not text:
        return None, None
    # Spreadsheets and data frames write whole numbers as 3.0, or as 3,0.
    number = number_of(text)
    if number is None:
        return None, _NO_GRADE
    if number not in scale:
        return None, f"{text} is not on the scale {scale_text(scale)}"
    return int(number), None


def off_scale(grade: int, policy: Policy) -> str:
    """The fault text for a grade that the policy's scale does not have."""
    return f"grade {grade} is not on the scale {scale_text(policy.scale)} of {policy.label}"


def scale_text(scale: tuple[int, ...]) -> str:
    """A scale in words: 0-4, or 0,1,3 where it has gaps."""
    whole = scale[0] >= 0 and tuple(range(scale[0], scale[-1] + 1)) == scale
    return f"{scale[0]}-{scale[-1]}" if whole else ",".join(map(str, scale))
