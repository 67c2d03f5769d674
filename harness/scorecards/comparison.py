"""Two graders of the same items, held against each other: the object that `compare --json` prints."""

from typing import Literal

from harness.nouns.base import Interval, Noun, Reason, Weighting
from harness.scorecards.shared import Confusion, Gated, Verdict

Kind = Literal["fixed", "broken", "moved"]


class Change(Noun):
    """A figure of both, and the second minus the first, with a paired interval clustered by query.

    `p` is two-sided, of there being no difference.
    """

    base: float | None
    candidate: float | None
    delta: float | None
    ci: Interval | None = None
    se: float | None = None
    p: float | None = None
    reason: Reason | None = None


class Statistic(Noun):
    """A test statistic with its p; None with the reason."""

    value: float | None
    df: int | None = None
    p: float | None = None
    reason: Reason | None = None


class McNemar(Noun):
    """Do as many items get right as get wrong? `exact` takes items as independent, the other two do not."""

    broken: int
    fixed: int
    exact: float
    obuchowski: Statistic
    durkalski: Statistic


class Flip(Noun):
    """An item that the two grade differently, or of which one is right and the other wrong.

    `fixed` is wrong to right, `broken` right to wrong, `moved` neither: wrong in another way, or, where the
    policies differ, right by its own in both. `golden` is the base's
    golden grade; `golden_candidate` the candidate's, where the two runs' policies give it another.
    """

    item: str
    query: str | None = None
    title: str | None = None
    golden: int
    golden_candidate: int | None = None
    base: int
    candidate: int
    kind: Kind
    base_action: str | None = None
    candidate_action: str | None = None
    golden_reasoning: str = ""
    base_reasoning: str = ""
    candidate_reasoning: str = ""


class Relabelled(Noun):
    """The same pair under another golden grade: compared only where the policy versions differ."""

    item: str
    base: int
    candidate: int


class SliceChange(Noun):
    """The change of accuracy on the items of one tag or clause; `p_holm` is corrected over all of them."""

    name: str
    n: int
    base: float
    candidate: float
    delta: float
    ci: Interval | None
    p: float | None
    p_holm: float | None


class CellChange(Noun):
    """A cell that must never grow: how many of the items that both have are in it."""

    golden: int
    action: str
    base: int
    candidate: int
    allowed: int = 0


class Difference(Noun):
    """What differs between two runs: policy, prompt, model, shots, golden, parameters."""

    name: str
    base: str
    candidate: str


class Comparison(Noun):
    """What moved between two graders, on the items that both could be read on.

    `only_base` and `only_candidate` are items that the other was never asked about; `unread_base` and
    `unread_candidate` items of both that one has no readable answer for. All four are left out. `stale`
    counts the candidate's examples that nobody judged under its policy version. `apart` says what keeps the
    items from standing for a split: that one of the runs graded chosen examples, or canaries.
    """

    base: str
    candidate: str
    weighting: Weighting = "none"
    gated: Gated = "kappa"
    n_common: int
    n_clusters: int
    only_base: tuple[str, ...]
    only_candidate: tuple[str, ...]
    unread_base: tuple[str, ...]
    unread_candidate: tuple[str, ...]
    relabelled: tuple[Relabelled, ...]
    policies_differ: bool = False
    stale: int = 0
    apart: str | None = None
    kappa: Change
    kappa_linear: Change
    kappa_quadratic: Change
    accuracy: Change
    mae: Change
    actions: Change | None = None
    coverage: Change
    seconds: Change | None = None
    cost: Change | None = None
    mcnemar: McNemar
    stuart_maxwell: Statistic
    moves: Confusion
    never_grow: tuple[CellChange, ...] = ()
    per_tag: tuple[SliceChange, ...] = ()
    per_clause: tuple[SliceChange, ...] = ()
    flips: tuple[Flip, ...]
    changed: tuple[Difference, ...] = ()
    warnings: tuple[str, ...] = ()

    @property
    def gated_change(self) -> Change:
        """The change of the kappa that a regression is read from."""
        found: Change = getattr(self, self.gated)
        return found


class Ranking(Noun):
    """Several runs against the first. `p_holm` is that of each one's gated change, corrected over them.

    `flattery`: about how much better the best of so many equal runs looks than it is.
    """

    base: str
    comparisons: tuple[Comparison, ...]
    p_holm: tuple[float | None, ...]
    best: str
    flattery: float | None


class Condition(Noun):
    """One thing that a candidate must not do worse."""

    name: str
    verdict: Verdict
    reason: str


class Regression(Noun):
    """Whether a candidate may replace the base: the ship / don't ship verdict."""

    verdict: Verdict
    reason: str
    margin: float
    low: float | None
    """The one-sided 95 % lower limit of the gated kappa's change."""
    high: float | None
    conditions: tuple[Condition, ...]
    comparison: Comparison
