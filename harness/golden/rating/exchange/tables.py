"""Plain tables and JSON lines, which keep everything, and TREC qrels, which keep grades alone."""

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from harness.errors import BadInput
from harness.golden.rating.exchange.outgoing import Outgoing, Task
from harness.golden.rating.exchange.responses import Response
from harness.golden.rating.exchange.texts import csv_of, lines_text
from harness.nouns.pair import query_key

COLUMNS = (
    "item", "query", "title", "rater", "grade", "cannot", "reasoning", "clauses", "policy_version",
    "policy_digest", "at", "milliseconds", "repeat",
)  # fmt: skip


def write_table(out: Outgoing) -> dict[Path, str]:
    """A row for each rating, by the golden ids; for pairs, their codes and texts."""
    if not out.raters:
        return {out.path: _text([{"pair": task.key, **task.texts, **task.under} for task in out.tasks], out)}
    rows = [
        _row(task, item, one, out.policy.version)
        for task in out.tasks
        for item in task.items
        for one in task.answers
    ]
    return {out.path: _text(rows, out, COLUMNS)}


def _text(rows: Sequence[Mapping[str, str]], out: Outgoing, columns: Sequence[str] = ()) -> str:
    """Rows as JSON lines where the file's ending says so, else as CSV."""
    if out.path.suffix.lower() == ".jsonl":
        return lines_text({name: cell for name, cell in row.items() if cell} for row in rows)
    return csv_of(rows, columns)


def _row(task: Task, item: str, one: Response, version: str) -> dict[str, str]:
    return {
        "item": item,
        "query": task.texts["query"],
        "title": task.texts["title"],
        "rater": one.rater,
        "grade": one.grade,
        "cannot": one.cannot,
        "reasoning": one.reasoning,
        "clauses": " ".join(one.clauses),
        "policy_version": version,
        "policy_digest": one.policy_digest,
        "at": one.at,
        "milliseconds": "" if one.milliseconds is None else str(one.milliseconds),
        "repeat": str(one.repeat or 0),
    }


def write_qrels(out: Outgoing) -> dict[Path, str]:
    """TREC qrels: a file for each rater, named by the rater where they are several."""
    if not out.raters:
        raise BadInput("qrels hold grades; for pairs to rate: --to table")
    kept = [(task, one) for task in out.tasks for one in task.answers if one.grade and not task.repeat]
    answers = [one for task in out.tasks for one in task.answers]
    out.left_out["causes why a pair cannot be rated"] += sum(bool(one.cannot) for one in answers)
    out.left_out["a rater's later answers about a pair"] += sum(
        len(task.answers) for task in out.tasks if task.repeat
    )
    out.left_out["reasonings"] += sum(bool(one.reasoning and one.grade) for one in answers)
    topics = _topics(out.tasks)
    files = {}
    for rater in out.raters:
        lines = (_qrel(task, one, topics) for task, one in kept if one.rater == rater)
        files[_path_for(out, rater)] = "".join(lines)
    return files


def _path_for(out: Outgoing, rater: str) -> Path:
    if len(out.raters) == 1:
        return out.path
    return out.path.with_name(f"{out.path.stem}.{re.sub(r'[^A-Za-z0-9_-]', '_', rater)}{out.path.suffix}")


def _topics(tasks: Iterable[Task]) -> dict[str, str]:
    """A number for each query; qrels hold no white space."""
    keys = sorted({query_key(task.texts["query"]) for task in tasks})
    return {key: str(number) for number, key in enumerate(keys, start=1)}


def _qrel(task: Task, one: Response, topics: dict[str, str]) -> str:
    """A line: query, 0, document, grade. An id of two columns holds both; another id is the document."""
    item = task.items[0]
    topic, bar, document = item.partition("|")
    if not (bar and topic and document) or "|" in document or "\\" in item:
        topic, document = topics[query_key(task.texts["query"])], item
    if re.search(r"\s", topic + document):
        raise BadInput(f"{item!r} has white space, which qrels cannot hold; use --to table")
    return f"{topic} 0 {document} {one.grade}\n"
