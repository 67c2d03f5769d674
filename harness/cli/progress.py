"""The progress of a run: a bar on a terminal, a plain line now and then elsewhere; on standard error."""

import sys
import time
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Self

from harness.cli.options import say, shown_path

if TYPE_CHECKING:
    from rich.progress import Progress as Bar
    from rich.progress import TaskID

    from harness.plan import Plan
    from harness.records import Record

LINE_EVERY = 10.0
"""Seconds between two plain lines."""


class Progress:
    """Counts outcomes as they come."""

    def __init__(self) -> None:
        self._counts = {"grade": 0, "ungraded": 0, "failed": 0}
        self._total = self._in_flight = 0
        self._said = self._began = time.monotonic()
        self._bar: Bar | None = None
        self._task: TaskID | None = None

    def started(self, folder: Path, plan: "Plan", todo: int) -> None:
        """The run is about to ask for `todo` answers."""
        from harness.runs import load_manifest

        for warning in warnings_of(plan):
            say(f"warning: {warning}")
        asked, examples = plan.asked, load_manifest(folder).examples
        done = examples * asked.repeats - todo
        before = f" ({done} are done)" if done else ""
        noun = "pairs" if asked.pairs is not None else "examples"
        what = f"{todo} {noun}" if asked.repeats == 1 else f"{examples} {noun} {asked.repeats} times"
        say(f"{asked.model} grades {what} of {asked.policy}{before}: {shown_path(folder)}")
        self._total = todo
        self._said = self._began = time.monotonic()
        if sys.stderr.isatty():
            self._bar = _bar()
            self._bar.start()
            self._task = self._bar.add_task("", total=todo, ends=self._ends(), rate=0.0)

    def recorded(self, record: "Record", in_flight: int) -> None:
        """One more answer has its outcome."""
        self._in_flight = in_flight
        self._counts[record.outcome.kind] += 1
        now = time.monotonic()
        if self._bar is not None and self._task is not None:
            self._bar.update(self._task, advance=1, ends=self._ends(), rate=self._rate(now))
        elif now - self._said >= LINE_EVERY:
            self._said = now
            say(self._line(now))

    def stopping(self, in_flight: int) -> None:
        """The user pressed Ctrl-C once."""
        say(f"waiting for {in_flight} answers that are on their way; Ctrl-C again leaves at once")

    def _line(self, now: float) -> str:
        done, rate = sum(self._counts.values()), self._rate(now)
        left = (self._total - done) / rate
        return f"{done}/{self._total} ({self._ends()}), {rate:.1f}/s, {left:.0f} s left"

    def _rate(self, now: float) -> float:
        return sum(self._counts.values()) / max(now - self._began, 1e-9)

    def _ends(self) -> str:
        return f"{self._counts['ungraded']} unreadable, {self._counts['failed']} failed"

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()


def warnings_of(plan: "Plan") -> list[str]:
    """What the user should hear before money is spent."""
    from harness.policies import unfinished

    warnings = []
    lacking = unfinished(plan.policy)
    if lacking:
        warnings.append(
            f"{plan.policy.label} is not finished ({len(lacking)} texts are empty): {plan.policy_file}"
        )
    if plan.dropped:
        warnings.append(f"{len(plan.dropped)} shots are kept from the teacher: too close to graded examples")
    if plan.withheld:
        queries = ", ".join(plan.withheld)
        warnings.append(f"worked examples in the policy are kept from the teacher, being graded: {queries}")
    if plan.stale:
        count = f"{plan.stale} examples were not yet judged under {plan.policy.label}"
        warnings.append(f"{count}: Gate 2 is inconclusive")
    return warnings


def _bar() -> "Bar":
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

    return Progress(
        BarColumn(bar_width=20),
        MofNCompleteColumn(),
        TextColumn("{task.fields[ends]}"),
        TextColumn("{task.fields[rate]:.1f}/s"),
        TimeRemainingColumn(compact=True),
        console=Console(stderr=True),
    )
