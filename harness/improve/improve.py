"""`harness improve`: edits to a prompt, proposed from disagreements and accepted on other pairs."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput
from harness.golden.examples import each_example
from harness.grading.budget import worst_case
from harness.grading.forecast import forecast
from harness.grading.job import Limits, RunObserver
from harness.grading.plan import Plan, make_plan
from harness.improve.accepting import TESTED, Terms, chosen, judged
from harness.improve.grading import Grader
from harness.improve.guard import Guard
from harness.improve.parts import Parts, parts_of
from harness.improve.purse import Purse
from harness.improve.reflection import Reflector
from harness.improve.search import RIGHT, WRONG, Search
from harness.nouns.pair import Example, Rating, indented_json
from harness.pricing.prices import NoPrice, price_of
from harness.prompting.prompt import prompt_versions
from harness.providers import (
    asks_a_server,
    is_prompted,
    is_recorded,
    reads_grades,
    sold_as,
    split_model,
)
from harness.providers.base import Setup
from harness.runs.manifest import Asked
from harness.runs.record_log import writing
from harness.scaffold.copies import new_prompt
from harness.score.disagreements import diagnose
from harness.score.items import GradedItem
from harness.scorecards.improvement import Candidate, Improvement, Part, PolicyFault, SearchForecast
from harness.storage.digest import digest
from harness.storage.files import read_json, write_atomic
from harness.storage.project import Project, split_label
from harness.storage.regular import SETTINGS
from harness.storage.stream import Stream

FOLDER = "improve"
RESULT = "improvement.json"
ORIGIN = "improved.json"
"""The file of a prompt version that says where its edits come from."""


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is searched for. `proposed_by`: the model that proposes; `proposals`: how many to ask for."""

    asked: Asked
    proposed_by: str
    proposals: int
    seed: int
    proposer_url: str | None = None


def improve(project: Project, wanted: Wanted, watch: RunObserver, limits: Limits) -> tuple[Improvement, Path]:
    """Search, accept, and write what is accepted as a draft; the result, and its folder.

    The same search goes on where an earlier one stopped. BadInput for a teacher that reads no prompt, and for
    too few queries.
    """
    _refuse(wanted)
    plan = make_plan(project, wanted.asked)
    parts = parts_of(tuple(plan.examples), wanted.seed)
    folder = project.runs / FOLDER / _name(wanted, plan)
    folder.mkdir(parents=True, exist_ok=True)
    lock = writing(folder, "search")
    try:
        return _found(project, wanted, plan, parts, folder, watch, limits), folder
    finally:
        lock.release()


def foresee(project: Project, wanted: Wanted) -> SearchForecast:
    """What a search would ask for at most. Makes no API calls and writes nothing."""
    _refuse(wanted)
    plan = make_plan(project, wanted.asked)
    parts = parts_of(tuple(plan.examples), wanted.seed)
    each = len(parts.propose) + 2 * (WRONG + RIGHT)
    tried = 1 + min(TESTED, wanted.proposals)
    answers = len(parts.propose) + wanted.proposals * each + tried * len(parts.select)
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


def _refuse(wanted: Wanted) -> None:
    model = wanted.asked.model
    if not is_prompted(model) or is_recorded(model) or reads_grades(model):
        raise BadInput(f"{model} reads no prompt, so that no edit would change its grades; name a model")
    provider, _ = split_model(wanted.proposed_by)
    if not asks_a_server(provider):
        raise BadInput(f"{wanted.proposed_by} writes no text; name the model that proposes, --proposer")
    if wanted.asked.splits != ("dev",):
        raise BadInput("a search reads dev alone: test is for the prompt that comes out of it")


def _name(wanted: Wanted, plan: Plan) -> str:
    """The folder of a search: the same for the same search."""
    told = [plan.digests.model_dump(), plan.asked.model, plan.asked.base_url, wanted.proposed_by]
    whole = digest([*told, wanted.proposer_url, wanted.proposals, wanted.seed]).removeprefix("sha256:")
    return f"{plan.asked.prompt}-{whole[:12]}"


def _found(
    project: Project,
    wanted: Wanted,
    plan: Plan,
    parts: Parts,
    folder: Path,
    watch: RunObserver,
    limits: Limits,
) -> Improvement:
    purse = Purse(limits.max_cost)
    grader = Grader(project, plan, folder, watch, limits, purse)
    base = plan.writer.files.system
    before = grader.items(base, parts.propose)
    faults, wrong = _sorted_out(plan, before, parts.propose)
    kept, places = _without(parts.propose, faults, wrong)
    guard = Guard(base, Stream(lambda: _graded(plan), len(plan.examples)))
    reflector = _reflector(project, wanted, plan, folder, purse)
    search = Search(grader, reflector, guard, plan.writer, kept, plan.policy.scale, wanted.proposals)
    found = search.run(base, places, wanted.seed) if places else []
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
        disagreements=len(places),
        proposals=search.proposals,
        refused=dict(search.refused),
        candidates=tuple(candidates),
        chosen=best.number if best else None,
        policy_faults=tuple(faults_by_clause(faults)),
        answers=grader.calls,
    )
    if best:
        draft = _earlier_draft(project, result, folder) or _drafted(project, result, best, folder)
        result = result.model_copy(update={"draft": draft})
    write_atomic(folder / RESULT, indented_json(result.model_dump(mode="json")))
    return result


def _sorted_out(
    plan: Plan, items: Sequence[GradedItem], examples: Sequence[Example]
) -> tuple[list[tuple[Example, tuple[int, ...]]], list[str]]:
    """The disagreements that are the policy's fault, with their ratings, and the ids of the others."""
    ratings: dict[str, dict[str, int]] = defaultdict(dict)
    for said in plan.ratings:
        if isinstance(said, Rating):
            ratings[said.item][said.rater] = said.grade
    faults, wrong = [], []
    for item, example in zip(items, examples, strict=True):
        if item.answers[0].grade == item.golden:
            continue
        given = tuple(ratings[item.item].values())
        if diagnose(item.golden, given) == "policy":
            faults.append((example, given))
        else:
            wrong.append(item.item)
    return faults, wrong


def _without(
    examples: Sequence[Example], faults: Sequence[tuple[Example, object]], wrong: Sequence[str]
) -> tuple[list[Example], list[int]]:
    """The examples without those whose disagreement is the policy's fault, and the places of the wrong."""
    out, ids = {example.id for example, _ in faults}, set(wrong)
    kept = [example for example in examples if example.id not in out]
    return kept, [at for at, example in enumerate(kept) if example.id in ids]


def faults_by_clause(faults: Sequence[tuple[Example, tuple[int, ...]]]) -> Iterator[PolicyFault]:
    """The disagreements of the policy, by the clause that the golden answer names."""
    by_clause: dict[str | None, dict[str, tuple[int, ...]]] = defaultdict(dict)
    for example, given in faults:
        for clause in example.clauses or (None,):
            by_clause[clause][example.id] = given
    for clause, items in sorted(by_clause.items(), key=lambda one: (-len(one[1]), one[0] or "")):
        yield PolicyFault(clause=clause, items=items)


def _graded(plan: Plan) -> Iterator[Example]:
    """Every pair of dev and test: what no prompt may say."""
    return (one for one in each_example(plan.golden_file, plan.policy) if one.split != "shots")


def _reflector(project: Project, wanted: Wanted, plan: Plan, folder: Path, purse: Purse) -> Reflector:
    address = wanted.proposer_url
    price = price_of(project, wanted.proposed_by, address, sold_as)
    worst = worst_case(price, wanted.proposed_by, plan.policy)
    setup = Setup(policy=plan.policy, shots=(), base_url=address, no_schema=True, root=project.root)
    return Reflector(wanted.proposed_by, setup, price, worst, folder, purse)


def _part(examples: Sequence[Example]) -> Part:
    return Part(n=len(examples), queries=len({example.cluster for example in examples}))


def _earlier_draft(project: Project, result: Improvement, folder: Path) -> str | None:
    """The draft that this search has written before, if it is still there."""
    name, _ = split_label(result.prompt)
    for version, spec in prompt_versions(project.prompts / name).items():
        path = spec.with_name(ORIGIN)
        origin = read_json(path, SETTINGS, links=False) if path.exists() else None
        if isinstance(origin, dict) and origin.get("search") == folder.name:
            return f"{name}@{version}"
    return None


def _drafted(project: Project, result: Improvement, best: Candidate, folder: Path) -> str:
    """Write the accepted template as the next version of the prompt; its label."""
    name, _ = split_label(result.prompt)
    origin = {
        "from": result.prompt,
        "search": folder.name,
        "policy": result.policy,
        "model": result.model,
        "proposed_by": result.proposed_by,
        "edits": [edit.model_dump(mode="json") for edit in best.edits],
        "select": best.select.model_dump(mode="json"),
        "p_holm": best.p_holm,
    }
    begun = new_prompt(
        project, name, result.prompt, system=best.template, beside={ORIGIN: indented_json(origin)}
    )
    return begun.label
