"""The kinds of runs: what a run grades, and what follows from that."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run.

    `scored`: its answers are compared with golden grades, and a run on `test` is a look at that split.
    `apart`: what the run graded, if not a split; no gate applies to it.
    """

    name: str
    items: str
    scored: bool
    apart: str | None = None


GOLDEN = Kind("golden", "examples", scored=True)
CHOSEN = Kind("chosen", "examples", scored=True, apart="graded chosen examples")
CANARIES = Kind("canaries", "examples", scored=False, apart="graded canaries")
PAIRS = Kind("pairs", "pairs", scored=False, apart="graded production pairs")
