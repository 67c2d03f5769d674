"""Runs whose kappas are comparable: groups of like with like, ranked, and the others with the reason."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from harness.runs.kind import GOLDEN
from harness.runs.listing import ListedRun, coverage_floor
from harness.storage.plural import plural


class KappaTerms(NamedTuple):
    """The conditions of a kappa. Two kappas are comparable if all conditions are equal.

    `policy` and `examples` are digests, `n` counts examples, `votes` the answers that vote on one, 0 if none.
    """

    label: str
    split: str
    policy: str
    n: int
    examples: str
    kappa: str
    votes: int


@dataclass(frozen=True, slots=True)
class Ranked:
    """A run in the leaderboard. `group` and `rank` count from 1; None for a run `apart`, which says why."""

    run: ListedRun
    group: int | None = None
    rank: int | None = None
    apart: str | None = None


def terms_of(run: ListedRun) -> KappaTerms:
    """The terms of a run that has a manifest."""
    assert run.manifest is not None, "only runs with a manifest are compared"
    asked, digests = run.manifest.asked, run.manifest.digests
    votes = asked.repeats if asked.aggregate == "vote" and asked.repeats > 1 else 0
    kappa = run.headline.gated if run.headline else ""
    n = run.manifest.examples
    return KappaTerms(asked.policy, asked.part, digests.policy, n, digests.golden, kappa, votes)


def own_reason(run: ListedRun) -> str | None:
    """Why a run is comparable with no other; None if it may be."""
    if run.manifest is None or run.state == "damaged":
        return "damaged"
    if run.manifest.finished_at is None:
        return "unfinished"
    if run.manifest.asked.kind is not GOLDEN:
        return run.manifest.asked.kind.apart
    if run.headline is None:
        return "not scored"
    if run.manifest.stale:
        count = f"{run.manifest.stale:,} of {plural(run.manifest.examples, 'example')}"
        return f"{count} not yet judged under {run.manifest.asked.policy}"
    if run.ci is None:
        return str(run.headline.gated_kappa.reason or "kappa has no interval")
    if run.headline.coverage < 1 and run.headline.coverage < (floor := coverage_floor(run.folder)):
        return f"coverage {run.headline.coverage:.1%} is under {floor:.1%}"
    return run.mixed


def unlike(run: ListedRun, other: ListedRun) -> str | None:
    """Why the kappas of two runs of one policy version and split are not comparable; None if they are."""
    own, terms = terms_of(run), terms_of(other)
    if own.policy != terms.policy:
        return f"another text of {own.label}"
    if own.n != terms.n:
        return f"{plural(own.n, 'example')}, not {terms.n:,}"
    if own.examples != terms.examples:
        return "other examples, or an edited golden set"
    if own.kappa != terms.kappa:
        return f"gated by {own.kappa}, not {terms.kappa}"
    return None if own.votes == terms.votes else "another number of votes per example"


def groups_of(runs: Sequence[ListedRun]) -> list[list[ListedRun]]:
    """Comparable runs in groups: the group with the most examples first, then the one with the newest run."""
    groups: dict[KappaTerms, list[ListedRun]] = {}
    for run in runs:
        if own_reason(run) is None:
            groups.setdefault(terms_of(run), []).append(run)
    newest = sorted(groups, key=lambda terms: (terms.n, max(run.name for run in groups[terms])), reverse=True)
    return [groups[terms] for terms in newest]


def leaderboard(runs: Sequence[ListedRun]) -> list[Ranked]:
    """Groups of comparable runs, each by the lower limit of the gated kappa; then the runs apart, by name.

    A run that is comparable with no other stands apart if its policy version and split have a larger group.
    """
    ranked: list[Ranked] = []
    apart = [Ranked(run, apart=reason) for run in runs if (reason := own_reason(run))]
    largest: dict[tuple[str, str], ListedRun] = {}
    for group in groups_of(runs):
        first = largest.setdefault(terms_of(group[0])[:2], group[0])
        if len(group) == 1 and first is not group[0]:
            apart.append(Ranked(group[0], apart=unlike(group[0], first)))
        else:
            ranked += _ranked(group, 1 + max((one.group or 0 for one in ranked), default=0))
    return ranked + sorted(apart, key=lambda one: one.run.name, reverse=True)


def _ranked(group: Sequence[ListedRun], number: int) -> Iterator[Ranked]:
    """One group, the best first; equal limits share a rank."""
    lows = {run.name: run.ci.low for run in group if run.ci}
    for run in sorted(group, key=lambda run: (-lows[run.name], -(run.kappa or 0.0), run.name)):
        yield Ranked(run, number, 1 + sum(low > lows[run.name] for low in lows.values()))
