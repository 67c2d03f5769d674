"""`harness improve`: a better prompt, from what a teacher gets wrong."""

from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import BaseUrl, CallOptions, MaxCost, ModelSettings
from harness.cli.options import Json, Options, Root, argument, load_keys, option, policy_label, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.policy_options import PolicyName
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.improve.planning import Wanted
    from harness.storage.project import Project


class TeacherAndPolicy(Options):
    """The teacher, and the policy that it grades by."""

    model: Annotated[str | None, option("The teacher that reads the prompt: provider/model.")] = None
    policy: PolicyName = None


class GradingOptions(ModelSettings, TeacherAndPolicy):
    """The teacher that reads the prompt."""

    base_url: BaseUrl = None


class SearchOptions(Options):
    """How to search."""

    proposer: Annotated[
        str | None, option("The model that proposes edits. Default: the teacher's, at its address.")
    ] = None
    proposer_url: Annotated[str | None, option("Where the model that proposes is, if it is yours.")] = None
    shots: Annotated[
        bool, option("Search for the shots to show and their order, instead of words.", "--shots")
    ] = False
    proposals: Annotated[int, option("How many edits, or sets of shots, to try.", min=1, max=200)] = 10
    seed: Annotated[int, option("Deals the queries and draws the batches.")] = 0
    max_cost: MaxCost = None
    dry_run: Annotated[
        bool, option("Print how much the search would ask at most; make no API calls.", "--dry-run")
    ] = False


def improve_command(
    prompt: Annotated[str, argument("name or name@v2.", metavar="[PROMPT]")] = "teacher",
    *,
    grading: GradingOptions,
    search: SearchOptions,
    calls: CallOptions,
    root: Root = None,
    json: Json = False,
) -> None:
    """Propose edits to a prompt from disagreements on dev, and accept what is surely better.

    Half of the queries of dev are for proposing, the other half for accepting; test is never graded. An
    accepted prompt is written as a draft.
    """
    from harness.cli.progress import Progress
    from harness.improve.improve import improve
    from harness.improve.planning import foresee
    from harness.report.improve import forecast_view, improvement_view

    project = project_at(root)
    load_keys(project)
    wanted = _wanted(project, prompt, grading, search)
    if search.dry_run:
        found = foresee(project, wanted)
        print_json(found) if json else show(forecast_view(found))
        return
    with Progress() as progress:
        result, folder = improve(project, wanted, progress, calls.limits(max_cost=search.max_cost))
    print_json(result) if json else show(improvement_view(result, project))
    say(f"search: {shown_path(folder)}")


def _wanted(project: "Project", prompt: str, grading: GradingOptions, search: SearchOptions) -> "Wanted":
    """The options as one request."""
    from harness.improve.planning import Wanted
    from harness.runs.manifest import Asked

    if not grading.model:
        raise BadInput("name the teacher that reads the prompt: --model provider/model")
    policy = policy_label(grading.policy, project)
    asked = Asked(**{**vars(grading), "policy": policy}, prompt=prompt, splits=("dev",))
    own = search.proposer is None
    if search.shots and (search.proposer or search.proposer_url):
        raise BadInput("--shots asks no model for proposals; remove --proposer and --proposer-url")
    return Wanted(
        asked=asked,
        proposed_by=None if search.shots else search.proposer or grading.model,
        proposals=search.proposals,
        seed=search.seed,
        proposer_url=search.proposer_url or (grading.base_url if own and not search.shots else None),
    )
