"""Two label sets by the same ratings: what differs between the two, paired by query."""

from harness.nouns.policy import Policy
from harness.score.estimated import against, placed, times
from harness.score.production_rows import Cells, Figure, ProductionRows, cells_of, figures_of
from harness.scorecards.estimate import Over, TwoTeachers
from harness.stats.prediction_powered import powered_mean
from harness.stats.stratified import difference, teacher_difference


def compare_teachers(
    first: ProductionRows, second: ProductionRows, policy: Policy | None, over: Over, at_least: int | None
) -> tuple[TwoTeachers, ...]:
    """Each figure of the second label set minus that of the first, both corrected by the same ratings.

    For the same rows, the true value is the same, and the two estimates differ by chance alone; for different
    rows, such as the two sides of a test, it is the difference in quality.
    """
    sides = cells_of(first), cells_of(second)
    figures = figures_of(first.scale, policy, at_least)
    return tuple(_two(*sides, figure, over) for figure in figures)


def _two(first: Cells, second: Cells, figure: Figure, over: Over) -> TwoTeachers:
    sides = first.sums(figure.values, over), second.sums(figure.values, over)
    values = [placed(powered_mean(side).value, figure) for side in sides]
    tested = difference(*sides)
    found = against(tested, figure)
    return TwoTeachers(
        name=figure.name,
        over=over,
        first=values[0],
        second=values[1],
        difference=found.difference,
        ci=found.ci,
        se=times(tested.se, figure.high - figure.low),
        p=found.p,
        teachers=against(teacher_difference(*sides), figure),
        reason=found.reason,
    )
