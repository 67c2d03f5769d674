"""Langfuse and Phoenix: read the scores and annotations that people gave there. Writing is not possible."""

from collections.abc import Callable
from pathlib import Path

from harness.errors import BadInput
from harness.golden.rating.exchange.outgoing import Outgoing
from harness.golden.rating.exchange.responses import Collected, Named, Response, Source
from harness.golden.scores import FORMS, ScoreForm, scores_in
from harness.storage.formats import read_table
from harness.storage.tables import Table


def reader(name: str) -> Callable[[Source], Collected]:
    """Reads the scores of a tool. BadInput for a file in another form."""
    form = FORMS[name]

    def read(source: Source) -> Collected:
        table = read_table(source.path, source.layout)
        if not form.told(table.columns):
            there = ", ".join(table.columns[:8])
            raise BadInput(f"{source.path}: no scores of {form.title}; its columns are: {there}")
        return _collected(table, form, source)

    return read


def _collected(table: Table, form: ScoreForm, source: Source) -> Collected:
    collected = Collected()
    for one in scores_in(table, form, source.layout):
        if one.kind:
            collected.left_out[one.kind] += 1
            continue
        pair = Named(one.keys, one.query, one.title)
        rater = one.rater or source.rater or ""
        collected.add(Response(one.where, rater, pair, one.grade, reasoning=one.reasoning, at=one.at))
    return collected


def writer(name: str) -> Callable[[Outgoing], dict[Path, str]]:
    """Refuses to write: pairs get there as traces, and scores through an API."""

    def write(_: Outgoing) -> dict[Path, str]:
        raise BadInput(f"{FORMS[name].title} takes no file of pairs or ratings; for a table: --to table")

    return write
