"""A flat log: counts a row, or one row a view. Each piece of it as columns of our names and types."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault, refuse_faults
from harness.signal.batches import Unfit, headers_of, in_one_form, kinds_of, pieces
from harness.signal.log_cells import COUNTS, LAST, TEXTS, WITHIN_VIEWS, Odd, impossible, misfit, value_of
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Table

NEEDED = ("query", "item", "position")
NAMES = (*NEEDED, *COUNTS, "dwell", "session", "outcome", "arm")
"""The columns of a log."""
ROWS = 50_000
"""Rows that are read one by one at a time."""
NO_VIEWS = (
    "no column for views: a row is either counts (views, clicks), or one view (then with a column session)"
)
NO_EVENTS = "no column for clicks, carts or purchases: nothing says what users did"
MOST_FAULTS = 1_000


@dataclass(frozen=True, slots=True)
class LogTable:
    """A file of the log, with the headers of each of our names."""

    path: Path
    layout: Layout
    headers: dict[str, tuple[str, ...]]

    @property
    def names(self) -> tuple[str, ...]:
        """Our names that it has."""
        return tuple(name for name, found in self.headers.items() if found)


def open_log(path: Path, layout: Layout) -> LogTable:
    """A log with its headers. BadInput for columns that are missing."""
    try:
        table = Table(path, tuple(headers_of(path, layout)), [])
        headers = _headers(table, layout)
    except (Unfit, BadInput):
        # Another separator, another format, a fault: the row by row reader knows.
        headers = _headers(read_table(path, layout), layout)
    _refuse_types(path, headers, kinds_of(path, layout))
    return LogTable(path, layout, headers)


def _refuse_types(path: Path, headers: Mapping[str, Sequence[str]], kinds: Mapping[str, Any]) -> None:
    """BadInput for columns of a type that cannot hold the values: one fault for each column."""
    refuse_faults(
        Fault(f"{path}, column {header}", f"is of type {kinds[header]}; {name} wants {wanted}")
        for name, each in headers.items()
        for header in each
        if header in kinds and (wanted := misfit(name, kinds[header]))
    )


def _headers(table: Table, layout: Layout) -> dict[str, tuple[str, ...]]:
    found = table.require(NEEDED, layout) | {
        name: table.find(name, layout) for name in NAMES if name not in NEEDED
    }
    faults = []
    if not found["views"] and not found["session"]:
        faults.append(NO_VIEWS)
    if not (found["clicks"] or found["carts"] or found["purchases"]):
        faults.append(NO_EVENTS)
    if faults:
        there = f"the columns there: {', '.join(table.columns)}; map others with --columns clicks=header"
        raise BadInput([Fault(str(table.path), f"{one} ({there})") for one in faults])
    return found


def fast_pieces(log: LogTable) -> Iterator[Any]:
    """The rows, by pyarrow's readers. Unfit for anything that has to be looked at row by row."""
    import pyarrow as pa

    types = {
        header: _type(name, several=len(headers) > 1)
        for name, headers in log.headers.items()
        for header in headers
    }
    for piece in pieces(log.path, log.layout, list(types), types):
        try:
            made = pa.table({name: _column(piece, name, log.headers[name]) for name in log.names})
        except pa.ArrowException as error:
            raise Unfit from error
        if not _is_sound(made):
            raise Unfit
        yield made


def _type(name: str, *, several: bool) -> Any:
    import pyarrow as pa

    if name in TEXTS or several:
        return pa.string()
    return pa.float64() if name == "dwell" else pa.int64()


def _column(piece: Any, name: str, headers: Sequence[str]) -> Any:
    """One of our columns: texts trimmed and joined, numbers of our type, null for an empty cell."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if name not in TEXTS:
        column = piece.column(headers[0]).cast(_type(name, several=False))
        return column if name in (*NEEDED, "views") else pc.fill_null(column, 0)
    texts = [pc.utf8_trim_whitespace(_text(piece.column(header))) for header in headers]
    if len(texts) > 1:
        texts = [pc.replace_substring(pc.replace_substring(one, "\\", "\\\\"), "|", "\\|") for one in texts]
    column = in_one_form(pc.binary_join_element_wise(*texts, "|") if len(texts) > 1 else texts[0])
    empty = pc.equal(column, "")
    return pc.if_else(empty, pa.scalar(None, pa.string()), column)


def _text(column: Any) -> Any:
    """A column as texts. Whole numbers are ids; other kinds are looked at row by row."""
    import pyarrow as pa

    kind = column.type
    if pa.types.is_dictionary(kind):
        return _text(column.cast(kind.value_type))
    if not (pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_integer(kind)):
        raise Unfit
    return column.cast(pa.string())


def _is_sound(piece: Any) -> bool:
    """Whether every row has its values, and no number is out of range."""
    import pyarrow.compute as pc

    for name in piece.column_names:
        column = piece.column(name)
        if name in (*NEEDED, "views", "session") and column.null_count:
            return False
        if name in TEXTS or not piece.num_rows:
            continue
        ends = pc.min_max(column).as_py()
        least, most = (1, LAST) if name == "position" else (0, 1 if name == "outcome" else LAST)
        if not least <= ends["min"] <= ends["max"] <= most:
            return False
    views = piece.column("views") if "views" in piece.column_names else 1
    return not any(
        pc.any(pc.greater(piece.column(name), views)).as_py()
        for name in WITHIN_VIEWS
        if name in piece.column_names
    )


def slow_pieces(log: LogTable) -> Iterator[Any]:
    """The rows, one by one. BadInput, after all of them, names every faulty one."""
    import pyarrow as pa

    table = read_table(log.path, log.layout)
    faults: list[Fault] = []
    more = 0
    rows = iter(table.rows)
    while part := list(islice(rows, ROWS)):
        columns: dict[str, list[Any]] = {name: [] for name in log.names}
        for row in part:
            found = {name: value_of(row, name, log.headers[name]) for name in log.names}
            for name, what, kind in _odd(found):
                more += 1
                if len(faults) < MOST_FAULTS:
                    faults.append(Fault(table.where(row), f"{name}: {what}", kind))
            for name, value in found.items():
                columns[name].append(None if isinstance(value, Odd) else value)
        if not faults:
            yield pa.table(
                {name: pa.array(values, _type(name, several=False)) for name, values in columns.items()}
            )
    if faults:
        rest = more - len(faults)
        raise BadInput([*faults, *([Fault("", f"and {rest:,} more")] if rest else [])])


def _odd(found: Mapping[str, Any]) -> Iterator[tuple[str, str, str]]:
    """What is wrong with a row: the name, the fault, and its kind."""
    yield from ((name, value.what, name) for name, value in found.items() if isinstance(value, Odd))
    yield from ((name, what, f"{name} of views") for name, what in impossible(found))
