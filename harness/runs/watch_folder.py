"""A watch: a folder of runs over the same golden pairs, and a history with a line for each day.

watch.json       what is asked of whom, and what counts as a drift; it never changes
history.jsonl    append-only: the baseline, each day's loss, each day's traffic. A watch is read from it alone
baseline/RUN     the run whose repeats are the baseline
days/DAY/RUN     the run of each day, with its raw replies
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter, ValidationError

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.base import MOST, Amount, Count, Interval, Level, Noun, Weighting
from harness.runs.manifest import MANIFEST, Asked, Digests
from harness.runs.record_log import writing
from harness.storage.files import faults_of, load_noun, to_line, write_atomic
from harness.storage.line_log import open_log, whole_lines
from harness.storage.project import folder_names
from harness.storage.regular import SETTINGS, append_whole, odd_files

WATCH, HISTORY, BASELINE, DAYS = "watch.json", "history.jsonl", "baseline", "days"
DAMAGE = "the history is damaged; restore it from a backup"
Share = Annotated[float, Field(ge=0, le=1)]
Figure = Annotated[float, Field(ge=-MOST, le=MOST)]
"""A share, or a mean of grades: bounded as grades are, so that no sum of days is infinite."""
MOST_NAMES = 20
"""How many model names of a day a line keeps."""


class WatchSettings(Noun):
    """What a watch asks, and what counts as a drift. `asked.only`: the sentinels."""

    format: Literal[1] = 1
    created_at: str
    asked: Asked
    digests: Digests
    repeats: Annotated[int, Field(ge=1, le=1000)]
    weighting: Weighting
    alpha: Annotated[float, Field(gt=0, lt=1)]
    delta: Share
    scale: tuple[Level, ...]


class BaselineLine(Noun):
    """The mean loss of each repeat of the baseline."""

    kind: Literal["baseline"] = "baseline"
    day: str
    run: str
    losses: tuple[Share, ...]
    n: Count
    n_queries: Count
    models: tuple[str, ...] = ()


class DayLine(Noun):
    """The mean loss of a day; `ci` of its difference to the baseline, clustered by query."""

    kind: Literal["day"] = "day"
    day: str
    run: str
    loss: Share
    n: Count
    n_queries: Count
    unread: Count = 0
    ci: Interval | None = None
    models: tuple[str, ...] = ()


class StratumLine(Noun):
    """The traffic of a stratum: its weight, and the weight of each grade that the teacher gave."""

    weight: Amount
    grades: dict[Level, Amount] = Field(default={})


class TrafficLine(Noun):
    """The traffic of a day by stratum, and what people's ratings of it say, if there are any."""

    kind: Literal["traffic"] = "traffic"
    day: str
    source: str
    rows: Count
    strata: dict[str, StratumLine]
    estimate: tuple[str, Figure, Amount | None] | None = None


Line = BaselineLine | DayLine | TrafficLine
_LINE: TypeAdapter[Line] = TypeAdapter(Annotated[Line, Field(discriminator="kind")])


def is_watch(folder: Path) -> bool:
    """Whether a folder holds a watch."""
    return (folder / WATCH).is_file()


def load_settings(folder: Path) -> WatchSettings:
    """What a watch asks. BadInput if it is damaged, or not a watch."""
    if not folder.is_dir() or not os.path.lexists(folder / WATCH):
        raise BadInput([Fault(str(folder), "no such watch; `harness watch FOLDER --model ...` begins one")])
    refuse_faults(odd_files(folder))
    return load_noun(folder / WATCH, WatchSettings, SETTINGS, links=False)


@contextmanager
def alone_in(folder: Path) -> Iterator[None]:
    """Lock a watch. BadInput if another process holds it."""
    lock = writing(folder, "watch")
    try:
        yield
    finally:
        lock.release()


def save_settings(folder: Path, settings: WatchSettings) -> None:
    """Write what a new watch asks, once; the caller holds the folder. BadInput where something is there."""
    if os.path.lexists(folder / WATCH):
        raise BadInput([Fault(str(folder / WATCH), "is there already: begin the watch in another folder")])
    write_atomic(folder / WATCH, settings.model_dump_json(indent=2) + "\n")


def history_of(folder: Path) -> list[Line]:
    """Every line. A last line that a kill cut off is skipped: its day is done again."""
    path = folder / HISTORY
    found, faults = list[Line](), list[Fault]()
    seen = set[tuple[str, str]]()
    for number, raw in enumerate(whole_lines(path), start=1):
        where = f"{path}, line {number}"
        try:
            line = _LINE.validate_json(raw)
        except ValidationError as error:
            faults += faults_of(error, where)
            continue
        key = line.kind, "" if line.kind == "baseline" else line.day
        if key in seen:
            faults.append(Fault(where, f"a second line for {line.kind} {line.day}"))
        seen.add(key)
        found.append(line)
    refuse_faults([*faults, Fault(str(path), DAMAGE)] if faults else ())
    return found


def append_line(folder: Path, line: Line) -> None:
    """Add a line, on the disk when this returns; half a line that a kill left is cut off before."""
    with open_log(folder / HISTORY) as file:
        append_whole(file, to_line(line).encode("utf-8"))
        os.fsync(file.fileno())


def run_in(folder: Path) -> Path | None:
    """The run in a day's folder, finished or not; None before it began."""
    refuse_faults([Fault(str(folder), "is a link")] if folder.is_symlink() else ())
    names = [name for name in folder_names(folder) if (folder / name / MANIFEST).exists()]
    return folder / names[-1] if names else None
