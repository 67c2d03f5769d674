"""The progress of a round's raters, without grades: a lead who looks often must not see the trend."""

from collections import Counter
from collections.abc import Iterator
from contextlib import nullcontext
from statistics import median

from harness.golden.rating.answers import AnswerLog
from harness.golden.rating.links import linked
from harness.golden.rating.rounds import ANSWERS, SEALED, OpenRound, Sealed
from harness.nouns.base import Noun
from harness.storage.files import load_nouns


class RaterProgress(Noun):
    """One rater of a round. `seconds`: the median of an answer; None before the first."""

    rater: str
    places: int
    graded: int
    cannot: int
    later: int
    left: int
    seconds: float | None
    sealed_at: str | None
    links: int


class RoundProgress(Noun):
    """A round and its raters. `policy_changed`: a sentence if the policy file changed since, or empty."""

    round: str
    policy: str
    created_at: str
    pairs: int
    planned: int
    answered: int
    policy_changed: str
    raters: tuple[RaterProgress, ...]


def progress_of(opened: OpenRound) -> RoundProgress:
    """How far a round is. BadInput for damaged answers."""
    raters = tuple(_each(opened))
    return RoundProgress(
        round=opened.round.name,
        policy=opened.round.policy,
        created_at=opened.round.created_at,
        pairs=len(opened.pairs),
        planned=opened.round.planned,
        answered=sum(one.graded + one.cannot for one in raters),
        policy_changed=opened.policy_changed,
        raters=raters,
    )


def _each(opened: OpenRound) -> Iterator[RaterProgress]:
    sealed = {one.rater: one for one in load_nouns(opened.folder / SEALED, Sealed)}
    links = linked(opened.folder)
    path = opened.folder / ANSWERS
    with AnswerLog(path) if path.exists() else nullcontext() as log:
        for rater in opened.round.raters:
            counts = log.current(rater) if log else {}
            done = sealed.get(rater)
            kinds = Counter[str](answer.kind for answer in counts.values())
            if done and not log:
                # The answers are not in git: a clone has only what was sealed of them.
                kinds = Counter(grade=done.graded, cannot=done.cannot)
            answered = kinds["grade"] + kinds["cannot"]
            times = [a.milliseconds for a in counts.values() if a.kind != "later" and a.milliseconds]
            places = len(opened.assigned(rater))
            yield RaterProgress(
                rater=rater,
                places=places,
                graded=kinds["grade"],
                cannot=kinds["cannot"],
                later=kinds["later"],
                left=places - answered,
                seconds=median(times) / 1000 if times else None,
                sealed_at=done.at if done else None,
                links=links.get(rater, 0),
            )
