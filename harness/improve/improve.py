"""`harness improve`: edits to a prompt, proposed from disagreements and accepted on other pairs."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from harness.golden.examples import each_example
from harness.grading.budget import worst_case
from harness.grading.job import Limits, RunObserver
from harness.grading.plan import Plan
from harness.grading.plan_warnings import plan_warnings
from harness.grading.purse import Purse
from harness.improve.accepting import Terms, chosen, judged
from harness.improve.drafting import drafted
from harness.improve.folder import search_folder
from harness.improve.grading import Grader
from harness.improve.guard import Guard
from harness.improve.parts import Parts
from harness.improve.planning import Wanted, part_of, prepared, search_name
from harness.improve.policy_faults import Sorted, sorted_out
from harness.improve.reflection import Reflector
from harness.improve.search import Found, Search
from harness.improve.shot_search import search_shots
from harness.improve.variant import Variant
from harness.nouns.pair import Example, indented_json
from harness.pricing.prices import price_of
from harness.providers import sold_as
from harness.providers.base import Setup
from harness.runs.record_log import writing
from harness.scorecards.improvement import Candidate, Improvement
from harness.storage.files import write_atomic
from harness.storage.project import Project
from harness.storage.stream import Stream

RESULT = "improvement.json"


def improve(project: Project, wanted: Wanted, watch: RunObserver, limits: Limits) -> tuple[Improvement, Path]:
    """Search, accept, and write what is accepted as a draft; the result, and its folder.

    The same search goes on where an earlier one stopped. BadInput for a teacher that reads no prompt, for too
    few queries, and for a folder that no search has left so.
    """
    plan, parts = prepared(project, wanted)
    folder = search_folder(project, search_name(wanted, plan))
    lock = writing(folder, "search")
    for text in plan_warnings(plan):
        watch.said(f"warning: {text}")
    try:
        purse = Purse(limits.max_cost)
        grader = Grader(project, plan, _base(wanted, plan), folder, watch, limits, purse)
        reflector = _reflector(project, wanted, plan, folder, purse)
        result = _Task(project, wanted, plan, parts, grader, reflector).done(folder.name)
        write_atomic(folder / RESULT, indented_json(result.model_dump(mode="json")))
        return result, folder
    finally:
        lock.release()


def _base(wanted: Wanted, plan: Plan) -> Variant:
    """The version that the search begins with. Only a search for shots names them."""
    shots = None if wanted.proposed_by else tuple(shot.id for shot in plan.writer.shots)
    return Variant(plan.writer.files.system, shots)


@dataclass(frozen=True, slots=True)
class _Searched:
    """The candidates that gained on `propose`; how many proposals there were, and why some failed."""

    found: list[Found] = field(default_factory=list)
    proposals: int = 0
    refused: dict[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class _Task:
    """One search, from the first answers to the draft."""

    project: Project
    wanted: Wanted
    plan: Plan
    parts: Parts
    grader: Grader
    reflector: Reflector | None

    def done(self, search: str) -> Improvement:
        """The result, with its draft written. `search`: what the draft names as its origin."""
        plan, parts, grader = self.plan, self.parts, self.grader
        first = grader.items(grader.base, parts.propose)
        sorted_ = sorted_out(parts.propose, first, plan.ratings)
        searched = self._searched(sorted_)
        terms = Terms(plan.policy.scale, plan.gates.weighting)
        candidates = judged(grader, searched.found, parts, terms)
        best = chosen(candidates)
        result = self._result(sorted_, searched, candidates, best)
        if best is None:
            return result
        return result.model_copy(update={"draft": drafted(self.project, result, best, search)})

    def _searched(self, sorted_: Sorted) -> _Searched:
        """Edits of the words, or sets of shots. Empty if there is no disagreement."""
        plan, wanted, examples = self.plan, self.wanted, sorted_.kept
        scale, base = plan.policy.scale, self.grader.base
        if not sorted_.wrong:
            return _Searched()
        if self.reflector is None:
            tried = wanted.proposals, wanted.seed
            return _Searched(*search_shots(self.grader, plan.learnable, examples, scale, *tried))
        guard = Guard(base.system, Stream(lambda: _graded(plan), len(plan.examples)))
        search = Search(self.grader, self.reflector, guard, plan.writer, examples, scale, wanted.proposals)
        found = search.run(base.system, sorted_.wrong, wanted.seed)
        return _Searched(found, search.proposals, dict(search.refused))

    def _result(
        self, sorted_: Sorted, searched: _Searched, candidates: list[Candidate], best: Candidate | None
    ) -> Improvement:
        plan, wanted = self.plan, self.wanted
        return Improvement(
            prompt=plan.asked.prompt,
            policy=plan.policy.label,
            model=plan.asked.model,
            proposed_by=wanted.proposed_by,
            seed=wanted.seed,
            weighting=plan.gates.weighting,
            propose=part_of(self.parts.propose),
            select=part_of(self.parts.select),
            disagreements=len(sorted_.wrong),
            unread=sorted_.unread,
            unrated=sorted_.unrated,
            proposals=searched.proposals,
            refused=searched.refused,
            candidates=tuple(candidates),
            chosen=best.number if best else None,
            policy_faults=sorted_.faults,
            answers=self.grader.calls,
            test=sum(one.split == "test" for one in _graded(plan)),
        )


def _graded(plan: Plan) -> Iterator[Example]:
    """Every pair of dev and test: a prompt may not repeat any of them."""
    return (one for one in each_example(plan.golden_file, plan.policy) if one.split != "shots")


def _reflector(project: Project, wanted: Wanted, plan: Plan, folder: Path, purse: Purse) -> Reflector | None:
    if wanted.proposed_by is None:
        return None
    address = wanted.proposer_url
    price = price_of(project, wanted.proposed_by, address, sold_as)
    worst = worst_case(price, wanted.proposed_by, plan.policy)
    setup = Setup(policy=plan.policy, shots=(), base_url=address, no_schema=True, root=project.root)
    return Reflector(wanted.proposed_by, setup, price, worst, folder, purse)
