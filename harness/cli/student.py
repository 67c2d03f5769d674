"""`harness student`: training sets, a student of our own, and whether one may stand in for its teacher."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli import completion
from harness.cli.compared import BASELINE, for_each_rater, is_file, sides_of
from harness.cli.groups import Uniform
from harness.cli.options import (
    Json,
    Margin,
    Options,
    Root,
    Weighting,
    layout,
    option,
    project_at,
    weighting_of,
)
from harness.cli.output import end_with, print_json, show
from harness.cli.rated import FileOptions
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.comparison.sides import Side
    from harness.scorecards.student import ChosenCuts, StudentCheck, StudentOrigin


JUDGED_BY = {"policy", "golden"}
"""The inputs that a grader is judged by: if they change, it is still the same grader."""


class CheckedOptions(Options):
    """The student, and the teacher that it is compared with."""

    student: Annotated[
        str | None,
        option("A run, a file of grades, or a model: student/FOLDER.", metavar="RUN|FILE|MODEL"),
    ] = None
    scores: Annotated[
        Path | None, option("Instead of --student: item and score; cuts are chosen on dev, for test.")
    ] = None
    teacher: Annotated[str, option("Its teacher.", metavar="RUN|FILE", autocompletion=completion.runs)] = (
        "latest"
    )


class ProductionOptions(Options):
    """The same rows of production, labelled by both, and people's ratings of a sample of them."""

    student_labels: Annotated[Path | None, option("The student's label set.", metavar="LABELS")] = None
    teacher_labels: Annotated[Path | None, option("Its teacher's label set.", metavar="LABELS")] = None
    ratings: Annotated[Path | None, option("The ratings of a sample of the rows.")] = None
    uniform: Uniform = False


def check_command(
    checked: CheckedOptions,
    *,
    files: FileOptions,
    production: ProductionOptions,
    weighting: Weighting = None,
    margin: Margin = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """May a student stand in for its teacher?

    It compares both with the golden set and with each other. Ends with 0 if its loss is shown to be within
    the margin, 1 if beyond, 3 if neither is shown.
    """
    from harness.report.student import check_view
    from harness.student.check import check_student

    if (checked.student is None) == (checked.scores is None):
        raise BadInput("name the student: --student RUN, FILE or MODEL, or --scores FILE")
    student, teacher, cuts, origin = _sides(checked, files, root)
    found = check_student(student, teacher, weighting_of(weighting), margin, cuts, origin)
    found = _on_production(found, production, root)
    print_json(found) if json else show(check_view(found))
    end_with(found.verdict)


def _on_production(found: "StudentCheck", given: ProductionOptions, root: Path | None) -> "StudentCheck":
    """The check with the rated rows of production, where they are named."""
    from harness.cli.estimate import decided
    from harness.runs.labels import load_labels
    from harness.score.estimate_files import GivenRatings
    from harness.student.production import check_production
    from harness.student.verdict import with_production

    labels, other, ratings = given.student_labels, given.teacher_labels, given.ratings
    if labels is None and other is None and ratings is None:
        return found
    if labels is None or other is None or ratings is None:
        raise BadInput("--student-labels, --teacher-labels and --ratings go together")
    people = GivenRatings(ratings, layout(), given.uniform, decided(load_labels(labels).policy, root))
    return with_production(found, *check_production(labels, other, people, found.margin))


def _sides(
    checked: CheckedOptions, files: FileOptions, root: Path | None
) -> "tuple[Side, Side, ChosenCuts | None, StudentOrigin | None]":
    """The student and its teacher, the cuts of a student that gives scores, and its origin."""
    from harness.runs.folder import find_run

    if checked.scores is not None:
        return *_of_scores(checked.scores, checked.teacher, files, root), None
    assert checked.student is not None, "one of the two was given"
    name, taught_by = checked.student, checked.teacher
    if not is_file(name) and not is_file(taught_by) and is_free_model(name, root):
        # The latest run is the student's own after this.
        taught_by = find_run(project_at(root), taught_by).name
        name = run_of(name, taught_by, project_at(root))
    names = for_each_rater([taught_by, name], files)
    if len(names) != 2:
        raise BadInput("--rater names one rater, or the teacher's and the student's: ann,bob")
    teacher, student = sides_of(names, files, root)
    return student, teacher, None, _origin(names[1], names[0], root)


def is_free_model(name: str, root: Path | None) -> bool:
    """Whether a name is that of a model that costs nothing. BadInput for one that may cost."""
    from harness.providers import provider_of, sold_as
    from harness.runs.folder import run_names

    if provider_of(name) is None or not {*name} & {*"/:"} or name in run_names(project_at(root)):
        return False
    if not sold_as(name).free:
        raise BadInput(f"{name} may cost money: run `harness eval --model {name}` first, then name that run")
    return True


def run_of(model: str, teacher: str, project: Project) -> str:
    """A run of a model on what the teacher's run graded. BadInput if that is a run of the same model."""
    from harness.cli.eval_options import from_root
    from harness.cli.progress import Progress
    from harness.grading.evaluate import evaluate
    from harness.grading.plan import make_plan
    from harness.runs.folder import find_run
    from harness.runs.manifest import Asked, load_manifest
    from harness.student.check import of_the_student

    manifest = load_manifest(find_run(project, teacher))
    then = manifest.asked
    kept = {name: getattr(then, name) for name in ("policy", "prompt", "splits", "limit", "only")}
    seed = then.seed if then.limit is not None else None
    asked = Asked(model=from_root(model, project), seed=seed, **kept)
    if asked.model == then.model and not {*manifest.differing(make_plan(project, asked).digests)} - JUDGED_BY:
        # Refuse before grading: the check would refuse the finished run.
        raise BadInput(of_the_student(teacher, model))
    with Progress() as progress:
        found = evaluate(project, asked, progress)
    return found.run.folder.name


def _of_scores(
    scores: Path, teacher: str, files: FileOptions, root: Path | None
) -> "tuple[Side, Side, ChosenCuts]":
    """A file of scores, cut on the golden grades of dev, and the teacher on test."""
    from harness.comparison.sides import side_of_run
    from harness.golden.examples import golden_path, load_examples
    from harness.score.reading import reading_of
    from harness.student.cutting import cut_scores, read_scores

    project = project_at(root)
    reading = reading_of(project, teacher)
    policy = reading.run.policy
    golden = load_examples(golden_path(project, policy.name), policy)
    dev = [example for example in golden if example.split == "dev"]
    test = {example.id for example in reading.each_example() if example.split == "test"}
    return cut_scores(read_scores(scores, files.golden_table), dev, side_of_run(reading), test, scores.name)


def _origin(student: str, teacher: str, root: Path | None) -> "StudentOrigin | None":
    """The origin of a run's student; None for a file, and where it is not recorded."""
    from harness.runs.folder import find_run, open_run
    from harness.runs.manifest import load_manifest
    from harness.student.origin import origin_of

    if is_file(student) or student == BASELINE:
        return None
    project = project_at(root)
    is_run = not is_file(teacher) and teacher != BASELINE
    taught = load_manifest(find_run(project, teacher)).asked.model if is_run else None
    return origin_of(open_run(find_run(project, student)), taught, project)
