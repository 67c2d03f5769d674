"""What the outcome of a search owes to the grades that it was shown."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from harness.errors import BadInput
from harness.nouns.base import Interval, Reason
from harness.scorecards.signal import ArmDifference, ArmSize, Association, NorthStar
from harness.signal.searches import MOST_ARMS, Searches
from harness.stats.agreement import Floats, Integers
from harness.stats.association import log_odds
from harness.stats.intervals import Tested
from harness.stats.paired import delta_from
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
EMPTY_ARM = Reason("undefined", "an arm without a search")
LEAST_SEARCHES = 50
"""Searches with an outcome: of fewer there is nothing to say."""

Mask = NDArray[np.bool_]


def north_star(searches: Searches | None, why: Reason = NO_OUTCOME) -> NorthStar:
    """The outcome on the DCG shown, and on what stands above each action's line; and by arm."""
    if searches is None:
        return NorthStar(words=f"{WORDS} {CAUSE}", reason=why)
    whole = searches.ungraded == 0
    left = int((~whole).sum())
    several = _several(searches)
    head = NorthStar(
        n=int(whole.sum()),
        sessions=len(np.unique(searches.sessions)),
        queries=len(np.unique(searches.queries[whole])),
        left_out=left,
        outcome=float(searches.outcome[whole].mean()) if whole.any() else None,
        arms=tuple(_arms(searches, whole)),
        arm_sizes=tuple(_sizes(searches, whole)),
        words=f"{WORDS} {EXPERIMENT if len(searches.arms) > 1 else CAUSE}",
    )
    if head.n < LEAST_SEARCHES:
        why = ALL_UNGRADED if not head.n else _few(head.n)
        return head.model_copy(update={"reason": why})
    clusters = searches.queries if not several else np.column_stack([searches.queries, searches.sessions])
    found = []
    for feature, words, values in _features(searches):
        try:
            found.append(
                _association(feature, words, values[whole], searches.outcome[whole], clusters[whole])
            )
        except BadInput as error:
            return head.model_copy(update={"reason": Reason("undefined", str(error))})
    return head.model_copy(update={"associations": tuple(found)})


def _few(count: int) -> Reason:
    what = f"{plural(count, 'search', 'searches')} of graded results; at least {LEAST_SEARCHES} are needed"
    return Reason("undefined", what)


def _several(searches: Searches) -> bool:
    """Whether a session has several searches, whose outcome is one."""
    return len(np.unique(searches.sessions)) < len(searches.sessions)


def _features(searches: Searches) -> Iterator[tuple[str, str, Floats]]:
    yield "dcg", "the DCG of the grades shown", searches.dcg
    for edge, values in searches.at.items():
        yield f"grade>={edge}", f"results of grade {edge} or more, by position", values


def _association(
    feature: str, words: str, values: Floats, outcome: Floats, clusters: Integers
) -> Association:
    found = log_odds(values, outcome, clusters)
    sd = float(values.std())
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


def _arms(searches: Searches, whole: Mask) -> Iterator[ArmDifference]:
    """Each arm against the first by name, in the outcome of sessions and in the DCG of searches."""
    if len(searches.arms) < 2:
        return
    arm, outcome = _by_session(searches)
    base, *others = sorted(range(len(searches.arms)), key=lambda at: searches.arms[at])
    sides = {
        "outcome": (arm, outcome, np.arange(len(arm))),
        "dcg": (searches.arm[whole], searches.dcg[whole], searches.sessions[whole]),
    }
    for other in others:
        for figure, (arms, values, sessions) in sides.items():
            kept = np.isin(arms, (base, other))
            difference = _difference(values[kept], arms[kept] == other, sessions[kept])
            one, first = values[arms == other], values[arms == base]
            yield ArmDifference(
                arm=searches.arms[other],
                base=searches.arms[base],
                figure=figure,
                value=float(one.mean()) if len(one) else None,
                base_value=float(first.mean()) if len(first) else None,
                difference=difference.value,
                ci=difference.ci,
                p=difference.p,
                n=len(one),
                n_base=len(first),
                reason=difference.reason,
            )


def _sizes(searches: Searches, whole: Mask) -> Iterator[ArmSize]:
    """What each arm was shown to: searches whose results all have a grade, and sessions of this arm alone."""
    if len(searches.arms) < 2:
        return
    of_session = _by_session(searches)[0]
    for at, name in sorted(enumerate(searches.arms), key=lambda one: one[1]):
        here = whole & (searches.arm == at)
        yield ArmSize(
            arm=name,
            sessions=int((of_session == at).sum()),
            searches=int(here.sum()),
            queries=len(np.unique(searches.queries[here])),
        )


def _by_session(searches: Searches) -> tuple[Integers, Floats]:
    """Each session's arm, -2 where it was in several, and its outcome."""
    count = int(searches.sessions.max()) + 1
    outcome, high = np.zeros(count), np.full(count, -2)
    low = np.full(count, MOST_ARMS)
    np.maximum.at(outcome, searches.sessions, searches.outcome)
    np.maximum.at(high, searches.sessions, searches.arm)
    np.minimum.at(low, searches.sessions, searches.arm)
    return np.where(low == high, low, -2), outcome


def _difference(values: Floats, other: Mask, sessions: Integers) -> Tested:
    """The mean of one arm minus that of the other, which is clustered by session."""
    n, count = len(values), int(other.sum())
    if not 0 < count < n:
        return Tested(None, reason=EMPTY_ARM)
    one, base = float(values[other].mean()), float(values[~other].mean())
    apart = np.where(other, (values - one) * n / count, -(values - base) * n / (n - count))
    return delta_from(one - base, apart, np.unique(sessions, return_inverse=True)[1])
