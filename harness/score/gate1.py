"""Gate 1: do the raters agree?"""

from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.nouns.pair import Example, Rating
from harness.nouns.policy import Gates
from harness.score.bias import biases
from harness.score.items import INDEPENDENT
from harness.score.rating_matrix import MIN_COMMON, RatingMatrix, rating_matrix_of
from harness.score.threshold import WEIGHTINGS, Threshold, bands_differ, bootstrap_check, gate_fields
from harness.scorecards.gate1 import (
    AgreementIn,
    Alpha,
    ConfusedGrades,
    Dispute,
    DisputedBoundary,
    Gate1,
    PairAgreement,
)
from harness.scorecards.shared import Confusion
from harness.stats.agreement import Matrix, crossing, pooled
from harness.stats.raters import Metric, coefficients, krippendorff_alpha

METRICS: tuple[Metric, ...] = ("nominal", "ordinal", "interval")


def score_gate1(
    ratings: Sequence[Rating],
    scale: tuple[int, ...],
    bar: Threshold,
    kinds: Mapping[str, str] | None = None,
    about: Mapping[str, Example] | None = None,
    *,
    pair_floor: float = Gates().gate1.pair_floor,
    bootstrap: bool = False,
) -> Gate1:
    """Agreement among raters: the mean of the pairwise kappas, over the items that two raters share.

    `kinds` says of each rater whether it is "human" or "llm"; None where nobody says it. `about` holds
    the golden examples by id, where the items are some: their tags, clauses and titles.
    """
    panel = rating_matrix_of(ratings, scale)
    mean = {weighting: panel.mean(weighting) for weighting in WEIGHTINGS}
    pairs = list(combinations(range(len(panel.raters)), 2))
    matrix = pooled([panel.table(pair, "none").matrix for pair in pairs], len(scale))
    known = about or {}
    queries = {rating.item: rating.query for rating in ratings if rating.query}
    return Gate1(
        **gate_fields(mean, bar, len(set(panel.queries))),
        bootstrap=bootstrap_check(panel.bootstrap(bar.weighting)) if bootstrap else None,
        warnings=(
            *_left_out(panel),
            *_low_pairs(panel, bar, pair_floor),
            *bands_differ(mean),
            *_independence(queries),
        ),
        provisional=_provisional(panel.raters, kinds) if kinds is not None else None,
        n_items=len(panel.items),
        raters=panel.raters,
        pairs=tuple(_pair(panel, pair, bar) for pair in pairs),
        **_beside(panel),
        rater_bias=biases(panel),
        confusion=Confusion(labels=scale, matrix=matrix),
        boundaries=tuple(_boundary(panel, matrix, at) for at in range(1, len(scale))),
        confused=_confused(matrix, scale),
        per_query=_agreement_in(
            panel,
            [[key] if i in queries else [] for i, key in zip(panel.items, panel.queries, strict=True)],
        ),
        per_tag=_agreement_in(panel, [known[i].tags if i in known else () for i in panel.items]),
        per_clause=_agreement_in(panel, [known[i].clauses if i in known else () for i in panel.items]),
        disputed=tuple(_disputed(panel, ratings, known, queries)),
    )


def _left_out(panel: RatingMatrix) -> Iterator[str]:
    counted = panel.counted()
    for pair in combinations(range(len(panel.raters)), 2):
        if pair not in counted:
            one, other = (panel.raters[at] for at in pair)
            shared = len(panel.common(*pair))
            yield f"{one} and {other} share {shared} items, under {MIN_COMMON}: left out of the mean"


def _low_pairs(panel: RatingMatrix, bar: Threshold, floor: float) -> Iterator[str]:
    """A mean can hide one pair that hardly agrees."""
    for pair in panel.counted():
        value = panel.pair(pair, bar.weighting).kappa.value
        if value is not None and value < floor:
            one, other = (panel.raters[at] for at in pair)
            yield f"{one} and {other} agree on a kappa of {value:.3f} alone, under {floor:g}"


def _independence(queries: Mapping[str, str]) -> tuple[str, ...]:
    return () if queries else (INDEPENDENT,)


def _provisional(raters: Sequence[str], kinds: Mapping[str, str]) -> str | None:
    """Why this is no answer about people, where it is none."""
    machines = [rater for rater in raters if kinds.get(rater) == "llm"]
    unknown = [rater for rater in raters if rater not in kinds]
    if machines:
        return f"{', '.join(machines)} rated as language models: this says nothing yet about people"
    return f"raters.toml does not say what {', '.join(unknown)} is" if unknown else None


def _pair(panel: RatingMatrix, pair: tuple[int, int], bar: Threshold) -> PairAgreement:
    found = {name: panel.pair(pair, weighting) for weighting, name in WEIGHTINGS.items()}
    gated = found[WEIGHTINGS[bar.weighting]]
    return PairAgreement(
        raters=(panel.raters[pair[0]], panel.raters[pair[1]]),
        n=len(panel.common(*pair)),
        **{name: one.kappa.value for name, one in found.items()},
        ci=gated.ci,
        counted=pair in panel.counted(),
        reason=gated.reason,
    )


def _beside(panel: RatingMatrix) -> dict[str, Any]:
    """The other coefficients for several raters, with a reason for each that is undefined."""
    plain, linear = coefficients(panel.grades, panel.scale), coefficients(panel.grades, panel.scale, "linear")
    alpha = {metric: krippendorff_alpha(panel.grades, panel.scale, metric) for metric in METRICS}
    found = {"fleiss": plain.fleiss, "conger": plain.conger, "ac1": plain.gwet, "ac2": linear.gwet}
    found |= {"brennan_prediger": plain.brennan_prediger, "agreement": plain.agreement}
    named = {**found, **{f"alpha.{metric}": one for metric, one in alpha.items()}}
    return {
        **{name: one.value for name, one in found.items()},
        "alpha": Alpha(**{metric: one.value for metric, one in alpha.items()}),
        "reasons": {name: one.reason for name, one in named.items() if one.reason},
    }


def _boundary(panel: RatingMatrix, matrix: Matrix, at: int) -> DisputedBoundary:
    differing = _off_diagonal(matrix)
    apart = crossing(matrix, at)
    # Every pair of ratings is in the pooled matrix twice, once in each order.
    return DisputedBoundary(
        at_least=panel.scale[at],
        kappa=panel.at_least(at).mean("none").kappa.value,
        disagreements=apart // 2,
        share=apart / differing if differing else None,
    )


def _off_diagonal(matrix: Matrix) -> int:
    return sum(map(sum, matrix)) - sum(matrix[at][at] for at in range(len(matrix)))


def _confused(matrix: Matrix, scale: tuple[int, ...]) -> tuple[ConfusedGrades, ...]:
    """Which two grades raters give to the same item, the commonest first."""
    total = _off_diagonal(matrix) // 2
    found = [
        ConfusedGrades(grades=(scale[i], scale[j]), disagreements=count, share=count / total)
        for i, j in combinations(range(len(scale)), 2)
        if (count := matrix[i][j])
    ]
    return tuple(sorted(found, key=lambda one: (-one.disagreements, one.grades)))


def _agreement_in(panel: RatingMatrix, names: Sequence[Sequence[str]]) -> tuple[AgreementIn, ...]:
    """Agreement on the items of each name, the lowest first; `names` holds those of each item."""
    pairs, agreeing = panel.comparisons()
    rows: dict[str, list[int]] = defaultdict(list)
    for at, of_item in enumerate(names):
        for name in dict.fromkeys(of_item if pairs[at] else ()):
            rows[name].append(at)
    found = [
        AgreementIn(
            name=name,
            n=len(rows[name]),
            disputed=int((pairs > agreeing)[rows[name]].sum()),
            agreement=float(agreeing[rows[name]].sum() / pairs[rows[name]].sum()),
        )
        for name in rows
    ]
    return tuple(sorted(found, key=lambda one: (one.agreement, one.name)))


def _disputed(
    panel: RatingMatrix, ratings: Sequence[Rating], about: Mapping[str, Example], queries: Mapping[str, str]
) -> list[Dispute]:
    """The items on which raters differ, widest apart first."""
    pairs, agreeing = panel.comparisons()
    reasons: dict[str, dict[str, str]] = defaultdict(dict)
    for rating in ratings:
        if rating.reasoning:
            reasons[rating.item][rating.rater] = rating.reasoning
    found = [
        Dispute(
            item=item,
            query=queries.get(item),
            title=about[item].result.title if item in about else None,
            grades=panel.ratings_of(at),
            reasons=reasons.get(item, {}),
        )
        for at, item in enumerate(panel.items)
        if pairs[at] > agreeing[at]
    ]
    return sorted(found, key=lambda dispute: (-_spread(dispute), dispute.item))


def _spread(dispute: Dispute) -> int:
    return max(dispute.grades.values()) - min(dispute.grades.values())
