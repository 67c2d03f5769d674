"""Ratings that look copied: kappa cannot tell two raters who agree from one whose grades are there twice."""

from itertools import compress

from harness.score.rater_pairs import RaterPairs
from harness.score.rating_matrix import MIN_COMMON
from harness.stats.tails import binomial_at_most
from harness.storage.plural import plural

LUCK = 0.01
"""A pair is named if raters who agree like the others would be identical more rarely than this."""
BEYOND = 0.98
"""Raters who surely agree with a kappa above this are named too: independent people hardly reach it."""
ASK = "are these independent? Copied grades, or grades that raters showed each other, would look the same"


def copies(raters: tuple[str, ...], pairs: RaterPairs) -> str | None:
    """Why the ratings may not be independent; None without any sign of it.

    Either all pairs of ratings are identical, however many, or a pair of raters is identical on MIN_COMMON
    items or more and the others' agreement makes LUCK of it: agreement^n times the number of such pairs. A
    pair that gave one grade to everything proves nothing, and has no kappa either.
    """
    shared, n_same = sum(pairs.n), sum(pairs.same)
    if not shared or not pairs.kappas["none"].bottom.any():
        return None
    if n_same == shared:
        return f"all {shared:,} pairs of ratings of one item are identical: {ASK}"
    varied = [bottom != 0 for bottom in pairs.kappas["none"].bottom.tolist()]
    facts = zip(pairs.n, pairs.same, varied, strict=True)
    identical = [n >= MIN_COMMON and n == same and differ for n, same, differ in facts]
    n_copied = sum(compress(pairs.n, identical))
    agreement = (n_same - n_copied) / (shared - n_copied)
    large = sum(n >= MIN_COMMON for n in pairs.n)
    named = [
        f"{raters[one]} and {raters[other]} ({plural(n, 'item')})"
        for (one, other), n in compress(zip(pairs.pairs, pairs.n, strict=True), identical)
        if large * agreement**n < LUCK
    ]
    if not named:
        return None
    return f"raters who gave the same grade to every item that both rated: {_few(named)}: {ASK}"


def nearly_copies(raters: tuple[str, ...], pairs: RaterPairs, items: int, differing: int) -> str | None:
    """Why ratings may be copies except for a few; None without any sign of it.

    Of all `items` with two ratings or more, `differing` have different ones. They, or the items of a pair of
    raters, differ more seldom than luck makes those differ who agree on a kappa of BEYOND. Kappa and not the
    share of identical grades: where nearly everything has one grade, people who agree are as alike.
    """
    shared = sum(pairs.n)
    facts = zip(pairs.n, pairs.kappas["none"].bottom.tolist(), strict=True)
    # A kappa's denominator is the number of differing items that chance alone gives, times n.
    by_chance = [bottom / n if n else 0.0 for n, bottom in facts]
    if shared and surely_beyond(items, differing, sum(by_chance) / shared):
        what = f"the raters gave the same grade to {items - differing:,} of {plural(items, 'item')}"
        return f"{what}, more than a kappa of {BEYOND:g} explains: {ASK}"
    large = sum(n >= MIN_COMMON for n in pairs.n)
    named = [
        f"{raters[one]} and {raters[other]} ({same:,} of {plural(n, 'item')})"
        for (one, other), n, same, chance in zip(pairs.pairs, pairs.n, pairs.same, by_chance, strict=True)
        if n >= MIN_COMMON and surely_beyond(n, n - same, chance / n, tests=large)
    ]
    if not named:
        return None
    what = f"raters who gave the same grade to more items than a kappa of {BEYOND:g} explains"
    return f"{what}: {_few(named)}: {ASK}"


def surely_beyond(n: int, differing: int, by_chance: float, tests: int = 1) -> bool:
    """Whether so few of n items differ that a kappa of BEYOND makes LUCK of it, in one of so many tests.

    `by_chance`: the share of items that chance alone makes differ, which is 0 where all have one grade.
    """
    return tests * binomial_at_most(differing, n, (1 - BEYOND) * by_chance) < LUCK


def _few(named: list[str]) -> str:
    more = f" and {plural(len(named) - 3, 'pair')} more" if len(named) > 3 else ""
    return f"{', '.join(named[:3])}{more}"
