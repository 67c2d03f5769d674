"""An actor of the pool: asks the questions of a part at a time, with our own engine in its own event loop.

No key goes through Ray: the actor reads keys from the environment of its own process.
"""

import asyncio
import os
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

from harness.errors import BadInput, HarnessError, Unfinished
from harness.grading.answered import Answered
from harness.grading.budget import worst_case
from harness.grading.events import EventLog
from harness.grading.job import Job, Limits, Question
from harness.grading.live.pace import Pace
from harness.grading.live.pool import Pool
from harness.grading.plan import Plan, setup_of
from harness.grading.questions import open_questions
from harness.grading.stop import DrainedError, Stop
from harness.grading.worker import Worker
from harness.nouns.records import Failed, Record
from harness.pricing.prices import NoPrice, Price
from harness.production.parts import PartItems, part_folder, part_log
from harness.production.ray_cluster import here
from harness.production.ray_coordinator import ENDS, SharedBudget, sort_of
from harness.providers import open_teacher
from harness.providers.base import Teacher
from harness.storage.collecting import collect_rarely
from harness.storage.project import Project

TRIES = 4
"""How many processes may die on a part: Ray itself would start new ones for ever."""
TOLD_EVERY = 1.0
"""Seconds between two reports of an actor's number of answers."""


@dataclass(frozen=True, slots=True)
class Order:
    """The order for the actors of a labelling. `limit`: of the budget; `node`: where the reply cache is."""

    project: Project
    folder: Path
    plan: Plan
    price: Price | NoPrice
    limit: float | None
    limits: Limits
    node: str


@dataclass(slots=True)
class Heard:
    """An observer that keeps what is said, for the process that the user sees."""

    said_: list[str] = field(default_factory=list)
    count: int = 0

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        """The user was told already."""

    def recorded(self, record: Record, in_flight: int) -> None:
        """The user is told of it when the part is taken over."""
        self.count += 1

    def elsewhere(self, count: int) -> None:
        """No other process answers the part."""

    def said(self, text: str) -> None:
        """Keep a sentence."""
        self.said_.append(text)

    def stopping(self, in_flight: int) -> None:
        """The user was told already."""


class PartAsker:
    """Answers parts, one after the other: what Ray Data calls for each row.

    The row that comes back says what to tell the user. No fault of a row or of a teacher is an exception
    here: that would end the job of all others.
    """

    def __init__(self, order: Order, coordinator: Any) -> None:
        collect_rarely()
        self._order, self._coordinator = order, coordinator
        self._loop = asyncio.new_event_loop()
        self._stop = Stop()
        self._pace: Pace | None = None
        self._teacher: Teacher | None = None
        self._listening: asyncio.Task[None] | None = None

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        """Ask what is open in a part."""
        heard, number = Heard(), int(row["id"])
        self._loop.run_until_complete(self._ended(number, heard))
        notes = self._teacher.notes if self._teacher else ()
        return {"part": number, "said": list(heard.said_), "notes": list(notes)}

    async def _ended(self, number: int, heard: Heard) -> None:
        """Ask; if that ends the labelling, tell the other actors."""
        if self._listening is None:
            self._listening = asyncio.create_task(self._listen())
        telling = asyncio.create_task(self._tell(number, heard))
        why: HarnessError | None = None
        try:
            await self._ask(number, heard)
        except HarnessError as error:
            why = error
        except OSError as error:
            why = Unfinished(f"{error.filename or self._order.folder}: {error.strerror or error}")
        finally:
            telling.cancel()
        if why:
            await self._coordinator.stop.remote(sort_of(why), str(why))

    async def _tell(self, number: int, heard: Heard) -> None:
        """Report the part's progress from time to time: its answers are recorded when it is taken over."""
        while True:
            await asyncio.sleep(TOLD_EVERY)
            if heard.count:
                self._coordinator.answered.remote(number, heard.count)

    async def _listen(self) -> None:
        """Stop when the coordinator says so."""
        sort, why = await self._coordinator.stopped.remote()
        self._stop.call(ENDS[sort](why))

    async def _ask(self, number: int, heard: Heard) -> None:
        """Answer a part. A fatal error is raised only when the calls in flight have come back."""
        if self._stop.called:
            return
        folder = part_folder(self._order.folder, number)
        if not folder.is_dir():
            if self._order.folder.is_dir():
                return  # already taken over: after a process dies, Ray repeats parts that were done
            raise BadInput(
                f"{os.uname().nodename}: {folder} is not there; every machine of the cluster has to see the "
                "folder of the labels under this name"
            )
        if await self._coordinator.begin.remote(number) > TRIES:
            raise Unfinished(f"{folder}: {TRIES} processes died on it; see the logs of Ray")
        job = self._job(number, folder, heard)
        pace = self._pace = self._pace or self._paced(job.teacher)
        with part_log(folder) as log, Worker(job, log, self._stop, pace, lambda: pool.working) as worker:
            pool = Pool(open_questions(job, log), partial(_grade, worker), pace, self._stop)
            await pool.run()

    def _paced(self, teacher: Teacher) -> Pace:
        """One pace for all parts: what it learned about the server holds for the next part."""
        return Pace(1 if teacher.identity is None else self._order.limits.connections, self._note)

    def _note(self, text: str) -> None:
        with EventLog(self._order.folder) as events:
            events.note(f"process {os.getpid()}: {text}")

    def _job(self, number: int, folder: Path, heard: Heard) -> Job:
        order, asked = self._order, self._order.plan.asked
        if self._teacher is None:
            self._teacher = open_teacher(asked.model, setup_of(order.project, order.plan))
        budget = None
        if order.limit is not None:
            worst = worst_case(order.price, asked.model, order.plan.policy, asked.max_tokens)
            budget = SharedBudget(order.limit, worst, self._coordinator, number)
        # Several machines must not write one SQLite file.
        limits = replace(order.limits, cache=order.limits.cache and here() == order.node)
        return Job(
            order.project, folder, order.plan, self._teacher, order.price, budget, heard, limits,
            items=PartItems(folder),
        )  # fmt: skip


async def _grade(worker: Worker, question: Question) -> None:
    """Find or ask for the answer, and keep it. An unexpected error becomes the question's outcome."""
    try:
        await worker.grade(question)
    except (HarnessError, DrainedError, OSError):
        raise
    except Exception as error:  # noqa: BLE001 - the row's outcome, told in the label set
        what = f"unexpected {type(error).__name__}: {error}"
        worker.keep(question, Answered(Failed(detail=what)))
