"""From questions to records: each is found in the cache or asked, and written at once."""

import asyncio
from collections.abc import Callable
from functools import partial
from typing import Self

from harness.errors import BadInput, Unfinished
from harness.grading.answered import Answered, record_of
from harness.grading.budget import LoggedCalls, is_logged, worst_case
from harness.grading.job import Answers, Job, Question
from harness.grading.live.ask import Asker, is_curable
from harness.grading.live.pace import Pace
from harness.grading.reply_cache import FILE as CACHE
from harness.grading.reply_cache import CachedReply, ReplyCache
from harness.grading.stop import Stop
from harness.grading.uncounted import UncountedAnswers
from harness.nouns.pair import Pair
from harness.nouns.records import Failed, Prompt, Ungraded, Usage
from harness.pricing.prices import cost_of
from harness.prompting.answer import read_grade
from harness.storage.plural import plural

SOON = 0.02
"""Seconds after which an answer is in the cache, where other runs find it: those of one time together."""
CUT_OFF = 5
"""Answers in a row that may be cut off at their limit: the next ones would be, and are paid for."""


class Worker:
    """Turns one question into one record on the disk. `in_flight`: how many calls are in flight."""

    def __init__(
        self,
        job: Job,
        log: Answers,
        stop: Stop,
        pace: Pace,
        in_flight: Callable[[], int],
    ) -> None:
        self._job = job
        self._scale = job.plan.policy.scale
        self._log = log
        self._cache = _cache_of(job)
        self._writing: asyncio.TimerHandle | None = None
        self._in_flight = in_flight
        self._cut_off = 0
        self._too_short: Unfinished | None = None
        self._calls = _logged_calls(job)
        self._uncounted = UncountedAnswers(job)
        self._asker = Asker(job.teacher, self._scale, stop, pace, in_flight, job.budget, self._calls)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._writing:
            self._writing.cancel()
        if self._cache:
            self._safely(self._cache.close)
        if self._calls:
            self._calls.close()
        self._uncounted.end()

    async def grade(self, question: Question) -> None:
        """Find or ask for the answer to one question, and keep it."""
        prompt = self.prompt(question)
        known = self.known(prompt)
        found = known or await self.ask(prompt)
        # The record first: the cache only serves other runs.
        self.keep(question, found, pair=prompt.pair)
        if known is None:
            self.remember(prompt, found)
        self.check_limit()

    def check_limit(self) -> None:
        """Unfinished where answer after answer that was kept is cut off."""
        if self._too_short:
            raise self._too_short

    def _watch_limit(self, found: Answered) -> None:
        outcome = found.outcome
        self._cut_off = (
            self._cut_off + 1 if isinstance(outcome, Ungraded) and outcome.cause == "cut_off" else 0
        )
        if self._cut_off < CUT_OFF:
            return
        usage = found.reply.usage if found.reply else None
        at = f", the last one after {plural(usage.output_tokens, 'token')}" if usage else ""
        self._too_short = Unfinished(
            f"{self._cut_off} answers in a row were cut off at the output limit{at}: "
            "start a new run with a higher one, --max-tokens N (thinking counts too)"
        )

    def prompt(self, question: Question) -> Prompt:
        """The prompt of a question."""
        item, repeat = question
        return self._job.plan.writer.prompt(item.id, item.pair, repeat)

    def known(self, prompt: Prompt) -> Answered | None:
        """The answer of an earlier run to the same prompt."""
        kept = None
        try:
            kept = self._cache.get(prompt) if self._cache else None
        except Unfinished as error:
            self._go_without_cache(error)
        if kept is None:
            return None
        outcome = read_grade(kept.reply, self._scale)
        return Answered(outcome, kept.reply, kept.unread, cost=0.0, cached_reply=True)

    async def ask(self, prompt: Prompt) -> Answered:
        """The teacher's answer with its cost."""
        found = await self._asker.ask(prompt)
        return found._replace(cost=cost_of((found.reply, found.unread), self._job.price))

    def worst_batched(self, prompt: Prompt) -> float | None:
        """USD that a question of a batch can cost at most; None where the price is unknown."""
        return self._calls.worst(prompt) if self._calls else 0.0

    def note_batched(self, question: Question, usage: Usage | None = None) -> None:
        """Log a question of a batch that was billed, or may have been, before its record is written.

        `usage`: what it cost without an answer.
        """
        if self._calls:
            self._calls.sending(self.prompt(question), batch=True)
            if usage:
                self._calls.cost(self.prompt(question), usage, batch=True)

    def remember(self, prompt: Prompt, found: Answered) -> None:
        """Keep an answer for other runs."""
        if self._cache is None or found.reply is None or isinstance(found.outcome, Failed):
            return
        kept = CachedReply(reply=found.reply, unread=found.unread)
        self._safely(partial(self._cache.put, prompt, kept))
        if self._writing is None:
            self._writing = asyncio.get_running_loop().call_later(SOON, self._write)

    def _write(self) -> None:
        """Write what was put into the cache since the last time."""
        self._writing = None
        if self._cache:
            self._safely(self._cache.write)

    def _safely(self, step: Callable[[], None]) -> None:
        try:
            step()
        except Unfinished as error:
            self._go_without_cache(error)

    def _go_without_cache(self, error: Unfinished) -> None:
        """No fault of the cache ends a run: it only saves money."""
        self._cache = None
        self._job.watch.said(f"{error}; this run goes on without it")

    def keep(
        self, question: Question, found: Answered, *, last: bool = True, pair: Pair | None = None
    ) -> None:
        """Write the record; report it if it is the `last` of its question.

        `pair`: the question's, where it is at hand: its digest is made once for each.
        """
        item, repeat = question
        record = record_of(item.id, repeat, (pair or item.pair).digest, found, self._job.moved_to)
        self._log.append(record, last=last and not is_curable(found.outcome))
        self._watch_limit(found)
        self._uncounted.take(found)
        if last:
            self._job.watch.recorded(record, self._in_flight())


def _logged_calls(job: Job) -> LoggedCalls | None:
    """The log of the run's calls; None if they cost nothing."""
    if not job.teacher.identity or not is_logged(job.price):
        return None
    asked = job.plan.asked
    return LoggedCalls(worst_case(job.price, asked.model, job.plan.policy, asked.max_tokens), job.folder)


def _cache_of(job: Job) -> ReplyCache | None:
    """The replies of earlier runs, unless the teacher's are not worth keeping or the user wants none."""
    identity, asked = job.teacher.identity, job.plan.asked
    if identity is None or asked.no_cache or not job.limits.cache:
        return None
    try:
        return ReplyCache(job.project.runs / CACHE, asked.model, f"{asked.base_url} {identity}")
    except (BadInput, OSError) as error:
        job.watch.said(f"{error}; this run goes on without it")
        return None
