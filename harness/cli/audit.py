"""`harness audit`: is a teacher biased?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import BaseUrl, CallOptions, Markdown, MaxCost, ModelSettings, Prompt, Shots, append
from harness.cli.options import Json, Options, Root, argument, load_keys, option, policy_label, project_at
from harness.cli.output import end_unanswered, print_json, say, show
from harness.cli.rated import FileOptions, refuse
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


class RewrittenOptions(Options):
    """The examples to rewrite, and the prompt."""

    prompt: Prompt = None
    split: Annotated[str | None, option("dev, test or dev+test. Default: dev.")] = None
    limit: Annotated[int | None, option("Rewrite a sample of this many examples.", min=1)] = None
    shots: Shots = None
    seed: Annotated[int | None, option("Seed of the --limit sample; sent to the model if given.")] = None


class ModelOptions(ModelSettings, RewrittenOptions):
    """What to ask a model; a run has its own."""

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
        bool, option("For a run: ask its teacher about the rewritten pairs too.", "--rewrites")
    ] = False
    paraphrases: Annotated[
        Path | None, option("Paraphrased pairs to ask about too: a table with item, title, description.")
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


@dataclass(frozen=True, eq=False, repr=False)
class _Given:
    """The options of the command, in their groups."""

    grades: Path | None
    files: FileOptions
    model: ModelOptions
    asking: AskingOptions
    calls: CallOptions
    root: Path | None
    as_json: bool


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

    found = _audited(target, _Given(grades, files, model, asking, calls, root, json))
    if found is None:
        return
    append(markdown, audit_markdown(found))
    print_json(found) if json else show(audit_view(found, examples))
    end_unanswered(found.unanswered)


def _audited(target: str | None, given: _Given) -> "Audit | None":
    """What the audit found; None after a forecast."""
    files = given.files
    if (target is None) == (files.golden is None and given.grades is None):
        raise BadInput("name either a run or a model, or --golden FILE and --grades FILE")
    if target is None:
        return _of_files(given)
    project = project_at(given.root)
    own = ("policy", "columns", "format", "encoding") if given.asking.paraphrases else ("policy",)
    refuse(files.given(*own), " goes with a file; a run or a model is graded by the project's own golden set")
    if _is_model(target):
        return _of_model(project, target, given)
    settings = {"policy": files.policy, **given.model.given()}
    refuse(settings, ": a run has its own; name its model instead to set it")
    return _of_run(project, target, given)


def _is_model(target: str) -> bool:
    """Whether a name is a model's: it begins with a provider, and no run folder has that path."""
    from harness.providers import provider_of

    return provider_of(target) is not None and not Path(target).is_dir()


def _of_files(given: _Given) -> "Audit":
    from harness.audit.result import audit_files
    from harness.golden.graded_files import GradesFile, read_golden

    files, grades = given.files, given.grades
    refuse(given.model.given() | given.asking.given(), ": files of grades are read, without calls; remove it")
    if files.golden is None or grades is None:
        raise BadInput("--golden FILE and --grades FILE go together")
    levels = files.levels(given.root)
    golden = read_golden(files.golden, files.golden_table, levels)
    return audit_files(golden, GradesFile(grades, files.grades_table, files.rater), levels)


def _of_model(project: Project, name: str, given: _Given) -> "Audit | None":
    from harness.audit.asking import rewrites_of_model
    from harness.audit.result import audit_model

    load_keys(project)
    asked = given.model.asked(name, policy_label(given.files.policy, project), given.asking.base_url)
    work = rewrites_of_model(project, asked, given.asking.words(given.files))
    answers = _answers(project, work, given)
    return audit_model(work, answers) if answers else None


def _of_run(project: Project, name: str, given: _Given) -> "Audit | None":
    from harness.audit.asking import rewrites_of_run
    from harness.audit.result import audit_run, with_rewrites
    from harness.score.reading import reading_of

    reading, asking = reading_of(project, name), given.asking
    found = audit_run(reading)
    if not asking.rewrites:
        idle = asking.given() | given.calls.given()
        refuse(idle, ": a finished run is read, without calls; add --rewrites")
        return found
    load_keys(project)
    work = rewrites_of_run(project, reading, asking.base_url, asking.words(given.files))
    answers = _answers(project, work, given)
    return with_rewrites(found, work, answers) if answers else None


def _say_paraphrases(work: "Rewrites") -> None:
    """What a file of paraphrases covers and what of it is not read, before anything is asked."""
    from harness.audit.result import paraphrased
    from harness.report.audit import paraphrase_remarks

    found = paraphrased(work)
    for line in paraphrase_remarks(found) if found else ():
        say(line)


def _answers(project: Project, work: "Rewrites", given: _Given) -> "PairRun | None":
    """The grades of the rewritten pairs, asked for where they are missing; None after a forecast."""
    from harness.audit.asking import foresee, graded
    from harness.cli.progress import Progress
    from harness.report.money import forecast_view

    _say_paraphrases(work)
    if given.asking.dry_run:
        forecast = foresee(project, work, again=given.calls.no_cache)
        print_json(forecast) if given.as_json else show(forecast_view(forecast))
        return None
    with Progress() as progress:
        return graded(project, work, progress, given.calls.limits(max_cost=given.asking.max_cost))
