"""Argilla 2: records as its package exports them (`to_json`, `to_list`, `to_dict`); no suggestions."""

import uuid
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.errors import Fault
from harness.golden.rating.exchange.outgoing import Outgoing, Task, shown_text
from harness.golden.rating.exchange.responses import (
    Collected,
    Loose,
    Response,
    Source,
    answered,
    ask_for_grade,
    pair_named,
    policy_named,
    texts_of,
)
from harness.nouns.pair import indented_json
from harness.storage.formats import read_table

RESPONSES, USERS, STATUS = ".responses", ".responses.users", ".responses.status"
"""The suffix that the flat form adds to a question's name."""
UNSAID = (
    "this form of export does not say which responses are drafts or discarded: every response counts; "
    "export with to_list(flatten=True) where that matters"
)
RATERS = uuid.uuid5(uuid.NAMESPACE_OID, "raters of a golden set")


class _Response(Loose):
    value: Any = None
    user_id: str = Field(min_length=1)
    status: str | None = None


class _Record(Loose):
    id: str | int | None = None
    fields: dict[str, Any] = Field(default={})
    metadata: dict[str, Any] | None = None
    responses: dict[str, list[_Response]] = Field(default={})


def is_records(content: Any) -> bool:
    """Whether JSON holds Argilla's records, in any of its forms."""
    if isinstance(content, dict):
        first = next(iter(content.values()), None)
        return {"fields", "responses"} <= set(content) or _is_record(first)
    return isinstance(content, list) and bool(content) and _is_record(content[0])


def _is_record(entry: Any) -> bool:
    return isinstance(entry, dict) and ({"fields", "responses"} <= set(entry) or is_flat(entry))


def is_flat(columns: Iterable[str]) -> bool:
    """Whether a table is Argilla's flat form."""
    return any(name.endswith(USERS) for name in columns)


def read(source: Source) -> Collected:
    """The responses of an export."""
    collected, questions, unsaid = Collected(), set[str](), 0
    for where, entry in _entries(source, collected):
        record = collected.read(_Record, _nested(entry, where, collected) if is_flat(entry) else entry, where)
        if record is None:
            continue
        questions |= set(record.responses)
        by_user = _by_user(record, where, collected)
        for user, given in by_user.items():
            unsaid += any(one.status is None for one in given.values())
            _add(record, user, given, where, source, collected)
    ask_for_grade(collected, questions, source.layout, source.path)
    if unsaid:
        collected.notes.append(UNSAID)
    return collected


def _entries(source: Source, collected: Collected) -> Iterator[tuple[str, Any]]:
    """Each record with its place, whichever form the file has."""
    path = source.path
    if path.suffix.lower() != ".json":
        table = read_table(path, source.layout)
        yield from ((table.where(row), row.cells) for row in table.rows)
        return
    content = source.json()
    if isinstance(content, dict) and {"fields", "responses"} <= set(content):
        content = _rows(content, path, collected)
    entries = list(content.values()) if isinstance(content, dict) else content
    for number, entry in enumerate(entries if isinstance(entries, list) else (), start=1):
        named = entry.get("id") or number if isinstance(entry, dict) else number
        if isinstance(entry, dict):
            yield f"{path}, record {named}", entry
        else:
            collected.faults.append(Fault(f"{path}, record {named}", "expected a JSON object"))


def _rows(columns: Mapping[str, Any], path: Path, collected: Collected) -> list[dict[str, Any]]:
    """The records of `to_dict`, which lists each field of all records."""
    lists = {name: values for name, values in columns.items() if isinstance(values, list)}
    lengths = {len(values) for values in lists.values()}
    if len(lengths) != 1:
        collected.faults.append(Fault(str(path), "its columns are not equally long"))
        return []
    return [{name: values[at] for name, values in lists.items()} for at in range(lengths.pop())]


def _nested(flat: Mapping[str, Any], where: str, collected: Collected) -> dict[str, Any]:
    """A flat record as a nested one. Fields and metadata are side by side in it."""
    names = [name.removesuffix(USERS) for name in flat if name.endswith(USERS)]
    responses = {}
    for name in names:
        columns = [flat.get(name + part) for part in (RESPONSES, USERS, STATUS)]
        values, users, status = (column if isinstance(column, list) else [] for column in columns)
        if len(values) != len(users) or (status and len(status) != len(users)):
            collected.faults.append(Fault(where, f"{name}: expected equally many values, users and statuses"))
            continue
        said = status or [None] * len(users)
        parts = zip(values, users, said, strict=True)
        responses[name] = [{"value": value, "user_id": user, "status": state} for value, user, state in parts]
    texts = {name: value for name, value in flat.items() if not isinstance(value, list | dict)}
    return {"id": flat.get("id"), "fields": texts, "responses": responses}


def _by_user(record: _Record, where: str, collected: Collected) -> dict[str, dict[str, _Response]]:
    by_user: dict[str, dict[str, _Response]] = defaultdict(dict)
    for question, responses in record.responses.items():
        for one in responses:
            if question in by_user[one.user_id]:
                what = f"{question}: two responses of the user {one.user_id}; export the records again"
                collected.faults.append(Fault(where, what))
            by_user[one.user_id][question] = one
    return by_user


def _add(
    record: _Record,
    user: str,
    given: Mapping[str, _Response],
    where: str,
    source: Source,
    collected: Collected,
) -> None:
    states = {one.status for one in given.values()}
    for state in ("draft", "discarded"):
        if state in states:
            collected.left_out[f"{state} responses"] += 1
            return
    place = f"{where}, user {user}"
    data = {**record.fields, **(record.metadata or {})}
    answers = {name: texts_of(one.value) for name, one in given.items()}
    collected.add(
        Response(
            place,
            _names(record.metadata or {}).get(user, user),
            pair_named(data, source.layout, "" if record.id is None else str(record.id)),
            **answered(answers, source.layout, place, collected),
            **policy_named(data, source.layout),
        )
    )


def _names(metadata: Mapping[str, Any]) -> dict[str, str]:
    """The raters' names by their ids, as `write` notes them."""
    noted = metadata.get("raters")
    pairs = (
        [text.partition(" ") for text in noted if isinstance(text, str)] if isinstance(noted, list) else []
    )
    return {user: name for user, _, name in pairs if name}


def write(out: Outgoing) -> dict[Path, str]:
    """Records, as `Dataset.records.from_json` reads them."""
    answers = [one for task in out.tasks for one in task.answers]
    out.left_out["dates and durations"] += sum(
        bool(one.at) or one.milliseconds is not None for one in answers
    )
    return {out.path: indented_json([_record(task) for task in out.tasks])}


def _record(task: Task) -> dict[str, Any]:
    ids = {one.rater: str(uuid.uuid5(RATERS, one.rater)) for one in task.answers}
    responses: dict[str, list[dict[str, str]]] = defaultdict(list)
    for one in task.answers:
        for name, text in one.said.items():
            if text:
                responses[name].append({"value": text, "user_id": ids[one.rater]})
    named = {"raters": [f"{id_} {name}" for name, id_ in ids.items()]} if ids else {}
    return {
        "id": task.key,
        "fields": {"query": task.texts["query"], "shown": shown_text(task.texts)},
        "metadata": {"pair": task.key, **task.under, **named},
        "suggestions": {},
        "responses": dict(responses),
        "vectors": {},
        "status": "pending",
        "_server_id": None,
    }
