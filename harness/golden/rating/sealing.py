"""Seal a rater's set: it takes no more answers, and what was answered goes to ratings.jsonl.

In this order: the answer log is closed for the rater, ratings.jsonl is written, sealed.jsonl says so. Sealing
again after a kill does what is left, and puts back lines that ratings.jsonl lost.
"""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from harness.errors import BadInput
from harness.golden.examples import golden_path
from harness.golden.rating.answers import Answer, AnswerLog, answer_faults
from harness.golden.rating.ratings import Said, merge_ratings
from harness.golden.rating.rounds import ANSWERS, SEALED, Assignment, OpenRound, Sealed
from harness.nouns.pair import Rating, Unrated, one_form
from harness.storage.files import load_nouns, to_line
from harness.storage.locks import alone
from harness.storage.project import Project
from harness.storage.regular import append_whole, open_to_append


def seal(project: Project, opened: OpenRound, rater: str, at: str) -> Sealed:
    """Close a rater's set and count it in ratings.jsonl. A second call changes nothing.

    BadInput for a rater without an answer, and for answers that the round cannot have.
    """
    rater = one_form(rater)
    if not opened.assigned(rater):
        there = ", ".join(opened.round.raters)
        raise BadInput(f"{rater!r} has nothing to rate in {opened.round.name} (there are: {there})")
    done = next((one for one in load_nouns(opened.folder / SEALED, Sealed) if one.rater == rater), None)
    if done and not (opened.folder / ANSWERS).exists():
        return done  # a copy of the project without the answers
    with AnswerLog(opened.folder / ANSWERS) as log:
        _check(opened, rater, log.current(rater))
        since = log.close_set(rater, at)
        counts = log.current(rater)
    said = list(lines_of(opened, rater, counts))
    path = golden_path(project, opened.round.policy.partition("@")[0]).with_name(opened.round.ratings)
    merge_ratings(path, lambda before: _numbered(said, before))
    kinds = Counter(answer.kind for answer in counts.values())
    found = Sealed(rater=rater, at=since, graded=kinds["grade"], cannot=kinds["cannot"])
    _note(opened, found)
    return done or found


def _check(opened: OpenRound, rater: str, counts: Mapping[int, Answer]) -> None:
    faults = answer_faults(opened, rater, list(counts.values()))
    if faults:
        raise BadInput(faults)
    if not any(answer.kind in ("grade", "cannot") for answer in counts.values()):
        raise BadInput(f"{rater} has answered nothing in {opened.round.name} yet: there is nothing to seal")


def lines_of(opened: OpenRound, rater: str, counts: Mapping[int, Answer]) -> Iterator[Said]:
    """The answers as lines of ratings.jsonl, without those that were left for later."""
    for one in opened.assigned(rater):
        answer = counts.get(one.place)
        if answer is not None and answer.kind in ("grade", "cannot"):
            pair = opened.pairs[one.code]
            yield from (_line(opened, one, answer, item) for item in (pair.item, *pair.also))


def _line(opened: OpenRound, assigned: Assignment, answer: Answer, item: str) -> Said:
    pair = opened.pairs[assigned.code]
    shared = {
        "item": item,
        "rater": assigned.rater,
        "reasoning": answer.reasoning,
        "policy_version": opened.round.policy.partition("@")[2],
        "policy_digest": opened.round.policy_digest,
        "at": answer.at,
        "milliseconds": answer.milliseconds,
        "repeat": assigned.repeat,
        "drawn": pair.drawn,
        "pi": pair.pi,
    }
    if answer.kind == "cannot":
        return Unrated.model_validate({**shared, "cannot": answer.cannot})
    # The golden set lacks production pairs: without a query, Gate 1 would count each as its own query.
    query = pair.query if opened.round.production else None
    return Rating.model_validate({**shared, "grade": answer.grade, "clauses": answer.clauses, "query": query})


def _numbered(said: Sequence[Said], before: Sequence[Said]) -> list[Said]:
    """The lines with repeats counted on from those of the same rater that came another way.

    A line of this round is known by its time: then it was written before a kill.
    """
    own = {(one.item, one.rater, one.at) for one in said}
    taken: dict[tuple[str, str, str], int] = {}
    for one in before:
        if (one.item, one.rater, one.at) not in own:
            for version in {one.policy_version} if one.policy_version else {s.policy_version for s in said}:
                key = one.item, one.rater, version
                taken[key] = max(taken.get(key, 0), one.repeat + 1)
    return [
        one.model_copy(
            update={"repeat": one.repeat + taken.get((one.item, one.rater, one.policy_version), 0)}
        )
        for one in said
    ]


def _note(opened: OpenRound, sealed: Sealed) -> None:
    path = opened.folder / SEALED
    with alone(opened.folder / ".sealed.lock"):
        if not any(one.rater == sealed.rater for one in load_nouns(path, Sealed)):
            with open_to_append(path) as file:
                append_whole(file, to_line(sealed).encode("utf-8"))
