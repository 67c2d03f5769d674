"""Adjudication of a policy in figures: causes, clauses in dispute, the teacher's influence."""

from collections import Counter
from collections.abc import Sequence

from harness.golden.rating.adjudications import CAUSES
from harness.golden.rating.disputes import Dispute
from harness.nouns.base import Noun
from harness.nouns.policy import Policy


class ClauseCount(Noun):
    """A clause in the disputes. `unclear`: policy gaps that name it; `cited`: disputes that cite it."""

    id: str
    unclear: int
    cited: int


class Looked(Noun):
    """Decisions beside a teacher's grade. `unlooked`: the second looks that are still to be taken."""

    decided: int
    differs: int
    kept: int
    changed: int
    unlooked: int


class Adjudicated(Noun):
    """The disputes of a policy version in numbers.

    `change_action`: None where the policy has not decided on its actions. `raters_differ`: on how many the
    raters gave different grades, as Gate 1 counts them; on the others they differ from the golden grade
    alone, or could not grade: `ungraded`. `rated`: whether there is any rating under the version.
    `golden_changed`: decisions whose grade is not the golden grade that was disputed, of the `golden_noted`
    that say what it was. `reopened`: disputes with more than one decision, without second looks. `causes`
    counts decisions; "none": those without one. `round`: of production pairs, whose disputes these are; None
    for those of the golden set.
    """

    policy: str
    round: str | None = None
    disputes: int
    decided: int
    open: int
    change_action: int | None
    raters_differ: int
    ungraded: int
    rated: bool
    golden_changed: int
    golden_noted: int
    reopened: int
    causes: dict[str, int]
    clauses: tuple[ClauseCount, ...]
    teacher: Looked | None


def sum_up(
    policy: Policy, disputes: Sequence[Dispute], *, rated: bool = True, round_: str | None = None
) -> Adjudicated:
    """Count the disputes of a policy version and their decisions; the clause with most disputes first."""
    decided = [(one, one.decision) for one in disputes if one.decision is not None]
    causes: Counter[str] = Counter(last.cause or "none" for _, last in decided)
    unclear = Counter(clause for _, last in decided for clause in last.unclear)
    cited = Counter(clause for one in disputes for clause in _cited(one))
    ids = sorted({*unclear, *cited}, key=lambda id_: (-unclear[id_], -cited[id_], id_))
    return Adjudicated(
        policy=policy.label,
        round=round_,
        disputes=len(disputes),
        decided=len(decided),
        open=len(disputes) - len(decided),
        change_action=sum(one.moves_action for one in disputes) if policy.decided_actions else None,
        rated=rated,
        ungraded=sum(one.ungraded > 0 and not one.raters_differ for one in disputes),
        raters_differ=sum(one.raters_differ for one in disputes),
        golden_changed=sum(_golden(one) not in (None, last.grade) for one, last in decided),
        golden_noted=sum(_golden(one) is not None for one, _ in decided),
        reopened=sum(sum(said.second_look is None for said in one.decisions) > 1 for one, _ in decided),
        causes={name: causes[name] for name in (*CAUSES, "none") if name != "none" or causes[name]},
        clauses=tuple(ClauseCount(id=id_, unclear=unclear[id_], cited=cited[id_]) for id_ in ids),
        teacher=_looked(disputes),
    )


def _cited(dispute: Dispute) -> set[str]:
    return {clause for side in dispute.sides for clause in side.clauses}


def _golden(dispute: Dispute) -> int | None:
    """The golden grade in dispute; None if the first decision did not note it."""
    return dispute.decisions[0].golden


def _looked(disputes: Sequence[Dispute]) -> Looked | None:
    """None where no decision was made beside a teacher."""
    beside = [last for one in disputes if (last := one.decision) and last.teacher is not None]
    if not beside:
        return None
    looks = Counter(last.second_look for last in beside if last.differs)
    return Looked(
        decided=len(beside),
        differs=sum(looks.values()),
        kept=looks["kept"],
        changed=looks["changed"],
        unlooked=looks[None],
    )
