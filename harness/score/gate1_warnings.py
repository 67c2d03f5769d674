"""Warnings of Gate 1: about pairs of raters, their names, and items that raters could not grade."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

from harness.nouns.pair import ALMOST, Rating, namesakes
from harness.score.few import SHOWN, few_names, lowest
from harness.score.items import independence
from harness.score.rater_pairs import RaterPairs
from harness.score.rating_matrix import MIN_COMMON, RatingMatrix
from harness.score.threshold import Threshold, bands_differ, bands_of
from harness.scorecards.gate1 import CouldNotRate
from harness.storage.plural import plural

MUCH = 0.1
"""The share of items that a rater could not grade, from which on a warning says so."""


def mostly_hard(cannot: Sequence[CouldNotRate], first: Sequence[Rating]) -> Iterator[str]:
    """A warning: raters who grade only the easy items agree well."""
    graded = Counter(one.rater for one in first)
    much = [one for one in cannot if graded[one.rater] and one.n >= MUCH * (one.n + graded[one.rater])]
    for one in much[:SHOWN]:
        what = f"{one.rater} could not rate {one.n:,} of {plural(one.n + graded[one.rater], 'item')}"
        yield f"{what}: agreement is about the others, which may be the easy ones"


def warned_of_pairs(panel: RatingMatrix, pairs: RaterPairs, bar: Threshold, floor: float) -> Iterator[str]:
    """Pairs that are left out, or hardly agree; bands that depend on the weighting."""
    yield from _left_out(panel, pairs)
    yield from _low_pairs(panel, pairs, bar, floor)
    yield from bands_differ(bands_of(pairs.means))


def warned_of_names(panel: RatingMatrix, queries: Mapping[str, str]) -> Iterator[str]:
    """Items that name no query, and raters whose names are almost the same."""
    yield from independence(named_items(panel, queries), len(panel.items))
    # One person under two names is two raters who always agree.
    yield from (f"{few_names(names)} {ALMOST}: is it one person?" for names in namesakes(panel.raters))


def named_items(panel: RatingMatrix, queries: Mapping[str, str]) -> int:
    """How many items name their query."""
    return sum(item in queries for item in panel.items)


def _left_out(panel: RatingMatrix, pairs: RaterPairs) -> Iterator[str]:
    known = zip(pairs.pairs, pairs.n, pairs.counted.tolist(), strict=True)
    left = [(pair, n) for pair, n, counted in known if not counted]
    for pair, n in left[:SHOWN]:
        one, other = (panel.raters[at] for at in pair)
        yield f"{one} and {other} share {plural(n, 'item')}, under {MIN_COMMON}: left out of the mean"
    if len(left) > SHOWN:
        more = plural(len(left) - SHOWN, "more pair of raters shares", "more pairs of raters share")
        yield f"{more} fewer than {MIN_COMMON} items: left out of the mean"


def _low_pairs(panel: RatingMatrix, pairs: RaterPairs, bar: Threshold, floor: float) -> Iterator[str]:
    """A mean can hide one pair that hardly agrees."""
    values = pairs.kappas[bar.weighting].values()
    low = [
        (value, pair)
        for pair, value, counted in zip(pairs.pairs, values, pairs.counted.tolist(), strict=True)
        if counted and value is not None and value < floor
    ]
    for value, pair in lowest(low, lambda one: one[0]):
        one, other = (panel.raters[at] for at in pair)
        yield f"{one} and {other} agree on a kappa of {value:.3f} alone, under {floor:g}"
    if len(low) > SHOWN:
        more = plural(len(low) - SHOWN, "more pair of raters agrees", "more pairs of raters agree")
        yield f"{more} on a kappa under {floor:g}"
