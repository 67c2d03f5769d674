"""A day's traffic as a line of a watch: from a label set or a table, with people's ratings of it if given."""

from pathlib import Path

from harness.errors import BadInput, Fault
from harness.runs.labels import load_labels
from harness.runs.watch_folder import StratumLine, TrafficLine
from harness.score.estimate import EstimateRequest
from harness.score.estimate_files import GivenRatings, Labelled, estimate_files
from harness.score.production_table import ProductionCells
from harness.score.watched import TrafficDay
from harness.storage.tables import Layout

NEEDED = ("weight", "stratum", "grade", "shot_query")


def traffic_line(day: str, labels: Labelled, rated: GivenRatings | None) -> TrafficLine:
    """The line of a day's label set or table. BadInput for a faulty one."""
    found = _of_set(day, labels.path) if labels.is_set else _of_table(day, labels)
    if found.fault:
        raise BadInput([Fault(str(labels.path), found.fault)])
    estimate = None
    if rated is not None or _has_human(labels):
        main = estimate_files(labels, rated, EstimateRequest()).estimates[0]
        if main.value is not None:
            estimate = main.name, main.value, main.se
    total = sum(found.weights.values()) or 1.0
    strata = {
        name: StratumLine(
            weight=weight / total,
            grades={grade: part / total for grade, part in found.grades.get(name, {}).items()},
        )
        for name, weight in found.weights.items()
    }
    source = str(labels.path)
    return TrafficLine(day=day, source=source, rows=found.rows, strata=strata, estimate=estimate)


def _of_set(day: str, folder: Path) -> TrafficDay:
    found = TrafficDay(day)
    for weight, stratum, grade, shot in load_labels(folder).cells(NEEDED):
        # The prompt held the answer to a shot's query, so it says nothing about the teacher.
        found.add(stratum or "", None if shot else grade, weight)
    return found


def _of_table(day: str, labels: Labelled) -> TrafficDay:
    needed, optional, found = ("item", "teacher"), ("weight", "stratum"), TrafficDay(day)
    cells = ProductionCells.of(labels.table, labels.layout, labels.levels.scale, needed, optional)
    for row in cells.table.rows:
        found.add(cells.text(row, "stratum"), cells.grade_of(row, "teacher"), cells.weight_of(row))
    cells.faults.refuse()
    return found


def _has_human(labels: Labelled) -> bool:
    """Whether a table has people's grades in it."""
    return not labels.is_set and bool(labels.table.find("human", Layout(labels.layout.columns)))
