"""Ways to have a run's questions answered: a new one is one file, and one line in EXECUTORS."""

from typing import Protocol

from harness.errors import BadInput
from harness.grading.batch.run import Batched
from harness.grading.job import Job
from harness.grading.live.run import Live
from harness.grading.questions import left_to_ask, to_ask
from harness.providers.base import Teacher
from harness.runs.manifest import Asked
from harness.runs.record_log import RecordLog


class Executor(Protocol):
    """Has the open questions of a job answered."""

    def check(self, model: str, teacher: Teacher) -> None:
        """BadInput where this teacher cannot be asked in this way: before anything is on the disk."""

    async def answer(self, job: Job, log: RecordLog) -> None:
        """One record in the log for each of `open_questions`, within the job's budget, and the watch told.

        What comes in is kept at once, so that a killed run can go on. Raises Unfinished or FatalError where
        questions stay open, Interrupted where the user ends it.
        """


EXECUTORS: dict[str, Executor] = {"live": Live(), "batch": Batched()}


def executor_of(asked: Asked) -> Executor:
    """What a run was to be executed by. BadInput for a name that is not in EXECUTORS."""
    name = asked.executor or ("batch" if asked.batch else "live")
    if name not in EXECUTORS:
        raise BadInput(f"unknown executor {name!r}; there are: {', '.join(EXECUTORS)}")
    return EXECUTORS[name]


async def execute(job: Job, log: RecordLog, executor: Executor) -> int:
    """Have every open question answered, and say how many are open after that. Closes the teacher."""
    job.watch.started(job.folder, job.plan, to_ask(job, log))
    try:
        await executor.answer(job, log)
    finally:
        await job.teacher.close()
    return left_to_ask(job, log)
