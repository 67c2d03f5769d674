"""Tables as text: CSV in which no cell is a formula, and JSON lines; CSV as Quepid writes it."""

import csv
import io
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.storage.cells import harmless, unquoted
from harness.storage.separated import lines_of
from harness.storage.tables import Layout


def csv_text(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table as CSV; a cell that a spreadsheet would take for a formula has a quote before it."""
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow([harmless(cell) for cell in columns])
    writer.writerows([harmless(cell) for cell in row] for row in rows)
    return text.getvalue()


def csv_of(records: Sequence[Mapping[str, str]], first: Sequence[str] = ()) -> str:
    """Records as CSV, with a column for each key that any of them has."""
    columns = list(dict.fromkeys([*first, *(name for record in records for name in record)]))
    return csv_text(columns, ([record.get(name, "") for name in columns] for record in records))


def lines_text(records: Iterable[Mapping[str, Any]]) -> str:
    """Records as JSON lines."""
    return "".join(json.dumps(record, ensure_ascii=False) + "\n" for record in records)


def csv_header(path: Path, layout: Layout) -> tuple[str, ...]:
    """The header of a CSV file with commas; whatever follows may be of any form."""
    return next((tuple(cells) for _, cells in csv_records(path, layout)), ())


def csv_records(path: Path, layout: Layout) -> Iterator[tuple[int, list[str]]]:
    """The records of a CSV file with commas, each with its line; they may be of any length."""
    reader = csv.reader(lines_of(path, layout.encoding)(), strict=True)
    start = 1
    try:
        for cells in reader:
            if cells:
                yield start, [unquoted(cell.strip()) for cell in cells]
            start = reader.line_num + 1
    except csv.Error as error:
        raise BadInput([Fault(f"{path}, line {start}", f"not CSV: {error}")]) from None
