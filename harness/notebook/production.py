"""Production on files and data frames, for notebooks: estimates, signals from users, drift."""

from pathlib import Path
from typing import Any

from harness.golden.graded_files import Levels
from harness.notebook.gates import refuse_other
from harness.notebook.shown import Page
from harness.nouns.base import Weighting
from harness.report.estimate import estimate_view
from harness.report.judged import judged_view
from harness.report.page.judged import write_judged
from harness.report.page.labels import write_estimate
from harness.report.page.signal import write_signal
from harness.report.page.watch import write_watch
from harness.report.signal import signal_view
from harness.report.watch import watch_view
from harness.runs.watch_folder import is_watch
from harness.score.arrays import Scale, levels_of
from harness.score.estimate import EstimateRequest
from harness.score.estimate_files import GivenRatings, estimate_files, labelled_of
from harness.score.frame import parse_by
from harness.score.threshold import WEIGHTINGS
from harness.score.watch import ALPHA, DELTA, LEAST_REPEATS, Settings
from harness.score.watch_folder import watch_of
from harness.score.watch_table import watch_table
from harness.scorecards.estimate import Estimates, Over
from harness.scorecards.judged import Judged
from harness.scorecards.signal import Measure, Signal
from harness.scorecards.watch import Watch
from harness.signal.judged_files import judged_files as hold_against
from harness.signal.judged_files import people_of_file
from harness.signal.signal_files import LabelFile, LogFile, SignalWanted
from harness.signal.signal_files import signal_files as judge_signal
from harness.storage.tables import Layout, parse_columns


def _write_estimate(path: Path, found: Estimates) -> int:
    """Write the page of an estimate, with the figures of its label set if that is still there."""
    return write_estimate(path, found, Path(found.labels))


class EstimateResult(Page, Estimates):
    """An estimate of production that prints as its table, and that `write_page` writes as a page."""

    _view = estimate_view
    _write = staticmethod(_write_estimate)


class SignalResult(Page, Signal):
    """What users do, against the policy; it prints as its table, and `write_page` writes it as a page."""

    _view = signal_view
    _write = staticmethod(write_signal)


class JudgedResult(Page, Judged):
    """Whether people side with users or labels; it prints as its table, and `write_page` writes a page."""

    _view = judged_view
    _write = staticmethod(write_judged)


class WatchResult(Page, Watch):
    """Who drifted; it prints as its table, and `write_page` writes it as a page."""

    _view = watch_view
    _write = staticmethod(write_watch)


def estimate(
    labels: Any,
    ratings: str | Path | None = None,
    *,
    scale: Scale | None = None,
    other: Any = None,
    over: Over = "items",
    by: str | None = None,
    at_least: int | None = None,
    k: int = 5,
    uniform: bool = False,
) -> EstimateResult:
    """How good is production? Combine many grades of a teacher with few human ones.

    `labels`: the folder of a label set, a file, or a data frame of item, query, teacher, and human, weight,
    stratum, pi, position; all but a label set need the `scale`. `ratings`: a file with ratings of a sample of
    the rows. `other`: a second source, for the difference. BadInput for what cannot be estimated.
    """
    side = labelled_of(labels, None if scale is None else levels_of(scale))
    beside = None if other is None else labelled_of(other, None if scale is None else levels_of(scale))
    rated = None if ratings is None else GivenRatings(Path(ratings), Layout(), uniform)
    found = estimate_files(side, rated, EstimateRequest(over, parse_by(by), at_least, k), beside)
    return EstimateResult(**dict(found))


def signal_files(
    log: str | Path,
    labels: str | Path,
    *,
    scale: Scale | None = None,
    at_least: int | None = None,
    measure: Measure = "clicks",
    propensities: str | Path | None = None,
    columns: str | None = None,
    labels_columns: str | None = None,
    queries: str | Path | None = None,
) -> SignalResult:
    """Where does what users do contradict the policy? It takes the file of a log, since logs are long.

    `labels`: the folder of a label set, or a table of query, item, grade and clauses; a table needs the
    `scale`, and `at_least`, the lowest grade that is shown. `queries`: the file of queries of UBI events.
    BadInput, with the numbers, for a log that cannot answer it.
    """
    side = labelled_of(labels, None if scale is None else levels_of(scale))
    graded = LabelFile(side.path, side.levels, Layout(parse_columns(labels_columns)))
    events = LogFile(Path(log), Layout(parse_columns(columns)), Path(queries) if queries else None)
    known = Path(propensities) if propensities is not None else None
    return SignalResult(**dict(judge_signal(events, graded, SignalWanted(measure, at_least, known))))


def judged_files(
    plan: str | Path,
    ratings: str | Path,
    *,
    scale: Scale,
    columns: str | None = None,
) -> JudgedResult:
    """Do people side with users or with the labels, where the two contradict each other?

    `plan`: the rating plan that `harness signal -o` wrote; `ratings`: a file of item, rater and grade, such
    as a project's production-ratings.jsonl; it reads no decisions of the author. BadInput if the two share
    no pair.
    """
    levels = Levels(levels_of(scale))
    people = people_of_file(Path(ratings), Layout(parse_columns(columns)), levels)
    return JudgedResult(**dict(hold_against(Path(plan), people)))


def drift(
    source: Any,
    *,
    scale: Scale | None = None,
    repeats: int = LEAST_REPEATS,
    alpha: float = ALPHA,
    delta: float = DELTA,
    weighting: Weighting = "none",
) -> WatchResult:
    """Who drifted, the teacher or the traffic?

    `source`: the folder of a watch, which has its own settings; or a file, or a data frame, of day, item,
    query, golden, teacher, with stratum and weight of production rows, which needs the `scale`. Its first
    `repeats` days are the baseline. BadInput for a source that cannot be read.
    """
    if isinstance(source, str | Path) and is_watch(Path(source)):
        return WatchResult(**dict(watch_of(Path(source))))
    refuse_other("weighting", weighting, WEIGHTINGS)
    given = labelled_of(source, None if scale is None else levels_of(scale))
    settings = Settings(alpha, delta, weighting, repeats)
    return WatchResult(**dict(watch_table(given.table, Layout(), given.levels, settings)))
