"""The diagnosis of each wrong grade, and the agreement of cited clauses."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence

from harness.score.items import GradedItem, ItemAnswer
from harness.score.rating_matrix import RatingMatrix
from harness.scorecards.gate2 import Citations, Citing, Diagnosis, Disagreement


def disagreements(
    items: Sequence[GradedItem],
    votes: Sequence[GradedItem],
    action_of: Mapping[int, str] | None,
    rated: RatingMatrix | None,
) -> tuple[Disagreement, ...]:
    """Every item whose grade differs from the golden one, the worst first.

    Sorted by whether the action differs, then by the distance between the grades. `votes` holds the same
    items with one answer each, the most common; `rated` has the same items in the same order.
    """
    found = [
        _disagreement(item, answer, action_of, rated.ratings_of(at) if rated else {})
        for at, (item, vote) in enumerate(zip(items, votes, strict=True))
        for answer in vote.answers
        if answer.grade is not None and answer.grade != item.golden
    ]
    found.sort(
        key=lambda miss: (miss.golden_action == miss.action, -abs(miss.grade - miss.golden), miss.item)
    )
    return tuple(found)


def _disagreement(
    item: GradedItem, answer: ItemAnswer, action_of: Mapping[int, str] | None, ratings: dict[str, int]
) -> Disagreement:
    assert answer.grade is not None, "only a readable answer can be wrong"
    about = item.about
    return Disagreement(
        item=item.item,
        query=about.query if about else None,
        title=about.title if about else None,
        golden=item.golden,
        grade=answer.grade,
        draws=tuple(one.grade for one in item.answers) if len(item.answers) > 1 else (),
        golden_action=action_of[item.golden] if action_of else None,
        action=action_of[answer.grade] if action_of else None,
        diagnosis=diagnose(item.golden, ratings.values()),
        ratings=ratings,
        golden_reasoning=about.reasoning if about else "",
        reasoning=answer.reasoning,
        golden_clauses=about.clauses if about else (),
        clauses=answer.clauses,
    )


def diagnose(golden: int, ratings: Iterable[int]) -> Diagnosis:
    """The diagnosis, by the ratings of an item, of a grade that differs from the golden one.

    `policy`: the raters differ too. `teacher`: all raters gave the golden grade. `golden`: all raters gave
    the same other grade, the grader's or a third one. `unrated`: there are fewer than two ratings.
    """
    given = list(ratings)
    if len(given) < 2:
        return "unrated"
    if len(set(given)) > 1:
        return "policy"
    return "teacher" if given[0] == golden else "golden"


def counted(found: Sequence[Disagreement]) -> dict[Diagnosis, int]:
    """The number of disagreements per diagnosis."""
    counts = Counter(miss.diagnosis for miss in found)
    names: tuple[Diagnosis, ...] = ("policy", "teacher", "golden", "unrated")
    return {name: counts[name] for name in names}


def citations(items: Sequence[GradedItem], known: frozenset[str] | None) -> Citations | None:
    """How often the grader cites the clauses of the golden reasoning; None without any citation.

    `known`: the policy's clauses; None without a policy.
    """
    cited = [
        (answer, set(item.about.clauses), answer.grade == item.golden)
        for item in items
        if item.about and item.about.clauses
        for answer in item.answers
        if answer.grade is not None
    ]
    if not any(answer.clauses for answer, _, _ in cited):
        return None
    named = (clause for answer, _, _ in cited for clause in answer.clauses)
    strange = Counter(clause for clause in named if known is not None and clause not in known)
    return Citations(
        right=_citing([(set(answer.clauses), golden) for answer, golden, right in cited if right]),
        wrong=_citing([(set(answer.clauses), golden) for answer, golden, right in cited if not right]),
        unknown=dict(sorted(strange.items(), key=lambda one: (-one[1], one[0]))),
    )


def _citing(pairs: Sequence[tuple[set[str], set[str]]]) -> Citing:
    n = len(pairs)
    return Citing(
        n=n,
        any=sum(bool(given & golden) for given, golden in pairs) / n if n else None,
        all=sum(golden <= given for given, golden in pairs) / n if n else None,
    )
