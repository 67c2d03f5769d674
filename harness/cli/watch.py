"""`harness watch`: who drifted, the teacher or the traffic?"""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from harness.cli.estimate import SampleRatings
from harness.cli.options import (
    Json,
    Root,
    Weighting,
    argument,
    load_keys,
    project_at,
    refuse_lost,
    weighting_of,
    with_note,
)
from harness.cli.output import print_json, say, show, shown_path
from harness.cli.rated import LevelOptions, TableOptions, refuse
from harness.cli.watch_options import DayOptions, DriftOptions, SentinelOptions
from harness.cli.watch_output import WatchOutput, code_of, write_found
from harness.errors import BadInput, Fault
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.golden.graded_files import Levels
    from harness.runs.watch_folder import TrafficLine, WatchSettings
    from harness.score.watch import Settings
    from harness.scorecards.watch import Watch

FOLDER = "watch"
"""The folder of the default watch, in runs/."""


@dataclass(frozen=True, eq=False, repr=False)
class _Given:
    """The options of the command, in their groups."""

    ask: SentinelOptions
    today: DayOptions
    drift: DriftOptions
    rated: SampleRatings
    levels: LevelOptions
    table: TableOptions
    root: Path | None


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

    The test allows for a look every day. Ends with 0 if no drift is shown, 1 at an alarm, 3 if it is
    undecided.
    """
    out.refuse_both(as_json=json)
    refuse_lost([] if source is None else [str(source)])
    given = _Given(ask, today, drift, rated, levels, table, root)
    # A pipe is a table too: <(zcat days.csv.gz).
    if source is not None and source.exists() and not source.is_dir():
        found = _of_table(source, given, weighting)
    else:
        if weighting is not None:
            raise BadInput("--weighting goes with a table; a watch takes that of its policy's gates.toml")
        made = _of_folder(source, given, as_json=json)
        if made is None:
            return
        found = made
    write_found(found, out, as_json=json)
    raise typer.Exit(code_of(found))


def _of_table(path: Path, given: _Given, weighting: str | None) -> "Watch":
    from harness.score.watch_table import watch_table
    from harness.storage.formats import read_table

    idle = given.ask.given("repeats") | given.today.given() | given.rated.given()
    refuse(idle, ": a table is read as it is, without calls; remove it")
    known, how = given.levels.levels(given.root), given.table.layout
    return watch_table(read_table(path, how), how, known, _settings(given, weighting, known))


def _settings(given: _Given, weighting: str | None, levels: "Levels") -> "Settings":
    from harness.score.watch import ALPHA, DELTA, LEAST_REPEATS, Settings

    alpha, delta, repeats = given.drift.alpha, given.drift.delta, given.ask.repeats
    return Settings(
        ALPHA if alpha is None else alpha,
        DELTA if delta is None else delta,
        weighting_of(weighting) or levels.gates.weighting,
        LEAST_REPEATS if repeats is None else repeats,
    )


def _of_folder(source: Path | None, given: _Given, *, as_json: bool) -> "Watch | None":
    """A watch with one day more; None after a forecast."""
    from harness.runs.watch_folder import is_watch, load_settings
    from harness.score.watch_folder import watch_of
    from harness.watch.begin import begin, settled
    from harness.watch.days import add_traffic

    project, today = project_at(given.root), given.today
    folder = source or project.runs / FOLDER
    if given.levels.scale is not None:
        raise BadInput("--scale goes with a table; a watch grades by its policy")
    load_keys(project)
    if today.no_ask:
        settings = load_settings(folder)
        line = _traffic(folder, settings, given)
    else:
        wanted = given.ask.wanted(project, given.levels.policy, given.drift)
        settings = settled(project, folder, wanted)
        # Answers cost money: read all other input first.
        line = _traffic(folder, settings, given)
        if today.dry_run:
            _forecast(project, settings, begun=is_watch(folder), as_json=as_json)
            return None
        if not is_watch(folder):
            with_note(wanted.asked.policy, project)
        _ask(project, folder, begin(folder, settings, wanted), today)
    if line is not None:
        add_traffic(folder, line)
    return watch_of(folder)


def _ask(project: Project, folder: Path, settings: "WatchSettings", today: DayOptions) -> None:
    from harness.cli.progress import Progress
    from harness.grading.job import Limits
    from harness.watch.days import add_day

    limits = Limits(today.max_connections, max_cost=today.max_cost)
    with Progress() as progress:
        new = add_day(project, folder, settings, today.date, progress, limits)
    if not new:
        say(f"{today.date} is in {shown_path(folder)} already: no calls were made")


def _forecast(project: Project, settings: "WatchSettings", *, begun: bool, as_json: bool) -> None:
    from harness.report.money import forecast_view
    from harness.watch.days import foreseen

    found = foreseen(project, settings, begun=begun)
    print_json(found) if as_json else show(forecast_view(found))


def _traffic(folder: Path, settings: "WatchSettings", given: _Given) -> "TrafficLine | None":
    """The day's traffic, as a line that is not written yet."""
    from harness.cli.estimate import levels_of_source
    from harness.score.estimate_files import Labelled
    from harness.score.watch_sources import traffic_line
    from harness.watch.days import refuse_second

    rated, table, day, traffic = given.rated, given.table, given.today.date, given.today.traffic
    if traffic is None:
        refuse(rated.given(), " goes with --traffic")
        return None
    if lost := [path for path in (traffic, rated.ratings) if path is not None and not path.exists()]:
        raise BadInput([Fault(str(path), "no such file") for path in lost])
    refuse_second(folder, day)
    known = levels_of_source(traffic, settings.scale, table)
    people = rated.rated(table, known.policy, given.root)
    return traffic_line(day, Labelled(traffic, table.layout, known), people)
