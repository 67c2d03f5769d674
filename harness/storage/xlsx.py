"""Excel workbooks as tables. The only module that uses openpyxl, which is an extra."""

import re
import warnings
import zipfile
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.grid import table_of
from harness.storage.regular import LARGEST, unreadable
from harness.storage.tables import Layout, Table

if TYPE_CHECKING:
    from openpyxl.workbook import Workbook

MISSING = ("#N/A", "#N/A N/A")
"""What Excel shows where there is no value."""


def read_xlsx(path: Path, _: Layout) -> Table:
    """The one sheet of a workbook that holds anything. BadInput for several, and without openpyxl."""
    try:
        # A small file can unpack to any size.
        with zipfile.ZipFile(path) as parts:
            unpacked = sum(part.file_size for part in parts.infolist())
        if unpacked > LARGEST:
            raise BadInput([Fault(str(path), f"unpacks to more than {LARGEST >> 20} MB; save it as CSV")])
        with warnings.catch_warnings():
            # Of styles and extensions, which hold no cell.
            warnings.simplefilter("ignore")
            _refuse_uncomputed(path)
            sheets = _sheets(path)
    except OSError as error:
        raise BadInput([unreadable(path, error)]) from error
    except (zipfile.BadZipFile, KeyError, ValueError, SyntaxError) as error:
        raise BadInput([Fault(str(path), f"not readable as an Excel workbook: {error}")]) from error
    filled = {name: rows for name, rows in sheets.items() if any(any(cells) for _, cells in rows)}
    if len(filled) > 1:
        what = f"has several sheets: {', '.join(filled)}; save the one that is meant as a file of its own"
        raise BadInput([Fault(str(path), what)])
    rows = next(iter(filled.values()), [])
    return table_of(path, lambda: iter(rows), "row")


def _refuse_uncomputed(path: Path) -> None:
    """BadInput for formulas that no spreadsheet has computed: their cells would look empty."""
    with closing(_book(path, data_only=False)) as written, closing(_book(path)) as computed:
        refuse_faults(
            Fault(f"{path}, row {number}", "a formula without its value; save it in a spreadsheet first")
            for sheet, values in zip(written.worksheets, computed.worksheets, strict=True)
            for number, rows in enumerate(zip(sheet.iter_rows(), values.iter_rows(), strict=True), start=1)
            if any(cell.data_type == "f" and one.value is None for cell, one in zip(*rows, strict=True))
        )


def _sheets(path: Path) -> dict[str, list[tuple[int, list[str]]]]:
    with closing(_book(path)) as book:
        return {
            sheet.title: [
                (number, [_text(cell) for cell in cells])
                for number, cells in enumerate(sheet.iter_rows(), start=1)
            ]
            for sheet in book.worksheets
        }


def _book(path: Path, *, data_only: bool = True) -> "Workbook":
    try:
        from openpyxl import load_workbook
    except ImportError:
        what = "Excel workbooks take one more package: pip install 'teacher-harness[xlsx]'; or save it as CSV"
        raise BadInput([Fault(str(path), what)]) from None
    return load_workbook(path, read_only=True, data_only=data_only)


def _text(cell: Any) -> str:
    """A cell as the sheet shows it, as far as that tells values apart: 00123 by the format 00000, 10.50."""
    value = cell.value
    if value is None or value in MISSING:
        return ""
    shown = re.fullmatch(r"(0+)(\.0+)?", str(cell.number_format or ""))
    if isinstance(value, int | float) and not isinstance(value, bool) and shown:
        digits = len(shown[2] or ".") - 1
        if round(value, digits) == value:
            return f"{value:0{len(shown[1]) + digits + bool(digits)}.{digits}f}"
    return str(value)
