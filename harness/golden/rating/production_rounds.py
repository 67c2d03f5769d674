"""Rounds of production pairs, found by name: what is judged there belongs to no golden set yet."""

from harness.errors import BadInput
from harness.golden.rating.raters import how_to_plan
from harness.golden.rating.rounds import OpenRound, load_round, open_round, rounds_folder, rounds_of
from harness.storage.project import Project, split_label


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
