"""What a saved student says of itself: student.json."""

from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from harness.nouns.base import Count, Level, Noun
from harness.storage.visible import one_line

Grades = Annotated[tuple[Level, ...], Field(min_length=2, max_length=100)]
Text = Annotated[str, Field(max_length=1_000), AfterValidator(one_line)]
"""A text that is shown in sentences: what would steer a terminal is written out."""


class SavedVectors(Noun):
    """Word vectors of a package that a student was trained on. `digest`: of its two files."""

    package: Text
    digest: Text


class SavedStudent(Noun):
    """What a student is. `pairs`: those that it learned from; `kappa`: with the teacher, on queries held out.

    `vectors`: those that it reads, None for none. `cuts`: where the mean of its probabilities becomes the
    next position on the scale; None where the likeliest grade is given. `graded`: the digest of the dev and
    test pairs that it has not seen. `weights`: the digest of weights.npz. `policy_digest`: None in students
    of before there was one.
    """

    version: Literal[1] = 1
    features: Text
    vectors: SavedVectors | None = None
    policy: Text
    scale: Grades
    teacher: Text
    proven: Text | None = None
    labels: Text
    labels_made: Text = ""
    pairs: Count
    queries: Count
    counts: Annotated[tuple[Count, ...], Field(max_length=100)]
    balance: Literal["traffic", "grades"]
    weighted: bool
    words: bool
    strength: Annotated[float, Field(gt=0, le=1e6)]
    cuts: Annotated[tuple[Annotated[float, Field(ge=-1, le=101)], ...], Field(max_length=99)] | None = None
    kappa: Annotated[float, Field(ge=-1, le=1)] | None = None
    policy_digest: Text | None = None
    graded: Text
    weights: Text
    harness: Text

    @property
    def baseline(self) -> str:
        """What it goes by, in words."""
        more = f" and of word vectors ({self.vectors.package})" if self.vectors else ""
        return f"a baseline of overlapping words{more}"
