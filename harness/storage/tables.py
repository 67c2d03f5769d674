"""Tables: CSV, TSV, JSON lines, Parquet and TREC qrels become rows that know their line.

A `Layout` maps other people's headers onto ours, so that files are taken as they are.
"""

import csv
import io
import re
import unicodedata
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Literal

from harness.errors import BadInput, Fault
from harness.storage.files import Stamp, json_lines, read_text, stamp_of
from harness.storage.regular import unreadable
from harness.storage.stream import Stream

MAX_CELL = 10_000_000
FORMULA = ("=", "+", "-", "@")
"""What a spreadsheet takes for the beginning of a formula; a quote before it makes it text."""
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
"""What no text of a product holds, and what cuts it off or steers a terminal elsewhere."""
RESULT_TEXTS = ("title", "brand", "category", "price", "description")
NAMES = (
    "item", "query", "rater", "grade", "reasoning", "clauses", "tags", "split", "policy_version",
    *RESULT_TEXTS,
)  # fmt: skip
"""What a header can be mapped to."""
ALIASES: dict[str, tuple[str, ...]] = {
    "item": ("item", "id"),
    **{name: (name, f"result.{name}") for name in RESULT_TEXTS},
}
"""Headers that are taken for a name where no mapping is given; every other name stands for itself."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How a table is to be read: its format, its headers, and whether each rater has a column."""

    columns: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    wide: tuple[str, ...] = ()
    format: str | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """One row, with the line (or, where a format has no lines, the row number) that it starts on."""

    line: int
    cells: Mapping[str, Any]

    def text(self, column: str) -> str:
        """A cell as text without outer white space; empty where there is nothing."""
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
    """Headers for our names that the format itself settles."""

    def where(self, row: Row) -> str:
        """A row's place for a message."""
        return f"{self.path}, {self.unit} {row.line}"

    def find(self, name: str, layout: Layout) -> tuple[str, ...]:
        """The headers that hold one of our names; empty where the table has none."""
        if name in layout.columns:
            return layout.columns[name]
        if name in self.defaults:
            return self.defaults[name]
        found = [alias for alias in ALIASES.get(name, (name,)) if alias in self.columns]
        return tuple(found[:1])

    def require(self, names: tuple[str, ...], layout: Layout) -> dict[str, tuple[str, ...]]:
        """The headers of each name. BadInput lists every one that is missing, and the headers there are."""
        found = {name: self.find(name, layout) for name in names}
        missing = [f"no column for {name}" for name, headers in found.items() if not headers]
        named = [*layout.wide, *(header for headers in layout.columns.values() for header in headers)]
        missing += [f"no column {header!r}" for header in dict.fromkeys(named) if header not in self.columns]
        if missing:
            hint = f"the columns there: {', '.join(self.columns)}; {self._remedy(missing)}"
            raise BadInput([Fault(str(self.path), f"{', '.join(missing)} ({hint})")])
        return found

    def _remedy(self, missing: Sequence[str]) -> str:
        if len(self.columns) == 1 and any(mark in self.columns[0] for mark in ";\t|"):
            return "are the cells set apart as the format says? save it with commas, or name --format"
        if "no column for rater" in missing:
            return "map others with --columns name=header; a column for each rater: --wide r1,r2"
        return "map others with --columns name=header"


def parse_columns(text: str | None) -> dict[str, tuple[str, ...]]:
    """`item=query+product_id,grade=label` as the headers of each name."""
    mapping: dict[str, tuple[str, ...]] = {}
    for part in (text or "").split(","):
        name, equals, headers = part.partition("=")
        if not part.strip():
            continue
        if not equals or not name.strip() or not all(header.strip() for header in headers.split("+")):
            raise BadInput(f"columns: {part!r} is not name=header (or name=header+header)")
        mapping[name.strip()] = tuple(header.strip() for header in headers.split("+"))
    unknown = [name for name in mapping if name not in NAMES]
    if unknown:
        raise BadInput(f"columns: {', '.join(unknown)} is none of our names: {', '.join(NAMES)}")
    return mapping


def joined(row: Row, headers: tuple[str, ...]) -> str:
    """One value out of several cells, so that different cells never join to the same value."""
    if len(headers) == 1:
        return row.text(headers[0])
    cells = [row.text(header) for header in headers]
    if not all(cells):
        return ""
    return "|".join(cell.replace("\\", "\\\\").replace("|", "\\|") for cell in cells)


def read_table(path: Path, format: str | None = None) -> Table:
    """A file as a table, by its ending or by `format`. BadInput names every faulty line."""
    if path.is_dir():
        raise BadInput([Fault(str(path), "is a folder; name a file in it")])
    kind = format or FORMAT_OF.get(path.suffix.lower())
    if kind is None or kind not in READERS:
        known = ", ".join(READERS)
        raise BadInput(
            [Fault(str(path), f"unknown format {kind or path.suffix!r}; name one: --format {known}")]
        )
    table = READERS[kind](path)
    if not table.rows:
        raise BadInput([Fault(str(path), "holds no rows")])
    return table


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula, by a quote before it; `unquoted` takes it away again.

    A number's minus stays. White space before the sign does not make it text, nor do full-width signs.
    """
    return f"'{cell}" if _is_risky(cell) and not cell.removeprefix("-").isdigit() else cell


def unquoted(cell: str) -> str:
    """A cell without the quote that marks it as text for a spreadsheet."""
    return cell[1:] if cell.startswith("'") and _is_risky(cell) else cell


def _is_risky(cell: str) -> bool:
    """Whether a spreadsheet may see a formula, or a white space that it drops before one."""
    bare = cell.lstrip("'")
    seen = unicodedata.normalize("NFKC", bare).lstrip("' \t\r\n\v\f\x00\ufeff\u200b")
    return seen.startswith(FORMULA) or bare.startswith(("\t", "\r", "\n"))


def refuse_controls(table: Table, names: Sequence[str], layout: Layout, more: Sequence[str] = ()) -> None:
    """BadInput for every cell under our names, or the headers `more`, with a control character in it.

    Tabs and line ends are none of these.
    """
    headers = dict.fromkeys([*(header for name in names for header in table.find(name, layout)), *more])
    faults = [
        Fault(table.where(row), f"{header}: the control character {found[0]!r} is no text; take it out")
        for row in table.rows
        for header in headers
        if isinstance(value := row.cells.get(header), str) and (found := _CONTROL.search(value))
    ]
    if faults:
        raise BadInput(faults)


Lines = Callable[[], Iterable[str]]
Records = Iterator[tuple[int, list[str] | csv.Error]]


def _read_csv(path: Path) -> Table:
    return _read_separated(path, _lines_of(path), ",", csv.QUOTE_MINIMAL)


def _read_tsv(path: Path) -> Table:
    """Some write TSV with CSV's quotes, some with none at all; what is sound with quotes has them."""
    lines = _lines_of(path)
    try:
        return _read_separated(path, lines, "\t", csv.QUOTE_MINIMAL)
    except BadInput:
        return _read_separated(path, lines, "\t", csv.QUOTE_NONE)


def _lines_of(path: Path) -> Lines:
    """The lines of a file, read again for each pass; of what is no file, such as a pipe, the text is kept."""
    if path.is_file():
        return partial(_each_line, path, stamp_of(path))
    text = read_text(path)
    return partial(io.StringIO, text, newline="")


def _each_line(path: Path, stamp: Stamp) -> Iterator[str]:
    if stamp_of(path) != stamp:
        raise BadInput([Fault(str(path), "changed while it was read; start again")])
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            yield from file
    except UnicodeDecodeError:
        # Names the line.
        read_text(path)
        raise
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error


def _read_separated(path: Path, lines: Lines, separator: str, quoting: Literal[0, 3]) -> Table:
    def records() -> Records:
        return _records(lines(), separator, quoting)

    faults: list[Fault] = []
    header: list[str] = []
    count = 0
    for line, cells in records():
        if isinstance(cells, csv.Error):
            faults.append(Fault(f"{path}, line {line}", str(cells)))
        elif not header:
            header = [cell.strip() for cell in cells]
            faults += _header_faults(header, path)
        elif len(cells) != len(header):
            faults.append(Fault(f"{path}, line {line}", f"{len(cells)} cells under {len(header)} headers"))
        else:
            count += 1
    if faults:
        raise BadInput(faults)
    return Table(path, tuple(header), Stream(lambda: _rows(records(), header), count))


def _records(lines: Iterable[str], separator: str, quoting: Literal[0, 3]) -> Records:
    """Every record that is not empty, with the line that it starts on; what ends the reading is the last."""
    csv.field_size_limit(MAX_CELL)
    reader = csv.reader(lines, delimiter=separator, strict=True, quoting=quoting)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, cells
            start = reader.line_num + 1
    except csv.Error as error:
        yield start, error


def _rows(records: Records, header: Sequence[str]) -> Iterator[Row]:
    """The records after the header, which have passed once."""
    for line, cells in islice(records, 1, None):
        assert not isinstance(cells, csv.Error), "the same lines were sound"
        yield Row(line, dict(zip(header, map(unquoted, cells), strict=True)))


def _header_faults(header: list[str], path: Path) -> list[Fault]:
    twice = {name for name in header if header.count(name) > 1}
    return [Fault(f"{path}, line 1", f"the header {name!r} comes twice") for name in sorted(twice)]


def _read_json_lines(path: Path) -> Table:
    objects, faults = json_lines(path)
    if faults:
        raise BadInput(faults)
    rows = [Row(line, dict(_flat(data))) for line, data in objects]
    columns = dict.fromkeys(name for row in rows for name in row.cells)
    return Table(path, tuple(columns), rows)


def _flat(data: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Nested objects as dotted headers: {"result": {"title": ...}} has the header result.title."""
    for name, value in data.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield prefix + name, value


def _read_parquet(path: Path) -> Table:
    from harness.storage.huggingface import parquet_rows

    return _numbered(path, parquet_rows(path))


def _numbered(path: Path, data: Iterator[Mapping[str, Any]]) -> Table:
    rows = [Row(number, dict(_flat(cells))) for number, cells in enumerate(data, start=1)]
    columns = dict.fromkeys(name for row in rows for name in row.cells)
    return Table(path, tuple(columns), rows, unit="row")


def _read_qrels(path: Path) -> Table:
    header = ("query", "iteration", "docid", "grade")
    rows: list[Row] = []
    faults: list[Fault] = []
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        cells = line.split()
        if len(cells) == len(header):
            rows.append(Row(number, dict(zip(header, cells, strict=True))))
        elif cells:
            what = f"{len(cells)} fields; a qrels line is: query iteration docid grade"
            faults.append(Fault(f"{path}, line {number}", what))
    if faults:
        raise BadInput(faults)
    return Table(path, header, rows, defaults={"item": ("query", "docid")})


READERS: dict[str, Callable[[Path], Table]] = {
    "csv": _read_csv,
    "tsv": _read_tsv,
    "jsonl": _read_json_lines,
    "parquet": _read_parquet,
    "qrels": _read_qrels,
}

FORMAT_OF = {
    ".csv": "csv",
    ".tsv": "tsv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".qrels": "qrels",
}


def dataset_table(source: str, split: str | None) -> Table:
    """A Hugging Face data set, from a local folder or by its hub name, as a table."""
    from harness.storage.huggingface import dataset_rows

    return _numbered(Path(source), dataset_rows(source, split))
