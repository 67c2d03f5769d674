"""`harness student cascade`: choose the confidence from which a student answers alone."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli import completion
from harness.cli.compared import is_file, sides_of
from harness.cli.options import (
    Json,
    Margin,
    Options,
    Root,
    Weighting,
    names_in,
    option,
    project_at,
    weighting_of,
)
from harness.cli.output import end_with, print_json, say, show, shown_path
from harness.cli.rated import FileOptions
from harness.cli.student import is_free_model, run_of
from harness.errors import BadInput, Fault
from harness.storage.outputs import FILE

if TYPE_CHECKING:
    from harness.student.cascade_sides import CascadeSide

Sure = dict[str, float] | None


class CascadeOptions(Options):
    """The student, its teacher, and the rule."""

    student: Annotated[
        str | None,
        option(
            "A run or DEV,TEST; a file with a column confidence; student/FOLDER.", metavar="RUNS|FILE|MODEL"
        ),
    ] = None
    teacher: Annotated[
        str,
        option("Its teacher: a run, or DEV,TEST.", metavar="RUNS|FILE", autocompletion=completion.runs),
    ] = "latest"
    share: Annotated[
        float | None,
        option("Take the highest kappa that sends at most this share to the teacher.", min=0, max=1),
    ] = None
    output: Annotated[
        Path | None, option("Write the cascade to this file, for label --cascade.", "--output", "-o"), FILE
    ] = None


def cascade_command(
    cascade: CascadeOptions,
    *,
    files: FileOptions,
    weighting: Weighting = None,
    margin: Margin = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Choose a cascade: the student answers where it is sure, its teacher the rest.

    The threshold is chosen on dev: the least share sent whose loss is shown to be within the margin. Test
    confirms it: ends with 0 if the loss is within it there too, 1 if beyond, 3 if neither is shown.
    """
    from harness.report.cascade import cascade_view
    from harness.runs.cascade_file import save_cascade
    from harness.student.cascade import Rule, choose_cascade
    from harness.student.cascade_sides import cascade_file, cost_of_both, noted_look

    if cascade.student is None:
        raise BadInput("name the student: --student RUNS, FILE or MODEL")
    student, teacher, sure = _graders(cascade.student, cascade.teacher, files, root)
    rule = Rule(weighting_of(weighting), margin, cascade.share)
    splits = {**teacher.splits, **student.splits}
    found = choose_cascade(student.side, teacher.side, splits, rule, cost_of_both(student, teacher), sure)
    if teacher.by.runs:
        looks = noted_look(project_at(root), found, student, teacher)
        found = found.model_copy(update={"looks": looks})
    print_json(found) if json else show(cascade_view(found))
    if cascade.output and found.threshold is not None:
        save_cascade(cascade.output, cascade_file(found, student, teacher))
        say(f"written to {shown_path(cascade.output)}")
    elif cascade.output:
        say(f"no threshold was chosen: {shown_path(cascade.output)} was not written")
    end_with(found.verdict)


def _graders(
    student: str, teacher: str, files: FileOptions, root: Path | None
) -> "tuple[CascadeSide, CascadeSide, Sure]":
    """Student and teacher, and the confidence of each item if the student is a file."""
    from harness.comparison.cascade import refuse_repeats
    from harness.comparison.graded_files import side_beside_run
    from harness.golden.graded_files import GradesFile
    from harness.student.cascade_sides import graded_by_runs, graded_in_file

    if files.golden is not None:
        return _beside_golden(student, teacher, files, root)
    project = project_at(root)
    if is_file(teacher):
        raise BadInput(f"{teacher} is a file of grades; add the golden grades with --golden FILE")
    taught = graded_by_runs(project, names_in(teacher))
    if is_file(student):
        file = GradesFile(Path(student), files.grades_table, files.rater)
        learned = graded_in_file(side_beside_run(file, taught.side), taught.splits)
        return learned, taught, _confidences(student, files)
    names = list(names_in(student))
    if is_free_model(student, root):
        refuse_repeats(taught.side)  # before the student is run
        names = [run_of(student, run, project) for run in taught.by.runs]
    return graded_by_runs(project, names), taught, None


def _beside_golden(
    student: str, teacher: str, files: FileOptions, root: Path | None
) -> "tuple[CascadeSide, CascadeSide, Sure]":
    """Two files of grades beside a golden file, which has the splits."""
    from harness.golden.graded_files import read_golden
    from harness.student.cascade_sides import graded_in_file, splits_of

    assert files.golden is not None, "asked for before"
    lost = [name for name in (student, teacher) if not is_file(name)]
    if lost:
        what = "with --golden both are files of grades; without it both can be runs"
        raise BadInput([Fault(name, f"no such file: {what}") for name in lost])
    taught, learned = sides_of([teacher, student], files, root)
    splits = splits_of(read_golden(files.golden, files.golden_table, files.levels(root)))
    return graded_in_file(learned, splits), graded_in_file(taught, splits), _confidences(student, files)


def _confidences(student: str, files: FileOptions) -> dict[str, float]:
    """How sure the student of a file is of each item."""
    from harness.student.cutting import read_scores

    return read_scores(Path(student), files.grades_table, "confidence")
