"""Potato: data files to import there, with a configuration, and ratings in the form of its export."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.golden.rating.exchange.outgoing import CAUSES, Outgoing, Task, key_of, shown_text
from harness.golden.rating.exchange.texts import lines_text
from harness.nouns.pair import indented_json


def write(out: Outgoing) -> dict[Path, str]:
    """Ratings as the JSON lines of Potato's export; pairs as its data file, and a configuration."""
    if out.raters:
        return {out.path: lines_text(line for task in out.tasks for line in _lines(task, out))}
    data = [{"id": task.key, "text": shown_text(task.texts)} for task in out.tasks]
    # JSON is YAML too.
    config = indented_json(_config(out)) + "\n"
    return {out.path: lines_text(data), out.path.with_suffix(".config.yaml"): config}


def _lines(task: Task, out: Outgoing) -> Iterator[dict[str, Any]]:
    for one in task.answers:
        chosen = {"grade": {one.grade: one.grade}, "cannot": {one.cannot: one.cannot}}
        written = {"clauses": {"text_box": " ".join(one.clauses)}, "reasoning": {"text_box": one.reasoning}}
        labels = {name: held for name, held in {**chosen, **written}.items() if all(held.values())}
        yield {"instance_id": task.key, "user_id": one.rater, "labels": labels, "spans": {}, "links": {}}
        out.left_out["dates and durations"] += bool(one.at or one.milliseconds is not None)


def _config(out: Outgoing) -> dict[str, Any]:
    grades = [
        {"name": str(level.value), "tooltip": level.name}
        | ({"key_value": key} if (key := key_of(level.value)) else {})
        for level in out.policy.grades
    ]
    causes = [{"name": cause, "tooltip": text} for cause, text in CAUSES.items()]
    return {
        "annotation_task_name": out.policy.title,
        "task_dir": ".",
        "output_annotation_dir": "annotation_output",
        "data_files": [out.path.name],
        "item_properties": {"id_key": "id", "text_key": "text"},
        "annotation_schemes": [
            {"annotation_type": "radio", "name": "grade", "description": "Grade", "labels": grades},
            {
                "annotation_type": "radio",
                "name": "cannot",
                "description": "It cannot be rated",
                "labels": causes,
            },
            {"annotation_type": "text", "name": "clauses", "description": "Clauses"},
            {"annotation_type": "text", "name": "reasoning", "description": "What decided"},
        ],
    }
