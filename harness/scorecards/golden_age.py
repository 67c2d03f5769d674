"""How a golden set has aged: the object that `harness golden age --json` prints."""

from harness.nouns.base import Noun


class AgedExample(Noun):
    """An example that was judged under another version of the policy, or by rules that were edited since.

    `judged_at`: when, where that was noted. `because`: the changed parts that its grade rests on;
    `cannot_tell`: whether it may rest on what changed, though it cites none of it.
    """

    item: str
    query: str
    policy_version: str
    judged_at: str | None = None
    because: tuple[str, ...] = ()
    cannot_tell: bool = False


class MovedClause(Noun):
    """A part of the policy that moved since examples were judged, and how many rest on it."""

    name: str
    examples: int


class GoneQuery(Noun):
    """A query of the golden set that the traffic no longer has."""

    query: str
    examples: int


class StratumCover(Noun):
    """How much of a stratum of the traffic has a golden example near it, by weight.

    `covered` is None where all of its rows weigh nothing.
    """

    stratum: str
    share: float
    covered: float | None


class Uncovered(Noun):
    """A pair of the traffic with no golden example near it. `nearest`: the most similar one."""

    item: str
    query: str
    title: str
    weight: float
    stratum: str = ""
    nearest: str | None = None
    similarity: float


class GoldenAge(Noun):
    """How old a golden set is. Fields about the traffic are None, or empty, if none was given.

    `unnoted`: the examples judged under this version that note no rules: it is unknown whether the policy was
    edited since. `aged`: those that rest on what moved first, then those of which it is unknown. `near`: from
    this Jaccard index of the words of query and title on, an example is near. `covered`: the share of the
    traffic, by weight, that has one; `known_queries`: the share whose query the set has. `to_add`: what to
    judge next: the heaviest pair of each stratum first, then the heaviest of all, each of another query where
    there are enough.
    """

    policy: str
    examples: int
    versions: dict[str, int]
    aged: tuple[AgedExample, ...]
    moved: tuple[MovedClause, ...]
    without_version: tuple[str, ...] = ()
    unnoted: int = 0
    traffic: str | None = None
    rows: int = 0
    near: float | None = None
    gone: tuple[GoneQuery, ...] = ()
    covered: float | None = None
    known_queries: float | None = None
    strata: tuple[StratumCover, ...] = ()
    to_add: tuple[Uncovered, ...] = ()
    warnings: tuple[str, ...] = ()
