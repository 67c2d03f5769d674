"""A planned round in figures, for the lead before the rating begins."""

from collections import Counter
from collections.abc import Iterator

from harness.golden.rating.rounds import OpenRound
from harness.nouns.base import Noun


class StratumDrawn(Noun):
    """A stratum of a round. `pi`: the inclusion probability of those drawn at random; None where none was."""

    name: str
    at_random: int
    hunted: int
    pi: float | None


class RaterShare(Noun):
    """A rater's share. `again`: how many places repeat a pair. `minutes`: None if unknown."""

    rater: str
    places: int
    again: int
    queries: int
    minutes: float | None


class RoundSummary(Noun):
    """A planned round. `by_all`: the pairs that every rater rates. `also`: more ids of the same pairs."""

    round: str
    policy: str
    seed: int
    pairs: int
    at_random: int
    hunted: int
    planned: int
    by_all: int
    also: int = 0
    strata: tuple[StratumDrawn, ...]
    raters: tuple[RaterShare, ...]


def summary_of(opened: OpenRound, seconds: float | None = None) -> RoundSummary:
    """A round in figures; `seconds`: how long a pair takes, if known."""
    drawn = Counter(pair.drawn for pair in opened.pairs.values())
    every = [{one.code for one in opened.assigned(rater)} for rater in opened.round.raters]
    return RoundSummary(
        round=opened.round.name,
        policy=opened.round.policy,
        seed=opened.round.seed,
        pairs=len(opened.pairs),
        at_random=drawn["random"],
        hunted=drawn["hunted"],
        planned=opened.round.planned,
        by_all=len(set.intersection(*every)),
        also=sum(len(pair.also) for pair in opened.pairs.values()),
        strata=tuple(_strata(opened)),
        raters=tuple(_shares(opened, seconds)),
    )


def _strata(opened: OpenRound) -> Iterator[StratumDrawn]:
    pairs = opened.pairs.values()
    for name in sorted({pair.stratum for pair in pairs}):
        here = [pair for pair in pairs if pair.stratum == name]
        drawn = Counter(pair.drawn for pair in here)
        chance = next((pair.pi for pair in here if pair.pi is not None), None)
        yield StratumDrawn(name=name, at_random=drawn["random"], hunted=drawn["hunted"], pi=chance)


def _shares(opened: OpenRound, seconds: float | None) -> Iterator[RaterShare]:
    for rater in opened.round.raters:
        order = opened.assigned(rater)
        yield RaterShare(
            rater=rater,
            places=len(order),
            again=sum(one.repeat > 0 for one in order),
            queries=len({opened.pairs[one.code].query for one in order}),
            minutes=None if seconds is None else len(order) * seconds / 60,
        )
