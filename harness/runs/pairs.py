"""Production pairs: what a surface shows, without grades, weighted by traffic if known."""

import math
import re
import shlex
import shutil
import tempfile
import weakref
from array import array
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.rows import RowTexts, check_attributes
from harness.golden.table_faults import without_doubles
from harness.nouns.base import Amount
from harness.nouns.pair import NamedPair
from harness.storage.cells import number_of
from harness.storage.digest import canonical_json, keyed_digest
from harness.storage.files import build, iter_nouns, to_line, too_long, write_lines
from harness.storage.formats import read_table
from harness.storage.stream import Stream
from harness.storage.tables import RESULT_TEXTS, Layout, Row, Table, joined, refuse_controls

_PLAIN = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")


class ShownPair(NamedPair):
    """A pair with its id in the file and its traffic weight."""

    weight: Amount = 1.0


def pairs_digest(pairs: Iterable[ShownPair]) -> str:
    """The digest of the pairs that are graded, without their traffic weights."""
    return keyed_digest((one.id, canonical_json(one.pair.digest)) for one in pairs)


def read_pairs(
    path: Path,
    layout: Layout,
    traffic: str | None = None,
    attributes: Sequence[str] = (),
    command: str | None = None,
) -> Stream[ShownPair]:
    """Every pair of a table. BadInput names every invalid row and every weight below 0.

    `command`: what reads the table; named with --columns where no column names the rows.

    A temporary file keeps the pairs while the stream exists: reading the table again would take longer.
    """
    table = read_table(path, layout)
    _refuse_unnamed(table, layout, command)
    headers = table.require(("item", "query", "title"), layout)
    check_attributes(table, layout, attributes)
    refuse_controls(table, ("item", "query", *RESULT_TEXTS), layout, attributes)
    if traffic is not None and traffic not in table.columns:
        raise BadInput(f"--traffic: no column {traffic!r} (the columns there: {', '.join(table.columns)})")
    found = _PairCounts()
    folder = Path(tempfile.mkdtemp(prefix="harness-"))
    file = folder / "pairs.jsonl"
    try:
        write_lines(file, found.noted(_each_pair(table, layout, traffic, attributes)))
        refuse_faults(found.faults)
        if len(set(found.ids)) < len(found.ids):
            keyed = ((row.line, joined(row, headers["item"]), row) for row in table.rows)
            without_doubles(keyed, lambda item: f"item {item!r}", table.place, "is there")
        if not found.weight:
            raise BadInput([Fault(str(path), f"{traffic}: no pair has any weight")])
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    stream = Stream(lambda: iter_nouns(file, ShownPair), len(found.ids))
    weakref.finalize(stream, shutil.rmtree, folder, ignore_errors=True)
    return stream


def _refuse_unnamed(table: Table, layout: Layout, command: str | None) -> None:
    """BadInput for a table without items, as `harness label` takes it, with the command that reads it."""
    query, title = table.find("query", layout), table.find("title", layout)
    parts = [*query, *title]
    if command is None or table.find("item", layout) or not (query and title) or {*",+"} & {*"".join(parts)}:
        return
    columns = {**layout.columns, "item": tuple(dict.fromkeys(parts))}
    text = ",".join(f"{name}={'+'.join(headers)}" for name, headers in columns.items())
    how = f"name each row by its query and title: {command} --columns {shlex.quote(text)}"
    raise BadInput([Fault(str(table.path), f"no column for item; {how}")])


@dataclass(slots=True)
class _PairCounts:
    """Faults, hashes of the ids, and the total weight of a table's pairs, noted while they are read."""

    faults: list[Fault] = field(default_factory=list)
    ids: "array[int]" = field(default_factory=lambda: array("q"))
    weight: float = 0.0

    def noted(self, rows: Iterable[tuple[ShownPair | None, list[Fault]]]) -> Iterator[ShownPair]:
        for pair, faults in rows:
            self.faults += faults
            if pair is not None:
                self.ids.append(hash(pair.id))
                self.weight += pair.weight
                yield pair


def _each_pair(
    table: Table, layout: Layout, traffic: str | None, attributes: Sequence[str]
) -> Iterator[tuple[ShownPair | None, list[Fault]]]:
    """Each row as a pair, or what is wrong with it."""
    item, query = table.find("item", layout), table.find("query", layout)
    texts_of = RowTexts(table, layout, attributes)
    signs: dict[str, Row] = {}
    for row in table.rows:
        signs |= {sign: row for sign in ".," if traffic and sign in row.text(traffic) and sign not in signs}
        where = table.where(row)
        texts = texts_of.of(row)
        data = {"id": joined(row, item), "query": joined(row, query)}
        data |= {"result": texts["result"], "context": texts["context"]}
        weight = _weight(row, traffic)
        pair, faults = build(ShownPair, {**data, "weight": 1.0 if weight is None else weight}, where)
        if pair is not None and (long := too_long(to_line(pair, sparse=True), where)):
            pair, faults = None, long
        if weight is None:
            faults.append(
                Fault(where, f"{traffic}: {row.text(traffic or '')!r} is not a number of 0 or more")
            )
        yield pair, faults
    if traffic and len(signs) > 1:
        point, comma = (f"{signs[sign].text(traffic)!r} in {table.unit} {signs[sign].line}" for sign in ".,")
        what = f"{traffic}: {point} has a decimal point, {comma} a decimal comma; write all in one way"
        yield None, [Fault(str(table.path), what)]


def _weight(row: Row, traffic: str | None) -> float | None:
    if traffic is None:
        return 1.0
    text = row.text(traffic)
    # As data frames and spreadsheets write numbers: 1e-05, or 0,5 with a decimal comma.
    weight = number_of(text) if "," in text else float(text) if _PLAIN.fullmatch(text) else None
    return weight if weight is not None and weight >= 0 and math.isfinite(weight) else None
