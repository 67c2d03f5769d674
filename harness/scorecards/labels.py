"""What is in a label set: the object that `harness label --json` prints and summary.json holds.

Shares are of the weight of the rows with a grade. They are the teacher's own grades, which no person has
checked on these pairs. Rows whose query a shot has are counted in `shot_query`, and in no share.
"""

from harness.nouns.base import Noun
from harness.scorecards.shared import Outcomes


class GradeShare(Noun):
    """The rows with a grade; `share` is None where no row has any.

    `action` is None while the policy does not say what its actions show.
    """

    grade: int
    name: str
    action: str | None
    rows: int
    weight: float
    share: float | None


class ActionShare(Noun):
    """The rows with an action."""

    action: str
    rows: int
    weight: float
    share: float | None


class LabelPart(Noun):
    """The rows of a stratum, or of all. `coverage`: the share of the weight that has a grade.

    `actions` is empty while the policy does not say what they show.
    """

    stratum: str | None
    rows: int
    weight: float
    coverage: float | None
    grades: tuple[GradeShare, ...]
    actions: tuple[ActionShare, ...]


class LabelSpending(Noun):
    """What the labels cost, in USD and tokens; None where that is unknown, with the reason.

    `asked`: pairs that the teacher was asked for; `reused`: those whose reply was in the reply cache.
    """

    asked: int
    reused: int
    cost: float | None
    known: float
    unknown: int
    input_tokens: int | None
    cached_tokens: int | None
    output_tokens: int | None
    reasoning_tokens: int | None
    reason: str | None = None


class CascadeShares(Noun):
    """Who answered in a cascade: rows by each, and the share of the weight that was `sent` to the teacher.

    `confirmed`: whether runs of the project showed on test that it may stand in for its teacher.
    """

    student: str
    threshold: float
    confirmed: bool
    by_student: int
    by_teacher: int
    sent: float


class LabelSummary(Noun):
    """A label set. `distinct`: pairs that differ, each asked once. `proven`: the run that proves the teacher.

    `unprompted`: whether the teacher was sent no prompt. `weighted`: whether rows differ in weight.
    `by_stratum` is empty where there are no strata.
    """

    labels: str
    policy: str
    prompt: str
    unprompted: bool = False
    model: str
    model_answered: tuple[str, ...]
    proven: str | None
    unproven: bool
    rows: int
    distinct: int
    weight: float
    weighted: bool
    outcomes: Outcomes
    causes: dict[str, int]
    coverage: float | None
    shot_query: int
    grades: tuple[GradeShare, ...]
    actions: tuple[ActionShare, ...]
    by_stratum: tuple[LabelPart, ...]
    spending: LabelSpending
    cascade: CascadeShares | None = None
    shards: int
    warnings: tuple[str, ...] = ()
