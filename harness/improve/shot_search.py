"""Which shots to show, and in which order: steps from the prompt's own set, kept where they gain.

Sees the part `propose` and nothing else; every candidate is an example of the split `shots`.
"""

import random
from collections.abc import Sequence

from harness.improve.grading import Grader
from harness.improve.search import Found, closeness
from harness.improve.variant import Variant
from harness.nouns.pair import Example
from harness.scorecards.improvement import Edit

SWAPPED = 0.7
"""The share of steps that replace a shot; the others change the order."""
TRIES = 100
"""The most steps that are drawn to find a set that was not tried."""


def search_shots(
    grader: Grader,
    pool: Sequence[Example],
    examples: Sequence[Example],
    scale: Sequence[int],
    wanted: int,
    seed: int,
) -> tuple[list[Found], int]:
    """The sets that gained on `propose`, each a step from the one before; and how many were tried.

    The grader's base names its shots; `pool` has all that may be shown.
    """
    dice, base = random.Random(seed), grader.base

    def score_of(variant: Variant) -> float:
        return sum(closeness(item, scale) for item in grader.items(variant, examples))

    ids = [shot.id for shot in pool]
    best, score = base, score_of(base)
    found: list[Found] = []
    seen = {base.shots}
    for number in range(1, wanted + 1):
        step = _step(best.shots or (), ids, seen, dice)
        if step is None:
            return found, number - 1
        shots, note = step
        seen.add(shots)
        variant = Variant(base.system, shots)
        gained = score_of(variant)
        if gained > score:
            edits = found[-1].edits if found else ()
            found.append(Found(number, variant, (*edits, Edit(note=note))))
            best, score = variant, gained
    return found, wanted


def _step(
    shots: tuple[str, ...], pool: Sequence[str], seen: set[tuple[str, ...] | None], dice: random.Random
) -> tuple[tuple[str, ...], str] | None:
    """Another set that was not tried, and what was changed; None where none is found."""
    for _ in range(TRIES):
        made, others = list(shots), sorted(set(pool) - set(shots))
        one = dice.randrange(len(made))
        if others and (dice.random() < SWAPPED or len(made) == 1):
            made[one] = dice.choice(others)
            note = f"shows {made[one]} in the place of {shots[one]}"
        else:
            other = dice.randrange(len(made))
            made[one], made[other] = made[other], made[one]
            note = f"shows {shots[one]} and {shots[other]} each in the other's place"
        if tuple(made) not in seen:
            return tuple(made), note
    return None
