"""A watch from its folder, and what a day adds to it."""

from collections.abc import Sequence
from pathlib import Path
from typing import TypeVar

from harness.nouns.base import Weighting
from harness.nouns.records import Record
from harness.runs.folder import open_run, read_through
from harness.runs.watch_folder import (
    BaselineLine,
    DayLine,
    Line,
    TrafficLine,
    history_of,
    load_settings,
    names_of_models,
)
from harness.score.items import GradedItem
from harness.score.reading import read_run
from harness.score.watch import About, Settings, watched
from harness.score.watched import (
    BaselineLooks,
    Loss,
    Seen,
    SentinelDay,
    TrafficDay,
    baseline_of,
    day_order,
    sentinel_day,
)
from harness.scorecards.watch import HumanEstimate, Watch

L = TypeVar("L", BaselineLine, DayLine, TrafficLine)


def watch_of(folder: Path) -> Watch:
    """The verdict over a watch, from its history alone."""
    settings, lines = load_settings(folder), history_of(folder)
    looks, days, traffic = parts_of(lines)
    asked = settings.asked
    about = About(str(folder), f"{asked.model} with {asked.prompt}", asked.policy)
    limits = Settings(settings.alpha, settings.delta, settings.weighting)
    return watched(about, settings.scale, limits, looks, days, traffic)


def parts_of(lines: Sequence[Line]) -> tuple[BaselineLooks | None, list[SentinelDay], list[TrafficDay]]:
    """The baseline, the days and the traffic of a history, in the order of the days."""
    baseline = next((line for line in lines if isinstance(line, BaselineLine)), None)
    if baseline is None:
        return None, [], [_traffic_day(line) for line in _ordered(lines, TrafficLine)]
    looks = BaselineLooks(baseline.losses, baseline.n, baseline.n_queries, baseline.models)
    mean = sum(baseline.losses) / len(baseline.losses)
    days = [
        SentinelDay(one.day, one.loss, mean, one.n, one.n_queries, one.unread, one.ci, one.models)
        for one in _ordered(lines, DayLine)
    ]
    return looks, days, [_traffic_day(line) for line in _ordered(lines, TrafficLine)]


def _ordered(lines: Sequence[Line], kind: type[L]) -> list[L]:
    return sorted((one for one in lines if isinstance(one, kind)), key=lambda one: day_order(one.day))


def _traffic_day(line: TrafficLine) -> TrafficDay:
    found = TrafficDay(line.day, line.rows)
    for name, part in line.strata.items():
        found.weights[name] = part.weight
        found.grades[name] = dict(part.grades)
    if line.estimate:
        name, value, se = line.estimate
        found.estimate = HumanEstimate(name=name, value=value, se=se)
    return found


def baseline_line(day: str, folder: Path, weighting: Weighting) -> BaselineLine:
    """The line of a finished baseline run."""
    repeats = seen_in(folder, weighting)
    looks, _ = baseline_of(repeats)
    return BaselineLine(
        day=day,
        run=folder.name,
        losses=looks.losses,
        n=looks.n,
        n_queries=looks.n_queries,
        models=models_in(folder),
    )


def day_line(day: str, folder: Path, baseline: Path, weighting: Weighting) -> DayLine:
    """The line of a day's finished run, beside the baseline run."""
    looks, by_item = baseline_of(seen_in(baseline, weighting))
    (seen,) = seen_in(folder, weighting)
    one = sentinel_day(day, seen, looks, by_item)
    return DayLine(
        day=day,
        run=folder.name,
        loss=one.loss,
        n=one.n,
        n_queries=one.n_queries,
        unread=one.unread,
        ci=one.ci,
        models=models_in(folder),
    )


def seen_in(folder: Path, weighting: Weighting) -> list[list[Seen]]:
    """The losses of each repeat of a run."""
    run = open_run(folder)
    loss, items = Loss(run.policy.scale, weighting), read_run(run).items
    repeats = range(run.manifest.asked.repeats)
    return [[_seen(one, repeat, loss) for one in items] for repeat in repeats]


def _seen(one: GradedItem, repeat: int, loss: Loss) -> Seen:
    grade = one.answers[repeat].grade
    return Seen(one.item, one.cluster, loss.of(one.golden, grade), grade is None)


def unanswered_in(folder: Path) -> int:
    """The questions of a run that have no answer."""
    items = read_run(open_run(folder)).items
    return sum(answer.outcome == "failed" for one in items for answer in one.answers)


def models_in(folder: Path) -> tuple[str, ...]:
    """Who answered, with the fingerprint of the server where it gives one."""
    names = set[str]()

    def note(record: Record) -> None:
        if record.reply and record.reply.model:
            mark = record.reply.fingerprint
            names.add(f"{record.reply.model} ({mark})" if mark else record.reply.model)

    read_through(open_run(folder), on_record=note)
    return names_of_models(names)
