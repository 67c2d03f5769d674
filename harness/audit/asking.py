"""Ask a teacher about golden pairs as they are and rewritten, through the run engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from harness.audit.rewriting import canary_pairs, rewritten
from harness.errors import BadInput
from harness.golden.canaries import FILE as CANARIES
from harness.golden.canaries import canary_examples, load_canaries
from harness.golden.examples import checked_examples, golden_path
from harness.golden.splits import choose_examples
from harness.grading.forecast import forecast
from harness.grading.job import Limits, RunObserver
from harness.grading.pair_grades import grade_pairs, is_finished
from harness.grading.plan import Plan, make_plan
from harness.nouns.pair import Example
from harness.nouns.policy import Policy
from harness.nouns.records import Key
from harness.policy.load import load_policy, policy_path
from harness.pricing.prices import price_of
from harness.providers import confirmed, reads_grades, sold_as
from harness.providers.base import SENT_ALONG
from harness.runs.manifest import Asked
from harness.runs.pair_run import PairRun, find_pair_run
from harness.runs.pairs import ShownPair
from harness.runs.record_log import answered_in
from harness.score.reading import Reading
from harness.scorecards.money import Forecast
from harness.storage.project import Project
from harness.storage.stream import Stream


@dataclass(frozen=True, slots=True)
class Rewrites:
    """Pairs to grade as they are and rewritten, with the canaries' products; planned before any call."""

    plan: Plan
    examples: Sequence[Example]
    canaries: Sequence[Example]

    def pairs(self) -> Iterator[ShownPair]:
        """Everything that is graded."""
        return _pairs(self.examples, self.canaries)


def _pairs(examples: Sequence[Example], canaries: Sequence[Example]) -> Iterator[ShownPair]:
    yield from rewritten(lambda: examples)
    yield from canary_pairs(canaries)


def rewrites_of_model(project: Project, asked: Asked) -> Rewrites:
    """The rewritten examples of the splits asked for. BadInput for one that cannot be asked."""
    if reads_grades(asked.model):
        how = f"`harness eval --model {asked.model}`, then `harness audit latest`"
        raise BadInput(f"{asked.model}: a file of grades has none for rewritten pairs; {how}")
    policy = load_policy(policy_path(project, asked.policy))
    golden = list(checked_examples(golden_path(project, policy.name), policy))
    examples = choose_examples(golden, asked.splits, asked.limit, asked.seed or 0)
    return _planned(project, asked, policy, examples)


def rewrites_of_run(project: Project, reading: Reading, base_url: str | None) -> Rewrites:
    """The rewritten examples of a run, for its own teacher. BadInput if it cannot be asked as then."""
    run, before = reading.run, reading.run.manifest.asked
    where = run.folder.name
    if reads_grades(before.model):
        raise BadInput(f"{where}: a file of grades has none for rewritten pairs; remove --rewrites")
    address = confirmed(before.model, before.base_url, base_url, run.folder)
    kept = ("model", "policy", "prompt", "splits", "shots", *SENT_ALONG)
    values = {name: getattr(before, name) for name in kept}
    asked = Asked(**values, base_url=address, rewrites=True)
    found = _planned(project, asked, run.policy, list(reading.each_example()))
    now = found.plan.digests.model_copy(update={"golden": run.manifest.digests.golden})
    if changed := run.manifest.changed(now):
        how = f"audit the model: harness audit {before.model}"
        raise BadInput(f"{where}: changed since the run began: {changed}; {how}")
    return found


def _planned(project: Project, asked: Asked, policy: Policy, examples: Sequence[Example]) -> Rewrites:
    path = golden_path(project, policy.name).with_name(CANARIES)
    canaries = canary_examples(load_canaries(path, policy))
    stream = Stream(lambda: _pairs(examples, canaries), sum(1 for _ in _pairs(examples, canaries)))
    return Rewrites(make_plan(project, asked, stream), examples, canaries)


def foresee(project: Project, work: Rewrites, *, again: bool = False) -> Forecast:
    """What the questions without an answer would cost; with `again`, all. Makes no API calls."""
    plan = work.plan
    price = price_of(project, plan.asked.model, plan.asked.base_url, sold_as)
    folder = None if again else find_pair_run(project, plan.asked, plan.digests)
    known = answered_in(folder) if folder else frozenset[Key]()
    return forecast(plan, price, ((one, 0) for one in work.pairs() if (one.id, 0) not in known))


def graded(project: Project, work: Rewrites, watch: RunObserver, limits: Limits) -> PairRun:
    """The grades of all pairs, from the latest run over them; asks for the missing ones."""
    folder = find_pair_run(project, work.plan.asked, work.plan.digests)
    if folder and not limits.cache and is_finished(folder):
        # Start over; an interrupted run is resumed all the same.
        folder = None
    return grade_pairs(project, work.plan, folder, watch, limits)
