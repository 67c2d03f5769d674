"""Leakage control: a prompt never contains a graded pair, nor another pair of its query.

This covers golden examples shown as shots, a builtin grader's training data, and the worked examples in
the policy. The decision uses the whole golden set, not the examples that one run grades, so that every
run has the same prompt prefix.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from harness.golden.similarity import near_duplicates, tokens
from harness.nouns.pair import Example, Pair, Result, query_key
from harness.nouns.policy import Policy


@dataclass(frozen=True, slots=True)
class Dropped:
    """A shot withheld from every prompt, and the graded example it would leak."""

    shot: str
    graded: str
    reason: str


def safe_shots(
    examples: Sequence[Example], also: Mapping[str, Pair] | None = None
) -> tuple[list[Example], list[Dropped]]:
    """The shots of a golden set that leak nothing of dev or test, and the shots dropped because they would.

    `also`: graded pairs outside the golden set, by name.
    """
    shots = [example for example in examples if example.split == "shots"]
    graded = _graded(examples, also)
    reasons: dict[str, Dropped] = {}
    by_query: dict[str, str] = {}
    for name, pair in graded:
        by_query.setdefault(query_key(pair.query), name)
    for shot in shots:
        if shot.cluster in by_query:
            reasons[shot.id] = Dropped(shot.id, by_query[shot.cluster], "the same query")
    pairs = near_duplicates([tokens(shot) for shot in shots], (tokens(pair) for _, pair in graded))
    for shot_at, graded_at in pairs:
        shot = shots[shot_at]
        reasons.setdefault(shot.id, Dropped(shot.id, graded[graded_at][0], "nearly the same query and title"))
    kept = [shot for shot in shots if shot.id not in reasons]
    return kept, list(reasons.values())


def _graded(examples: Sequence[Example], also: Mapping[str, Pair] | None) -> list[tuple[str, Example | Pair]]:
    """Everything that is graded, by name. Examples are not turned into pairs: that doubles the memory."""
    inside = [(example.id, example) for example in examples if example.split != "shots"]
    return [*inside, *(also or {}).items()]


def withhold_worked(
    policy: Policy, examples: Sequence[Example], also: Mapping[str, Pair] | None = None
) -> tuple[Policy, list[str]]:
    """The policy without the worked examples that would leak a graded pair, and the queries left out.

    A worked example leaks where it has a graded query, or nearly the text of a graded pair.
    """
    inside = _graded(examples, also)
    worked = [(query_key(one.query), tokens(one)) for one in _worked(policy)]
    near = near_duplicates([text for _, text in worked], (tokens(pair) for _, pair in inside))
    graded = {query_key(pair.query) for _, pair in inside} | {worked[at][0] for at, _ in near}
    boundaries = tuple(b for b in policy.boundaries if query_key(b.query) not in graded)
    levels = tuple(
        level.model_copy(
            update={"examples": tuple(e for e in level.examples if query_key(e.query) not in graded)}
        )
        for level in policy.grades
    )
    shown = policy.model_copy(update={"boundaries": boundaries, "grades": levels})
    return shown, sorted({query for query, _ in worked} & graded)


def _worked(policy: Policy) -> list[Pair]:
    """The worked examples of a policy: in its rubric and its boundaries."""
    texts = [(b.query, b.result) for b in policy.boundaries]
    texts += [(e.query, e.result) for level in policy.grades for e in level.examples]
    return [Pair(query=query, result=Result(title=title)) for query, title in texts if query and title]
