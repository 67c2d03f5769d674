"""A run that is ready to be carried out, and who is told of it."""

from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from harness.grading.budget import Budget
from harness.grading.plan import Plan
from harness.nouns.pair import Example
from harness.nouns.records import Record
from harness.pricing.prices import NoPrice, Price
from harness.providers.base import Teacher
from harness.runs.pairs import ShownPair
from harness.storage.project import Project

Question = tuple[Example | ShownPair, int]
"""An example or a pair, and which repeat of it: all are asked once before any is asked again."""


@dataclass(frozen=True, slots=True)
class Limits:
    """How a run is to be carried out; nothing of it changes an answer."""

    connections: int | None = None
    """Calls in flight at most; None: as many as the server bears."""
    cache: bool = True
    only_failed: bool = False
    """Ask only what was asked before and never answered."""
    max_cost: float | None = None
    """USD that the run may cost, with what it has cost before."""


NO_LIMITS = Limits()


class RunObserver(Protocol):
    """What the caller is told while a run goes on."""

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        """The folder, the plan, and how many answers are still to be had."""

    def recorded(self, record: Record, in_flight: int) -> None:
        """One more answer has its outcome, and so many are being waited for."""

    def said(self, text: str) -> None:
        """Something happened that the user should know of: a sentence."""

    def stopping(self, in_flight: int) -> None:
        """The user wants to stop: so many answers are waited for."""


@dataclass(frozen=True, slots=True)
class Job:
    """A run that is ready to be carried out."""

    project: Project
    folder: Path
    plan: Plan
    teacher: Teacher
    price: Price | NoPrice
    budget: Budget | None
    watch: RunObserver
    limits: Limits
