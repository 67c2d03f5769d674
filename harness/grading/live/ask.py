"""One question: asked, asked again where that may help, and given up in time. Retries live here alone."""

import asyncio
import math
import random
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_random_exponential

from harness.errors import CallError, FatalError, RejectedError, TransientError, Unfinished
from harness.grading.answered import Answered
from harness.grading.budget import Budget, LoggedCalls, Reservation
from harness.grading.live.breaker import Breaker
from harness.grading.live.pace import Pace
from harness.grading.stop import DrainedError, Stop
from harness.nouns.records import Failed, Outcome, Prompt, Reply, Ungraded, Usage
from harness.prompting.answer import read_grade
from harness.providers.base import Teacher, UnusableError

ATTEMPTS = 6
"""Attempts that may fail for one example. Being asked to wait (429) does not count: only time limits that."""
DEADLINE = 180.0
"""Seconds that one attempt may take, however slowly its answer drips."""
ITEM_DEADLINE = 900.0
"""Seconds after the first call for an example in which another one may begin, with a deadline of its own."""
LONGEST_WAIT = 60.0
"""Seconds between two attempts at most, whatever the server asks for."""
SLOW = 60.0
"""Seconds after which a failed attempt speaks of a server that is asked too much: fewer calls cure that."""
SHORTEST_WAIT = 0.1
"""Seconds before the second attempt at least, and twice as many before each one after it, up to a second."""
JITTER = 0.25
"""The share of a wait by which it is lengthened at random, so that not all come back at once."""
REASKED = ("bad_json", "no_answer", "two_answers")
"""Causes that another answer may cure. It is asked for once, and is what counts, readable or not."""

_backoff = wait_random_exponential(multiplier=1, max=LONGEST_WAIT)


def is_curable(outcome: Outcome) -> bool:
    """Whether another answer may be one that can be read."""
    return isinstance(outcome, Ungraded) and outcome.cause in REASKED


@dataclass(slots=True)
class Asker:
    """Asks one teacher; what its calls teach goes to the pace and the breaker."""

    teacher: Teacher
    scale: Sequence[int]
    stop: Stop
    pace: Pace
    in_flight: Callable[[], int]
    budget: Budget | None = None
    calls: LoggedCalls | None = None
    _breaker: Breaker = field(default_factory=Breaker)
    _answered: bool = False
    _first: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def ask(self, prompt: Prompt) -> Answered:
        """The outcome for a prompt. DrainedError where the run ends before there is one."""
        began = time.monotonic()
        tries = _Tries()
        reply = unread = None
        outcome: Outcome
        try:
            reply = await self._persist(prompt, tries)
            outcome = read_grade(reply, self.scale)
            if is_curable(outcome) and self.teacher.varies:
                reply, unread = await self._again(prompt, tries, reply)
                outcome = read_grade(reply, self.scale)
        except TransientError as error:
            outcome = Failed(detail=str(error))
            try:
                self._breaker.exhausted(error)
            except Unfinished as gone:
                # The run ends, and this example's outcome is kept all the same.
                self.stop.call(gone)
        except RejectedError as error:
            outcome = Failed(detail=str(error))
        except UnusableError as error:
            # The answer is paid for: the run ends, and keeps it.
            self.stop.call(error)
            reply, outcome = error.reply, Failed(detail=str(error))
        return Answered(outcome, reply, unread, tries.made, round(time.monotonic() - began, 3))

    async def reply(self, prompt: Prompt) -> Reply:
        """A reply that need not be a grade, with the same attempts. CallError without one."""
        return await self._persist(prompt, _Tries())

    async def _persist(self, prompt: Prompt, tries: "_Tries") -> Reply:
        """Attempts until one is answered, or they are used up."""
        try:
            return await self._attempt(prompt, tries)
        except TransientError as error:
            return await self._retry(prompt, tries, error)

    async def _retry(self, prompt: Prompt, tries: "_Tries", error: TransientError) -> Reply:
        """The attempts after a first one that failed.

        tenacity is called only now, since what it does around an attempt that succeeds takes a fifteenth of
        the time of a call. It is shown the first attempt: that one counts, and is waited after.
        """
        failed = [error]

        async def attempt() -> Reply:
            if failed:
                raise failed.pop()
            return await self._attempt(prompt, tries)

        retrying = AsyncRetrying(
            retry=retry_if_exception_type(TransientError),
            stop=tries.used_up,
            wait=_wait,
            sleep=self.stop.sleep,
            reraise=True,
        )
        return await retrying(attempt)

    async def _again(self, prompt: Prompt, tries: "_Tries", first: Reply) -> tuple[Reply, Reply | None]:
        """Another answer and the first one; the first alone where none comes."""
        try:
            return await self._attempt(prompt, tries), first
        except (TransientError, RejectedError, DrainedError):
            return first, None
        except (FatalError, Unfinished) as error:
            # The first answer is paid for: the run ends, and keeps it.
            self.stop.call(error)
            return first, None

    async def _attempt(self, prompt: Prompt, tries: "_Tries") -> Reply:
        """One call. Until one was answered, the others wait: it finds out what the server takes."""
        if not self._answered:
            async with self._first:
                if not self._answered:
                    return await self._paid(prompt, tries)
        return await self._paid(prompt, tries)

    async def _paid(self, prompt: Prompt, tries: "_Tries") -> Reply:
        """One call, within the budget and noted before it is sent."""
        room = await self.budget.reserve(prompt) if self.budget else None
        bill = _Bill()
        try:
            if self.stop.called:
                raise DrainedError
            if self.calls:
                self.calls.sending(prompt)
            tries.begin()
            bill.sent = bill.due = True
            return await self._call(prompt, bill)
        finally:
            self._settle(prompt, room, bill)

    def _settle(self, prompt: Prompt, room: Reservation | None, bill: "_Bill") -> None:
        if self.budget and room:
            self.budget.settle(room, bill.usage) if bill.due else self.budget.release(room)
        if self.calls and bill.sent and not bill.due:
            self.calls.cost_nothing(prompt)
        elif self.calls and bill.usage and not bill.answered:
            self.calls.cost(prompt, bill.usage)

    async def _call(self, prompt: Prompt, bill: "_Bill") -> Reply:
        """One call, from which pace and breaker learn."""
        began = time.monotonic()
        try:
            reply = await self._in_time(prompt)
        except CallError as error:
            bill.due, bill.usage = error.may_be_billed, error.usage
            bill.answered = isinstance(error, UnusableError)
            if isinstance(error, TransientError):
                self._note(error, time.monotonic() - began)
            elif isinstance(error, RejectedError):
                self._breaker.answered()
            raise
        bill.usage, bill.answered, self._answered = reply.usage, True, True
        self._breaker.answered()
        self.pace.answered(self.in_flight())
        return reply

    async def _in_time(self, prompt: Prompt) -> Reply:
        try:
            async with asyncio.timeout(DEADLINE):
                return await self.teacher.ask(prompt)
        except TimeoutError:
            raise TransientError("no whole answer in time") from None

    def _note(self, error: TransientError, seconds: float) -> None:
        if error.busy or seconds >= SLOW:
            self.pace.turned_away()
        else:
            self.pace.failed()
        self._breaker.failed(error, self.in_flight())


@dataclass(slots=True)
class _Bill:
    """What a call costs: nothing until it is sent and where the server refuses it, else `due`.

    What ends in any other way, a second Ctrl-C too, may have been billed. `answered`: a record has its cost.
    """

    sent: bool = False
    due: bool = False
    answered: bool = False
    usage: Usage | None = None


class _Tries:
    """The calls made for one question, and how many of them failed. The clock starts with the first one."""

    def __init__(self) -> None:
        self.made = self._failed = 0
        self._ends = math.inf

    def begin(self) -> None:
        """One more call."""
        self.made += 1
        if self.made == 1:
            # Whoever waited for room in the budget until now has lost no time of the server's.
            self._ends = time.monotonic() + ITEM_DEADLINE

    def used_up(self, state: RetryCallState) -> bool:
        """Whether no further call is made: too many failed, or too much time has gone."""
        error = state.outcome.exception() if state.outcome else None
        self._failed += not (isinstance(error, TransientError) and error.busy)
        return self._failed >= ATTEMPTS or time.monotonic() >= self._ends


def _wait(state: RetryCallState) -> float:
    """As long as the server asks for, within reason; else exponential backoff. With jitter in both cases."""
    error = state.outcome.exception() if state.outcome else None
    if isinstance(error, TransientError) and error.retry_after is not None:
        least: float = min(SHORTEST_WAIT * 2 ** (state.attempt_number - 1), 1.0)
        return min(max(error.retry_after, least), LONGEST_WAIT) * (1 + random.uniform(0, JITTER))
    return _backoff(state)
