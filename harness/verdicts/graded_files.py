"""Judge a grader's file against a file of golden grades."""

from dataclasses import replace

from harness.golden.grade_tables import read_grades
from harness.golden.graded_files import Golden, GradesFile, Levels
from harness.golden.rating.ratings import Rated
from harness.score.items import items_of_files
from harness.score.settings import gate2_bar, settings_of
from harness.score.threshold import Threshold
from harness.scorecards.gate2 import Gate2
from harness.verdicts.assessment import judge_items


def judge_files(
    golden: Golden,
    file: GradesFile,
    levels: Levels,
    bar: Threshold | None = None,
    *,
    rated: Rated | None = None,
    bootstrap: bool = False,
) -> Gate2:
    """Judge a file of grades against golden ones. `rated`: ratings of the same items, for Gate 1."""
    scale, policy, gates = levels
    grades = read_grades(file.path, file.table, scale, file.rater)
    items, warnings = items_of_files(golden, grades, file.path.name)
    # If the file holds one rater's grades, that rater is the grader, named or not.
    grader = next((row.rater for row in grades.values()), None)
    others, more = _without(rated, grader)
    del grades  # long, and the items have what matters
    settings = settings_of(policy, scale, gates, bar or gate2_bar(gates), bootstrap=bootstrap)
    stale = golden.stale_under(policy)
    return judge_items(items, settings, others, stale=stale, warnings=(*warnings, *more))[1]


def _without(rated: Rated | None, grader: str | None) -> tuple[Rated | None, list[str]]:
    """The ratings without the grader's own, and warnings.

    A grader's own ratings are no evidence that the policy is clear to people.
    """
    if rated is None:
        return None, []
    others = replace(rated, ratings=[rating for rating in rated.ratings if rating.rater != grader])
    warnings = [*rated.warnings]
    if len(others.ratings) < len(rated.ratings):
        warnings.append(
            f"{grader} is one of the raters: where the golden grades were made with these ratings too, "
            "agreement looks better than it is"
        )
    if len(others.raters) < 2:
        return None, [*warnings, "fewer than two raters are left: no Gate 1, and no human ceiling"]
    return others, warnings
