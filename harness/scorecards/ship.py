"""The whole check before a policy version ships: the object that `ship --json` prints."""

from harness.noun import Noun
from harness.scorecards.comparison import Condition
from harness.scorecards.shared import Verdict


class Override(Noun):
    """Somebody answers for shipping on a Gate 1 that people have not passed."""

    by: str
    because: str


class Shipping(Noun):
    """May this version ship? `steps` in the order in which they were checked; the worst of them decides."""

    policy: str
    verdict: Verdict
    reason: str
    steps: tuple[Condition, ...]
    override: Override | None = None
    run: str | None = None
    base: str | None = None
