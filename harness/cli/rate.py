"""`harness rate`: rounds of rating: links, progress, sealing."""

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.groups import PublicUrl
from harness.cli.options import Json, Root, argument, option, policy_or_only, project_at
from harness.cli.output import print_json, say, show
from harness.cli.policy_options import named
from harness.cli.rate_serve import public_origin
from harness.errors import BadInput
from harness.storage.plural import plural

if TYPE_CHECKING:
    from pathlib import Path

    from harness.golden.rating.rounds import OpenRound

Policy = Annotated[str | None, named("name or name@v1.")]
RoundName = Annotated[str | None, option("The round. Default: the latest.", "--round", metavar="NAME")]
Rater = Annotated[str, argument("A rater of the round.")]


def round_at(root: "Path | None", policy: str | None, name: str | None) -> "OpenRound":
    """The round that a command is about."""
    from harness.golden.rating.rounds import open_round

    project = project_at(root)
    return open_round(project, policy_or_only(policy, project), name)


def invite_command(
    rater: Rater,
    policy: Policy = None,
    round: RoundName = None,
    public_url: PublicUrl = None,
    root: Root = None,
) -> None:
    """Make a rater's link, and print it once.

    Whoever has the link rates as this rater; nobody can read it from the project's files.
    """
    from harness.golden.rating.links import invite

    address = public_origin(public_url) or ""
    opened = round_at(root, policy, round)
    token = invite(opened.folder, rater)
    typer.echo(f"{address}/rate/{token}")
    say(f"this is {rater}'s link for round {opened.round.name}; it is not shown again")
    if not address:
        say("add it to the address of your server, or print the whole link with --public-url")


def revoke_command(rater: Rater, policy: Policy = None, round: RoundName = None, root: Root = None) -> None:
    """Revoke every link of a rater.

    What was rated stays. A new link continues where the old one stopped.
    """
    from harness.golden.rating.links import revoke

    opened = round_at(root, policy, round)
    count = revoke(opened.folder, rater)
    say(f"{plural(count, 'link')} of {rater} for round {opened.round.name} revoked")


def status_command(
    policy: Policy = None, round: RoundName = None, root: Root = None, json: Json = False
) -> None:
    """How far are the raters?

    It shows counts and times, and no grades, so that looking often changes nothing.
    """
    from harness.golden.rating.progress import progress_of
    from harness.golden.rating.waiting import closed_sets
    from harness.report.rating import progress_view

    opened = round_at(root, policy, round)
    found = progress_of(opened)
    closed = {rater: one.at for rater, one in closed_sets(opened).items()}
    print_json(found) if json else show(progress_view(found, closed))


def seal_command(
    rater: Annotated[str | None, argument("A rater of the round.")] = None,
    policy: Policy = None,
    round: RoundName = None,
    all: Annotated[bool, option("Every rater who answered anything.", "--all")] = False,
    root: Root = None,
) -> None:
    """Close a rater's set, and count it in ratings.jsonl.

    It takes no more answers then. Raters have a button for it; this is the lead's way.
    """
    from harness.golden.rating.sealing import seal
    from harness.golden.rating.waiting import closed_sets

    if (rater is None) is not all:
        raise BadInput("name the rater whose set is closed, or --all")
    project = project_at(root)
    opened = round_at(root, policy, round)
    now = datetime.now(UTC).isoformat(timespec="seconds")
    if opened.policy_changed:
        say(f"warning: {opened.policy_changed}")
    for one in _answering(opened) if rater is None else (rater,):
        found = seal(project, opened, one, now)
        left = len(opened.assigned(found.rater)) - found.graded - found.cannot
        counts = f"{plural(found.graded, 'rating')}, cannot be rated {found.cannot:,}, left out {left:,}"
        say(f"{found.rater}: sealed {found.at}: {counts}")
        if left and found.rater not in closed_sets(opened):
            command = f"`harness rate close --rater {found.rater} --why ...`"
            say(f"{found.rater} can no longer give these {left:,}; for a verdict, run {command}")


def _answering(opened: "OpenRound") -> tuple[str, ...]:
    """The raters with something to seal. BadInput without any."""
    from harness.golden.rating.progress import progress_of

    progress = progress_of(opened).raters
    found = tuple(one.rater for one in progress if one.graded + one.cannot or one.sealed_at)
    if not found:
        raise BadInput(f"no rater has answered anything in {opened.round.name} yet: there is nothing to seal")
    return found
