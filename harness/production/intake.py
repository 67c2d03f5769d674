"""Take the rows of files into a label set: each checked, each distinct pair once, all or nothing.

Rows are kept only once every row of every file is sound; until then the store can remove them again.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import chain, count, islice
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.nouns.pair import Pair, query_key
from harness.production.pairs import Input, InputRow, each_row
from harness.production.store import AnswerStore
from harness.runs.label_manifest import PairsFile
from harness.runs.labels import MOST_STRATA
from harness.storage.digest import digest_file, digest_of_beginnings, key_of_digest
from harness.storage.plural import plural

Rows = Callable[[Path], Iterator[InputRow | list[Fault]]]
"""Reads a file: each row, or its faults. It is called for each file in order."""
PIECE = 5_000
"""Rows that are looked up and added at a time."""
MOST_FAULTS = 1_000
"""How many faults are kept; the others are counted."""


@dataclass(frozen=True, slots=True)
class Checks:
    """What a row is checked against: the `queries` of the shots, and whether a prompt can be made of it."""

    queries: frozenset[str]
    render: Callable[[str, Pair], object] | None = None


@dataclass(slots=True)
class _Faults:
    """Faults of rows, bounded."""

    kept: list[Fault] = field(default_factory=list)
    more: int = 0

    def add(self, faults: Sequence[Fault]) -> None:
        room = MOST_FAULTS - len(self.kept)
        self.kept += faults[:room]
        self.more += len(faults[room:])

    def refuse(self) -> None:
        if self.kept:
            more = [Fault("", f"and {plural(self.more, 'fault')} more")] if self.more else []
            raise BadInput([*self.kept, *more])


def read_alone(files: Sequence[Path], how: Input) -> Rows:
    """Read the files in this process, one after the other."""
    return lambda path: each_row(path, how)


def take_in(
    store: AnswerStore,
    files: Sequence[Path],
    how: Input,
    checks: Checks,
    reading: Callable[[Sequence[Path], Input], Rows] | None = None,
) -> int:
    """Add the rows of files that the set lacks; returns how many. BadInput, and nothing added, for any fault.

    A file that the set has in its present state is not read again, under any path. `reading` makes the reader
    of the others.
    """
    known = store.sources()
    intake = _Intake(store, checks, store.rows)
    sources = []
    digests = [(path, digest_file(path)) for path in files]
    found = [(path, content, _sources_of(path, content, known)) for path, content in digests]
    new = [one for one in found if not any(source.digest == one[1] for source in one[2])]
    rows_of = (reading or read_alone)([path for path, _, _ in new], how)
    try:
        for path, content, earlier in new:
            shown, before = str(path), store.rows
            # The rows that a file had keep their numbers; its new rows are numbered after the last row of the
            # set.
            had = (range(one.before + 1, one.before + one.rows + 1) for one in earlier)
            intake.add_file(path, rows_of(path), chain(*had, count(before + 1)))
            if digest_file(path) != content:
                raise BadInput([Fault(shown, "changed while it was read; start again")])
            sources.append(
                PairsFile(
                    path=shown,
                    digest=content,
                    size=path.stat().st_size,
                    before=before,
                    rows=store.rows - before,
                )
            )
        intake.faults.refuse()
    except BaseException:
        store.take_back()
        raise
    store.accept(sources)
    return sum(source.rows for source in sources)


def _sources_of(path: Path, content: str, known: Sequence[PairsFile]) -> list[PairsFile]:
    """What the set has of a file, so that rows without an item do not count twice under another name of it.

    The file is found by its path. If nothing is at the earlier path any more (the file was moved, or is named
    from another folder), it is found by its content: the file equals that, or begins with it.
    """
    own = [one for one in known if _is_file(one, path)]
    if any(one.digest == content for one in own):
        return own
    begins = digest_of_beginnings(path, {one.size for one in known})
    found = list[PairsFile]()
    for one in known:
        moved = begins.get(one.size) == one.digest and not _stands(one)
        if (one in own or moved) and (not found or one.size > found[-1].size):
            found.append(one)
    return found


def _is_file(source: PairsFile, path: Path) -> bool:
    there = Path(source.path)
    return source.path == str(path) or (there.exists() and there.samefile(path))


def _stands(source: PairsFile) -> bool:
    """Whether the source file is still at its path."""
    there = Path(source.path)
    return there.is_file() and digest_of_beginnings(there, [source.size]).get(source.size) == source.digest


class _Intake:
    """The rows of several files on their way into a store."""

    def __init__(self, store: AnswerStore, checks: Checks, before: int) -> None:
        self.faults = _Faults()
        self._store, self._checks, self._before = store, checks, before
        self._strata: set[str] = set()

    def add_file(self, path: Path, found: Iterator[InputRow | list[Fault]], numbers: Iterable[int]) -> None:
        """Check the rows of a file, and add the new ones; continues after a fault, to find all of them.

        `numbers`: the names of rows without an item.
        """
        rows = zip(numbers, self._sound(found), strict=False)
        while piece := list(islice(rows, PIECE)):
            named = [one._replace(item=one.item or f"row-{number}") for number, one in piece]
            self._add(named)
        if len(self._strata) > MOST_STRATA:
            what = f"more than {MOST_STRATA:,} different strata: is the column an id?"
            self.faults.add([Fault(str(path), what)])
            self._strata.clear()

    def _sound(self, rows: Iterator[InputRow | list[Fault]]) -> Iterator[InputRow]:
        for row in rows:
            if isinstance(row, list):
                self.faults.add(row)
                continue
            if row.stratum and len(self._strata) <= MOST_STRATA:
                self._strata.add(row.stratum)
            yield row

    def _add(self, piece: Sequence[InputRow]) -> None:
        keys = [key_of_digest(row.pair.digest) for row in piece]
        numbers = self._store.numbers_of(list(dict.fromkeys(keys)))
        pairs: list[tuple[Any, ...]] = []
        rows: list[tuple[Any, ...]] = []
        places: dict[str, str] = {}
        for row, key in zip(piece, keys, strict=True):
            new = self._is_new(row, numbers.get(key), places)
            places.setdefault(row.item, row.where)
            if not new:
                continue
            first = key not in numbers
            if first:
                numbers[key] = self._store.pairs + len(pairs) + 1
                of_shot = query_key(row.pair.query) in self._checks.queries
                pairs.append((numbers[key], key, row.item, row.body, of_shot))
            number = self._store.rows + len(rows) + 1
            rows.append((number, row.item, numbers[key], first, row.weight, row.stratum, row.position))
        self._store.add(pairs, rows)

    def _is_new(self, row: InputRow, pair: int | None, places: dict[str, str]) -> bool:
        """Whether the set lacks a row; a fault if its item is the name of another row."""
        if row.item in places:
            what = f"item {row.item!r} is there twice (first: {places[row.item]})"
            self.faults.add([Fault(row.where, what, "twice")])
            return False
        stored = self._store.row_of(row.item)
        if stored is None:
            return self._renders(row)
        number, *same = stored
        if number > self._before:
            what = f"item {row.item!r} is there twice (first: row {number - self._before:,} of the input)"
            self.faults.add([Fault(row.where, what, "twice")])
        elif same != [pair, row.weight, row.stratum, row.position]:
            what = (
                f"item {row.item!r} is in the label set with another pair, weight, stratum or position: "
                "label into another folder (answered pairs come from the reply cache)"
            )
            self.faults.add([Fault(row.where, what, "other")])
        return False

    def _renders(self, row: InputRow) -> bool:
        """Check that a prompt can be made, before any call is paid: a template can fail on a single pair."""
        if self._checks.render is None:
            return True
        try:
            self._checks.render(row.item, row.pair)
        except BadInput as error:
            self.faults.add([Fault(row.where, str(error))])
            return False
        return True
