"""builtin/lexical: an ordinal regression on how the words of query and product meet.

It learns only from the shots, which a teacher may see too.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.preprocessing import StandardScaler

from harness.nouns.pair import Pair
from harness.nouns.records import Prompt, Reply
from harness.prompting.answer import answer_text
from harness.providers.base import LocalTeacher, Setup
from harness.providers.overlap import Floats, cosines, description, met, overlaps, shares_of

FEATURES = (
    "query words in the title",
    "query words in the whole listing",
    "last query word in the title",
    "title words outside the query",
    "word similarity of query and title",
    "character similarity of query and title",
    "character similarity of query and description",
)
REGULARISATION = 1.0
"""Inverse strength, scikit-learn's default: with some dozens of shots, nothing is tuned."""


class Lexical(LocalTeacher):
    """One logistic regression per step of the scale (Frank & Hall 2001): P(grade >= k) for each k."""

    def __init__(self, setup: Setup) -> None:
        self._scale = setup.policy.scale
        self._shots = setup.shots
        pairs = [shot.pair for shot in setup.shots]
        texts = [text for pair in pairs for text in (pair.query, pair.result.title, description(pair))]
        texts.append("word")  # a vocabulary cannot be empty, and shots of emoji alone would leave it so
        self._words = TfidfVectorizer(sublinear_tf=True, token_pattern=r"(?u)\b\w+\b").fit(texts)
        self._characters = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True).fit(
            texts
        )
        features, self._shot_vectors = self._read(pairs)
        self._scaler = StandardScaler().fit(features)
        scaled = self._scaler.transform(features)
        grades = np.array([shot.grade for shot in setup.shots])
        self._steps = [_fit(scaled, grades >= grade) for grade in self._scale[1:]]

    async def ask(self, prompt: Prompt) -> Reply:
        """The likeliest grade, with the probability of each, the nearest shot and what decided."""
        raw, vector = self._read([prompt.pair])
        features = (raw[0] - self._scaler.mean_) / self._scaler.scale_
        share = shares_of(np.array([[step(features) for step in self._steps]]))[0]
        at = int(np.argmax(share))
        reasoning = f"{self._nearest(vector)} {self._why(prompt.pair, features)}"
        return Reply(
            text=answer_text(reasoning, [], self._scale[at]),
            model="builtin/lexical",
            probabilities=dict(zip(self._scale, map(float, share), strict=True)),
        )

    def _read(self, pairs: Sequence[Pair]) -> tuple[Floats, Any]:
        """One row of FEATURES per pair, and the pairs' characters as sparse vectors."""
        queries = [pair.query for pair in pairs]
        titles = [pair.result.title for pair in pairs]
        descriptions = [description(pair) for pair in pairs]
        texts = [f"{pair.query} {pair.result.title}" for pair in pairs]
        # One call for all texts: a call costs more than the texts of a pair do.
        words = _rows(self._words.transform(queries + titles), 2)
        characters = _rows(self._characters.transform(queries + titles + descriptions + texts), 4)
        features = [
            np.array([overlaps(pair) for pair in pairs], dtype=np.float64),
            cosines(words[0], words[1]),
            cosines(characters[0], characters[1]),
            cosines(characters[0], characters[2]),
        ]
        return np.column_stack(features), characters[3]

    def _nearest(self, vector: Any) -> str:
        similarity = (self._shot_vectors @ vector.T).toarray()[:, 0]
        at = int(np.argmax(similarity))
        shot = self._shots[at]
        return f"Nearest shot: {shot.id} (grade {shot.grade}, similarity {similarity[at]:.2f})."

    def _why(self, pair: Pair, features: Floats) -> str:
        pull = features * np.mean([step.weights for step in self._steps], axis=0)
        at = int(np.argmax(np.abs(pull)))
        there, away = met(pair)
        terms = f"in the listing: {', '.join(there) or 'none'}; not: {', '.join(away) or 'none'}"
        direction = "up" if pull[at] > 0 else "down"
        return f"Query words {terms}. Decided most, {direction}wards: {FEATURES[at]}."


class _Step(NamedTuple):
    """P(grade >= k) for features; constant where the shots hold only one answer."""

    weights: Floats
    intercept: float

    def __call__(self, features: Floats) -> float:
        return float(1 / (1 + np.exp(-(features @ self.weights + self.intercept))))


def _fit(features: Floats, above: NDArray[np.bool_]) -> _Step:
    if above.all() or not above.any():
        # Laplace's rule of succession: the shots show one answer, and are few.
        yes = (above.sum() + 1) / (len(above) + 2)
        return _Step(np.zeros(features.shape[1]), float(np.log(yes / (1 - yes))))
    model: Any = LogisticRegression(C=REGULARISATION).fit(features, above)
    return _Step(model.coef_[0], float(model.intercept_[0]))


def _rows(matrix: Any, parts: int) -> list[Any]:
    """A sparse matrix, cut into pieces of equally many rows."""
    size = matrix.shape[0] // parts
    return [matrix[part * size : (part + 1) * size] for part in range(parts)]
