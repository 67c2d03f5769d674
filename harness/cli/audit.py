"""`harness audit`: is a teacher biased?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import (
    BaseUrl,
    CallOptions,
    FoldSystem,
    Markdown,
    MaxCost,
    MaxTokens,
    NoSchema,
    Prompt,
    Shots,
    Temperature,
    append,
)
from harness.cli.options import Json, Options, Root, argument, load_keys, option, policy_label, project_at
from harness.cli.output import end_unanswered, print_json, show
from harness.cli.rated import FileOptions, given_in, refuse
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.audit.asking import Rewrites
    from harness.audit.paraphrases import PhrasesFile
    from harness.runs.manifest import Asked
    from harness.runs.pair_run import PairRun
    from harness.scorecards.audit import Audit

Target = Annotated[
    str | None,
    argument("A run (its name, latest, ...), or a model (provider/model) to ask.", metavar="RUN_OR_MODEL"),
]


class ModelOptions(Options):
    """What to ask a model; a run brings its own."""

    prompt: Prompt = None
    split: Annotated[str | None, option("dev, test or dev+test. Default: dev.")] = None
    limit: Annotated[int | None, option("Rewrite a sample of this many examples.", min=1)] = None
    shots: Shots = None
    temperature: Temperature = None
    seed: Annotated[int | None, option("Seed of the --limit sample; sent to the model if given.")] = None
    max_tokens: MaxTokens = None
    no_schema: NoSchema = False
    fold_system: FoldSystem = False

    def asked(self, model: str, policy: str, base_url: str | None) -> "Asked":
        """A request to grade the rewritten examples."""
        from harness.golden.splits import parse_splits
        from harness.providers import refuse_unread
        from harness.runs.manifest import Asked

        refuse_unread(model, self.shots)
        own = vars(self) | {"prompt": self.prompt or "teacher"}
        own["splits"] = parse_splits(own.pop("split") or "dev")
        return Asked(model=model, policy=policy, base_url=base_url, rewrites=True, **own)


class AskingOptions(Options):
    """Whether and how to ask."""

    rewrites: Annotated[
        bool, option("Of a run: ask its teacher about the rewritten pairs, too.", "--rewrites")
    ] = False
    paraphrases: Annotated[
        Path | None, option("Pairs in other words, to ask about too: a table with item, title, description.")
    ] = None
    base_url: BaseUrl = None
    max_cost: MaxCost = None
    dry_run: Annotated[
        bool, option("Print what the rewritten pairs would cost; make no API calls.", "--dry-run")
    ] = False

    def words(self, files: FileOptions) -> "PhrasesFile | None":
        """The file of paraphrases, if there is one, with the options that say how to read it."""
        from harness.audit.paraphrases import PhrasesFile

        return PhrasesFile(self.paraphrases, files.golden_table) if self.paraphrases else None


def audit_command(
    target: Target = None,
    *,
    grades: Annotated[Path | None, option("A file of grades, with --golden, instead of a run.")] = None,
    files: FileOptions,
    model: ModelOptions,
    asking: AskingOptions,
    calls: CallOptions,
    examples: Annotated[int, option("How many changed actions to show.", min=0)] = 5,
    markdown: Markdown = None,
    root: Root = None,
    json: Json = False,
) -> None:
    """Do a teacher's grades depend on what they should not depend on?

    RUN: is its error related to length, shared words, price, brand, position, language? MODEL, or --rewrites:
    do grades move when the same pairs are rewritten?
    """
    from harness.report.audit import audit_markdown, audit_view

    found = _audited(target, grades, files, model, asking, calls, root, as_json=json)
    if found is None:
        return
    append(markdown, audit_markdown(found))
    print_json(found) if json else show(audit_view(found, examples))
    end_unanswered(found.unanswered)


def _audited(
    target: str | None,
    grades: Path | None,
    files: FileOptions,
    model: ModelOptions,
    asking: AskingOptions,
    calls: CallOptions,
    root: Path | None,
    *,
    as_json: bool,
) -> "Audit | None":
    """What the audit found; None after a forecast."""
    if (target is None) == (files.golden is None and grades is None):
        raise BadInput("name either a run or a model, or --golden FILE and --grades FILE")
    if target is None:
        return _of_files(grades, files, model, asking, root)
    project = project_at(root)
    own = ("policy", "columns", "format", "encoding") if asking.paraphrases else ("policy",)
    refuse(
        {**vars(files), **dict.fromkeys(own)}, "a run or a model is graded by the project's own golden set"
    )
    if _is_model(target):
        return _of_model(project, target, files, model, asking, calls, as_json=as_json)
    given = given_in({"policy": files.policy, **model.given()})
    if given:
        raise BadInput(f"{given}: a run brings its own; name its model instead to set it")
    return _of_run(project, target, files, asking, calls, as_json=as_json)


def _is_model(target: str) -> bool:
    """Whether a name is a model's: it begins with a provider, and no run folder has that path."""
    from harness.providers import provider_of

    return provider_of(target) is not None and not Path(target).is_dir()


def _of_files(
    grades: Path | None, files: FileOptions, model: ModelOptions, asking: AskingOptions, root: Path | None
) -> "Audit":
    from harness.audit.result import audit_files
    from harness.golden.graded_files import GradesFile, read_golden

    if given := given_in(model.given() | asking.given()):
        raise BadInput(f"{given}: files of grades are read, without calls; remove it")
    if files.golden is None or grades is None:
        raise BadInput("--golden FILE and --grades FILE go together")
    levels = files.levels(root)
    golden = read_golden(files.golden, files.golden_table, levels)
    return audit_files(golden, GradesFile(grades, files.grades_table, files.rater), levels)


def _of_model(
    project: Project,
    name: str,
    files: FileOptions,
    model: ModelOptions,
    asking: AskingOptions,
    calls: CallOptions,
    *,
    as_json: bool,
) -> "Audit | None":
    from harness.audit.asking import rewrites_of_model
    from harness.audit.result import audit_model

    load_keys(project)
    label = policy_label(files.policy, project)
    work = rewrites_of_model(project, model.asked(name, label, asking.base_url), asking.words(files))
    if asking.dry_run:
        _forecast(project, work, calls, as_json=as_json)
        return None
    return audit_model(work, _answers(project, work, asking, calls))


def _of_run(
    project: Project,
    name: str,
    files: FileOptions,
    asking: AskingOptions,
    calls: CallOptions,
    *,
    as_json: bool,
) -> "Audit | None":
    from harness.audit.asking import rewrites_of_run
    from harness.audit.result import audit_run, with_rewrites
    from harness.score.reading import reading_of

    reading = reading_of(project, name)
    found = audit_run(reading)
    if not asking.rewrites:
        if given := given_in(asking.given() | calls.given()):
            raise BadInput(f"{given}: a finished run is read, without calls; add --rewrites")
        return found
    load_keys(project)
    work = rewrites_of_run(project, reading, asking.base_url, asking.words(files))
    if asking.dry_run:
        _forecast(project, work, calls, as_json=as_json)
        return None
    return with_rewrites(found, work, _answers(project, work, asking, calls))


def _forecast(project: Project, work: "Rewrites", calls: CallOptions, *, as_json: bool) -> None:
    """Print what the open questions would cost."""
    from harness.audit.asking import foresee
    from harness.report.money import forecast_view

    found = foresee(project, work, again=calls.no_cache)
    print_json(found) if as_json else show(forecast_view(found))


def _answers(project: Project, work: "Rewrites", asking: AskingOptions, calls: CallOptions) -> "PairRun":
    """The grades of the rewritten pairs, asked for where they are missing."""
    from harness.audit.asking import graded
    from harness.cli.progress import Progress

    with Progress() as progress:
        return graded(project, work, progress, calls.limits(max_cost=asking.max_cost))
