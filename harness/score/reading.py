"""One pass over a run's records and examples: it collects what scoring, comparing and reporting need."""

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from harness.nouns.pair import Example
from harness.nouns.records import Failed, Grade, Key, Record, Ungraded
from harness.runs.folder import Run, find_run, open_run, read_through
from harness.runs.manifest import mixtures
from harness.score.items import NEVER_ASKED, GradedItem, ItemAnswer, about_of, answer_of
from harness.score.money import Sums, spending
from harness.scorecards.money import Spending
from harness.storage.project import Project

SHORT = 2_000
"""Examples are kept in memory up to this number, for the report, which shows all of them."""
RAW_SHOWN = 2_000
"""Characters kept of an unreadable reply; the run folder has the whole reply."""
RAW_KEPT = 20_000
"""The number of unreadable replies kept: more than a page can show."""


@dataclass(frozen=True, slots=True)
class Unread:
    """Why an item's first answer has no grade, and the beginning of its reply, if any."""

    cause: str
    detail: str
    raw: str = ""


NEVER = Unread("failed", "never asked")


@dataclass(frozen=True, slots=True)
class Reading:
    """The result of one pass over a run's examples and records. Raw replies stay on disk.

    `pairs` holds the digest of each item's pair, `rated` the examples that the run's ratings are about, and
    `answered` counts the answers that have a record. `seconds` is the mean over the answers that count, and
    `usual_seconds` the median over all that were asked for; None if there are none, and for replayed grades.
    `asked_again` counts records whose first reply was unreadable, `models` the answers by the model that gave
    them, `addresses` by the address that they came from, "" for the provider's own.
    """

    run: Run
    items: tuple[GradedItem, ...]
    pairs: tuple[str, ...]
    rated: Mapping[str, Example]
    spending: Spending
    answered: int
    seconds: float | None
    usual_seconds: float | None
    asked_again: int
    models: Mapping[str, int]
    addresses: Mapping[str, int]
    unread: Mapping[str, Unread]
    kept: tuple[Example, ...]

    @property
    def mixed(self) -> tuple[str, ...]:
        """What the answers are a mixture of, if several graders gave them."""
        addresses = {name or "the provider's own": count for name, count in self.addresses.items()}
        return mixtures(models=self.models, addresses=addresses)

    def each_example(self) -> Iterator[Example]:
        """The examples, one by one; read from disk if the run is long."""
        return iter(self.kept) if self.kept else self.run.each_example()


def read_run(run: Run) -> Reading:
    """Read a run: one pass over its examples, one over its records. BadInput if the run is damaged."""
    found = _Pass(run, frozenset(rating.item for rating in run.ratings))
    pairs = read_through(run, found.example, found.record)
    # The time to read a file, or to wait in a queue, says nothing about the grader.
    timed = run.manifest.digests.replayed is None and not run.manifest.waited
    counting = [seconds for seconds in found.seconds.values() if seconds is not None and timed]
    return Reading(
        run=run,
        items=tuple(map(found.answered, found.items)),
        pairs=tuple(pairs.values()),
        rated=found.rated,
        spending=spending(run, found.sums),
        answered=len(found.answers),
        seconds=sum(counting) / len(counting) if counting else None,
        usual_seconds=float(np.median(found.taken)) if found.taken and timed else None,
        asked_again=found.asked_again,
        models=Counter(model for model, _ in found.origins.values() if model),
        addresses=Counter(address for _, address in found.origins.values() if address is not None),
        unread=found.unread,
        kept=tuple(found.kept),
    )


def reading_of(project: Project, name: str, beside: Path | None = None) -> Reading:
    """Read a run, named as for `find_run`. BadInput if it is damaged."""
    return read_run(open_run(find_run(project, name, beside)))


@dataclass(slots=True)
class _Pass:
    """The totals of a pass. The last record of a key is the answer; all records cost time and money."""

    run: Run
    wanted: frozenset[str]
    items: list[GradedItem] = field(default_factory=list)
    rated: dict[str, Example] = field(default_factory=dict)
    kept: list[Example] = field(default_factory=list)
    answers: dict[Key, ItemAnswer] = field(default_factory=dict)
    seconds: dict[Key, float | None] = field(default_factory=dict)
    taken: list[float] = field(default_factory=list)
    unread: dict[str, Unread] = field(default_factory=dict)
    asked_again: int = 0
    origins: dict[Key, tuple[str, str | None]] = field(default_factory=dict)
    """The model and the address of each answer; ("", None) without a reply."""
    known: dict[tuple[str, str | None], tuple[str, str | None]] = field(default_factory=dict)
    sums: Sums = field(default_factory=Sums)

    def example(self, example: Example) -> None:
        about = about_of(example)
        self.items.append(GradedItem(example.id, example.cluster, example.grade, (), about))
        if example.id in self.wanted:
            self.rated[example.id] = example
        if self.run.manifest.examples <= SHORT:
            self.kept.append(example)

    def record(self, record: Record) -> None:
        self.sums.add(record)
        key, taken = record.key, None if record.cached_reply else record.seconds
        self.answers[key], self.seconds[key] = answer_of(record), taken
        origin = self._origin(record)
        # One tuple for all that are equal: a long run has hundreds of thousands of records.
        self.origins[key] = self.known.setdefault(origin, origin)
        if taken is not None:
            self.taken.append(taken)
        self.asked_again += record.unread is not None
        if record.repeat == 0:
            self._note_unread(record)

    def _origin(self, record: Record) -> tuple[str, str | None]:
        if record.reply is None:
            return "", None
        return record.reply.model, record.address or self.run.manifest.asked.base_url or ""

    def _note_unread(self, record: Record) -> None:
        match record.outcome:
            case Grade():
                self.unread.pop(record.example, None)
            case Ungraded(cause=cause, detail=detail):
                kept = record.reply is not None and len(self.unread) < RAW_KEPT
                raw = record.reply.text[:RAW_SHOWN] if record.reply and kept else ""
                self.unread[record.example] = Unread(cause, detail, raw)
            case Failed(detail=detail):
                self.unread[record.example] = Unread("failed", detail)

    def answered(self, item: GradedItem) -> GradedItem:
        """The item with its answers; a repeat without a record has failed."""
        repeats = range(self.run.manifest.asked.repeats)
        answers = tuple(self.answers.get((item.item, repeat), NEVER_ASKED) for repeat in repeats)
        return GradedItem(item.item, item.cluster, item.golden, answers, item.about, item.named)
