"""`harness student`: training sets, a student of our own, and whether one may stand in for its teacher."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from harness.cli import completion
from harness.cli.compared import for_each_rater, is_file, sides_of
from harness.cli.options import (
    Json,
    Options,
    Root,
    Weighting,
    argument,
    layout,
    names_in,
    option,
    project_at,
    weighting_of,
)
from harness.cli.output import end_with, print_json, say, show, shown_path
from harness.cli.rated import FileOptions
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.comparison.sides import Side
    from harness.scorecards.student import ChosenCuts, StudentCheck

app = typer.Typer(help="Smaller models that learn from a teacher.", no_args_is_help=True)
Labels = Annotated[Path, argument("A label set of `harness label`.", metavar="LABELS")]


class DrawOptions(Options):
    """Which pairs to learn from."""

    balance: Annotated[
        Literal["traffic", "grades"], option("The mix of grades: as in the traffic, or as many of each.")
    ] = "traffic"
    limit: Annotated[int | None, option("So many pairs at most, drawn at random.", min=1)] = None
    seed: Annotated[int, option("Draw others with another seed.", min=0)] = 0


class FormOptions(Options):
    """How to write them."""

    forms: Annotated[
        str | None, option("Some of openai-jsonl, trl, parquet, datasets. Default: all of them.", "--forms")
    ] = None
    reasoning: Annotated[
        bool,
        option("Whether answers have the teacher's reasoning and clauses.", "--reasoning/--no-reasoning"),
    ] = True
    prompt: Annotated[
        str | None, option("Whose messages the chat lines have. Default: the prompt of the labels.")
    ] = None
    validation: Annotated[
        int, option("The share of the queries that is held back to validate, in %.", min=0, max=90)
    ] = 10


@app.command("export")
def export_command(
    labels: Labels,
    *,
    output: Annotated[Path | None, option("The training set: a new folder.", "--output", "-o")] = None,
    draw: DrawOptions,
    forms: FormOptions,
    root: Root = None,
    json: Json = False,
) -> None:
    """Write a training set: the teacher's labels, for a smaller model to learn from.

    No pair of a query that dev or test has, and none that is nearly one of theirs.
    """
    from harness.report.training_set import training_set_view
    from harness.student.export import Request, export
    from harness.student.forms import NAMES
    from harness.student.pairs import Choice

    if output is None:
        raise BadInput("name the folder of the training set: -o FOLDER")
    choice = Choice(draw.balance, draw.limit, forms.validation, draw.seed)
    wanted = names_in(forms.forms) or NAMES
    request = Request(labels, output, choice, wanted, forms.reasoning, forms.prompt)
    found = export(project_at(root), request)
    print_json(found) if json else show(training_set_view(found))
    if not json:
        say(f"written to {shown_path(output)}; README.md there is its card")


@app.command("train")
def train_command(
    labels: Labels,
    *,
    output: Annotated[Path | None, option("The student: a new folder.", "--output", "-o")] = None,
    draw: DrawOptions,
    weighted: Annotated[
        bool, option("Count a pair as often as it is seen, by its weight.", "--weighted")
    ] = False,
    root: Root = None,
    json: Json = False,
) -> None:
    """Train a small student, which is then a model: --model student/FOLDER.

    A baseline of overlapping words, without a key, a network or a GPU.
    """
    from harness.report.trained import trained_view
    from harness.student.pairs import Choice
    from harness.student.train import Request, train

    if output is None:
        raise BadInput("name the folder of the student: -o FOLDER")
    choice = Choice(draw.balance, draw.limit, 0, draw.seed)
    found = train(project_at(root), Request(labels, output, choice, weighted))
    print_json(found) if json else show(trained_view(found))
    if not json:
        where = shown_path(output)
        say(f"written to {where}; next: harness eval --model student/{where}")


class CheckedOptions(Options):
    """Who is held against whom."""

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
    """The same rows of production, labelled by both, and what people say of a sample of them."""

    student_labels: Annotated[Path | None, option("The student's label set.", metavar="LABELS")] = None
    teacher_labels: Annotated[Path | None, option("Its teacher's label set.", metavar="LABELS")] = None
    ratings: Annotated[Path | None, option("The ratings of a sample of the rows.")] = None
    uniform: Annotated[
        bool, option("The ratings do not say so, but every row had the same chance.", "--uniform")
    ] = False


@app.command("check")
def check_command(
    checked: CheckedOptions,
    *,
    files: FileOptions,
    production: ProductionOptions,
    weighting: Weighting = None,
    margin: Annotated[
        float | None, option("The kappa it may lose. Default: gates.toml.", min=0, max=2)
    ] = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """May a student stand in for its teacher?

    Both against the golden set, and against each other. Ends with 0 if its loss is shown to be within the
    margin, 1 if beyond, 3 if neither is shown.
    """
    from harness.report.student import check_view
    from harness.student.check import check_student

    if (checked.student is None) == (checked.scores is None):
        raise BadInput("name the student: --student RUN, FILE or MODEL, or --scores FILE")
    student, teacher, cuts = _sides(checked, files, root)
    found = check_student(student, teacher, weighting_of(weighting), margin, cuts)
    found = _on_production(found, production, root)
    print_json(found) if json else show(check_view(found))
    end_with(found.verdict)


def _on_production(found: "StudentCheck", given: ProductionOptions, root: Path | None) -> "StudentCheck":
    """The check with the rated rows of production, where they are named."""
    from harness.cli.estimate import decided
    from harness.runs.labels import load_labels
    from harness.score.estimate_files import Rated
    from harness.student.check import with_production
    from harness.student.production import check_production

    labels, other, ratings = given.student_labels, given.teacher_labels, given.ratings
    if labels is None and other is None and ratings is None:
        return found
    if labels is None or other is None or ratings is None:
        raise BadInput("--student-labels, --teacher-labels and --ratings go together")
    people = Rated(
        ratings, layout(None, None, None), given.uniform, decided(load_labels(labels).policy, root)
    )
    return with_production(found, *check_production(labels, other, people, found.margin))


def _sides(
    checked: CheckedOptions, files: FileOptions, root: Path | None
) -> "tuple[Side, Side, ChosenCuts | None]":
    """The student and its teacher, and the cuts of a student that gives scores."""
    from harness.runs.folder import find_run

    if checked.scores is not None:
        return _of_scores(checked.scores, checked.teacher, files, root)
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
    return student, teacher, None


def is_free_model(name: str, root: Path | None) -> bool:
    """Whether a name is that of a model that can be asked for nothing. BadInput for one that is paid."""
    from harness.providers import provider_of, sold_as
    from harness.runs.folder import run_names

    if provider_of(name) is None or not {*name} & {*"/:"} or name in run_names(project_at(root)):
        return False
    if not sold_as(name).free:
        raise BadInput(f"{name} may cost: `harness eval --model {name}` first, then name that run")
    return True


def run_of(model: str, teacher: str, project: Project) -> str:
    """A run of a model on what the teacher's run graded."""
    from harness.cli.eval_options import from_root
    from harness.cli.progress import Progress
    from harness.grading.evaluate import evaluate
    from harness.runs.folder import find_run
    from harness.runs.manifest import Asked, load_manifest

    then = load_manifest(find_run(project, teacher)).asked
    kept = {name: getattr(then, name) for name in ("policy", "prompt", "splits", "limit", "only")}
    seed = then.seed if then.limit is not None else None
    with Progress() as progress:
        found = evaluate(project, Asked(model=from_root(model, project), seed=seed, **kept), progress)
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
