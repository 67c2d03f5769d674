"""The kinds of runs: what a run grades, and what follows from that."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run.

    `scored`: its answers are compared with golden grades, and a run on `test` is a look at that split.
    `apart`: what the run graded, if not a split; no gate applies to it.
    """

    name: str
    item: str
    scored: bool
    apart: str | None = None


GOLDEN = Kind("golden", "example", scored=True)
CHOSEN = Kind("chosen", "example", scored=True, apart="graded chosen examples")
CANARIES = Kind("canaries", "example", scored=False, apart="graded canaries")
PAIRS = Kind("pairs", "pair", scored=False, apart="graded production pairs")
