"""Production pairs from files: each row as a pair with its weight, stratum and position, or as faults."""

import glob
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import NamedTuple

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.rows import RowTexts, check_attributes
from harness.nouns.pair import Pair, one_form
from harness.runs.label_values import HEAVIEST, LIGHTEST
from harness.storage.cells import control_words, controls_of, may_hold_controls, number_of
from harness.storage.files import build, too_long
from harness.storage.formats import FORMAT_OF, read_table
from harness.storage.tables import Layout, Row, Table, joined

WEIGHTS, STRATA, POSITIONS = "weight", "stratum", "position"
LAST = 1_000_000_000
"""The last position."""
_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
_WILD = re.compile(r"[*?\[]")


class InputRow(NamedTuple):
    """One row of the input. `item` is empty where the input names none."""

    where: str
    item: str
    pair: Pair
    body: str
    weight: float
    stratum: str | None
    position: int | None


@dataclass(frozen=True, slots=True)
class Input:
    """How to read the files of production pairs."""

    layout: Layout = field(default_factory=Layout)
    attributes: tuple[str, ...] = ()


def files_of(text: str) -> list[Path]:
    """The files that a path names: itself, the tables in a folder, or those that a pattern fits."""
    path = Path(text)
    if path.is_dir():
        found = [file for file in sorted(path.iterdir()) if file.suffix.lower() in FORMAT_OF]
        if not found:
            raise BadInput([Fault(text, f"holds no table ({', '.join(sorted(FORMAT_OF))})")])
        _refuse_odd(found)
        return found
    if path.exists() or not _WILD.search(text):
        return [path]
    names = sorted(glob.glob(text, recursive=True))  # noqa: PTH207 - a pattern may be absolute
    found = [Path(name) for name in names if not Path(name).is_dir()]
    if not found:
        raise BadInput([Fault(text, "no file fits the pattern")])
    _refuse_odd(found)
    return found


def _refuse_odd(found: Sequence[Path]) -> None:
    """BadInput for pipes in a folder: the user did not name them, and reading them would wait."""
    odd = (file for file in found if file.exists() and not file.is_file())
    refuse_faults(Fault(str(file), "is not a regular file; take it out of the folder") for file in odd)


def each_row(path: Path, how: Input) -> Iterator[InputRow | list[Fault]]:
    """Each row of a file, or its faults. BadInput for a file that is not a table of pairs."""
    table = read_table(path, how.layout)
    table.require(("query", "title"), how.layout)
    check_attributes(table, how.layout, how.attributes)
    reader = _Reader(table, how)
    for row in table.rows:
        yield reader.read(row)


class _Reader:
    """Reads the rows of one table; the headers are looked up once, since tables are long."""

    def __init__(self, table: Table, how: Input) -> None:
        self._table = table
        self._texts = RowTexts(table, how.layout, how.attributes)
        names = ("item", "query", WEIGHTS, STRATA, POSITIONS)
        self._headers = {name: table.find(name, how.layout) for name in names}

    def read(self, row: Row) -> InputRow | list[Fault]:
        where = self._table.where(row)
        cells = {name: joined(row, headers) for name, headers in self._headers.items()}
        faults: list[Fault] = []
        if self._headers["item"] and not cells["item"]:
            faults.append(Fault(where, f"empty item ({'+'.join(self._headers['item'])})"))
        texts = self._texts.of(row)
        data = {"query": cells["query"], "result": texts["result"], "context": texts["context"]}
        pair, found = build(Pair, data, where)
        body = pair.model_dump_json(exclude_defaults=True) if pair else ""
        faults += [*found, *too_long(body, where), *self._controls(where, cells, body)]
        weight = self._weight(where, cells, faults)
        position = self._position(where, cells, faults)
        if faults or pair is None:
            return faults
        item = one_form(cells["item"])
        return InputRow(where, item, pair, body, weight, cells[STRATA] or None, position)

    def _controls(self, where: str, cells: Mapping[str, str], body: str) -> Iterator[Fault]:
        """Faults for control characters; those of the pair are escaped in its JSON."""
        for name in ("item", STRATA):
            if what := control_words(cells[name]):
                yield Fault(where, f"{name}: {what}")
        if may_hold_controls(body):
            yield from (Fault(where, what) for what in controls_of(json.loads(body)))

    def _weight(self, where: str, cells: Mapping[str, str], faults: list[Fault]) -> float:
        if not self._headers[WEIGHTS]:
            return 1.0
        text = cells[WEIGHTS]
        weight = number_of(text) if "," in text else float(text) if _NUMBER.fullmatch(text) else None
        if weight is None or not LIGHTEST <= weight <= HEAVIEST:
            what = f"weight: {text!r} is not a number above 0, from {LIGHTEST:.0e} to {HEAVIEST:.0e}"
            faults.append(Fault(where, what, "weight"))
            return 1.0
        return weight

    def _position(self, where: str, cells: Mapping[str, str], faults: list[Fault]) -> int | None:
        text = cells[POSITIONS].removesuffix(".0")
        if not text:
            return None
        if not text.isascii() or not text.isdigit() or not 1 <= int(text[:10]) <= LAST or len(text) > 10:
            faults.append(Fault(where, f"position: {text!r} is not a rank, such as 1", "position"))
            return None
        return int(text)
