"""Tables as text: CSV in which no cell is a formula, and JSON lines."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from harness.storage.cells import harmless


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
