"""`harness watch`: who drifted, the teacher or the traffic?"""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.estimate import SampleRatings
from harness.cli.groups import (
    BaseUrl,
    FoldSystem,
    Html,
    Markdown,
    MaxCost,
    MaxTokens,
    NoSchema,
    Shots,
    Temperature,
    append,
)
from harness.cli.options import (
    Json,
    Options,
    Root,
    Weighting,
    argument,
    load_keys,
    option,
    policy_or_only,
    project_at,
    weighting_of,
    with_note,
)
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.rated import LevelOptions, TableOptions, given_in
from harness.errors import BadInput
from harness.storage.outputs import JUNIT
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.golden.graded_files import Levels
    from harness.runs.watch_folder import WatchSettings
    from harness.score.watch import Settings
    from harness.scorecards.watch import Watch
    from harness.watch.begin import Wanted

FOLDER = "watch"
"""The watch in runs/ where no other is named."""


class SentinelOptions(Options):
    """What to ask whom, each day. A watch keeps what it was begun with."""

    model: Annotated[str | None, option("provider/model. Default: builtin/lexical, no key, no network.")] = (
        None
    )
    prompt: Annotated[str | None, option("name or name@v2. Default: teacher, the latest.")] = None
    split: Annotated[str | None, option("Golden pairs of dev, test or dev+test. Default: dev.")] = None
    sentinels: Annotated[
        int | None, option("How many golden pairs are asked each day. Default: 50.", min=2, max=10_000)
    ] = None
    repeats: Annotated[
        int | None, option("Looks of the baseline; of a table, its first days. Default: 5.", min=1, max=100)
    ] = None
    seed: Annotated[int | None, option("Seed of the choice; sent to the model if given.")] = None
    shots: Shots = None
    temperature: Temperature = None
    max_tokens: MaxTokens = None
    no_schema: NoSchema = False
    fold_system: FoldSystem = False
    base_url: BaseUrl = None

    def wanted(self, project: Project, policy: str | None, bars: "DriftOptions") -> "Wanted":
        """What the user asks for, and which of it was said."""
        from harness.cli.eval_options import MODEL, from_root
        from harness.golden.splits import parse_splits
        from harness.providers import refuse_unread
        from harness.runs.manifest import Asked
        from harness.watch.begin import Wanted

        model = from_root(self.model or MODEL, project)
        refuse_unread(model, self.shots)
        values = {name: getattr(self, name) for name in self.fields()}
        for name in ("split", "sentinels", "repeats"):
            del values[name]
        asked = Asked(
            **values
            | {"model": model, "prompt": self.prompt or "teacher"}
            | {"policy": policy_or_only(policy, project), "splits": parse_splits(self.split or "dev")}
        )
        said = {**vars(self), **vars(bars), "policy": policy}
        given = {"splits" if name == "split" else name for name, value in said.items() if value or value == 0}
        given -= {name for name in ("no_schema", "fold_system") if not said[name]}
        return Wanted(asked, frozenset(given), self.sentinels, self.repeats, bars.alpha, bars.delta)


class DriftOptions(Options):
    """What counts as a drift."""

    alpha: Annotated[
        float | None,
        option("Chance of an alarm ever, if nothing drifts. Default: 0.05.", min=1e-6, max=0.5),
    ] = None
    delta: Annotated[
        float | None, option("The drift that nobody minds, in loss or share. Default: 0.02.", min=0, max=0.5)
    ] = None


class DayOptions(Options):
    """Which day, and what is added to it."""

    day: Annotated[str | None, option("The day, such as 2026-11-30. Default: today.")] = None
    traffic: Annotated[
        Path | None, option("The day's traffic: a label set, or a table of item, teacher, stratum, weight.")
    ] = None
    no_ask: Annotated[bool, option("Ask nobody: show the watch, or add --traffic alone.", "--no-ask")] = False
    max_connections: Annotated[int | None, option("Maximum of calls in flight.", min=1, max=5000)] = None
    max_cost: MaxCost = None
    dry_run: Annotated[
        bool, option("Print what the day would ask and cost; make no API calls.", "--dry-run")
    ] = False

    @property
    def date(self) -> str:
        """The day. BadInput for one that is no date."""
        from datetime import date

        if self.day is None:
            return f"{date.today():%Y-%m-%d}"  # noqa: DTZ011  # the user's own day
        try:
            return f"{date.fromisoformat(self.day):%Y-%m-%d}"
        except ValueError:
            raise BadInput(f"--day {self.day}: not a date such as 2026-11-30") from None


class WatchOutput(Options):
    """What else is written."""

    junit: Annotated[Path | None, option("Write both processes as JUnit XML."), JUNIT] = None
    markdown: Markdown = None
    html: Html = None
    line: Annotated[
        bool, option("Print one line of JSON with a `text`, to hand on to a webhook.", "--line")
    ] = False


def watch_command(
    source: Annotated[
        Path | None,
        argument(
            "The watch, a folder (default: runs/watch); or a table: day, item, query, golden, teacher, and "
            "stratum, weight of rows without golden.",
            metavar="WATCH",
        ),
    ] = None,
    *,
    ask: SentinelOptions,
    today: DayOptions,
    drift: DriftOptions,
    weighting: Weighting = None,
    rated: SampleRatings,
    levels: LevelOptions,
    table: TableOptions,
    out: WatchOutput,
    root: Root = None,
    json: Json = False,
) -> None:
    """Who drifted, the teacher or the traffic? Asks golden pairs again, day by day.

    Looking every day is allowed for. Ends with 0 if no drift is shown, 1 at an alarm, 3 if no day says
    anything yet.
    """
    if source is not None and source.is_file():
        found = _of_table(source, ask, today, drift, weighting, levels, table, rated, root)
    else:
        if weighting is not None:
            raise BadInput("--weighting goes with a table; a watch takes that of its policy's gates.toml")
        made = _of_folder(source, ask, today, drift, rated, levels, table, root, as_json=json)
        if made is None:
            return
        found = made
    _write(found, out, as_json=json)
    raise typer.Exit(_code(found))


def _code(found: "Watch") -> int:
    """0 without a drift, 1 at an alarm, 3 where nothing can be told."""
    return {"none": 0, None: 3}.get(found.verdict, 1)


def _write(found: "Watch", out: WatchOutput, *, as_json: bool) -> None:
    from harness.report.regression import annotations
    from harness.report.watch import conditions_of, junit_text, markdown_text, watch_view, webhook_line
    from harness.storage.files import write_atomic

    if out.junit is not None:
        write_atomic(out.junit, junit_text(found))
    append(out.markdown, markdown_text(found))
    if out.html is not None:
        from harness.report.page.watch import write_watch

        write_watch(out.html, found)
        say(f"page: {shown_path(out.html.absolute())}")
    for line in annotations(conditions_of(found)):
        say(line)
    if as_json and out.line:
        raise BadInput("--json and --line both print on standard output; give one of them")
    if out.line:
        typer.echo(webhook_line(found))
    elif as_json:
        print_json(found)
    else:
        show(watch_view(found))


def _of_table(
    path: Path,
    ask: SentinelOptions,
    today: DayOptions,
    drift: DriftOptions,
    weighting: str | None,
    levels: LevelOptions,
    table: TableOptions,
    rated: SampleRatings,
    root: Path | None,
) -> "Watch":
    from harness.score.watch_table import watch_table
    from harness.storage.formats import read_table

    others = {**vars(ask), **vars(today), **vars(rated), "repeats": None}
    if given := given_in({name: value or None for name, value in others.items()}):
        raise BadInput(f"{given}: a table is read as it is, and nobody is asked; remove it")
    known = levels.levels(root)
    settings = _settings(ask, drift, weighting, known)
    return watch_table(read_table(path, table.layout), table.layout, known, settings)


def _settings(
    ask: SentinelOptions, drift: DriftOptions, weighting: str | None, levels: "Levels"
) -> "Settings":
    from harness.score.watch import ALPHA, DELTA, LEAST_REPEATS, Settings

    return Settings(
        ALPHA if drift.alpha is None else drift.alpha,
        DELTA if drift.delta is None else drift.delta,
        weighting_of(weighting) or levels.gates.weighting,
        LEAST_REPEATS if ask.repeats is None else ask.repeats,
    )


def _of_folder(
    source: Path | None,
    ask: SentinelOptions,
    today: DayOptions,
    drift: DriftOptions,
    rated: SampleRatings,
    levels: LevelOptions,
    table: TableOptions,
    root: Path | None,
    *,
    as_json: bool,
) -> "Watch | None":
    """A watch with one day more; None after a forecast."""
    from harness.runs.watch_folder import is_watch, load_settings
    from harness.score.watch_folder import watch_of
    from harness.watch.begin import begin, planned

    project = project_at(root)
    folder = source or project.runs / FOLDER
    if levels.scale is not None:
        raise BadInput("--scale goes with a table; a watch grades by its policy")
    load_keys(project)
    if today.no_ask:
        settings = load_settings(folder)
    else:
        wanted = ask.wanted(project, levels.policy, drift)
        if today.dry_run:
            begun = is_watch(folder)
            settings = begin(project, folder, wanted) if begun else planned(project, wanted)
            _forecast(project, settings, begun=begun, as_json=as_json)
            return None
        if not is_watch(folder):
            with_note(wanted.asked.policy, project)
        settings = begin(project, folder, wanted)
        _ask(project, folder, settings, today)
    if today.traffic is not None:
        _add_traffic(folder, settings, today, rated, table, root)
    elif given := given_in({name: value or None for name, value in vars(rated).items()}):
        raise BadInput(f"{given} goes with --traffic")
    return watch_of(folder)


def _ask(project: Project, folder: Path, settings: "WatchSettings", today: DayOptions) -> None:
    from harness.cli.progress import Progress
    from harness.grading.job import Limits
    from harness.watch.days import add_day

    limits = Limits(today.max_connections, max_cost=today.max_cost)
    with Progress() as progress:
        new = add_day(project, folder, settings, today.date, progress, limits)
    if not new:
        say(f"{today.date} is in {shown_path(folder)} already: nobody was asked")


def _forecast(project: Project, settings: "WatchSettings", *, begun: bool, as_json: bool) -> None:
    from harness.report.money import forecast_view
    from harness.watch.days import foreseen

    found = foreseen(project, settings, begun=begun)
    print_json(found) if as_json else show(forecast_view(found))


def _add_traffic(
    folder: Path,
    settings: "WatchSettings",
    today: DayOptions,
    rated: SampleRatings,
    table: TableOptions,
    root: Path | None,
) -> None:
    from harness.cli.estimate import levels_of_source
    from harness.score.estimate_files import Labelled
    from harness.score.watch_sources import traffic_line
    from harness.watch.days import add_traffic

    assert today.traffic is not None, "the caller looked"
    known = levels_of_source(today.traffic, settings.scale, table)
    people = rated.rated(table, known.policy, root)
    add_traffic(folder, traffic_line(today.date, Labelled(today.traffic, table.layout, known), people))
