"""What a student reads of a pair: how its words meet, and which words they are, hashed.

Nothing here is learned but the rarity of words, so that a saved student is a few arrays of numbers. Word
vectors are those of a package, and not of the student.
"""

import zlib
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray
from sklearn.feature_extraction import FeatureHasher
from sklearn.feature_extraction.text import HashingVectorizer

from harness.nouns.pair import Pair
from harness.providers.overlap import Floats, cosines, description, overlaps, stems

if TYPE_CHECKING:
    from harness.providers.student_vectors import WordVectors

LEXICAL, SEMANTIC = "lexical-1", "semantic-1"
"""Features without and with word vectors. Changed ones take another name: saved students use these."""
WIDTH = 1 << 18
"""Columns that words are hashed to."""
BUCKETS = 1 << 16
"""Places that the rarity of words is kept in."""
DENSE = {LEXICAL: 10, SEMANTIC: 15}
"""How many numbers say how the words meet."""
MOST_QUERY, MOST_TITLE = 12, 40
"""Words that are paired: a text of a million would make a million million."""
_WORDS = FeatureHasher(n_features=WIDTH, input_type="pair")
_LETTERS = HashingVectorizer(analyzer="char_wb", ngram_range=(3, 5), n_features=WIDTH, alternate_sign=False)


def rarity_of(pairs: Iterable[Pair]) -> NDArray[np.float32]:
    """log((1 + n) / (1 + d)) + 1 for the d of n texts that have a word, by the word's bucket."""
    counts = np.zeros(BUCKETS)
    n = 0
    for pair in pairs:
        for text in (pair.query, pair.result.title):
            n += 1
            counts[[*{_bucket(word) for word in stems(text)}]] += 1
    return np.asarray(np.log((1 + n) / (1 + counts)) + 1, dtype=np.float32)


def meeting(
    pairs: Sequence[Pair], rarity: NDArray[np.float32], vectors: "WordVectors | None" = None
) -> Floats:
    """DENSE numbers for each pair: overlaps of words, of rare words, and of letters; cosines of `vectors`."""
    queries = [pair.query for pair in pairs]
    titles = [pair.result.title for pair in pairs]
    descriptions = [description(pair) for pair in pairs]
    letters = _LETTERS.transform([*queries, *titles, *descriptions])
    n = len(pairs)
    query, title, other = letters[:n], letters[n : 2 * n], letters[2 * n :]
    columns = [
        np.array([overlaps(pair) for pair in pairs], dtype=np.float64),
        np.array([_rare(pair, rarity) for pair in pairs], dtype=np.float64),
        cosines(query, title),
        cosines(query, other),
        np.array([_lengths(pair) for pair in pairs], dtype=np.float64),
        *([vectors.compared(pairs)] if vectors else []),
    ]
    return np.column_stack(columns)


def words_of(pairs: Sequence[Pair]) -> Any:
    """The words of each pair as a sparse row: of the query, of the title, and each pair of one and the other.

    What a word of a query and a word of a title mean together is what overlaps do not see: sofa, couch.
    """
    return _WORDS.transform(_tokens(pair) for pair in pairs)


def _tokens(pair: Pair) -> list[tuple[str, float]]:
    query = list(dict.fromkeys(stems(pair.query)))[:MOST_QUERY]
    title = list(dict.fromkeys(stems(pair.result.title)))[:MOST_TITLE]
    both = [f"x={one}|{other}" for one in query for other in title]
    groups = ([f"q={word}" for word in query], [f"t={word}" for word in title], both)
    return [(token, len(group) ** -0.5) for group in groups for token in group]


def _rare(pair: Pair, rarity: NDArray[np.float32]) -> tuple[float, float]:
    """The shares of the query's words, weighted by rarity, that are in the title, and in the listing."""
    query, title = stems(pair.query), {*stems(pair.result.title)}
    listing = title | {*stems(description(pair))}
    weights = [float(rarity[_bucket(word)]) for word in query]
    whole = sum(weights) or 1.0
    there = [(weight, word in title, word in listing) for weight, word in zip(weights, query, strict=True)]
    return sum(w for w, near, _ in there if near) / whole, sum(w for w, _, near in there if near) / whole


def _lengths(pair: Pair) -> tuple[float, float]:
    return np.log1p(len(stems(pair.query))), np.log1p(len(stems(pair.result.title)))


def _bucket(word: str) -> int:
    return zlib.crc32(word.encode("utf-8", "surrogatepass")) % BUCKETS
