"""The page of what people say about pairs that behaviour contradicts, as one HTML file."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.report.judged import (
    QUESTION,
    TITLES,
    about_words,
    answer_lines,
    judged_steps,
    name_of,
    side_words,
    undecided_words,
)
from harness.report.page.axis import axis_over
from harness.report.page.drawn import DrawnFigure
from harness.report.page.environment import render_page, save_page
from harness.report.signal import KIND_WORDS
from harness.scorecards.judged import Judged, Sided
from harness.storage.plural import plural

ROWS = 500
"""Pairs on the page; --json has all."""
DRAWN = 15
"""Groups of a kind in a picture: those with most planned pairs."""


def write_judged(path: Path, found: Judged) -> int:
    """Write the page atomically; returns its size in bytes."""
    return save_page(path, render_page("judged.html.j2", judged_data(found), scripts=("tables.js",)))


def judged_data(found: Judged) -> dict[str, Any]:
    """What the page's template needs."""
    return {
        "title": QUESTION,
        "about": about_words(found),
        "found": found,
        "answer": list(answer_lines(found)),
        "kinds": KIND_WORDS,
        "parts_of": list(_parts(found)),
        "axis": axis_over([(0.0, None), (1.0, None)]),
        "sides": {
            "users": "users",
            "grade": "the label",
            "neither": "neither",
            "undecided": "undecided",
            None: "not judged",
        },
        "said": {one.item: undecided_words(one) for one in found.pairs},
        "rows": found.pairs[:ROWS],
        "steps": list(judged_steps(found)),
    }


def _parts(found: Judged) -> Iterator[dict[str, Any]]:
    """Each grouping: its title, its picture and its rows with the words of each."""
    for by, title in TITLES.items():
        groups = [one for one in found.groups if one.by == by]
        if groups:
            drawn = [
                DrawnFigure(name_of(one), one.users_share, one.users_ci, _note(one)) for one in groups[:DRAWN]
            ]
            rows = [(name_of(one), one, side_words(one)) for one in groups]
            yield {"title": title, "drawn": drawn, "rows": rows}


def _note(one: Sided) -> str:
    return f"{one.judged:,} of {plural(one.planned, 'pair')} judged"
