"""Amazon Mechanical Turk: the results of a batch; the input of a batch, and a page for its HITs."""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from html import escape, unescape
from pathlib import Path
from typing import Any

from harness.errors import Fault
from harness.golden.rating.exchange.outgoing import CAUSES, Outgoing, Task
from harness.golden.rating.exchange.responses import (
    Collected,
    Response,
    Source,
    answered,
    ask_for_grade,
    milliseconds_of,
    pair_named,
    policy_named,
)
from harness.golden.rating.exchange.texts import csv_of
from harness.storage.cells import number_of
from harness.storage.formats import read_table
from harness.storage.tables import Row

HIT = ("HITId", "AssignmentId", "WorkerId", "AssignmentStatus")
"""The columns that mark the results of a batch."""
_HOURS = {"UTC": 0, "GMT": 0, "PST": -8, "PDT": -7, "EST": -5, "EDT": -4}
_TRUE = ("true", "on", "1", "yes", "x")


def is_batch(columns: Iterable[str]) -> bool:
    """Whether a table is the results of an MTurk batch."""
    return {*HIT[:1], *HIT[2:]} <= set(columns)


def read(source: Source) -> Collected:
    """The assignments of a batch; rejected ones are left out."""
    table, collected, seen = read_table(source.path, source.layout), Collected(), dict[str, str]()
    questions: set[str] = set()
    for row in table.rows:
        where = f"{table.where(row)}, HIT {row.text('HITId')}"
        if not collected.once(seen, row.text("AssignmentId"), where):
            continue
        if row.text("AssignmentStatus").lower() == "rejected" or row.text("Reject"):
            collected.left_out["rejected assignments"] += 1
            continue
        answers = _answers(row, where, collected)
        questions |= set(answers)
        inputs = {name: unescape(text) for name, text in _under("Input.", row).items()}
        collected.add(
            Response(
                where,
                row.text("WorkerId"),
                pair_named(inputs, source.layout),
                at=_when(row.text("SubmitTime")),
                milliseconds=milliseconds_of(number_of(row.text("WorkTimeInSeconds"))),
                **answered(answers, source.layout, where, collected),
                **policy_named(inputs, source.layout),
            )
        )
    ask_for_grade(collected, questions, source.layout, source.path)
    return collected


def _under(prefix: str, row: Row) -> dict[str, str]:
    return {name.removeprefix(prefix): row.text(name) for name in row.cells if name.startswith(prefix)}


def _answers(row: Row, where: str, collected: Collected) -> dict[str, list[str]]:
    """The answers by their questions: Answer.grade, Answer.grade.label, or Answer.grade.3 = true."""
    answers: dict[str, list[str]] = {}
    for name, text in _under("Answer.", row).items():
        question, _, label = name.partition(".")
        if name == "taskAnswers":
            for key, value in _task_answers(text, where, collected).items():
                answers.setdefault(key, []).extend(_chosen(value))
        elif label in ("", "label"):
            answers.setdefault(question, []).extend(filter(None, [text]))
        else:
            answers.setdefault(question, []).extend([label] if text.lower() in _TRUE else [])
    return answers


def _task_answers(text: str, where: str, collected: Collected) -> Mapping[str, Any]:
    """The answers of a crowd form, which come as JSON in one cell."""
    try:
        held = json.loads(text) if text else [{}]
    except (ValueError, RecursionError):
        held = None
    if isinstance(held, list) and len(held) == 1 and isinstance(held[0], dict):
        return held[0]
    collected.faults.append(Fault(where, "Answer.taskAnswers is not a list of one JSON object"))
    return {}


def _chosen(value: Any) -> list[str]:
    if isinstance(value, dict):
        if "label" in value:
            return [str(value["label"])]
        return [str(label) for label, on in value.items() if on is True]
    return [] if value in (None, "") else [str(value)]


def _when(text: str) -> str:
    """MTurk's time, such as Mon Aug 03 08:12:21 PDT 2026, as ISO 8601 in UTC; as it is in another form."""
    zone = next((word for word in text.split() if word in _HOURS), None)
    if zone is None:
        return text
    try:
        hours = f"{_HOURS[zone]:+03d}00"
        there = datetime.strptime(text.replace(f" {zone} ", f" {hours} "), "%a %b %d %H:%M:%S %z %Y")
    except ValueError:
        return text
    return there.astimezone(UTC).isoformat(timespec="seconds")


def write(out: Outgoing) -> dict[Path, str]:
    """Pairs as the input of a batch, with a page for the HITs; ratings in the form of a batch's results."""
    if not out.raters:
        rows = [{"pair": task.key, **_inputs(task), **task.under} for task in out.tasks]
        return {
            out.path: csv_of(rows, ["pair", "query", "title"]),
            out.path.with_suffix(".html"): _page(out, rows),
        }
    answers = [(task, one) for task in out.tasks for one in task.answers]
    rows = [_assignment(number, task, one) for number, (task, one) in enumerate(answers, start=1)]
    return {out.path: csv_of(rows)}


def _inputs(task: Task) -> dict[str, str]:
    """A pair's texts under names that MTurk takes as variables: letters, digits and _.

    MTurk puts them into the page as they are, so that a text must not be HTML.
    """
    return {re.sub(r"\W", "_", name): escape(text, quote=False) for name, text in task.texts.items()}


def _assignment(number: int, task: Task, one: Response) -> dict[str, str]:
    seconds = "" if one.milliseconds is None else f"{one.milliseconds / 1000:g}"
    inputs = {
        f"Input.{name}": text for name, text in {"pair": task.key, **_inputs(task), **task.under}.items()
    }
    return {
        "HITId": task.key,
        "AssignmentId": str(number),
        "WorkerId": one.rater,
        "AssignmentStatus": "Approved",
        "SubmitTime": one.at,
        "WorkTimeInSeconds": seconds,
        **inputs,
        **{f"Answer.{name}": text for name, text in one.said.items()},
    }


def _page(out: Outgoing, rows: Iterable[Mapping[str, str]]) -> str:
    """A page for the HITs of a batch: the pair's texts, the grades, and why there is none."""
    hidden = ("pair", "policy", "policy_digest")
    names = dict.fromkeys(name for row in rows for name in row if name not in hidden)
    shown = "\n".join(f"  <p><b>{name}</b>: ${{{name}}}</p>" for name in names)
    grades = "\n".join(
        f'  <p><label><input type="radio" name="grade" value="{level.value}"> '
        f"{level.value} {escape(level.name)}</label></p>"
        for level in out.policy.grades
    )
    causes = "\n".join(
        f'  <p><label><input type="radio" name="cannot" value="{cause}"> '
        f"It cannot be rated: {text}</label></p>"
        for cause, text in CAUSES.items()
    )
    return f"""\
<script src="https://assets.crowd.aws/crowd-html-elements.js"></script>
<crowd-form>
  <h1>{escape(out.policy.title)}</h1>
{shown}
{grades}
{causes}
  <p><label>What decided: <textarea name="reasoning"></textarea></label></p>
</crowd-form>
"""
