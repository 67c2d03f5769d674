"""The answers of a teacher under successive versions of a prompt; each question is asked once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from harness.grading.answering import ask_all
from harness.grading.budget import Budget, budget_of, worst_case
from harness.grading.job import Item, Job, Limits, RunObserver
from harness.grading.plan import Plan, setup_of
from harness.grading.purse import Purse
from harness.improve.folder import CANDIDATES, candidate_folders
from harness.improve.kept import kept_answers
from harness.improve.variant import Variant
from harness.nouns.pair import Example
from harness.nouns.records import Record
from harness.pricing.prices import price_of
from harness.prompting.prompt import SYSTEM
from harness.providers import open_teacher, sold_as
from harness.runs.record_log import RECORDS, RecordLog
from harness.score.items import NEVER_ASKED, GradedItem, ItemAnswer, about_of, answer_of
from harness.storage.files import write_atomic
from harness.storage.project import Project
from harness.storage.stream import Stream

GO_ON = "the same command goes on from here"


class Grader:
    """Asks the teacher of a plan under any version of its prompt.

    Each version has a folder with its text, its records and its calls, which a later process goes on with.
    `base`: the version that the search began with. BadInput where what is kept was changed.
    """

    def __init__(
        self,
        project: Project,
        plan: Plan,
        base: Variant,
        folder: Path,
        watch: RunObserver,
        limits: Limits,
        purse: Purse,
    ) -> None:
        self._project, self._plan, self._folder = project, plan, folder
        self._watch, self._limits, self._purse = watch, limits, purse
        self._price = price_of(project, plan.asked.model, plan.asked.base_url, sold_as)
        self._worst = worst_case(self._price, plan.asked.model, plan.policy, plan.asked.max_tokens)
        self.base = base
        pairs = {example.id: example.pair.digest for example in plan.examples}
        self._known = kept_answers(folder, base, plan.policy, pairs)
        self._count_spent()
        self.calls = 0
        """How many answers this process asked for."""

    def items(self, variant: Variant, examples: Sequence[Example]) -> list[GradedItem]:
        """The examples with their answers under a version. Answered questions are not asked again."""
        known = self._known.setdefault(variant.name, {})
        if missing := [example for example in examples if example.id not in known]:
            self._ask(variant, missing, known)
        return [
            GradedItem(
                example.id,
                example.cluster,
                example.grade,
                (known.get(example.id, NEVER_ASKED),),
                about_of(example),
            )
            for example in examples
        ]

    def _ask(self, variant: Variant, examples: Sequence[Example], known: dict[str, ItemAnswer]) -> None:
        """Have the teacher answer; each answer is in `known` as soon as it is on the disk."""
        folder = self._folder / CANDIDATES / variant.name
        folder.mkdir(parents=True, exist_ok=True)
        write_atomic(folder / SYSTEM, variant.system)
        if not (folder / RECORDS).exists():
            write_atomic(folder / RECORDS, "")
        budget = self._purse.opened(self._worst)
        watch = _Noting(self._watch, known)
        try:
            with RecordLog(folder) as log:
                before = log.count
                ask_all(self._job(folder, variant, examples, before, budget, watch), log, GO_ON)
                self.calls += log.count - before
        finally:
            self._purse.closed(budget)

    def _job(
        self,
        folder: Path,
        variant: Variant,
        examples: Sequence[Example],
        answered: int,
        budget: Budget | None,
        watch: RunObserver,
    ) -> Job:
        """The job of one batch. Its size includes the answers that exist already, as the log does."""
        size = len(examples) + answered
        writer = variant.writer(self._plan)
        plan = replace(self._plan, writer=writer, examples=Stream(partial(iter, examples), size))
        teacher = open_teacher(plan.asked.model, setup_of(self._project, self._plan))
        items = _Chosen(examples)
        return Job(
            self._project, folder, plan, teacher, self._price, budget, watch, self._limits, items=items
        )

    def _count_spent(self) -> None:
        """The cost of earlier processes."""
        if self._purse.limit is None:
            return
        for folder in candidate_folders(self._folder):
            if (folder / RECORDS).exists():
                before = budget_of(self._purse.limit, self._worst, folder)
                self._purse.spent += before.spent
                self._purse.lost += before.lost


@dataclass(frozen=True, slots=True)
class _Chosen:
    examples: Sequence[Example]

    def __iter__(self) -> Iterator[Item]:
        return iter(self.examples)

    def open(self) -> Iterator[Item]:
        """All answers."""
        return iter(self.examples)


@dataclass(frozen=True, slots=True)
class _Noting:
    """Notes the answers in `known`. It tells only of faults, since a search has many small batches."""

    watch: RunObserver
    known: dict[str, ItemAnswer]

    def started(self, folder: Path, plan: Plan, todo: int) -> None:
        """A batch begins."""

    def recorded(self, record: Record, in_flight: int) -> None:
        """An answer came."""
        self.known[record.example] = answer_of(record)

    def elsewhere(self, count: int) -> None:
        """A search has no other processes."""

    def said(self, text: str) -> None:
        """A sentence for the user."""
        self.watch.said(text)

    def stopping(self, in_flight: int) -> None:
        """The user stops the search."""
        self.watch.stopping(in_flight)
