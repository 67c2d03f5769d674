"""What a run cost, and what one would cost: the objects that `--json` prints.

Amounts are USD. What is unknown is None, and `reason` says why.
"""

from harness.nouns.base import Noun


class Span(Noun):
    """A number that is known to lie between two."""

    low: float
    high: float


class Prices(Noun):
    """What all requests would cost: as they come, with the prefix from the cache, and both as a batch.

    None where no price is known.
    """

    plain: Span | None = None
    cached: Span | None = None
    batch: Span | None = None
    batch_cached: Span | None = None


class Forecast(Noun):
    """What a run would ask and cost. `prefix_tokens` are those of the constant part of one prompt."""

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
    """What a run cost.

    `asked`: answers that were asked for in this run; `reused`: those that an earlier run had paid for.
    `cost` is None where that of an answer is unknown: `known` is then what the others cost, `unknown` their
    number. `per_hundred` grades, of those asked for. Tokens are None where no answer counted any; `uncounted`
    replies did not. `hit_rate`: the part of the input that came from the provider's cache.
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
    """Attempts without an answer: those that timed out may have been billed."""
    reason: str | None
    warnings: tuple[str, ...] = ()


def usd(amount: float) -> str:
    """An amount in USD: to the cent from a dollar on, below it with as many digits as it takes."""
    if amount < 0:
        return f"-{usd(-amount)}"
    if amount == 0 or amount >= 1:
        return f"${amount:,.2f}"
    if amount >= 0.01:
        cents = f"{amount:.4f}".rstrip("0")
        return f"${float(cents):.2f}" if len(cents) < len("0.00") else f"${cents}"
    return f"${float(f'{amount:.2g}'):.10f}".rstrip("0")
