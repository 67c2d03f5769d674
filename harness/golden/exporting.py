"""Export a golden set: as CSV for spreadsheets, without history, or as JSON lines, with it."""

import csv
import io
from collections.abc import Sequence

from harness.nouns.pair import Example, Pair
from harness.storage.cells import harmless
from harness.storage.files import to_lines
from harness.storage.tables import RESULT_TEXTS

FORMATS = ("csv", "jsonl")


def export_golden(examples: Sequence[Example], format: str) -> str:
    """The whole set as text in one of FORMATS."""
    if format == "jsonl":
        return "".join(to_lines(examples))
    rows = [_row(example) for example in examples]
    more = dict.fromkeys(n for row in rows for n in row if n.startswith(("attributes.", "context.")))
    columns = ["id", "query", *RESULT_TEXTS, *more, *_JUDGEMENT]
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, restval="")
    writer.writeheader()
    writer.writerows({name: harmless(cell) for name, cell in row.items()} for row in rows)
    return text.getvalue()


_JUDGEMENT = ("grade", "reasoning", "clauses", "policy_version", "split", "tags")


def _row(example: Example) -> dict[str, str]:
    judgement = (
        str(example.grade),
        example.reasoning,
        " ".join(example.clauses),
        example.policy_version,
        example.split,
        " ".join(example.tags),
    )
    shown = {"id": example.id, **texts_shown(example.pair)}
    return shown | dict(zip(_JUDGEMENT, judgement, strict=True))


def texts_shown(pair: Pair) -> dict[str, str]:
    """A pair's texts as columns: what a rater may see."""
    result = {name: text for name in RESULT_TEXTS if (text := getattr(pair.result, name))}
    attributes = {f"attributes.{name}": text for name, text in pair.result.attributes.items()}
    context = {f"context.{name}": text for name, text in (pair.context or {}).items()}
    return {"query": pair.query, **result, **attributes, **context}
