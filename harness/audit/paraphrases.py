"""Paraphrases from a file: a table with texts that replace those of an example.

Nothing here checks that they mean the same.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.golden.table_faults import shortened, without_doubles
from harness.nouns.pair import Example, Result, one_form
from harness.scorecards.audit import ELSEWHERE
from harness.storage.cells import number_of
from harness.storage.digest import digest_file
from harness.storage.files import to_line, too_long
from harness.storage.formats import read_table
from harness.storage.plural import plural
from harness.storage.tables import RESULT_TEXTS, Layout, Row, Table, joined, refuse_controls
from harness.storage.visible import is_blank, shown_name

_ATTRIBUTE = re.compile(r"(?:result\.)?attributes\.(.+)")


@dataclass(frozen=True, slots=True)
class PhrasesFile:
    """A file of paraphrases, and how to read it."""

    path: Path
    layout: Layout


@dataclass(frozen=True, slots=True)
class Paraphrases:
    """Examples' results in other words, by the id of the example.

    `unchanged`: the ids whose texts are the example's own. `columns_left`: the headers that are not read.
    """

    file: str
    digest: str
    results: Mapping[str, Result]
    unchanged: frozenset[str]
    columns_left: tuple[str, ...]


def read_paraphrases(file: PhrasesFile, golden: Iterable[Example]) -> Paraphrases:
    """The paraphrases of a table for examples of the golden set. BadInput names every faulty row."""
    table, examples = read_table(file.path, file.layout), {one_form(one.id): one for one in golden}
    columns = _Columns.of(table, file.layout)
    faults: list[Fault] = []
    found: dict[str, Result] = {}
    for item, row in _rows(table, columns, file.layout).items():
        where = f"{table.where(row)}, {item}" if item else table.where(row)
        example = examples.get(item)
        unknown = "no example of the golden set has this id" if item else "no item"
        wrong = columns.faults(row, example, where) if example else [Fault(where, unknown)]
        faults += wrong
        if example and not wrong:
            found[example.id] = columns.result(row, example)
            faults += too_long(to_line(found[example.id], sparse=True), where)
    refuse_faults(faults)
    own = {one.id: one.result for one in examples.values()}
    same = frozenset(id_ for id_, result in found.items() if result == own[id_])
    changed = {id_: result for id_, result in found.items() if id_ not in same}
    return Paraphrases(shown_name(file.path), digest_file(file.path), changed, same, columns.left)


def _rows(table: Table, columns: "_Columns", layout: Layout) -> dict[str, Row]:
    """The rows by the item that they name. BadInput for control characters, and an item that comes twice."""
    headers = [header for texts in columns.texts for header in texts]
    refuse_controls(table, ("item", "query"), layout, headers)
    keyed = ((row.line, one_form(joined(row, columns.item)), row) for row in table.rows)
    return without_doubles(keyed, lambda item: f"item {item!r}", table.place, "is there")


def refuse_none(found: Paraphrases, examples: Iterable[Example], part: str) -> None:
    """BadInput if the file changes no audited example: there would be nothing to ask."""
    ids = {one.id for one in examples}
    if ids.isdisjoint(found.results):
        same = len(found.unchanged & ids)
        apart = len((found.results.keys() | found.unchanged) - ids)
        what = f"no row changes the texts of one of the {plural(len(ids), 'audited item')} of {part}"
        own = [f"{plural(same, 'row has', 'rows have')} an item's own texts"] if same else []
        others = [plural(apart, *ELSEWHERE)] if apart else []
        raise BadInput.at(found.file, f"{what} ({', '.join([*others, *own])})")


@dataclass(frozen=True, slots=True)
class _Columns:
    """The headers of a table: `texts` are those that replace a field, or one attribute by its name."""

    item: tuple[str, ...]
    query: tuple[str, ...]
    texts: Mapping[tuple[str, ...], tuple[str, str | None]]
    left: tuple[str, ...]

    @classmethod
    def of(cls, table: Table, layout: Layout) -> "_Columns":
        """BadInput where no column names the item, or none replaces a text."""
        item, query = table.require(("item",), layout)["item"], table.find("query", layout)
        texts: dict[tuple[str, ...], tuple[str, str | None]] = {
            headers: (name, None) for name in RESULT_TEXTS if (headers := table.find(name, layout))
        }
        for header in table.columns:
            if named := _ATTRIBUTE.fullmatch(header):
                texts[header,] = "attributes", named[1]
        if not texts:
            there, fields = ", ".join(table.columns), ", ".join((*RESULT_TEXTS, "attributes.NAME"))
            what = f"no column replaces a text: one of {fields} is wanted (the columns there: {there})"
            raise BadInput([Fault(str(table.path), what)])
        used = {*item, *query, *(header for headers in texts for header in headers)}
        return cls(item, query, texts, tuple(one for one in table.columns if one not in used))

    def faults(self, row: Row, example: Example, where: str) -> list[Fault]:
        """The faults of a row that changes more than the wording of an example's texts."""
        found = [
            Fault(where, f"{'+'.join(headers)}: {_adds_or_removes(had, new)}")
            for headers, had, new in self._each(row, example)
            if bool(new) != bool(had)
        ]
        query = joined(row, self.query) if self.query else ""
        if query and query != example.query.strip():
            found.append(
                Fault(where, f"query: a paraphrase keeps it, and the example's is {example.query!r}")
            )
        return found

    def result(self, row: Row, example: Example) -> Result:
        """The example's result in the words of the row."""
        texts, attributes = dict[str, str](), dict(example.result.attributes)
        for headers, had, new in self._each(row, example):
            name, attribute = self.texts[headers]
            if _is_same(had, new):
                continue
            if attribute is None:
                texts[name] = new
            else:
                attributes[attribute] = new
        return example.result.model_copy(update={**texts, "attributes": attributes})

    def _each(self, row: Row, example: Example) -> Iterator[tuple[tuple[str, ...], str, str]]:
        """The headers of each text of a row, with the example's own text and the row's; "" for none.

        A text without a visible letter is none. An object of JSON lines that leaves a field out keeps it.
        """
        for headers, (name, attribute) in self.texts.items():
            if any(header in row.cells for header in headers):
                own = example.result.attributes.get(attribute) if attribute else getattr(example.result, name)
                lacks = any(is_blank(row.text(header)) for header in headers)
                yield (
                    headers,
                    "" if is_blank(own or "") else (own or "").strip(),
                    "" if lacks else joined(row, headers),
                )


def _is_same(had: str, new: str) -> bool:
    """Whether a text is unchanged: outer spaces, and 46.5 as a spreadsheet writes 46.50, do not count."""
    number = number_of(new)
    return new == had or (number is not None and number == number_of(had))


def _adds_or_removes(had: str, new: str) -> str:
    if had:
        return (
            f"no visible letter; the example has {shortened(had)!r} there, and a paraphrase removes nothing"
        )
    return f"{shortened(new)!r}: the example has nothing there, and a paraphrase adds nothing"
