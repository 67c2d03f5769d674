"""The forms of a training set: chat lines, and a table with soft labels. A new form is one line in FORMS.

openai-jsonl  {"messages": [system, user, assistant]}: what OpenAI's fine-tuning takes
trl           {"prompt": [system, user], "completion": [assistant]}: what TRL trains on the completion of
parquet       one row a pair, with the grade, the probability of each grade, and the weight
datasets      the same table as Hugging Face `datasets` keeps it on the disk
"""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from functools import partial
from itertools import islice
from pathlib import Path
from typing import Any, Protocol

from harness.prompting.answer import answer_text
from harness.prompting.prompt import PromptWriter
from harness.storage.huggingface import save_parquet_splits
from harness.student.pairs import TrainingPair

PIECE = 10_000
"""Rows that are written at a time."""
PARTS = ("train", "validation")


class Form(Protocol):
    """Writes pairs, one by one, under a folder."""

    def add(self, one: TrainingPair) -> None:
        """Add a pair."""

    def close(self) -> None:
        """Finish: all pairs were added."""


class Lines:
    """Chat lines, a file for each part."""

    def __init__(self, folder: Path, how: "How", make: Callable[[list[dict[str, str]]], Any]) -> None:
        folder.mkdir()
        self._make, self._how = make, how
        self._files = {part: (folder / f"{part}.jsonl").open("w", encoding="utf-8") for part in how.parts}

    def add(self, one: TrainingPair) -> None:
        """The line of a pair."""
        assert self._how.writer is not None, "chat lines have a prompt"
        told = self._how.writer.prompt(one.item, one.pair).messages
        messages = [{"role": message.role, "content": message.content} for message in told]
        messages.append({"role": "assistant", "content": self._how.answer(one)})
        self._files[one.part].write(json.dumps(self._make(messages), ensure_ascii=False) + "\n")

    def close(self) -> None:
        """Close the files."""
        for file in self._files.values():
            file.close()


class TableForm:
    """Parquet files: `grade` as the scale has it, `label` its position, `probabilities` in its order."""

    def __init__(self, folder: Path, how: "How") -> None:
        import pyarrow.parquet

        folder.mkdir()
        self._how, self._schema = how, table_schema()
        self._held: dict[str, list[dict[str, Any]]] = {part: [] for part in how.parts}
        self._stack = ExitStack()
        self._writers = {
            part: self._stack.enter_context(
                pyarrow.parquet.ParquetWriter(folder / f"{part}.parquet", self._schema, compression="zstd")
            )
            for part in how.parts
        }

    def add(self, one: TrainingPair) -> None:
        """The row of a pair."""
        self._held[one.part].append(row_of(one, self._how))
        if len(self._held[one.part]) >= PIECE:
            self._write(one.part)

    def close(self) -> None:
        """Write what is held, and close the files."""
        for part in self._how.parts:
            self._write(part)
        self._stack.close()

    def _write(self, part: str) -> None:
        import pyarrow as pa

        self._writers[part].write_table(pa.Table.from_pylist(self._held[part], schema=self._schema))
        self._held[part] = []


class How:
    """What every form needs to know. `writer` is there where a form has messages."""

    def __init__(
        self, scale: Sequence[int], writer: PromptWriter | None, *, reasoning: bool, parts: Sequence[str]
    ) -> None:
        self.scale, self.writer, self.reasoning, self.parts = scale, writer, reasoning, tuple(parts)

    def answer(self, one: TrainingPair) -> str:
        """The answer that the student learns, in the form of a teacher's answer: eval can read it."""
        if self.reasoning:
            return answer_text(one.reasoning, one.clauses, one.grade)
        return answer_text("", (), one.grade)


OPENAI, TRL = "openai-jsonl", "trl"
FORMS: dict[str, Callable[[Path, How], Form]] = {
    OPENAI: partial(Lines, make=lambda said: {"messages": said}),
    TRL: partial(Lines, make=lambda said: {"prompt": said[:-1], "completion": said[-1:]}),
    "parquet": TableForm,
}
WITH_MESSAGES = (OPENAI, TRL)
DATASETS = "datasets"
"""Made from the Parquet files."""
NAMES = (*FORMS, DATASETS)


def write_forms(folder: Path, pairs: Iterable[TrainingPair], names: Sequence[str], how: How) -> None:
    """Write the pairs in each form, each in a folder of its name, in one reading."""
    wanted = [name for name in FORMS if name in names or (name == "parquet" and DATASETS in names)]
    forms = [FORMS[name](folder / name, how) for name in wanted]
    try:
        for one in pairs:
            for form in forms:
                form.add(one)
    finally:
        for form in forms:
            form.close()
    if DATASETS in names:
        files = {part: folder / "parquet" / f"{part}.parquet" for part in how.parts}
        save_parquet_splits(files, folder / DATASETS)
        if "parquet" not in names:
            for file in files.values():
                file.unlink()
            (folder / "parquet").rmdir()


def files_of(names: Sequence[str], parts: Sequence[str]) -> Iterator[tuple[str, str, str]]:
    """The files of these forms: path, form and part; `datasets` has a folder for each part."""
    for name in NAMES:
        ending = {"parquet": ".parquet", DATASETS: ""}.get(name, ".jsonl")
        for part in islice(parts, len(parts) if name in names else 0):
            yield f"{name}/{part}{ending}", name, part


def table_schema() -> Any:
    """The columns of the table, as a pyarrow.Schema."""
    import pyarrow as pa

    text = pa.string()
    return pa.schema(
        {
            "item": text, "query": text, "title": text, "pair": text,
            "grade": pa.int64(), "label": pa.int64(), "action": text, "reasoning": text,
            "clauses": pa.list_(text),
            "probabilities": pa.list_(pa.float64()), "weight": pa.float64(),
        }
    )  # fmt: skip


def row_of(one: TrainingPair, how: How) -> dict[str, Any]:
    """A row of the table. `probabilities` sum to 1, and are empty where the teacher gave none."""
    return {
        "item": one.item,
        "query": one.pair.query,
        "title": one.pair.result.title,
        "pair": one.pair.model_dump_json(exclude_defaults=True),
        "grade": one.grade,
        "label": how.scale.index(one.grade),
        "action": one.action,
        "reasoning": one.reasoning if how.reasoning else "",
        "clauses": list(one.clauses) if how.reasoning else [],
        "probabilities": soft_label(one, how.scale),
        "weight": one.weight,
    }


def soft_label(one: TrainingPair, scale: Sequence[int]) -> list[float] | None:
    """The teacher's probability of each grade of the scale; they sum to 1. None where it gave none."""
    if one.probabilities is None:
        return None
    given = [one.probabilities.get(grade, 0.0) for grade in scale]
    total = sum(given)
    return [share / total for share in given] if total > 0 else None
