"""A round's live Gate 1: the answers so far, scored and judged as the finished ratings will be."""

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from harness.golden.examples import golden_path
from harness.golden.graded_files import examples_of
from harness.golden.rating.raters import RATERS, rater_kinds
from harness.golden.rating.ratings import Rated
from harness.golden.rating.rounds import open_round
from harness.golden.rating.waiting import RaterSet, RoundNow, round_now
from harness.nouns.pair import Example, Rating, Unrated
from harness.nouns.policy import Gates
from harness.policy.load import load_gates
from harness.score.pace import Timed, pace_of, seconds_of
from harness.score.rating_matrix import readings
from harness.score.settings import grade_names
from harness.scorecards.gate1 import Gate1
from harness.scorecards.live_gate1 import CannotRate, CitedClause, LiveGate1, RaterNow
from harness.storage.project import Project
from harness.verdicts.raters import judge_raters


def live_gate1_of(project: Project, policy: str, name: str | None = None) -> LiveGate1:
    """The live Gate 1 of a round of a policy, the latest where none is named. BadInput without one."""
    opened = open_round(project, policy, name)
    gates = load_gates(project.policies / opened.policy.name / "gates.toml", opened.policy)
    kinds = rater_kinds(golden_path(project, opened.policy.name).with_name(RATERS))
    return live_gate1(round_now(opened), gates, kinds, examples_of(project, opened.policy))


def live_gate1(
    now: RoundNow, gates: Gates, kinds: Mapping[str, str], about: Mapping[str, Example]
) -> LiveGate1:
    """A round's scorecard for its lead. `kinds` as in raters.toml; `about`: the golden examples by id."""
    opened = now.open_round
    graded = [line for one in now.sets for line in one.said if isinstance(line, Rating)]
    unrated = [line for one in now.sets for line in _unrated(now, one)]
    reason = _nothing(now, graded)
    rated = Rated(graded, kinds, about, unrated=unrated, unfinished=now.open, early=now.early)
    names = grade_names(opened.policy)
    gate1 = None if reason else judge_raters(rated, opened.policy.scale, gates, names=names)
    timed = _timed(now)
    return LiveGate1(
        policy=opened.round.policy,
        round=opened.round.name,
        planned=now.planned,
        given=now.given,
        graded=sum(one.progress.graded for one in now.sets),
        cannot=_causes(unrated),
        later=sum(one.progress.later for one in now.sets),
        complete=now.open is None,
        open=now.open,
        early=now.early,
        unsealed=now.unsealed,
        gate1=gate1,
        reason=reason,
        raters=tuple(_rater(now, one, timed) for one in now.sets),
        cited=_cited(readings(graded)[0], gate1),
        cannot_rate=_cannot_rate(now, unrated),
        policy_changed=opened.policy_changed or None,
        production=opened.round.production,
    )


def _nothing(now: RoundNow, graded: Sequence[Rating]) -> str | None:
    """Why agreement cannot be computed; "so far" only while ratings are missing."""
    so_far = " so far" if now.open else ""
    if not now.given:
        return f"no rater has answered{' yet' if now.open else ''}"
    if not any(one.said for one in now.sets):
        return "the answers of this round are not here: answers.sqlite3 stays where people rated"
    if not graded:
        return f"every answer{so_far} says that the pair cannot be rated"
    raters = {one.rater for one in graded}
    if len(raters) < 2:
        return f"only {min(raters)} has given grades{so_far}: agreement takes two raters or more"
    return None


def _causes(unrated: Sequence[Unrated]) -> dict[str, int]:
    return dict(Counter(one.cannot for one in unrated).most_common())


def _timed(now: RoundNow) -> list[Timed]:
    """The timed first answers: a rater who sees a pair again is quicker."""
    queries = {pair.item: pair.query for pair in now.open_round.pairs.values()}
    return [
        Timed(one.rater, one.item, queries[one.item], one.milliseconds)
        for each in now.sets
        for one in each.said
        if one.milliseconds and not one.repeat and one.item in queries
    ]


def _unrated(now: RoundNow, one: RaterSet) -> list[Unrated]:
    """The pairs that a rater could not rate, each once, even if it has several ids in the golden set."""
    items = {pair.item for pair in now.open_round.pairs.values()}
    return [line for line in one.said if isinstance(line, Unrated) and line.item in items]


def _rater(now: RoundNow, one: RaterSet, timed: Sequence[Timed]) -> RaterNow:
    return RaterNow(
        rater=one.rater,
        assigned=one.progress.places,
        graded=one.progress.graded,
        cannot=_causes(_unrated(now, one)),
        later=one.progress.later,
        sealed_at=one.progress.sealed_at,
        closed_at=one.closed.at if one.closed else None,
        seconds=seconds_of(timed, one.rater),
        pace=pace_of(timed, one.rater),
    )


def _cited(ratings: Sequence[Rating], gate1: Gate1 | None) -> tuple[CitedClause, ...]:
    """The clauses that raters cite, those with the most pairs in dispute first."""
    citing: dict[str, list[Rating]] = defaultdict(list)
    for one in ratings:
        for clause in dict.fromkeys(one.clauses):
            citing[clause].append(one)
    disputed = {one.item for one in gate1.disputed} if gate1 else set()
    found = [
        CitedClause(
            clause=clause,
            ratings=len(ratings),
            raters=len({one.rater for one in ratings}),
            items=len({one.item for one in ratings}),
            disputed=len({one.item for one in ratings} & disputed),
        )
        for clause, ratings in citing.items()
    ]
    return tuple(sorted(found, key=lambda one: (-one.disputed, -one.ratings, one.clause)))


def _cannot_rate(now: RoundNow, unrated: Sequence[Unrated]) -> tuple[CannotRate, ...]:
    """The pairs that could not be rated, those with most such raters first."""
    causes: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
    for one in unrated:
        if one.rater not in causes[one.item][one.cannot]:
            causes[one.item][one.cannot].append(one.rater)
    pairs = {pair.item: pair for pair in now.open_round.pairs.values()}
    found = [
        CannotRate(
            item=item,
            query=pairs[item].query,
            title=pairs[item].result.title,
            causes={cause: tuple(raters) for cause, raters in by_cause.items()},
        )
        for item, by_cause in causes.items()
    ]
    return tuple(sorted(found, key=lambda one: (-sum(map(len, one.causes.values())), one.item)))
