"""What `harness sample` drew: the object that its --json prints."""

from typing import Literal

from harness.nouns.base import Noun

Allocation = Literal["proportional", "optimal"]
Hunt = Literal["low-confidence", "disagree"]


class SampledStratum(Noun):
    """A stratum of a sample. `share`: its share of production; `pairs`, `queries`: those that could be drawn.

    `drawn_pairs` and `drawn_queries` are in the plan; `pi` is the lowest and the highest inclusion
    probability among these.
    """

    name: str
    share: float
    pairs: int
    queries: int
    drawn_pairs: int
    drawn_queries: int
    pi: tuple[float, float]


class SampleSummary(Noun):
    """A drawing from a label set. `hunt`: what was hunted for; None for a sample at random.

    `asked`: the pairs that were asked for; whole queries are drawn, or up to `most_per_query` pairs of each,
    so that `drawn` is about that. `frame`
    and `frame_queries`: the different pairs, and their queries, that could be drawn. `unread`: rows without
    a grade of the teacher, and `shots`: rows whose query a shot has; they are not drawn.
    """

    labels: str
    policy: str
    seed: int
    hunt: Hunt | None = None
    by: str | None = None
    allocation: Allocation | None = None
    most_per_query: int | None = None
    asked: int
    drawn: int
    queries: int
    frame: int
    frame_queries: int
    unread: int = 0
    shots: int = 0
    strata: tuple[SampledStratum, ...] = ()
    file: str = ""
    warnings: tuple[str, ...] = ()
