"""The whole check before a policy version ships: the object that `ship --json` prints."""

from pydantic import Field

from harness.nouns.base import Noun
from harness.scorecards.comparison import Condition
from harness.scorecards.impact import Impact
from harness.scorecards.shared import Verdict

GATE1 = "Gate 1: the raters agree"
"""The name of the step that a person may override."""
CANARIES = "canaries do not move the teacher"
IMPACT = "impact on what people see"
"""The name of the step that decides nothing without a limit."""


class Override(Noun):
    """A person's responsibility for shipping without a Gate 1 passed by people. `gate1`: what it lacks."""

    at: str
    policy: str
    by: str
    because: str
    gate1: str = ""


class Shipping(Noun):
    """The ship verdict. `steps` are in the order of the checks; the worst of them decides.

    `run` is the run of Gate 2, `canaries` the run over canaries, `base` the run or baseline compared with.
    `impact_limit`: the largest share of what people see that may change, if gates.toml declares one.
    `not_run`: the checks that were not made, by name, each with what it lacks.
    """

    policy: str
    verdict: Verdict
    reason: str
    steps: tuple[Condition, ...]
    not_run: dict[str, str] = Field(default={})
    override: Override | None = None
    run: str | None = None
    base: str | None = None
    canaries: str | None = None
    impact: Impact | None = None
    impact_limit: float | None = None
    warnings: tuple[str, ...] = ()
