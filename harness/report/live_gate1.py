"""A round's live Gate 1 for a terminal: the progress first, then the figures, and no verdict too early."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.formats import interval, number
from harness.report.gate1 import CAUSES, causes_words, gate1_figures, gate1_view
from harness.report.parts import below, columns, indented, table_of, warnings
from harness.score.few import few_names, lowest
from harness.scorecards.gate1 import Gate1
from harness.scorecards.live_gate1 import LiveGate1, RaterNow
from harness.storage.plural import plural

BLIND = "This shows what raters answered. If you rate in this round, look at it after your own set is sealed."
PRODUCTION = "These are pairs of production: no gate reads their ratings, `harness estimate` does"
FAST = 0.5
"""A rater whose whole interval lies below this part of the others' time is named."""


def live_view(score: LiveGate1, disputes: int = 1, *, every: bool = False) -> Iterator[RenderableType]:
    """The live report; the options as for Gate 1."""
    yield Text(f"Round {score.round} of {score.policy}: {progress_words(score)}", style="bold")
    for line in state_lines(score):
        yield Text(f"{line}.")
    if any(one.sealed_at is None for one in score.raters):
        yield Text(BLIND)
    yield indented(_raters(score))
    yield from _seconds(score)
    for line in pace_lines(score):
        yield below(f"{line}.")
    if score.gate1 and score.complete:
        yield Text("")
        yield from gate1_view(score.gate1, disputes, every=every)
    elif score.gate1:
        yield from gate1_figures(score.gate1, disputes, every=every)
        yield from warnings(score.gate1.warnings, above=True)
    yield from _cited(score)
    yield from _cannot_rate(score)


def progress_words(score: LiveGate1) -> str:
    """How many of the planned ratings are there, and of what kind."""
    parts = [f"{score.given:,} of {plural(score.planned, 'rating')}"]
    if score.cannot:
        parts.append(f"{sum(score.cannot.values()):,} of them without a grade ({causes_words(score.cannot)})")
    if score.later:
        parts.append(f"{score.later:,} put off")
    return ", ".join(parts)


def state_lines(score: LiveGate1) -> Iterator[str]:
    """What is missing, and how much more would decide it: sentences without a full stop."""
    if score.production:
        yield PRODUCTION
    if score.open:
        yield f"{score.open[:1].upper()}{score.open[1:]}"
    if score.reason:
        yield f"No agreement{' yet' if score.open else ''}: {score.reason}"
    if score.open and score.gate1 and (why := no_interval(score.gate1)):
        yield why
    if score.open and score.gate1 and (more := more_items(score.gate1)):
        yield more
    if score.complete and score.unsealed:
        sets = "the set of" if len(score.unsealed) == 1 else "the sets of"
        may = f"not sealed yet, and may still change: {sets} {few_names(score.unsealed)}"
        every = "Everything that was planned is answered"
        yield f"{every}; {may}" if score.given == score.planned else f"{may[:1].upper()}{may[1:]}"
    if score.policy_changed:
        yield score.policy_changed


def no_interval(score: Gate1) -> str | None:
    """Why there is no kappa, or no interval of it; None where there is one."""
    found = score.gated_kappa
    if found.value is None:
        return f"No {score.gated_words} yet: {found.reason.text if found.reason else 'undefined'}"
    if found.ci is None:
        return f"No interval yet: {found.reason.after_no_interval if found.reason else 'unknown'}"
    return None


def more_items(score: Gate1) -> str | None:
    """About how many more items with two ratings would decide it; None where that is not known."""
    if score.items_needed is None:
        return None
    more = score.items_needed - score.gated_kappa.n
    in_all = f" ({score.needed_words} in all)"
    return f"About {plural(more, 'more item')}{in_all} would decide it, at this kappa and design effect"


def pace_lines(score: LiveGate1) -> Iterator[str]:
    """Raters who are much faster than the others on the same pairs: figures, and no judgement of a person."""
    leaning = score.gate1.rater_bias if score.gate1 else ()
    kappas = {one.rater: one.kappa_vs_rest for one in leaning if one.kappa_vs_rest is not None}
    for one in score.raters:
        if one.pace.value is None or one.pace.ci is None or one.pace.ci.high >= FAST:
            continue
        fast = f"{one.rater} takes {one.pace.value:.2f} times as long as the others on the same pairs"
        ends = f"95 % interval {one.pace.ci.low:.2f} to {one.pace.ci.high:.2f}"
        kappa = kappas.get(one.rater)
        least = len(kappas) > 2 and kappa is not None and kappa == min(kappas.values())
        unlike = f", and agrees least with the rest (linear kappa {number(kappa)})" if least else ""
        yield f"{fast} ({ends}){unlike}"


def rater_state(one: RaterNow) -> str:
    """The state of a rater in the round, in a word."""
    if one.sealed_at:
        return "sealed"
    if one.closed_at:
        return "closed"
    return "done" if given(one) == one.assigned else "rating" if given(one) else "not begun"


def given(one: RaterNow) -> int:
    """How many of a rater's assignments are answered."""
    return one.graded + sum(one.cannot.values())


def _raters(score: LiveGate1) -> Table:
    table = columns("rater", "given", "of", "cannot rate", "put off", "state")
    for one in score.raters:
        counts = (given(one), one.assigned, sum(one.cannot.values()), one.later)
        table.add_row(one.rater, *(f"{count:,}" for count in counts), rater_state(one))
    return table


def _seconds(score: LiveGate1) -> Iterator[RenderableType]:
    timed = [one for one in score.raters if one.seconds]
    if not timed:
        return
    table = columns("seconds a pair", "median", "quartiles", "times the others'", "interval")
    for one in timed:
        assert one.seconds is not None, "chosen so"
        quartiles = f"{one.seconds.low:.1f} to {one.seconds.high:.1f}"
        beside = (number(one.pace.value, 2), interval(one.pace.ci, 2) or "-")
        table.add_row(one.rater, f"{one.seconds.median:.1f}", quartiles, *beside)
    yield indented(table)


def _cited(score: LiveGate1) -> Iterator[RenderableType]:
    rows = (
        (one.clause, f"{one.ratings:,}", f"{one.raters:,}", f"{one.items:,}", f"{one.disputed:,}")
        for one in score.cited
    )
    yield from table_of("clauses that raters cite", "ratings", "raters", "items", "in dispute", rows=rows)


def _cannot_rate(score: LiveGate1) -> Iterator[RenderableType]:
    if not score.cannot_rate:
        return
    yield indented(Text(f"Could not be rated: {plural(len(score.cannot_rate), 'pair')}"))
    for one in lowest(score.cannot_rate, lambda one: -sum(map(len, one.causes.values()))):
        why = "; ".join(f"{CAUSES[cause]} {few_names(who)}" for cause, who in one.causes.items())
        yield below(f"{one.query} -> {one.title}: {why}")
