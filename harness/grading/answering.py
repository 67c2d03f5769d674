"""What every job has in common: its price and budget, the asking, and how it ends where it cannot go on."""

import asyncio
import errno
from collections.abc import Collection, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import CallError, Interrupted, Unfinished
from harness.grading.budget import Budget, budget_of, worst_case
from harness.grading.executors import Executor, execute, executor_of
from harness.grading.job import Answers, Job, Limits
from harness.grading.plan import Plan
from harness.grading.questions import left_to_ask
from harness.nouns.records import Record
from harness.pricing.prices import NoPrice, Price, price_of
from harness.providers import sold_as
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.visible import one_line

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
"""What a full disk, a used-up quota and a file at its limit say."""
LONGEST_NAME, MOST_NAMES = 200, 100
"""What the manifest takes of the names of models that answered: a server may say anything."""


def money_of(
    project: Project,
    plan: Plan,
    limits: Limits,
    folder: Path | None = None,
    records: Iterable[Record] | None = None,
) -> tuple[Price | NoPrice, Budget | None]:
    """The price of an answer and the budget of the run. BadInput for a limit without a price.

    `folder`: where an earlier session asked; `records`: what it kept, if not in a record log.
    """
    asked = plan.asked
    price = price_of(project, asked.model, asked.base_url, sold_as)
    if limits.max_cost is None:
        return price, None
    worst = worst_case(price, asked.model, plan.policy, asked.max_tokens)
    batch = executor_of(asked).priced_as_batch
    return price, budget_of(limits.max_cost, worst, folder, batch=batch, records=records)


@contextmanager
def resumable(folder: Path, how: str, errors: Collection[int] = ()) -> Iterator[None]:
    """Unfinished, with how to go on, where the disk does not take what is written.

    `errors`: the only error numbers to take so; by default all.
    """
    try:
        yield
    except OSError as error:
        if errors and error.errno not in errors:
            raise
        raise Unfinished(
            f"{one_line(str(error.filename or folder))}: {error.strerror or error}\n{how}"
        ) from error


def ask_all(job: Job, log: Answers, resumed_by: str, executor: Executor | None = None) -> int:
    """Answer the open questions; how many have no answer after that: each of them has failed.

    `executor`: another one than was asked for. Unfinished or Interrupted, with how to go on, where some
    were not asked.
    """
    try:
        return asyncio.run(execute(job, log, executor or executor_of(job.plan.asked)))
    except (Interrupted, KeyboardInterrupt, asyncio.CancelledError):
        left = left_to_ask(job, log)
        raise Interrupted(f"interrupted with {plural(left, 'answer')} to go; {resumed_by}") from None
    except Unfinished as error:
        left = left_to_ask(job, log)
        if left != log.failures:
            raise Unfinished(f"{error}\n{resumed_by}") from error
        # Only questions that failed on every attempt are left: the run is complete and gets its score.
        job.watch.said(str(error))
        return left
    except CallError as error:
        raise Unfinished(f"{error}\n{resumed_by}") from error


def names_of(models: Iterable[str]) -> tuple[str, ...]:
    """The names of models that answered, as a manifest takes them."""
    return tuple(sorted({name[:LONGEST_NAME] for name in models})[:MOST_NAMES])
