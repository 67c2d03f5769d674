"""The options of `harness eval`, and the request that they make."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

from harness.cli.groups import BaseUrl, Batch, MaxCost, Model, ModelSettings, Prompt, Shots
from harness.cli.options import Options, names_in, option, policy_or_only
from harness.cli.policy_options import PolicyName
from harness.cli.rated import GraderTable, given_in
from harness.errors import BadInput
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.runs.manifest import Asked

MODEL = "builtin/lexical"
UNCHANGED = ("policy", "prompt", "limit", "repeats", "shots", "seed", "temperature", "max_tokens")
"""Options that are a setting of the same name."""
NEVER_EMPTY = ("model", "base_url", "only", "disagreements_of")
NoReport = Annotated[
    bool, option("Write no report.html (runs of more than 2,000 pairs get none).", "--no-report")
]


class ExampleChoice(Options):
    """Which teacher grades which examples."""

    model: Model = None
    policy: PolicyName = None
    prompt: Prompt = None
    split: Annotated[str | None, option("dev, test or dev+test. Default: dev.")] = None
    canaries: Annotated[
        bool, option("Grade the canaries instead: does text in a product steer it?", "--canaries")
    ] = False
    limit: Annotated[int | None, option("Grade a sample of this many examples.", min=1)] = None
    only: Annotated[str | None, option("Grade only these examples, by id: a,b,c")] = None
    disagreements_of: Annotated[
        str | None, option("Grade only what this run got wrong or gave no readable answer to.", metavar="RUN")
    ] = None
    shots: Shots = None
    repeats: Annotated[
        int | None, option("Ask about every example this many times. Default: 1.", min=1, max=100)
    ] = None
    aggregate: Annotated[
        str | None, option("What repeats count for: mean (each its share) or vote. Default: mean.")
    ] = None
    seed: Annotated[int | None, option("Seed of the --limit sample; sent to the model if given.")] = None


class AskedOptions(ModelSettings, ExampleChoice):
    """What to ask which teacher. None means "not given": a resumed run keeps its settings."""

    base_url: BaseUrl = None


class RunOptions(Options):
    """How to carry out or resume the run."""

    batch: Batch = False
    resume: Annotated[str | None, option("Resume a run: ask only what has no answer.", metavar="RUN")] = None
    retry_failed: Annotated[
        bool, option("Resume a run (latest, or --resume): ask only what failed.", "--retry-failed")
    ] = False
    max_cost: MaxCost = None
    dry_run: Annotated[
        bool, option("Print what the run would ask and cost; make no API calls.", "--dry-run")
    ] = False

    @property
    def again(self) -> str | None:
        """The run to resume; None for a new one."""
        return self.resume or ("latest" if self.retry_failed else None)


@dataclass(frozen=True, eq=False, repr=False)
class EvalRequest:
    """What is asked for; `given` names the settings that are not defaults."""

    asked: "Asked"
    given: tuple[str, ...]

    def refuse_changes(self, before: "Asked") -> None:
        """BadInput for settings that differ from those of the run to resume."""
        pairs = {name: (getattr(self.asked, name), getattr(before, name)) for name in self.given}
        changed = [(name, was) for name, (now, was) in pairs.items() if not _same(now, was)]
        if changed:
            shown = ", ".join(f"{name} {'not given' if was is None else was}" for name, was in changed)
            raise BadInput(
                f"--resume keeps the settings of the run ({shown}); start a new run to change them"
            )


def _same(given: object, before: object) -> bool:
    """`teacher` matches `teacher@v2`; the digests are compared later."""
    return given == before or (isinstance(before, str) and before.partition("@")[0] == given)


def request_of(
    project: Project, asking: AskedOptions, table: GraderTable, run: RunOptions, *, no_cache: bool
) -> EvalRequest:
    """The options as one request. BadInput if they contradict each other or have no effect."""
    from harness.golden.splits import parse_splits
    from harness.runs.manifest import Asked

    _refuse_empty(asking, run)
    read = table.layout
    values: dict[str, object] = {
        "model": from_root(asking.model, project) if asking.model else None,
        "splits": None if asking.split is None else parse_splits(asking.split),
        "canaries": asking.canaries or None,
        "aggregate": asking.aggregate,
        **{name: getattr(asking, name) for name in UNCHANGED},
        "no_schema": asking.no_schema or None,
        "fold_system": asking.fold_system or None,
        "batch": run.batch or None,
        "columns": dict(read.columns) or None,
        "wide": read.wide or None,
        "format": table.format,
        "labels": dict(read.labels) or None,
        "encoding": table.encoding,
        "rater": table.rater,
    }
    if asking.aggregate not in (None, "mean", "vote"):
        raise BadInput(f"--aggregate {asking.aggregate!r} is not one of: mean, vote")
    if run.resume is None:
        _refuse_idle(asking, given_in({name: values[name] for name in vars(table)}))
    values |= {name: value for name, value in _chosen(project, asking).items() if not values.get(name)}
    given = {name: value for name, value in values.items() if value is not None}
    defaults = {
        "model": MODEL,
        "policy": policy_or_only(None, project),
        "prompt": "teacher",
        "splits": ("dev",),
    }
    calls = {"base_url": asking.base_url, "no_cache": no_cache}
    return EvalRequest(Asked.model_validate({**defaults, **given, **calls}), tuple(given))


def _refuse_empty(asking: AskedOptions, run: RunOptions) -> None:
    """BadInput for empty values, as from an unset variable: they must not mean the whole golden set."""
    values: dict[str, object] = {
        "resume": run.resume,
        **{name: getattr(asking, name) for name in NEVER_EMPTY},
    }
    empty = [name for name, value in values.items() if isinstance(value, str) and not value.strip()]
    if empty:
        names = ", ".join(f"--{name.replace('_', '-')}" for name in empty)
        raise BadInput(f"{names}: empty value; give one, or remove the option")


def _refuse_idle(asking: AskedOptions, table: str) -> None:
    """BadInput for options that would have no effect."""
    from harness.providers import reads_grades, refuse_unread

    refuse_unread(asking.model or MODEL, asking.shots)
    if table and not reads_grades(asking.model or MODEL):
        raise BadInput(f"{table}: only for a file of grades; add --model replay/FILE")
    if asking.aggregate and (asking.repeats or 1) == 1:
        raise BadInput("--aggregate combines several answers; add --repeats")


def _chosen(project: Project, asking: AskedOptions) -> dict[str, object]:
    """The examples chosen by id, or those that another run got wrong, with its splits and policy."""
    chosen = asking.only or asking.disagreements_of
    if asking.canaries and (asking.split or asking.limit or asking.repeats or chosen):
        what = "--split, --limit, --repeats, --only and --disagreements-of"
        raise BadInput(f"--canaries grades every canary once; remove {what}")
    if chosen and (asking.limit or (asking.only and asking.disagreements_of)):
        raise BadInput("--only, --disagreements-of and --limit exclude each other; give one of them")
    if asking.disagreements_of:
        return _wrong_in(project, asking.disagreements_of)
    if asking.only is None:
        return {}
    names = tuple(dict.fromkeys(names_in(asking.only)))
    if not names:
        raise BadInput(f"--only {asking.only!r} names no example")
    return {"only": names}


def _wrong_in(project: Project, text: str) -> dict[str, object]:
    from harness.score.items import voted
    from harness.score.reading import reading_of

    reading = reading_of(project, text)
    asked = reading.run.manifest.asked
    if not asked.kind.scored:
        raise BadInput(
            f"--disagreements-of {text}: that run graded canaries; use --canaries to grade them again"
        )
    items = map(voted, reading.items)
    wrong = tuple(item.item for item in items if item.answers[0].grade != item.golden)
    if not wrong:
        raise BadInput(f"--disagreements-of {text}: the run agrees with every golden grade")
    return {"only": wrong, "splits": asked.splits, "policy": asked.policy}


def from_root(model: str, project: Project) -> str:
    """The model with its file's path from the project, so that the run can be resumed in any folder."""
    from harness.providers import is_path, split_model

    if not is_path(model):
        return model
    provider, file = split_model(model)
    path = Path.cwd() / file
    return f"{provider}/{path.relative_to(project.root) if path.is_relative_to(project.root) else path}"
