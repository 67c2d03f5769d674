"""--max-cost: start no call that could take a run over its limit, counting the calls in flight."""

import asyncio
import json
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, Unfinished
from harness.nouns.policy import Policy
from harness.nouns.records import Key, Prompt, Record, Usage
from harness.pricing.prices import NoPrice, Price, cost_of, is_free
from harness.prompting.answer import answer_schema
from harness.providers import PROVIDERS, split_model
from harness.providers.base import LONGEST_ANSWER
from harness.runs.call_log import Call, CallLog, unanswered_calls
from harness.runs.counts import DiskCounts
from harness.runs.paid import PaidAnswers
from harness.runs.record_log import iter_records
from harness.scorecards.money import usd
from harness.storage.plural import plural

ENVELOPE = 1_000
"""Tokens that a server may add to a prompt: roles, marks, instructions about the form."""


class OverBudget(Unfinished):
    """The next call could take the run over what it may cost."""


@dataclass(frozen=True, slots=True)
class WorstCase:
    """What a call can be billed for at most: the `longest` answer, and a prompt with the `form` of an answer.

    In tokens. No tokenizer makes more tokens of a text than it has bytes.
    """

    price: Price | NoPrice
    longest: int = LONGEST_ANSWER
    form: int = 0

    def cost(self, prompt: Prompt, *, batch: bool = False) -> float | None:
        """USD; None where the price is unknown."""
        if isinstance(self.price, NoPrice):
            return None
        return self.price.worst(self._sent(prompt), self.longest, batch=batch)

    def call(self, prompt: Prompt, usage: Usage | None = None, *, batch: bool = False) -> Call:
        """A call as it is logged; with `usage`, what the server counted of one that brought no answer."""
        sent, written = self._sent(prompt), self.longest
        worst = self.cost(prompt, batch=batch)
        if usage:
            sent, written = usage.input_tokens, usage.output_tokens
            worst = None if isinstance(self.price, NoPrice) else self.price.cost(usage, batch=batch)
        return Call(
            example=prompt.item,
            repeat=prompt.repeat,
            input_tokens=sent,
            output_tokens=written,
            worst=worst,
            counted=usage is not None,
        )

    def cost_again(self, call: Call) -> float:
        """USD that a logged call can have cost, at today's price if it was unknown then."""
        assert isinstance(self.price, Price), "there is no budget without a price"
        known = self.price.worst(call.input_tokens, call.output_tokens) if call.worst is None else call.worst
        assert known is not None, "the standard price of a model is known"
        return known

    def _sent(self, prompt: Prompt) -> int:
        return sum(_bytes(message.content) for message in prompt.messages) + self.form + ENVELOPE


def worst_case(
    price: Price | NoPrice, model: str, policy: Policy, max_tokens: int | None = None
) -> WorstCase:
    """The worst case of a run's calls.

    `max_tokens` is a limit that is sent along. A lower one is not relied on: not every server obeys it.
    """
    provider, _ = split_model(model)
    return WorstCase(price, max(PROVIDERS[provider].longest, max_tokens or 0), _bytes(sent_along(policy)))


class LoggedCalls:
    """The calls of a run, each in its log with what it can cost at most, for a later process."""

    def __init__(self, worst: WorstCase, folder: Path) -> None:
        self._worst = worst
        self._log = CallLog(folder)

    def sending(self, prompt: Prompt, *, batch: bool = False) -> None:
        """A call is about to be sent."""
        self._log.add(self._worst.call(prompt, batch=batch))

    def worst(self, prompt: Prompt) -> float | None:
        """USD that a question of a batch can cost at most; None where the price is unknown."""
        return self._worst.cost(prompt, batch=True)

    def cost(self, prompt: Prompt, usage: Usage, *, batch: bool = False) -> None:
        """The last call brought no answer, and the server counted its tokens all the same."""
        self._log.add(self._worst.call(prompt, usage, batch=batch))

    def cost_nothing(self, prompt: Prompt) -> None:
        """It was not billed."""
        self._log.add(Call(example=prompt.item, repeat=prompt.repeat, free=True))

    def close(self) -> None:
        """Close the log."""
        self._log.close()


@dataclass(frozen=True, slots=True, eq=False)
class Reservation:
    """What one call in flight can cost at worst; `batch`: at the price of a batch."""

    worst: float
    batch: bool = False


class Budget:
    """A limit in USD, and what of it is spent, lost and in flight.

    For one event loop: nothing is awaited between looking and taking.
    """

    def __init__(
        self, limit: float, worst: WorstCase, *, spent: float = 0.0, lost: float = 0.0, batch: bool = False
    ) -> None:
        """`spent` is what the run has cost before; `lost` what its calls without an answer may have cost.

        `batch`: some calls will be parts of a batch, which needs a batch price.
        """
        price = worst.price
        if isinstance(price, NoPrice):
            raise BadInput(f"--max-cost needs a price: {price.reason}")
        if price.worst(1, 1, batch=batch) is None:
            raise BadInput(f"--max-cost needs a price: {price.source} has no batch price for {price.model}")
        self.limit = limit
        self.spent = spent
        self.lost = lost
        self._price = price
        self._worst = worst
        self._in_flight: set[Reservation] = set()
        self._held = 0.0
        self._changed = asyncio.Event()

    @property
    def in_flight(self) -> float:
        """The worst cost of the calls that wait for their answer."""
        # A running sum drifts in the last digits; with nothing in flight it is 0.
        return self._held if self._in_flight else 0.0

    async def reserve(self, prompt: Prompt) -> Reservation:
        """Reserve the worst cost of one call, waiting while other calls hold a reservation.

        OverBudget if it does not fit: nothing is in flight then, so stopping loses no answer.
        """
        return await self.reserve_cost(self.worst(prompt))

    async def reserve_cost(self, worst: float) -> Reservation:
        """Reserve a call of that cost, as `reserve` does."""
        while self._in_flight and not self.fits(worst):
            self._changed.clear()
            await self._changed.wait()
        return self.take(worst)

    def fits(self, worst: float) -> bool:
        """Whether a call of that cost stays within the limit even if all that is open costs its worst."""
        return self.spent + self.lost + self.in_flight + worst <= self.limit

    def take(self, worst: float, *, batch: bool = False) -> Reservation:
        """Reserve the cost of a call or of a part of a batch at once. OverBudget if it does not fit."""
        if not self.fits(worst):
            lost = f", and up to {usd(self.lost)} on calls without an answer" if self.lost else ""
            raise OverBudget(
                f"--max-cost {usd(self.limit)}: {usd(self.spent)} is spent{lost}; "
                f"one more call could cost up to {usd(worst)}"
            )
        return self.hold(worst, batch=batch)

    def hold(self, worst: float, *, batch: bool = False) -> Reservation:
        """Reserve the cost of what is already sent, even over the limit."""
        reservation = Reservation(worst, batch)
        self._held = self.in_flight + worst
        self._in_flight.add(reservation)
        return reservation

    def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        """The call was billed for these tokens; without a usage, at its worst cost."""
        cost = self._price.cost(usage, batch=reservation.batch) if usage else None
        if cost is None:
            self.lost += reservation.worst
        else:
            self.spent += cost
        self.release(reservation)

    def release(self, reservation: Reservation) -> None:
        """The call was refused before anything was done, and costs nothing."""
        self._in_flight.remove(reservation)
        self._held -= reservation.worst
        self._changed.set()

    def worst(self, prompt: Prompt, *, batch: bool = False) -> float:
        """USD that a call can cost at most."""
        worst = self._worst.cost(prompt, batch=batch)
        assert worst is not None, "the price was looked at when the budget was made"
        return worst


def budget_of(
    limit: float,
    worst: WorstCase,
    folder: Path | None = None,
    *,
    batch: bool = False,
    records: Iterable[Record] | None = None,
) -> Budget:
    """The budget of a run, less what the run in `folder` has cost. BadInput for an unknown price or cost.

    `records`: those of the folder, where they are not in a record log.
    """
    if folder is None:
        return Budget(limit, worst, batch=batch)
    # The answers of a label set are more than memory should hold.
    paid = PaidAnswers() if records is None else PaidAnswers(DiskCounts())
    spent = 0.0
    unknown: Counter[Key] = Counter()
    for record in iter_records(folder) if records is None else records:
        for sign, one in paid.take(record):
            cost = _cost(one, worst.price)
            if cost is None:
                unknown[one.key] += sign * (1 + (one.unread is not None))
            spent += sign * (cost or 0.0)
    # An answer of unknown cost counts with the most that its call could cost, as while the run went on.
    for key, count in unknown.items():
        paid.answers[key] -= count
    lost = unanswered_calls(folder, paid.answers).calls
    unlogged = unknown - Counter(call.key for call in lost if not call.counted)
    if unlogged:
        answers = plural(unlogged.total(), "answer")
        raise BadInput(f"--max-cost: unknown cost of {answers} of this run; start a new run")
    budget = Budget(limit, worst, spent=spent, batch=batch)
    budget.lost = sum(map(worst.cost_again, lost))
    return budget


def _cost(record: Record, price: Price | NoPrice) -> float | None:
    """What a record cost; records of old versions hold tokens and no cost."""
    return cost_of((record.reply, record.unread), price) if record.cost is None else record.cost


def is_logged(price: Price | NoPrice) -> bool:
    """Whether calls at a price are logged: those that cost nothing are not."""
    return isinstance(price, NoPrice) or not is_free(price)


def sent_along(policy: Policy) -> str:
    """What an API may be sent besides the prompt: the answer's schema, or the grades as a question."""
    grades = [f"{level.value} {level.name}: {level.definition}" for level in policy.grades]
    return json.dumps([answer_schema(policy), grades], ensure_ascii=False)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
