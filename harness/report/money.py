"""The cost of a run and the forecast of one, for a terminal."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.parts import columns, indented, warnings
from harness.scorecards.money import Forecast, Span, Spending, usd
from harness.storage.plural import plural


def forecast_view(found: Forecast) -> Iterator[RenderableType]:
    """A dry run: requests, tokens and prices as ranges."""
    if not found.input_tokens.high:
        why = f"{found.model} runs here" if found.requests else "nothing is left to ask"
        yield Text(f"{plural(found.requests, 'answer')}, and nothing to pay: {why}.")
        yield from warnings(found.warnings)
        return
    yield Text(f"What {found.model} would be asked (nothing was sent)", style="bold")
    table = columns("", "at least", "at most")
    table.add_row("requests", f"{found.requests:,}", f"{found.requests:,}")
    for name, span in (
        ("tokens in", found.input_tokens),
        ("  each constant prefix", found.prefix_tokens),
        ("tokens out", found.output_tokens),
    ):
        table.add_row(name, f"{span.low:,.0f}", f"{span.high:,.0f}")
    for name, cost in (
        ("price, without the cache", found.cost.plain),
        ("price, prefix from the cache", found.cost.cached),
        ("price as a batch, without the cache", found.cost.batch),
        ("price as a batch, prefix from the cache", found.cost.batch_cached),
    ):
        table.add_row(name, *_ends(cost))
    yield indented(table)
    yield Text("")
    yield Text(f"Prices: {found.source}." if found.source else f"Price unknown: {found.reason}.")
    for assumption in found.assumptions:
        yield Text(f"Assumed: {assumption}.", style="dim")
    yield from warnings(found.warnings)


def _ends(cost: Span | None) -> tuple[str, str]:
    return ("unknown", "unknown") if cost is None else (usd(cost.low), usd(cost.high))


def spending_view(found: Spending) -> Iterator[RenderableType]:
    """The cost in a few lines; empty for a grader that costs nothing and counts no tokens."""
    if found.input_tokens is None and not found.known and not found.unknown and not found.reused:
        return
    yield Text(f"Cost: {'unknown: ' if found.cost is None else ''}{cost_words(found)}")
    if found.input_tokens is not None:
        yield Text(f"Tokens: {token_words(found)}")
    if found.reused:
        yield Text(f"{plural(found.reused, 'answer')} came from the reply cache and cost nothing again.")
    if lost := lost_words(found):
        yield Text(lost)
    yield from warnings(found.warnings)


def cost_words(found: Spending) -> str:
    """The cost, or why it is unknown."""
    if found.cost is None:
        others = f"; the other {found.asked - found.unknown:,} cost {usd(found.known)}"
        return f"{found.reason}{others if found.unknown < found.asked else ''}"
    each = f", {usd(found.per_hundred)} per hundred grades" if found.per_hundred is not None else ""
    return f"{usd(found.cost)}{each}"


def lost_words(found: Spending) -> str:
    """What may have been billed without an answer; empty if nothing was."""
    if found.lost_calls is None and found.unanswered:
        lost = plural(found.unanswered, "attempt")
        return f"{lost} brought no answer; one that timed out may have been billed."
    if not found.lost_calls:
        return ""
    most = "An unknown amount" if found.lost is None else f"At most {usd(found.lost)} more"
    out = f", {found.batched:,} of them in batches that are not collected" if found.batched else ""
    return f"{most} may have been billed without an answer, for {plural(found.lost_calls, 'call')}{out}."


def token_words(found: Spending) -> str:
    """Input and output tokens, with the parts that have another price."""
    parts = [f"{found.hit_rate:.0%} from the cache" if found.hit_rate else "none from the cache"]
    if found.written_tokens:
        parts.append(f"{found.written_tokens:,} written to it")
    thought = f" ({found.reasoning_tokens:,} of thinking)" if found.reasoning_tokens else ""
    uncounted = f"; {plural(found.uncounted, 'reply')} without a sound count" if found.uncounted else ""
    return f"{found.input_tokens:,} in ({', '.join(parts)}), {found.output_tokens:,} out{thought}{uncounted}"
