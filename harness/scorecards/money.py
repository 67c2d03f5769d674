"""The cost of a run, and the forecast of one: the objects that `--json` prints.

Amounts are USD. An unknown amount is None, and `reason` says why.
"""

from harness.nouns.base import Noun


class Span(Noun):
    """A range of a number."""

    low: float
    high: float


class Prices(Noun):
    """The price of all requests: live and as a batch, each without the cache and with the prefix from it.

    None if no price is known.
    """

    plain: Span | None = None
    cached: Span | None = None
    batch: Span | None = None
    batch_cached: Span | None = None


class Forecast(Noun):
    """The forecast of a run. `prefix_tokens` are those of the constant part of one prompt."""

    model: str
    requests: int
    prefix_tokens: Span
    input_tokens: Span
    output_tokens: Span
    cost: Prices
    source: str | None
    reason: str | None
    assumptions: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


class Spending(Noun):
    """The cost of a run.

    `asked`: answers that this run asked for; `reused`: those that an earlier run had paid for. `cost` is
    None if the cost of an answer is unknown: `unknown` counts these answers, and `known` is the cost of the
    others. `per_hundred`: cost per hundred grades asked for. Tokens are None if no reply counted any;
    `uncounted` replies did not. `hit_rate`: the share of the input from the provider's cache.
    """

    asked: int
    reused: int
    cost: float | None
    known: float
    unknown: int
    per_answer: float | None
    per_hundred: float | None
    input_tokens: int | None
    cached_tokens: int | None
    written_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    uncounted: int
    hit_rate: float | None
    unanswered: int
    """Attempts without an answer, of the questions that have a record."""
    lost_calls: int | None = None
    """Calls that brought no answer and may have been billed; None if the run has no call log."""
    batched: int = 0
    """Those of them that are in batches which are not collected yet."""
    lost: float | None = None
    """What they can have cost at most; None if that is unknown."""
    reason: str | None
    warnings: tuple[str, ...] = ()


def usd(amount: float) -> str:
    """An amount in USD: to the cent from one dollar on, below that with as many digits as needed."""
    if amount < 0:
        return f"-{usd(-amount)}"
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    if amount >= 0.01:
        cents = f"{amount:.4f}".rstrip("0")
        return f"${float(cents):.2f}" if len(cents) < len("0.00") else f"${cents}"
    return f"${float(f'{amount:.2g}'):.10f}".rstrip("0")
