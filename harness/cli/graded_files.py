"""A grader's file against a golden file: what `harness gate2 --golden FILE --grades FILE` scores.

`golden_table`, `grades_table`, `read_golden` and `judge` are what every command reads such files by.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from harness.cli.options import bar_of, layout, project_at
from harness.cli.rated import examples_of, grade_names, ratings_in, refuse, scale_of, whence_of

if TYPE_CHECKING:
    from harness.golden.grade_tables import GradedRow
    from harness.nouns.pair import Rating
    from harness.nouns.policy import Gates, Policy
    from harness.score.items import Judged
    from harness.score.settings import Raters
    from harness.scorecards.gate1 import Gate1
    from harness.scorecards.gate2 import Gate2
    from harness.storage.tables import Layout

    Levels = tuple[tuple[int, ...], Policy | None, Gates]
    Beside = tuple[Gate1 | None, Raters | None, list[str]]


class Golden(NamedTuple):
    """A file of golden grades, read; `stale` counts those of another version than the policy's."""

    name: str
    rows: "Mapping[str, GradedRow]"
    stale: int


def golden_table(how: Mapping[str, str | None]) -> "Layout":
    """How the golden file is read; `how` holds the options that say it, by name."""
    return layout(how["columns"], None, how["format"])


def grades_table(how: Mapping[str, str | None]) -> "Layout":
    """How a grader's file is read: as the golden file, where nothing else is said of it."""
    return layout(how["grades-columns"] or how["columns"], how["wide"], how["grades-format"] or how["format"])


def read_golden(path: Path, table: "Layout", levels: "Levels") -> Golden:
    """The golden grades, as judged under the policy's version where the file says which is which."""
    from harness.golden.grade_tables import read_golden_grades

    scale, policy, _ = levels
    version = policy.version if policy else None
    rows = read_golden_grades(path, table, scale, version)
    stale = sum(row.policy_version not in (None, version) for row in rows.values()) if policy else 0
    return Golden(path.name, rows, stale)


def judge(
    golden: Golden, grades: "Mapping[str, GradedRow]", name: str
) -> "tuple[list[Judged], tuple[str, ...]]":
    """Each golden item with a grader's grade, and what to know of the items."""
    from harness.score.items import judged_files

    items, strangers = judged_files(golden.rows, grades)
    what = f"items of {name} have no golden grade in {golden.name}, or are shots there"
    return items, (f"{len(strangers)} {what}",) if strangers else ()


class Files(NamedTuple):
    """A file of golden grades, one of a grader's, and perhaps one of raters', each with its layout."""

    golden: "tuple[Path, Layout]"
    grades: "tuple[Path, Layout]"
    ratings: "tuple[Path, Layout] | None"
    rater: str | None
    root: Path | None

    @property
    def names(self) -> tuple[str, str]:
        """Who is graded, and by what: how the score is headed."""
        return self.rater or self.grades[0].name, self.golden[0].name


def files_of(
    golden: Path, grades: Path, ratings: Path | None, root: Path | None, how: Mapping[str, str | None]
) -> Files:
    """The files with their layouts; `how` holds the options that say how to read them, by name.

    What is not said of the grades or the ratings is as with the golden file, and one file is read one way.
    """
    table = grades_table(how)
    own = {name: how[name] for name in ("ratings-columns", "ratings-wide", "ratings-format")}
    if ratings is None:
        refuse(own, "name one with --ratings")
    said = any(value is not None for value in own.values())
    beside = layout(own["ratings-columns"] or how["columns"], own["ratings-wide"], own["ratings-format"])
    return Files(
        golden=(golden, golden_table(how)),
        grades=(grades, table),
        ratings=(ratings, table if ratings == grades and not said else beside) if ratings else None,
        rater=how["rater"],
        root=root,
    )


def score_files(
    files: Files,
    policy: str | None,
    scale: str | None,
    weighting: str | None,
    bar: float | None,
    bootstrap: bool,
) -> "Gate2":
    """A file of grades against a file of golden grades, judged."""
    from harness.golden.grade_tables import read_grades
    from harness.score.bar import Bar
    from harness.score.gate2 import score_gate2
    from harness.score.settings import Terms
    from harness.verdicts.gates import judge_gate2

    levels = grades_there, known, gates = scale_of(policy, scale, files.root)
    golden = read_golden(*files.golden, levels)
    grades = read_grades(*files.grades, grades_there, files.rater)
    items, warnings = judge(golden, grades, files.grades[0].name)
    # A file of one rater's grades names the grader, whether or not --rater does.
    grader = next((row.rater for row in grades.values()), None)
    gate1, raters, more = _raters_beside(files, grader, golden.rows, levels)
    terms = Terms(
        scale=grades_there,
        bar=bar_of(weighting, bar, Bar(gates.weighting, gates.gate2.bar), whence_of(known)),
        gates=gates,
        action_of=known.action_of if known else None,
        clause_ids=known.clause_ids if known else None,
        bootstrap=bootstrap,
    )
    score = score_gate2(items, terms, raters, (*warnings, *more))
    return judge_gate2(score, gates, gate1, _stale(golden, known))


def _stale(golden: Golden, policy: "Policy | None") -> str | None:
    """Grades of another policy version are no golden grades of this one."""
    if policy is None or not golden.stale:
        return None
    of = f"{golden.stale} of {len(golden.rows)} golden grades in {golden.name}"
    return f"{of} are of another version, and {policy.label} has none of those"


def _raters_beside(
    files: Files, grader: str | None, golden: "Mapping[str, GradedRow]", levels: "Levels"
) -> "Beside":
    """Gate 1 on the ratings, and the raters; without the one who is graded here. And what to know of them.

    A grader's own ratings say nothing about whether people find the policy clear.
    """
    from harness.score.bar import Bar
    from harness.score.gate1 import score_gate1
    from harness.score.rating_matrix import panel_of
    from harness.score.settings import Raters
    from harness.verdicts.gates import judge_gate1

    scale, policy, gates = levels
    read = _ratings_of(files, golden, levels)
    if read is None:
        return None, None, []
    found, kinds = read
    others = [rating for rating in found if rating.rater != grader]
    warnings = []
    if len(others) < len(found):
        warnings.append(
            f"{grader} is one of the raters: where the golden grades were made with these ratings too, "
            "agreement looks better than it is"
        )
    if len({rating.rater for rating in others}) < 2:
        return None, None, [*warnings, "fewer than two raters are left: no Gate 1, and no human ceiling"]
    bar = Bar(gates.weighting, gates.gate1.bar)
    gate1 = judge_gate1(score_gate1(others, scale, bar, kinds), grade_names(policy))
    return gate1, Raters(panel_of(others, scale), gate1.provisional), warnings


def _ratings_of(
    files: Files, golden: "Mapping[str, GradedRow]", levels: "Levels"
) -> "tuple[list[Rating], Mapping[str, str] | None] | None":
    """The ratings that were named; else the policy's own, where the golden file is the policy's own."""
    from harness.golden.examples import FILE
    from harness.golden.rating.ratings import rater_kinds, ratings_under
    from harness.runs.folder import RATERS, RATINGS

    scale, policy, _ = levels
    if files.ratings is not None:
        return ratings_in(*files.ratings, scale, golden)
    if policy is None:
        return None
    project = project_at(files.root)
    folder = project.golden / policy.name
    if files.golden[0].resolve() != folder / FILE or not (folder / RATINGS).exists():
        return None
    # As with a run: where nobody has rated under this version yet, Gate 1 was never measured.
    found = ratings_under(folder / RATINGS, policy, list(examples_of(project, policy).values()))
    return (found, rater_kinds(folder / RATERS)) if found else None
