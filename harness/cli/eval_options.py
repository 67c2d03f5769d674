"""The options of `harness eval`, and what they ask for."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.groups import BaseUrl, Shots, Temperature
from harness.cli.options import DEFAULT_POLICY, Columns, Encoding, Format, Labels, Rater, Wide, layout
from harness.errors import BadInput

if TYPE_CHECKING:
    from harness.runs.manifest import Asked
    from harness.storage.project import Project

MODEL = "builtin/lexical"
NoReport = Annotated[
    bool, typer.Option("--no-report", help="Leave out report.html, which up to 2,000 pairs get.")
]


@dataclass(frozen=True)
class AskedOptions:
    """What is asked, of whom. None is "not given": a resumed run keeps what it began with."""

    model: Annotated[
        str | None, typer.Option(help="provider/model. Default: builtin/lexical, no key, no network.")
    ] = None
    policy: Annotated[str | None, typer.Option(help="name or name@v1. Default: product-search.")] = None
    prompt: Annotated[str | None, typer.Option(help="name or name@v2. Default: teacher, the latest.")] = None
    split: Annotated[str | None, typer.Option(help="dev, test or dev+test. Default: dev.")] = None
    canaries: Annotated[
        bool,
        typer.Option("--canaries", help="Grade the canaries instead: does text in a product steer it?"),
    ] = False
    limit: Annotated[int | None, typer.Option(min=1, help="Grade a sample of this many examples.")] = None
    only: Annotated[str | None, typer.Option(help="Grade just these examples, by id: a,b,c")] = None
    disagreements_of: Annotated[
        str | None,
        typer.Option(
            metavar="RUN", help="Grade just what this run got wrong, or gave no readable answer to."
        ),
    ] = None
    shots: Shots = None
    repeats: Annotated[
        int | None,
        typer.Option(min=1, max=100, help="Ask about every example this many times. Default: 1."),
    ] = None
    aggregate: Annotated[
        str | None,
        typer.Option(help="What repeats count for: mean (each its share) or vote. Default: mean."),
    ] = None
    seed: Annotated[
        int | None, typer.Option(help="For the sample of --limit; sent to the model where given.")
    ] = None
    temperature: Temperature = None
    base_url: BaseUrl = None


@dataclass(frozen=True)
class RunOptions:
    """How the run is carried out, or taken up again."""

    batch: Annotated[
        bool,
        typer.Option("--batch", help="Through the provider's batch API: half the price, within a day."),
    ] = False
    resume: Annotated[
        str | None, typer.Option(metavar="RUN", help="Go on with a run: ask only what has no answer.")
    ] = None
    retry_failed: Annotated[
        bool,
        typer.Option("--retry-failed", help="Go on with a run (latest, or --resume): ask only what failed."),
    ] = False
    max_cost: Annotated[
        float | None, typer.Option(min=0, metavar="USD", help="Stop before the run costs more than this.")
    ] = None
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Say what would be asked and cost, and ask nothing.")
    ] = False

    @property
    def again(self) -> str | None:
        """The run to go on with; None for a new one."""
        return self.resume or ("latest" if self.retry_failed else None)


TABLE = ("columns", "wide", "format", "labels", "encoding", "rater")


@dataclass(frozen=True)
class TableOptions:
    """How a replayed file of grades is to be read."""

    columns: Columns = None
    wide: Wide = None
    format: Format = None
    labels: Labels = None
    encoding: Encoding = None
    rater: Rater = None


@dataclass(frozen=True)
class Request:
    """What is asked for, complete; `given` names what was said rather than left at its default."""

    asked: "Asked"
    given: tuple[str, ...]

    def refuse_changes(self, before: "Asked") -> None:
        """A resumed run keeps its settings: another one is a new run."""
        pairs = {name: (getattr(self.asked, name), getattr(before, name)) for name in self.given}
        changed = [(name, was) for name, (now, was) in pairs.items() if not _same(now, was)]
        if changed:
            shown = ", ".join(f"{name} {'not given' if was is None else was}" for name, was in changed)
            raise BadInput(f"--resume goes on as the run began ({shown}); start a new run to change it")


def _same(given: object, before: object) -> bool:
    """`teacher` names what `teacher@v2` was, when the digests agree too."""
    return given == before or (isinstance(before, str) and before.partition("@")[0] == given)


def request_of(
    project: "Project", asking: AskedOptions, table: TableOptions, run: RunOptions, *, no_cache: bool
) -> Request:
    """The options as one request. BadInput where they contradict each other, or would do nothing."""
    from harness.runs.manifest import Asked

    read = layout(table.columns, table.wide, table.format, table.labels, table.encoding)
    values: dict[str, object] = {
        "model": _from_root(asking.model, project) if asking.model else None,
        "policy": asking.policy,
        "prompt": asking.prompt,
        "splits": _splits(asking.split),
        "canaries": asking.canaries or None,
        "limit": asking.limit,
        "repeats": asking.repeats,
        "aggregate": _aggregate(asking.aggregate),
        "shots": asking.shots,
        "seed": asking.seed,
        "temperature": asking.temperature,
        "batch": run.batch or None,
        "columns": dict(read.columns) or None,
        "wide": read.wide or None,
        "format": table.format,
        "labels": dict(read.labels) or None,
        "encoding": table.encoding,
        "rater": table.rater,
    }
    if run.resume is None:
        _refuse_idle(asking, [name for name in TABLE if values[name]])
    values |= {name: value for name, value in _chosen(project, asking).items() if not values.get(name)}
    given = {name: value for name, value in values.items() if value is not None}
    defaults = {"model": MODEL, "policy": DEFAULT_POLICY, "prompt": "teacher", "splits": ("dev",)}
    beside = {"base_url": asking.base_url, "no_cache": no_cache}
    return Request(Asked.model_validate({**defaults, **given, **beside}), tuple(given))


def refuse_empty(**given: str | None) -> None:
    """An empty word is a variable that was not set: the whole golden set is not what it stood for."""
    empty = [
        f"--{name.replace('_', '-')}"
        for name, value in given.items()
        if value is not None and not value.strip()
    ]
    if empty:
        raise BadInput(f"{', '.join(empty)}: nothing is given there; name it, or leave the option away")


def _refuse_idle(asking: AskedOptions, table: list[str]) -> None:
    """An option that would do nothing is refused."""
    from harness.providers import reads_grades

    if table and not reads_grades(asking.model or MODEL):
        names = ", ".join(f"--{name}" for name in table)
        raise BadInput(f"{names}: how a file of grades is read; --model replay/FILE reads one")
    if asking.aggregate and (asking.repeats or 1) == 1:
        raise BadInput("--aggregate says what several answers count for: give --repeats too")


def _chosen(project: "Project", asking: AskedOptions) -> dict[str, object]:
    """The examples that were chosen by name, or by what another run got wrong and where that lies."""
    chosen = asking.only or asking.disagreements_of
    if asking.canaries and (asking.split or asking.limit or asking.repeats or chosen):
        raise BadInput(
            "--canaries grades every canary once: it goes without --split, --limit, --repeats, --only"
        )
    if chosen and (asking.limit or (asking.only and asking.disagreements_of)):
        raise BadInput("--only, --disagreements-of and --limit each say what to grade: give one of them")
    if asking.disagreements_of:
        return _wrong_in(project, asking.disagreements_of)
    if asking.only is None:
        return {}
    names = tuple(dict.fromkeys(id_.strip() for id_ in asking.only.split(",") if id_.strip()))
    if not names:
        raise BadInput(f"--only {asking.only!r} names no example")
    return {"only": names}


def _wrong_in(project: "Project", text: str) -> dict[str, object]:
    from harness.score.items import voted
    from harness.score.reading import reading_of

    reading = reading_of(project, text)
    asked = reading.run.manifest.asked
    if not asked.kind.scored:
        raise BadInput(f"--disagreements-of {text}: that run graded canaries, which are graded all together")
    items = map(voted, reading.items)
    wrong = tuple(item.item for item in items if item.answers[0].grade != item.golden)
    if not wrong:
        raise BadInput(f"--disagreements-of {text}: that run agrees with every golden grade")
    return {"only": wrong, "splits": asked.splits, "policy": asked.policy}


def _from_root(model: str, project: "Project") -> str:
    """A replayed file by its path from the project's folder, so that a run can be resumed from anywhere."""
    from harness.providers import reads_grades, split_model

    if not reads_grades(model):
        return model
    provider, file = split_model(model)
    path = Path.cwd() / file
    return f"{provider}/{path.relative_to(project.root) if path.is_relative_to(project.root) else path}"


def _aggregate(text: str | None) -> str | None:
    if text not in (None, "mean", "vote"):
        raise BadInput(f"--aggregate {text!r} is not one of: mean, vote")
    return text


def _splits(split: str | None) -> tuple[str, ...] | None:
    from harness.golden.splits import parse_splits

    return None if split is None else parse_splits(split)
