"""The content of a tool's file: answers of raters about pairs, before they are joined to the golden set."""

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, TypeVar, get_args

from pydantic import BaseModel, ConfigDict

from harness.errors import BadInput, Fault
from harness.nouns.pair import Cannot
from harness.storage.cells import present
from harness.storage.files import build, read_text
from harness.storage.plural import plural
from harness.storage.strict_json import json_fault, parse_whole
from harness.storage.tables import Layout, Row, joined

MOST_JSON = 256 << 20
"""The most bytes of a JSON file of a tool: it is held whole, and takes seven times its size in memory."""
CANNOT: tuple[str, ...] = get_args(Cannot)
QUESTIONS = ("grade", "cannot", "reasoning", "clauses")
"""The questions that a rater answers about a pair."""
HEADERS: Mapping[str, tuple[str, ...]] = {
    "pair": ("pair",),
    "item": ("item",),
    "query": ("query",),
    "title": ("title",),
    "grade": ("grade",),
    "cannot": ("cannot",),
    "reasoning": ("reasoning", "reason", "explanation"),
    "clauses": ("clauses",),
    "policy": ("policy",),
}
"""The usual names of each of our fields, if --columns does not name one."""
Model = TypeVar("Model", bound=BaseModel)


class Loose(BaseModel):
    """A part of another tool's file. Fields beside those that are read are ignored."""

    model_config = ConfigDict(extra="ignore", frozen=True)


class Source(NamedTuple):
    """A file to read. Its layout names our fields that have other names in it.

    `rater`: who gave the grades of a file that names no raters. `submissions`: a second file that says whose
    work was accepted. `content`: of a JSON file that was parsed already.
    """

    path: Path
    layout: Layout = Layout()
    rater: str | None = None
    submissions: Path | None = None
    content: Any = None

    def json(self) -> Any:
        """The file as plain data. BadInput if it is not JSON."""
        return json_of(self.path) if self.content is None else self.content


class Named(NamedTuple):
    """How a file identifies a pair: by codes or ids, and by its texts."""

    keys: tuple[str, ...] = ()
    query: str = ""
    title: str = ""

    @property
    def text(self) -> str:
        """The pair in a message."""
        return next(iter(self.keys), "") or " | ".join(filter(None, (self.query, self.title)))


class Response(NamedTuple):
    """One answer: a grade or a cause why there is none, both as written in the file.

    `repeat` is None where the file does not count a rater's answers about a pair; `policy` is the label that
    the file names, or only its version.
    """

    where: str
    rater: str
    pair: Named
    grade: str = ""
    cannot: str = ""
    reasoning: str = ""
    clauses: tuple[str, ...] = ()
    at: str = ""
    milliseconds: int | None = None
    repeat: int | None = None
    policy: str = ""
    policy_digest: str = ""

    @property
    def said(self) -> dict[str, str]:
        """The answers as texts, by their questions."""
        clauses = " ".join(self.clauses)
        return {"grade": self.grade, "cannot": self.cannot, "clauses": clauses, "reasoning": self.reasoning}


@dataclass
class Collected:
    """The answers of a file. `left_out` counts what is not a rating, by reason; `notes` are warnings."""

    responses: list[Response] = field(default_factory=list)
    left_out: Counter[str] = field(default_factory=Counter)
    faults: list[Fault] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def read(self, model: type[Model], data: Any, where: str) -> Model | None:
        """A part of the file; None, with its faults noted, where it has another form."""
        found, faults = build(model, data, where)
        self.faults += faults
        return found

    def add(self, one: Response) -> None:
        """An answer; one without a grade and without a cause is left out, and counted."""
        if one.grade and one.cannot:
            what = (
                f"a grade ({one.grade[:60]!r}) and why there is none ({one.cannot[:60]!r}); keep one of them"
            )
            self.faults.append(Fault(one.where, what))
        elif one.grade or one.cannot:
            self.responses.append(one)
        else:
            self.left_out["without a grade"] += 1

    def once(self, seen: dict[str, str], id_: object, where: str) -> bool:
        """Whether an answer's id comes for the first time; noted as a fault where it does not."""
        if id_ in (None, ""):
            return True
        first = seen.setdefault(str(id_), where)
        if first is not where:
            self.faults.append(Fault(where, f"comes twice (first: {first}); export the file again"))
        return first is where


def json_of(path: Path) -> Any:
    """A JSON file as plain data. BadInput if it is not JSON, or too long to hold."""
    if path.is_file() and path.stat().st_size > MOST_JSON:
        what = f"larger than {MOST_JSON >> 20} MB, the most that is read of a JSON file; import it in parts"
        raise BadInput([Fault(str(path), what)])
    try:
        return parse_whole(read_text(path))
    except (ValueError, RecursionError) as error:
        raise BadInput([Fault(str(path), f"not JSON: {json_fault(error)}")]) from None


def headers(name: str, layout: Layout, there: Container[str]) -> tuple[str, ...]:
    """The headers of one of our names: those of --columns, else the first of the usual ones that is there."""
    if name in layout.columns:
        return layout.columns[name]
    return next(((header,) for header in HEADERS.get(name, (name,)) if header in there), ())


def text_under(name: str, data: Mapping[str, Any], layout: Layout) -> str:
    """A text of a record under one of our names; empty where it has none."""
    named = headers(name, layout, data)
    return joined(Row(0, {header: present(data.get(header)) for header in named}), named) if named else ""


def pair_named(data: Mapping[str, Any], layout: Layout, *more: str) -> Named:
    """The pair that a record is about; `more` are further keys, such as the record's own id."""
    keys = (text_under("pair", data, layout), text_under("item", data, layout), *more)
    return Named(
        tuple(filter(None, keys)), text_under("query", data, layout), text_under("title", data, layout)
    )


def one_answer(
    answers: Mapping[str, list[str]], name: str, layout: Layout, where: str, collected: Collected
) -> str:
    """The only answer to a question; a fault where there are several."""
    given = [text for header in headers(name, layout, answers) for text in answers.get(header, ())]
    if len(given) > 1:
        shown = ", ".join(text[:40] for text in given[:6])
        collected.faults.append(
            Fault(where, f"{name}: {plural(len(given), 'answer')} ({shown}); expected one")
        )
        return ""
    return given[0].strip() if given else ""


def texts_of(value: Any) -> list[str]:
    """The texts of an answer: of each value of a list, or of one value; empty values have none."""
    held = value if isinstance(value, list) else [value]
    return [str(one) for one in held if one not in (None, "")]


def answered(
    answers: Mapping[str, list[str]], layout: Layout, where: str, collected: Collected
) -> dict[str, Any]:
    """The fields of a Response that the answers to each question give."""
    text = {name: one_answer(answers, name, layout, where, collected) for name in QUESTIONS}
    return {**text, "clauses": clauses_of(text["clauses"])}


def answered_in(row: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The fields of a Response that a row with a column for each question gives."""
    text = {name: text_under(name, row, layout) for name in QUESTIONS}
    return {**text, "clauses": clauses_of(text["clauses"]), **policy_named(row, layout)}


def policy_named(data: Mapping[str, Any], layout: Layout) -> dict[str, Any]:
    """The fields of a Response that say under which policy a record was rated."""
    return {name: text_under(name, data, layout) for name in ("policy", "policy_digest")}


def ask_for_grade(collected: Collected, asked: Iterable[str], layout: Layout, path: Path) -> None:
    """A fault if no question is known to hold the grade and answers were left out for that reason."""
    questions = sorted(set(asked))
    known = {*headers("grade", layout, questions)} & set(questions)
    if questions and not known and collected.left_out["without a grade"]:
        such = f"--columns grade={questions[0]}"
        what = f"which of its questions is the grade? there are: {', '.join(questions)}; name it: {such}"
        collected.faults.append(Fault(str(path), what))


def milliseconds_of(seconds: float | None) -> int | None:
    """Seconds as milliseconds; None if missing or impossible."""
    return round(seconds * 1000) if seconds is not None and 0 <= seconds < 1_000_000 else None


def clauses_of(text: str) -> tuple[str, ...]:
    """Clause ids in a text: separated by spaces or commas."""
    return tuple(text.replace(",", " ").split())
