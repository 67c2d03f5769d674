"""What a run cost, by its records."""

from collections.abc import Sequence

from harness.records import Grade, Record, Usage
from harness.runs import Run
from harness.scorecards.money import Spending
from harness.tokens import tokens_of
from harness.vendors import vendor_at

HANDFUL = 10
"""With fewer answers nothing is said about the cache: the first ones cannot find anything there."""
LOW = 0.5
"""Less than this part of the prefixes from the cache is worth a warning."""


def spending_of(run: Run) -> Spending:
    """The tokens and the cost of a run's answers. What an earlier run had paid for costs nothing again."""
    asked = [record for record in run.records.values() if not record.cached_reply]
    used, uncounted = _usage(asked)
    answered = [record for record in asked if record.reply is not None]
    costs = [record.cost for record in answered]
    unknown, known = costs.count(None), sum(cost for cost in costs if cost is not None)
    graded = sum(isinstance(record.outcome, Grade) for record in answered)
    cost = None if unknown else known
    return Spending(
        asked=len(answered),
        reused=len(run.records) - len(asked),
        cost=cost,
        known=known,
        unknown=unknown,
        per_answer=cost / len(answered) if cost is not None and answered else None,
        per_hundred=100 * cost / graded if cost is not None and graded else None,
        **_tokens(used),
        uncounted=uncounted,
        hit_rate=used.cached_tokens / used.input_tokens if used and used.input_tokens else None,
        unanswered=sum(_unanswered(record) for record in asked),
        reason=_reason(len(answered), graded, unknown),
        warnings=_warnings(run, used, len(answered)),
    )


def _usage(records: Sequence[Record]) -> tuple[Usage | None, int]:
    """All tokens together, None where no reply counted any, and how many replies did not."""
    replies = [reply for record in records for reply in (record.reply, record.unread) if reply]
    counted = [reply.usage for reply in replies if reply.usage]
    uncounted = len(replies) - len(counted)
    if not counted:
        return None, uncounted
    total = {name: sum(getattr(usage, name) for usage in counted) for name in Usage.model_fields}
    return Usage(**total), uncounted


def _tokens(used: Usage | None) -> dict[str, int | None]:
    return dict.fromkeys(Usage.model_fields) if used is None else used.model_dump()


def _unanswered(record: Record) -> int:
    return max(0, record.attempts - (record.reply is not None) - (record.unread is not None))


def _reason(answered: int, graded: int, unknown: int) -> str | None:
    if unknown:
        return f"the price or the tokens of {unknown} answers are unknown"
    if not answered:
        return "nothing was asked for"
    return None if graded else "no answer was a grade"


def _warnings(run: Run, used: Usage | None, answers: int) -> tuple[str, ...]:
    """A cache that should have held the prefix and did not is money spent for nothing."""
    asked = run.manifest.asked
    vendor = vendor_at(asked.model, asked.base_url)
    prefix = run.folder / "prefix.txt"
    if vendor is None or used is None or answers <= HANDFUL or not prefix.exists():
        return ()
    least = tokens_of(prefix.read_text(encoding="utf-8")).low
    if least < vendor.caches_from[1] or used.cached_tokens >= LOW * least * (answers - 1):
        return ()
    return (
        f"only {used.cached_tokens / used.input_tokens:.0%} of the input came from {vendor.title}'s cache, "
        f"though the constant prefix is long enough for it (at least {least:,.0f} tokens)",
    )
