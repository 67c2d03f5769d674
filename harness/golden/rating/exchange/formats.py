"""The formats of ratings files, and which one a file is in."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault
from harness.golden.rating.exchange import (
    argilla,
    labelstudio,
    labelstudio_out,
    mturk,
    potato,
    potato_out,
    prolific,
    quepid,
    scored,
    tables,
)
from harness.golden.rating.exchange.outgoing import Outgoing
from harness.golden.rating.exchange.responses import Collected, Source, json_of
from harness.golden.rating.exchange.texts import csv_header
from harness.golden.scores import FORMS as SCORES
from harness.storage.files import each_json_line
from harness.storage.formats import FORMAT_OF, page_of, read_table
from harness.storage.tables import Layout


@dataclass(frozen=True, slots=True)
class ExchangeFormat:
    """A format. `read` is None for plain tables, which are read as everywhere else.

    `endings`: the endings of the names of its exports. `people`: whether raters have ids of a crowd platform,
    which all become pseudonyms. `of_json` and `of_columns` tell whether parsed JSON, or the columns of a
    table, certainly have this format.
    """

    write: Callable[[Outgoing], dict[Path, str]]
    endings: tuple[str, ...]
    read: Callable[[Source], Collected] | None = None
    people: bool = False
    of_json: Callable[[Any], bool] = lambda _: False
    of_columns: Callable[[tuple[str, ...]], bool] = lambda _: False


FORMATS: Mapping[str, ExchangeFormat] = {
    "label-studio": ExchangeFormat(
        labelstudio_out.write,
        (".json",),
        labelstudio.read,
        of_json=labelstudio.is_tasks,
        of_columns=labelstudio.is_flat,
    ),
    "argilla": ExchangeFormat(
        argilla.write, (".json",), argilla.read, of_json=argilla.is_records, of_columns=argilla.is_flat
    ),
    "quepid": ExchangeFormat(
        quepid.write, (".json", ".csv"), quepid.read, of_json=quepid.is_book, of_columns=quepid.is_ratings
    ),
    "potato": ExchangeFormat(
        potato_out.write,
        (".jsonl", ".ndjson"),
        potato.read,
        of_json=potato.is_state,
        of_columns=potato.is_instances,
    ),
    "mturk": ExchangeFormat(mturk.write, (".csv",), mturk.read, people=True, of_columns=mturk.is_batch),
    "prolific": ExchangeFormat(
        prolific.write,
        (".csv",),
        prolific.read,
        people=True,
        of_columns=lambda columns: prolific.is_survey(columns) or prolific.is_submissions(columns),
    ),
    **{
        name: ExchangeFormat(scored.writer(name), (), scored.reader(name), of_columns=form.told)
        for name, form in SCORES.items()
    },
    "qrels": ExchangeFormat(tables.write_qrels, (".qrels",)),
    "table": ExchangeFormat(tables.write_table, (".csv", ".jsonl")),
}
SAMPLE = 100
"""How many lines of a JSON lines file are read to tell its format."""


def format_named(name: str) -> ExchangeFormat:
    """A format. BadInput for an unknown name."""
    if name not in FORMATS:
        raise BadInput(f"unknown format {name!r}; there are: {', '.join(FORMATS)}")
    return FORMATS[name]


def check_ending(name: str, path: Path) -> None:
    """BadInput for an export whose name ends like a file of another kind: other programs would misread it."""
    endings, ending = format_named(name).endings, path.suffix.lower()
    if ending in FORMAT_OF and ending not in endings:
        kind = " or ".join(endings)
        raise BadInput([Fault(str(path), f"{name} is not written as {ending}: -o FILE{kind}")])


def format_of(source: Source) -> tuple[str, Source]:
    """The format that a file certainly has, or "table"; and the source with its parsed content.

    BadInput for JSON of an unknown form, which is never read as the nearest known one.
    """
    path, layout = source.path, source.layout
    if path.is_dir():
        if potato.is_folder(path):
            return "potato", source
        raise BadInput(
            [Fault(str(path), "is a folder, and not Potato's annotation_output; name a file in it")]
        )
    if path.suffix.lower() == ".json" and layout.format in (None, "json"):
        content = page_of(path, json_of(path))
        return _of_json(content, path), source._replace(content=content)
    kind = layout.format or FORMAT_OF.get(path.suffix.lower())
    if kind == "qrels":
        return "qrels", source
    if layout.columns or layout.wide:
        return "table", source  # the fault names its columns
    columns = _columns(path, layout, kind)
    return next((name for name, one in FORMATS.items() if one.of_columns(columns)), "table"), source


def _columns(path: Path, layout: Layout, kind: str | None) -> tuple[str, ...]:
    if kind is None:
        return ()
    if kind == "jsonl":
        # Potato's labels are objects, whose keys would be columns of a table.
        lines = islice(each_json_line(path), SAMPLE)
        return tuple(dict.fromkeys(key for _, line in lines if not isinstance(line, Fault) for key in line))
    if kind == "csv" and len(header := csv_header(path, layout)) > 1:
        return header
    return tuple(read_table(path, layout).columns)


def _of_json(content: Any, path: Path) -> str:
    for name, one in FORMATS.items():
        if one.of_json(content):
            return name
    first = content[0] if isinstance(content, list) and content else content
    keys = tuple(first) if isinstance(first, dict) else ()
    for name, one in FORMATS.items():
        if one.of_columns(keys):
            return name
    if isinstance(content, list) and {"rater", "grade"} & set(keys):
        return "table"
    form = (
        f"a list of objects with {', '.join(keys[:8])}"
        if isinstance(content, list) and keys
        else _form(content)
    )
    others = ", ".join(FORMATS)
    raise BadInput.at(path, f"has an unknown form: {form}; name its format: --from {others}")


def _form(content: Any) -> str:
    if isinstance(content, dict):
        return f"an object with {', '.join(list(content)[:8]) or 'nothing'}"
    return "an empty list" if content == [] else f"a {type(content).__name__}"
