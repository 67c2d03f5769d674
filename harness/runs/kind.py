"""The kinds of runs: what a run grades, and what follows from that."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Kind:
    """One kind of run.

    `scored`: its answers are compared with golden grades, and a run on `test` is a look at that split.
    `apart`: what the run graded, if not a split; no gate applies to it. `repeated_by`: the command that
    resumes a run over pairs without golden grades, which has a folder of its own; None for any other run.
    """

    name: str
    item: str
    scored: bool
    apart: str | None = None
    repeated_by: str | None = None


GOLDEN = Kind("golden", "example", scored=True)
CHOSEN = Kind("chosen", "example", scored=True, apart="graded chosen examples")
CANARIES = Kind("canaries", "example", scored=False, apart="graded canaries")
PAIRS = Kind(
    "pairs", "pair", scored=False, apart="graded production pairs", repeated_by="harness policy impact"
)
REWRITES = Kind("rewrites", "pair", scored=False, apart="graded rewritten pairs", repeated_by="harness audit")
