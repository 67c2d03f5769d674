"""How a golden set has aged: by its policy, and by the traffic of today."""

import math
import shlex
from collections import Counter
from collections.abc import Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any

from harness.errors import BadInput
from harness.golden.examples import FILE, load_examples
from harness.golden.nearest import Nearest, spread_out
from harness.golden.rating.pair_plan import PlannedPair
from harness.golden.similarity import tokens
from harness.nouns.pair import Example, query_key
from harness.nouns.policy import Policy
from harness.policy.diff import diff_policies
from harness.policy.effect import cannot_tell, reasons
from harness.policy.judged import is_judged, notes_no_rules
from harness.policy.load import load_policy, policy_path
from harness.score.traffic_pairs import TrafficPair, traffic_pairs
from harness.scorecards.golden_age import (
    AgedExample,
    GoldenAge,
    GoneQuery,
    MovedClause,
    StratumCover,
    Uncovered,
)
from harness.scorecards.policy_change import PolicyDiff
from harness.storage.project import Project
from harness.storage.tables import Layout

NEAR = 0.5
"""Above this similarity (half of the words are the same) a pair counts as covered."""
TO_ADD = 40
"""Pairs to judge next: about as many as raters do in a sitting."""
LOOKED_AT = 2_000
"""Uncovered pairs, the first in their order, of which the plan is chosen."""


def golden_age(
    project: Project,
    policy: Policy,
    traffic: Path | None = None,
    layout: Layout | None = None,
    near: float = NEAR,
    number: int = TO_ADD,
) -> tuple[GoldenAge, list[PlannedPair]]:
    """What has aged, and the pairs to judge next. BadInput for a faulty file."""
    examples = load_examples(project.golden / policy.name / FILE, policy)
    aged, unknown = _aged(project, policy, examples)
    moved = Counter(name for one in aged for name in one.because)
    found = GoldenAge(
        policy=policy.label,
        examples=len(examples),
        versions=dict(sorted(Counter(example.policy_version for example in examples).items())),
        aged=tuple(aged),
        moved=tuple(MovedClause(name=name, examples=count) for name, count in moved.most_common()),
        without_version=tuple(unknown),
        unnoted=sum(notes_no_rules(one, policy) for one in examples),
    )
    if traffic is None:
        return found, []
    command = f"harness golden age --policy {policy.label} --traffic {shlex.quote(str(traffic))}"
    pairs = traffic_pairs(traffic, layout or Layout(), command)
    if not pairs:
        raise BadInput(f"{traffic}: no pair in it")
    if not any(one.weight for one in pairs):
        raise BadInput(f"{traffic}: no pair has any weight")
    said, plan = _by_traffic(examples, pairs, Fraction(near).limit_denominator(1000), number)
    return found.model_copy(update={"traffic": str(traffic), "near": near, **said}), plan


def _aged(
    project: Project, policy: Policy, examples: Sequence[Example]
) -> tuple[list[AgedExample], list[str]]:
    """The examples that are not judged under the policy as it reads, and versions that are gone."""
    left = [example for example in examples if not is_judged(example, policy)]
    diffs: dict[str, PolicyDiff] = {}
    unknown = []
    for version in sorted({example.policy_version for example in left}):
        try:
            base = load_policy(policy_path(project, f"{policy.name}@{version}"))
            diffs[version] = diff_policies(base, policy)
        except BadInput:
            unknown.append(version)
    aged = [_aged_example(one, diffs.get(one.policy_version)) for one in left]
    return sorted(aged, key=lambda one: (not one.because, not one.cannot_tell)), unknown


def _aged_example(example: Example, diff: PolicyDiff | None) -> AgedExample:
    dates = [past.changed_at for past in example.history if past.changed_at]
    because = reasons(diff, example) if diff else ()
    return AgedExample(
        item=example.id,
        query=example.query,
        policy_version=example.policy_version,
        judged_at=max(dates) if dates else None,
        because=because,
        cannot_tell=diff is None or (not because and cannot_tell(diff, example)),
    )


def _by_traffic(
    examples: Sequence[Example], pairs: Sequence[TrafficPair], near: Fraction, number: int
) -> tuple[Mapping[str, Any], list[PlannedPair]]:
    """What the traffic says of the set, and the plan."""
    known = {example.cluster for example in examples}
    there = {query_key(one.pair.query) for one in pairs}
    gone = Counter(example.cluster for example in examples if example.cluster not in there)
    named = {example.cluster: example.query for example in examples}
    total = sum(one.weight for one in pairs)
    index = Nearest(examples)
    nearest = [index.of(one.pair) for one in pairs]
    far = _first_of_each(pairs, [at for at, (_, similarity) in enumerate(nearest) if similarity < near])
    chosen = _chosen([pairs[at] for at in far[:LOOKED_AT]], number, near)
    to_add = [(pairs[far[at]], *nearest[far[at]]) for at in chosen]
    said = {
        "rows": sum(len(one.items) for one in pairs),
        "gone": tuple(GoneQuery(query=named[key], examples=count) for key, count in gone.most_common()),
        "covered": 1 - sum(pairs[at].weight for at in far) / total,
        "known_queries": sum(one.weight for one in pairs if query_key(one.pair.query) in known) / total,
        "strata": tuple(_strata(pairs, set(far), total)),
        "to_add": tuple(_uncovered(*one) for one in to_add),
    }
    return said, [_planned(*one) for one in to_add]


def _first_of_each(pairs: Sequence[TrafficPair], far: Sequence[int]) -> list[int]:
    """The uncovered pairs: the heaviest of each stratum, then the rest, each time most weight first.

    By weight alone a light stratum would get none, and it is often the one without any example.
    """
    heaviest = sorted(far, key=lambda at: -pairs[at].weight)
    firsts = set({pairs[at].stratum: at for at in reversed(heaviest)}.values())
    return sorted(heaviest, key=lambda at: at not in firsts)


def _chosen(pairs: Sequence[TrafficPair], number: int, near: Fraction) -> list[int]:
    sets = [tokens(one.pair) for one in pairs]
    return spread_out(sets, [query_key(one.pair.query) for one in pairs], number, near)


def _strata(pairs: Sequence[TrafficPair], far: set[int], total: float) -> list[StratumCover]:
    """How far each stratum is covered, the least covered first; none where no row has a stratum."""
    weights, covered = Counter[str](), Counter[str]()
    for at, one in enumerate(pairs):
        weights[one.stratum] += one.weight  # type: ignore[assignment]  # a Counter adds floats, too
        covered[one.stratum] += 0 if at in far else one.weight  # type: ignore[assignment]  # as above
    if set(weights) == {""}:
        return []
    found = [
        StratumCover(
            stratum=name or "(none)", share=weight / total, covered=covered[name] / weight if weight else None
        )
        for name, weight in weights.items()
    ]
    # Strata without weight come last: they are not a part of the traffic.
    return sorted(found, key=lambda one: math.inf if one.covered is None else one.covered)


def _uncovered(one: TrafficPair, example: Example | None, similarity: Fraction) -> Uncovered:
    return Uncovered(
        item=one.items[0],
        query=one.pair.query,
        title=one.pair.result.title,
        weight=one.weight,
        stratum=one.stratum,
        nearest=example.id if example else None,
        similarity=float(similarity),
    )


def _planned(one: TrafficPair, example: Example | None, similarity: Fraction) -> PlannedPair:
    """A pair of the plan. It is hunted: what the set lacks is not a sample of the traffic."""
    nearest = f" (nearest: {example.id}, {float(similarity):.2f})" if example else ""
    return PlannedPair(
        item=one.items[0],
        also=tuple(one.items[1:]),
        query=one.pair.query,
        result=one.pair.result,
        context=one.pair.context,
        drawn="hunted",
        stratum=one.stratum,
        reason=f"no golden example is near it{nearest}",
    )
