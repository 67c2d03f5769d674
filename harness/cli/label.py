"""`harness label`: production pairs, labelled by a proven teacher."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.groups import Batch, CallOptions, MaxCost, TeacherOptions
from harness.cli.options import (
    Columns,
    Encoding,
    Format,
    Json,
    Options,
    Root,
    argument,
    layout,
    load_keys,
    names_in,
    option,
    policy_label,
    project_at,
)
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.policy_options import named
from harness.errors import BadInput, Fault, refuse_faults
from harness.storage.outputs import NEW_FOLDER
from harness.storage.plural import plural
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.production.label import LabelRequest


class LabelOptions(Options):
    """What to label, and where the labels go."""

    output: Annotated[
        Path | None,
        option("The label set: a folder; an existing one is continued.", "--output", "-o"),
        NEW_FOLDER,
    ] = None
    policy: Annotated[str | None, named("name or name@v1. Default: the only one.")] = None
    columns: Columns = None
    attributes: Annotated[str | None, option("Further columns that the surface shows: colour,size")] = None
    format: Format = None
    encoding: Encoding = None


class HowToLabel(Options):
    """How to carry it out."""

    unproven: Annotated[
        bool, option("Label with a teacher that no gate has passed; every shard says so.", "--unproven")
    ] = False
    cascade: Annotated[
        Path | None,
        option("A file of `student cascade`: the student answers first, its teacher the rest.", "--cascade"),
    ] = None
    batch: Batch = False
    engine: Annotated[
        str, option("local; ray: a pool of processes, here or on a cluster; ray-vllm: its GPUs.", "--engine")
    ] = "local"
    actors: Annotated[
        int | None,
        option("Processes of --engine ray (default: as many as cores), or replicas of a model.", min=1),
    ] = None
    retry_failed: Annotated[bool, option("Ask only what failed.", "--retry-failed")] = False
    max_cost: MaxCost = None
    dry_run: Annotated[
        bool, option("Print what it would ask, cost and take; make no API calls.", "--dry-run")
    ] = False
    rpm: Annotated[int | None, option("Requests a minute that the server takes, for --dry-run.", min=1)] = (
        None
    )
    tpm: Annotated[int | None, option("Tokens a minute that the server takes, for --dry-run.", min=1)] = None


def label_command(
    pairs: Annotated[
        list[str], argument("Tables with query, title, and item, weight, stratum, position: files, folders.")
    ],
    *,
    what: LabelOptions,
    teacher: TeacherOptions,
    calls: CallOptions,
    how: HowToLabel,
    root: Root = None,
    json: Json = False,
) -> None:
    """Label production pairs with a teacher that has passed Gate 2 on test.

    Each distinct pair is asked once. The same command continues where it stopped.
    """
    from harness.cli.progress import Progress
    from harness.production.label import label
    from harness.report.labels import labels_view

    project = project_at(root)
    load_keys(project)
    request = _request(project, pairs, what, teacher, how)
    if how.dry_run:
        _forecast(project, request, how, as_json=json)
        return
    if how.rpm or how.tpm:
        raise BadInput("--rpm and --tpm go with --dry-run: a labelling adapts to the limits of the server")
    limits = calls.limits(only_failed=how.retry_failed, max_cost=how.max_cost)
    with Progress() as progress:
        found = label(project, request, progress, limits)
    print_json(found) if json else show(
        [*labels_view(found), "", f"Labels: {shown_path(Path(found.labels))}"]
    )
    if failed := found.outcomes.failed:
        say(f"{plural(failed, 'row has', 'rows have')} no answer; repeat the command with --retry-failed")
        raise typer.Exit(4)


def _forecast(project: Project, request: "LabelRequest", how: HowToLabel, *, as_json: bool) -> None:
    """Print what labelling would cost and take. Makes no API calls and writes nothing."""
    from harness.production.forecast import foresee_labels
    from harness.report.labels import label_forecast_view

    found = foresee_labels(project, request, how.rpm, how.tpm)
    print_json(found) if as_json else show(label_forecast_view(found))


def _request(
    project: Project, pairs: list[str], what: LabelOptions, teacher: TeacherOptions, how: HowToLabel
) -> "LabelRequest":
    from harness.cli.eval_options import from_root
    from harness.production.label import LabelRequest
    from harness.production.pairs import Input

    named_policy = what.policy
    if how.cascade is not None:
        teacher, measured = _teacher_of(how.cascade, teacher)
        named_policy = named_policy or measured
    policy = policy_label(named_policy, project)
    asked = teacher.asked(policy, Path(", ".join(pairs)))
    asked = asked.model_copy(update={"model": from_root(asked.model, project), "batch": how.batch})
    table = layout(what.columns, what.format, encoding=what.encoding)
    read = Input(table, names_in(what.attributes))
    return LabelRequest(pairs, what.output, asked, read, how.unproven, how.engine, how.actors, how.cascade)


def _teacher_of(path: Path, given: TeacherOptions) -> tuple[TeacherOptions, str | None]:
    """The teacher of a cascade, and its policy. BadInput for an option that differs from them.

    The address is never read from the file, since a key is sent there: it has to be given again.
    """
    from harness.runs.cascade_file import load_cascade

    file = load_cascade(path)
    if file.teacher.model is None:
        what = "its teacher is a file of grades: choose the cascade by runs (`harness student cascade`)"
        raise BadInput.at(path, what)
    settings = file.teacher.settings.model_dump(exclude={"base_url"})
    own = {"model": file.teacher.model, "prompt": file.teacher.prompt or given.prompt, **settings}
    refuse_faults(
        Fault(str(path), f"its teacher has --{name.replace('_', '-')} {own[name]}, not {said}")
        for name, said in vars(given).items()
        if name in own
        and said not in (getattr(TeacherOptions, name), own[name], str(own[name]).partition("@")[0])
    )
    return TeacherOptions(**{**vars(given), **own}), file.policy
