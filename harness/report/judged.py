"""With whom people side on pairs that behaviour contradicts, for a terminal."""

import shlex
from collections.abc import Iterator, Sequence

from rich.console import RenderableType
from rich.text import Text

from harness.nouns.base import Interval
from harness.report.formats import interval, percent
from harness.report.next_steps import NextStep
from harness.report.parts import and_more, below, columns, headed, indented, warnings
from harness.scorecards.judged import Judged, Sided, SidedBy, SidedPair
from harness.storage.plural import plural

QUESTION = "Do people side with users, or with the labels?"
TITLES: dict[SidedBy, str] = {
    "kind": "By what users do",
    "clause": "By clause",
    "boundary": "By boundary (graded 1, against those graded 2: 1|2)",
}
SHORT: dict[str, str] = {
    "wanted_and_hidden": "wanted, hidden",
    "shown_and_refused": "shown, refused",
    "better_than_graded": "better, same side",
    "worse_than_graded": "worse, same side",
}
ROWS = 12
OPEN = 5
"""Undecided pairs that a terminal shows."""


def judged_view(found: Judged) -> Iterator[RenderableType]:
    """The answer, and the same by kind, clause and boundary; then what to do."""
    yield Text(f"{QUESTION} {about_words(found)}", style="bold")
    yield from (Text(line) for line in answer_lines(found))
    for by, title in TITLES.items() if found.all.judged else ():
        yield from _table(title, [one for one in found.groups if one.by == by])
    yield from _undecided(found)
    yield from _steps(found)
    yield from warnings(found.warnings, above=True)


def about_words(found: Judged) -> str:
    """Which pairs, judged by whom."""
    by = f" by {found.policy}" if found.policy else ""
    where = f", round {found.round}" if found.round else ""
    people = ", ".join(found.raters) or "nobody"
    judged = f"{found.all.judged:,} of {plural(found.all.planned, 'planned pair')}"
    return f"{judged} of {plural(found.all.n_queries, 'query')}, judged{by} ({people}{where})"


def answer_lines(found: Judged) -> Iterator[str]:
    """How many side with users, how many with the grade, and which is surely more than half."""
    one = found.all
    if not one.judged:
        yield f"Cannot tell: {one.reason.text if one.reason else ''}."
        return
    yield f"With users: {count_words(one.users, one.users_share, one.users_ci)}."
    yield f"With the label's grade: {count_words(one.grade, one.grade_share, one.grade_ci)}."
    if one.neither:
        yield f"With neither, further off than the label: {one.neither:,}."
    could_not = sum(pair.side == "undecided" and pair.could_not > 0 for pair in found.pairs)
    why = f" ({could_not:,} that one could not grade)" if could_not else ""
    yield f"Undecided: {one.undecided:,}{why}."
    yield f"{people_words(one)}."


def count_words(count: int, share: float | None, ci: Interval | None) -> str:
    """A count with its share and interval."""
    return f"{count:,} ({percent(share)}, {f'95 % {interval(ci)}' if ci else 'no interval'})"


def people_words(one: Sided) -> str:
    """With whom surely more than half of the pairs side, in a sentence."""
    if one.people == "users":
        return "People side with users: surely on more than half"
    if one.people == "grade":
        return "People side with the labels: surely on more than half"
    return (
        f"Cannot tell: {one.reason.text}" if one.reason else "Cannot tell: neither has surely more than half"
    )


def name_of(one: Sided) -> str:
    """The name of a group in a table."""
    return SHORT[one.name] if one.by == "kind" else one.name


def side_words(one: Sided) -> str:
    """Whom people side with, in a word, for a table."""
    return {"users": "users", "grade": "labels", None: "cannot tell"}[one.people]


def _table(title: str, groups: Sequence[Sided]) -> Iterator[RenderableType]:
    if not groups:
        return
    yield from headed(f"{title}:")
    table = columns("", "judged", "users", "interval", "label", "interval", "open")
    for one in groups[:ROWS]:
        users = f"{one.users:,}", interval(one.users_ci, 2)
        grade = f"{one.grade:,}", interval(one.grade_ci, 2)
        table.add_row(name_of(one), f"{one.judged:,}/{one.planned:,}", *users, *grade, f"{one.undecided:,}")
    yield indented(table, above=0)
    yield from and_more(len(groups) - ROWS)


def undecided_words(one: SidedPair) -> str:
    """The grades of a pair on which raters differ, by size and without names."""
    grades = f"grades {', '.join(map(str, one.grades))}" if one.grades else ""
    could_not = f"{one.could_not:,} could not grade it" if one.could_not else ""
    return "; ".join(filter(None, (grades, could_not)))


def _undecided(found: Judged) -> Iterator[RenderableType]:
    left = [one for one in found.pairs if one.side == "undecided"]
    if not left:
        return
    yield from headed("Undecided:")
    for one in left[:OPEN]:
        yield Text(f"  {one.query}: {one.item}: {undecided_words(one)}")
    yield from and_more(len(left) - OPEN)


def judged_steps(found: Judged) -> Iterator[NextStep]:
    """The next steps; no grade changes by itself."""
    policy = f" --policy {shlex.quote(found.policy)}" if found.policy else ""
    if found.round and found.all.undecided:
        command = f"harness adjudicate{policy} --round {found.round}"
        yield NextStep("Decide the pairs on which the raters do not agree.", command)
    clauses = [one for one in found.groups if one.by == "clause"]
    if wrong := [one.name for one in clauses if one.people == "users"]:
        named = ", ".join(wrong)
        yield NextStep(
            f"Read {named}: people side with users there. Where they grade by the clause, the grader "
            "slipped; otherwise reword it in a new version of the policy."
        )
    if right := [one.name for one in clauses if one.people == "grade"]:
        yield NextStep(
            f"Leave {', '.join(right)}: people side with the labels; users click what they then do not want."
        )
    if found.round and found.all.judged:
        command = f"harness golden add{policy} --round {found.round}"
        yield NextStep("Add the judged pairs to the golden set.", command)
    if found.all.users:
        yield NextStep(
            "Regrade the golden examples that this shows to be wrong, all at once.",
            "harness golden regrade --file regraded.csv --why ...",
        )


def _steps(found: Judged) -> Iterator[RenderableType]:
    steps = list(judged_steps(found))
    if not steps:
        return
    yield from headed("What to do (no grade changes by itself):")
    for step in steps:
        yield below(step.words)
        if step.command:
            yield below(step.command, by=4)
