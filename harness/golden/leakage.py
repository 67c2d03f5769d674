"""Leakage control: a prompt never contains a graded pair, nor another pair of its query.

This covers golden examples shown as shots, a builtin grader's training data, and the worked examples in
the policy. The decision uses the whole golden set, not the examples that one run grades, so that every
run has the same prompt prefix.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from harness.golden.similarity import NearIndex, text_tokens, tokens
from harness.nouns.pair import Example, NamedPair, Pair, Result, query_key
from harness.nouns.policy import Boundary, Policy, WorkedExample


@dataclass(frozen=True, slots=True)
class Dropped:
    """A shot withheld from every prompt, and the graded example it would leak."""

    shot: str
    graded: str
    reason: str


class Leaks:
    """Finds the shots and worked examples that would reveal graded pairs; `see` adds each graded pair."""

    def __init__(self, shots: Sequence[Example], policy: Policy | None = None) -> None:
        self._shots = shots
        self._policy = policy
        self._same = dict.fromkeys({shot.cluster for shot in shots}, "")
        self._near: dict[int, str] = {}
        self._near_shots = NearIndex([tokens(shot) for shot in shots])
        worked = _worked(policy) if policy else []
        self._worked = [query_key(one.query) for one in worked]
        self._near_worked = NearIndex([tokens(one) for one in worked])
        self._queries = {query_key(one.query) for one in _examples_in(policy)} if policy else set()
        self._graded: set[str] = set()

    def see(self, name: str, pair: NamedPair | Pair) -> None:
        """Add a graded pair."""
        query, words = query_key(pair.query), tokens(pair)
        if self._same.get(query) == "":
            self._same[query] = name
        if query in self._queries:
            self._graded.add(query)
        for at in self._near_shots.of(words):
            self._near.setdefault(at, name)
        self._graded.update(self._worked[at] for at in self._near_worked.of(words))

    def safe_shots(self) -> tuple[list[Example], list[Dropped]]:
        """The shots that reveal no graded pair, and those that would."""
        reasons = {
            at: Dropped(shot.id, self._same[shot.cluster], "the same query")
            for at, shot in enumerate(self._shots)
            if self._same[shot.cluster]
        }
        for at, name in self._near.items():
            dropped = Dropped(self._shots[at].id, name, "nearly the same query and title")
            reasons.setdefault(at, dropped)
        return [shot for at, shot in enumerate(self._shots) if at not in reasons], list(reasons.values())

    def shown_policy(self) -> tuple[Policy, list[str]]:
        """The policy without worked examples of a graded query, or nearly of a graded pair; their queries."""
        policy, graded = self._policy, self._graded
        assert policy is not None, "it was made with one"
        boundaries = tuple(b for b in policy.boundaries if query_key(b.query) not in graded)
        levels = tuple(
            level.model_copy(
                update={"examples": tuple(e for e in level.examples if query_key(e.query) not in graded)}
            )
            for level in policy.grades
        )
        shown = policy.model_copy(update={"boundaries": boundaries, "grades": levels})
        return shown, sorted(set(self._worked) & graded)


def safe_shots(examples: Sequence[Example]) -> tuple[list[Example], list[Dropped]]:
    """The shots of a golden set that reveal nothing of dev or test, and those that would."""
    leaks = Leaks([example for example in examples if example.split == "shots"])
    return _seen(leaks, examples).safe_shots()


def withhold_worked(policy: Policy, examples: Sequence[NamedPair]) -> tuple[Policy, list[str]]:
    """The policy as a prompt may show it: without worked examples that give a graded pair away.

    A worked example leaks where it has a graded query, or nearly the text of a graded pair.
    """
    return _seen(Leaks((), policy), examples).shown_policy()


def _seen(leaks: Leaks, examples: Iterable[NamedPair]) -> Leaks:
    for example in examples:
        if not isinstance(example, Example) or example.split != "shots":
            leaks.see(example.id, example)
    return leaks


def _worked(policy: Policy) -> list[Pair]:
    """The worked examples of a policy, as pairs."""
    return [
        Pair(query=one.query, result=Result(title=one.result))
        for one in _examples_in(policy)
        if one.query and one.result
    ]


def _examples_in(policy: Policy) -> list[Boundary | WorkedExample]:
    """Every worked example of a policy, in its rubric or its boundaries."""
    return [*policy.boundaries, *(example for level in policy.grades for example in level.examples)]


class Graded:
    """The dev and test examples of a golden set: finds other pairs that would reveal them to a student.

    The rule of `Leaks` in the other direction, for sets of pairs that are too long to hold.
    """

    def __init__(self, examples: Iterable[Example]) -> None:
        graded = [example for example in examples if example.split != "shots"]
        self.count = len(graded)
        self.queries = frozenset(example.cluster for example in graded)
        self._near = NearIndex([tokens(example) for example in graded])
        self._reordered = NearIndex([text_tokens(query, "") for query in self.queries])

    def has_query(self, query: str) -> bool:
        """Whether a query, as its key, is graded."""
        return query in self.queries

    def is_near(self, pair: Pair) -> bool:
        """Whether a pair has nearly a graded pair's query and title, or a graded query in another order."""
        return bool(self._near.of(tokens(pair)) or self._reordered.of(text_tokens(pair.query, "")))
