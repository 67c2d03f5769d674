"""Records under a header become a table, without the empty columns and rows that spreadsheets write."""

from collections.abc import Callable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from harness.errors import Fault, refuse_faults
from harness.storage.cells import unquoted
from harness.storage.plural import plural
from harness.storage.stream import Stream
from harness.storage.tables import Row, Table

Records = Iterator[tuple[int, list[str] | str]]
"""Each record with the line that it starts on: its cells, or a fault, which ends the reading."""


def table_of(path: Path, records: Callable[[], Records], unit: str = "line") -> Table:
    """A table whose records are read again for each pass. BadInput names every record that does not fit.

    A column without a header is left out where it is empty, and named by its place where it is not.
    """
    faults: list[Fault] = []
    header: list[str] = []
    unnamed: list[int] = []
    nameless: set[int] = set()
    count = 0
    for line, cells in told(records()):
        if isinstance(cells, str):
            faults.append(Fault(f"{path}, {unit} {line}", cells))
        elif not header:
            header = [cell.strip() for cell in cells]
            unnamed = [at for at, name in enumerate(header) if not name]
            faults += _header_faults(header, f"{path}, {unit} {line}")
        elif not fits(cells, header):
            faults.append(_ragged(cells, header, f"{path}, {unit} {line}"))
        else:
            count += 1
            nameless |= {at for at in unnamed if at < len(cells) and cells[at].strip()}
    refuse_faults(faults)
    kept = [(at, name or f"column {at + 1}") for at, name in enumerate(header) if name or at in nameless]
    return Table(path, tuple(name for _, name in kept), Stream(lambda: _rows(records(), kept), count), unit)


def told(records: Records) -> Records:
    """The records without those that hold nothing but white space."""
    return (record for record in records if isinstance(record[1], str) or any(map(str.strip, record[1])))


def _width(cells: Sequence[str]) -> int:
    """How many cells a record has up to its last that is not empty."""
    return next((at for at in range(len(cells), 0, -1) if cells[at - 1].strip()), 0)


def fits(cells: Sequence[str], header: Sequence[str]) -> bool:
    """Whether a record has a cell under each header that has a name, and nothing beyond the headers."""
    return len(cells) == len(header) or (len(cells) >= _width(header) and _width(cells) <= len(header))


def _rows(records: Records, kept: Sequence[tuple[int, str]]) -> Iterator[Row]:
    """The records after the header; a first pass has checked them."""
    names, last = [name for _, name in kept], kept[-1][0] if kept else 0
    for line, cells in islice(told(records), 1, None):
        assert not isinstance(cells, str), "the same records were sound"
        if len(names) < len(cells) or len(cells) <= last:
            cells = [cells[at] if at < len(cells) else "" for at, _ in kept]
        if "'" in "".join(cells):  # rare: cell by cell, a long table takes much longer
            cells = list(map(unquoted, cells))
        yield Row(line, dict(zip(names, cells, strict=True)))


def _header_faults(header: Sequence[str], where: str) -> list[Fault]:
    twice = {name for name in header if name and header.count(name) > 1}
    return [Fault(where, f"the header {name!r} comes twice") for name in sorted(twice)]


def _ragged(cells: Sequence[str], header: Sequence[str], where: str) -> Fault:
    named = [name for name in header if name]
    what = f"{plural(len(cells), 'cell')} under {plural(len(header), 'header')}"
    if len(named) == 1 and len(cells) > 1:
        return Fault(where, f"{what}; is {named[0]!r} a title over the table? delete its line")
    if _width(cells) == 1 and len(cells) == 1:
        return Fault(where, f"{what}; is it a remark, not a row? delete it")
    return Fault(where, what)
