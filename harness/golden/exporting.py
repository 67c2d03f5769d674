"""Export: a golden set as CSV for spreadsheets, or as JSON lines, which lose nothing."""

import csv
import io
from collections.abc import Sequence

from harness.files import to_line
from harness.records import Example
from harness.tables import RESULT_TEXTS

FORMATS = ("csv", "jsonl")


def export_golden(examples: Sequence[Example], format: str) -> str:
    """The whole set as text in one of FORMATS."""
    if format == "jsonl":
        return "".join(to_line(example, sparse=True) for example in examples)
    rows = [_row(example) for example in examples]
    attributes = dict.fromkeys(name for row in rows for name in row if name.startswith("attributes."))
    columns = ["id", "query", *RESULT_TEXTS, *attributes, *_JUDGEMENT]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows({name: harmless(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


_JUDGEMENT = ("grade", "reasoning", "clauses", "policy_version", "split", "tags")


def _row(example: Example) -> dict[str, str]:
    result = {name: getattr(example.result, name) or "" for name in RESULT_TEXTS}
    attributes = {f"attributes.{name}": value for name, value in example.result.attributes.items()}
    judgement = (
        str(example.grade),
        example.reasoning,
        " ".join(example.clauses),
        example.policy_version,
        example.split,
        " ".join(example.tags),
    )
    row = {"id": example.id, "query": example.query}
    return row | result | attributes | dict(zip(_JUDGEMENT, judgement, strict=True))


def harmless(cell: str) -> str:
    """A cell that no spreadsheet takes for a formula: a leading = + - @ is quoted, but for a number's."""
    risky = cell.startswith(("=", "+", "-", "@", "\t", "\r")) and not cell.removeprefix("-").isdigit()
    return f"'{cell}" if risky else cell
