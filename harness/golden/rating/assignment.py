"""Assign pairs to raters, in an order for each rater.

Every pair goes to `each` raters; with two raters each, raters are rotated so that all pairs of raters meet
equally often and all raters have equally many pairs, within one. A share of the pairs goes to all. A share
comes to a rater twice, far apart and unmarked, to see how well raters agree with themselves.
"""

import random
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import cycle

from harness.errors import BadInput
from harness.golden.rating.rounds import Assignment, Design
from harness.nouns.pair import query_key
from harness.storage.plural import plural

APART = 20
"""Places between the two times that a rater sees a pair, where there is room."""


def assign(
    queries: Mapping[str, str], raters: Sequence[str], design: Design, seed: int
) -> tuple[Assignment, ...]:
    """The assignments of pairs, given as code and query. BadInput for fewer raters than each pair needs."""
    if design.each > len(raters):
        raise BadInput(f"--each {design.each}: only {plural(len(raters), 'rater')} to choose from")
    shares = _shares(list(queries), raters, design, seed)
    again = round(design.repeated * min(map(len, shares.values())))
    return tuple(
        Assignment(rater=rater, place=place, code=code, repeat=repeat)
        for rater in raters
        for place, (code, repeat) in enumerate(_order(shares[rater], queries, again, f"{seed} {rater}"))
    )


def _shares(codes: list[str], raters: Sequence[str], design: Design, seed: int) -> dict[str, list[str]]:
    """The pairs of each rater."""
    by_chance = random.Random(f"assign {seed}")
    shuffled, people = sorted(codes), list(raters)
    by_chance.shuffle(shuffled)
    by_chance.shuffle(people)
    by_all = round(design.by_all * len(shuffled)) if design.each < len(people) else 0
    teams = _teams(people, design.each, by_chance)
    shares: dict[str, list[str]] = {rater: [] for rater in raters}
    for at, code in enumerate(shuffled):
        for rater in people if at < by_all else next(teams):
            shares[rater].append(code)
    return shares


def _teams(people: list[str], each: int, by_chance: random.Random) -> Iterator[Sequence[str]]:
    """An endless sequence of teams, one for each next pair."""
    if each == 2:
        return cycle(_meetings(people))
    return _least_loaded(people, each, by_chance)


def _meetings(people: list[str]) -> list[tuple[str, str]]:
    """Every two people once, in an order in which the numbers of meetings differ by one at most.

    With an even number, a tournament by the circle method: all people meet in each round. With an odd number,
    Walecki's Hamiltonian cycles, the odd edges of each before the even ones.
    """
    hub, others = people[-1], people[:-1]
    size = len(others)
    found: list[tuple[str, str]] = []
    if len(people) % 2 == 0:
        for turn in range(size):
            found.append((hub, others[turn]))
            found += [
                (others[(turn + d) % size], others[(turn - d) % size]) for d in range(1, len(people) // 2)
            ]
        return found
    for turn in range(size // 2):
        zigzag = [turn, *(turn + sign * d for d in range(1, size // 2) for sign in (1, -1)), turn + size // 2]
        ring = [hub, *(others[at % size] for at in zigzag)]
        edges = list(zip(ring, [*ring[1:], hub], strict=True))
        found += [*edges[::2], *edges[1::2]]
    return found


def _least_loaded(people: list[str], each: int, by_chance: random.Random) -> Iterator[Sequence[str]]:
    """The raters with fewest pairs; of these, those who met the others of the team least."""
    load: dict[str, int] = dict.fromkeys(people, 0)
    met: dict[frozenset[str], int] = defaultdict(int)
    while True:
        team: list[str] = []
        for _ in range(each):
            left = [one for one in people if one not in team]
            by_chance.shuffle(left)
            team.append(min(left, key=lambda one: (load[one], sum(met[frozenset((one, m))] for m in team))))
        for at, one in enumerate(team):
            load[one] += 1
            for other in team[:at]:
                met[frozenset((one, other))] += 1
        yield team


def _order(codes: list[str], queries: Mapping[str, str], again: int, seed: str) -> list[tuple[str, int]]:
    """A rater's own order: queries together, in a seeded order, their results shuffled; then the repeats."""
    by_chance = random.Random(f"order {seed}")
    groups: dict[str, list[str]] = defaultdict(list)
    for code in sorted(codes):
        groups[query_key(queries[code])].append(code)
    keys = sorted(groups)
    by_chance.shuffle(keys)
    for key in keys:
        by_chance.shuffle(groups[key])
    order = [code for key in keys for code in groups[key]]
    ends, end = [], 0
    for key in keys:
        end += len(groups[key])
        ends.append(end)
    return _with_repeats(order, ends, again, by_chance)


def _with_repeats(
    order: list[str], ends: list[int], again: int, by_chance: random.Random
) -> list[tuple[str, int]]:
    """The order with some of the pairs a second time, between two queries and far from the first time."""
    early = len(order) - APART + 1
    candidates = range(early) if early >= again else range(again)
    put: dict[int, list[str]] = defaultdict(list)
    for at in by_chance.sample(candidates, again):
        gaps = [end for end in ends if end - at >= APART] or [len(order)]
        put[by_chance.choice(gaps)].append(order[at])
    found: list[tuple[str, int]] = []
    for at in range(len(order) + 1):
        found += [(code, 1) for code in put[at]]
        found += [(code, 0) for code in order[at : at + 1]]
    return found
