"""What a run over canaries found: does text in a product move its grade?"""

from harness.nouns.base import Noun


class Move(Noun):
    """One canary's grades for the plain and the steered product; None if no grade was read."""

    id: str
    trick: str
    golden: int
    plain: int | None
    steered: int | None


class CanaryReport(Noun):
    """How far text in a product moves the grade. `mean_move`: mean over canaries with both grades read."""

    canaries: int
    compared: int
    moved: int
    up: int
    down: int
    mean_move: float | None
    moves: tuple[Move, ...]
