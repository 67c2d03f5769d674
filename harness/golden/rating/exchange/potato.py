"""Potato: the folder of its answers, and its tabular exports.

Potato 2 keeps a `user_state.json` for each rater, Potato 1 an `annotated_instances.jsonl`.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.errors import BadInput, Fault
from harness.golden.rating.exchange.responses import (
    Collected,
    Loose,
    Named,
    Response,
    Source,
    answered,
    ask_for_grade,
    json_of,
    milliseconds_of,
)
from harness.storage.files import each_json_line
from harness.storage.formats import read_table
from harness.storage.plural import plural

STATE, INSTANCES = "user_state.json", "annotated_instances.jsonl"
MOST_RATERS = 10_000
"""Folders of raters that are read."""
_SPENT = re.compile(r"(\d+)d (\d+)h (\d+)m (\d+)s")
_BY_VALUE = ("", "text_box", "slider", "number", "select-one", "value")
"""Label names under which Potato keeps the answer as the value; elsewhere the name is the answer."""


class _State(Loose):
    user_id: str = Field(min_length=1)
    instance_id_to_label_to_value: dict[str, Any] = Field(default={})
    instance_id_to_behavioral_data: dict[str, Any] = Field(default={})
    origin: dict[str, Any] | None = None


class _Instance(Loose):
    id: str | int | None = None
    instance_id: str | int | None = None
    user: str | None = None
    user_id: str | None = None
    label_annotations: dict[str, Any] | None = None
    labels: dict[str, Any] | None = None
    behavioral_data: dict[str, Any] | None = None
    annotator_origin: dict[str, Any] | None = None


class _One(Loose):
    """One rater's labels of one instance, whichever file holds them."""

    where: str
    rater: str
    instance: str
    labels: Any
    behaviour: Any = None


def is_state(content: Any) -> bool:
    """Whether JSON is Potato's state of one rater."""
    return isinstance(content, dict) and "instance_id_to_label_to_value" in content


def is_instances(columns: Iterable[str]) -> bool:
    """Whether records are Potato's."""
    known = set(columns)
    return {"instance_id", "user_id"} <= known or bool({"label_annotations"} & known)


def is_folder(path: Path) -> bool:
    """Whether a folder holds Potato's answers: a folder for each rater."""
    return (
        any(True for name in (STATE, INSTANCES) for _ in path.glob(f"*/{name}"))
        or (path / INSTANCES).exists()
    )


def read(source: Source) -> Collected:
    """The answers of a folder, of one rater's state, or of an export."""
    collected, questions = Collected(), set[str]()
    for one in _each(source.path, source, collected):
        answers = _answers(one.labels, one.where, collected)
        questions |= set(answers)
        said = answered(answers, source.layout, one.where, collected)
        spent = _spent(one.behaviour)
        collected.add(Response(one.where, one.rater, Named((one.instance,)), milliseconds=spent, **said))
    ask_for_grade(collected, questions, source.layout, source.path)
    return collected


def _each(path: Path, source: Source, collected: Collected) -> Iterator[_One]:
    if path.is_dir():
        files = sorted([*path.glob(f"*/{STATE}"), *path.glob(f"*/{INSTANCES}"), *path.glob(INSTANCES)])
        if not files or len(files) > MOST_RATERS:
            most = plural(MOST_RATERS, "rater")
            what = f"has {plural(len(files), 'file')} of raters; name annotation_output (up to {most})"
            raise BadInput([Fault(str(path), what)])
        for file in files:
            yield from _each(file, source, collected)
    elif path.suffix.lower() == ".json":
        yield from _of_state(path, json_of(path), collected)
    elif path.suffix.lower() in (".jsonl", ".ndjson"):
        yield from _of_lines(path, collected)
    else:
        yield from _of_table(path, source)


def _of_state(path: Path, content: Any, collected: Collected) -> Iterator[_One]:
    state = collected.read(_State, content, str(path))
    if state is None:
        return
    _note_machine(state.user_id, state.origin, collected)
    for instance, labels in state.instance_id_to_label_to_value.items():
        spent = state.instance_id_to_behavioral_data.get(instance)
        where = f"{path}, instance {instance}"
        yield _One(where=where, rater=state.user_id, instance=instance, labels=labels, behaviour=spent)


def _of_lines(path: Path, collected: Collected) -> Iterator[_One]:
    for number, data in each_json_line(path):
        where = f"{path}, line {number}"
        if isinstance(data, Fault):
            collected.faults.append(data)
            continue
        one = collected.read(_Instance, data, where)
        if one is None:
            continue
        rater = one.user_id or one.user or path.parent.name
        instance = one.instance_id if one.instance_id is not None else one.id
        if instance is None:
            collected.faults.append(Fault(where, "no instance_id"))
            continue
        _note_machine(rater, one.annotator_origin, collected)
        labels = one.labels if one.label_annotations is None else one.label_annotations
        yield _One(
            where=where,
            rater=rater,
            instance=str(instance),
            labels=labels or {},
            behaviour=one.behavioral_data,
        )


def _of_table(path: Path, source: Source) -> Iterator[_One]:
    """The CSV export: a column for each label of each question, such as grade.3."""
    table = read_table(path, source.layout)
    for row in table.rows:
        labels: dict[str, dict[str, str]] = {}
        for column in table.columns:
            question, dot, label = column.partition(".")
            if row.text(column) and column not in ("instance_id", "user_id") and not label.startswith("_"):
                labels.setdefault(question, {})[label if dot else ""] = row.text(column)
        yield _One(
            where=table.where(row), rater=row.text("user_id"), instance=row.text("instance_id"), labels=labels
        )


def _answers(labels: Any, where: str, collected: Collected) -> dict[str, list[str]]:
    """The answers to each question; Potato keeps labels as pairs, or as nested objects."""
    answers: dict[str, list[str]] = {}
    for question, label, value in _labels(labels, where, collected):
        if value is None or value is False or value in ("", "false"):
            continue  # 0 is an answer
        by_value = label in _BY_VALUE or label.startswith("scale_")
        answers.setdefault(question, []).append(str(value) if by_value else label)
    return answers


def _labels(labels: Any, where: str, collected: Collected) -> Iterator[tuple[str, str, Any]]:
    if isinstance(labels, dict):
        for question, given in labels.items():
            held = given if isinstance(given, dict) else {"": given}
            yield from ((question, str(label), value) for label, value in held.items())
        return
    for entry in labels if isinstance(labels, list) else [None]:
        match entry:
            case [{"schema": str(question), "name": str(label)}, value]:
                yield question, label, value
            case _:
                collected.faults.append(
                    Fault(where, "unknown form of labels; expected {question: {label: value}}")
                )


def _spent(behaviour: Any) -> int | None:
    """Milliseconds on an instance: Potato 2 counts them, Potato 1 writes them as words."""
    if not isinstance(behaviour, dict):
        return None
    spent = behaviour.get("total_time_ms")
    if isinstance(spent, int) and not isinstance(spent, bool) and spent > 0:
        return milliseconds_of(spent / 1000)
    words = _SPENT.search(str(behaviour.get("time_string", "")))
    if words is None:
        return None
    days, hours, minutes, seconds = map(int, words.groups())
    return milliseconds_of(((days * 24 + hours) * 60 + minutes) * 60 + seconds)


def _note_machine(rater: str, origin: Mapping[str, Any] | None, collected: Collected) -> None:
    if origin and origin.get("kind") != "human":
        note = f"Potato says that {rater} is a machine: import its ratings apart, with --rater and --kind llm"
        if note not in collected.notes:
            collected.notes.append(note)
