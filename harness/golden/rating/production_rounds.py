"""Rounds of production pairs, found by name: what is judged there belongs to no golden set yet."""

from harness.errors import BadInput
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
        under = (policy, label) if version else ()
        fitting = [
            one for one, planned in rounds.items() if planned.production and _fits(planned.policy, under)
        ]
        if not fitting:
            what = f"{policy} has no round of production pairs"
            raise BadInput(
                f"{what}; `harness rate plan --policy {policy} --from PLAN --raters ann,bob` plans one"
            )
        name = fitting[-1]
    found = open_round(project, label, name)
    if not found.round.production:
        raise BadInput(f"round {name} is of golden pairs, and no round of production pairs: remove --round")
    if version and found.round.policy != policy:
        raise BadInput(
            f"round {name} is of {found.round.policy}, not of {policy}: remove --policy, or @{version}"
        )
    return found


def _fits(label: str, under: tuple[str, ...]) -> bool:
    return not under or label in under
