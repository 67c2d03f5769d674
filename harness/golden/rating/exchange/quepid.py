"""Quepid: a case's ratings as CSV, and a book with its judges as JSON or CSV."""

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from pathlib import Path
from typing import Any

from pydantic import Field

from harness.errors import BadInput, Fault
from harness.golden.rating.exchange.outgoing import Outgoing, Task
from harness.golden.rating.exchange.responses import (
    CANNOT,
    Collected,
    Loose,
    Named,
    Response,
    Source,
    text_under,
)
from harness.golden.rating.exchange.texts import csv_header, csv_records, csv_text
from harness.golden.scores import object_in
from harness.nouns.pair import indented_json
from harness.storage.formats import read_table
from harness.storage.plural import plural
from harness.storage.tables import Row, Table, joined

RATINGS = ("query", "docid", "rating")
"""The columns of a case's ratings; a book's CSV has the first two, then one for each judge."""
NOBODY = "Unknown"
"""Quepid's column for judgements without a user, such as of one who was deleted."""


class _Judgement(Loose):
    rating: float | None = None
    unrateable: bool | None = None
    judge_later: bool | None = None
    user_email: str | None = None
    explanation: str | None = None


class _Pair(Loose):
    query_text: str = Field(min_length=1)
    doc_id: str | int
    document_fields: str | dict[str, Any] | None = None
    judgements: list[_Judgement] = Field(default=[])


class _Book(Loose):
    query_doc_pairs: list[Any]


def is_book(content: Any) -> bool:
    """Whether JSON is the export of a book."""
    return isinstance(content, dict) and "query_doc_pairs" in content


def is_ratings(columns: Sequence[str]) -> bool:
    """Whether a table is the ratings of a case. A book's CSV cannot be told for certain."""
    return tuple(columns) == RATINGS


def read(source: Source) -> Collected:
    """The judgements of a book, or a case's ratings."""
    if source.path.suffix.lower() == ".json":
        return _book(source.json(), source)
    columns = csv_header(source.path, source.layout)
    if columns[:2] != RATINGS[:2]:
        there = ", ".join(columns[:8])
        what = f"Quepid's CSV has the columns query, docid, then rating or a judge each; here: {there}"
        raise BadInput([Fault(str(source.path), what)])
    return _case(source) if is_ratings(columns) else _wide(read_table(source.path, source.layout))


def _book(content: Any, source: Source) -> Collected:
    collected, path = Collected(), str(source.path)
    book = collected.read(_Book, content, path)
    for number, entry in enumerate(book.query_doc_pairs if book else (), start=1):
        where = f"{path}, pair {number}"
        pair = collected.read(_Pair, entry, where)
        if pair is None:
            continue
        title = text_under("title", _fields(pair.document_fields), source.layout)
        named = _named(pair.query_text, str(pair.doc_id), title)
        for at, one in enumerate(pair.judgements, start=1):
            _add(one, named, f"{where}, judgement {at}", collected)
    return collected


def _add(one: _Judgement, pair: Named, where: str, collected: Collected) -> None:
    if one.judge_later:
        collected.left_out["to be judged later"] += 1
    elif not one.user_email:
        collected.left_out["judgements without a user"] += 1
    elif one.unrateable:
        cause, _, reasoning = (one.explanation or "").partition(":")
        if cause.strip() in CANNOT:
            collected.add(
                Response(where, one.user_email, pair, cannot=cause.strip(), reasoning=reasoning.strip())
            )
        else:
            collected.left_out["unrateable, without one of our causes in the explanation"] += 1
    else:
        grade = "" if one.rating is None else f"{one.rating:g}"
        collected.add(Response(where, one.user_email, pair, grade, reasoning=one.explanation or ""))


def _fields(fields: str | Mapping[str, Any] | None) -> Mapping[str, Any]:
    """The fields of a document in a book: an object, or its JSON."""
    return object_in(fields) if isinstance(fields, str) else fields or {}


def _named(query: str, docid: str, title: str = "") -> Named:
    """A pair by its document; where that belongs to several queries, its id begins with the query."""
    row = Row(0, {"query": query, "docid": docid})
    return Named((joined(row, ("query", "docid")), docid), query, title)


def _case(source: Source) -> Collected:
    """Ratings of a case. The file does not name the rater. A query without ratings is a line of its own."""
    if not source.rater:
        what = "a case's ratings do not say who rated; add --rater NAME (a book's export has the judges)"
        raise BadInput([Fault(str(source.path), what)])
    collected = Collected()
    for line, cells in islice(csv_records(source.path, source.layout), 1, None):
        where = f"{source.path}, line {line}"
        if len(cells) == len(RATINGS):
            query, docid, rating = cells
            collected.add(Response(where, source.rater, _named(query, docid), rating))
        elif len(cells) == 1:
            collected.left_out["queries without ratings"] += 1
        else:
            collected.faults.append(
                Fault(where, f"{plural(len(cells), 'cell')}; expected {', '.join(RATINGS)}")
            )
    return collected


def _wide(table: Table) -> Collected:
    collected = Collected()
    for row in table.rows:
        named = _named(row.text("query"), row.text("docid"))
        for judge in table.columns[2:]:
            if not row.text(judge):
                continue
            if judge == NOBODY:
                collected.left_out["judgements without a user"] += 1
            else:
                collected.add(Response(f"{table.where(row)}, {judge}", judge, named, row.text(judge)))
    return collected


def write(out: Outgoing) -> dict[Path, str]:
    """A book: as JSON, with explanations; as CSV, a column for each judge; a case's ratings for one rater."""
    tasks = [task for task in out.tasks if not task.repeat]
    out.left_out["a rater's later answers about a pair: Quepid has one for each"] += sum(
        len(task.answers) for task in out.tasks if task.repeat
    )
    if out.path.suffix.lower() == ".json":
        pairs = [_pair(task) for task in tasks]
        scale = sorted(level.value for level in out.policy.grades)
        book = {"name": out.policy.label, "show_rank": False, "support_implicit_judgements": False}
        return {out.path: indented_json({**book, "scale": scale, "query_doc_pairs": pairs})}
    return {out.path: _csv(tasks, out)}


def _pair(task: Task) -> dict[str, Any]:
    fields = {name: text for name, text in task.texts.items() if name != "query"}
    return {
        "query_text": task.texts["query"],
        "doc_id": task.key,
        "position": None,
        "document_fields": json.dumps(fields, ensure_ascii=False),
        "judgements": [_judgement(one) for one in task.answers],
    }


def _judgement(one: Response) -> dict[str, Any]:
    reason = f"{one.cannot}: {one.reasoning}" if one.cannot else one.reasoning
    return {
        "rating": float(one.grade) if one.grade else None,
        "unrateable": bool(one.cannot),
        "judge_later": False,
        "user_email": one.rater,
        "explanation": reason,
    }


def _csv(tasks: Iterable[Task], out: Outgoing) -> str:
    raters = out.raters
    if not raters:
        raise BadInput(f"{out.path}: pairs for Quepid go into a book: -o FILE.json")
    head = RATINGS if len(raters) == 1 else (*RATINGS[:2], *raters)
    rows = []
    for task in tasks:
        grades: dict[str, str] = defaultdict(str, {one.rater: one.grade for one in task.answers})
        out.left_out["causes why a pair cannot be rated"] += sum(bool(one.cannot) for one in task.answers)
        out.left_out["reasonings"] += sum(bool(one.reasoning and one.grade) for one in task.answers)
        if any(grades[rater] for rater in raters):
            rows.append((task.texts["query"], task.key, *(grades[rater] for rater in raters)))
    return csv_text(head, rows)
