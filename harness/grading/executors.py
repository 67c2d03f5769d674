"""Ways to answer the questions of a run: a new one is one file and one line in EXECUTORS."""

from typing import Protocol

from harness.errors import BadInput
from harness.grading.batch.run import Batched
from harness.grading.job import Answers, Job
from harness.grading.live.run import Live
from harness.grading.questions import left_to_ask, to_ask
from harness.providers.base import Teacher
from harness.runs.manifest import Asked


class Executor(Protocol):
    """Answers the open questions of a job.

    `priced_as_batch`: some of its calls have the price of a batch, which a limit needs to know. `waits`: its
    answers wait in a queue, so that their seconds say nothing about the teacher.
    """

    priced_as_batch: bool
    waits: bool

    def check(self, model: str, teacher: Teacher) -> None:
        """BadInput if this teacher cannot be asked in this way. Called before anything is written."""

    async def answer(self, job: Job, log: Answers) -> None:
        """Write one record for each of `open_questions`, within the job's budget, and tell the watch.

        Each answer is kept at once, so that a killed run can be resumed. Raises Unfinished or FatalError if
        questions stay open, Interrupted if the user stops the run.
        """


EXECUTORS: dict[str, Executor] = {"live": Live(), "batch": Batched()}


def executor_of(asked: Asked) -> Executor:
    """The executor of a run. BadInput for a name that is not in EXECUTORS, or for two executors."""
    if asked.batch and asked.executor not in (None, "batch"):
        raise BadInput(f"--batch and the executor {asked.executor!r} exclude each other; give one of them")
    name = asked.executor or ("batch" if asked.batch else "live")
    if name not in EXECUTORS:
        raise BadInput(f"unknown executor {name!r}; there are: {', '.join(EXECUTORS)}")
    return EXECUTORS[name]


async def execute(job: Job, log: Answers, executor: Executor) -> int:
    """Answer every open question, close the teacher, and return how many are still open."""
    job.watch.started(job.folder, job.plan, to_ask(job, log))
    try:
        await executor.answer(job, log)
    finally:
        await job.teacher.close()
    return left_to_ask(job, log)
