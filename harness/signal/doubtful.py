"""Rows of a flat log that count more of a later step than of the step before it."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from harness.errors import BadInput
from harness.storage.plural import plural
from harness.storage.visible import shown_name

FOLLOWS = {"purchases": "clicks", "returns": "purchases"}
"""Each step, and the step before it. A row can still have more of the later: a purchase without a click."""
NAMED = 5
"""How many rows are named."""


class Doubtful:
    """Counts such rows, and names the first."""

    def __init__(self) -> None:
        self._rows = dict.fromkeys(FOLLOWS, 0)
        self._first: dict[str, list[str]] = {name: [] for name in FOLLOWS}
        self._sums: dict[str, float] = {}

    def look(self, path: Path, before: int, piece: Any) -> None:
        """Check a piece of a file; `before`: how many rows of the file come before it."""
        import pyarrow.compute as pc

        there = [name for name in {*FOLLOWS, *FOLLOWS.values()} if name in piece.column_names]
        for name in there:
            self._sums[name] = self._sums.get(name, 0) + (pc.sum(piece.column(name)).as_py() or 0)
        for name, base in FOLLOWS.items():
            if name not in there or base not in there:
                continue
            odd = pc.indices_nonzero(pc.greater(piece.column(name), piece.column(base)))
            self._rows[name] += len(odd)
            named = shown_name(path)
            left = NAMED - len(self._first[name])
            self._first[name] += [f"{named}, row {before + at + 1}" for at in odd[:left].to_pylist()]

    def refuse_swapped(self) -> None:
        """BadInput where the whole log has more purchases than clicks: columns are swapped."""
        bought, clicked = (self._sums.get(name, 0) for name in ("purchases", "clicks"))
        if "clicks" in self._sums and bought > clicked:
            raise BadInput(
                f"the log counts more purchases ({bought:,.0f}) than clicks ({clicked:,.0f}): are "
                "the columns swapped? --columns clicks=header,purchases=header says which is which"
            )

    def warnings(self) -> Iterator[str]:
        """How many rows there are, and which come first."""
        for name, base in FOLLOWS.items():
            if count := self._rows[name]:
                first = "; ".join(self._first[name])
                rest = ", ..." if count > NAMED else ""
                yield f"{plural(count, 'row')} with more {name} than {base} ({first}{rest}), counted as is"
