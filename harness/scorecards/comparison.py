"""The comparison of two graders on the same items: the object that `compare --json` prints."""

from typing import Literal

from pydantic import Field

from harness.nouns.base import Interval, Naming, Noun, Reason, Weighting
from harness.scorecards.shared import Confusion, Gated, Statistic, Verdict

Kind = Literal["fixed", "broken", "moved"]


class Change(Noun):
    """A figure of both graders, and the second minus the first, with a paired interval clustered by query.

    `p` is two-sided, for the hypothesis of no difference.
    """

    base: float | None
    candidate: float | None
    delta: float | None
    ci: Interval | None = None
    se: float | None = None
    p: float | None = None
    reason: Reason | None = None


class McNemar(Noun):
    """Tests of fixed against broken items. `exact` treats items as independent; the other two do not."""

    broken: int
    fixed: int
    exact: float
    obuchowski: Statistic
    durkalski: Statistic


class Flip(Noun):
    """An item that the two grade differently, or that only one of them grades right.

    `fixed` is wrong to right, `broken` right to wrong, `moved` neither: wrong in another way or, if the
    policies differ, right by each one's own policy. `golden` is the base's
    golden grade; `golden_candidate` the candidate's, if the two runs' policies differ on it.
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
    """A pair whose golden grade differs between the sides: compared only if the policy versions differ."""

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
    """A cell that must never grow, with its number of common items on each side."""

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
    """What changed between two graders, on the items with a readable answer from both.

    `only_base` and `only_candidate` are items of one side only; `unread_base` and `unread_candidate` are
    common items without a readable answer on that side. All four are excluded. `stale` counts the
    candidate's examples not yet judged under its policy version, `stale_base` the base's. `apart` says why
    the items do not represent a split: one of the runs graded chosen examples, or canaries. `naming`: how
    many items name their query; JSON has a warning instead.
    """

    base: str
    candidate: str
    weighting: Weighting = "none"
    gated: Gated = "kappa"
    n_common: int
    n_clusters: int
    naming: Naming = Field("all", exclude=True)
    only_base: tuple[str, ...]
    only_candidate: tuple[str, ...]
    unread_base: tuple[str, ...]
    unread_candidate: tuple[str, ...]
    relabelled: tuple[Relabelled, ...]
    policies_differ: bool = False
    stale: int = 0
    stale_base: int = 0
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
    """Several runs against the first. `p_holm`: each gated change's p, corrected over the runs.

    `flattery` estimates the selection bias: how much the best of so many equal runs overstates its kappa.
    """

    base: str
    comparisons: tuple[Comparison, ...]
    p_holm: tuple[float | None, ...]
    best: str
    flattery: float | None


class Condition(Noun):
    """One condition of the regression verdict."""

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
