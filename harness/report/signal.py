"""Where what users do contradicts the policy, for a terminal."""

import shlex
from collections.abc import Iterator, Mapping, Sequence

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import ended, interval, number, percent, signed
from harness.report.north_star import star_lines
from harness.report.parts import and_more, columns, entry, headed, indented, table_of, warnings
from harness.scorecards.signal import (
    BETTER,
    REFUSED,
    WANTED,
    WORSE,
    ClauseSignal,
    Contradiction,
    GroupSignal,
    Kind,
    OtherLadder,
    Rung,
    SideTests,
    Signal,
    Step,
)
from harness.storage.plural import plural

QUESTION = "Do users agree with the policy?"
KIND_WORDS: dict[Kind, str] = {
    WANTED: "wanted, and hidden",
    REFUSED: "shown, and refused",
    BETTER: "better than its grade, on the same side",
    WORSE: "worse than its grade, on the same side",
}
SHOWN = 5
"""Contradictions of each kind that a terminal shows."""
CLAUSES = 12
POSITIONS = 10


def signal_view(found: Signal) -> Iterator[RenderableType]:
    """The answer, the ladder, the contradictions with their evidence, by clause, and the north star."""
    yield Text(f"{QUESTION} {rows_words(found)}", style="bold")
    yield from (Text(line) for line in answer_lines(found))
    yield from _ladder(found)
    yield from _contradictions(found)
    yield from _clauses(found)
    yield from star_lines(found.north_star)
    yield from (Text(line) for line in ("", *facts_lines(found), no_change(found)))
    yield from warnings(found.warnings, above=True)


def no_change(found: Signal) -> str:
    """A note that no grade changes by itself, and how people change grades."""
    then = (
        f"harness golden regrade --policy {found.policy} changes the golden grades that they correct."
        if found.policy
        else f"change those that they correct in {found.labels}."
    )
    return f"No grade changes by this: have people judge the pairs (-o FILE writes them), then {then}"


def rate_words(found: Signal, sheet: str) -> str:
    """The command that makes a round of a rating plan; without a policy it takes the project's."""
    policy = f" --policy {shlex.quote(found.policy)}" if found.policy else ""
    return f"harness rate plan{policy} --from {shlex.quote(sheet)} --raters ann,bob --kind human"


def rows_words(found: Signal) -> str:
    """What was counted."""
    counts = found.counts
    by = f" against {found.policy}" if found.policy else ""
    pairs = plural(counts.pairs - counts.unseen, "pair")
    queries = plural(counts.queries, "query")
    events = f"{counts.events:,.0f} {found.measure}"
    return f"{plural(counts.views, 'view')} and {events} of {pairs} of {queries}{by}"


def answer_lines(found: Signal) -> Iterator[str]:
    """How many pairs behaviour contradicts, and which grades it does not tell apart."""
    for one in found.tested:
        yield tested_sentence(one, found.level)
    yield from same_side_sentences(found)
    alike = [one for one in found.boundaries if one.told_apart is False]
    if alike:
        yield f"Behaviour does not tell apart: {', '.join(map(between, alike))}."


def tested_sentence(one: SideTests, level: float) -> str:
    """How many pairs of a kind were tested and found."""
    what = KIND_WORDS[one.kind].capitalize()
    if one.reason:
        return f"{what}: {ended(one.reason)}"
    unseen = f"; {plural(one.unseen, 'pair')} had no view" if one.unseen else ""
    return f"{what}: {one.found:,} of {plural(one.n, 'pair')} (false discovery rate {level:g}){unseen}."


def same_side_sentences(found: Signal) -> Iterator[str]:
    """The same for neighbouring grades that are both shown, or both hidden: a sentence for each kind."""
    for kind, words in KIND_WORDS.items():
        mine = [one for one in found.same_side.tested if one.kind == kind]
        count = f"{sum(one.found for one in mine):,} of {plural(sum(one.n for one in mine), 'pair')}"
        why = "; ".join(f"against grade {one.reference}: {one.reason}" for one in mine if one.reason)
        if mine:
            rate = f"(false discovery rate {found.level:g}, a family of its own)"
            yield f"{words.capitalize()}: {count} {rate}{f'; {why}' if why else ''}."


def between(one: Step) -> str:
    """The two grades of a boundary."""
    return f"{one.between[0]} and {one.between[1]}"


def side_words(found: Signal, grade: int) -> str:
    """Whether the results of a grade are shown."""
    return "hidden" if grade in found.hidden else "shown"


def _ladder(found: Signal) -> Iterator[RenderableType]:
    title = f"{found.measure.capitalize()} for each look, by grade, and the step from the grade below:"
    yield from headed(title)
    yield indented(_rungs(found, found.ladder, found.boundaries))
    for other in found.others:
        yield from headed(f"{other_title(other)}:")
        yield indented(_rungs(found, other.ladder, other.boundaries))


def other_title(other: OtherLadder) -> str:
    """What another measure's ladder shows."""
    what = "Seconds" if other.measure == "dwell" else other.measure.capitalize()
    return f"{what} for each {other.per}, by grade"


def _rungs(found: Signal, rungs: tuple[Rung, ...], steps: tuple[Step, ...]) -> RenderableType:
    table = columns("grade", "", "rate", "interval", "step", "interval", "pairs", "views")
    below = {one.between[1]: one for one in steps}
    for rung in reversed(rungs):
        step = below.get(rung.grade)
        apart = " alike" if step and step.told_apart is False else ""
        rate = number(rung.attractiveness), interval(rung.ci)
        rise = (f"{signed(step.difference)}{apart}", interval(step.ci)) if step else ("", "")
        name = str(rung.grade), side_words(found, rung.grade)
        table.add_row(*name, *rate, *rise, f"{rung.n:,}", f"{rung.views:,}")
    return table


def _contradictions(found: Signal) -> Iterator[RenderableType]:
    for kind, words in KIND_WORDS.items():
        mine = [one for one in all_contradictions(found) if one.kind == kind]
        if not mine:
            continue
        yield from headed(f"{words.capitalize()}, the surest first:")
        for one in mine[:SHOWN]:
            yield from entry(f"{one.query}: {one.item}", evidence(one, found), cited(one))
        if len(mine) > SHOWN:
            yield Text("")
        yield from and_more(len(mine) - SHOWN)


def all_contradictions(found: Signal) -> tuple[Contradiction, ...]:
    """Those across the line, then those on the same side of it; each the surest first."""
    return (*found.contradictions, *found.same_side.contradictions)


def evidence(one: Contradiction, found: Signal) -> str:
    """The evidence about a pair, in a sentence."""
    low, high = one.positions
    where = f"position {low}" if low == high else f"positions {low} to {high}"
    views = plural(one.views, "view")
    return (
        f"graded {one.grade}; {one.events:,.0f} {found.measure} in {views} at {where}: "
        f"{number(one.attractiveness)} {interval(one.ci)} for each look, beside {number(one.median)} of the "
        f"median pair of grade {one.reference} (q {q_words(one.q_value)})"
    )


def q_words(value: float) -> str:
    """A q-value."""
    return "under 0.0001" if value < 0.0001 else f"{value:.2g}"


def cited(one: Contradiction) -> str:
    """The clauses behind a grade."""
    return f"by {', '.join(one.clauses)}" if one.clauses else ""


def _clauses(found: Signal) -> Iterator[RenderableType]:
    yield from _by_clause("By clause", found.clauses, {"wanted": WANTED, "refused": REFUSED})
    yield from _by_group("By boundary (graded 1, against those graded 2: 1|2), stratum and tag", found.groups)
    beside = found.same_side
    yield from _by_clause("By clause, on the same side", beside.clauses, {"better": BETTER, "worse": WORSE})
    yield from _by_group("By boundary, stratum and tag, on the same side", beside.groups)


def _by_clause(
    title: str, clauses: Sequence[ClauseSignal], kinds: Mapping[str, Kind]
) -> Iterator[RenderableType]:
    rows = [
        (one.id, *_share(one), *(f"{getattr(one, kind):,}" for kind in kinds.values()), q_words(one.q_value))
        for one in clauses
        if one.contradicted
    ]
    yield from _most(title, ("clause", "contradicted", "of", "share", *kinds, "q"), rows)


def _by_group(title: str, groups: Sequence[GroupSignal]) -> Iterator[RenderableType]:
    rows = [(one.by, one.name, *_share(one), q_words(one.q_value)) for one in groups if one.contradicted]
    yield from _most(title, ("by", "name", "contradicted", "of", "share", "q"), rows)


def _share(one: ClauseSignal | GroupSignal) -> tuple[str, str, str]:
    return f"{one.contradicted:,}", f"{one.of:,}", percent(one.contradicted / one.of)


def _most(title: str, names: Sequence[str], rows: Sequence[Sequence[str]]) -> Iterator[RenderableType]:
    """The first rows under their title; nothing without a row."""
    if rows:
        yield from headed(f"{title}:")
        yield from table_of(*names, rows=rows[:CLAUSES])
        yield from and_more(len(rows) - CLAUSES)


def facts_lines(found: Signal) -> Iterator[str]:
    """How positions were corrected, and what was left out."""
    counts = found.counts
    if found.propensities_given:
        yield "Positions are corrected by the propensities of the file."
    else:
        known = [one for one in found.propensities if one.value is not None]
        shown = ", ".join(f"{one.position}: {number(one.value, 2)}" for one in known[:POSITIONS])
        rest = f", and {len(known) - POSITIONS:,} more to position {known[-1].position}; --json has all"
        more = rest if len(known) > POSITIONS else ""
        yield f"Looks compared with the first position, from pairs of equal grade: {shown}{more}."
    if counts.left_out_views:
        yield f"{plural(counts.left_out_views, 'view')} at positions without a propensity are left out."
    if counts.ungraded_views:
        yield f"{plural(counts.ungraded_views, 'view')} are of pairs without a grade."
    if counts.unseen:
        yield f"{plural(counts.unseen, 'graded pair')} had no view in this log."
