"""Show a few of many: hundreds of raters make tens of thousands of pairs, too many to read."""

from collections.abc import Callable, Sequence
from typing import TypeVar

from harness.scorecards.gate1 import Gate1, PairAgreement, RaterBias, SelfAgreement
from harness.storage.plural import more_of

Entry = TypeVar("Entry")

SHOWN = 10
"""Raters, or pairs of raters, that are shown one by one."""


def few_names(names: Sequence[str]) -> str:
    """Names in a sentence: all of them, or the first ones and how many more."""
    return ", ".join(names[:SHOWN]) + more_of(len(names), SHOWN)


def lowest(entries: Sequence[Entry], value: Callable[[Entry], float | None]) -> list[Entry]:
    """The entries if they are few; else those with the lowest values, undefined ones last."""
    if len(entries) <= SHOWN:
        return list(entries)

    def rank(entry: Entry) -> tuple[bool, float]:
        found = value(entry)
        return found is None, found or 0.0

    return sorted(entries, key=rank)[:SHOWN]


def lowest_pairs(score: Gate1) -> list[PairAgreement]:
    """The pairs of raters with the lowest gated kappa, of those in the mean; all pairs if they are few."""
    if len(score.pairs) <= SHOWN:
        return list(score.pairs)
    return lowest([pair for pair in score.pairs if pair.counted], lambda pair: getattr(pair, score.gated))


def least_agreeing(score: Gate1) -> list[RaterBias]:
    """The raters who agree least with the rest; all raters if they are few."""
    return lowest(score.rater_bias, lambda one: one.kappa_vs_rest)


def least_consistent(score: Gate1) -> list[SelfAgreement]:
    """The raters who agree least with their own first grades; all of them if they are few."""
    return lowest(score.self_agreement, lambda one: one.kappa)
