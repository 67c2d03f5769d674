"""What a run grades, and what follows from that: one kind, asked wherever runs differ by it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run.

    `scored`: its answers are held against golden grades, and one on `test` is a look at that split. `apart`:
    what the run graded, where its items do not stand for a split; then no gate holds for it.
    """

    name: str
    items: str
    scored: bool
    apart: str | None = None


GOLDEN = Kind("golden", "examples", scored=True)
CHOSEN = Kind("chosen", "examples", scored=True, apart="graded chosen examples")
CANARIES = Kind("canaries", "examples", scored=False, apart="graded canaries")
PAIRS = Kind("pairs", "pairs", scored=False, apart="graded production pairs")
KINDS = (GOLDEN, CHOSEN, CANARIES, PAIRS)
