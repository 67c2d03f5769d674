"""The plan of a search: what can be checked before anything is asked, and how much would be asked."""

from dataclasses import dataclass
from importlib.util import find_spec

from harness.errors import BadInput
from harness.golden.summary import query_count
from harness.grading.forecast import forecast
from harness.grading.plan import Plan, make_plan
from harness.grading.plan_warnings import plan_warnings
from harness.improve.accepting import TESTED
from harness.improve.parts import Parts, parts_of
from harness.improve.search import RIGHT, WRONG
from harness.nouns.pair import Example
from harness.pricing.prices import NoPrice, price_of
from harness.providers import asks_a_server, is_prompted, is_recorded, sold_as, split_model
from harness.runs.manifest import Asked
from harness.scorecards.improvement import Part, SearchForecast
from harness.storage.digest import digest, short_of
from harness.storage.project import Project


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


def prepared(project: Project, wanted: Wanted) -> tuple[Plan, Parts]:
    """Everything that can be checked before anything is asked. BadInput for what no search can use."""
    asked = wanted.asked
    if is_recorded(asked.model):
        what = "its replies are to the prompts of then, and none is to an edit; name a model"
        raise BadInput(f"{asked.model}: {what}")
    if not is_prompted(asked.model):
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
    """BadInput if the prompt leaves no shots to choose."""
    spec = plan.writer.files.spec
    if spec.strategy == "nearest":
        raise BadInput(f"{plan.asked.prompt} shows the nearest shots of each pair: there is no set to choose")
    if not plan.writer.shots:
        raise BadInput(f"{plan.asked.prompt} shows no shots; set `shots` in a draft of it")


def search_name(wanted: Wanted, plan: Plan) -> str:
    """The name of a search's folder: the same for the same search."""
    told = [plan.digests.model_dump(), plan.asked.model, plan.asked.base_url, wanted.proposed_by]
    whole = digest([*told, wanted.proposer_url, wanted.proposals, wanted.seed])
    return f"{plan.asked.prompt}-{short_of(whole, 12)}"


def part_of(examples: tuple[Example, ...]) -> Part:
    """The size of a part."""
    return Part(n=len(examples), queries=query_count(examples))


def foresee(project: Project, wanted: Wanted) -> SearchForecast:
    """The most that a search would ask for. Makes no API calls and writes nothing."""
    plan, parts = prepared(project, wanted)
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
        propose=part_of(parts.propose),
        select=part_of(parts.select),
        proposals=wanted.proposals,
        answers=answers,
        cost=cost.high / plan.size * answers if cost else None,
        reason=price.reason if isinstance(price, NoPrice) else None,
        warnings=tuple(plan_warnings(plan)),
    )
