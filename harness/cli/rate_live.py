"""`harness rate live` and `rate close`: a round as its lead sees it."""

from typing import TYPE_CHECKING, Annotated

from harness.cli.options import Json, Root, option, policy_or_only, project_at
from harness.cli.output import print_json, say, show
from harness.cli.rate import Policy, RoundName, round_at
from harness.storage.plural import plural

if TYPE_CHECKING:
    from harness.golden.rating.waiting import RoundNow


def live_command(
    policy: Policy = None,
    round: RoundName = None,
    disputes: Annotated[
        int, option("How many disputed pairs to list (five or more), and how many with reasons.", min=0)
    ] = 1,
    all: Annotated[bool, option("Every rater and pair of raters, not the ten lowest.", "--all")] = False,
    json: Json = False,
    root: Root = None,
) -> None:
    """Gate 1 of a round while people rate: progress and agreement so far, for the lead.

    The verdict waits for all planned ratings: to stop at the first look that passes would pass too often.
    """
    from harness.report.live_gate1 import live_view
    from harness.verdicts.live_gate1 import live_gate1_of

    project = project_at(root)
    score = live_gate1_of(project, policy_or_only(policy, project), round)
    print_json(score) if json else show(live_view(score, disputes, every=all))


def close_command(
    why: Annotated[str, option("The reason, for readers of the verdict.")],
    policy: Policy = None,
    round: RoundName = None,
    rater: Annotated[
        str | None, option("Whose missing ratings not to wait for. Default: everybody's.")
    ] = None,
    root: Root = None,
) -> None:
    """Stop waiting for planned ratings that are missing. What was answered counts.

    The round then has a verdict, which is provisional for good: it may have been closed after a look.
    """
    from harness.golden.rating.waiting import close, round_now

    now = round_now(round_at(root, policy, round))
    for line in _closed(now, close(now, rater, why)):
        say(line)


def _closed(now: "RoundNow", raters: tuple[str, ...]) -> list[str]:
    missing = sum(one.awaited for one in now.sets if one.rater in raters)
    name = now.open_round.round.name
    count = f"{now.given:,} of {plural(now.planned, 'rating')} given, {missing:,} no longer waited for"
    then = "its verdict is provisional" if now.given else "it leaves no rating behind"
    return [f"round {name} is closed for {', '.join(raters)}: {count}; {then}"]
