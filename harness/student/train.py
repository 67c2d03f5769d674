"""`harness student train`: a small student of our own, and a baseline for any other one.

An ordinal regression over how the words of query and product meet, and over which words they are; on request
over word vectors too. How strong it may be, and how its probabilities become grades, is chosen by its
agreement with the teacher on queries held out of the training pairs. The golden set is not read for that.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import sparse

from harness import __version__
from harness.errors import BadInput, Fault
from harness.nouns.pair import Pair, query_key
from harness.policy.load import policy_digest
from harness.providers.student import query_number
from harness.providers.student_features import LEXICAL, SEMANTIC, meeting, rarity_of, words_of
from harness.providers.student_file import save_student
from harness.providers.student_saved import SavedStudent
from harness.providers.student_vectors import WordVectors, installed_vectors
from harness.runs.labels import LabelSet, load_labels
from harness.scaffold.new_folder import whole_folder
from harness.scorecards.training import TrainedStudent
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.student.fitting import Chosen, Data, choose, fit
from harness.student.golden import GradedSet, graded_set
from harness.student.pairs import Choice, TrainingPairs

LEAST = 10
"""Pairs to learn from, below which there is nothing to learn."""
KEPT = (
    "labels", "features", "policy", "teacher", "proven", "pairs", "queries", "words", "strength", "cuts",
    "kappa",
)  # fmt: skip
"""The fields of a saved student that the summary of its training repeats."""
PIECE = 2_000


@dataclass(frozen=True, slots=True)
class TrainRequest:
    """What to learn from. `weighted`: whether a pair counts as often as it is seen.

    `semantic`: whether word vectors are read too.
    """

    labels: Path
    folder: Path
    choice: Choice
    weighted: bool = False
    semantic: bool = False


def train(project: Project, request: TrainRequest) -> TrainedStudent:
    """Train a student, and save it in a new folder. BadInput where there is too little to learn from."""
    vectors = installed_vectors() if request.semantic else None
    labels = load_labels(request.labels)
    golden = graded_set(project, labels.policy)
    pairs = TrainingPairs(labels, golden, request.choice)
    read = _Read(pairs, labels.policy.scale, weighted=request.weighted)
    _refuse_too_little(labels, read)
    rarity = rarity_of(read.pairs)
    met, words, columns = _features(read.pairs, rarity, vectors)
    data = Data(met, words, read.grades, read.clusters, read.weights)
    q = len(labels.policy.scale)
    chosen = choose(data, q)
    weights = fit(data, q, chosen, columns)
    weights = replace(weights, rarity=rarity, learned=read.learned)
    with whole_folder(request.folder) as draft:
        saved = save_student(draft, _saved(request, labels, golden, read, chosen, vectors), weights)
    return _summary(request, saved, pairs, chosen)


class _Read:
    """The pairs, read: texts, positions of grades on the scale, and queries as numbers."""

    def __init__(self, pairs: TrainingPairs, scale: Sequence[int], *, weighted: bool) -> None:
        found = list(pairs)
        self.pairs: list[Pair] = [one.pair for one in found]
        self.grades = np.array([scale.index(one.grade) for one in found], dtype=np.int64)
        keys = [query_key(one.pair.query) for one in found]
        self.learned = np.array(sorted({*map(query_number, keys)}), dtype=np.uint64)
        _, self.clusters = np.unique(np.array(keys, dtype=object), return_inverse=True)
        weights = np.array([one.weight if weighted else 1.0 for one in found])
        self.weights: NDArray[np.float64] = weights / weights.mean()
        self.counts = np.bincount(self.grades, minlength=len(scale)).tolist()


def _features(
    pairs: Sequence[Pair], rarity: NDArray[np.float32], vectors: WordVectors | None
) -> tuple[NDArray[np.float64], Any, NDArray[np.int32]]:
    """How the words meet, which words there are, and the hashed columns of these alone: most are empty."""
    pieces = [pairs[at : at + PIECE] for at in range(0, len(pairs), PIECE)]
    met = np.concatenate([meeting(piece, rarity, vectors) for piece in pieces])
    words = words_of(pairs)
    columns, places = np.unique(words.indices, return_inverse=True)
    few = sparse.csr_matrix((words.data, places, words.indptr), shape=(len(pairs), len(columns)))
    return met, few, columns.astype(np.int32)


def _refuse_too_little(labels: LabelSet, read: _Read) -> None:
    where, n = str(labels.folder), len(read.pairs)
    if n < LEAST:
        what = f"has {plural(n, 'pair')} to learn from; a student needs {LEAST} or more"
        raise BadInput([Fault(where, what)])
    if sum(count > 0 for count in read.counts) < 2:
        raise BadInput([Fault(where, f"gives all {n:,} pairs one grade: there is nothing to learn")])


def _saved(
    request: TrainRequest,
    labels: LabelSet,
    golden: GradedSet,
    read: _Read,
    chosen: Chosen,
    vectors: WordVectors | None,
) -> SavedStudent:
    manifest = labels.manifest
    return SavedStudent(
        features=SEMANTIC if vectors else LEXICAL,
        vectors=vectors.saved if vectors else None,
        policy=labels.policy.label,
        policy_digest=policy_digest(labels.policy),
        scale=labels.policy.scale,
        teacher=manifest.asked.model,
        proven=manifest.proven.run if manifest.proven else None,
        labels=labels.folder.name,
        labels_made=manifest.finished_at or "",
        pairs=len(read.pairs),
        queries=len(read.learned),
        counts=tuple(read.counts),
        balance=request.choice.balance,
        weighted=request.weighted,
        words=chosen.words,
        strength=chosen.strength,
        cuts=chosen.cuts,
        kappa=chosen.kappa,
        graded=golden.digest,
        weights="",
        harness=__version__,
    )


def _summary(
    request: TrainRequest, saved: SavedStudent, pairs: TrainingPairs, chosen: Chosen
) -> TrainedStudent:
    warnings = []
    if not saved.proven:
        warnings.append("no gate has passed the teacher: a student learns its errors too")
    missing = [str(grade) for grade, count in zip(saved.scale, saved.counts, strict=True) if not count]
    if missing:
        warnings.append(f"no pair has grade {', '.join(missing)}: the student never gives it")
    return TrainedStudent(
        folder=str(request.folder),
        **{name: getattr(saved, name) for name in KEPT},
        vectors=saved.vectors.package if saved.vectors else None,
        rows=pairs.rows,
        distinct=pairs.distinct,
        left_out=pairs.left_out,
        grades=dict(zip(map(str, saved.scale), saved.counts, strict=True)),
        reason=chosen.reason,
        tried=chosen.tried,
        warnings=tuple(warnings),
    )
