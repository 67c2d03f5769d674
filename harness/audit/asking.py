"""Ask a teacher about golden pairs as they are and rewritten, through the run engine."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from harness.audit.paraphrases import Paraphrases, PhrasesFile, read_paraphrases, refuse_none
from harness.audit.rewriting import REWRITINGS, Ways, canary_pairs, rewritten, ways_with
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
    paraphrases: Paraphrases | None = None

    @property
    def ways(self) -> Ways:
        """How the pairs are rewritten, the mildest way first."""
        return _ways(self.paraphrases)

    def pairs(self) -> Iterator[ShownPair]:
        """Everything that is graded."""
        return _pairs(self.examples, self.canaries, self.ways)


def _ways(given: Paraphrases | None) -> Ways:
    return ways_with(given.results, given.file) if given else REWRITINGS


def _pairs(examples: Sequence[Example], canaries: Sequence[Example], ways: Ways) -> Iterator[ShownPair]:
    yield from rewritten(lambda: examples, ways)
    yield from canary_pairs(canaries)


def rewrites_of_model(project: Project, asked: Asked, words: PhrasesFile | None = None) -> Rewrites:
    """The rewritten examples of the splits asked for, with the paraphrases of `words`.

    BadInput for a teacher that grades no new pairs.
    """
    if reads_grades(asked.model):
        how = f"`harness eval --model {asked.model}`, then `harness audit latest`"
        raise BadInput(f"{asked.model}: a file of grades has no grades of rewritten pairs; {how}")
    policy = load_policy(policy_path(project, asked.policy))
    golden = list(checked_examples(golden_path(project, policy.name), policy))
    examples = choose_examples(golden, asked.splits, asked.limit, asked.seed or 0)
    given = read_paraphrases(words, golden) if words else None
    return _planned(project, asked, policy, examples, given)


def rewrites_of_run(
    project: Project, reading: Reading, base_url: str | None, words: PhrasesFile | None = None
) -> Rewrites:
    """The rewritten examples of a run, for its own teacher. BadInput if its settings or inputs changed."""
    run, before = reading.run, reading.run.manifest.asked
    where = run.folder.name
    if reads_grades(before.model):
        raise BadInput(f"{where}: a file of grades has no grades of rewritten pairs; remove --rewrites")
    address = confirmed(before.model, before.base_url, base_url, run.folder)
    kept = ("model", "policy", "prompt", "splits", "shots", *SENT_ALONG)
    values = {name: getattr(before, name) for name in kept}
    asked = Asked(**values, base_url=address, rewrites=True)
    examples = list(reading.each_example())
    given = read_paraphrases(words, _golden_of(project, run.policy, examples)) if words else None
    found = _planned(project, asked, run.policy, examples, given)
    now = found.plan.digests.model_copy(update={"golden": run.manifest.digests.golden})
    if changed := run.manifest.changed(now):
        how = f"audit the model: harness audit {before.model}"
        raise BadInput(f"{where}: changed since the run began: {changed}; {how}")
    return found


def _golden_of(project: Project, policy: Policy, examples: Sequence[Example]) -> list[Example]:
    """The golden set, with a run's examples as they were in the run."""
    now = checked_examples(golden_path(project, policy.name), policy)
    return [*({one.id: one for one in now} | {one.id: one for one in examples}).values()]


def _planned(
    project: Project, asked: Asked, policy: Policy, examples: Sequence[Example], given: Paraphrases | None
) -> Rewrites:
    if given:
        refuse_none(given, examples, "+".join(asked.splits))
        asked = asked.model_copy(update={"paraphrases": given.file})
    path = golden_path(project, policy.name).with_name(CANARIES)
    canaries, ways = canary_examples(load_canaries(path, policy)), _ways(given)
    count = sum(1 for _ in _pairs(examples, canaries, ways))
    plan = make_plan(project, asked, Stream(lambda: _pairs(examples, canaries, ways), count))
    # The digest of the file as it was read: the file may have changed since.
    digests = plan.digests.model_copy(update={"paraphrases": given.digest if given else None})
    return Rewrites(replace(plan, digests=digests), examples, canaries, given)


def foresee(project: Project, work: Rewrites, *, again: bool = False) -> Forecast:
    """The cost of the questions without an answer; with `again`, of all. Makes no API calls."""
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
