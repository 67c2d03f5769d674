"""Read a file of ratings, in whatever format, as lines for ratings.jsonl."""

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import NamedTuple

from harness.errors import Fault, refuse_faults
from harness.golden.by_chance import Told
from harness.golden.grade_tables import RatingRow, rating_rows
from harness.golden.rating.exchange.formats import FORMATS, format_named, format_of
from harness.golden.rating.exchange.joining import Given, GoldenIndex, joined
from harness.golden.rating.exchange.responses import CANNOT, Named, Source
from harness.nouns.pair import Example, Rating, Unrated
from harness.nouns.policy import Policy
from harness.storage.formats import read_table
from harness.storage.tables import Layout


class Incoming(NamedTuple):
    """The ratings of a file. `lost`: the pairs that the golden set lacks; `rated`: the number of pairs."""

    format: str
    given: list[Given]
    lost: list[str]
    rated: int
    left_out: Counter[str]
    notes: list[str]

    @property
    def people(self) -> bool:
        """Whether raters have ids of a crowd platform."""
        return FORMATS[self.format].people


def read_ratings_file(
    source: Source, format: str | None, examples: Mapping[str, Example], policy: Policy
) -> Incoming:
    """The ratings of a file; the file tells its format where none is named. BadInput for every fault."""
    name, source = (format, source) if format else format_of(source)
    read = format_named(name).read
    index = GoldenIndex(examples)
    if read is None:
        layout = replace(source.layout, format="qrels") if name == "qrels" else source.layout
        return _table(source._replace(layout=layout), name, index, policy)
    collected = read(source)
    rated = len({one.pair.text for one in collected.responses})
    # In a file without raters, --rater names who gave all grades; it is not a filter.
    rater = None if all(one.rater == source.rater for one in collected.responses) else source.rater
    given, lost = joined(collected, index, source.layout, policy, rater, str(source.path))
    refuse_faults(collected.faults)
    return Incoming(name, given, lost, rated, collected.left_out, collected.notes)


def _table(source: Source, name: str, index: GoldenIndex, policy: Policy) -> Incoming:
    """A plain table: items by their golden ids, or by the codes of exported pairs."""
    layout = _with_codes(source)
    rows = rating_rows(source.path, layout, policy.scale, policy.version, source.rater)
    said = [row for row in rows if row.grade is not None or row.cannot]
    refuse_faults(_faults(said))
    given: list[Given] = []
    lost: dict[str, None] = {}
    for row in said:
        # The id of the document alone names the pair if the topics of qrels are numbers.
        keys = (row.item, row.item.rpartition("|")[2]) if name == "qrels" else (row.item,)
        ids, _ = index.find(Named(keys))
        # The topics of qrels are numbers, not queries.
        about = Told(None) if name == "qrels" else row.about
        given += [Given(row.where, _line(row, id_), about) for id_ in ids]
        if not ids:
            lost[row.item] = None
    return Incoming(name, given, list(lost), len({row.item for row in said}), Counter(), [])


def _with_codes(source: Source) -> Layout:
    """The layout; in a table that was exported with --pairs, the column `pair` is the item."""
    layout = source.layout
    if "item" in layout.columns or layout.format == "qrels" or source.path.is_dir():
        return layout
    table = read_table(source.path, layout)
    if table.find("item", layout) or "pair" not in table.columns:
        return layout
    return replace(layout, columns={**layout.columns, "item": ("pair",)})


def _faults(rows: Iterable[RatingRow]) -> Iterable[Fault]:
    for row in rows:
        if row.cannot and row.grade is not None:
            yield Fault(row.where, "has a grade, and says in `cannot` why there is none; keep one of them")
        elif row.cannot and row.cannot not in CANNOT:
            yield Fault(row.where, f"cannot: {row.cannot[:60]!r} is none of our causes: {', '.join(CANNOT)}")


def _line(row: RatingRow, item: str) -> Rating | Unrated:
    fields = row._asdict()
    for name in ("where", "about", *(("grade", "clauses") if row.cannot else ("cannot",))):
        del fields[name]
    return (Unrated if row.cannot else Rating)(**{**fields, "item": item})
