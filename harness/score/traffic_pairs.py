"""Pairs of traffic, as a label set or a table has them, each distinct one once with its weight."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.nouns.pair import Pair
from harness.runs.labels import is_label_set, load_labels
from harness.runs.pairs import read_pairs
from harness.storage.formats import read_table
from harness.storage.tables import Layout, joined

NEEDED = ("item", "pair", "weight", "stratum")


@dataclass(slots=True)
class TrafficPair:
    """A distinct pair. `items`: the ids of its rows; `weight`: their sum; `stratum`: that of the first."""

    pair: Pair
    items: list[str]
    weight: float
    stratum: str


def traffic_pairs(path: Path, layout: Layout, command: str | None = None) -> list[TrafficPair]:
    """The distinct pairs in their order. BadInput for a faulty label set or table, read by `command`."""
    found: dict[str, TrafficPair] = {}
    rows = _of_set(path) if is_label_set(path) else _of_table(path, layout, command)
    for item, pair, weight, stratum in rows:
        known = found.get(pair.digest)
        if known is None:
            found[pair.digest] = TrafficPair(pair, [item], weight, stratum)
        else:
            known.items.append(item)
            known.weight += weight
    return list(found.values())


def _of_set(folder: Path) -> Iterator[tuple[str, Pair, float, str]]:
    for item, pair, weight, stratum in load_labels(folder).cells(NEEDED):
        yield item, Pair.model_validate(json.loads(pair)), weight, stratum or ""


def _of_table(path: Path, layout: Layout, command: str | None) -> Iterator[tuple[str, Pair, float, str]]:
    table = read_table(path, layout)
    weight, stratum = table.find("weight", layout), table.find("stratum", layout)
    pairs = read_pairs(path, layout, weight[0] if weight else None, command=command)
    for row, one in zip(table.rows, pairs, strict=True):
        yield one.id, one.pair, one.weight, joined(row, stratum)
