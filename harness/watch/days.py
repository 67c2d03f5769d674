"""The days of a watch: ask the sentinels again, without the reply cache, and add a line."""

from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, Unfinished
from harness.grading.answering import money_of, resumable
from harness.grading.budget import Budget
from harness.grading.evaluate import answer, foresee, job_of, note_test_look
from harness.grading.job import Limits, RunObserver
from harness.grading.new_run import new_manifest, run_contents
from harness.grading.pair_grades import is_finished
from harness.grading.purse import Purse
from harness.runs.new_folder import create_run
from harness.runs.watch_folder import (
    BASELINE,
    DAYS,
    BaselineLine,
    DayLine,
    TrafficLine,
    WatchSettings,
    alone_in,
    append_line,
    history_of,
    run_in,
)
from harness.score.watch_history import checked_history
from harness.score.watch_runs import baseline_line, day_line, unanswered_in
from harness.score.watched import day_order
from harness.scorecards.money import Forecast
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.watch.begin import plan_of

AGAIN = "the same command for the same day goes on from here"


def add_day(
    project: Project, folder: Path, settings: WatchSettings, day: str, watch: RunObserver, limits: Limits
) -> bool:
    """Ask the sentinels for a day, and before the first day the baseline; False if the day is there already.

    An interrupted day continues. Its line is written once, at its end, so that nothing counts twice. The
    history is checked first, since answers cost money. The baseline and the day that follows it share one
    limit.
    """
    with alone_in(folder):
        checked_history(folder, settings, day)
        lines = history_of(folder)
        days = [line.day for line in lines if isinstance(line, DayLine)]
        if day in days:
            return False
        if later := [one for one in days if day_order(one) > day_order(day)]:
            what = f"{day} is before {max(later, key=day_order)}, which is in the history: days go forward"
            raise BadInput.at(folder, what)
        first = folder / BASELINE
        asking = _Asking(project, settings, watch, limits, Purse(limits.max_cost))
        begun = next((line.day for line in lines if isinstance(line, BaselineLine)), None)
        if begun in (None, day):
            run = asking.run(first, settings.repeats)
        if begun is None:
            append_line(folder, baseline_line(day, run, settings.weighting))
        run = asking.run(folder / DAYS / day, 1)
        baseline = run_in(first)
        assert baseline is not None, "it was checked, or asked just now"
        append_line(folder, day_line(day, run, baseline, settings.weighting))
    return True


def add_traffic(folder: Path, line: TrafficLine) -> None:
    """Add a day's traffic. BadInput if the day has traffic."""
    with alone_in(folder):
        refuse_second(folder, line.day)
        append_line(folder, line)


def refuse_second(folder: Path, day: str) -> None:
    """BadInput if a day has its traffic."""
    if any(isinstance(one, TrafficLine) and one.day == day for one in history_of(folder)):
        raise BadInput.at(folder, f"{day} has its traffic already")


@dataclass(frozen=True, slots=True)
class _Asking:
    """Asks for the runs of a command."""

    project: Project
    settings: WatchSettings
    watch: RunObserver
    limits: Limits
    purse: Purse

    def run(self, folder: Path, repeats: int) -> Path:
        """The run in a folder, begun if it is missing and finished if it is not."""
        plan = plan_of(self.project, folder, self.settings, repeats)
        run = run_in(folder)
        if run is None:
            with resumable(folder, AGAIN):
                run = create_run(folder, new_manifest(self.project, plan), run_contents(plan))
        if is_finished(run):
            self._pay(money_of(self.project, plan, self.limits, run)[1])
            return run
        job = job_of(self.project, run, plan, self.watch, self.limits)
        self.purse.joined(job.budget)
        try:
            note_test_look(plan, answer(job, AGAIN))
        finally:
            self.purse.closed(job.budget)
        if not is_finished(run):
            left = plural(unanswered_in(run), "question has", "questions have")
            raise Unfinished(f"{left} no answer, and the day does not count yet; {AGAIN}")
        return run

    def _pay(self, budget: Budget | None) -> None:
        """Count what an earlier process paid for the same command."""
        self.purse.joined(budget)
        self.purse.closed(budget)


def foreseen(project: Project, settings: WatchSettings, *, begun: bool) -> Forecast:
    """The cost of the next day; the first includes the baseline. Makes no API calls and writes nothing."""
    repeats = 1 if begun else settings.repeats + 1
    return foresee(project, settings.asked.model_copy(update={"repeats": repeats}))
