"""What all actors of a labelling share: one budget, and one reason to stop."""

import asyncio
from collections import Counter
from dataclasses import dataclass
from typing import Any

from harness.errors import BadInput, FatalError, HarnessError, Interrupted, Unfinished
from harness.grading.budget import Budget, OverBudget, Reservation, WorstCase
from harness.nouns.records import Prompt, Usage

ENDS: dict[str, type[HarnessError]] = {
    one.__name__: one for one in (BadInput, FatalError, Interrupted, Unfinished)
}
"""Why a labelling ends early, by the name under which it travels."""


def sort_of(error: HarnessError) -> str:
    """The name in ENDS of an error's class."""
    return next((name for name, kind in ENDS.items() if isinstance(error, kind)), Unfinished.__name__)


class Coordinator:
    """An actor that all others ask for room in the budget, and that tells them to stop.

    Its methods run on one event loop, as `Budget` wants.
    """

    def __init__(self, budget: Budget | None) -> None:
        self._budget = budget
        self._held: dict[int, tuple[int, Reservation]] = {}
        self._tries = Counter[int]()
        self._count = 0
        self._why: tuple[str, str] | None = None
        self._stopped = asyncio.Event()
        self._answered: dict[int, int] = {}

    async def begin(self, part: int) -> int:
        """A part begins; returns how often. Calls that an earlier try left open may be billed."""
        self._tries[part] += 1
        self._answered[part] = 0
        for number in [number for number, (owner, _) in self._held.items() if owner == part]:
            await self.settle(number, None)
        return self._tries[part]

    async def reserve(self, part: int, worst: float) -> int | str:
        """Room for a call: its number, or why there is none."""
        assert self._budget, "only a budget is asked for room"
        try:
            room = await self._budget.reserve_cost(worst)
        except OverBudget as error:
            return str(error)
        self._count += 1
        self._held[self._count] = part, room
        return self._count

    async def settle(self, number: int, usage: Usage | None) -> None:
        """The call was billed for these tokens; without a usage, at its worst cost."""
        assert self._budget, "only a budget is settled with"
        self._budget.settle(self._held.pop(number)[1], usage)

    async def release(self, number: int) -> None:
        """The call costs nothing."""
        assert self._budget, "only a budget is settled with"
        self._budget.release(self._held.pop(number)[1])

    async def answered(self, part: int, count: int) -> None:
        """Report a part's number of answers. Reports after `taken` are ignored."""
        if part in self._answered:
            self._answered[part] = count

    async def taken(self, part: int) -> None:
        """A part's answers are taken over."""
        self._answered.pop(part, None)

    async def under_way(self) -> int:
        """How many answers no process has taken over yet."""
        return sum(self._answered.values())

    async def stop(self, sort: str, why: str) -> None:
        """End the labelling: the first reason counts."""
        self._why = self._why or (sort, why)
        self._stopped.set()

    async def stopped(self) -> tuple[str, str]:
        """Wait until the labelling ends; returns why."""
        await self._stopped.wait()
        assert self._why, "there is a reason"
        return self._why

    async def why(self) -> tuple[str, str] | None:
        """Why the labelling ends, if it does."""
        return self._why


@dataclass(frozen=True, slots=True, eq=False)
class _Room(Reservation):
    """Room for one call; the coordinator knows it by its number."""

    number: int = 0


class SharedBudget(Budget):
    """The coordinator's budget, as an actor sees it."""

    def __init__(self, limit: float, worst: WorstCase, coordinator: Any, part: int) -> None:
        super().__init__(limit, worst)
        self._coordinator, self._part = coordinator, part

    async def reserve(self, prompt: Prompt) -> Reservation:
        """Room for one call, waiting while other actors hold too much of it."""
        worst = self.worst(prompt)
        found = await self._coordinator.reserve.remote(self._part, worst)
        if isinstance(found, str):
            raise OverBudget(found)
        return _Room(worst, number=found)

    def settle(self, reservation: Reservation, usage: Usage | None) -> None:
        """As in a budget; does not wait for the coordinator."""
        assert isinstance(reservation, _Room), "the coordinator gave it"
        self._coordinator.settle.remote(reservation.number, usage)

    def release(self, reservation: Reservation) -> None:
        """As in a budget; does not wait for the coordinator."""
        assert isinstance(reservation, _Room), "the coordinator gave it"
        self._coordinator.release.remote(reservation.number)
