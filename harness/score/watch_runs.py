"""What the runs of a watch say: the losses of the baseline and of each day, read from their records."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from harness.nouns.base import Weighting
from harness.nouns.pair import Example
from harness.nouns.records import Failed, Grade, Key, Record
from harness.policy.load import load_with_gates
from harness.runs.folder import Run, read_through
from harness.runs.manifest import load_manifest
from harness.runs.watch_folder import MOST_NAMES, BaselineLine, DayLine
from harness.score.watched import (
    BaselineLooks,
    GradeLoss,
    SentinelDay,
    SentinelLoss,
    baseline_of,
    sentinel_day,
)


def opened(folder: Path) -> Run:
    """A run of a watch, without its ratings: a watch has a run for each day, and reads none of them."""
    return Run(folder, load_manifest(folder), *load_with_gates(folder / "policy.toml"))


def looks_in(run: Run, weighting: Weighting) -> tuple[BaselineLooks, dict[str, float]]:
    """The looks of a finished baseline run, and each pair's mean loss in them."""
    found = _Pass.through(run)
    looks, by_item = baseline_of([found.seen(repeat, weighting) for repeat in found.repeats])
    return replace(looks, models=found.models), by_item


def day_in(
    day: str, run: Run, looks: BaselineLooks, by_item: Mapping[str, float], weighting: Weighting
) -> SentinelDay:
    """A day's finished run, beside its baseline."""
    found = _Pass.through(run)
    return sentinel_day(day, found.seen(0, weighting), looks, by_item, found.models)


def baseline_line(day: str, folder: Path, weighting: Weighting) -> BaselineLine:
    """The line of a finished baseline run."""
    looks, _ = looks_in(opened(folder), weighting)
    return BaselineLine(day=day, run=folder.name, **_shared(BaselineLine, looks))


def day_line(day: str, folder: Path, baseline: Path, weighting: Weighting) -> DayLine:
    """The line of a day's finished run, beside the baseline run."""
    one = day_in(day, opened(folder), *looks_in(opened(baseline), weighting), weighting)
    return DayLine(run=folder.name, **_shared(DayLine, one))


def _shared(line: type[BaselineLine | DayLine], found: BaselineLooks | SentinelDay) -> dict[str, Any]:
    """The fields of a line that what was found has under the same names."""
    return {name: getattr(found, name) for name in line.model_fields if hasattr(found, name)}


def unanswered_in(folder: Path) -> int:
    """The questions of a run that have no answer."""
    found = _Pass.through(opened(folder))
    return sum(found.open(example.id, repeat) for example in found.examples for repeat in found.repeats)


@dataclass(slots=True)
class _Pass:
    """One pass over a run: its examples, and the last record of each question."""

    run: Run
    examples: list[Example] = field(default_factory=list)
    grades: dict[Key, int | None] = field(default_factory=dict)
    failed: set[Key] = field(default_factory=set)
    names: set[str] = field(default_factory=set)

    @classmethod
    def through(cls, run: Run) -> "_Pass":
        found = cls(run)
        read_through(run, found.examples.append, found.note)
        return found

    @property
    def repeats(self) -> range:
        return range(self.run.manifest.asked.repeats)

    @property
    def models(self) -> tuple[str, ...]:
        """Who answered, with the fingerprint of the server if it gives one."""
        return tuple(sorted(self.names))[:MOST_NAMES]

    def note(self, record: Record) -> None:
        outcome = record.outcome
        self.grades[record.key] = outcome.value if isinstance(outcome, Grade) else None
        (self.failed.add if isinstance(outcome, Failed) else self.failed.discard)(record.key)
        if record.reply and record.reply.model:
            mark = record.reply.fingerprint
            self.names.add(f"{record.reply.model} ({mark})" if mark else record.reply.model)

    def open(self, example: str, repeat: int) -> bool:
        return (example, repeat) not in self.grades or (example, repeat) in self.failed

    def seen(self, repeat: int, weighting: Weighting) -> list[SentinelLoss]:
        """The losses of a look. A question without an answer has the loss of one that cannot be read."""
        loss = GradeLoss(self.run.policy.scale, weighting)
        found = [(one, self.grades.get((one.id, repeat))) for one in self.examples]
        return [
            SentinelLoss(one.id, one.cluster, loss.of(one.grade, grade), grade is None)
            for one, grade in found
        ]
