"""Label Studio: tasks to import there, with annotations or to be rated, and their labelling interface."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any
from xml.sax.saxutils import quoteattr

from harness.golden.rating.exchange.outgoing import CAUSES, Outgoing, Task, key_of, shown_text
from harness.golden.rating.exchange.responses import Response
from harness.nouns.pair import indented_json


def write(out: Outgoing) -> dict[Path, str]:
    """Tasks, with annotations where ratings are exported, and the labelling interface beside them."""
    tasks = [_task(task) for task in out.tasks]
    return {out.path: indented_json(tasks), out.path.with_suffix(".config.xml"): interface(out)}


def _task(task: Task) -> dict[str, Any]:
    data = {"pair": task.key, **task.texts, "shown": shown_text(task.texts)}
    if not task.answers:
        return {"data": {**data, **task.under}}
    annotations = [
        {
            "completed_by": {"email": one.rater},
            "result": _results(one),
            "was_cancelled": False,
            "created_at": one.at or None,
            "lead_time": None if one.milliseconds is None else one.milliseconds / 1000,
        }
        for one in task.answers
    ]
    return {"data": {**data, **task.under}, "annotations": annotations, "predictions": []}


def _results(one: Response) -> list[dict[str, Any]]:
    kinds = {
        "grade": ("choices", "choices"),
        "cannot": ("choices", "choices"),
        "reasoning": ("textarea", "text"),
        "clauses": ("textarea", "text"),
    }
    return [
        {"from_name": name, "to_name": "shown", "type": kind, "value": {key: [text]}}
        for name, (kind, key) in kinds.items()
        if (text := one.said[name])
    ]


def interface(out: Outgoing) -> str:
    """The labelling interface that belongs to the tasks: grades by their numbers, and why there is none."""
    grades = [
        (f"{level.value} {level.name}".strip(), str(level.value), key_of(level.value))
        for level in sorted(out.policy.grades, key=lambda level: level.value)
    ]
    causes = [(text, cause, "") for cause, text in CAUSES.items()]
    return f"""\
<View>
  <Header value="$query"/>
  <Text name="shown" value="$shown"/>
  <Header value={quoteattr(out.policy.title)}/>
{_choices("grade", grades)}
  <Header value="It cannot be rated:"/>
{_choices("cannot", causes)}
  <TextArea name="clauses" toName="shown" rows="1" maxSubmissions="1" placeholder="clauses"/>
  <TextArea name="reasoning" toName="shown" rows="2" maxSubmissions="1" placeholder="what decided"/>
</View>
"""


def _choices(name: str, choices: Sequence[tuple[str, str, str]]) -> str:
    lines = [
        f"    <Choice value={quoteattr(value)} alias={quoteattr(alias)}"
        + (f" hotkey={quoteattr(key)}/>" if key else "/>")
        for value, alias, key in choices
    ]
    head = f'  <Choices name="{name}" toName="shown" choice="single-radio" showInLine="true">'
    return "\n".join([head, *lines, "  </Choices>"])
