"""Production pairs: what a surface shows, without grades, weighted by traffic where somebody knows it."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.files import build
from harness.golden.graded import refuse_doubles
from harness.golden.rows import check_attributes, texts_of
from harness.records import Pair
from harness.tables import Layout, Row, joined, read_table


@dataclass(frozen=True, slots=True)
class ShownPair:
    """A pair by the id it has in its file, and how often it is seen."""

    id: str
    pair: Pair
    weight: float = 1.0


def read_pairs(
    path: Path, layout: Layout, traffic: str | None = None, attributes: Sequence[str] = ()
) -> list[ShownPair]:
    """Every pair of a table. BadInput names every row that is none, and every weight below 0."""
    table = read_table(path, layout.format)
    headers = table.require(("item", "query", "title"), layout)
    check_attributes(table, layout, attributes)
    if traffic is not None and traffic not in table.columns:
        raise BadInput(f"--traffic: no column {traffic!r} (the columns there: {', '.join(table.columns)})")
    faults: list[Fault] = []
    pairs: list[ShownPair] = []
    for row in table.rows:
        where = table.where(row)
        item, query = joined(row, headers["item"]), joined(row, headers["query"])
        texts = texts_of(table, row, layout, attributes)
        data = {"query": query, "result": texts["result"], "context": texts["context"]}
        pair, found = build(Pair, data, where)
        weight = _weight(row, traffic)
        if not item:
            found = [*found, Fault(where, f"empty item ({'+'.join(headers['item'])})")]
        if weight is None:
            found = [
                *found,
                Fault(where, f"{traffic}: {row.text(traffic or '')!r} is no number of 0 or more"),
            ]
        faults += found
        if pair is not None and weight is not None and not found:
            pairs.append(ShownPair(item, pair, weight))
    if faults:
        raise BadInput(faults)
    refuse_doubles(
        [(table.where(row), (joined(row, headers["item"]),)) for row in table.rows], "item {0!r}", "is there"
    )
    if not sum(one.weight for one in pairs):
        raise BadInput([Fault(str(path), f"{traffic}: no pair has any weight")])
    return pairs


def _weight(row: Row, traffic: str | None) -> float | None:
    if traffic is None:
        return 1.0
    try:
        weight = float(row.text(traffic))
    except ValueError:
        return None
    return weight if weight >= 0 and math.isfinite(weight) else None
