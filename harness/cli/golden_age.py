"""`harness golden age`: what is old in a golden set, and what to add next."""

from pathlib import Path
from typing import Annotated

from harness.cli.options import Columns, Encoding, Format, Json, Options, Root, layout, option, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.policy_options import PolicyOptions
from harness.cli.rated import refuse
from harness.errors import BadInput
from harness.storage.outputs import FILE


class TrafficOptions(Options):
    """Today's traffic, and what to plan from it."""

    traffic: Annotated[
        Path | None, option("A label set, or a table: item, query, title, and weight, stratum.")
    ] = None
    near: Annotated[
        float | None, option("The similarity from which an example is near. Default: 0.5.", min=0.05, max=1)
    ] = None
    n: Annotated[int | None, option("How many pairs to add at most. Default: 40.", "--n", min=1)] = None
    columns: Columns = None
    format: Format = None
    encoding: Encoding = None
    output: Annotated[
        Path | None, option("Write them as a plan for `harness rate plan --from`.", "--output", "-o"), FILE
    ] = None


def golden_age_command(
    which: PolicyOptions, *, today: TrafficOptions, root: Root = None, json: Json = False
) -> None:
    """What is old in a golden set, what has left the traffic, and what to add next."""
    from harness.policy.load import load_named
    from harness.report.golden_age import golden_age_view
    from harness.score.golden_age import NEAR, TO_ADD, golden_age

    project = project_at(root)
    if today.traffic is None:
        refuse(today.given(), " goes with --traffic")
    policy = load_named(project, which.label_in(project))
    found, plan = golden_age(
        project,
        policy,
        today.traffic,
        layout(today.columns, today.format, encoding=today.encoding),
        NEAR if today.near is None else today.near,
        TO_ADD if today.n is None else today.n,
    )
    print_json(found) if json else show(golden_age_view(found))
    if today.output is None:
        return
    from harness.storage.files import write_lines

    if not plan:
        raise BadInput("nothing to add: every pair of the traffic has an example near it")
    write_lines(today.output, plan)
    say(f"written to {shown_path(today.output)}")
    rate = f"harness rate plan --policy {policy.name} --from {shown_path(today.output)}"
    say(f"next: {rate} --raters ann,bob --kind human")
