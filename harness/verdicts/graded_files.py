"""Judge a grader's file against a file of golden grades."""

from harness.golden.grade_tables import read_grades
from harness.golden.graded_files import Golden, GradesFile, Levels
from harness.golden.rating.ratings import Rated, without_rater
from harness.score.items import items_of_files
from harness.score.settings import gate2_bar, settings_of
from harness.score.threshold import Threshold
from harness.scorecards.gate2 import Gate2
from harness.storage.visible import shown_name
from harness.verdicts.assessment import judge_items
from harness.verdicts.gates import UNMEASURED

NO_RATINGS = UNMEASURED.format(why="as no ratings were named (--ratings FILE)")
"""Why a file of grades is provisional: only its owner knows whether its raters are people."""


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
    items, warnings = items_of_files(golden, grades, shown_name(file.path))
    # If the file holds one rater's grades, that rater is the grader, named or not.
    grader = next((row.rater for row in grades.values()), None)
    others, more = without_rater(rated, grader)
    del grades  # long, and the items have what matters
    settings = settings_of(policy, scale, gates, bar or gate2_bar(gates), bootstrap=bootstrap)
    stale = golden.stale_under(policy)
    score = judge_items(items, settings, others, stale=stale, warnings=(*warnings, *more))[1]
    return score if rated else score.model_copy(update={"provisional": NO_RATINGS})
