"""The gates on arrays and data frames, for notebooks: `from harness import gate1, gate2, compare`.

Grades are arrays, lists, series or data frames; None and NaN are missing. Data with an index are matched by
it, others by position. The scale is declared, never inferred from the grades. Results print as the tables of
the command line, in a notebook too.
"""

from collections.abc import Collection, Iterable
from numbers import Real
from pathlib import Path
from typing import Any, Literal

from rich.console import RenderableType

from harness.comparison.graded_files import side_of_file
from harness.comparison.paired import compare_items, compare_sides
from harness.errors import BadInput
from harness.golden.graded_files import GradesFile, Levels, read_golden
from harness.golden.rating.files import of_known, rated_in
from harness.golden.rating.ratings import Rated
from harness.notebook.shown import Shown
from harness.nouns.base import Weighting
from harness.nouns.policy import Gate1Bar, Gate2Bar, Gates
from harness.report.comparison import comparison_view
from harness.report.gate1 import gate1_view
from harness.report.sections import details_view, gate2_view
from harness.score.arrays import Scale, items_from, levels_of, ratings_from
from harness.score.settings import ScoreSettings, gate2_bar
from harness.score.shapes import shown
from harness.score.threshold import WEIGHTINGS
from harness.scorecards.comparison import Comparison
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2
from harness.storage.tables import Layout, parse_columns, parse_labels
from harness.verdicts.assessment import judge_items
from harness.verdicts.graded_files import judge_files
from harness.verdicts.raters import judge_raters


class Gate1Result(Shown, Gate1):
    """Gate 1 that prints as its table."""

    _view = gate1_view


class Gate2Result(Shown, Gate2):
    """Gate 2 that prints as its table."""

    def _view(self) -> Iterable[RenderableType]:
        yield from gate2_view(self, "the grader", "the golden grades")
        yield from details_view(self, 0)


class ComparisonResult(Shown, Comparison):
    """A comparison that prints as its table."""

    _view = comparison_view


def gate1(
    ratings: Any,
    *,
    scale: Scale,
    queries: Any = None,
    weighting: Weighting = "none",
    bar: float = 0.8,
    bootstrap: bool = False,
) -> Gate1Result:
    """Gate 1: do the raters agree? `ratings` is items x raters, or a frame of item, rater, grade[, query].

    Columns of a data frame name the raters, its index the items. `queries` has one entry an item, by the
    index where both have one; without it every item is a query of its own. BadInput for grades off the scale,
    for one rater alone, for a missing item or rater, and for indexes that name different items.
    """
    levels = levels_of(scale)
    found = ratings_from(ratings, levels, queries)
    score = judge_raters(Rated(found), levels, _gates(weighting, bar), bootstrap=bootstrap)
    return Gate1Result(**dict(score))


def gate2(
    golden: Any,
    grades: Any,
    *,
    scale: Scale,
    queries: Any = None,
    ratings: Any = None,
    weighting: Weighting = "none",
    bar: float = 0.8,
    coverage_floor: float = 0.99,
    aggregate: Literal["mean", "vote"] = "mean",
    bootstrap: bool = False,
) -> Gate2Result:
    """Gate 2: does a grader agree with golden grades? `grades` is n, or n x repeats; missing is unreadable.

    Series and data frames are matched by their index, plain arrays by position. `ratings`, by people and not
    by the grader, are as `gate1` takes them. They add Gate 1, the human ceiling, and the diagnosis of each
    miss. BadInput for indexes that name different items, or an item twice.
    """
    levels, gates = levels_of(scale), _gates(weighting, bar, coverage_floor)
    refuse_other("aggregate", aggregate, ("mean", "vote"))
    named, known, (items,) = items_from({"golden": golden, "grades": grades, "queries": queries}, levels)
    rated = None
    if ratings is not None:
        found = Rated(ratings_from(ratings, levels, items=known, named=named))
        rated = of_known(found, known, Path("ratings"), "what is graded")
    settings = ScoreSettings(levels, gate2_bar(gates), gates, aggregate=aggregate, bootstrap=bootstrap)
    warnings = rated.warnings if rated else ()
    return Gate2Result(**dict(judge_items(items, settings, rated, warnings=warnings)[1]))


def compare(
    golden: Any,
    base: Any,
    candidate: Any,
    *,
    scale: Scale,
    queries: Any = None,
    weighting: Weighting = "none",
) -> ComparisonResult:
    """What moved from one grader to another, on the items that both could be read on.

    Items are matched as in `gate2`.
    """
    levels = levels_of(scale)
    sides = {"golden": golden, "base": base, "candidate": candidate, "queries": queries}
    _, _, (one, other) = items_from(sides, levels)
    gated = _gates(weighting, 0.0).weighting
    found = compare_items(one, other, levels, ("base", "candidate"), gated)
    return ComparisonResult(**dict(found))


def gate2_files(
    golden: str | Path,
    grades: str | Path,
    *,
    scale: Scale,
    ratings: str | Path | None = None,
    columns: str | None = None,
    labels: str | None = None,
    encoding: str | None = None,
    rater: str | None = None,
    weighting: Weighting = "none",
    bar: float = 0.8,
    coverage_floor: float = 0.99,
    bootstrap: bool = False,
) -> Gate2Result:
    """`gate2` on files, as `harness gate2 --golden GOLDEN --grades GRADES` reads them.

    `columns` maps headers, as `item=query+docid,grade=label`; `labels` says what words mean, as
    `Exact=2,Partial=1`; `encoding` is that of tables that are not UTF-8. `rater` says whose grades, where a
    file holds several raters'.
    """
    levels = Levels(levels_of(scale), None, _gates(weighting, bar, coverage_floor))
    table = _layout(columns, labels, encoding)
    right = read_golden(Path(golden), table, levels)
    rated = rated_in(Path(ratings), table, levels.scale, right.rows) if ratings is not None else None
    file = GradesFile(Path(grades), table, rater)
    return Gate2Result(**dict(judge_files(right, file, levels, rated=rated, bootstrap=bootstrap)))


def compare_files(
    golden: str | Path,
    base: str | Path,
    candidate: str | Path,
    *,
    scale: Scale,
    columns: str | None = None,
    labels: str | None = None,
    encoding: str | None = None,
    raters: tuple[str | None, str | None] = (None, None),
    weighting: Weighting = "none",
) -> ComparisonResult:
    """`compare` on files, as `harness compare BASE CANDIDATE --golden GOLDEN` reads them.

    `columns`, `labels` and `encoding` as in `gate2_files`. `raters` says whose grades to take of the base and
    of the candidate, which may be one file.
    """
    levels = Levels(levels_of(scale), None, _gates(weighting, 0.0))
    table = _layout(columns, labels, encoding)
    right = read_golden(Path(golden), table, levels)
    one, other = (
        side_of_file(right, GradesFile(Path(path), table, rater), levels)
        for path, rater in zip((base, candidate), raters, strict=True)
    )
    return ComparisonResult(**dict(compare_sides(one, other)))


def _layout(columns: str | None, labels: str | None, encoding: str | None) -> Layout:
    return Layout(parse_columns(columns), labels=parse_labels(labels), encoding=encoding)


def _gates(weighting: Weighting, bar: float, coverage_floor: float = 0.99) -> Gates:
    """The same threshold for both gates. BadInput if it is not a kappa, or the floor not a share."""
    refuse_other("weighting", weighting, WEIGHTINGS)
    for name, value, least, what in (
        ("bar", bar, -1, "a kappa lies between -1 and 1"),
        ("coverage_floor", coverage_floor, 0, "a share lies between 0 and 1"),
    ):
        if isinstance(value, bool) or not isinstance(value, Real) or not least <= value <= 1:
            raise BadInput(f"{name} {shown(value)}: {what}")
    held = {"gate1": Gate1Bar(bar=float(bar)), "gate2": Gate2Bar(bar=float(bar))}
    return Gates(weighting=weighting, coverage_floor=float(coverage_floor), **held)


def refuse_other(name: str, value: Any, known: Collection[str]) -> None:
    """BadInput if an argument is not one of its possible values."""
    if not isinstance(value, str) or value not in known:
        raise BadInput(f"{name} {shown(value)} is not one of: {', '.join(known)}")
