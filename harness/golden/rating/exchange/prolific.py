"""Prolific: a survey's table with its participants, and its own list of submissions; pairs for a survey."""

import re
from collections.abc import Iterable
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.golden.rating.exchange.outgoing import Outgoing
from harness.golden.rating.exchange.pseudonyms import PSEUDONYM
from harness.golden.rating.exchange.responses import (
    Collected,
    Response,
    Source,
    answered_in,
    ask_for_grade,
    milliseconds_of,
    pair_named,
    text_under,
)
from harness.golden.rating.exchange.texts import csv_of
from harness.storage.cells import number_of
from harness.storage.formats import read_table
from harness.storage.tables import Row, Table

PARTICIPANT = ("PROLIFIC_PID", "prolific_pid", "Participant id", "participant_id", "prolific_id")
"""The names of a participant's id in surveys."""
SUBMISSION = ("Submission id", "Participant id", "Status")
"""The columns that mark Prolific's own export, which holds no answers."""
ACCEPTED = ("APPROVED", "AWAITING REVIEW")
_PROLIFIC_ID = re.compile(r"[0-9a-f]{24}")


def is_submissions(columns: Iterable[str]) -> bool:
    """Whether a table is Prolific's list of submissions."""
    return set(SUBMISSION) <= set(columns)


def is_survey(columns: Iterable[str]) -> bool:
    """Whether a table is a survey's, with Prolific's participants."""
    return bool({"PROLIFIC_PID", "prolific_pid"} & set(columns))


def read(source: Source) -> Collected:
    """The rows of a survey, one for each answer, of the participants whose submission was accepted."""
    table, collected = read_table(source.path, source.layout), Collected()
    if is_submissions(table.columns) and not is_survey(table.columns):
        what = (
            f"is Prolific's list of submissions; import the survey's table with --submissions {source.path}"
        )
        raise BadInput([Fault(str(source.path), what)])
    column = next(iter(source.layout.columns.get("rater", ())), None)
    column = column or next((name for name in PARTICIPANT if name in table.columns), None)
    if column is None or column not in table.columns:
        there = ", ".join(table.columns[:20])
        what = (
            f"no column {PARTICIPANT[0]}; name the one of the participants: --columns rater=HEADER ({there})"
        )
        raise BadInput([Fault(str(source.path), what)])
    states = _states(source)
    for row in table.rows:
        id_ = row.text(column)
        if not _is_participant(id_):
            collected.left_out["rows without a Prolific id, such as test runs and second headers"] += 1
        elif states is not None and states.get(id_) not in ACCEPTED:
            collected.left_out[f"of submissions that are {states.get(id_, 'not in the list').lower()}"] += 1
        else:
            _add_row(row, id_, table, source, collected)
    ask_for_grade(collected, [name for name in table.columns if name != column], source.layout, source.path)
    return collected


def _is_participant(name: str) -> bool:
    """Whether a text is an id of Prolific, or a pseudonym of this project."""
    return bool(_PROLIFIC_ID.fullmatch(name) or PSEUDONYM.fullmatch(name))


def _add_row(row: Row, id_: str, table: Table, source: Source, collected: Collected) -> None:
    collected.add(
        Response(
            table.where(row),
            id_,
            pair_named(row.cells, source.layout),
            at=text_under("at", row.cells, source.layout),
            milliseconds=_whole(row.text("milliseconds")),
            **answered_in(row.cells, source.layout),
        )
    )


def _whole(text: str) -> int | None:
    number = number_of(text)
    return milliseconds_of(number / 1000) if number is not None else None


def _states(source: Source) -> dict[str, str] | None:
    """Each participant's status from Prolific's list; None without one. An accepted one counts first."""
    if source.submissions is None:
        return None
    table = read_table(source.submissions)
    missing = [name for name in SUBMISSION[1:] if name not in table.columns]
    if missing:
        raise BadInput(
            [Fault(str(source.submissions), f"no column {', '.join(missing)}: not Prolific's list")]
        )
    states: dict[str, str] = {}
    for row in table.rows:
        id_, state = row.text("Participant id"), row.text("Status").upper().replace("_", " ")
        if states.get(id_) not in ACCEPTED:
            states[id_] = state
    return states


def write(out: Outgoing) -> dict[Path, str]:
    """Pairs as a table for a survey; ratings as a survey's table. Raters must be participants of Prolific."""
    if not out.raters:
        return {out.path: csv_of([{"pair": task.key, **task.texts, **task.under} for task in out.tasks])}
    strangers = [rater for rater in out.raters if not _is_participant(rater)]
    if strangers:
        raise BadInput(f"{', '.join(strangers[:5])}: not participants of Prolific; use --to table")
    rows = [
        {
            "PROLIFIC_PID": one.rater,
            "pair": task.key,
            **task.texts,
            **task.under,
            **one.said,
            "at": one.at,
            "milliseconds": "" if one.milliseconds is None else str(one.milliseconds),
        }
        for task in out.tasks
        for one in task.answers
    ]
    return {out.path: csv_of(rows)}
