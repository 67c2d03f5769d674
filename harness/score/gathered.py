"""Rows of production, gathered into arrays while a table or a label set is read."""

from array import array
from dataclasses import dataclass, field

import numpy as np

from harness.nouns.pair import query_key
from harness.score.production_rows import ProductionRows
from harness.stats.agreement import Integers
from harness.stats.raters import MISSING


class Queries:
    """Numbers for queries, from 0: spellings that differ only in case and marks are one.

    Shared by the label sets that are compared.
    """

    def __init__(self) -> None:
        self._numbers: dict[str, int] = {}

    def __len__(self) -> int:
        return len(self._numbers)

    def number(self, query: str) -> int:
        """The number of a query."""
        return self._numbers.setdefault(query_key(query), len(self._numbers))


@dataclass(slots=True)
class Gathered:
    """Columns that grow row by row; grades are positions on the scale.

    `shots`: rows left out, since a shot has their query. `rated`: the items of a file of ratings that gave a
    row its human grade.
    """

    scale: tuple[int, ...]
    queries: Queries
    numbers: "array[int]" = field(default_factory=lambda: array("q"))
    teacher: "array[int]" = field(default_factory=lambda: array("b"))
    human: "array[int]" = field(default_factory=lambda: array("b"))
    lowest: "array[int]" = field(default_factory=lambda: array("b"))
    highest: "array[int]" = field(default_factory=lambda: array("b"))
    weight: "array[float]" = field(default_factory=lambda: array("d"))
    pi: "array[float]" = field(default_factory=lambda: array("d"))
    stratum: "array[int]" = field(default_factory=lambda: array("q"))
    position: "array[int]" = field(default_factory=lambda: array("q"))
    names: dict[str, int] = field(default_factory=dict)
    shots: int = 0
    rated: set[str] = field(default_factory=set)

    def add(
        self,
        query: str,
        teacher: int | None,
        human: tuple[int, int, int] | None,
        pi: float | None,
        weight: float = 1.0,
        stratum: str | None = None,
        position: int | None = None,
    ) -> None:
        """Add a row. `human`: the grade that counts, the lowest and the highest of the raters'."""
        self.numbers.append(self.queries.number(query))
        self.teacher.append(self._place(teacher))
        for column, grade in zip(
            (self.human, self.lowest, self.highest), human or (None, None, None), strict=True
        ):
            column.append(self._place(grade))
        self.weight.append(weight)
        self.pi.append(pi or 1.0)
        self.stratum.append(self.names.setdefault(stratum or "", len(self.names)))
        self.position.append(position or 0)

    def _place(self, grade: int | None) -> int:
        return MISSING if grade is None else self.scale.index(grade)

    def rows(self) -> ProductionRows:
        """The rows; call it when all queries that are to be compared are known."""
        human, pi = _integers(self.human), np.array(self.pi, dtype=np.float64)
        drawn = pi[human != MISSING]
        named = set(self.names) != {""}
        positions = _integers(self.position)
        return ProductionRows(
            scale=self.scale,
            queries=_integers(self.numbers),
            n_queries=len(self.queries),
            teacher=_integers(self.teacher),
            human=human,
            lowest=_integers(self.lowest),
            highest=_integers(self.highest),
            weight=np.array(self.weight, dtype=np.float64),
            pi=pi if len(drawn) and drawn.min() < drawn.max() else None,
            stratum=_integers(self.stratum) if named else None,
            strata=tuple(name or "(none)" for name in self.names) if named else (),
            position=positions if positions.any() else None,
            shots=self.shots,
        )


def _integers(column: "array[int]") -> Integers:
    return np.array(column, dtype=np.int64)
