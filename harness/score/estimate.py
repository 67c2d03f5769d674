"""How good production is: every figure of a label set, corrected by human grades."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from harness.errors import BadInput
from harness.nouns.policy import UNDECIDED, Policy
from harness.score.estimated import Counts, against, figure_line, placed
from harness.score.heavy_queries import heaviest_unrated, with_intervals_that_hold
from harness.score.production_rows import (
    Cells,
    Figure,
    Mask,
    ProductionRows,
    both_good,
    cells_of,
    figures_of,
    row_weights,
    strata_of,
)
from harness.score.rankings import ranked
from harness.scorecards.estimate import EstimatedFigure, Estimates, Over, RatingsUsed, RoganGladenScore, Worst
from harness.stats.agreement import Floats, Integers
from harness.stats.cluster_sums import ClusterSums
from harness.stats.intervals import Tested
from harness.stats.paired import holm_against_rest
from harness.stats.prediction_powered import Powered, powered_mean
from harness.stats.rogan_gladen import rogan_gladen
from harness.stats.stratified import LEAST, Strata, difference, stratified_mean
from harness.storage.plural import plural

NO_HUMAN = (
    "no row has both a human grade and a grade of the teacher: draw a sample with `harness sample LABELS`, "
    "and have it rated"
)
ONE_QUERY = (
    "all rows with a human grade are of one query, which says nothing of the others: have rows of other "
    "queries rated too"
)
UNEVEN = (
    "rows were drawn with different probabilities: the human grades are weighted for it, but the rows that "
    "have none no longer represent production, which matters if a large part was rated; if whole queries "
    "were drawn, each in one stratum, estimate with --by and the strata of the sample"
)
CONSTANT = "the teacher gives every row the same grade: it cannot help, and the human grades alone count"


@dataclass(frozen=True, slots=True)
class EstimateRequest:
    """What to estimate. `by`: some of stratum, action, grade; none takes strata where the rows have some."""

    over: Over = "items"
    by: tuple[str, ...] = ()
    at_least: int | None = None
    k: int = 5


class About(NamedTuple):
    """What the labels are, and whose ratings were used: for the head of a report."""

    labels: str
    ratings: RatingsUsed | None = None
    unproven: bool = False
    warnings: tuple[str, ...] = ()


def estimate(rows: ProductionRows, policy: Policy | None, wanted: EstimateRequest, about: About) -> Estimates:
    """Every figure over production, per stratum too. BadInput for what cannot be estimated."""
    refuse_unfit(rows)
    by = wanted.by or (("stratum",) if rows.strata else ())
    figures = figures_of(rows.scale, policy, wanted.at_least)
    parts = _Parts.of(rows, wanted.over, _strata(rows, by, policy))
    per_stratum = [one for figure in figures for one in parts.by_stratum(figure)]
    ratings = about.ratings and about.ratings.model_copy(update=_edges(parts, figures[0]))
    return Estimates(
        labels=about.labels,
        policy=policy.label if policy else None,
        over=wanted.over,
        by=",".join(by) if parts.strata else None,
        weighted=bool(rows.weight.min() < rows.weight.max()),
        n=len(rows),
        n_queries=len(set(rows.queries.tolist())),
        coverage=rows.coverage,
        unread=int((~rows.read).sum()),
        shots=rows.shots,
        unproven=about.unproven,
        ratings=ratings,
        estimates=(*map(parts.whole_of, figures), *_rankings(rows, figures, wanted), *per_stratum),
        worst=_worst(figures[0].name, per_stratum),
        warnings=(*about.warnings, *_undecided(policy), *_warnings(rows), *parts.warnings),
    )


def refuse_unfit(rows: ProductionRows) -> None:
    """BadInput for rows that allow no estimate."""
    labelled = rows.labelled
    if not labelled.any():
        raise BadInput(NO_HUMAN)
    if len(set(rows.queries[labelled].tolist())) < 2:
        raise BadInput(ONE_QUERY)


def _undecided(policy: Policy | None) -> Iterator[str]:
    if policy is not None and policy.decided_actions is None:
        yield f"{policy.label} {UNDECIDED}"


def _warnings(rows: ProductionRows) -> Iterator[str]:
    grades = rows.teacher[rows.read]
    if grades.min() == grades.max():
        yield CONSTANT
    if rows.read.all():
        return
    unread = int((~rows.read).sum())
    has = "has" if unread == 1 else "have"
    yield (
        f"{unread:,} of {plural(len(rows), 'row')} {has} no grade of the teacher: "
        "the estimate is over the others, and worst_case has what the rest could change"
    )


def _strata(rows: ProductionRows, by: Sequence[str], policy: Policy | None) -> Mapping[str, Mask]:
    if not by:
        return {}
    if "stratum" in by and not rows.strata:
        raise BadInput("--by stratum: the rows have no strata; a column `stratum` names them")
    if "action" in by and policy is None:
        raise BadInput("--by action: without a policy no grade has an action; name one with --policy")
    if "action" in by and policy is not None and policy.decided_actions is None:
        raise BadInput(f"--by action: {policy.label} {UNDECIDED}")
    return strata_of(rows, by, policy)


@dataclass(frozen=True)
class _Parts:
    """The cells of all rows, of each stratum, and of what is left without it."""

    rows: ProductionRows
    over: Over
    masks: Mapping[str, Mask]
    whole: Cells
    strata: Mapping[str, Cells]
    rest: Mapping[str, Cells]
    weights: Floats
    """The weights of strata in production, for figures by query."""
    heaviest: float
    """The largest share of the weight of a query without a human grade."""
    heavy: Mapping[str, float]
    """That in each stratum."""

    @classmethod
    def of(cls, rows: ProductionRows, over: Over, masks: Mapping[str, Mask]) -> "_Parts":
        return cls(
            heaviest=heaviest_unrated(rows, over),
            heavy={name: heaviest_unrated(rows, over, mask) for name, mask in masks.items()},
            rows=rows,
            over=over,
            masks=masks,
            whole=cells_of(rows),
            strata={name: cells_of(rows, mask) for name, mask in masks.items()},
            rest={name: cells_of(rows, ~mask) for name, mask in masks.items()},
            weights=np.array([row_weights(rows, over, mask) for mask in masks.values()]),
        )

    def by_grades(self, human: Integers) -> "_Parts":
        """The same parts with other human grades."""
        return self.of(replace(self.rows, human=human), self.over, self.masks)

    def pieces(self, figure: Figure) -> Strata:
        return Strata([cells.sums(figure.values, self.over) for cells in self.strata.values()], self.weights)

    @property
    def unfit(self) -> str | None:
        """Why the strata do not make up the whole; None if they do."""
        if len(self.strata) < 2:
            return "no strata"
        thin = [name for name, cells in self.strata.items() if int((cells.counts > 0).sum()) < LEAST]
        if thin:
            return f"under {LEAST} rated queries in {', '.join(thin)}"
        cut = ((self.weights > 0).sum(axis=0) > 1).any()
        return "a query lies in several strata" if cut and self.over == "queries" else None

    @property
    def warnings(self) -> Iterator[str]:
        if len(self.strata) > 1 and self.unfit is not None:
            yield f"{self.unfit}: the whole is estimated without strata"
        if self.rows.pi is not None and self.unfit is not None:
            yield UNEVEN

    def powered(self, figure: Figure) -> Powered:
        """A figure over all of production: by strata where each of them can be estimated."""
        sums = self.whole.sums(figure.values, self.over)
        found = powered_mean(sums) if self.unfit else stratified_mean(self.pieces(figure), sums)
        return with_intervals_that_hold(found, self.heaviest)

    def whole_of(self, figure: Figure) -> EstimatedFigure:
        """A figure over all of production."""
        sums, found = self.whole.sums(figure.values, self.over), self.powered(figure)
        line = figure_line(figure, self.over, _counts(self.whole), found, coverage=self.rows.coverage)
        return line.model_copy(update={"rogan_gladen": _cross_check(self.rows, figure, self.over, sums)})

    def by_stratum(self, figure: Figure) -> list[EstimatedFigure]:
        """A figure in each stratum, and against the rest; p by Holm over three or more strata."""
        shares = self.weights.sum(axis=1) / self.weights.sum() if self.strata else ()
        lines, tested = [], []
        for (name, cells), share in zip(self.strata.items(), shares, strict=True):
            sums, rest = (one.sums(figure.values, self.over) for one in (cells, self.rest[name]))
            found = with_intervals_that_hold(powered_mean(sums), self.heavy[name])
            line = figure_line(figure, self.over, _counts(cells), found, stratum=name)
            lines.append(line.model_copy(update={"share": float(share)}))
            tested.append(difference(rest, sums) if len(self.strata) > 1 else Tested(None))
        adjusted = holm_against_rest([one.p for one in tested])
        return [
            line.model_copy(update={"against_rest": against(one, figure, p)})
            for line, one, p in zip(lines, tested, adjusted, strict=True)
        ]


def _counts(cells: Cells) -> Counts:
    return Counts(cells.n_labelled, cells.n_unlabelled)


def _cross_check(
    rows: ProductionRows, figure: Figure, over: Over, sums: ClusterSums
) -> RoganGladenScore | None:
    """Rogan and Gladen's share, for shares over items."""
    if over != "items" or not figure.binary:
        return None
    found = rogan_gladen(sums, both_good(rows, figure.values))
    return RoganGladenScore.model_validate(found, from_attributes=True)


def _edges(parts: _Parts, figure: Figure) -> dict[str, float | None]:
    """The main figure, made in the same way, if of several raters' grades the lowest, or highest, counted."""
    low, high = (
        parts.by_grades(human).powered(figure).value for human in (parts.rows.lowest, parts.rows.highest)
    )
    return {"lowest": placed(low, figure), "highest": placed(high, figure)}


def _rankings(
    rows: ProductionRows, figures: Sequence[Figure], wanted: EstimateRequest
) -> Iterator[EstimatedFigure]:
    """P@k and NDCG@k, where positions are known; the main share says what is good."""
    if rows.position is None:
        return
    main = figures[0]
    gains = figures_of(rows.scale, None, None)[-1]
    for kind, figure, words in (
        ("p", main, f"precision of the first {wanted.k}: {main.words}"),
        ("ndcg", gains, f"NDCG of the first {wanted.k}: a grade's gain is the grade itself"),
    ):
        found = ranked(rows, figure.values, wanted.k, kind)
        named = Figure(f"{kind}@{wanted.k}", words, figure.values)
        counts = Counts(found.n_labelled, found.n_unlabelled)
        line = figure_line(named, "queries", counts, found.mean())
        yield line.model_copy(update={"cannot_tell": found.cannot_tell})


def _worst(name: str, per_stratum: Sequence[EstimatedFigure]) -> Worst | None:
    """The stratum with the lowest main figure."""
    known = [(one.value, one) for one in per_stratum if one.name == name and one.value is not None]
    if len(known) < 2:
        return None
    value, lowest = min(known, key=lambda one: one[0])
    rest = lowest.against_rest
    assert rest is not None and lowest.stratum is not None, "strata are compared with the rest"
    return Worst(
        name=name,
        stratum=lowest.stratum,
        value=value,
        difference=rest.difference,
        ci=rest.ci,
        p_holm=rest.p_holm,
        reason=rest.reason,
    )
