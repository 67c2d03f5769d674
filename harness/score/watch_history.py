"""The history of a watch, checked against the runs that it was written from.

A folder may come from a cache, a colleague or an editor. A line of the baseline or of a day that contradicts
its run is refused. What cannot be checked is accepted: `alpha`, `delta`, and lines of traffic, whose source
is not in the folder.
"""

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from math import isclose
from pathlib import Path

from harness.errors import Fault, refuse_faults
from harness.nouns.base import Level
from harness.runs.folder import Run
from harness.runs.manifest import load_manifest
from harness.runs.watch_folder import (
    BASELINE,
    DAYS,
    BaselineLine,
    DayLine,
    Line,
    TrafficLine,
    WatchSettings,
    history_of,
    run_in,
)
from harness.score.watch_runs import day_in, looks_in, opened
from harness.score.watched import MOST_STRATA, BaselineLooks, SentinelDay, TrafficDay, day_order
from harness.scorecards.watch import HumanEstimate
from harness.storage.project import folder_names
from harness.storage.regular import LINK

ROUNDING = 1e-9
"""Losses and shares that differ by less are the same: they are means of many numbers."""
RESTORE = "restore the folder from a backup, or begin another watch"


@dataclass(frozen=True, slots=True)
class History:
    """What was seen, in the order of the days. `remarks`: warnings that change nothing."""

    looks: BaselineLooks | None
    days: Sequence[SentinelDay]
    traffic: Sequence[TrafficDay]
    remarks: tuple[str, ...] = ()


def checked_history(folder: Path, settings: WatchSettings, asked: str | None = None) -> History:
    """The history of a watch. BadInput names every line that contradicts its run, and runs without a line.

    `asked`: the day that is to be asked for, whose own runs may wait for their lines.
    """
    lines = history_of(folder)
    path = str(folder / "history.jsonl")
    refuse_faults(
        Fault(path, f"{what}; {RESTORE}") for what in (*_misdated(lines), *_misformed(lines, settings))
    )
    refuse_faults([*_odd(folder), *_odd(folder / BASELINE), *_odd(folder / DAYS)])
    refuse_faults(_uncounted(folder, lines, asked))
    traffic = [_traffic_day(one) for one in lines if isinstance(one, TrafficLine)]
    traffic.sort(key=lambda one: day_order(one.day))
    first = next((one for one in lines if isinstance(one, BaselineLine)), None)
    if first is None:
        return History(None, (), traffic)
    looks, by_item = _looks(folder, settings, first)
    faults, days, remarks = list[Fault](), list[SentinelDay](), list[str]()
    for line in (one for one in lines if isinstance(one, DayLine)):
        run, wrong = _run(folder / DAYS / line.day, line.run, settings, 1)
        if run is not None and not wrong:
            found = day_in(line.day, run, looks, by_item, settings.weighting)
            wrong = _differs(folder, line, found)
            days.append(found)
            remarks += _asked_elsewhen(line.day, run)
        faults += wrong
    refuse_faults(faults)
    return History(looks, days, traffic, _summed(remarks))


def _misdated(lines: Sequence[Line]) -> Iterator[str]:
    """Days that are not dates, or out of order: lines are written day by day, the baseline first."""
    for one in lines:
        if not _is_date(one.day):
            yield f"{one.kind} {one.day!r} is not a date such as 2026-11-30"
    asked = [one for one in lines if not isinstance(one, TrafficLine)]
    if any(isinstance(one, BaselineLine) for one in asked[1:]) or isinstance(
        next(iter(asked), None), DayLine
    ):
        yield "the line of the baseline is not before those of the days"
    for one, later in itertools.pairwise(asked):
        if later.day < one.day:
            yield f"{later.kind} {later.day} comes after {one.kind} {one.day}"


def _is_date(text: str) -> bool:
    try:
        return f"{date.fromisoformat(text):%Y-%m-%d}" == text
    except ValueError:
        return False


def _misformed(lines: Sequence[Line], settings: WatchSettings) -> Iterator[str]:
    """Faults of lines of traffic that no label set or table could give."""
    for line in lines:
        if not isinstance(line, TrafficLine):
            continue
        parts = line.strata.values()
        total = sum(one.weight for one in parts)
        if len(line.strata) > MOST_STRATA:
            yield f"traffic {line.day} has more than {MOST_STRATA:,} strata"
        if line.rows and total and not isclose(total, 1, abs_tol=1e-6):
            yield f"traffic {line.day}: the shares of its strata add up to {total:.3f}"
        if any(_beyond(one.grades, one.weight, settings.scale) for one in parts):
            yield f"traffic {line.day}: grades off the scale of the watch, or heavier than their stratum"


def _beyond(grades: Mapping[Level, float], weight: float, scale: Sequence[Level]) -> bool:
    return not set(grades) <= set(scale) or sum(grades.values()) > weight + ROUNDING


def _odd(folder: Path) -> list[Fault]:
    """Links: nothing in the folder of a stranger leads outside. (A run is checked where it is opened.)"""
    inside = folder.iterdir() if folder.is_dir() and not folder.is_symlink() else ()
    return [Fault(str(one), LINK) for one in (folder, *sorted(inside)) if one.is_symlink()]


def _looks(
    folder: Path, settings: WatchSettings, line: BaselineLine
) -> tuple[BaselineLooks, dict[str, float]]:
    run, faults = _run(folder / BASELINE, line.run, settings, settings.repeats)
    refuse_faults(faults)
    assert run is not None, "without a run there is a fault"
    looks, by_item = looks_in(run, settings.weighting)
    then = (*line.losses, line.n, line.n_queries)
    now = (*looks.losses, looks.n, looks.n_queries)
    if len(then) != len(now) or not all(map(_same, then, now)):
        what = f"the line of the baseline is not what its run says ({looks.loss:.3f} on average); {RESTORE}"
        refuse_faults([Fault(str(folder / "history.jsonl"), what)])
    return looks, by_item


def _differs(folder: Path, line: DayLine, found: SentinelDay) -> list[Fault]:
    then = (line.loss, line.n, line.n_queries, line.unread)
    now = (found.loss, found.n, found.n_queries, found.unread)
    if all(map(_same, then, now)):
        return []
    said = f"loss {line.loss:.3f} of {line.n}, {line.unread} unread"
    real = f"loss {found.loss:.3f} of {found.n}, {found.unread} unread"
    return [Fault(str(folder / "history.jsonl"), f"day {line.day} has {said}, and its run {real}; {RESTORE}")]


def _same(one: float, other: float) -> bool:
    return isclose(one, other, abs_tol=ROUNDING)


def _run(folder: Path, name: str, settings: WatchSettings, repeats: int) -> tuple[Run | None, list[Fault]]:
    """The run of a line, or its fault: it has to have asked the watch's questions of the watch's teacher."""
    if faults := _odd(folder):
        return None, faults
    run = run_in(folder)
    if run is None or run.name != name:
        return None, [
            Fault(str(folder), f"the run {name} is gone, and its line cannot be checked; {RESTORE}")
        ]
    found = opened(run)
    manifest = found.manifest
    asked = manifest.asked.model_copy(update={"base_url": settings.asked.base_url})
    wrong = {
        "is not finished": manifest.finished_at is None,
        "asked something else than watch.json says": asked
        != settings.asked.model_copy(update={"repeats": repeats}),
        "was made of other files than watch.json says": manifest.digests != settings.digests,
        "has another scale than watch.json": found.policy.scale != settings.scale,
        "has another weighting than watch.json": found.gates.weighting != settings.weighting,
    }
    return found, [Fault(str(run), f"{what}; {RESTORE}") for what, is_so in wrong.items() if is_so]


def _asked_elsewhen(day: str, run: Run) -> list[str]:
    """The day of the clock on which a day was asked, if that is not the day or its neighbour."""
    made = run.manifest.created_at[:10]
    apart = (date.fromisoformat(made) - date.fromisoformat(day)).days if _is_date(made) else 0
    return [f"{day} was asked on {made}"] if abs(apart) > 1 else []


def _summed(remarks: Sequence[str]) -> tuple[str, ...]:
    if not remarks:
        return ()
    more = f", and {len(remarks) - 1} more such days" if len(remarks) > 1 else ""
    return (f"by the clock of its run, {remarks[0]}{more}",)


def _uncounted(folder: Path, lines: Sequence[Line], asked: str | None) -> list[Fault]:
    """Finished runs without a line: it was taken out, or a kill came before it was written."""
    days = {line.day for line in lines if isinstance(line, DayLine)}
    last = max(days, default="")
    parts = {folder / DAYS / name: name for name in folder_names(folder / DAYS) if name not in days}
    if not any(isinstance(line, BaselineLine) for line in lines):
        # Without a day, the baseline can wait for the next command, for any day.
        parts[folder / BASELINE] = asked or ""
    faults, lost = list[Fault](), dict[str, Path]()
    for part, day in parts.items():
        faults += (linked := _odd(part))
        run = None if linked or day == asked else run_in(part)
        if run is not None and load_manifest(run).finished_at is not None:
            lost[day] = run
    for day, run in lost.items():
        # A kill leaves one such run, the newest: repeating the command for its day writes the line.
        by_kill = len(lost) == 1 and (not day or (_is_date(day) and day > last))
        again = f"`harness watch {folder}{day and f' --day {day}'}` counts it"
        faults.append(
            Fault(str(run), f"is finished, and not in the history; {again if by_kill else RESTORE}")
        )
    return faults


def _traffic_day(line: TrafficLine) -> TrafficDay:
    found = TrafficDay(line.day, line.rows)
    for name, part in line.strata.items():
        found.weights[name] = part.weight
        found.grades[name] = dict(part.grades)
    if line.estimate:
        name, value, se = line.estimate
        found.estimate = HumanEstimate(name=name, value=value, se=se)
    return found
