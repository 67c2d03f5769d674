"""How the outcome of a search depends on the grades of what it showed."""

from collections.abc import Iterator

import numpy as np

from harness.nouns.base import Interval, Reason
from harness.scorecards.signal import Association, NorthStar
from harness.signal.arms import Arms
from harness.signal.searches import Searches, SearchPart
from harness.stats.agreement import Floats
from harness.stats.association import Observed, log_odds
from harness.storage.plural import plural

WORDS = "Association, not cause: who is shown better results may search for other things."
CAUSE = "An experiment makes it causal: a column arm, which result lists were drawn by chance."
EXPERIMENT = (
    "If the arms were drawn by chance, their difference is the experiment's doing; the log cannot say "
    "whether they were. Arms drawn so are shown to much the same: compare their sessions and queries."
)
NO_OUTCOME = Reason("undefined", "the log has no columns session and outcome")
NO_ACTION = Reason("undefined", "--outcome names the action that makes a search a success")
ALL_UNGRADED = Reason("undefined", "every search has results without a grade")
LEAST_SEARCHES = 50
"""How many searches with an outcome are needed."""


def north_star(searches: Searches | None, why: Reason = NO_OUTCOME) -> NorthStar:
    """The outcome on the DCG shown, and on what stands above each action's line; and by arm."""
    if searches is None:
        return NorthStar(words=f"{WORDS} {CAUSE}", reason=why)
    seen, several = _Seen(searches), len(searches.arms) > 1
    arms = Arms(searches) if several else None
    head = NorthStar(
        n=seen.whole,
        sessions=seen.sessions,
        queries=len(seen.queries),
        left_out=seen.searches - seen.whole,
        outcome=seen.happened / seen.whole if seen.whole else None,
        arms=tuple(arms.differences()) if arms else (),
        arm_sizes=tuple(arms.sizes()) if arms else (),
        words=f"{WORDS} {EXPERIMENT if several else CAUSE}",
    )
    if head.n < LEAST_SEARCHES:
        why = ALL_UNGRADED if not head.n else _few(head.n)
        return head.model_copy(update={"reason": why})
    found = [
        _association(searches, feature, words, two_ways=seen.sessions < seen.searches)
        for feature, words in _features(searches)
    ]
    return head.model_copy(update={"associations": tuple(found)})


class _Seen:
    """What one pass over all searches counts.

    `whole`: those whose results all have a grade; `queries` theirs.
    """

    def __init__(self, searches: Searches) -> None:
        self.searches = self.whole = self.sessions = 0
        self.happened, self.queries = 0.0, np.zeros(0, dtype=np.int64)
        for part in searches.parts():
            whole = part.ungraded == 0
            self.searches += len(whole)
            self.whole += int(whole.sum())
            self.sessions += len(np.unique(part.session))
            self.happened += float(part.outcome[whole].sum())
            self.queries = np.union1d(self.queries, part.query[whole])


def _few(count: int) -> Reason:
    what = f"{plural(count, 'search', 'searches')} of graded results; at least {LEAST_SEARCHES} are needed"
    return Reason("undefined", what)


def _features(searches: Searches) -> Iterator[tuple[int | None, str]]:
    """The grade of each feature, None for the DCG, and what it is in words."""
    yield None, "the DCG of the grades shown"
    yield from ((edge, f"results of grade {edge} or more, by position") for edge in searches.edges)


def _values(part: SearchPart, edge: int | None) -> Floats:
    return part.dcg if edge is None else part.at[edge]


def _association(searches: Searches, edge: int | None, words: str, *, two_ways: bool) -> Association:
    def observed() -> Iterator[Observed]:
        for part in searches.parts():
            whole = part.ungraded == 0
            sessions = part.session[whole] if two_ways else None
            yield Observed(_values(part, edge)[whole], part.outcome[whole], part.query[whole], sessions)

    found, sd = log_odds(observed)
    feature = "dcg" if edge is None else f"grade>={edge}"
    if found.value is None:
        return Association(feature=feature, words=words, log_odds=None, reason=found.reason)
    ci = found.ci
    return Association(
        feature=feature,
        words=words,
        log_odds=found.value,
        se=found.se,
        sd=sd,
        odds_ratio=float(np.exp(found.value * sd)),
        ci=Interval(float(np.exp(ci.low * sd)), float(np.exp(ci.high * sd))) if ci else None,
        p=found.p,
        reason=found.reason,
    )
