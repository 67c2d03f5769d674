"""A run folder as what the gates take."""

from harness.golden.canaries import CanaryReport, canary_report
from harness.runs.folder import Run
from harness.runs.kind import CANARIES
from harness.score.bar import Bar
from harness.score.gate1 import score_gate1
from harness.score.gate2 import score_gate2
from harness.score.items import judged
from harness.score.rating_matrix import panel_of
from harness.score.settings import Raters, Terms
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2


def own_bar(run: Run) -> Bar:
    """What the run's own gates ask for."""
    return Bar(run.gates.weighting, run.gates.gate2.bar)


def score_run(run: Run, bar: Bar, gate1: Gate1 | None, *, bootstrap: bool = False) -> Gate2:
    """A run's scorecard by its own policy and gates, with its raters beside it."""
    asked = run.manifest.asked
    terms = Terms(
        scale=run.policy.scale,
        bar=bar,
        gates=run.gates,
        action_of=run.policy.action_of,
        clause_ids=run.policy.clause_ids,
        aggregate=asked.aggregate,
        bootstrap=bootstrap,
    )
    raters = Raters(panel_of(run.ratings, run.policy.scale), gate1.provisional) if gate1 else None
    return score_gate2(judged(run), terms, raters)


def score_raters(run: Run) -> Gate1 | None:
    """Gate 1 on the ratings that the run folder keeps; None where fewer than two raters rated."""
    if len({rating.rater for rating in run.ratings}) < 2:
        return None
    bar = Bar(run.gates.weighting, run.gates.gate1.bar)
    rated = {rating.item for rating in run.ratings}
    about = {example.id: example for example in run.each_example() if example.id in rated}
    return score_gate1(
        run.ratings, run.policy.scale, bar, run.raters, about, pair_floor=run.gates.gate1.pair_floor
    )


def canaries_of(run: Run) -> CanaryReport | None:
    """What steering did, where the run graded canaries."""
    return canary_report(run.examples, run.records) if run.manifest.asked.kind is CANARIES else None
