"""Draw the pairs of a round: at random by strata, or hunted for a reason.

The random part is drawn first, from all pairs, so that each has a known inclusion probability: n_h of the N_h
pairs of its stratum are taken, each with n_h / N_h. Hunted pairs come from the rest and have none, so that no
estimate takes them for a sample.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from heapq import heapify, heappop, heapreplace
from itertools import chain, zip_longest

from harness.errors import BadInput
from harness.nouns.pair import Drawn, Example
from harness.nouns.policy import UNDECIDED, Policy
from harness.storage.plural import plural

Stratum = Callable[[Example], str]


@dataclass(frozen=True, slots=True)
class Drawing:
    """The pairs to draw. `by`: none, grade, action, or the beginning of a tag such as `lang:`.

    `equal`: equally many of every stratum, if it has them, instead of its share. `random_share`: the part
    that is drawn at random; the rest is hunted.
    """

    pairs: int
    by: str = "none"
    equal: bool = False
    random_share: float = 1.0


@dataclass(frozen=True, slots=True)
class DrawnPair:
    """A pair that was drawn. `also`: other ids of the same pair in the golden set."""

    example: Example
    drawn: Drawn
    pi: float | None
    stratum: str
    also: tuple[str, ...] = ()


def draw(
    examples: Sequence[Example], policy: Policy, wanted: Drawing, seed: int, hunted: Sequence[str] = ()
) -> list[DrawnPair]:
    """Draw pairs; `hunted` names examples to look at, the most important first.

    The order of the file does not matter. A pair with several ids is one pair. Fewer hunted examples than
    wanted give fewer pairs.
    """
    same: dict[str, list[Example]] = defaultdict(list)
    for example in sorted(examples, key=lambda one: one.id):
        same[example.pair.digest].append(example)
    frame = [alike[0] for alike in same.values()]
    if wanted.pairs > len(frame):
        raise BadInput(f"--pairs {wanted.pairs:,}: only {plural(len(frame), 'different pair')} to draw from")
    at_random = round(wanted.pairs * wanted.random_share)
    stratum = _stratum(wanted.by, frame, policy)
    found = list(_sample(frame, stratum, at_random, seed, equal=wanted.equal))
    found += _hunt(same, hunted, {one.example.id for one in found}, wanted.pairs - at_random, stratum)
    ids = {digest: [one.id for one in alike] for digest, alike in same.items()}
    alike = ((one, ids[one.example.pair.digest]) for one in found)
    return [replace(one, also=tuple(id_ for id_ in known if id_ != one.example.id)) for one, known in alike]


def _sample(
    frame: Sequence[Example], stratum: Stratum, count: int, seed: int, *, equal: bool
) -> Iterable[DrawnPair]:
    """A simple random sample of each stratum; its size does not depend on chance."""
    strata: dict[str, list[Example]] = defaultdict(list)
    for example in frame:
        strata[stratum(example)].append(example)
    sizes = allocate({name: len(of) for name, of in strata.items()}, count, equal=equal) if count else {}
    for name, size in sizes.items():
        # A generator for each stratum: a pair that is added to one does not change the draws of the others.
        for example in random.Random(f"draw {seed} {name}").sample(strata[name], size):
            yield DrawnPair(example, "random", size / len(strata[name]), name)


def allocate(sizes: Mapping[str, int], count: int, *, equal: bool) -> dict[str, int]:
    """The number of pairs to draw of each stratum: at least one, so that an estimate covers it.

    By largest remainders of the proportional shares; `equal` fills all alike up to their sizes. BadInput
    where there are more strata than pairs.
    """
    if count < len(sizes):
        raise BadInput(
            f"{count:,} pairs at random cannot speak for {len(sizes):,} strata: draw more, or use --by none"
        )
    taken = dict.fromkeys(sorted(sizes), 1)
    total = sum(sizes.values())
    shares = {name: 1 / len(sizes) if equal else size / total for name, size in sizes.items()}
    # The stratum that lacks most of its share comes first; among equals, the first by name.
    lacks = [(1 - count * shares[name], name) for name in taken]
    heapify(lacks)
    for _ in range(count - len(taken)):
        while taken[lacks[0][1]] == sizes[lacks[0][1]]:
            heappop(lacks)
        more, name = lacks[0]
        taken[name] += 1
        heapreplace(lacks, (more + 1, name))
    return taken


def _hunt(
    same: Mapping[str, Sequence[Example]],
    hunted: Sequence[str],
    taken: set[str],
    count: int,
    stratum: Stratum,
) -> list[DrawnPair]:
    first = {example.id: alike[0] for alike in same.values() for example in alike}
    named = dict.fromkeys(first[id_].id for id_ in hunted if id_ in first)
    ids = [id_ for id_ in named if id_ not in taken]
    return [DrawnPair(first[id_], "hunted", None, stratum(first[id_])) for id_ in ids[:count]]


def hunt_order(*reasons: Mapping[str, float], seed: int) -> list[str]:
    """Examples in turn from several reasons to look, each `{id: how much}`; equal ones in a seeded order."""
    by_chance = random.Random(f"hunt {seed}")
    ranked = []
    for weights in reasons:
        names = sorted(weights)
        by_chance.shuffle(names)
        ranked.append(sorted(names, key=lambda id_: -weights[id_]))
    turns = chain.from_iterable(zip_longest(*ranked))
    return list(dict.fromkeys(id_ for id_ in turns if id_ is not None))


def _stratum(by: str, frame: Iterable[Example], policy: Policy) -> Stratum:
    """A function that tells the stratum of an example."""
    if by == "none":
        return lambda _: ""
    if by == "grade":
        return lambda one: f"grade {one.grade}"
    if by == "action":
        if policy.decided_actions is None:
            raise BadInput(f"--by action: {policy.label} {UNDECIDED}")
        return lambda one: policy.action_of[one.grade]

    def first_tag(one: Example) -> str:
        return min((tag for tag in one.tags if tag.startswith(by)), default="")

    if not any(first_tag(one) for one in frame):
        raise BadInput(f"--by {by}: expected none, grade, action or the beginning of a tag; no tag begins so")
    return first_tag
