"""A label set, and the forecast of one, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from harness.report.formats import number, percent
from harness.report.money import forecast_view
from harness.report.parts import columns, indented, table_of, warnings
from harness.scorecards.label_forecast import LabelForecast, MonthOfPairs
from harness.scorecards.labels import CascadeShares, LabelSpending, LabelSummary
from harness.scorecards.money import Span, usd
from harness.storage.plural import plural

STRATA_SHOWN = 20


def labels_view(found: LabelSummary) -> Iterator[RenderableType]:
    """What is in a label set: grades, actions, strata, cost."""
    rows, distinct = plural(found.rows, "row"), plural(found.distinct, "distinct pair")
    teacher = found.model if found.unprompted else f"{found.model} with {found.prompt}"
    if found.cascade:
        teacher = f"{found.cascade.student}, or else {teacher},"
    yield Text(f"{teacher} labels {rows} ({distinct}) by {found.policy}", style="bold")
    if found.proven:
        yield Text(f"Proven by {found.proven}.")
    yield Text(outcomes_sentence(found))
    if found.cascade:
        yield Text(cascade_words(found.cascade))
    share = "share of the traffic" if found.weighted else "share"
    acts = ("action",) if found.actions else ()
    table = columns("grade", "", *acts, "rows", share)
    for one in reversed(found.grades):
        action = (one.action or "",) if acts else ()
        table.add_row(str(one.grade), one.name, *action, f"{one.rows:,}", percent(one.share, 1))
    yield indented(table)
    yield from _actions(found, share)
    yield from _strata(found)
    if money := spending_words(found.spending):
        yield Text(money)
    yield from warnings(found.warnings, above=True)


def cascade_words(found: CascadeShares) -> str:
    """Who answered in a cascade."""
    kept, rows = plural(found.by_student, "row"), plural(found.by_teacher, "row")
    below = f"below a confidence of {found.threshold:.4g}"
    to = f"went to the teacher, {below}"
    return f"Cascade: {found.student} answers {kept}; {rows} ({found.sent:.1%} by weight) {to}."


def _actions(found: LabelSummary, share: str) -> Iterator[RenderableType]:
    rows = ((one.action, f"{one.rows:,}", percent(one.share, 1)) for one in found.actions)
    yield from table_of("action", "rows", share, rows=rows)


def outcomes_sentence(found: LabelSummary) -> str:
    """How the rows ended."""
    counts = found.outcomes
    parts = [f"{counts.graded:,} graded"]
    if counts.ungraded:
        causes = ", ".join(f"{cause} {count:,}" for cause, count in found.causes.items())
        parts.append(f"{counts.ungraded:,} unreadable ({causes})")
    if counts.failed:
        parts.append(f"{counts.failed:,} without an answer")
    if found.shot_query:
        parts.append(f"{found.shot_query:,} flagged and in no share: a shot has the query")
    return f"Rows: {'; '.join(parts)}. Coverage {number(found.coverage)}."


def _strata(found: LabelSummary) -> Iterator[RenderableType]:
    if not found.by_stratum:
        return
    table = columns("stratum", "rows", "coverage", *(one.action for one in found.actions))
    for part in found.by_stratum[:STRATA_SHOWN]:
        shares = (percent(one.share, 1) for one in part.actions)
        name = "(none)" if part.stratum is None else part.stratum
        table.add_row(name, f"{part.rows:,}", number(part.coverage), *shares)
    yield indented(table)
    if more := len(found.by_stratum) - STRATA_SHOWN:
        yield Text(f"... and {plural(more, 'stratum', 'strata')} more") if more > 0 else Text("")


def spending_words(found: LabelSpending) -> str:
    """What the labels cost; empty where there is nothing to pay."""
    if not (found.known or found.unknown or found.reused):
        return ""
    asked = plural(found.asked, "pair")
    reused = f", {found.reused:,} from the reply cache" if found.reused else ""
    if found.unknown >= found.asked and not found.known:
        return f"Cost: unknown for {asked}{reused}."
    others = f"; the others cost {usd(found.known)}"
    cost = f"unknown: {found.reason}{others}" if found.unknown else usd(found.known)
    return f"Cost: {cost} for {asked}{reused}."


def label_forecast_view(found: LabelForecast) -> Iterator[RenderableType]:
    """A dry run: the cost of these pairs, and of a thousand to a billion like them."""
    rows, distinct = plural(found.rows, "row"), plural(found.distinct, "distinct pair")
    answered = f", {found.answered:,} of them answered" if found.answered else ""
    yield Text(f"{rows}, {distinct}{answered}")
    if found.proven:
        yield Text(f"Proven by {found.proven}.")
    if found.cascade:
        kept, sent = plural(found.cascade.kept, "pair"), f"{found.cascade.sent:.1%}"
        yield Text(f"Cascade: {found.cascade.student} is sure of {kept}; {sent} are sent to the teacher.")
    yield from forecast_view(found.forecast)
    if found.table and found.forecast.input_tokens.high:
        yield Text("")
        limits = [f"{value:,} {name}" for name, value in _limits(found) if value]
        yield Text(f"Distinct pairs like these a month{', at ' if limits else ''}{' and '.join(limits)}:")
        yield indented(_months(found))
    yield from warnings(found.warnings, above=True)


def _limits(found: LabelForecast) -> tuple[tuple[str, int | None], ...]:
    return ("requests a minute", found.rpm), ("tokens a minute", found.tpm)


def _months(found: LabelForecast) -> Table:
    """The price and the hours of many pairs."""
    table = columns("pairs", "plain", "cached", "batch", "hours")
    for month in found.table:
        cost = month.cost
        prices = (month_words(span) for span in (cost.plain, cost.cached, cost.batch))
        table.add_row(f"{month.pairs:,}", *prices, hours_words(month))
    return table


def month_words(span: Span | None) -> str:
    """A range of USD with two digits: a forecast is not more exact."""
    return "-" if span is None else f"${_short(span.low)}-{_short(span.high)}"


def hours_words(month: MonthOfPairs) -> str:
    """A range of hours, and which limit sets it."""
    if month.hours is None:
        return "-"
    low, high = _short(month.hours.low), _short(month.hours.high)
    return f"{low if low == high else f'{low}-{high}'} ({month.bound_by})"


def _short(amount: float) -> str:
    for size, letter in ((1e9, "B"), (1e6, "M"), (1e3, "k")):
        if amount >= size:
            return f"{float(f'{amount / size:.2g}'):g}{letter}"
    return f"{float(f'{amount:.2g}'):g}"
