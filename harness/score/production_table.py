"""A table of production rows with the teacher's grades, and human ones where there are any."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Self

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.scales import grade_reader
from harness.golden.table_faults import TableFaults, without_doubles
from harness.nouns.pair import one_form
from harness.runs.label_values import HEAVIEST, LIGHTEST
from harness.score.gathered import Gathered, Queries
from harness.score.human_grades import HumanGrades, chance_fault, chance_of
from harness.storage.cells import number_of
from harness.storage.tables import Layout, Row, Table, joined

NEEDED, OPTIONAL = ("item", "query", "teacher"), ("human", "weight", "stratum", "position", "pi")
Reader = Callable[[str], tuple[int | None, str | None]]


@dataclass(slots=True)
class ProductionCells:
    """The headers of a table with grades, and how its cells are read; `faults` collects what is wrong."""

    table: Table
    headers: dict[str, tuple[str, ...]]
    grade: Reader
    faults: TableFaults

    @classmethod
    def of(
        cls,
        table: Table,
        layout: Layout,
        scale: tuple[int, ...],
        needed: Sequence[str],
        optional: Sequence[str],
    ) -> Self:
        """The cells of a table. BadInput for a needed column that it lacks."""
        headers = table.require(tuple(needed), layout)
        headers |= {name: table.find(name, layout) for name in optional}
        return cls(table, headers, grade_reader(layout.labels, scale), TableFaults(table))

    def text(self, row: Row, name: str) -> str:
        """A cell; empty without the column."""
        return joined(row, self.headers[name])

    def grade_of(self, row: Row, name: str) -> int | None:
        """A grade on the scale; None for an empty cell, and for a fault."""
        text = self.text(row, name)
        grade, fault = self.grade(text)
        if fault:
            self.faults.note_grade(row, "+".join(self.headers[name]), text, fault)
        return grade

    def weight_of(self, row: Row) -> float:
        """The row's weight, 1 without one; a fault is noted."""
        text = self.text(row, "weight")
        value = _number(text) if text else 1.0
        if value is None or not LIGHTEST <= value <= HEAVIEST:
            what = f"weight: {text!r} is not a number above 0, from {LIGHTEST:.0e} to {HEAVIEST:.0e}"
            self.faults.note(row, what)
            return 1.0
        return value

    def pi_of(self, row: Row) -> float | None:
        """The row's inclusion probability; a fault is noted."""
        text = self.text(row, "pi")
        value = chance_of(text)
        if text and value is None:
            self.faults.note(row, chance_fault(text))
        return value

    def position_of(self, row: Row) -> int | None:
        """The row's rank from 1, None without one; a fault is noted."""
        text = self.text(row, "position")
        value = _number(text) if text else None
        if text and (value is None or value < 1 or value != int(value) or value > 1_000_000):
            self.faults.note(row, f"position: {text!r} does not count from 1")
            return None
        return None if value is None else int(value)


def _number(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return number_of(text)


def read_production(
    table: Table,
    layout: Layout,
    scale: tuple[int, ...],
    queries: Queries,
    people: HumanGrades | None = None,
) -> tuple[Gathered, dict[str, str]]:
    """The rows of a table, and the items of `people` that it has, with their queries.

    Without `people`, its own human grades. BadInput names every faulty row.
    """
    path, columns = table.path, ProductionCells.of(table, layout, scale, NEEDED, OPTIONAL)
    headers, faults = columns.headers, columns.faults
    if people is None and not headers["human"]:
        raise BadInput([Fault(str(path), "no column for human: name a file of ratings with --ratings")])
    if people is not None and headers["human"]:
        raise BadInput([Fault(str(path), "has human grades of its own: leave --ratings out, or the column")])
    found, met = Gathered(scale, queries), dict[str, str]()
    items = [(row.line, one_form(columns.text(row, "item")), row) for row in table.rows]
    for _, item, row in items:
        query = columns.text(row, "query")
        faults.note_gaps(row, ("item", "query"), {"item": item or None, "query": query or None})
        human, pi = _human(columns, row, item, people)
        if people is not None and human:
            met[item] = query
            found.rated.add(item)
        teacher, weight = columns.grade_of(row, "teacher"), columns.weight_of(row)
        where = columns.text(row, "stratum"), columns.position_of(row)
        found.add(query, teacher, human, pi, weight, *where)
    faults.refuse()
    without_doubles(items, lambda item: f"item {item!r}", table.place, "is there")
    if headers["pi"] and people is None:
        _refuse_gaps(columns)
    return found, met


def _human(
    columns: ProductionCells, row: Row, item: str, people: HumanGrades | None
) -> tuple[tuple[int, int, int] | None, float | None]:
    if people is not None:
        one = people.grades.get(item)
        return (None, None) if one is None else ((one.grade, one.lowest, one.highest), one.pi)
    grade = columns.grade_of(row, "human")
    if grade is None:
        return None, None
    return (grade, grade, grade), columns.pi_of(row)


def _refuse_gaps(columns: ProductionCells) -> None:
    """BadInput for rows with a human grade and no probability in a table that says how rows were drawn."""
    table = columns.table
    lacks = [row for row in table.rows if columns.text(row, "human") and not columns.text(row, "pi")]
    refuse_faults(
        Fault(table.where(row), "a human grade without pi: a hunted row is not a sample") for row in lacks
    )
