"""What a bias audit found: the object that `harness audit --json` prints."""

from typing import Literal

from harness.nouns.base import Interval, Noun, Reason
from harness.scorecards.canaries import CanaryReport

Outcome = Literal["error", "absolute error"]


ORDER = "order of asking"
"""The feature: a pair's place in the order of asking, not its rank in results."""
PARAPHRASE = "paraphrase"
"""The rewrite: a pair in the words of the user's file."""
ELSEWHERE = (
    "row is about an example that is not audited here",
    "rows are about examples that are not audited here",
)
"""What a file of paraphrases has for others than the audited items: of one row, and of several."""


class Effect(Noun):
    """How the teacher's error changes with a feature, among items of one golden grade.

    `effect`: grades per `unit` of the feature; `outcome`: the error is the teacher's grade minus the golden
    one. The interval is clustered by query. `p_holm`: over all effects of the audit. Undefined is None, with
    the reason.
    """

    feature: str
    outcome: Outcome
    unit: str
    effect: float | None
    ci: Interval | None = None
    p: float | None = None
    p_holm: float | None = None
    n: int
    n_clusters: int
    reason: Reason | None = None


class Rewrite(Noun):
    """How grades moved when the pairs were rewritten in one way.

    `may_move`: whether the right grade may be another one for the rewritten pair. `of`: pairs with both
    grades read; `moved`: of those, the ones with another grade; `share`: moved / of, with the interval `ci`.
    `shift`: mean of the new grade minus the old one, with interval and p; `p_holm`: over all rewrites.
    `actions_first`: pairs whose action no earlier rewrite of the list changed; both None where the policy has
    not decided on its actions, as `undecided` of the audit says. `unread`: pairs without both.
    """

    kind: str
    what: str
    may_move: bool
    of: int
    moved: int
    share: float | None
    ci: Interval | None = None
    up: int
    down: int
    shift: float | None
    shift_ci: Interval | None = None
    p: float | None = None
    p_holm: float | None = None
    actions_moved: int | None
    actions_first: int | None
    unread: int
    reason: Reason | None = None


class ActionMoved(Noun):
    """The first rewrite, in the order of the list, that changed a pair's action."""

    item: str
    query: str
    title: str
    kind: str
    golden: int
    before: int
    after: int
    action_before: str
    action_after: str


class Paraphrased(Noun):
    """The paraphrases that a file gave for the audited items. The file claims that the meaning stayed.

    `items`: the audited items with a paraphrase, `of` all audited ones; `unchanged`: those whose row has
    their own texts, so that they are left out; `elsewhere`: rows about examples that are not audited;
    `columns_left`: headers that name no text of a result, and were not read.
    """

    file: str
    digest: str
    items: int
    of: int
    unchanged: int
    elsewhere: int
    columns_left: tuple[str, ...] = ()


class Audit(Noun):
    """Whether a teacher's grades depend on what they should not depend on.

    `run`: the run, or the file, whose answers the effects are about; `rewritten`: the run over rewritten
    pairs, None if none was made. `n` items had a readable answer, `unread` had none; `unanswered` questions
    of the rewrites got no answer. `paraphrases`: None where no file gave any. `undecided`: why no action of
    the rewrites is counted, if none is.
    """

    grader: str
    graded: str
    run: str
    rewritten: str | None = None
    n: int
    n_clusters: int
    unread: int
    unanswered: int = 0
    effects: tuple[Effect, ...]
    rewrites: tuple[Rewrite, ...] = ()
    actions: tuple[ActionMoved, ...] = ()
    paraphrases: Paraphrased | None = None
    undecided: str | None = None
    canaries: CanaryReport | None = None
    warnings: tuple[str, ...] = ()
