"""What the rounds of a policy version say about its ratings: may a verdict be read from them?"""

from dataclasses import replace

from harness.golden.rating.ratings import Rated
from harness.golden.rating.rounds import load_round, read_round, rounds_folder, rounds_of
from harness.golden.rating.waiting import round_now
from harness.nouns.policy import Policy
from harness.storage.project import Project


def with_rounds(project: Project, policy: Policy, rated: Rated) -> Rated:
    """The ratings of a policy version, with what its rounds say about reading a verdict from them.

    A round that is planned after a look at the one before is another chance to pass: a warning counts them.
    """
    folder = rounds_folder(project, policy.name)
    names = [
        name for name in rounds_of(project, policy.name) if load_round(folder / name).policy == policy.label
    ]
    rounds = [round_now(read_round(folder / name)) for name in names]
    warnings = rated.warnings
    if len(names) > 1:
        count = f"{len(names)} rounds of rating ({', '.join(names)})"
        warnings = (*warnings, f"{count}: a round after a look at the one before is another chance to pass")
    return replace(
        rated,
        warnings=warnings,
        unfinished="; ".join(one.unread for one in rounds if one.unread) or None,
        early="; ".join(one.early for one in rounds if one.early) or None,
    )
