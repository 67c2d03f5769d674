"""The human ceiling of a run: is the grader a rater as good as the raters?"""

from harness.score.draws import Draws
from harness.score.panel import MIN_COMMON, Panel
from harness.score.terms import Raters, Terms
from harness.scorecards.ceiling import AgainstRest, AltTest, Annotator, Ceiling
from harness.scorecards.shared import Estimate
from harness.stats.alternative import alternative_annotator_test
from harness.stats.ceiling import LeftOut, human_ceiling, leave_one_out
from harness.stats.paired import Delta
from harness.stats.raters import MISSING

NO_EPSILON = "gates.toml declares no epsilon ([human_ceiling]), and one chosen afterwards would prove nothing"


def ceiling_score(draws: Draws, panel: Panel, raters: Raters, terms: Terms) -> Ceiling | None:
    """The ceiling on the items that the grader graded; None where nobody else rated them.

    `draws` holds one answer an item: with repeats, their vote. `panel` has the same items in the same order.
    """
    grader, weighting = draws.grades[:, 0], terms.bar.weighting
    panel = panel.with_some(grader != MISSING)
    if not panel.raters:
        return None
    given = (grader, panel.grades, draws.clusters, terms.scale)
    found = human_ceiling(*given, weighting, least=MIN_COMMON)
    low, margin = found.delta.low, terms.gates.margin
    return Ceiling(
        n=found.n,
        raters=panel.raters,
        provisional=raters.provisional,
        grader=found.model.value,
        rater=found.raters.value,
        delta=_estimate(found.delta),
        margin=margin,
        as_good=None if low is None else low > -margin,
        leave_one_out=tuple(
            _against_rest(panel.raters[one.rater], one) for one in leave_one_out(*given, weighting)
        ),
        alt_test=_alt_test(draws, panel, terms),
    )


def _estimate(delta: Delta) -> Estimate:
    ci = None if delta.low is None or delta.high is None else (delta.low, delta.high)
    return Estimate(value=delta.value, ci=ci, se=delta.se, reason=delta.reason)


def _against_rest(rater: str, one: LeftOut) -> AgainstRest:
    delta = _estimate(one.delta)
    return AgainstRest(
        rater=rater,
        n=one.n,
        grader=one.model.value,
        rater_kappa=one.own.value,
        delta=delta.value,
        ci=delta.ci,
        p=one.p,
        p_holm=one.p_holm,
        reason=delta.reason,
    )


def _alt_test(draws: Draws, panel: Panel, terms: Terms) -> AltTest:
    epsilon, scoring = terms.gates.human_ceiling.epsilon, terms.gates.human_ceiling.scoring
    if epsilon is None:
        return AltTest(epsilon=None, winning_rate=None, advantage=None, passed=None, reason=NO_EPSILON)
    found = alternative_annotator_test(
        draws.grades[:, 0], panel.grades, draws.clusters, terms.scale, scoring, epsilon
    )
    return AltTest(
        epsilon=epsilon,
        winning_rate=found.winning_rate,
        advantage=found.advantage,
        passed=found.passed,
        annotators=tuple(
            Annotator(
                rater=panel.raters[one.annotator],
                n=one.n,
                grader=one.model_wins,
                rater_share=one.own_wins,
                p=one.p,
                p_clustered=one.p_clustered,
                rejected=one.rejected,
            )
            for one in found.annotators
        ),
        reason=found.reason,
    )
