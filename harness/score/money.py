"""The cost of a run, from its records."""

from dataclasses import dataclass, field

from harness.nouns.records import Grade, Record, Reply, Usage
from harness.pricing.tokens import tokens_of
from harness.pricing.vendors import vendor_of
from harness.runs.batch_log import batches_out
from harness.runs.call_log import CALLS, unanswered_calls
from harness.runs.folder import Run
from harness.runs.paid import PaidAnswers
from harness.scorecards.money import Spending
from harness.storage.files import read_text
from harness.storage.plural import plural

HANDFUL = 10
"""With fewer answers there is no cache warning: the first requests always miss the cache."""
LOW = 0.5
"""A smaller share of the prefixes read from the cache raises a warning."""
COUNTED = ("input_tokens", "cached_tokens", "written_tokens", "output_tokens", "reasoning_tokens")
"""The token counts of `Usage` to sum."""


@dataclass(slots=True)
class Sums:
    """Running totals over a run's records, so that a long run is never held in memory."""

    answered: int = 0
    reused: int = 0
    graded: int = 0
    known: float = 0.0
    unknown: int = 0
    unanswered: int = 0
    counted: int = 0
    uncounted: int = 0
    tokens: dict[str, int] = field(default_factory=lambda: dict.fromkeys(COUNTED, 0))
    paid: PaidAnswers = field(default_factory=PaidAnswers)

    def add(self, record: Record) -> None:
        """Add one record."""
        if record.cached_reply:
            self.reused += 1
            return
        if record.reply is None:
            self.unanswered += record.attempts
        for sign, one in self.paid.take(record):
            self._add(one, sign)

    def _add(self, record: Record, sign: int) -> None:
        replies = [reply for reply in (record.reply, record.unread) if reply]
        self.unanswered += sign * max(0, record.attempts - len(replies))
        self.answered += sign
        self.graded += sign * isinstance(record.outcome, Grade)
        self.known += sign * (record.cost or 0.0)
        self.unknown += sign * (record.cost is None)
        for reply in replies:
            self._count(reply, sign)

    def _count(self, reply: Reply, sign: int) -> None:
        if reply.usage is None:
            self.uncounted += sign
            return
        self.counted += sign
        for name in self.tokens:
            self.tokens[name] += sign * getattr(reply.usage, name)

    @property
    def used(self) -> Usage | None:
        """The total tokens; None if no reply counted any."""
        # The totals of a long run exceed the limit of one answer.
        return Usage.model_construct(None, **self.tokens) if self.counted else None


def spending(run: Run, sums: Sums) -> Spending:
    """The tokens and the cost of a run's answers. Answers from an earlier run cost nothing again."""
    used, answered = sums.used, sums.answered
    cost = None if sums.unknown else sums.known
    out = _out(run)
    lost_calls, lost = _lost(run, sums, out)
    return Spending(
        asked=answered,
        reused=sums.reused,
        cost=cost,
        known=sums.known,
        unknown=sums.unknown,
        per_answer=cost / answered if cost is not None and answered else None,
        per_hundred=100 * cost / sums.graded if cost is not None and sums.graded else None,
        **{name: getattr(used, name, None) for name in COUNTED},
        uncounted=sums.uncounted,
        hit_rate=used.cached_tokens / used.input_tokens if used and used.input_tokens else None,
        unanswered=sums.unanswered,
        lost_calls=lost_calls,
        batched=len(out),
        lost=lost,
        reason=_reason(answered, sums),
        warnings=_warnings(run, used, answered),
    )


def _out(run: Run) -> list[float | None]:
    """USD that each question in a batch that is not collected can cost at most; None where unknown."""
    batches = batches_out(run.folder)
    answered = {record.key: record.at for record in run.each_record()} if batches else {}
    return [batch.worst for batch in batches for key in batch.keys if answered.get(key, "") < batch.meant_at]


def _lost(run: Run, sums: Sums, out: list[float | None]) -> tuple[int | None, float | None]:
    """The calls without an answer that may have been billed, and what they can have cost at most, in USD.

    None if there is no log; the amount is unknown if a call had no known price, or if the run was begun by an
    old version: the records then have more attempts than the log. (A question that a batch ended without has
    an attempt and no line.) `out`: what is in batches that are not collected.
    """
    if not (run.folder / CALLS).exists() and not out:
        return None, None
    found = unanswered_calls(run.folder, sums.paid.answers)
    attempts = 0 if run.manifest.waited else sums.unanswered - found.free
    worst = [one for one in (*(call.worst for call in found.calls), *out) if one is not None]
    calls = len(found.calls) + len(out)
    return max(calls, attempts), sum(worst) if len(worst) == calls >= attempts else None


def _reason(answered: int, sums: Sums) -> str | None:
    if sums.unknown:
        if sums.counted and not sums.uncounted:
            # Every reply has counted its tokens: only the price can be missing.
            return f"the price of {plural(sums.unknown, 'answer')} is unknown"
        return f"the price or the tokens of {plural(sums.unknown, 'answer is', 'answers are')} unknown"
    if not answered:
        return "nothing was asked for"
    return None if sums.graded else "no answer was a grade"


def _warnings(run: Run, used: Usage | None, answers: int) -> tuple[str, ...]:
    """A warning if the provider's cache should have held the prefix but mostly did not."""
    asked = run.manifest.asked
    vendor = vendor_of(run.manifest.vendor, asked.model, asked.base_url)
    prefix = run.folder / "prefix.txt"
    if vendor is None or used is None or answers <= HANDFUL or not prefix.exists():
        return ()
    least = tokens_of(read_text(prefix, links=False)).low
    if least < vendor.caches_from[1] or used.cached_tokens >= LOW * least * (answers - 1):
        return ()
    return (
        f"only {used.cached_tokens / used.input_tokens:.0%} of the input came from {vendor.title}'s cache, "
        f"though the constant prefix is long enough for it (at least {least:,.0f} tokens)",
    )
