"""Counts of an imported golden set, made while its examples pass, since tables are long."""

from collections import Counter
from collections.abc import Iterator

from harness.nouns.pair import Example
from harness.storage.plural import plural
from harness.storage.tables import RESULT_TEXTS

LONG_TEXT = 20_000
"""The length of a long text: the longest product descriptions have a few thousand letters."""
LONG_SHOWN = 5


class GoldenTally:
    """Counts of a golden set, and the first texts that are longer than a surface shows.

    Such texts are likely cells that ran together.
    """

    def __init__(self) -> None:
        self.examples = 0
        self.queries: set[str] = set()
        self.splits: Counter[str] = Counter()
        self.origins: Counter[tuple[str, str, str]] = Counter()
        self._long: list[str] = []
        self._longer = 0

    def see(self, example: Example, line: str) -> None:
        """Count an example, with the line that it is written as."""
        self.examples += 1
        self.queries.add(example.cluster)
        self.splits[example.split] += 1
        if given := example.provenance:
            self.origins[given.source, given.digest or "", given.licence or "not given"] += 1
        if len(line) > LONG_TEXT:
            found = [(name, len(text)) for name, text in _texts_shown(example) if len(text) > LONG_TEXT]
            self._longer += len(found)
            free = LONG_SHOWN - len(self._long)
            self._long += [
                f"{example.id}: {name} has {plural(size, 'letter')}" for name, size in found[:free]
            ]

    @property
    def long_texts(self) -> tuple[str, ...]:
        """The first texts that are too long, in words, and how many more there are."""
        more = self._longer - len(self._long)
        return (
            *self._long,
            *([f"{plural(more, 'more text is', 'more texts are')} that long"] if more else []),
        )


def _texts_shown(example: Example) -> Iterator[tuple[str, str]]:
    yield "query", example.query
    yield from ((name, getattr(example.result, name) or "") for name in RESULT_TEXTS)
    yield from example.result.attributes.items()
