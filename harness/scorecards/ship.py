"""The whole check before a policy version ships: the object that `ship --json` prints."""

from harness.nouns.base import Noun
from harness.scorecards.comparison import Condition
from harness.scorecards.impact import Impact
from harness.scorecards.shared import Verdict

GATE1 = "Gate 1: the raters agree"
"""The name of the step that somebody may answer for."""


class Override(Noun):
    """Somebody answers for shipping on a Gate 1 that people have not passed. `gate1`: what it lacks."""

    at: str
    policy: str
    by: str
    because: str
    gate1: str = ""


class Shipping(Noun):
    """May this version ship? `steps` in the order in which they were checked; the worst of them decides.

    `run` is the one that Gate 2 was read from, `canaries` the one over canaries, `base` what it was held
    against.
    """

    policy: str
    verdict: Verdict
    reason: str
    steps: tuple[Condition, ...]
    override: Override | None = None
    run: str | None = None
    base: str | None = None
    canaries: str | None = None
    impact: Impact | None = None
    warnings: tuple[str, ...] = ()
