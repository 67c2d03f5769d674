"""`harness student export` and `train`: write training sets, and train a small student."""

from pathlib import Path
from typing import Annotated, Literal

from harness.cli.options import Json, Options, Root, argument, names_in, option, project_at
from harness.cli.output import print_json, say, show, shown_path
from harness.errors import BadInput
from harness.storage.outputs import NEW_FOLDER

Labels = Annotated[Path, argument("A label set of `harness label`.", metavar="LABELS")]


class DrawOptions(Options):
    """Which pairs to learn from."""

    balance: Annotated[
        Literal["traffic", "grades"], option("The mix of grades: as in the traffic, or as many of each.")
    ] = "traffic"
    limit: Annotated[int | None, option("The most pairs, drawn at random.", min=1)] = None
    seed: Annotated[int, option("Seed of the drawing.", min=0)] = 0


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
        str | None, option("The prompt whose messages the chat lines have. Default: that of the labels.")
    ] = None
    validation: Annotated[
        int, option("The share of the queries that is held back to validate, in %.", min=0, max=90)
    ] = 10


def export_command(
    labels: Labels,
    *,
    output: Annotated[
        Path | None, option("The training set: a new folder.", "--output", "-o"), NEW_FOLDER
    ] = None,
    draw: DrawOptions,
    forms: FormOptions,
    root: Root = None,
    json: Json = False,
) -> None:
    """Write a training set: the teacher's labels, for a smaller model to learn from.

    It leaves out every query of dev and test, and every pair that is nearly one of theirs.
    """
    from harness.report.training_set import training_set_view
    from harness.student.export import ExportRequest, export
    from harness.student.forms import NAMES
    from harness.student.pairs import Choice

    if output is None:
        raise BadInput("name the folder of the training set: -o FOLDER")
    choice = Choice(draw.balance, draw.limit, forms.validation, draw.seed, by_weight=True)
    wanted = names_in(forms.forms) or NAMES
    request = ExportRequest(labels, output, choice, wanted, forms.reasoning, forms.prompt)
    found = export(project_at(root), request)
    print_json(found) if json else show(training_set_view(found))
    if not json:
        say(f"written to {shown_path(output)}; README.md there is its card")


def train_command(
    labels: Labels,
    *,
    output: Annotated[Path | None, option("The student: a new folder.", "--output", "-o"), NEW_FOLDER] = None,
    draw: DrawOptions,
    weighted: Annotated[
        bool, option("Count a pair as often as it is seen, by its weight.", "--weighted")
    ] = False,
    features: Annotated[
        Literal["lexical", "semantic"],
        option("What it reads: how words overlap, or word vectors too (extra `semantic`)."),
    ] = "lexical",
    root: Root = None,
    json: Json = False,
) -> None:
    """Train a small student, which is then a model: --model student/FOLDER.

    A baseline of overlapping words, without a key, a network or a GPU.
    """
    from harness.report.trained import trained_view
    from harness.student.pairs import Choice
    from harness.student.train import TrainRequest, train

    if output is None:
        raise BadInput("name the folder of the student: -o FOLDER")
    choice = Choice(draw.balance, draw.limit, 0, draw.seed)
    request = TrainRequest(labels, output, choice, weighted, semantic=features == "semantic")
    found = train(project_at(root), request)
    print_json(found) if json else show(trained_view(found))
    if not json:
        where = shown_path(output)
        say(f"written to {where}; next: harness eval --model student/{where}")
