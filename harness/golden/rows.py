"""Read a table row as the texts of a pair or an example."""

from collections.abc import Sequence
from typing import Any

from harness.errors import BadInput
from harness.storage.tables import RESULT_TEXTS, Layout, Row, Table, joined

JUDGEMENT = ("grade", "reasoning", "clauses", "split", "rater")
"""Columns that a grader must not see."""


def check_attributes(table: Table, layout: Layout, attributes: Sequence[str]) -> None:
    """Refuse attributes that the table lacks, and those that would show graders the answer."""
    unknown = [name for name in attributes if name not in table.columns]
    if unknown:
        there = ", ".join(table.columns)
        raise BadInput(f"--attributes: no column {', '.join(unknown)} (the columns there: {there})")
    answers = {header for name in JUDGEMENT for header in table.find(name, layout)}
    shown = [name for name in attributes if name in answers]
    if shown:
        raise BadInput(f"--attributes: {', '.join(shown)} would show the graders the answer")


def texts_of(table: Table, row: Row, layout: Layout, attributes: Sequence[str]) -> dict[str, Any]:
    """A row's fields besides its grade, under the names of an example."""
    result: dict[str, Any] = {name: text_of(table, row, name, layout) for name in RESULT_TEXTS}
    result["attributes"] = {name: row.text(name) for name in attributes if row.text(name)}
    for prefix in ("attributes.", "result.attributes."):
        result["attributes"] |= _under(prefix, row)
    history = row.cells.get("history")
    return {
        "result": {name: value for name, value in result.items() if value},
        "context": _under("context.", row) or None,
        "history": history if isinstance(history, list) else (),
        "reasoning": text_of(table, row, "reasoning", layout) or "",
        "clauses": listed(row, table.find("clauses", layout)),
        "tags": listed(row, table.find("tags", layout)),
    }


def _under(prefix: str, row: Row) -> dict[str, str]:
    """The cells of an object that an export flattened into columns."""
    names = [column for column in row.cells if column.startswith(prefix) and row.text(column)]
    return {column.removeprefix(prefix): row.text(column) for column in names}


def text_of(table: Table, row: Row, name: str, layout: Layout) -> str | None:
    """A row's cell under one of our names; None where it is empty or absent."""
    return joined(row, table.find(name, layout)) or None


def listed(row: Row, headers: Sequence[str]) -> list[str]:
    """A cell as a list: a JSON list as it is; text split at spaces and commas. Empty without a header."""
    value = row.cells.get(headers[0]) if headers else None
    if isinstance(value, list):
        return [str(part) for part in value]
    return [] if value is None else str(value).replace(",", " ").split()
