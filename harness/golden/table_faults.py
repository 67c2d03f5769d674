"""Faults in the rows of a table, collected to report all at once; and keys that come twice."""

from array import array
from collections.abc import Callable, Hashable, Iterable, Mapping, Sequence
from typing import TypeVar

from harness.errors import Fault, refuse_faults
from harness.storage.tables import Row, Table

MOST_WORDS = 12
"""The most words that an error lists in place of grades."""
NOTHING = ("nan", "na", "n/a", "null", "none", "-")
"""Words that usually mean: no grade."""
NO_GRADE = "is not a grade"
"""The fault for a word in place of a grade."""
K = TypeVar("K", bound=Hashable)
T = TypeVar("T")


class WordFaults:
    """Cells that are not grades. Each word is named once, with its first place, since files are long."""

    def __init__(self, path: str, option: str = "--labels") -> None:
        self._path, self._option = path, option
        self._words: dict[tuple[str, str, str], tuple[str, int]] = {}

    def __bool__(self) -> bool:
        return bool(self._words)

    def note(self, where: str, column: str, text: str, fault: str) -> None:
        """Add a cell."""
        key = column, text, fault
        first, count = self._words.get(key, (where, 0))
        self._words[key] = first, count + 1

    def faults(self) -> list[Fault]:
        """The noted faults; for words, with what to do."""
        found, numbers = [], []
        for (column, text, fault), (where, count) in self._words.items():
            rows = f" ({count:,} rows)" if count != 1 else ""
            if fault is NO_GRADE:
                found.append(Fault(where, f"{column}: {shortened(text)!r} {fault}{rows}"))
            else:
                numbers.append(Fault(where, f"{column}: {fault}{rows}"))
        words = list(dict.fromkeys(text for _, text, fault in self._words if fault is NO_GRADE))
        if not words:
            return numbers
        shown = [shortened(word) for word in words[:MOST_WORDS]]
        named = ",".join(f"{_quoted(word)}={'' if word.casefold() in NOTHING else 'N'}" for word in shown)
        quote = "'" if '"' in named else '"'
        more = f" (and {len(words) - MOST_WORDS:,} more)" if len(words) > MOST_WORDS else ""
        none = ", nothing for a missing one" if "=," in f"{named}," else ""
        what = f"say which grade each word means{none}: {self._option} {quote}{named}{quote}{more}"
        return [*numbers, *found[:MOST_WORDS], Fault(self._path, what)]


class TableFaults:
    """The faults of a table, collected until all are known."""

    def __init__(self, table: Table, option: str = "--labels") -> None:
        self._table = table
        self._found: list[Fault] = []
        self._words = WordFaults(str(table.path), option)

    def __bool__(self) -> bool:
        return bool(self._found or self._words)

    def note(self, row: Row, what: str) -> None:
        """Add a fault."""
        self._found.append(Fault(self._table.where(row), what))

    def note_gaps(self, row: Row, full: Sequence[str], found: Mapping[str, object]) -> None:
        """Add a fault for each name without a value."""
        for name in full:
            if found[name] is None:
                self.note(row, f"no {name}")

    def note_grade(self, row: Row, column: str, text: str, fault: str) -> None:
        """Add a cell that is not a grade."""
        self._words.note(self._table.where(row), column, text, fault)

    @property
    def found(self) -> list[Fault]:
        """Every fault."""
        return [*self._found, *self._words.faults()]

    def refuse(self) -> None:
        """BadInput if there is a fault."""
        refuse_faults(self.found)


def shortened(text: str) -> str:
    """A cell as a message shows it."""
    return text if len(text) <= 60 else text[:57] + "..."


def _quoted(word: str) -> str:
    return f'"{word}"' if "," in word else word


def rating_name(key: tuple[str | int | None, ...]) -> str:
    """A rating's name in a message; its key begins with item and rater."""
    return f"item {key[0]!r} by rater {key[1]!r}"


def without_doubles(
    rows: Iterable[tuple[int, K, T]],
    named: Callable[[K], str],
    place: str,
    verb: str = "is graded",
    remedy: Callable[[], Sequence[Fault]] = list,
) -> dict[K, T]:
    """Rows, given with their lines and keys, by their keys. BadInput for every key that comes twice.

    Both places are named: `place` is the text before the line number. `remedy` is asked where there
    is one, and comes first, since the last of many faults are not shown.
    """
    found: dict[K, T] = {}
    lines = array("q")  # an item each, as in `found`
    doubles = []
    for line, key, row in rows:
        if key in found:
            doubles.append((line, key))
        else:
            found[key] = row
            lines.append(line)
    first = dict(zip(found, lines, strict=True)) if doubles else {}
    twice = [
        Fault(f"{place} {line}", f"{named(key)} {verb} twice (first: {place} {first[key]})", "twice")
        for line, key in doubles
    ]
    refuse_faults([*remedy(), *twice] if twice else ())
    return found
