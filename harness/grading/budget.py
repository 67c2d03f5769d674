"""--max-cost: start no call that could take a run over its limit, counting the calls in flight."""

import asyncio
import json
from collections.abc import Iterable
from dataclasses import dataclass

from harness.errors import BadInput, Unfinished
from harness.nouns.policy import Policy
from harness.nouns.records import Prompt, Record, Usage
from harness.pricing.prices import NoPrice, Price, cost_of
from harness.prompting.answer import answer_schema
from harness.providers import PROVIDERS, split_model
from harness.providers.base import LONGEST_ANSWER
from harness.scorecards.money import usd
from harness.storage.plural import plural

ENVELOPE = 1_000
"""Tokens that a server may add to a prompt: roles, marks, instructions about the form."""


class OverBudget(Unfinished):
    """The next call could take the run over what it may cost."""


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
        self,
        limit: float,
        price: Price | NoPrice,
        *,
        longest: int = LONGEST_ANSWER,
        form: int = 0,
        spent: float = 0.0,
        batch: bool = False,
    ) -> None:
        """`longest` answer and answer `form` in tokens; `spent` is what the run has cost before.

        `batch`: some calls will be parts of a batch, which needs a batch price.
        """
        if isinstance(price, NoPrice):
            raise BadInput(f"--max-cost needs a price: {price.reason}")
        if price.worst(1, 1, batch=batch) is None:
            raise BadInput(f"--max-cost needs a price: {price.source} has no batch price for {price.model}")
        self.limit = limit
        self.spent = spent
        self.lost = 0.0
        """The worst cost of calls without an answer: some may have been billed."""
        self._price = price
        self._longest = longest
        self._around = form + ENVELOPE
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
        worst = self.worst(prompt)
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
            raise OverBudget(self._sentence(worst))
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
        """What a call can cost at most. No tokenizer makes more tokens of a text than it has bytes."""
        sent = sum(_bytes(message.content) for message in prompt.messages)
        worst = self._price.worst(sent + self._around, self._longest, batch=batch)
        assert worst is not None, "the price was looked at when the budget was made"
        return worst

    def _sentence(self, worst: float) -> str:
        lost = f", and up to {usd(self.lost)} on calls without an answer" if self.lost else ""
        return (
            f"--max-cost {usd(self.limit)}: {usd(self.spent)} is spent{lost}; "
            f"one more call could cost up to {usd(worst)}"
        )


def budget_of(
    limit: float,
    price: Price | NoPrice,
    model: str,
    policy: Policy,
    before: Iterable[Record] = (),
    *,
    max_tokens: int | None = None,
    batch: bool = False,
) -> Budget:
    """The budget of a run, less the cost of the records `before`. BadInput for an unknown price or cost.

    `max_tokens` is a limit that is sent along. A lower one is not relied on: not every server obeys it.
    """
    provider, _ = split_model(model)
    costs = [_cost(record, price) for record in before if record.reply is not None]
    if None in costs:
        unknown = costs.count(None)
        raise BadInput(
            f"--max-cost: unknown cost of {plural(unknown, 'answer')} of this run; start a new run"
        )
    spent = sum(cost for cost in costs if cost is not None)
    longest = max(PROVIDERS[provider].longest, max_tokens or 0)
    form = _bytes(sent_along(policy))
    return Budget(limit, price, longest=longest, form=form, spent=spent, batch=batch)


def _cost(record: Record, price: Price | NoPrice) -> float | None:
    """What a record cost; records of old versions hold tokens and no cost."""
    return cost_of((record.reply, record.unread), price) if record.cost is None else record.cost


def sent_along(policy: Policy) -> str:
    """What an API may be sent besides the prompt: the answer's schema, or the grades as a question."""
    grades = [f"{level.value} {level.name}: {level.definition}" for level in policy.grades]
    return json.dumps([answer_schema(policy), grades], ensure_ascii=False)


def _bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))
