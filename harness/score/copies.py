"""Ratings that look copied: kappa cannot tell two raters who agree from one whose grades are there twice."""

from itertools import compress

from harness.score.rater_pairs import RaterPairs
from harness.score.rating_matrix import MIN_COMMON
from harness.storage.plural import plural

LUCK = 0.01
"""A pair is named where raters who agree as the others do would be identical more seldom than this."""
ASK = "are these independent? Copied grades, or grades that raters showed each other, would look the same"


def copies(raters: tuple[str, ...], pairs: RaterPairs) -> str | None:
    """Why the ratings may not be independent; None where nothing speaks for it.

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
    more = f" and {plural(len(named) - 3, 'pair')} more" if len(named) > 3 else ""
    return (
        f"raters who gave the same grade to every item that both rated: {', '.join(named[:3])}{more}: {ASK}"
    )
