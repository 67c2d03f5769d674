"""`harness improve`: edits to a prompt, proposed from disagreements and accepted on other pairs."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path

from harness.errors import BadInput
from harness.golden.examples import each_example
from harness.grading.budget import worst_case
from harness.grading.forecast import forecast
from harness.grading.job import Limits, RunObserver
from harness.grading.plan import Plan, make_plan
from harness.improve.accepting import TESTED, Terms, chosen, judged
from harness.improve.drafting import drafted
from harness.improve.grading import Grader, Variant
from harness.improve.guard import Guard
from harness.improve.parts import Parts, parts_of
from harness.improve.policy_faults import Sorted, sorted_out
from harness.improve.purse import Purse
from harness.improve.reflection import Reflector
from harness.improve.search import RIGHT, WRONG, Found, Search
from harness.improve.shot_search import search_shots
from harness.nouns.pair import Example, indented_json
from harness.pricing.prices import NoPrice, price_of
from harness.providers import (
    asks_a_server,
    is_prompted,
    is_recorded,
    sold_as,
    split_model,
)
from harness.providers.base import Setup
from harness.runs.manifest import Asked
from harness.runs.record_log import writing
from harness.scorecards.improvement import Improvement, Part, SearchForecast
from harness.storage.digest import digest, short_of
from harness.storage.files import write_atomic
from harness.storage.project import Project
from harness.storage.stream import Stream

FOLDER = "improve"
RESULT = "improvement.json"


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for.

    `proposed_by`: the model that proposes, at `proposer_url` if not at its own; None to search for shots.
    `proposals`: how many to ask for, or how many sets of shots to try.
    """

    asked: Asked
    proposed_by: str | None
    proposals: int
    seed: int
    proposer_url: str | None = None


def improve(project: Project, wanted: Wanted, watch: RunObserver, limits: Limits) -> tuple[Improvement, Path]:
    """Search, accept, and write what is accepted as a draft; the result, and its folder.

    The same search goes on where an earlier one stopped. BadInput for a teacher that reads no prompt, and for
    too few queries.
    """
    plan, parts = _prepared(project, wanted)
    folder = project.runs / FOLDER / _name(wanted, plan)
    folder.mkdir(parents=True, exist_ok=True)
    lock = writing(folder, "search")
    try:
        purse = Purse(limits.max_cost)
        grader = Grader(project, plan, folder, watch, limits, purse)
        reflector = _reflector(project, wanted, plan, folder, purse)
        return _found(project, wanted, plan, parts, grader, reflector, folder), folder
    finally:
        lock.release()


def foresee(project: Project, wanted: Wanted) -> SearchForecast:
    """What a search would ask for at most. Makes no API calls and writes nothing."""
    plan, parts = _prepared(project, wanted)
    batches = 2 * (WRONG + RIGHT) if wanted.proposed_by else 0
    tried = 1 + min(TESTED, wanted.proposals)
    answers = len(parts.propose) + wanted.proposals * (len(parts.propose) + batches)
    answers += tried * len(parts.select)
    price = price_of(project, plan.asked.model, plan.asked.base_url, sold_as)
    cost = forecast(plan, price).cost.plain
    return SearchForecast(
        prompt=plan.asked.prompt,
        model=plan.asked.model,
        proposed_by=wanted.proposed_by,
        propose=_part(parts.propose),
        select=_part(parts.select),
        proposals=wanted.proposals,
        answers=answers,
        cost=cost.high / plan.size * answers if cost else None,
        reason=price.reason if isinstance(price, NoPrice) else None,
    )


def _prepared(project: Project, wanted: Wanted) -> tuple[Plan, Parts]:
    """All that can be checked before anything is asked."""
    asked = wanted.asked
    if not is_prompted(asked.model) or is_recorded(asked.model):
        raise BadInput(
            f"{asked.model} reads no prompt, so that no edit would change its grades; name a model"
        )
    if wanted.proposed_by:
        if not asks_a_server(split_model(wanted.proposed_by)[0]):
            raise BadInput(f"{wanted.proposed_by} writes no text; name the model that proposes, --proposer")
        if not find_spec("gepa"):
            raise BadInput("improve takes one more package: pip install 'teacher-harness[improve]'")
    plan = make_plan(project, asked)
    if not wanted.proposed_by:
        _refuse_shots(plan)
    return plan, parts_of(tuple(plan.examples), wanted.seed)


def _refuse_shots(plan: Plan) -> None:
    """BadInput where there is no choice of shots."""
    spec = plan.writer.files.spec
    if spec.strategy == "nearest":
        raise BadInput(f"{plan.asked.prompt} shows the nearest shots of each pair: there is no set to choose")
    if not plan.writer.shots:
        raise BadInput(f"{plan.asked.prompt} shows no shots; set `shots` in a draft of it")


def _name(wanted: Wanted, plan: Plan) -> str:
    """The folder of a search: the same for the same search."""
    told = [plan.digests.model_dump(), plan.asked.model, plan.asked.base_url, wanted.proposed_by]
    whole = digest([*told, wanted.proposer_url, wanted.proposals, wanted.seed])
    return f"{plan.asked.prompt}-{short_of(whole, 12)}"


def _found(
    project: Project,
    wanted: Wanted,
    plan: Plan,
    parts: Parts,
    grader: Grader,
    reflector: Reflector | None,
    folder: Path,
) -> Improvement:
    shots = None if reflector else tuple(shot.id for shot in plan.writer.shots)
    base = Variant(plan.writer.files.system, shots)
    sorted_ = sorted_out(parts.propose, grader.items(base, parts.propose), plan.ratings)
    found, facts = _searched(wanted, plan, base, sorted_, grader, reflector)
    weighting = plan.gates.weighting
    candidates = judged(grader, base, found, parts, Terms(plan.policy.scale, weighting))
    best = chosen(candidates)
    result = Improvement(
        prompt=plan.asked.prompt,
        policy=plan.policy.label,
        model=plan.asked.model,
        proposed_by=wanted.proposed_by,
        seed=wanted.seed,
        weighting=weighting,
        propose=_part(parts.propose),
        select=_part(parts.select),
        disagreements=len(sorted_.wrong),
        proposals=facts.proposals,
        refused=facts.refused,
        candidates=tuple(candidates),
        chosen=best.number if best else None,
        policy_faults=sorted_.faults,
        answers=grader.calls,
        test=sum(one.split == "test" for one in _graded(plan)),
    )
    if best:
        result = result.model_copy(update={"draft": drafted(project, result, best, folder.name)})
    write_atomic(folder / RESULT, indented_json(result.model_dump(mode="json")))
    return result


@dataclass(frozen=True, slots=True)
class _Facts:
    """How many proposals there were, and why some could not be used."""

    proposals: int
    refused: dict[str, int]


def _searched(
    wanted: Wanted,
    plan: Plan,
    base: Variant,
    sorted_: Sorted,
    grader: Grader,
    reflector: Reflector | None,
) -> tuple[list[Found], _Facts]:
    """What gained on `propose`: edits of the words, or sets of shots. Nothing where nothing is wrong."""
    scale, examples = plan.policy.scale, sorted_.kept
    if not sorted_.wrong:
        return [], _Facts(0, {})
    if reflector is None:
        found, tried = search_shots(
            grader, base, plan.learnable, examples, scale, wanted.proposals, wanted.seed
        )
        return found, _Facts(tried, {})
    guard = Guard(base.system, Stream(lambda: _graded(plan), len(plan.examples)))
    search = Search(grader, reflector, guard, plan.writer, examples, scale, wanted.proposals)
    found = search.run(base.system, sorted_.wrong, wanted.seed)
    return found, _Facts(search.proposals, dict(search.refused))


def _graded(plan: Plan) -> Iterator[Example]:
    """Every pair of dev and test: what no prompt may say."""
    return (one for one in each_example(plan.golden_file, plan.policy) if one.split != "shots")


def _reflector(project: Project, wanted: Wanted, plan: Plan, folder: Path, purse: Purse) -> Reflector | None:
    if wanted.proposed_by is None:
        return None
    address = wanted.proposer_url
    price = price_of(project, wanted.proposed_by, address, sold_as)
    worst = worst_case(price, wanted.proposed_by, plan.policy)
    setup = Setup(policy=plan.policy, shots=(), base_url=address, no_schema=True, root=project.root)
    return Reflector(wanted.proposed_by, setup, price, worst, folder, purse)


def _part(examples: tuple[Example, ...]) -> Part:
    return Part(n=len(examples), queries=len({example.cluster for example in examples}))
