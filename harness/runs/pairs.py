"""Production pairs: what a surface shows, without grades, weighted by traffic where somebody knows it."""

import math
from collections.abc import Iterable, Sequence
from pathlib import Path

from pydantic import Field

from harness.errors import BadInput, Fault
from harness.golden.grade_tables import refuse_doubles
from harness.golden.rows import check_attributes, texts_of
from harness.nouns.base import Noun
from harness.nouns.pair import Pair, Result, query_key
from harness.storage.digest import digest
from harness.storage.files import build
from harness.storage.tables import RESULT_TEXTS, Layout, Row, joined, read_table, refuse_controls


class ShownPair(Noun):
    """A pair by the id it has in its file, and how often it is seen."""

    id: str = Field(min_length=1)
    query: str = Field(min_length=1)
    result: Result
    context: dict[str, str] | None = None
    weight: float = Field(default=1.0, ge=0)

    @property
    def pair(self) -> Pair:
        """What a teacher may see of it."""
        return Pair(query=self.query, result=self.result, context=self.context)

    @property
    def cluster(self) -> str:
        """The query as a key."""
        return query_key(self.query)


def pairs_digest(pairs: Iterable[ShownPair]) -> str:
    """Identity of what is graded; traffic changes no answer."""
    return digest({one.id: one.pair.digest for one in pairs})


def read_pairs(
    path: Path, layout: Layout, traffic: str | None = None, attributes: Sequence[str] = ()
) -> list[ShownPair]:
    """Every pair of a table. BadInput names every row that is none, and every weight below 0."""
    table = read_table(path, layout.format)
    headers = table.require(("item", "query", "title"), layout)
    check_attributes(table, layout, attributes)
    refuse_controls(table, ("item", "query", *RESULT_TEXTS), layout, attributes)
    if traffic is not None and traffic not in table.columns:
        raise BadInput(f"--traffic: no column {traffic!r} (the columns there: {', '.join(table.columns)})")
    faults: list[Fault] = []
    pairs: list[ShownPair] = []
    for row in table.rows:
        where = table.where(row)
        texts = texts_of(table, row, layout, attributes)
        data = {"id": joined(row, headers["item"]), "query": joined(row, headers["query"])}
        data |= {"result": texts["result"], "context": texts["context"]}
        pair, found = build(ShownPair, {**data, "weight": 1.0}, where)
        weight = _weight(row, traffic)
        if weight is None:
            what = f"{traffic}: {row.text(traffic or '')!r} is no number of 0 or more"
            found = [*found, Fault(where, what)]
        faults += found
        if pair is not None and weight is not None:
            pairs.append(pair.model_copy(update={"weight": weight}))
    if faults:
        raise BadInput(faults)
    doubles = [(table.where(row), (joined(row, headers["item"]),)) for row in table.rows]
    refuse_doubles(doubles, "item {0!r}", "is there")
    if not pairs:
        raise BadInput([Fault(str(path), "holds no pair")])
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
