"""Static word vectors from the package wordllama: how near in meaning the words of a query and a listing are.

The package is not imported: that would set up logging for the whole process, and its loader looks for the
tokenizer in a cache and on the network. Its two data files are read, which hold numbers and tokens alone.
"""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.pair import Pair
from harness.providers.overlap import Floats, description
from harness.providers.student_saved import SavedStudent, SavedVectors
from harness.storage.digest import digest, digest_bytes
from harness.storage.regular import read_bytes

if TYPE_CHECKING:
    from tokenizers import Tokenizer

PACKAGE = "wordllama"
NEEDED = (PACKAGE, "safetensors", "tokenizers")
"""The packages of the extra `semantic`."""
WEIGHTS, TOKENS = "weights/l2_supercat_256.safetensors", "tokenizers/l2_supercat_tokenizer_config.json"
"""The vectors of 32,000 tokens, and the rules by which a word is cut into tokens."""
KNOWN = "0.4.0.post1"
"""A version of the package that has both."""
LONGEST, LETTERS = 500, 64
"""Words of a text, and letters of a word, that are read."""
KEPT = 1 << 15
"""Words whose tokens are remembered."""
PIECE = 16
"""Pairs that are compared at once: the vectors of their words take 30 MB at most."""
COMPARED = 5
"""How many numbers say how near the words are."""

TABLE, WIDTH = "embedding.weight", 256
"""The name of the table in its file, and how many numbers a token has."""
MOST = 10_000
"""No number of a table is larger (in that of KNOWN, 8): sums and squares of them stay finite."""

T = TypeVar("T")
Vectors = NDArray[np.float32]


def installed_vectors() -> "WordVectors":
    """The word vectors that are installed. BadInput without the extra, or where they are damaged."""
    found = find_spec(PACKAGE)
    if found is None or found.origin is None or not all(map(find_spec, NEEDED)):
        raise BadInput("word vectors take more packages: pip install 'teacher-harness[semantic]'")
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    folder, name = Path(found.origin).parent, f"{PACKAGE} {version(PACKAGE)}"
    _refuse_other(folder, name)
    weights, tokens = (read_bytes(folder / part) for part in (WEIGHTS, TOKENS))
    tokenizer = _parsed(Tokenizer.from_buffer, tokens, folder / TOKENS, name)
    tables = _parsed(load, weights, folder / WEIGHTS, name)
    count = 1 + max(tokenizer.get_vocab().values(), default=-1)
    if what := table_fault(tables, count):
        raise _damaged(folder / WEIGHTS, name, what)
    saved = SavedVectors(package=name, digest=digest([digest_bytes(weights), digest_bytes(tokens)]))
    return WordVectors(tables[TABLE], tokenizer, saved)


def _parsed(read: Callable[[bytes], T], content: bytes, path: Path, name: str) -> T:
    try:
        return read(content)
    except Exception as error:  # noqa: BLE001 - tokenizers raises nothing narrower
        raise _damaged(path, name, str(error)) from None


def table_fault(tables: Mapping[str, NDArray[Any]], tokens: int) -> str:
    """What is wrong with the vectors of a file, which are for so many tokens; empty where nothing is."""
    table = tables.get(TABLE)
    expected = f"expected {TABLE!r} of {tokens:,} x {WIDTH} floating-point numbers"
    if table is None or not tokens:
        return f"{expected}, found none"
    if table.dtype not in (np.float16, np.float32) or table.shape != (tokens, WIDTH):
        size = " x ".join(f"{size:,}" for size in table.shape)
        return f"{expected} (float16 or float32), found {size} of {table.dtype}"
    odd = int((~(np.abs(table) <= MOST)).sum())
    return f"{expected}, each from {-MOST:,} to {MOST:,}: {odd:,} of them are not" if odd else ""


def _damaged(path: Path, name: str, what: str) -> BadInput:
    return BadInput.at(path, f"{name} is damaged ({what}); install it again")


def _refuse_other(folder: Path, name: str) -> None:
    """BadInput for a version of the package that does not have both files."""
    faults = [
        Fault(str(folder / part), f"{name} does not have it; install {PACKAGE}=={KNOWN}")
        for part in (WEIGHTS, TOKENS)
        if not (folder / part).is_file()
    ]
    refuse_faults(faults)


def vectors_of(saved: SavedStudent, folder: Path) -> "WordVectors | None":
    """The word vectors that a student was trained on; None for one that reads none.

    BadInput where they are not installed, or others are.
    """
    if saved.vectors is None:
        return None
    found = installed_vectors()
    if found.saved.digest != saved.vectors.digest:
        what = (
            f"was trained on the word vectors of {saved.vectors.package}; those of {found.saved.package}, "
            "which is installed, are others: install the former, or train the student anew"
        )
        raise BadInput([Fault(str(folder), what)])
    return found


class WordVectors:
    """Vectors of tokens. That of a word is the sum over its tokens, that of a text the sum over its words.

    Cosines are the same as of means. A character without a token of its own has one for each of its bytes.
    """

    def __init__(self, table: NDArray[Any], tokenizer: "Tokenizer", saved: SavedVectors) -> None:
        """`table`: a row for each token. `saved`: what a student notes of them."""
        self._table, self._tokenizer, self.saved = table, tokenizer, saved
        self._tokens = lru_cache(KEPT)(self._read)

    def compared(self, pairs: Sequence[Pair]) -> Floats:
        """A row of COMPARED cosines for each pair, from -1 to 1; 0 where a side has no words.

        Of query and title, and of query and listing; of each query word with the nearest word of the listing
        the mean and the least; of the last query word with the nearest word of the title.
        """
        pieces = [self._piece(pairs[at : at + PIECE]) for at in range(0, len(pairs), PIECE)]
        return np.concatenate([np.zeros((0, COMPARED)), *pieces])

    def _piece(self, pairs: Sequence[Pair]) -> Floats:
        places: dict[str, int] = {}
        texts = [
            [
                [places.setdefault(word, len(places)) for word in words_in(text)]
                for text in (pair.query, pair.result.title, description(pair))
            ]
            for pair in pairs
        ]
        sums = self._sums(places)
        units = _units(sums)
        return np.array([_near(sums, units, *three) for three in texts], dtype=np.float64)

    def _sums(self, words: Iterable[str]) -> Vectors:
        """The vector of each word: a row each."""
        tokens = [self._tokens(word) for word in words]
        if not tokens:
            return np.zeros((0, self._table.shape[1]), dtype=np.float32)
        rows = self._table[np.concatenate(tokens)].astype(np.float32)
        starts = np.cumsum([0, *map(len, tokens[:-1])])
        return np.asarray(np.add.reduceat(rows, starts, axis=0), dtype=np.float32)

    def _read(self, word: str) -> NDArray[np.int64]:
        # One at a time: a batch starts threads, and warns when the process is copied later.
        return np.array(self._tokenizer.encode(word, add_special_tokens=False).ids, dtype=np.int64)


def words_in(text: str) -> list[str]:
    """The words of a text without case, as far as they are read."""
    found = islice(re.finditer(r"\w+", text.casefold()), LONGEST)
    return [word[0][:LETTERS] for word in found]


def _near(
    sums: Vectors, units: Vectors, query: list[int], title: list[int], rest: list[int]
) -> tuple[float, float, float, float, float]:
    """The cosines of a pair, from the places of its words. A side without words has a cosine with nothing."""
    listing = title + rest
    if not query or not listing:
        return 0.0, 0.0, 0.0, 0.0, 0.0
    whole = _units(np.stack([sums[places].sum(axis=0) for places in (query, title, listing)]))
    # Not by BLAS, whose threads wait for each other longer than so few numbers take.
    nearest = np.einsum("qd,ld->ql", units[query], units[listing])
    best = nearest.max(axis=1)
    last = nearest[-1, : len(title)].max() if title else 0.0
    return whole[0] @ whole[1], whole[0] @ whole[2], best.mean(), best.min(), last


def _units(rows: Vectors) -> Vectors:
    """Rows of length 1; a row of zeros stays one."""
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return np.asarray(rows / np.where(lengths > 0, lengths, 1), dtype=np.float32)
