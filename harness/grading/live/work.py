"""From questions to records on the disk: each is found in the cache or asked, and kept at once."""

from collections.abc import Callable, Iterator
from dataclasses import replace

from harness.errors import Unfinished
from harness.grading.answered import Answered, record_of
from harness.grading.events import EventLog
from harness.grading.job import Job, Question
from harness.grading.live.ask import Asker
from harness.grading.live.pace import Pace
from harness.grading.live.pool import Pool
from harness.grading.reply_cache import FILE as CACHE
from harness.grading.reply_cache import Kept, ReplyCache
from harness.grading.signals import draining
from harness.grading.stop import Stop
from harness.nouns.pair import Example
from harness.nouns.records import Failed, Prompt
from harness.pricing.prices import cost_of
from harness.prompting.answer import read_grade
from harness.runs.folder import EXAMPLES, PAIRS
from harness.runs.kind import PAIRS as PAIR_RUN
from harness.runs.manifest import load_manifest
from harness.runs.pairs import ShownPair
from harness.runs.record_log import RecordLog
from harness.storage.files import iter_nouns


async def grade_all(job: Job, log: RecordLog) -> int:
    """Ask every open question, and say how many are open after that."""
    folder, plan, limits = job.folder, job.plan, job.limits
    todo = len(log.failed) if limits.only_failed else left_to_ask(job, log)
    job.watch.started(folder, plan, todo)
    stop = Stop()
    cache = cache_of(job)
    with EventLog(folder) as events:
        # A teacher in this process answers while it is asked: others would only wait for it.
        pace = Pace(1 if job.teacher.identity is None else limits.connections, events.note)
        worker = Worker(job, log, cache, stop, pace, lambda: pool.working)
        pool = Pool(_questions(job, log), worker.grade, pace, stop)
        try:
            with draining(stop, lambda: job.watch.stopping(pool.working)):
                await pool.run()
        finally:
            await job.teacher.close()
            if cache:
                cache.close()
            if stop.why:
                events.note(f"stopped: {stop.why}")
    return left_to_ask(job, log)


def cache_of(job: Job) -> ReplyCache | None:
    """The replies of earlier runs, where the teacher's are worth keeping and are wanted."""
    identity, asked = job.teacher.identity, job.plan.asked
    if identity is None or asked.no_cache or not job.limits.cache:
        return None
    return ReplyCache(job.project.runs / CACHE, asked.model, f"{asked.base_url} {identity}")


class Worker:
    """Turns one question into one record on the disk. `in_flight`: how many others are being waited for."""

    def __init__(
        self,
        job: Job,
        log: RecordLog,
        cache: ReplyCache | None,
        stop: Stop,
        pace: Pace,
        in_flight: Callable[[], int],
    ) -> None:
        self._job = job
        self._scale = job.plan.policy.scale
        self._log = log
        self._cache = cache
        self._in_flight = in_flight
        self._asker = Asker(job.teacher, self._scale, stop, pace, in_flight, job.budget)

    async def grade(self, question: Question) -> None:
        """Ask one question, or find its answer; keep what came."""
        prompt = self.prompt(question)
        known = self.known(prompt)
        found = known or await self.ask(prompt)
        # The record first: the cache only spares other runs the question.
        self.keep(question, found)
        if known is None:
            self.remember(prompt, found)

    def prompt(self, question: Question) -> Prompt:
        """What the teacher is asked."""
        item, repeat = question
        return self._job.plan.writer.prompt(item.id, item.pair, repeat)

    def known(self, prompt: Prompt) -> Answered | None:
        """What an earlier run was answered to the same prompt."""
        kept = self._cache.get(prompt) if self._cache else None
        if kept is None:
            return None
        outcome = read_grade(kept.reply, self._scale)
        return Answered(outcome, kept.reply, kept.unread, cost=0.0, cached_reply=True)

    async def ask(self, prompt: Prompt) -> Answered:
        """The teacher's answer, with what it cost."""
        found = await self._asker.ask(prompt)
        return replace(found, cost=cost_of((found.reply, found.unread), self._job.price))

    def remember(self, prompt: Prompt, found: Answered) -> None:
        """Spare other runs the question."""
        if self._cache is None or found.reply is None or isinstance(found.outcome, Failed):
            return
        try:
            self._cache.put(prompt, Kept(reply=found.reply, unread=found.unread))
        except Unfinished as error:
            self._cache = None
            self._job.watch.said(f"{error}; this run goes on without it")

    def keep(self, question: Question, found: Answered, *, last: bool = True) -> None:
        """Write the record, and tell of it where it is the last word on its question."""
        item, repeat = question
        record = record_of(item.id, repeat, item.pair.digest, found)
        self._log.append(record)
        if last:
            self._job.watch.recorded(record, self._in_flight())


def each_question(job: Job) -> Iterator[Question]:
    """All that a run asks, in the order of asking, read from its folder one by one."""
    for repeat in range(job.plan.asked.repeats):
        for item in _items(job):
            yield item, repeat


def _items(job: Job) -> Iterator[Example | ShownPair]:
    """What is graded: golden examples, or production pairs."""
    if job.plan.asked.kind is PAIR_RUN:
        return iter_nouns(job.folder / PAIRS, ShownPair)
    return iter_nouns(job.folder / EXAMPLES, Example)


def left_to_ask(job: Job, log: RecordLog) -> int:
    """How many answers are still to be had."""
    return load_manifest(job.folder).examples * job.plan.asked.repeats - len(log.answered)


def _questions(job: Job, log: RecordLog) -> Iterator[Question]:
    """What has no answer, or only what failed before."""
    for item, repeat in each_question(job):
        key = item.id, repeat
        if key in log.failed if job.limits.only_failed else key not in log.answered:
            yield item, repeat
