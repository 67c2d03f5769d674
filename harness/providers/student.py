"""student/PATH: a student that `harness student train` saved. It costs nothing, and reads no prompt."""

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from harness.errors import BadInput, Fault
from harness.nouns.pair import Pair, query_key
from harness.nouns.records import Prompt, Reply
from harness.prompting.answer import answer_text
from harness.providers.base import SENT_ALONG, LocalTeacher, Setup, Teacher, refuse
from harness.storage.plural import plural
from harness.storage.project import Project

if TYPE_CHECKING:
    from harness.providers.overlap import Floats
    from harness.providers.student_file import Weights
    from harness.providers.student_saved import SavedStudent
    from harness.providers.student_vectors import WordVectors

SHOWN = 3
"""Leaked queries that a message shows."""


def open_teacher(model: str, setup: Setup) -> Teacher:
    """The student in a folder. BadInput for whatever is wrong with it, or if it has seen what is graded."""
    from harness.providers.student_file import load_student
    from harness.providers.student_policy import unknown_to
    from harness.providers.student_vectors import vectors_of

    refuse("student, which makes no API calls,", setup, *SENT_ALONG)
    folder = setup.root / model
    saved, weights = load_student(folder)
    if saved.scale != setup.policy.scale:
        has, wanted = (", ".join(map(str, scale)) for scale in (saved.scale, setup.policy.scale))
        what = f"learned the scale of {saved.policy} ({has}); {setup.policy.label} has another ({wanted})"
        raise BadInput([Fault(str(folder), what)])
    _refuse_seen(folder, weights, (example.query for example in setup.examples))
    vectors = vectors_of(saved, folder)
    unknown = unknown_to(saved, setup.policy, Project(setup.root))
    return Student(model, saved, weights, vectors, (unknown,) if unknown else ())


def query_number(query: str) -> int:
    """A number for a query, as its key, by which a student knows that it learned from it."""
    found = hashlib.sha256(query_key(query).encode("utf-8", "surrogatepass")).digest()
    return int.from_bytes(found[:8])


def _refuse_seen(folder: Path, weights: "Weights", queries: Iterable[str]) -> None:
    """BadInput where the student learned from a graded query: its grade would not be a test."""
    learned = {*weights.learned.tolist()}
    seen = [query for query in dict.fromkeys(queries) if query_number(query) in learned]
    if seen:
        named = ", ".join(repr(query) for query in seen[:SHOWN])
        what = f"learned from {plural(len(seen), 'query', 'queries')} that the golden set grades ({named})"
        raise BadInput([Fault(str(folder), f"{what}: train it anew, without them")])


class Student(LocalTeacher):
    """Gives the grade of a saved student, with its probabilities, and no reasoning."""

    def __init__(
        self,
        model: str,
        saved: "SavedStudent",
        weights: "Weights",
        vectors: "WordVectors | None" = None,
        unknown: tuple[str, ...] = (),
    ) -> None:
        """`vectors`: those that it reads. `unknown`: what of the policy it has not learned, in words."""
        self._model, self.saved, self._weights, self._vectors = f"student/{model}", saved, weights, vectors
        note = f"This is a student of {saved.teacher}, {saved.baseline}: it reads no prompt."
        self.notes = (note, *unknown)

    async def ask(self, prompt: Prompt) -> Reply:
        """The grade of the pair."""
        shares = shares_by(self._weights, [prompt.pair], self._vectors)
        at = positions_of(shares, self.saved.cuts)[0]
        return Reply(
            text=answer_text("", (), self.saved.scale[at]),
            model=self._model,
            probabilities=dict(zip(self.saved.scale, shares[0].tolist(), strict=True)),
        )


def shares_by(weights: "Weights", pairs: Sequence[Pair], vectors: "WordVectors | None" = None) -> "Floats":
    """P(grade) by a student's numbers: a row for each pair, a column for each grade."""
    import numpy as np

    from harness.providers.overlap import shares_of
    from harness.providers.student_features import meeting, words_of

    met = (meeting(pairs, weights.rarity, vectors) - weights.mean) / weights.spread
    logits = met @ weights.dense.T + weights.intercept
    if len(weights.columns):
        found = words_of(pairs)
        at = np.minimum(np.searchsorted(weights.columns, found.indices), len(weights.columns) - 1)
        known = weights.columns[at] == found.indices
        rows = np.repeat(np.arange(len(pairs)), np.diff(found.indptr))
        for step in range(len(weights.words)):
            added = found.data[known] * weights.words[step, at[known]]
            logits[:, step] += np.bincount(rows[known], added, minlength=len(pairs))
    return shares_of(1 / (1 + np.exp(-np.clip(logits, -500, 500))))


def positions_of(shares: "Floats", cuts: Sequence[float] | None) -> list[int]:
    """The position on the scale that each row of probabilities means."""
    import numpy as np

    from harness.stats.cuts import placed

    if cuts is None:
        return [int(at) for at in shares.argmax(axis=1)]
    return [int(at) for at in placed(shares @ np.arange(shares.shape[1]), cuts)]
