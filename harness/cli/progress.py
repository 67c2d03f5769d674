"""The progress of a run on standard error: a bar on a terminal, else a plain line now and then.

With CI set, only the first line: that and the result are enough for a log.
"""

import os
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

from harness.cli.output import say, shown_path
from harness.scorecards.money import usd
from harness.storage.plural import plural

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from harness.grading.plan import Plan
    from harness.nouns.records import Record

LINE_EVERY = 10.0
"""Seconds between two plain lines."""


class Progress:
    """Counts and shows outcomes."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._counts = {"grade": 0, "ungraded": 0, "failed": 0}
        self._total = self._in_flight = self._elsewhere = 0
        self._tokens = 0
        self._cost = 0.0
        self._said = self._began = clock()
        self._quiet = bool(os.environ.get("CI"))
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def started(self, folder: Path, plan: "Plan", todo: int) -> None:
        """The run is about to ask for `todo` answers."""
        from harness.grading.plan_warnings import plan_warnings
        from harness.providers import is_home

        asked, examples = plan.asked, plan.size
        if todo == 0:
            # Notes on the requests do not matter then.
            say(f"nothing is left for {asked.model} to grade: {shown_path(folder)}")
            return
        for warning in plan_warnings(plan):
            say(f"warning: {warning}")
        done = examples * asked.repeats - todo
        before = f" ({done} are done)" if done else ""
        again = "" if asked.repeats == 1 else f" {asked.repeats} times"
        what = plural(todo if asked.repeats == 1 else examples, asked.kind.item) + again
        who = asked.model if is_home(asked.model, asked.base_url) else f"{asked.model} at {asked.base_url}"
        say(f"{who} grades {what} of {asked.policy}{before}: {shown_path(folder)}")
        self._total = todo
        self._said = self._began = self._clock()
        if sys.stderr.isatty() and not self._quiet:
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task("", total=todo, **self._fields(self._began))

    def recorded(self, record: "Record", in_flight: int) -> None:
        """One more answer has its outcome."""
        self._in_flight = in_flight
        self._elsewhere = max(0, self._elsewhere - 1)
        self._counts[record.outcome.kind] += 1
        self._cost += record.cost or 0.0
        for reply in (record.reply, record.unread):
            if reply and reply.usage and not record.cached_reply:
                self._tokens += reply.usage.input_tokens + reply.usage.output_tokens
        self._show()

    def elsewhere(self, count: int) -> None:
        """Count answers of other processes: in the rate at once, by outcome when they arrive."""
        self._elsewhere = count
        if not self._done:
            # The time until now started the processes: leave it out of the rate.
            self._began = self._clock()
        self._show()

    @property
    def _done(self) -> int:
        return sum(self._counts.values()) + self._elsewhere

    def _show(self) -> None:
        now = self._clock()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, completed=self._done, **self._fields(now))
        elif now - self._said >= LINE_EVERY and not self._quiet and self._done:
            self._said = now
            say(self._line(now))

    def said(self, text: str) -> None:
        """Print a sentence on its own line."""
        say(text)

    def stopping(self, in_flight: int) -> None:
        """The user pressed Ctrl-C once."""
        say(f"waiting for {plural(in_flight, 'answer')} in flight; press Ctrl-C again to stop at once")

    def _line(self, now: float) -> str:
        rate = self._rate(now)
        left = (self._total - self._done) / rate
        parts = (f"{self._done}/{self._total}", self._ends(), f"{rate:.1f}/s", self._engine(), _left(left))
        return ", ".join(part for part in parts if part)

    def _fields(self, now: float) -> dict[str, Any]:
        return {"ends": self._ends(), "rate": f"{self._rate(now):.1f}/s", "engine": self._engine()}

    def _engine(self) -> str:
        """Calls in flight, tokens and cost, if there are any."""
        if not self._tokens and self._in_flight <= 1:
            return ""
        parts = [plural(self._in_flight, "call"), f"{_short(self._tokens)} tok"]
        return ", ".join([*parts, usd(self._cost)] if self._cost else parts)

    def _rate(self, now: float) -> float:
        return self._done / max(now - self._began, 1e-9)

    def _ends(self) -> str:
        """How answers ended, short enough for 80 columns: leaves out zeros."""
        words = {"grade": "graded", "ungraded": "unreadable", "failed": "failed"}
        return ", ".join(f"{n} {words[kind]}" for kind, n in self._counts.items() if n or kind == "grade")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if self._bar is not None:
            self._bar.stop()


def _left(seconds: float) -> str:
    """The time left, in words."""
    return f"{seconds / 60:.0f} min left" if seconds >= 120 else f"{seconds:.0f} s left"


def _short(count: int) -> str:
    """A short count: 950, 12k, 3.4M."""
    if count < 1_000:
        return str(count)
    return f"{count / 1_000:.0f}k" if count < 1_000_000 else f"{count / 1_000_000:.1f}M"


def _bar() -> "Bar":
    from rich.console import Console
    from rich.progress import MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        MofNCompleteColumn(),
        TextColumn("{task.fields[ends]}"),
        TextColumn("{task.fields[rate]}"),
        TextColumn("{task.fields[engine]}"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )
