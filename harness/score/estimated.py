"""What was estimated, in the units of its figure: from a mean on [0, 1] to a line of the scorecard."""

import math
from typing import NamedTuple

from harness.nouns.base import Interval
from harness.score.production_rows import Figure
from harness.scorecards.estimate import EstimatedFigure, HumanOnly, Labels, Over, StratumAgainstRest
from harness.stats.intervals import Tested
from harness.stats.prediction_powered import Powered


class Counts(NamedTuple):
    """How many rows, or queries of a ranking, have a human grade, and how many have none."""

    labelled: int
    unlabelled: int


def figure_line(
    figure: Figure,
    over: Over,
    counts: Counts,
    found: Powered,
    *,
    stratum: str | None = None,
    coverage: float = 1,
) -> EstimatedFigure:
    """An estimate on [0, 1] in the figure's own units; `coverage`: the share that the teacher graded."""
    width, human = figure.high - figure.low, found.human
    return EstimatedFigure(
        name=figure.name,
        words=figure.words,
        over=over,
        stratum=stratum,
        value=placed(found.value, figure),
        ci=_interval(found.ci, figure),
        se=times(found.se, width),
        lam=found.lam,
        teacher_only=placed(found.teacher_only, figure),
        human_only=HumanOnly(
            value=placed(human.value, figure), ci=_interval(human.ci, figure), se=times(human.se, width)
        ),
        n_labelled=counts.labelled,
        n_unlabelled=counts.unlabelled,
        clusters_labelled=found.clusters_labelled,
        clusters_unlabelled=found.clusters_unlabelled,
        worst_case=_worst_case(found.ci, coverage, figure),
        saved=_labels(found.saved, counts, found),
        to_halve=_labels(found.more, counts, found),
        reason=found.reason,
    )


def placed(value: float | None, figure: Figure) -> float | None:
    """A mean on [0, 1] in the figure's units."""
    return None if value is None else figure.low + (figure.high - figure.low) * value


def times(value: float | None, width: float) -> float | None:
    """An error or a difference in the figure's units."""
    return None if value is None else value * width


def against(found: Tested, figure: Figure, p_holm: float | None = None) -> StratumAgainstRest:
    """A difference in the figure's units."""
    width = figure.high - figure.low
    return StratumAgainstRest(
        difference=times(found.value, width),
        ci=Interval(found.ci.low * width, found.ci.high * width) if found.ci else None,
        p=found.p,
        p_holm=p_holm,
        reason=found.reason,
    )


def _interval(ci: Interval | None, figure: Figure) -> Interval | None:
    if ci is None:
        return None
    width = figure.high - figure.low
    return Interval(figure.low + width * ci.low, figure.low + width * ci.high)


def _worst_case(ci: Interval | None, coverage: float, figure: Figure) -> Interval | None:
    """The interval if every row that the teacher could not grade were the worst, to the best, of all."""
    if ci is None or coverage == 1:
        return None
    return _interval(Interval(ci.low * coverage, ci.high * coverage + 1 - coverage), figure)


def _labels(multiple: float | None, counts: Counts, found: Powered) -> Labels | None:
    if multiple is None:
        return None
    items, queries = (
        math.ceil(round(multiple * one, 6)) for one in (counts.labelled, found.clusters_labelled)
    )
    return Labels(items=items, queries=queries)
