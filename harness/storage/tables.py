"""Tables: rows that know their line, and the layout that maps other people's headers onto ours.

The formats are read in formats.py.
"""

import csv
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.cells import control_words, number_of
from harness.storage.stream import Stream

RESULT_TEXTS = ("title", "brand", "category", "price", "description")
NAMES = (
    "item", "query", "rater", "grade", "reasoning", "clauses", "tags", "split", "policy_version",
    "repeat", "cannot", "weight", "stratum", "position", "teacher", "human", "pi", "drawn", "score",
    "confidence", "views", "clicks", "carts", "purchases", "returns", "dwell", "session", "outcome", "arm",
    "day", "golden", "why", *RESULT_TEXTS,
)  # fmt: skip
"""What a header can be mapped to."""
LISTS = ("clauses", "tags")
NUMBERS = (
    "grade", "repeat", "weight", "position", "teacher", "human", "pi", "score", "golden",
    "views", "clicks", "carts", "purchases", "returns", "dwell",
)  # fmt: skip
LONE = ("grade", *LISTS)
"""Names that take the cell of one column only."""
ALIASES: dict[str, tuple[str, ...]] = {
    "item": ("item", "id"),
    **{name: (name, f"result.{name}") for name in RESULT_TEXTS},
}
"""Headers that are taken for a name where no mapping is given; every other name stands for itself."""


PRODUCT = re.compile(r"product|sku|asin|doc|(^|_)id$", re.IGNORECASE)
"""Headers that are likely to name a result."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is to be read: its format, its headers, and whether each rater has a column."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wide: tuple[str, ...] = ()
    format: str | None = None
    labels: Mapping[str, int | None] = field(default_factory=dict)
    """The grades of words; None means a missing grade."""
    encoding: str | None = None
    """The encoding of CSV, TSV and qrels files that are not UTF-8; other formats name their own."""
    mapped_by: str | None = "--columns"
    """The option that maps headers, for messages; None if there is none."""
    words_by: str = "--labels"
    """The option that maps words to grades."""


class Row(NamedTuple):
    """One row, with the line (or, where a format has no lines, the row number) that it starts on."""

    line: int
    cells: Mapping[str, Any]

    def text(self, column: str) -> str:
        """A cell as text without outer white space; empty without a value."""
        value = self.cells.get(column)
        return "" if value is None else str(value).strip()


@dataclass(frozen=True, slots=True)
class Table:
    """A table with its headers in order."""

    path: Path
    columns: tuple[str, ...]
    rows: Sequence[Row] | Stream[Row]
    unit: str = "line"
    """What `Row.line` counts."""
    defaults: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Headers of our names that the format itself fixes."""
    odd: Mapping[str, tuple[int, str]] = field(default_factory=dict)
    """Headers with other values than texts and numbers: the first such line, and the kind of value."""

    @property
    def place(self) -> str:
        """The first part of a row's place, before the line number."""
        return f"{self.path}, {self.unit}"

    def where(self, row: Row) -> str:
        """A row's place for a message."""
        return f"{self.place} {row.line}"

    def find(self, name: str, layout: Layout) -> tuple[str, ...]:
        """The headers that hold one of our names; empty where the table has none.

        BadInput where a text is wanted and a cell holds a list, or a number and a cell holds a date.
        """
        found = self._headers(name, layout)
        refuse_faults(
            Fault(f"{self.place} {line}", f"{header}: {kind} where {wanted} is wanted")
            for header in found
            for line, kind in [self.odd.get(header, (0, ""))]
            if kind and (wanted := _wanted(name, kind))
        )
        return found

    def _headers(self, name: str, layout: Layout) -> tuple[str, ...]:
        if name in layout.columns:
            return layout.columns[name]
        if name in self.defaults:
            return self.defaults[name]
        found = [alias for alias in ALIASES.get(name, (name,)) if alias in self.columns]
        return tuple(found[:1])

    def require(self, names: tuple[str, ...], layout: Layout) -> dict[str, tuple[str, ...]]:
        """The headers of each name. BadInput lists every one that is missing, and the headers there are."""
        found = {name: self.find(name, layout) for name in names}
        lacking = [name for name, headers in found.items() if not headers]
        missing = [f"no column for {name}" for name in lacking]
        named = [*layout.wide, *(header for headers in layout.columns.values() for header in headers)]
        missing += [f"no column {header!r}" for header in dict.fromkeys(named) if header not in self.columns]
        if missing:
            hint = f"the columns there: {', '.join(self.columns)}; {self._remedy(lacking, layout.mapped_by)}"
            raise BadInput.at(self.path, f"{', '.join(missing)} ({self._groups([*found, *named])}{hint})")
        self._refuse_two_texts(layout)
        return found

    def _refuse_two_texts(self, layout: Layout) -> None:
        """BadInput for the first row with two texts under one name: title and result.title."""
        both = [
            (name, f"result.{name}")
            for name in RESULT_TEXTS
            if name not in layout.columns and {name, f"result.{name}"} <= set(self.columns)
        ]
        for name, other in both:
            for row in self.rows:
                if row.text(name) != row.text(other):
                    say = (
                        f"; say which one is meant: {layout.mapped_by} {name}={other}"
                        if layout.mapped_by
                        else ""
                    )
                    raise BadInput.at(self.where(row), f"{name} and {other} differ{say}")

    def _groups(self, named: Sequence[str]) -> str:
        """For missing headers: the nested columns below them."""
        groups = {
            name: [one for one in self.columns if one.startswith(f"{name}.")]
            for name in dict.fromkeys(named)
            if name not in self.columns
        }
        said = (f"{name} holds columns: {', '.join(found)}" for name, found in groups.items() if found)
        return "".join(f"{one}; " for one in said)

    def _remedy(self, lacking: Sequence[str], option: str | None) -> str:
        if len(self.columns) == 1 and any(mark in self.columns[0] for mark in ",;\t|"):
            return "not every row has as many cells; save it as CSV with commas, or name --format"
        if option is None:
            return "give its columns our names"
        if "rater" in lacking and option == "--columns":
            return f"map others with {option} name=header; a column for each rater: --wide r1,r2"
        such = f", such as {self._an_item()}" if "item" in lacking and self._an_item() else ""
        return f"map others with {option} name=header{such}"

    def _an_item(self) -> str:
        """Two headers that may name an item together, quoted for a shell; empty if there are none."""
        plain = [one for one in self.columns if not {*one} & {*",+"}]
        # Where nothing names the product, its title has to.
        fit = [one for one in plain if PRODUCT.search(one)] or [one for one in plain if one == "title"]
        both = [*self.find("query", Layout()), *fit][:2]
        return shlex.quote(f"item={'+'.join(both)}") if len(both) == 2 else ""


def _wanted(name: str, kind: str) -> str:
    """The kind of value that one of our names needs; empty if any is allowed."""
    if name in NUMBERS:
        return "a number"
    several = kind in ("a list", "a map")
    return "a text" if several and not (name in LISTS and kind == "a list") else ""


def parse_columns(text: str | None) -> dict[str, tuple[str, ...]]:
    """`item=query+product_id,grade=label` as the headers of each name."""
    mapping: dict[str, tuple[str, ...]] = {}
    for part in (text or "").split(","):
        name, equals, headers = part.partition("=")
        if not part.strip():
            continue
        if not equals or not name.strip() or not all(header.strip() for header in headers.split("+")):
            raise BadInput(f"columns: {part!r} is not name=header (or name=header+header)")
        if name.strip() in mapping:
            raise BadInput(f"columns: {name.strip()} is mapped twice; several headers: name=header+header")
        mapping[name.strip()] = tuple(header.strip() for header in headers.split("+"))
    unknown = [name for name in mapping if name not in NAMES]
    if unknown:
        raise BadInput(f"columns: {', '.join(unknown)} is none of our names: {', '.join(NAMES)}")
    several = [name for name in LONE if len(mapping.get(name, ())) > 1]
    if several:
        raise BadInput(f"columns: {', '.join(several)} takes one header")
    return mapping


def parse_labels(text: str | None, option: str = "--labels") -> dict[str, int | None]:
    """`Exact=2,Partial=1,NA=` as the grade of each word; None for a word that means no grade.

    A word with a comma in it takes double quotes. `option`: how it is called in a message.
    """
    labels: dict[str, int | None] = {}
    for part in next(csv.reader([text or ""], skipinitialspace=True), []):
        word, equals, grade = (piece.strip() for piece in part.rpartition("="))
        if not part.strip():
            continue
        if not equals or not word or not re.fullmatch(r"(-?\d{1,9})?", grade):
            raise BadInput(f'{option}: {part!r} is not word=grade, such as "Exact=2,Partial=1,Irrelevant=0"')
        means, number = int(grade) if grade else None, number_of(word)
        same = [one for one in labels if number is not None and number_of(one) == number]
        if word in labels or any(labels[one] != means for one in same):
            raise BadInput(f"{option} names {' and '.join([*same, word]) if same else repr(word)} twice")
        labels[word] = means
    return labels


def joined(row: Row, headers: tuple[str, ...]) -> str:
    """One value from several cells; different cells never join to the same value. Empty without any."""
    if len(headers) == 1:
        return row.text(headers[0])
    cells = [row.text(header) for header in headers]
    if not all(cells):
        return ""
    return "|".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells)


def refuse_controls(table: Table, names: Sequence[str], layout: Layout, more: Sequence[str] = ()) -> None:
    """BadInput for every cell under our names, or the headers `more`, with a control character in it.

    Tabs and line ends are allowed.
    """
    headers = dict.fromkeys([*(header for name in names for header in table.find(name, layout)), *more])
    refuse_faults(
        Fault(table.where(row), f"{header}: {what}")
        for row in table.rows
        for header in headers
        if isinstance(value := row.cells.get(header), str) and (what := control_words(value))
    )
