"""A training set, for a terminal, and its card."""

from collections.abc import Iterator

from rich.console import RenderableType
from rich.text import Text

from harness.report.parts import columns, indented, warnings
from harness.report.regression import markdown_cell, markdown_table
from harness.scorecards.training import TrainingSet
from harness.storage.plural import plural

FOR = {
    "openai-jsonl": "OpenAI's fine-tuning: `messages` with the answer last",
    "trl": "TRL and the like: `prompt` and `completion`, so that only the answer is learned",
    "parquet": "a table: `grade`, `label` (its position on the scale), `probabilities`, `weight`",
    "datasets": "the same table: `datasets.load_from_disk`",
}


def training_set_view(found: TrainingSet) -> Iterator[RenderableType]:
    """What an export holds, and what it left out."""
    yield Text(f"{found.counted} of {found.labels}, labelled by {found.teacher}", style="bold")
    yield Text(_proof(found))
    rows = ((str(x.grade), x.name, f"{x.train:,}", f"{x.validation:,}") for x in reversed(found.grades))
    yield indented(columns("grade", "", "to train", "to validate", rows=rows))
    yield Text(f"Left out of {plural(found.distinct, 'distinct pair')}: {found.left_out.words}.")
    files = ((file.path, f"{file.rows:,}") for file in found.files)
    yield indented(columns("file", "rows", rows=files))
    yield from warnings(found.warnings, above=True)


def _proof(found: TrainingSet) -> str:
    if found.proven:
        return f"The teacher passed Gate 2 under {found.policy}: {found.proven}."
    return f"The teacher is not proven under {found.policy}."


def card_text(found: TrainingSet) -> str:
    """The card of a training set, in Markdown."""
    names = {"traffic": "as in the traffic", "grades": "as many of each grade as of the rarest"}
    said = {
        "policy": found.policy,
        "teacher": found.teacher,
        "Gate 2 of the teacher": found.proven or "not passed",
        "label set": f"{found.labels}, of {found.labels_made}",
        "pairs": f"{found.pairs:,}: {found.train:,} to train, {found.validation:,} to validate",
        "mix of grades": names[found.balance],
        "scale": ", ".join(map(str, found.scale)),
        "reasoning": "with the teacher's reasoning and clauses" if found.reasoning else "grades alone",
        "soft labels": f"{found.soft:,} of {plural(found.pairs, 'pair')}",
        "seed": str(found.seed),
    }
    lines = [
        f"# Training set of {markdown_cell(found.labels)}",
        "",
        "Labels of a teacher, for a smaller model to learn from. No person has checked them.",
        "",
        *markdown_table(("", ""), ((name, markdown_cell(text)) for name, text in said.items())),
        *_grades(found),
        *_left_out(found),
        *_files(found),
        *_use(found),
        *(["## Warnings", ""] if found.warnings else []),
        *(f"- {markdown_cell(warning)}" for warning in found.warnings),
    ]
    return "\n".join(lines).rstrip() + "\n"


def _grades(found: TrainingSet) -> Iterator[str]:
    yield "## Grades"
    yield ""
    rows = (
        (one.grade, markdown_cell(one.name), f"{one.train:,}", f"{one.validation:,}", f"{one.weight:g}")
        for one in found.grades
    )
    yield from markdown_table(("grade", "name", "to train", "to validate", "weight"), rows)


def _left_out(found: TrainingSet) -> Iterator[str]:
    out = found.left_out
    why = {
        "dev or test has the query": out.graded_query,
        "the query, or a pair of it, is nearly one of dev or test": out.near_graded,
        "a canary has the query, or a pair of it is nearly a canary's": out.canary,
        "a shot has the query, so that the teacher had seen an answer": out.shot_query,
        "the teacher's answer could not be read": out.unread,
        "the teacher never answered": out.unanswered,
        "not drawn, by the mix of grades or the limit": out.not_drawn,
    }
    yield "## What was left out"
    yield ""
    of = f"{plural(found.rows, 'row')} with {plural(found.distinct, 'distinct pair')}"
    yield f"Of {of}. A pair is counted once, by the first of these reasons."
    yield ""
    yield from markdown_table(("why", "pairs"), ((reason, f"{count:,}") for reason, count in why.items()))
    canaries = f" and {plural(found.canary_pairs, 'pair')} of its canaries" if found.canary_pairs else ""
    graded = plural(found.golden_pairs - found.canary_pairs, "graded pair")
    yield f"Checked against {graded} of the golden set {found.golden}{canaries}"
    yield f"(`{found.golden_digest}`). If dev or test gains pairs, export again."
    yield ""


def _files(found: TrainingSet) -> Iterator[str]:
    yield "## Files"
    yield ""
    rows = ((f"`{file.path}`", f"{file.rows:,}", FOR[file.form]) for file in found.files)
    yield from markdown_table(("file", "rows", "for"), rows)
    if found.validation:
        yield "Whole queries are held back to validate."
        yield ""


def _use(found: TrainingSet) -> Iterator[str]:
    if found.messages is None:
        return
    yield "## To evaluate the student"
    yield ""
    yield "The chat lines have the messages of this command, byte for byte:"
    yield ""
    which = f"--policy {found.policy} --prompt {found.messages} --shots 0"
    yield f"    harness eval --model openai/NAME {which}"
    yield ""
    yield "Then `harness student check` says whether it may stand in for the teacher."
    yield ""
