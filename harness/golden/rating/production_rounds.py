"""Find rounds of production pairs by name. Their pairs are not part of a golden set yet."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput
from harness.golden.rating.adjudications import PRODUCTION, Adjudication, decisions_under, load_adjudications
from harness.golden.rating.disputes import first_said
from harness.golden.rating.raters import how_to_plan
from harness.golden.rating.ratings import Said, rated_under
from harness.golden.rating.rounds import OpenRound, load_round, open_round, rounds_folder, rounds_of
from harness.nouns.pair import NamedPair
from harness.nouns.policy import Policy
from harness.storage.project import Project, split_label


class SaidInRound(NamedTuple):
    """By item: each rater's first answer, and the author's last decision. `warnings`: about the ratings."""

    said: Mapping[str, Sequence[Said]]
    decided: Mapping[str, Adjudication]
    warnings: tuple[str, ...]


def said_in_round(golden: Path, policy: Policy, opened: OpenRound, pairs: Sequence[NamedPair]) -> SaidInRound:
    """The ratings and decisions on pairs of a round under a policy version, from beside the golden set."""
    rated = rated_under(golden.with_name(opened.round.ratings), policy, pairs)
    made = decisions_under(load_adjudications(golden.with_name(PRODUCTION)), policy.version)
    return SaidInRound(
        first_said(rated.ratings, rated.unrated),
        {one.id: made[one.id][-1] for one in pairs if one.id in made},
        tuple(rated.warnings),
    )


def production_round(project: Project, policy: str, name: str | None = None) -> OpenRound:
    """A round of production pairs of a policy, the latest where none is named.

    BadInput where there is none, for a round of golden pairs, and for one of another version than is named.
    """
    label, version = split_label(policy)
    if name is None:
        folder = rounds_folder(project, label)
        rounds = {one: load_round(folder / one) for one in rounds_of(project, label)}
        fitting = [
            one
            for one, planned in rounds.items()
            if planned.production and (not version or planned.policy == policy)
        ]
        if not fitting:
            plan = how_to_plan(policy, "PLAN")
            raise BadInput(f"{policy} has no round of production pairs; `{plan}` plans one")
        name = fitting[-1]
    found = open_round(project, label, name)
    if not found.round.production:
        what = "name one of production pairs; the disputes of golden pairs need no --round"
        raise BadInput(f"round {name} is of golden pairs: {what}")
    if version and found.round.policy != policy:
        of = f"round {name} is of {found.round.policy}, not of {policy}"
        raise BadInput(f"{of}: remove --policy, or @{version}")
    return found
