"""`harness golden add`: production pairs that people judged become golden examples."""

from collections import Counter
from typing import Annotated

from harness.cli.options import Json, Options, Root, names_in, option, policy_or_only, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.policy_options import PolicyName
from harness.storage.plural import plural


class AddOptions(Options):
    """Which pairs of a round to add, and how to split their queries."""

    round: Annotated[
        str | None, option("The round of production pairs. Default: the latest.", metavar="NAME")
    ] = None
    only: Annotated[str | None, option("Add only these items: a,b,c")] = None
    leave_out: Annotated[str | None, option("Add all items but these: a,b,c")] = None
    splits: Annotated[
        str | None,
        option("shots/dev/test in per cent, for queries that the set lacks. Default: as it is divided now."),
    ] = None
    seed: Annotated[int, option("Seed of the splits.")] = 0
    dry_run: Annotated[bool, option("Say what would be added; write nothing.", "--dry-run")] = False


def add_command(
    *, asked: AddOptions, policy: PolicyName = None, root: Root = None, json: Json = False
) -> None:
    """Add production pairs that people judged to the golden set, all or none.

    Each takes the grade on which the round's raters agree, or the author's decision, and names its source.
    A query stays in one split, together with queries of nearly the same text.
    """
    from harness.golden.rating.adding import Adding, add_judged
    from harness.golden.rating.production_rounds import production_round
    from harness.golden.splits import SPLITS, parse_shares

    project = project_at(root)
    opened = production_round(project, policy_or_only(policy, project), asked.round)
    wanted = Adding(
        only=names_in(asked.only),
        leave_out=names_in(asked.leave_out),
        shares=parse_shares(asked.splits) if asked.splits else None,
        seed=asked.seed,
        dry_run=asked.dry_run,
    )
    path, made = add_judged(project, opened, wanted)
    label = opened.round.policy
    if json:
        rows = [{"item": one.id, "query": one.query, "grade": one.grade, "split": one.split} for one in made]
        print_json({"policy": label, "round": opened.round.name, "path": str(path), "added": rows})
        return
    count = Counter(one.split for one in made)
    splits = ", ".join(f"{count[split]:,} in {split}" for split in SPLITS if count[split])
    decided = sum(one.provenance is not None and one.provenance.decided_by is not None for one in made)
    would = "would be added" if asked.dry_run else "added"
    name = opened.round.name
    show([f"{plural(len(made), 'pair')} of round {name} {would}: {splits}"])
    say(f"in {shown_path(path)}")
    agreed = len(made) - decided
    say(f"judged under {label}: {agreed:,} by all raters alike, {decided:,} decided by the author")
    if not asked.dry_run:
        say(f"next: harness golden lint --policy {label}")
        say("  once a later version is in use: harness golden confirm, or regrade --file")
