"""The search: GEPA mutates templates by what their disagreements say, and keeps those that gain.

GEPA: Agrawal et al. (2025), "Reflective prompt evolution can outperform reinforcement learning",
arXiv 2507.19457; the package `gepa`. It sees the part `propose` and nothing else.
"""

import random
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import HarnessError
from harness.improve.grading import Grader
from harness.improve.guard import Guard
from harness.improve.reflection import Reflector
from harness.improve.variant import Variant
from harness.nouns.pair import Example
from harness.prompting.prompt import PromptWriter
from harness.score.items import GradedItem
from harness.scorecards.improvement import Edit

if TYPE_CHECKING:
    from gepa.core.result import GEPAResult

COMPONENT = "system"
WRONG, RIGHT = 5, 3
"""How many pairs of a batch the first prompt gets wrong, and how many right: an edit must not break these."""
IDLE = 3
"""How many rounds for each proposal may bring none before a search ends."""


@dataclass(frozen=True, slots=True)
class Found:
    """A version of the prompt that gained on `propose`, and the edits that lead to it from the first one."""

    number: int
    variant: Variant
    edits: tuple[Edit, ...]


@dataclass(slots=True)
class Search:
    """The adapter that GEPA calls, and what became of its proposals."""

    grader: Grader
    reflector: Reflector
    guard: Guard
    writer: PromptWriter
    examples: Sequence[Example]
    scale: Sequence[int]
    wanted: int
    """How many proposals to ask for."""
    proposals: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    propose_new_texts: Any = None
    """GEPA's protocol requires it; our proposer is given to GEPA separately."""
    _edits: dict[str, Edit] = field(default_factory=dict)
    _failed: HarnessError | None = None

    def run(self, base: str, wrong: Sequence[int], seed: int) -> list[Found]:
        """The templates that gained on `propose`, without the first. `wrong`: places of disagreements."""
        from gepa.api import optimize

        result: GEPAResult[GradedItem, int] = optimize(
            seed_candidate={COMPONENT: base},
            trainset=list(range(len(self.examples))),
            adapter=self,
            custom_candidate_proposer=self._proposed,
            batch_sampler=_Batches(wrong, len(self.examples), seed),
            stop_callbacks=_Enough(self),
            logger=_Silent(),
            seed=seed,
        )
        if self._failed:
            raise self._failed
        found: list[Found] = []
        edits: list[tuple[Edit, ...]] = [()]
        for at, (one, parents) in enumerate(zip(result.candidates, result.parents, strict=True)):
            if at:
                text = one[COMPONENT]
                edits.append((*edits[parents[0] or 0], self._edits[text]))
                found.append(Found(at, Variant(text), edits[at]))
        return found

    def evaluate(self, batch: list[int], candidate: dict[str, str], capture_traces: bool = False) -> Any:
        """Grade examples under a template: 1 for the golden grade, less with the distance, 0 unread."""
        from gepa.core.adapter import EvaluationBatch

        items = self.grader.items(Variant(candidate[COMPONENT]), [self.examples[at] for at in batch])
        scores = [closeness(item, self.scale) for item in items]
        traces = list(zip(batch, items, strict=True)) if capture_traces else None
        return EvaluationBatch(outputs=items, scores=scores, trajectories=traces)

    def make_reflective_dataset(
        self, candidate: dict[str, str], eval_batch: Any, components_to_update: list[str]
    ) -> Mapping[str, Sequence[Mapping[str, Any]]]:
        """The disagreements of a batch."""
        wrong = [
            {"example": self.examples[at], "item": item}
            for at, item in eval_batch.trajectories
            if item.answers[0].grade != item.golden
        ]
        return dict.fromkeys(components_to_update, wrong)

    def _proposed(
        self,
        candidate: dict[str, str],
        reflective_dataset: Mapping[str, Sequence[Mapping[str, Any]]],
        components_to_update: list[str],
    ) -> dict[str, str]:
        """A proposal that may be graded with; empty if there is none."""
        if self._failed:
            raise self._failed
        parent, told = candidate[COMPONENT], reflective_dataset[COMPONENT]
        wrong = [(one["example"], one["item"]) for one in told]
        try:
            proposal = self.reflector.propose(parent, wrong)
        except HarnessError as error:
            # GEPA treats an error here as a failed proposal, and goes on: the error is raised when GEPA has
            # ended.
            self._failed = error
            raise
        self.proposals += 1
        why = proposal.refused
        if proposal.system is not None:
            why = self.guard.refusal(proposal.system, parent, self.writer)
        if proposal.system is None or why:
            self.refused[why or ""] += 1
            return {}
        edit = Edit(note=proposal.note, items=tuple(example.id for example, _ in wrong))
        self._edits.setdefault(proposal.system, edit)
        return {COMPONENT: proposal.system}

    @property
    def failed(self) -> bool:
        """Whether the model that proposes could not be asked."""
        return self._failed is not None


def closeness(item: GradedItem, scale: Sequence[int]) -> float:
    """1 for the golden grade, 0 for the farthest one and for no readable answer; linear between."""
    grade = item.answers[0].grade
    return 0.0 if grade is None else 1 - abs(grade - item.golden) / (max(scale) - min(scale))


class _Batches:
    """Batches of pairs by a seed: some that the first prompt gets wrong, and some that it gets right."""

    def __init__(self, wrong: Sequence[int], size: int, seed: int) -> None:
        self._wrong = list(wrong)
        self._right = [at for at in range(size) if at not in set(wrong)]
        self._dice = random.Random(seed)

    def next_minibatch_ids(self, loader: Any, state: Any) -> list[int]:
        """The places of a batch."""
        wrong = self._dice.sample(self._wrong, min(WRONG, len(self._wrong)))
        return wrong + self._dice.sample(self._right, min(RIGHT, len(self._right)))


@dataclass(slots=True)
class _Enough:
    """Whether the search ends: enough proposals, too many rounds without one, or no model to ask."""

    search: Search
    rounds: int = 0

    def __call__(self, gepa_state: Any) -> bool:
        self.rounds += 1
        done = self.search.proposals >= self.search.wanted
        return done or self.search.failed or self.rounds > IDLE * self.search.wanted


class _Silent:
    """A logger that prints nothing: GEPA logs every template that it sees."""

    def log(self, message: str) -> None:
        """Nothing."""
