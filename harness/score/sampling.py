"""Draw pairs of a label set to have people rate them: samples with known probabilities, and hunts.

A sample draws whole queries, since the rows of a query are alike: in each stratum m_s of the N_s queries that
have pairs there, and all of their pairs in the stratum, so that each has the inclusion probability m_s / N_s.
A hunt takes what looks wrong, has no probabilities, and is not a basis for an estimate.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from pydantic import ValidationError

from harness.errors import BadInput, Fault
from harness.golden.rating.pair_plan import PlannedPair
from harness.nouns.pair import Pair
from harness.runs.labels import LabelSet
from harness.score.frame import Frame, number_of_pair
from harness.scorecards.sample import SampledStratum
from harness.stats.agreement import Floats
from harness.storage.plural import plural

LEAST = 5
"""The fewest queries that are drawn of a stratum, if it has them: fewer say too little about their spread."""


@dataclass(frozen=True, slots=True)
class ToDraw:
    """What to draw. `spread`: by stratum, how much its rows differ; None: allocated by share alone.

    `most`: pairs of a query that are drawn at most; None: all of them.
    """

    pairs: int
    seed: int
    spread: Mapping[str, float] | None = None
    most: int | None = None


class Drawn(NamedTuple):
    """A pair of the frame, and its inclusion probability; None for a hunted one, with the reason."""

    at: int
    pi: float | None
    reason: str = ""


def draw_sample(frame: Frame, wanted: ToDraw) -> list[Drawn]:
    """A sample of whole queries, by strata. BadInput where it would be more than there is."""
    if wanted.pairs > len(frame):
        raise BadInput(
            f"--n {wanted.pairs:,}: the labels have {plural(len(frame), 'different pair')} to draw"
        )
    groups = _groups(frame)
    sizes = _sizes(frame, wanted)
    found: list[Drawn] = []
    for stratum, name in enumerate(frame.names):
        mine = groups[stratum]
        pairs = sum(min(len(one), wanted.most or len(one)) for one in mine.values())
        # As many queries as bring about the allotted number of pairs.
        count = min(len(mine), max(min(LEAST, len(mine)), round(sizes[name] * len(mine) / pairs)))
        by_chance = random.Random(f"sample {wanted.seed} {name}")
        for query in by_chance.sample(sorted(mine, key=lambda at: frame.asked[at]), count):
            found += _of_query(frame, mine[query], count / len(mine), wanted, by_chance)
    return found


def _of_query(
    frame: Frame, pairs: Sequence[int], pi: float, wanted: ToDraw, by_chance: random.Random
) -> Iterator[Drawn]:
    """The pairs of a drawn query, or so many of them by chance."""
    chosen = sorted(pairs, key=lambda at: int(frame.pairs[at]))
    if wanted.most is not None and len(chosen) > wanted.most:
        pi *= wanted.most / len(chosen)
        chosen = by_chance.sample(chosen, wanted.most)
    yield from (Drawn(at, pi) for at in chosen)


def _groups(frame: Frame) -> list[dict[int, list[int]]]:
    """In each stratum, the pairs of each query."""
    found: list[dict[int, list[int]]] = [defaultdict(list) for _ in frame.names]
    for at, (stratum, query) in enumerate(zip(frame.strata.tolist(), frame.queries.tolist(), strict=True)):
        found[stratum][query].append(at)
    return found


def shares_of(frame: Frame) -> Floats:
    """Each stratum's share of production, by weight."""
    weights = np.bincount(frame.strata, weights=frame.weight, minlength=len(frame.names))
    return np.asarray(weights / weights.sum(), dtype=np.float64)


def _sizes(frame: Frame, wanted: ToDraw) -> dict[str, float]:
    """How many pairs of each stratum: by its share W_s, or by W_s sd_s (Neyman 1934)."""
    shares = shares_of(frame)
    if wanted.spread is not None:
        shares = shares * np.array([wanted.spread[name] for name in frame.names])
        shares = shares / shares.sum()
    return dict(zip(frame.names, (wanted.pairs * shares).tolist(), strict=True))


def hunt_unsure(frame: Frame, pairs: int) -> list[Drawn]:
    """The pairs with the least certain grades of the teacher. BadInput if it gave no confidence."""
    known = np.flatnonzero(~np.isnan(frame.confidence))
    if not len(known):
        raise BadInput(
            "--hunt low-confidence: the labels have no probabilities of grades; a teacher that gives them "
            "(`harness doctor MODEL` says whether one does) is needed, or --hunt disagree"
        )
    order = known[np.lexsort((frame.pairs[known], frame.confidence[known]))][:pairs]
    return [Drawn(at, None, f"confidence {frame.confidence[at]:.2f}") for at in order.tolist()]


def hunt_disagreeing(frame: Frame, theirs: Mapping[int, int], pairs: int) -> list[Drawn]:
    """The pairs to which another grader gives another grade, the farthest first. BadInput without any.

    `theirs`: its grades by the pair's number.
    """
    mine = zip(frame.pairs.tolist(), frame.grade.tolist(), strict=True)
    apart = [
        (abs(grade - theirs[pair]), pair, at)
        for at, (pair, grade) in enumerate(mine)
        if pair in theirs and theirs[pair] != grade
    ]
    if not apart:
        shared = len(set(theirs) & set(frame.pairs.tolist()))
        same = f"give the same grade to every pair that both graded ({shared:,})"
        raise BadInput(f"--hunt disagree: the two graders {same if shared else 'have no pair in common'}")
    apart.sort(key=lambda one: (-one[0], one[1]))
    return [
        Drawn(at, None, f"graded {frame.grade[at]}, and {theirs[pair]} by the other")
        for _, pair, at in apart[:pairs]
    ]


def planned_pairs(labels: LabelSet, frame: Frame, drawn: Sequence[Drawn]) -> list[PlannedPair]:
    """The lines of the plan, in the order of the drawing. A rating of one counts for all rows of its pair."""
    place = {int(frame.pairs[one.at]): number for number, one in enumerate(drawn)}
    found: dict[int, PlannedPair] = {}
    for item, digest, text in labels.cells(("item", "digest", "pair")):
        number = place.get(number_of_pair(digest))
        if number is not None and number not in found:
            found[number] = _planned(frame, drawn[number], item, _pair_of(labels, item, text))
    return [found[number] for number in range(len(drawn))]


def _pair_of(labels: LabelSet, item: str, text: str) -> Pair:
    try:
        return Pair.model_validate_json(text)
    except ValidationError as error:
        raise BadInput(
            [Fault(f"{labels.folder}, item {item!r}", "its pair is damaged; restore it")]
        ) from error


def _planned(frame: Frame, drawn: Drawn, item: str, pair: Pair) -> PlannedPair:
    return PlannedPair(
        item=item,
        query=pair.query,
        result=pair.result,
        context=pair.context,
        drawn="hunted" if drawn.pi is None else "random",
        pi=drawn.pi,
        stratum=frame.names[frame.strata[drawn.at]],
        reason=drawn.reason,
    )


def strata_drawn(frame: Frame, drawn: Sequence[Drawn]) -> Iterator[SampledStratum]:
    """Each stratum of a sample, the largest share first."""
    shares = shares_of(frame)
    for stratum in np.argsort(-shares, kind="stable").tolist():
        here = frame.strata == stratum
        mine = [one for one in drawn if frame.strata[one.at] == stratum and one.pi is not None]
        chances = [one.pi for one in mine if one.pi is not None]
        yield SampledStratum(
            name=frame.names[stratum],
            share=float(shares[stratum]),
            pairs=int(here.sum()),
            queries=len(np.unique(frame.queries[here])),
            drawn_pairs=len(mine),
            drawn_queries=len({int(frame.queries[one.at]) for one in mine}),
            pi=(min(chances), max(chances)),
        )
