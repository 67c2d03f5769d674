"""The page of what users do, against the policy, as one HTML file."""

import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.report.next_steps import NextStep
from harness.report.north_star import arm_lines, association_sentence
from harness.report.page.axis import axis_over
from harness.report.page.drawn import DrawnFigure
from harness.report.page.environment import render_page, save_page
from harness.report.signal import (
    KIND_WORDS,
    QUESTION,
    all_contradictions,
    answer_lines,
    facts_lines,
    no_change,
    other_title,
    rate_words,
    rows_words,
    side_words,
)
from harness.scorecards.signal import Propensity, Rung, Signal
from harness.storage.plural import plural

CLAUSES_DRAWN = 15
"""Clauses in the picture: the surest ones. The table has all."""
ROWS = 500
"""Contradictions on the page, the surest first; --json has all."""
SECTIONS = (
    ("answer", "Answer"),
    ("ladder", "Ladder"),
    ("clauses", "By clause"),
    ("contradictions", "Contradictions"),
    ("star", "North star"),
    ("positions", "Positions"),
    ("next", "What to do next"),
    ("made", "What was read"),
)
"""The sections of the page with their names in its navigation."""


def write_signal(path: Path, found: Signal) -> int:
    """Write the page atomically; returns its size in bytes."""
    return save_page(path, render_page("signal.html.j2", signal_data(found), scripts=("tables.js",)))


def signal_data(found: Signal) -> dict[str, Any]:
    """What the page's templates need."""
    clauses = [one for one in found.clauses if one.contradicted]
    beside, star = found.same_side, found.north_star
    every = all_contradictions(found)
    return {
        "title": QUESTION,
        "about": rows_words(found),
        "sections": SECTIONS,
        "found": found,
        "answer": list(answer_lines(found)),
        "no_change": no_change(found),
        "kinds": KIND_WORDS,
        "ladders": list(_ladders(found)),
        "side": {grade: side_words(found, grade) for grade in (*found.hidden, *found.shown)},
        "clauses_drawn": clauses[:CLAUSES_DRAWN],
        "clauses": clauses,
        "groups": [one for one in found.groups if one.contradicted],
        "beside_clauses": [one for one in beside.clauses if one.contradicted],
        "beside_groups": [one for one in beside.groups if one.contradicted],
        "rows": every[:ROWS],
        "row_count": len(every),
        "star_lines": [
            *(association_sentence(one) for one in star.associations),
            *arm_lines(star),
        ],
        "positions": [_place(one) for one in found.propensities],
        "positions_axis": axis_over([(0.0, None), *((one.value, one.ci) for one in found.propensities)]),
        "steps": list(_steps(found)),
        "facts": _facts(found),
        "left_out": list(facts_lines(found)),
    }


def _ladders(found: Signal) -> Iterator[dict[str, Any]]:
    """Each measure's ladder: its title, its picture and its steps."""
    title = f"{found.measure.capitalize()} for each look, by grade"
    ladders = [(title, found.ladder, found.boundaries)]
    ladders += [(other_title(one), one.ladder, one.boundaries) for one in found.others]
    for name, rungs, steps in ladders:
        drawn = [_rung(found, one) for one in reversed(rungs)]
        axis = axis_over([(0.0, None), *((one.value, one.ci) for one in drawn)])
        yield {"title": name, "drawn": drawn, "axis": axis, "steps": list(reversed(steps))}


def _rung(found: Signal, one: Rung) -> DrawnFigure:
    note = f"{plural(one.n, 'pair')}, {plural(one.views, 'view')}"
    return DrawnFigure(f"Grade {one.grade}, {side_words(found, one.grade)}", one.attractiveness, one.ci, note)


def _place(one: Propensity) -> DrawnFigure:
    return DrawnFigure(f"Position {one.position}", one.value, one.ci, f"{plural(one.views, 'view')}")


def _steps(found: Signal) -> Iterator[NextStep]:
    """The steps from contradictions to a new policy version."""
    if not all_contradictions(found):
        yield NextStep("Behaviour contradicts no pair: nothing is to be judged again.")
        return
    sheet = found.sheet or "sheet.jsonl"
    if not found.sheet:
        words = f"harness signal {shlex.quote(found.log)} --labels {shlex.quote(found.labels)} ... -o {sheet}"
        yield NextStep("Write the pairs as a rating plan: the command of this page, with -o.", words)
    yield NextStep("Have people judge them, blind.", rate_words(found, sheet))
    judged = f"harness judged {shlex.quote(sheet)}"
    yield NextStep("See with whom they side, by clause and by boundary.", judged)
    if any(one.contradicted for one in found.clauses):
        first = found.clauses[0]
        of = plural(first.of, "pair that cites it", "pairs that cite it")
        yield NextStep(
            f"Read the clause {first.id} with them: {first.contradicted:,} contradicted, of {of}. "
            "If users are right, the clause changes in a new version of the policy."
        )
    if found.policy:
        policy = shlex.quote(found.policy)
        words = f"harness golden regrade ID --policy {policy} --grade N --reasoning ... --why ..."
        yield NextStep("Where people agree with users on a golden example, change its grade.", words)
    else:
        yield NextStep(f"Where people agree with users, change the grade in {found.labels}.")


def _facts(found: Signal) -> dict[str, str]:
    facts = {
        "log": found.log,
        "rows of the log": f"{found.counts.rows:,}",
        "labels": found.labels,
        "policy": found.policy or "none",
        "hidden grades": ", ".join(map(str, found.hidden)),
        "shown grades": ", ".join(map(str, found.shown)),
        "judged by": found.measure,
        "false discovery rate": f"{found.level:g}",
        "propensities": "from a file" if found.propensities_given else "by pairs of equal grade",
    }
    return facts | ({"rating plan": found.sheet} if found.sheet else {})
