"""Who drifted, for a terminal, as Markdown, as JUnit XML, and as one line for a webhook."""

import json
from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.formats import interval, number, percent, signed
from harness.report.parts import columns, indented, table_of, warnings
from harness.report.regression import junit_suite, markdown_cell, markdown_table
from harness.scorecards.comparison import Condition
from harness.scorecards.watch import HumanSequence, MeanChange, Mix, Process, Watch, WatchedDay, WatchPower
from harness.storage.plural import plural

QUESTION = "Who drifted, the teacher or the traffic?"
STYLES = {"none": "bold green", None: "bold yellow"}
COARSE = 0.05
"""If the smallest rise that can be found is above this, the text says how to find smaller ones."""
DAY_INTERVALS = (
    "The interval of a day is 95 % for that day alone: on one of 20 quiet days it leaves out 0 by chance. It "
    "is not a test; the evidence over all days is."
)
DAY_COLUMNS = ("day", "loss", "to baseline", "interval", "unread", "teacher", "rows", "traffic")
SHOWN = 10
"""Days of the table: the last ones. --json and the page have all."""


def watch_view(found: Watch) -> Iterator[RenderableType]:
    """The verdict, both processes, the last days, and what the traffic did."""
    yield Text(f"{QUESTION} {watch_words(found)}", style="bold")
    yield Text.assemble((verdict_word(found), STYLES.get(found.verdict, "bold red")), f": {found.reason}.")
    yield from (Text(line) for line in baseline_lines(found))
    yield indented(_processes(found))
    yield from table_of(*DAY_COLUMNS, rows=map(day_cells, found.days[-SHOWN:]))
    if len(found.days) > SHOWN:
        left = plural(len(found.days) - SHOWN, "day")
        yield Text(f"  {left} before; --json has all.", style="dim")
    if any(one.ci for one in found.days):
        yield Text(DAY_INTERVALS, style="dim")
    yield from (Text(line) for line in traffic_lines(found))
    for one in found.model_changes:
        yield Text(f"Another model behind the same name: {one}.", style="yellow")
    yield from warnings(found.warnings, above=True)


def verdict_word(found: Watch) -> str:
    """The verdict in capitals."""
    return (found.verdict or "cannot tell").upper()


def watch_words(found: Watch) -> str:
    """What is watched."""
    return " by ".join(part for part in (found.grader, found.policy) if part) or found.watch


def baseline_lines(found: Watch) -> Iterator[str]:
    """The baseline, and what counts as a drift."""
    if found.baseline:
        one = found.baseline
        pairs = f"{plural(one.n, 'golden pair')} of {plural(one.n_queries, 'query')}"
        looks = plural(one.repeats, "look")
        sure = f" (95 % {interval(one.ci)})" if one.ci else ""
        yield f"Baseline: loss {one.loss:.3f}{sure} over {looks} at {pairs}."
    yield (
        f"A drift of up to {found.delta:g} is tolerated. If nothing drifts further, the teacher alarms with "
        f"a chance of at most {found.alpha / 2:g}, ever; so does the traffic, as far as its first days are "
        "like the later ones."
    )
    if found.finds:
        yield finds_words(found.finds, found.delta)


def finds_words(one: WatchPower, delta: float) -> str:
    """The smallest rise that the watch can find, and how to find smaller ones."""
    if one.shift is None:
        return (
            f"This watch cannot find a worse teacher within {one.days} days, even one that is always wrong: "
            "begin another, with more --sentinels and more --repeats."
        )
    said = (
        f"What it can see: a loss that rises by {one.shift:.2f} or more is found within {one.days} days, in "
        f"{percent(one.power)} of the cases."
    )
    more = (
        "more --repeats, more --sentinels, or a smaller --delta"
        if delta
        else "more --repeats or more --sentinels"
    )
    less = f" To find smaller ones, begin another with {more}."
    return said + (less if one.shift > COARSE else "")


def _processes(found: Watch) -> RenderableType:
    table = columns("process", "evidence", "highest", "alarm from", "alarm on", "")
    for name, one in (("teacher", found.teacher), ("traffic", found.traffic)):
        figures = evidence(one.e_value), evidence(one.highest), f"{one.threshold:g}"
        table.add_row(name, *figures, one.alarmed_at or "-", process_words(one))
    return table


def process_words(one: Process) -> str:
    """What is watched, and the direction of its drift; or why there is no evidence."""
    if one.reason:
        return one.reason.text
    if one.direction is None:
        return "no alarm"
    return f"{one.of}: {one.direction} {one.moved}" if one.moved else one.direction


def evidence(value: float | None) -> str:
    """An e-value, which can be very large."""
    if value is None:
        return "-"
    return f"{value:.2g}" if value < 0.1 or value >= 1000 else f"{value:.2f}"


def day_cells(one: WatchedDay) -> tuple[str, ...]:
    """A day as cells of a table."""
    apart = None if one.loss is None or one.baseline is None else one.loss - one.baseline
    return (
        one.day,
        number(one.loss),
        signed(apart),
        interval(one.ci, 2) or "-",
        f"{one.unread:,}" if one.n else "-",
        evidence(one.teacher_e),
        f"{one.rows:,}" if one.rows else "-",
        evidence(one.traffic_e),
    )


def traffic_lines(found: Watch) -> Iterator[str]:
    """What the traffic did, in sentences under a heading."""
    if found.mixes:
        yield ""
        yield f"The last {plural(found.recent, 'day')} of traffic against its baseline:"
    yield from (f"  {one}" for one in _traffic(found))


def _traffic(found: Watch) -> Iterator[str]:
    yield from map(mix_words, found.mixes)
    if said := grades_words(found):
        yield said
    if found.change:
        yield change_words(found.change)
    if found.humans:
        yield humans_words(found.humans)


def grades_words(found: Watch) -> str | None:
    """A note if the teacher that graded the traffic may have drifted."""
    if not found.mixes:
        return None
    if at := found.teacher.alarmed_at:
        drifted = f"these grades are of a teacher that drifted (alarm on {at})"
        return f"{drifted}: they say nothing about the traffic"
    if found.teacher.e_value is None:
        return "these grades are of a teacher that was not watched: they may have moved with it"
    return None


def mix_words(mix: Mix) -> str:
    """How far a mix moved."""
    most = max(mix.parts, key=lambda part: abs(part.now - part.then))
    return (
        f"{mix.of}: PSI {mix.psi:.3f}, Jensen-Shannon {mix.jensen_shannon:.3f} bits; most in {most.name}, "
        f"{percent(most.then)} to {percent(most.now)}"
    )


def change_words(one: MeanChange) -> str:
    """The change of the mean grade, with Kitagawa's split."""
    said = f"mean grade {number(one.then)} to {number(one.now)}: {signed(one.change)}"
    if one.mix is None or one.within is None:
        return said
    return f"{said} = {signed(one.mix)} by the mix of strata, {signed(one.within)} within them"


def humans_words(one: HumanSequence) -> str:
    """What people's ratings say about the traffic."""
    if one.ci is None:
        return f"people, {one.name}: {number(one.now)}; {one.reason}"
    moved = f"{signed(one.change)} {interval(one.ci)}"
    said = f"people, {one.name}: {number(one.then)} to {number(one.now)}, {moved}"
    return f"{said}, alarm on {one.alarmed_at}" if one.alarmed_at else said


def conditions_of(found: Watch) -> tuple[Condition, ...]:
    """A condition for each process: it fails if the process alarmed. A process without evidence is left out.

    If neither process has evidence, both conditions are open.
    """
    sees_nothing = found.finds is not None and found.finds.shift is None and not found.teacher.alarmed_at
    both = (("the teacher", found.teacher, sees_nothing), ("the traffic", found.traffic, False))
    return tuple(
        Condition(
            name=f"{name} did not drift",
            verdict="fail" if one.alarmed_at else "inconclusive" if one.e_value is None or blind else "pass",
            reason=finds_words(found.finds, found.delta) if blind and found.finds else _condition_words(one),
        )
        for name, one, blind in both
        if one.e_value is not None or found.verdict is None
    )


def _condition_words(one: Process) -> str:
    if one.reason:
        return one.reason.text
    said = f"evidence {evidence(one.highest)} at most, alarm from {one.threshold:g}"
    return f"{said}, reached on {one.alarmed_at} ({process_words(one)})" if one.alarmed_at else said


def junit_text(found: Watch) -> str:
    """A test case for each process."""
    return junit_suite("watch", conditions_of(found), found.reason)


def markdown_text(found: Watch) -> str:
    """The verdict for a job summary."""
    lines = [
        f"## Watch: {verdict_word(found).lower()}",
        "",
        f"{markdown_cell(found.reason)}.",
        "",
        *markdown_table(
            ("process", "evidence", "alarm from", "alarm on", "what"),
            (
                (name, evidence(one.e_value), f"{one.threshold:g}", one.alarmed_at or "-", process_words(one))
                for name, one in (("teacher", found.teacher), ("traffic", found.traffic))
            ),
        ),
        *markdown_table(
            DAY_COLUMNS,
            (tuple(map(markdown_cell, day_cells(one))) for one in found.days[-SHOWN:]),
        ),
        *([f"- {DAY_INTERVALS}"] if any(one.ci for one in found.days) else []),
        *([f"- {finds_words(found.finds, found.delta)}"] if found.finds else []),
        *(f"- {markdown_cell(one)}" for one in _traffic(found)),
        *(f"- Another model behind the same name: {markdown_cell(one)}." for one in found.model_changes),
        *(f"- {markdown_cell(one)}" for one in found.warnings),
    ]
    return "\n".join(lines) + "\n"


def webhook_line(found: Watch) -> str:
    """One line of JSON with a `text`, as chat systems take it."""
    day = found.days[-1].day if found.days else None
    text = f"{verdict_word(found)} on {day}: {found.reason} ({watch_words(found)})"
    if found.model_changes:
        text += f"; {found.model_changes[-1]}"
    return json.dumps({"text": text, "verdict": found.verdict, "day": day}, ensure_ascii=False)
