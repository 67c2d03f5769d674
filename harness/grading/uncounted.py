"""Answers that are paid for and do not count their tokens: nobody can say what they cost."""

from harness.grading.answered import Answered
from harness.grading.job import Job
from harness.pricing.prices import Price, is_free
from harness.scorecards.money import usd
from harness.storage.plural import plural


class UncountedAnswers:
    """Tells the user: at the first one if there is a budget, and at the end if all are so."""

    def __init__(self, job: Job) -> None:
        self._job = job
        self._paid = isinstance(job.price, Price) and not is_free(job.price)
        self._counted = self._uncounted = 0

    def take(self, found: Answered) -> None:
        """One more answer."""
        replies = [] if found.cached_reply else [one for one in (found.reply, found.unread) if one]
        lacking = sum(reply.usage is None for reply in replies)
        self._counted += len(replies) - lacking
        budget = self._job.budget
        if budget and lacking and not self._uncounted:
            self._job.watch.said(
                "warning: the server does not count the tokens of an answer: for --max-cost "
                f"{usd(budget.limit)}, each such call counts with the most that it could cost"
            )
        self._uncounted += lacking

    def end(self) -> None:
        """The session is over."""
        if self._paid and self._uncounted and not self._counted:
            count = plural(self._uncounted, "answer")
            self._job.watch.said(f"warning: none of {count} counts its tokens: what they cost is unknown")
