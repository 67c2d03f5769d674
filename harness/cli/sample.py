"""`harness sample`: draw pairs of a label set for people to rate."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

from harness.cli import completion
from harness.cli.options import Json, Options, Root, argument, layout, option
from harness.cli.output import print_json, say, show, shown_path
from harness.errors import BadInput
from harness.storage.outputs import FILE

if TYPE_CHECKING:
    from harness.score.sample_files import SampleWanted


class SampleOptions(Options):
    """A sample at random."""

    by: Annotated[str | None, option("Strata: some of action, stratum, grade, as in action,stratum.")] = None
    allocation: Annotated[
        Literal["proportional", "optimal"],
        option("By each stratum's share, or by its share and its spread in a pilot."),
    ] = "proportional"
    pilot: Annotated[
        Path | None, option("Ratings of rows of these labels, for --allocation optimal.", metavar="RATINGS")
    ] = None
    at_least: Annotated[
        int | None, option("Plan for the share of this grade or more. Default: of the best action.")
    ] = None
    most_per_query: Annotated[
        int | None, option("The most pairs of a query; larger ones are cut.", min=1)
    ] = None
    seed: Annotated[int | None, option("To draw the same again. Default: a random one.", min=0)] = None


class HuntOptions(Options):
    """Hunts: what looks wrong, and is not a sample."""

    hunt: Annotated[
        Literal["low-confidence", "disagree"] | None, option("Take what looks wrong instead; no estimate.")
    ] = None
    against: Annotated[
        str | None,
        option(
            "For --hunt disagree: another teacher's label set, a run, or baseline.",
            metavar="LABELS|RUN",
            autocompletion=completion.runs,
        ),
    ] = None


def sample_command(
    labels: Annotated[Path, argument("A label set of `harness label`.", metavar="LABELS")],
    *,
    n: Annotated[int, option("About how many pairs; whole queries are drawn.", "--n", "-n", min=1)] = 300,
    sample: SampleOptions,
    hunting: HuntOptions,
    output: Annotated[
        Path | None, option("Where the plan goes.", "--output", "-o", metavar="FILE"), FILE
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Draw production pairs for people to rate.

    It draws at random, with known probabilities, for `harness estimate`; --hunt takes likely errors instead.
    """
    from harness.golden.rating.raters import how_to_plan
    from harness.report.sample import sample_view
    from harness.score.sample_files import draw_from
    from harness.storage.files import write_lines

    if output is None:
        raise BadInput("name the file of the plan: -o plan.jsonl")
    summary, plan = draw_from(_wanted(labels, n, sample, hunting, root))
    write_lines(output, plan)
    summary = summary.model_copy(update={"file": str(output)})
    print_json(summary) if json else show(sample_view(summary))
    if not json:
        say(f"written to {shown_path(output)}")
        say(f"next: {how_to_plan(summary.policy, str(shown_path(output)))}")


def _wanted(
    labels: Path, pairs: int, sample: SampleOptions, hunting: HuntOptions, root: Path | None
) -> "SampleWanted":
    from harness.score.estimate_files import GivenRatings
    from harness.score.sample_files import SampleWanted

    given = vars(sample) | vars(hunting)
    if sample.pilot is not None:
        given["pilot"] = GivenRatings(sample.pilot, layout(mapped_by=None))
    return SampleWanted(labels, pairs, root=root, most=given.pop("most_per_query"), **given)
