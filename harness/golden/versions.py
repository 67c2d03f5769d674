"""Golden grades of a table under one policy version, for rows that keep their history."""

from dataclasses import replace
from typing import Any

from harness.errors import Fault, refuse_faults
from harness.golden.rows import listed, text_of
from harness.nouns.pair import PastGrade, judged_under
from harness.storage.files import build
from harness.storage.tables import Layout, Row, Table


def under_version(table: Table, layout: Layout, version: str) -> Table:
    """The table with each row's grade, reasoning and clauses as that version had them.

    A row without a version applies to all; a row whose history lacks the version stays as it is. BadInput
    names every unreadable history entry.
    """
    if not table.find("policy_version", layout):
        return table
    faults: list[Fault] = []
    rows = [_then(table, row, layout, version, faults) for row in table.rows]
    refuse_faults(faults)
    return replace(table, rows=rows)


def _then(table: Table, row: Row, layout: Layout, version: str, faults: list[Fault]) -> Row:
    history = row.cells.get("history")
    if text_of(table, row, "policy_version", layout) in (None, version) or not isinstance(history, list):
        return row
    past: list[PastGrade] = []
    for number, entry in enumerate(history, start=1):
        found, wrong = _past(entry, f"{table.where(row)}, history[{number}]")
        past += [found] if found else []
        faults += wrong
    today = tuple(listed(row, table.find("clauses", layout)))
    then = judged_under(version, past, text_of(table, row, "reasoning", layout) or "", today)
    if then is None:
        return row
    # Do not add columns that the table lacks today.
    headers = {name: table.find(name, layout) for name in then if name != "rules"}
    cells = {
        header: list(then[name]) if name == "clauses" else then[name]
        for name, found_in in headers.items()
        for header in found_in[:1]
    }
    return Row(row.line, {**row.cells, **cells})


def _past(entry: Any, where: str) -> tuple[PastGrade | None, list[Fault]]:
    if not isinstance(entry, dict):
        return None, [Fault(where, f"not an object: {entry!r}")]
    # Parquet stores None for every key that a row lacks.
    return build(PastGrade, {name: value for name, value in entry.items() if value is not None}, where)
