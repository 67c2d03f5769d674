"""What `harness student` made and found: the objects that its --json prints."""

from typing import Literal

from harness.nouns.base import Noun, Reason
from harness.storage.plural import plural


class LeftOut(Noun):
    """Distinct pairs of a label set that a student does not learn from.

    `graded_query`: dev or test has the query. `near_graded`: a pair of the query is nearly one of theirs, or
    the query is one of theirs in another order. `canary`: the same of canaries, where dev and test have none.
    `shot_query`: the teacher was shown an answer to the query. `unread`: its answer could not be read;
    `unanswered`: it never gave one. `not_drawn`: balance or a limit left it out.
    """

    graded_query: int = 0
    near_graded: int = 0
    canary: int = 0
    shot_query: int = 0
    unread: int = 0
    unanswered: int = 0
    not_drawn: int = 0

    @property
    def words(self) -> str:
        """The counts that are not 0, as a sentence's part."""
        named = {
            "of a query of dev or test": self.graded_query,
            "of a query with a pair that is nearly one of dev or test": self.near_graded,
            "of a query of a canary, or nearly one": self.canary,
            "of a query that a shot has": self.shot_query,
            "with an unreadable answer": self.unread,
            "without an answer": self.unanswered,
            "not drawn": self.not_drawn,
        }
        return "; ".join(f"{count:,} {words}" for words, count in named.items() if count) or "none left out"


class TrainedGrade(Noun):
    """The pairs with a grade. `weight`: how often they are seen."""

    grade: int
    name: str
    train: int
    validation: int
    weight: float


class TrainingFile(Noun):
    """A file, or a folder, of a training set, and what it is for."""

    path: str
    form: str
    rows: int


class TrainingSet(Noun):
    """A training set. `messages`: which prompt's messages the chat files have, without shots.

    `pairs`: the distinct pairs in it, of `distinct` in `rows` rows. `soft`: those with the teacher's
    probability of each grade. `golden_pairs`: the pairs of dev, test and canaries that nothing in it gives
    away, of them `canary_pairs` of canaries; `golden_digest`: the digest of their content.
    """

    folder: str
    labels: str
    policy: str
    teacher: str
    proven: str | None
    messages: str | None
    reasoning: bool
    balance: Literal["traffic", "grades"]
    seed: int
    rows: int
    distinct: int
    pairs: int
    train: int
    validation: int
    soft: int
    weighted: bool
    left_out: LeftOut
    grades: tuple[TrainedGrade, ...]
    scale: tuple[int, ...]
    golden: str
    golden_digest: str
    golden_pairs: int
    canary_pairs: int = 0
    labels_made: str
    digests: dict[str, str]
    files: tuple[TrainingFile, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def counted(self) -> str:
        """How many pairs it holds, in words."""
        held = f", {self.validation:,} of them held back to validate" if self.validation else ""
        return f"{plural(self.pairs, 'pair')}{held}"


class Tried(Noun):
    """A student that was tried. `words`: whether words count beside their overlaps.

    `strength`: the inverse of its regularisation. `cuts`: whether cuts of its mean decide, or the likeliest
    grade. `kappa`: with the teacher, on held-out queries.
    """

    words: bool
    strength: float
    cuts: bool
    kappa: float | None


class TrainedStudent(Noun):
    """A student that was trained. `kappa`: the best of those `tried`, and so a little high.

    `features`: what it reads of a pair. `vectors`: the package of its word vectors, None where it reads none.
    `grades`: the pairs of each grade. None for `kappa` where no query could be held out, with the reason.
    """

    folder: str
    labels: str
    features: str
    vectors: str | None
    policy: str
    teacher: str
    proven: str | None
    rows: int
    distinct: int
    pairs: int
    queries: int
    left_out: LeftOut
    grades: dict[str, int]
    words: bool
    strength: float
    cuts: tuple[float, ...] | None
    kappa: float | None
    reason: Reason | None
    tried: tuple[Tried, ...]
    warnings: tuple[str, ...] = ()
