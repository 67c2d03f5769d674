"""Gate 1: do the raters agree?"""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping, Sequence
from itertools import combinations
from typing import Any

from harness.nouns.pair import Example, Rating, Unrated
from harness.nouns.policy import Gates
from harness.score.bias import biases
from harness.score.copies import copies, nearly_copies
from harness.score.few import few_names
from harness.score.gate1_warnings import mostly_hard, named_items, warned_of_names, warned_of_pairs
from harness.score.items import naming
from harness.score.rater_pairs import RaterPairs, rater_pairs
from harness.score.rating_matrix import (
    RatingMatrix,
    rating_matrix_of,
    readings,
    rows_by_name,
)
from harness.score.self_agreement import self_agreement
from harness.score.threshold import WEIGHTINGS, Threshold, gate_fields
from harness.scorecards.gate1 import (
    AgreementIn,
    Alpha,
    ConfusedGrades,
    CouldNotRate,
    DisputedBoundary,
    DisputedItem,
    Gate1,
    PairAgreement,
)
from harness.scorecards.shared import Confusion
from harness.stats.agreement import Matrix, crossing
from harness.stats.raters import Metric, coefficients, krippendorff_alpha

METRICS: tuple[Metric, ...] = ("nominal", "ordinal", "interval")


def score_gate1(
    ratings: Sequence[Rating],
    scale: tuple[int, ...],
    bar: Threshold,
    kinds: Mapping[str, str] | None = None,
    about: Mapping[str, Example] | None = None,
    *,
    unrated: Sequence[Unrated] = (),
    pair_floor: float = Gates().gate1.pair_floor,
    bootstrap: bool = False,
) -> Gate1:
    """Agreement among raters: the mean of the pairwise kappas, over the items that two raters share.

    `kinds` says of each rater whether it is "human" or "llm"; None if that is unknown. `about` holds
    the golden examples by id, where the items are some: their tags, clauses and titles. `unrated`: what
    raters could not grade; it is counted, and is not a grade.
    """
    first, again = readings(ratings)
    panel = rating_matrix_of(first, scale)
    pairs = rater_pairs(panel, bar.weighting)
    cannot = _cannot(unrated, first)
    queries = {rating.item: rating.query for rating in ratings if rating.query}
    return Gate1(
        **gate_fields(pairs.means, bar, len(set(panel.queries))),
        bootstrap=panel.bootstrap(bar.weighting) if bootstrap else None,
        warnings=(
            *warned_of_pairs(panel, pairs, bar, pair_floor),
            *mostly_hard(cannot["cannot_by_rater"], first),
            *warned_of_names(panel, queries),
        ),
        **_doubts(panel, pairs, kinds),
        n_items=len(panel.items),
        naming=naming(named_items(panel, queries), len(panel.items)),
        raters=panel.raters,
        pairs=tuple(_agreements(panel, pairs, bar)),
        **_beside(panel),
        rater_bias=biases(panel, pairs),
        self_agreement=self_agreement(again, scale, bar.weighting),
        **cannot,
        **_confusions(panel, pairs, scale),
        **_parts(panel, about or {}, queries),
        disputed=tuple(_disputed(panel, first, about or {}, queries)),
    )


def _cannot(unrated: Sequence[Unrated], first_grades: Sequence[Rating]) -> dict[str, Any]:
    """What could not be graded at a rater's first reading of an item, by cause and by rater."""
    graded = {(one.item, one.rater): one.repeat for one in first_grades} if unrated else {}
    first: dict[tuple[str, str], Unrated] = {}
    for one in sorted(unrated, key=lambda one: one.repeat):
        if one.repeat < graded.get((one.item, one.rater), one.repeat + 1):
            first.setdefault((one.item, one.rater), one)
    by_rater: dict[str, Counter[str]] = defaultdict(Counter)
    for one in first.values():
        by_rater[one.rater][one.cannot] += 1
    every = sum(by_rater.values(), Counter[str]())
    return {
        "cannot": dict(sorted(every.items())),
        "cannot_by_rater": tuple(
            CouldNotRate(rater=rater, n=causes.total(), causes=dict(sorted(causes.items())))
            for rater, causes in sorted(by_rater.items(), key=lambda one: (-one[1].total(), one[0]))
        ),
    }


def _doubts(panel: RatingMatrix, pairs: RaterPairs, kinds: Mapping[str, str] | None) -> dict[str, str | None]:
    """Why these ratings are not evidence, or not of people; None for what nothing speaks for."""
    copied, alike = copies(panel.raters, pairs), None
    if copied is None:
        compared, agreeing = panel.comparisons()
        items, differing = int((compared > 0).sum()), int((compared > agreeing).sum())
        alike = nearly_copies(panel.raters, pairs, items, differing)
    kind = _provisional(panel.raters, kinds) if kinds is not None else None
    provisional = "; ".join(filter(None, (kind, alike))) or None
    return {"copies": copied, "alike": alike, "provisional": provisional}


def _confusions(panel: RatingMatrix, pairs: RaterPairs, scale: tuple[int, ...]) -> dict[str, Any]:
    """Which grades raters take for each other."""
    return {
        "confusion": Confusion(labels=scale, matrix=pairs.matrix),
        "boundaries": tuple(_boundary(panel, pairs, at) for at in range(1, len(scale))),
        "confused": _confused(pairs.matrix, scale),
    }


def _parts(
    panel: RatingMatrix, about: Mapping[str, Example], queries: Mapping[str, str]
) -> dict[str, tuple[AgreementIn, ...]]:
    """Agreement by query, tag and clause, as far as the items have them."""
    known = [about.get(item) for item in panel.items]
    asked = [(key, queries.get(item, "")) for item, key in zip(panel.items, panel.queries, strict=True)]
    # By a spelling that people can find, the same in whatever order the items come.
    spelt = {key: query for key, query in sorted(asked, reverse=True) if query}
    named = [[spelt[key]] if query else [] for key, query in asked]
    return {
        "per_query": _agreement_in(panel, named),
        "per_tag": _agreement_in(panel, [one.tags if one else () for one in known]),
        "per_clause": _agreement_in(panel, [one.clauses if one else () for one in known]),
    }


def _provisional(raters: Sequence[str], kinds: Mapping[str, str]) -> str | None:
    """Why this is not an answer about people, where it is none."""
    machines = [rater for rater in raters if kinds.get(rater) == "llm"]
    unknown = [rater for rater in raters if rater not in kinds]
    if machines:
        return f"{few_names(machines)} rated as language models: this says nothing yet about people"
    are = "is" if len(unknown) == 1 else "are"
    return f"raters.toml does not say what {few_names(unknown)} {are}" if unknown else None


def _agreements(panel: RatingMatrix, pairs: RaterPairs, bar: Threshold) -> Iterator[PairAgreement]:
    values = {name: pairs.kappas[weighting].values() for weighting, name in WEIGHTINGS.items()}
    reasons, counted = pairs.kappas[bar.weighting].reasons, pairs.counted.tolist()
    for at, (one, other) in enumerate(pairs.pairs):
        yield PairAgreement(
            raters=(panel.raters[one], panel.raters[other]),
            n=pairs.n[at],
            **{name: found[at] for name, found in values.items()},
            ci=pairs.spreads[at].ci,
            counted=counted[at],
            reason=reasons[at] or pairs.spreads[at].reason,
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


def _boundary(panel: RatingMatrix, pairs: RaterPairs, at: int) -> DisputedBoundary:
    differing = _off_diagonal(pairs.matrix)
    apart = crossing(pairs.matrix, at)
    # Every pair of ratings is in the pooled matrix twice, once in each order.
    return DisputedBoundary(
        at_least=panel.scale[at],
        kappa=pairs.boundaries[at - 1].value,
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
    found = [
        AgreementIn(
            name=name,
            n=len(rows),
            disputed=int((pairs > agreeing)[rows].sum()),
            agreement=float(agreeing[rows].sum() / pairs[rows].sum()),
        )
        for name, rows in rows_by_name(
            [of_item if paired else () for of_item, paired in zip(names, pairs, strict=True)]
        ).items()
    ]
    return tuple(sorted(found, key=lambda one: (one.agreement, one.name)))


def _disputed(
    panel: RatingMatrix, ratings: Sequence[Rating], about: Mapping[str, Example], queries: Mapping[str, str]
) -> list[DisputedItem]:
    """The items on which raters differ, widest apart first."""
    pairs, agreeing = panel.comparisons()
    reasons: dict[str, dict[str, str]] = defaultdict(dict)
    for rating in ratings:
        if rating.reasoning:
            reasons[rating.item][rating.rater] = rating.reasoning
    found = [
        DisputedItem(
            item=item,
            query=queries.get(item),
            title=about[item].result.title if item in about else None,
            grades=panel.ratings_of(at),
            reasons=reasons.get(item, {}),
        )
        for at, item in enumerate(panel.items)
        if pairs[at] > agreeing[at]
    ]
    return sorted(found, key=lambda one: (min(one.grades.values()) - max(one.grades.values()), one.item))
