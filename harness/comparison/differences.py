"""Differences between two sides besides their grades, and the resulting warnings."""

from collections.abc import Sequence

from harness.comparison.sides import Side
from harness.golden.checks import how_to_confirm
from harness.nouns.base import Naming
from harness.nouns.pair import ALMOST, namesakes
from harness.nouns.policy import UNDECIDED
from harness.score.items import INDEPENDENT, names_query, naming
from harness.scorecards.comparison import Difference
from harness.storage.plural import plural

SHOTS = ("shots", "learned from shots")
WHAT_WAS_RUN = ("policy", "prompt", "model", *SHOTS, "parameters")
"""The possible causes of a change. If several differ, the cause is unknown."""


def policies_differ(base: Side, candidate: Side) -> bool:
    """Whether both name a policy and the policies differ; a file of grades may name none."""
    return base.policy is not None and candidate.policy is not None and base.policy != candidate.policy


def changes_between(base: Side, candidate: Side) -> tuple[Difference, ...]:
    """The facts that both sides state and that differ."""
    return tuple(
        Difference(name=name, base=base.facts[name], candidate=candidate.facts[name])
        for name in base.facts
        if name in candidate.facts and base.facts[name] != candidate.facts[name]
    )


def warnings_of(
    base: Side,
    candidate: Side,
    changed: Sequence[Difference],
    relabelled: Sequence[str],
    *,
    moved: bool,
    naming: Naming,
) -> tuple[str, ...]:
    """The warnings of a comparison. `moved`: whether any answer of a common item did; `naming`: of both."""
    several = [one.name for one in changed if one.name in WHAT_WAS_RUN and not _follows(one, base, candidate)]
    found = [*base.warnings, *candidate.warnings]
    files = [side.name for side in (base, candidate) if side.run is None]
    found += [f"{' and '.join(names)} {ALMOST}: is it one grader?" for names in namesakes(files)]
    if naming == "none":
        found.append(INDEPENDENT)
    if len(several) > 1 and moved:
        what = " and ".join(several)
        found.append(f"{what} changed together, so the cause of moved grades is unknown")
    if policies_differ(base, candidate):
        found.append("the policies differ: each run is compared with its own version's golden grades")
    elif relabelled:
        found.append(
            f"{plural(len(relabelled), 'pair has', 'pairs have')} another golden grade now: left out"
        )
    policies = dict.fromkeys(side.policy for side in (base, candidate) if side.action_of is None)
    found += [f"{policy} {UNDECIDED}" for policy in policies if policy]
    for side in (base, candidate):
        if side.stale:
            stale = plural(side.stale, "example was", "examples were")
            # No command for the base: the golden set may have been judged under a later version since.
            how = f"; next: {how_to_confirm(side.policy)}" if side is candidate and side.policy else ""
            found.append(f"{stale} not yet judged under {side.policy}{how}")
    if base.gates != candidate.gates:
        found.append(f"the bars of gates.toml differ: those of {candidate.name} hold")
    return tuple(found)


def naming_of(base: Side, candidate: Side) -> Naming:
    """How many items of the two name their query."""
    items = [item for side in (base, candidate) for item in side.items.values()]
    return naming(sum(map(names_query, items)), len(items))


def _follows(one: Difference, base: Side, candidate: Side) -> bool:
    """Whether a difference only follows from the policy: as many shots, graded under its version."""
    as_many = base.shots is None or base.shots == candidate.shots
    return one.name in SHOTS and policies_differ(base, candidate) and as_many
