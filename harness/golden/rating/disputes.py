"""Disputes: pairs on which raters differ from each other or from the golden grade, or could not grade.

Pairs of a production round have no golden grade, and their label is not shown here. The sides of a dispute
have letters instead of names, in another order for each item, so that the author weighs what was said and
not who said it. The golden grade is one more side without a name.
"""

import hashlib
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any, NamedTuple

from harness.golden.examples import golden_path, load_examples
from harness.golden.rating.adjudications import (
    FILE,
    PRODUCTION,
    Adjudication,
    decisions_under,
    load_adjudications,
)
from harness.golden.rating.ratings import RATINGS, Said, load_said, rated_under, raters_by_version
from harness.golden.rating.rounds import OpenRound
from harness.nouns.pair import Cannot, Example, NamedPair, PastGrade, Rating, Unrated
from harness.nouns.policy import Policy
from harness.policy.load import policy_versions
from harness.storage.digest import digest
from harness.storage.project import Project, pick_name, split_label
from harness.storage.versions import released_versions

CODE_LENGTH = 12


class DisputeSide(NamedTuple):
    """One side of a dispute: a grade, or why there is none. `golden`: whether it is the golden grade."""

    letter: str
    grade: int | None
    cannot: Cannot | None
    reasoning: str
    clauses: tuple[str, ...]
    golden: bool


@dataclass(frozen=True, slots=True)
class Dispute:
    """A pair in dispute, its sides, and the decisions, the latest last.

    `code`: names it in an address, since an id can hint at the golden grade. `moves_action`: whether its
    grades have different actions. `distance`: between the highest and the lowest of them. `example`: a
    golden example, or a pair of a production round.
    """

    code: str
    example: NamedPair
    sides: tuple[DisputeSide, ...]
    moves_action: bool
    distance: int
    decisions: tuple[Adjudication, ...] = ()

    @property
    def decision(self) -> Adjudication | None:
        """The decision that counts."""
        return self.decisions[-1] if self.decisions else None

    @property
    def grades(self) -> tuple[int, ...]:
        """Every grade that was given, from the lowest, without the raters."""
        return tuple(sorted(side.grade for side in self.sides if side.grade is not None))

    @property
    def ungraded(self) -> int:
        """How many could not give a grade."""
        return sum(side.cannot is not None for side in self.sides)

    @property
    def raters_differ(self) -> bool:
        """Whether the raters gave different grades, as Gate 1 counts."""
        return len({side.grade for side in self.sides if not side.golden and side.grade is not None}) > 1

    def second_look(self, run: str, teacher: int | None) -> bool:
        """Whether a second look is due: the teacher of a run differs from the decision."""
        if self.decision is None or teacher is None:
            return False
        if self.decision.run != run:
            return teacher != self.decision.grade
        return self.decision.differs and self.decision.second_look is None


def find_disputes(
    policy: Policy,
    examples: Sequence[NamedPair],
    ratings: Sequence[Rating],
    unrated: Sequence[Unrated] = (),
    decisions: Mapping[str, Sequence[Adjudication]] | None = None,
) -> list[Dispute]:
    """Every dispute, the most important first: those that change an action, then by distance and by raters.

    Of a rater who rated an item several times, the first time counts, as in Gate 1. A pair that was decided
    stays, even if no grades differ any more. Shots count too: a wrong shot teaches a wrong grade.
    """
    decided = decisions or {}
    said = first_said(ratings, unrated)
    wanted = {*in_dispute(examples, said), *decided}
    found = [
        _dispute(policy, example, said.get(example.id, ()), tuple(decided.get(example.id, ())))
        for example in examples
        if example.id in wanted
    ]
    return sorted(found, key=lambda one: (not one.moves_action, -one.distance, -len(one.sides)))


def first_said(ratings: Iterable[Rating], unrated: Iterable[Unrated]) -> dict[str, Sequence[Said]]:
    """Each rater's first reading of each item, by item."""
    first: dict[tuple[str, str], Said] = {}
    everything: list[Said] = [*ratings, *unrated]
    for one in everything:
        known = first.get((one.item, one.rater))
        if known is None or one.repeat < known.repeat:
            first[one.item, one.rater] = one
    by_item: dict[str, list[Said]] = defaultdict(list)
    for one in first.values():
        by_item[one.item].append(one)
    return dict(by_item)


def in_dispute(examples: Iterable[NamedPair], said: Mapping[str, Sequence[Said]]) -> list[str]:
    """The examples that a rater could not grade, or whose grades by raters and golden set differ."""
    return [example.id for example in examples if _differ(example, said.get(example.id, ()))]


def _differ(example: NamedPair, said: Sequence[Said]) -> bool:
    grades = {None if isinstance(one, Unrated) else one.grade for one in said}
    if isinstance(example, Example) and said:
        grades.add(example.grade)
    return None in grades or len(grades) > 1


def code_of(policy: Policy, item: str) -> str:
    """An item's code in addresses."""
    return digest([policy.label, item])[7 : 7 + CODE_LENGTH]


def _dispute(
    policy: Policy,
    example: NamedPair,
    said: Sequence[Said],
    decisions: tuple[Adjudication, ...],
) -> Dispute:
    sides = _sides(policy, example, said, decisions)
    grades = {side.grade for side in sides if side.grade is not None}
    actions = {(policy.decided_actions or {}).get(grade) for grade in grades}
    distance = max(grades) - min(grades) if grades else 0
    code = code_of(policy, example.id)
    return Dispute(code, example, sides, len(actions) > 1, distance, decisions)


def _sides(
    policy: Policy,
    example: NamedPair,
    said: Sequence[Said],
    decisions: Sequence[Adjudication],
) -> tuple[DisputeSide, ...]:
    spoken = [(one.rater, _said(one)) for one in said]
    if isinstance(example, Example):
        golden = before_decision(example, decisions[0]) if decisions else example
        spoken.append(("", DisputeSide("", golden.grade, None, golden.reasoning, golden.clauses, True)))
    # The hash includes the item, so that a letter does not stand for the same rater on several items.
    spoken.sort(key=lambda pair: _place(policy, example.id, pair[0]))
    return tuple(side._replace(letter=_letter(at)) for at, (_, side) in enumerate(spoken))


def _said(one: Said) -> DisputeSide:
    if isinstance(one, Unrated):
        return DisputeSide("", None, one.cannot, one.reasoning, (), False)
    return DisputeSide("", one.grade, None, one.reasoning, one.clauses, False)


def _place(policy: Policy, item: str, rater: str) -> str:
    return hashlib.sha256("\n".join((policy.label, item, rater)).encode("utf-8", "replace")).hexdigest()


def _letter(at: int) -> str:
    """A, B, ... Z, A1, B1, ..."""
    return chr(ord("A") + at % 26) + (str(at // 26) if at >= 26 else "")


def before_decision(example: Example, first: Adjudication) -> Example | PastGrade:
    """The golden judgement before the first decision about an example."""
    said: list[Example | PastGrade] = [*example.history, example]
    made = (first.grade, first.reasoning, first.clauses)
    for before, one in pairwise(said):
        if (one.grade, one.reasoning, one.clauses) == made and before.grade == first.golden:
            return before
    return example


def rated_label(project: Project, label: str) -> str:
    """The version whose disputes to show: the one named, the one in use, or the latest that was rated.

    A policy gap opens a draft. Until a version is released, the draft is the latest one, without ratings.
    """
    name, version = split_label(label)
    files = policy_versions(pick_name("policy", name, project.policies))
    rated = raters_by_version(golden_path(project, name).with_name(RATINGS))
    if version or released_versions(files) or "" in rated:
        return label
    known = [version for version in files if version in rated]
    return f"{name}@{known[-1]}" if known else label


def is_rated(project: Project, policy: Policy, opened: OpenRound | None = None) -> bool:
    """Whether there is any rating under the version, of a round's pairs where one is given."""
    said = load_said(golden_path(project, policy.name).with_name(opened.round.ratings if opened else RATINGS))
    items = None if opened is None else {one.item for one in opened.pairs.values()}
    return any(
        one.policy_version in ("", policy.version) and (items is None or one.item in items) for one in said
    )


def load_disputes(project: Project, policy: Policy, opened: OpenRound | None = None) -> list[Dispute]:
    """Every dispute of a policy version: the collected ratings against each other and the golden set.

    With a round of production pairs, those of its pairs, on which its raters differ from each other.
    """
    path = golden_path(project, policy.name)
    pairs: Sequence[NamedPair] = load_examples(path, policy) if opened is None else production_pairs(opened)
    rated = rated_under(path.with_name(opened.round.ratings if opened else RATINGS), policy, pairs)
    made = load_adjudications(path.with_name(PRODUCTION if opened else FILE))
    past = decisions_under(made, policy.version)
    return find_disputes(policy, pairs, rated.ratings, rated.unrated, past)


def production_pairs(opened: OpenRound) -> list[NamedPair]:
    """The pairs of a round under their ids, without the codes that raters see."""
    return [
        NamedPair(id=one.item, query=one.query, result=one.result, context=one.context)
        for one in opened.pairs.values()
    ]


def listed(dispute: Dispute) -> dict[str, Any]:
    """A dispute for JSON: without names, and without saying which side is the golden grade."""
    decision = dispute.decision
    return {
        "code": dispute.code,
        "query": dispute.example.query,
        "title": dispute.example.result.title,
        "grades": list(dispute.grades),
        "ungraded": dispute.ungraded,
        "moves_action": dispute.moves_action,
        "distance": dispute.distance,
        "decided": decision.grade if decision else None,
        "cause": decision.cause if decision else None,
    }
