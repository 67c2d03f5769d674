"""A run that is ready to start, and its observer."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.grading.budget import Budget
from harness.grading.plan import Plan
from harness.grading.telemetry.settings import Telemetry
from harness.nouns.pair import Example
from harness.nouns.records import Record
from harness.pricing.prices import NoPrice, Price
from harness.providers.base import Teacher
from harness.runs.pairs import ShownPair
from harness.storage.project import Project

Question = tuple[Example | ShownPair, int]
"""An example or a pair, and the number of its repeat: all are asked once before any is repeated."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How to carry out a run; none of it changes an answer."""

    connections: int | None = None
    """Maximum of calls in flight; None: as many as the server bears."""
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

    def said(self, text: str) -> None:
        """A sentence for the user."""

    def stopping(self, in_flight: int) -> None:
        """The user stops the run; it waits for `in_flight` answers."""


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
