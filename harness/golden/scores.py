"""Scores of Langfuse and annotations of Phoenix, as their exports and their APIs write them: one in a row.

A table in one of the two forms becomes a table of grades: item, rater, grade, reasoning. The forms, and where
they are documented: docs/observability.md.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import BadInput, Fault
from harness.golden.rating.sheet import CODE_LENGTH
from harness.storage.cells import present
from harness.storage.formats import read_table
from harness.storage.tables import Layout, Row, Table, joined

TOLD = ("pair", "item", "query", "title")
"""The metadata keys that may name what was scored."""


class Score(NamedTuple):
    """One score: its `name`, its value, its rater, and what was scored.

    `keys`: what names the pair, the surest first. `kind` says why it cannot be a grade; empty if it can.
    """

    where: str
    line: int
    name: str
    grade: str
    rater: str
    keys: tuple[str, ...]
    query: str = ""
    title: str = ""
    reasoning: str = ""
    at: str = ""
    kind: str = ""


@dataclass(frozen=True, slots=True)
class ScoreForm:
    """How one tool writes its scores. `names`: the columns that may hold the name of the score."""

    title: str
    told: Callable[[tuple[str, ...]], bool]
    names: tuple[str, ...]
    read: Callable[[Mapping[str, Any], Layout], dict[str, Any]]


def _is_langfuse(columns: tuple[str, ...]) -> bool:
    there = set(columns)
    return (
        {"name", "value", "source"} <= there
        and bool(there & {"dataType", "data_type"})
        and "grade" not in there  # a table of grades, whatever else it has
    )


def _is_phoenix(columns: tuple[str, ...]) -> bool:
    there = set(columns)
    results = {"score", "label", "result", "result.score", "result.label"}
    named = "annotator_kind" in there and bool(there & {"name", "annotation_name"})
    return named and bool(there & results) and "grade" not in there


def _langfuse(cells: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    kind = _text(cells, "dataType", "data_type").upper()
    value, words = _text(cells, "value"), _text(cells, "stringValue", "string_value")
    # The value of a category is its place in a list: only its name has a meaning.
    grade = (words or value) if kind == "CATEGORICAL" else _number(value)
    why = "" if kind in ("NUMERIC", "BOOLEAN", "CATEGORICAL", "") else "texts and corrections"
    ids = ("traceId", "trace_id", "subject.traceId", "observationId", "observation_id", "subject.id")
    return {
        "grade": grade,
        "kind": why,
        "rater": _text(cells, "authorUserName", "authorUserId", "author_user_id")
        or ("" if _text(cells, "source") == "ANNOTATION" else _text(cells, "source")),
        "keys": _ids(cells, ids),
        "reasoning": _text(cells, "comment"),
        "at": _text(cells, "timestamp"),
    }


def _phoenix(cells: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    label = _text(cells, "result.label", "label")
    score = _number(_text(cells, "result.score", "score"))
    who = _text(cells, "user_id"), _text(cells, "identifier")
    kind = _text(cells, "annotator_kind")
    return {
        "grade": label if label in layout.labels else score or label,
        "rater": (who[0] or who[1]) if kind == "HUMAN" else who[1] or kind,
        "keys": _ids(cells, ("span_id", "trace_id", "context.span_id")),
        "reasoning": _text(cells, "result.explanation", "explanation"),
        "at": _text(cells, "updated_at", "created_at"),
    }


FORMS: Mapping[str, ScoreForm] = {
    "langfuse": ScoreForm("Langfuse", _is_langfuse, ("name",), _langfuse),
    "phoenix": ScoreForm("Phoenix", _is_phoenix, ("annotation_name", "name"), _phoenix),
}


def form_of(columns: tuple[str, ...]) -> str | None:
    """The form that a table certainly has; None for any other table."""
    return next((name for name, form in FORMS.items() if form.told(columns)), None)


def scores_in(table: Table, form: ScoreForm, layout: Layout) -> list[Score]:
    """The scores whose name is the grade. BadInput if there are several names and none is chosen."""
    found = [_score(row, table, form, layout) for row in table.rows]
    wanted = layout.columns.get("grade", ())
    usable = sorted({one.name for one in found if not one.kind and one.grade})
    if not wanted and len(usable) > 1:
        such = f"--columns grade={usable[0]}"
        what = f"which of its scores is the grade? there are: {', '.join(usable)}; name it: {such}"
        raise BadInput([Fault(str(table.path), what)])
    if wanted and not set(wanted) & {one.name for one in found}:
        there = ", ".join(usable) or "none"
        raise BadInput([Fault(str(table.path), f"no score {' or '.join(wanted)}; there are: {there}")])
    return [one for one in found if not wanted or one.name in wanted]


def _score(row: Row, table: Table, form: ScoreForm, layout: Layout) -> Score:
    cells = {**_metadata(row.cells), **row.cells}
    fields = form.read(cells, layout)
    said = {name: _said(name, cells, layout) for name in TOLD}
    keys = tuple(filter(None, (said["pair"], said["item"], *fields.pop("keys"))))
    name = _text(cells, *form.names)
    return Score(
        table.where(row), row.line, name, keys=keys, query=said["query"], title=said["title"], **fields
    )


def _said(name: str, cells: Mapping[str, Any], layout: Layout) -> str:
    """The value of a row under one of our names, by --columns or in its metadata."""
    named = layout.columns.get(name) or (f"metadata.{name}",)
    return joined(Row(0, {header: present(cells.get(header)) for header in named}), named)


def _metadata(cells: Mapping[str, Any]) -> dict[str, Any]:
    """The metadata of a row of a CSV file, where it is JSON in one cell."""
    text = cells.get("metadata")
    held = object_in(text) if isinstance(text, str) else {}
    return {f"metadata.{name}": value for name, value in held.items() if isinstance(value, str | int | float)}


def object_in(text: str) -> dict[str, Any]:
    """The JSON object that a text is; empty for any other text."""
    try:
        held = json.loads(text)
    except (ValueError, RecursionError):
        return {}
    return held if isinstance(held, dict) else {}


def _text(cells: Mapping[str, Any], *names: str) -> str:
    """The first cell that is not empty."""
    values = (cells.get(name) for name in names)
    return next((str(value).strip() for value in values if value is not None and str(value).strip()), "")


def _number(text: str) -> str:
    """True and false as one and zero; anything else as it is."""
    return {"true": "1", "false": "0"}.get(text.casefold(), text)


def _ids(cells: Mapping[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    """Ids of traces and spans, then the head of each: in traces of our own runs, the code of the pair."""
    ids = tuple(dict.fromkeys(filter(None, (_text(cells, name) for name in names))))
    return (*ids, *(one[:CODE_LENGTH] for one in ids))


def graded_table(path: Path, layout: Layout) -> tuple[Table, Layout]:
    """A file as a table of grades: scores of Langfuse and Phoenix by their forms, any other as it is."""
    table = read_table(path, layout)
    form = form_of(table.columns)
    if form is None or layout.wide or set(layout.columns.get("grade", ())) & set(table.columns):
        return table, layout
    found = scores_in(table, FORMS[form], layout)
    rows = [Row(one.line, cells) for one, cells in _cells(found)]
    raters = ("rater",) if any(row.cells["rater"] for row in rows) else ()
    columns = ("item", *raters, "grade", "reasoning", "at", "query", "title")
    used = {
        name: headers for name, headers in layout.columns.items() if name not in (*TOLD, "grade", "rater")
    }
    return Table(table.path, columns, rows, table.unit), replace(layout, columns=used)


def _cells(scores: list[Score]) -> Iterator[tuple[Score, dict[str, str]]]:
    for one in scores:
        if not one.kind:
            item = one.keys[0] if one.keys else ""
            told = {"query": one.query, "title": one.title, "reasoning": one.reasoning, "at": one.at}
            yield one, {"item": item, "rater": one.rater, "grade": one.grade, **told}
