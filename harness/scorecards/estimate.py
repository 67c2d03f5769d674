"""How good production is: the object that `harness estimate --json` prints."""

from typing import Literal

from pydantic import Field

from harness.nouns.base import Interval, Noun, Reason

Over = Literal["items", "queries"]


class HumanOnly(Noun):
    """The same figure from the human grades alone."""

    value: float | None
    ci: Interval | None = None
    se: float | None = None


class RoganGladenScore(Noun):
    """Rogan and Gladen's share, a cross-check; `raw` before it is clipped to [0, 1]."""

    value: float | None
    raw: float | None = None
    ci: Interval | None = None
    sensitivity: float | None = None
    specificity: float | None = None
    reason: Reason | None = None


class StratumAgainstRest(Noun):
    """A stratum's figure minus that of the rest; `p_holm` over the strata, `p` if there are two."""

    difference: float | None
    ci: Interval | None = None
    p: float | None = None
    p_holm: float | None = None
    reason: Reason | None = None


class Labels(Noun):
    """An approximate number of labels, in rows and in queries, from what was seen so far."""

    items: int
    queries: int


class EstimatedFigure(Noun):
    """One figure over production, corrected by human grades, with what each side alone says.

    `words`: what it is. `over`: whether every row counts, or every query. `lambda`: how far the teacher's
    grades were used, from 0 (humans only) to 1. `teacher_only`: over the rows without a human grade,
    uncorrected. `worst_case`: the interval from every row that the teacher could not grade being bad,
    to every one being good. `saved`: the labels that humans only would have needed on top for the same error;
    `to_halve`: how many more would about halve the interval. `cannot_tell`: of a figure of rankings, the
    queries left out since a grade or a position is missing. `reason`: why something is missing, or how the
    interval was made.
    """

    name: str
    words: str
    over: Over
    stratum: str | None = None
    value: float | None
    ci: Interval | None = None
    se: float | None = None
    lam: float = Field(serialization_alias="lambda")
    teacher_only: float | None
    human_only: HumanOnly
    n_labelled: int
    n_unlabelled: int
    clusters_labelled: int
    clusters_unlabelled: int
    worst_case: Interval | None = None
    saved: Labels | None = None
    to_halve: Labels | None = None
    rogan_gladen: RoganGladenScore | None = None
    against_rest: StratumAgainstRest | None = None
    share: float | None = None
    """Of a stratum: its share of production."""
    cannot_tell: int = 0
    reason: Reason | None = None


class Worst(Noun):
    """The stratum whose `name` figure is lowest, and whether that is more than chance (Holm)."""

    name: str
    stratum: str
    value: float
    difference: float | None
    ci: Interval | None = None
    p_holm: float | None = None
    reason: Reason | None = None


class RatingsUsed(Noun):
    """The ratings behind the human grades.

    `items` were rated by `raters`; of the `several` with more than one rating, on `differ` the raters differ:
    the lower median counts, and `lowest` and `highest` is the main figure if the lowest, or the highest,
    grade counted instead. `adjudicated`: items on which the author decided. `could_not_rate`: items that
    no rater could grade. `hunted`: items left out: hunted ones are not a sample. `unmatched`: rated
    items that the labels lack. `passed_over`: rated items that the labels have and that count for no row,
    since a shot has the query, or another rated item is the same pair.
    """

    file: str
    items: int
    raters: tuple[str, ...]
    several: int = 0
    differ: int = 0
    lowest: float | None = None
    highest: float | None = None
    adjudicated: int = 0
    could_not_rate: int = 0
    hunted: int = 0
    unmatched: int = 0
    passed_over: int = 0


class TwoTeachers(Noun):
    """A figure of the second label set minus that of the first, by the same ratings, paired by query.

    `teachers`: what the second teacher says minus what the first says, uncorrected.
    """

    name: str
    over: Over
    first: float | None
    second: float | None
    difference: float | None
    ci: Interval | None = None
    se: float | None = None
    p: float | None = None
    teachers: StratumAgainstRest
    reason: Reason | None = None


class Estimates(Noun):
    """How good production is, by many teacher grades and few human ones.

    `coverage`: the share of the rows, by weight, that the teacher graded; the others are left out, as are the
    `shots` rows whose query an example of the prompt has. `by`: what the strata are.
    """

    labels: str
    other: str | None = None
    policy: str | None = None
    over: Over
    by: str | None = None
    weighted: bool = False
    n: int
    n_queries: int
    coverage: float
    unread: int = 0
    shots: int = 0
    unproven: bool = False
    ratings: RatingsUsed | None = None
    estimates: tuple[EstimatedFigure, ...]
    worst: Worst | None = None
    differences: tuple[TwoTeachers, ...] = ()
    warnings: tuple[str, ...] = ()
