"""Label Studio: its JSON, JSON-MIN and CSV exports.

Answers are joined by the names of the controls (`from_name`): grade, cannot, reasoning, clauses. Predictions
and drafts do not count as ratings.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from pydantic import Field

from harness.errors import Fault
from harness.golden.rating.exchange.responses import (
    Collected,
    Loose,
    Response,
    Source,
    answered,
    answered_in,
    ask_for_grade,
    milliseconds_of,
    pair_named,
    policy_named,
    texts_of,
)
from harness.storage.cells import number_of
from harness.storage.formats import read_table
from harness.storage.tables import Table

COLUMNS = ("annotation_id", "annotator", "lead_time")
"""The columns that mark the flat exports."""


class _Person(Loose):
    id: int | None = None
    email: str = ""


class _Answer(Loose):
    from_name: str = ""
    value: dict[str, Any] = Field(default={})


class _Annotation(Loose):
    id: int | str | None = None
    completed_by: int | str | _Person | None = None
    result: list[_Answer] | None = None
    was_cancelled: bool | None = None
    skipped: bool | None = None
    created_at: str | None = None
    lead_time: float | None = None
    parent_prediction: int | None = None


class _Task(Loose):
    id: int | str | None = None
    data: dict[str, Any]
    annotations: list[_Annotation] | None = None
    completions: list[_Annotation] | None = None


def is_tasks(content: Any) -> bool:
    """Whether JSON is a list of Label Studio's tasks."""
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and "data" in first and bool({"annotations", "completions"} & set(first))


def is_flat(columns: Iterable[str]) -> bool:
    """Whether a table is the JSON-MIN or CSV export."""
    return set(COLUMNS) <= set(columns)


def read(source: Source) -> Collected:
    """The ratings of an export."""
    if source.path.suffix.lower() == ".json":
        content = source.json()
        if not _is_min(content):
            return _tasks(content, source)
    return _flat(read_table(source.path, source.layout), source)


def _is_min(content: Any) -> bool:
    first = content[0] if isinstance(content, list) and content else None
    return isinstance(first, dict) and is_flat(first)


def _tasks(content: Any, source: Source) -> Collected:
    collected, seen, questions, from_model = Collected(), dict[str, str](), set[str](), 0
    if not isinstance(content, list):
        collected.faults.append(
            Fault(str(source.path), "expected a list of tasks, as Label Studio exports them")
        )
        return collected
    for number, entry in enumerate(content, start=1):
        named = entry.get("id", number) if isinstance(entry, dict) else number
        where = f"{source.path}, task {named}"
        task = collected.read(_Task, entry, where)
        if task is None:
            continue
        content[number - 1] = None  # files are long: free what is read
        about = _about(task, source)
        for at, one in enumerate(task.annotations or task.completions or (), start=1):
            place = f"{where}, annotation {one.id or at}"
            if not collected.once(seen, one.id, place):
                continue
            if one.was_cancelled or one.skipped:
                collected.left_out["skipped by the rater"] += 1
                continue
            questions |= {answer.from_name for answer in one.result or () if answer.from_name}
            from_model += one.parent_prediction is not None
            collected.add(_said(about, one, place, source, collected))
    ask_for_grade(collected, questions, source.layout, source.path)
    if from_model:
        collected.notes.append(
            f"{from_model:,} of the annotations began as a model's prediction: they are not blind"
        )
    return collected


def _said(about: Response, one: _Annotation, where: str, source: Source, collected: Collected) -> Response:
    answers: dict[str, list[str]] = {}
    for answer in one.result or ():
        answers.setdefault(answer.from_name, []).extend(_texts(answer.value))
    return about._replace(
        where=where,
        rater=_rater(one.completed_by, source),
        at=one.created_at or "",
        milliseconds=milliseconds_of(one.lead_time),
        **answered(answers, source.layout, where, collected),
    )


def _about(task: _Task, source: Source) -> Response:
    """The fields that all annotations of a task share."""
    pair = pair_named(task.data, source.layout)
    return Response("", "", pair, **policy_named(task.data, source.layout))


def _texts(value: Mapping[str, Any]) -> list[str]:
    """The texts of a control: choices, a rating, a number or a text."""
    kinds = ("choices", "rating", "number", "text")
    return next((texts_of(value[kind]) for kind in kinds if kind in value), [])


def _rater(by: int | str | _Person | None, source: Source) -> str:
    """The rater: the e-mail address if the export has it, else the number in Label Studio."""
    if isinstance(by, _Person):
        by = by.email or by.id
    text = "" if by is None else str(by)
    return f"label-studio-{text}" if text.isdigit() else text or source.rater or ""


def _flat(table: Table, source: Source) -> Collected:
    """The JSON-MIN and CSV exports: a row for each annotation, silently without skipped ones."""
    collected, seen = Collected(), dict[str, str]()
    for row in table.rows:
        if not row.text("annotation_id"):
            collected.left_out["tasks without an annotation"] += 1
            continue
        where = f"{table.where(row)}, annotation {row.text('annotation_id')}"
        if not collected.once(seen, row.text("annotation_id"), where):
            continue
        seconds = number_of(row.text("lead_time"))
        collected.add(
            Response(
                where,
                _rater(row.text("annotator"), source),
                pair_named(row.cells, source.layout),
                at=row.text("created_at"),
                milliseconds=milliseconds_of(seconds),
                **answered_in(row.cells, source.layout),
            )
        )
    plain = [name for name in table.columns if name not in COLUMNS]
    if not collected.responses and collected.left_out["without a grade"]:
        ask_for_grade(collected, plain, source.layout, source.path)
    return collected
