"""One run, asked live: as many questions at a time as the server accepts."""

from harness.grading.events import EventLog
from harness.grading.job import Answers, Job
from harness.grading.live.pace import Pace
from harness.grading.live.pool import Pool
from harness.grading.questions import open_questions
from harness.grading.signals import draining
from harness.grading.stop import Stop
from harness.grading.worker import Worker
from harness.providers.base import Teacher


class Live:
    """The executor that asks one question per call."""

    priced_as_batch = waits = False

    def check(self, model: str, teacher: Teacher) -> None:
        """Every teacher can be asked so."""

    async def answer(self, job: Job, log: Answers) -> None:
        """Ask every open question."""
        stop = Stop()
        with EventLog(job.folder) as events:
            # A teacher in this process answers while it is asked: others would only wait for it.
            pace = Pace(1 if job.teacher.identity is None else job.limits.connections, events.note)
            with Worker(job, log, stop, pace, lambda: pool.working) as worker:
                pool = Pool(open_questions(job, log), worker.grade, pace, stop)
                try:
                    with draining(stop, lambda: job.watch.stopping(pool.working)):
                        await pool.run()
                finally:
                    if stop.why:
                        events.note(f"stopped: {stop.why}")
