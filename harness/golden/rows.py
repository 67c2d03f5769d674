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


class RowTexts:
    """Reads the rows of a table as the texts of pairs or examples: all but ids, queries and grades.

    The headers are looked up once, since tables are long.
    """

    def __init__(self, table: Table, layout: Layout, attributes: Sequence[str]) -> None:
        shown = {name: table.find(name, layout) for name in RESULT_TEXTS}
        self._results = {name: headers for name, headers in shown.items() if headers}
        self._reasoning, self._clauses, self._tags = (
            table.find(name, layout) for name in ("reasoning", "clauses", "tags")
        )
        self._attributes = attributes
        flat = ("attributes.", "result.attributes.", "context.")
        self._flat = {prefix for prefix in flat if any(name.startswith(prefix) for name in table.columns)}

    def of(self, row: Row) -> dict[str, Any]:
        """A row's texts, under the names of an example."""
        shown = {name: joined(row, headers) for name, headers in self._results.items()}
        result: dict[str, Any] = {name: text for name, text in shown.items() if text}
        attributes = {name: row.text(name) for name in self._attributes if row.text(name)}
        attributes |= self._under("attributes.", row) | self._under("result.attributes.", row)
        history = row.cells.get("history")
        return {
            "result": {**result, "attributes": attributes} if attributes else result,
            "context": self._under("context.", row) or None,
            "history": history if isinstance(history, list) else (),
            "reasoning": joined(row, self._reasoning),
            "clauses": listed(row, self._clauses),
            "tags": listed(row, self._tags),
        }

    def _under(self, prefix: str, row: Row) -> dict[str, str]:
        """The cells of an object that was flattened into columns."""
        if prefix not in self._flat:
            return {}
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
