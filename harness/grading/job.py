"""A run that is ready to start, and its observer."""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.grading.budget import Budget
from harness.grading.plan import Plan
from harness.grading.telemetry.settings import Telemetry
from harness.nouns.pair import Pair
from harness.nouns.records import Key, Record
from harness.pricing.prices import NoPrice, Price
from harness.providers.base import Teacher
from harness.storage.project import Project


class Item(Protocol):
    """What is asked about: a golden example, or a pair without a grade."""

    @property
    def id(self) -> str:
        """Its name."""

    @property
    def pair(self) -> Pair:
        """What a teacher may see of it."""


Question = tuple[Item, int]
"""An item, and the number of its repeat: all are asked once before any is repeated."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How to carry out a run; none of it changes an answer."""

    connections: int | None = None
    """Maximum of calls in flight; None: as many as the server accepts, at most 200."""
    cache: bool = True
    only_failed: bool = False
    """Ask only what was asked before and never answered."""
    max_cost: float | None = None
    """USD that the run may cost, including earlier sessions."""
    telemetry: Telemetry | None = None
    """Where spans and events go; None: nothing is sent."""


NO_LIMITS = Limits()


class RunObserver(Protocol):
    """Told of the progress of a run."""

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        """The run starts, with `todo` open questions."""

    def recorded(self, record: Record, in_flight: int) -> None:
        """One more question has its outcome; `in_flight` others are being asked."""

    def elsewhere(self, count: int) -> None:
        """Other processes have so many answers, which will be recorded later."""

    def said(self, text: str) -> None:
        """A sentence for the user."""

    def stopping(self, in_flight: int) -> None:
        """The user stops the run; it waits for `in_flight` answers."""


class Answers(Protocol):
    """Where a job's answers are kept: the record log of a run, or the answer store of a label set.

    `count`: the answers there are. `failures`: the questions that were asked and have none. `models`: who
    answered.
    """

    models: set[str]

    @property
    def count(self) -> int:
        """The number of answers."""

    @property
    def failures(self) -> int:
        """The number of questions that were asked and have no answer."""

    def append(self, record: Record, *, last: bool = True) -> None:
        """Keep a record; after this call a kill does not lose it. `last`: the key is not appended again."""

    def is_answered(self, key: Key) -> bool:
        """Whether an earlier session answered it."""

    def has_failed(self, key: Key) -> bool:
        """Whether it was asked and has no answer."""

    def records(self) -> Iterator[Record]:
        """Every record; the last one of a key counts."""


class Items(Protocol):
    """What a job grades, streamed."""

    def __iter__(self) -> Iterator[Item]:
        """Every item."""

    def open(self) -> Iterator[Item]:
        """At least those that lack an answer."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run that is ready to start."""

    project: Project
    folder: Path
    plan: Plan
    teacher: Teacher
    price: Price | NoPrice
    budget: Budget | None
    watch: RunObserver
    limits: Limits
    moved_to: str | None = None
    """The address of the teacher, if it is not the one in the manifest."""
    items: Items | None = None
    """What is graded; None: what the run folder holds."""
