"""Excel workbooks as tables. The only module that uses openpyxl, which is an extra."""

import re
import warnings
import zipfile
from collections.abc import Iterator, Sequence
from datetime import datetime, time
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.grid import Records, table_of
from harness.storage.regular import LARGEST, open_regular, unreadable
from harness.storage.tables import Layout, Table

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MISSING = ("#N/A", "#N/A N/A")
"""What Excel shows for an error."""
MOST_ROWS, MOST_CELLS = 1 << 20, 50_000_000
"""Limits of a sheet: Excel's own, and what can be read in minutes."""


def read_xlsx(path: Path, _: Layout) -> Table:
    """The one sheet of a workbook that holds anything. BadInput for several, and without openpyxl."""
    try:
        # A small file can unpack to any size.
        with open_regular(path) as file, zipfile.ZipFile(file) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > LARGEST:
            raise BadInput.at(path, f"unpacks to more than {LARGEST >> 20} MB; save it as CSV")
        sheets = _sheets(path)
    except (BadInput, MemoryError):
        raise
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error
    except Exception as error:
        # The libraries below raise errors of many kinds for a damaged file.
        what = f"not readable as an Excel workbook: {str(error) or type(error).__name__}"
        raise BadInput.at(path, what) from error
    filled = {name: rows for name, rows in sheets.items() if rows}
    if len(filled) > 1:
        what = f"has several sheets: {', '.join(filled)}; save the one that is meant as a file of its own"
        raise BadInput.at(path, what)
    rows = next(iter(filled.values()), [])
    width = max((len(cells) for _, cells in rows), default=0)

    def records() -> Records:
        return ((number, cells + [""] * (width - len(cells))) for number, cells in rows)

    return table_of(path, records, "row")


def _sheets(path: Path) -> dict[str, list[tuple[int, list[str]]]]:
    """The rows of each sheet that hold anything. BadInput for every row with a cell that has no value."""
    sheets: dict[str, list[tuple[int, list[str]]]] = {}
    faults: list[Fault] = []
    # openpyxl leaves files open that it cannot read; this one is closed.
    with warnings.catch_warnings(), open_regular(path) as file:
        # Warnings about styles and extensions, which hold no cell.
        warnings.simplefilter("ignore")
        written, computed = _book(path, file, data_only=False), _book(path, file, data_only=True)
        for sheet, values in zip(written.worksheets, computed.worksheets, strict=True):
            rows = sheets[sheet.title] = []
            both = zip(_rows(path, sheet), _rows(path, values), strict=True)
            for number, (formulas, cells) in enumerate(both, start=1):
                where = f"{path}, row {number}"
                faults += [Fault(where, what) for what in _without_value(formulas, cells)]
                texts = [_text(cell) for cell in cells]
                if any(texts):
                    rows.append((number, texts))
    refuse_faults(faults)
    return sheets


def _rows(path: Path, sheet: Any) -> Iterator[Sequence[Any]]:
    """The rows of a sheet, whatever size it declares. BadInput for too many."""
    sheet.reset_dimensions()
    count = 0
    for number, cells in enumerate(sheet.iter_rows(), start=1):
        count += len(cells)
        if number > MOST_ROWS or count > MOST_CELLS:
            what = f"more than {MOST_ROWS:,} rows or {MOST_CELLS:,} cells; save it as CSV"
            raise BadInput.at(f"{path}, row {number}", what)
        yield cells


def _without_value(formulas: Sequence[Any], cells: Sequence[Any]) -> Iterator[str]:
    """The faults of a row's formulas: those that no spreadsheet has computed would look empty."""
    for formula, cell in zip(formulas, cells, strict=True):
        if formula.data_type == "f" and cell.value is None:
            yield "a formula without its value; save it in a spreadsheet first"
        elif cell.data_type == "e" and cell.value not in MISSING:
            yield f"the error {cell.value} instead of a value; mend it in a spreadsheet"


def _book(path: Path, file: BinaryIO, *, data_only: bool) -> "Workbook":
    try:
        from openpyxl import load_workbook
    except ImportError:
        what = "Excel workbooks take one more package: pip install 'teacher-harness[xlsx]'; or save it as CSV"
        raise BadInput.at(path, what) from None
    return load_workbook(file, read_only=True, data_only=data_only)


def _text(cell: Any) -> str:
    """A cell as the sheet shows it, as far as that tells values apart: 00123, 10.50, 7%, 2024-01-02."""
    value = cell.value
    if value is None or value in MISSING:
        return ""
    # Without words and colours, which are not signs of the format.
    form = re.sub(r'"[^"]*"|\\.|\[[^\]]*\]', "", str(cell.number_format or ""))
    if isinstance(value, datetime) and value.time() == time() and not re.search("[hs]", form, re.IGNORECASE):
        return str(value.date())
    if not isinstance(value, int | float) or isinstance(value, bool):
        return str(value)
    if "%" in form:
        return f"{value * 100:.15g}%"
    if shown := re.fullmatch(r"(0+)(\.0+)?", form):
        digits = len(shown[2] or ".") - 1
        if round(value, digits) == value:
            return f"{value:0{len(shown[1]) + digits + bool(digits)}.{digits}f}"
    return str(value)
