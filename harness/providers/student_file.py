"""A saved student: a folder with student.json and weights.npz, and nothing in them that could run.

A folder that somebody sends can hold anything: links, other files, arrays of other shapes, numbers that are
none, a zip that unpacks without end. What this program did not write so is refused before it is used.
"""

import io
import struct
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tokenize import TokenError
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.errors import BadInput, Fault, refuse_faults
from harness.providers.base import STUDENT
from harness.providers.student_saved import SavedStudent
from harness.storage.digest import digest_bytes
from harness.storage.files import build, read_json, write_atomic
from harness.storage.plural import plural
from harness.storage.regular import odd_files, read_bytes

WEIGHTS = "weights.npz"
LARGEST = 256 << 20
"""The most bytes of the weights."""
LONGEST = 1 << 20
"""The most bytes of student.json."""
MOST = 1e6
"""No number of a trained student is larger."""
UNREADABLE = (
    zipfile.BadZipFile, ValueError, EOFError, KeyError, OSError, RuntimeError, SyntaxError, TokenError,
    TypeError, OverflowError, MemoryError,
)  # fmt: skip
"""What zipfile and numpy raise of content that is neither an archive nor an array."""
END, LOCATOR = 22, 20
"""Bytes of a zip archive's end record, and of the ZIP64 locator before it."""
DIRECTORY = 1 << 16
"""The most bytes of its directory: that of a training has about 500."""
HEADER = 10_000
"""The most letters of an array's description."""
SMALLEST = 1e-9
"""No spread is smaller: training takes one of a feature that hardly varies for 1."""


@dataclass(frozen=True, slots=True)
class Weights:
    """The numbers of a student of `steps` steps: P(grade >= k) = logistic(dense x + words x + intercept).

    `columns`: the hashed columns that have a weight, in order. `learned`: a number for each query that it
    learned from, sorted.
    """

    rarity: NDArray[np.float32]
    mean: NDArray[np.float64]
    spread: NDArray[np.float64]
    dense: NDArray[np.float64]
    intercept: NDArray[np.float64]
    columns: NDArray[np.int32]
    words: NDArray[np.float32]
    learned: NDArray[np.uint64]


KINDS: Mapping[str, str] = {
    "rarity": "<f4", "mean": "<f8", "spread": "<f8", "dense": "<f8", "intercept": "<f8",
    "columns": "<i4", "words": "<f4", "learned": "<u8",
}  # fmt: skip


def save_student(folder: Path, saved: SavedStudent, weights: Weights) -> SavedStudent:
    """Write a student into a folder."""
    whole = io.BytesIO()
    arrays: dict[str, Any] = {
        name: np.ascontiguousarray(getattr(weights, name), kind) for name, kind in KINDS.items()
    }
    np.savez(whole, **arrays)
    content = whole.getvalue()
    saved = saved.model_copy(update={"weights": digest_bytes(content)})
    write_atomic(folder / WEIGHTS, content)
    write_atomic(folder / STUDENT, saved.model_dump_json(indent=2) + "\n")
    return saved


def load_saved(folder: Path) -> SavedStudent:
    """What a student says of itself. BadInput for a folder that holds none, or more than one."""
    if not folder.is_dir():
        raise BadInput([Fault(str(folder), "no such student; `harness student train` makes one")])
    refuse_faults(odd_files(folder))
    there = {one.name for one in folder.iterdir()}
    if there != {STUDENT, WEIGHTS}:
        found = ", ".join(sorted(there)[:5]) or "nothing"
        what = f"is not a student, which is {STUDENT} and {WEIGHTS} and nothing else (there: {found})"
        raise BadInput([Fault(str(folder), what)])
    path = folder / STUDENT
    saved, faults = build(SavedStudent, read_json(path, LONGEST, links=False), str(path))
    if saved is None:
        raise BadInput(faults)
    ordered = list(saved.scale) == sorted(set(saved.scale))
    cuts = saved.cuts
    fits = cuts is None or (len(cuts) == len(saved.scale) - 1 and list(cuts) == sorted(cuts))
    counted = len(saved.counts) == len(saved.scale) and sum(saved.counts) == saved.pairs
    if not (ordered and fits and counted):
        raise _damaged(path, "its scale, counts, pairs and cuts do not fit each other")
    return saved


def load_student(folder: Path) -> tuple[SavedStudent, Weights]:
    """A student. BadInput for whatever `save_student` does not write."""
    from harness.providers.student_features import BUCKETS, DENSE, LEXICAL, WIDTH

    saved = load_saved(folder)
    path = folder / WEIGHTS
    dense = DENSE.get(saved.features)
    if dense is None:
        what = f"reads pairs as {saved.features!r}, which this version does not know; train it anew"
        raise BadInput([Fault(str(folder / STUDENT), what)])
    if (saved.vectors is None) != (saved.features == LEXICAL):
        raise _damaged(folder / STUDENT, "its features and vectors do not fit each other")
    content = read_bytes(path, LARGEST, links=False)
    if digest_bytes(content) != saved.weights:
        raise _damaged(path, f"is not what {STUDENT} says that the student was saved with")
    steps, found = len(saved.scale) - 1, _arrays(path, content)
    kept, seen = len(found["columns"]), len(found["learned"])
    shapes = {
        "rarity": (BUCKETS,), "mean": (dense,), "spread": (dense,), "dense": (steps, dense),
        "intercept": (steps,), "columns": (kept,), "words": (steps, kept), "learned": (seen,),
    }  # fmt: skip
    for name, shape in shapes.items():
        if found[name].shape != shape:
            raise _damaged(path, f"{name}: has the shape {found[name].shape}, not {shape}")
    _check_values(path, found, WIDTH)
    if seen != saved.queries:
        many = plural(seen, "query")
        raise _damaged(path, f"learned: has {many}, and {STUDENT} says {saved.queries:,}")
    return saved, Weights(**found)


def _arrays(path: Path, content: bytes) -> dict[str, NDArray[Any]]:
    """The arrays of a file. Their sizes are checked before anything is made that large."""
    _check_directory(path, content)
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            entries = archive.infolist()
            if sorted(entry.filename for entry in entries) != sorted(f"{name}.npy" for name in KINDS):
                raise _damaged(path, f"holds other arrays than {', '.join(KINDS)}")
            for entry in entries:
                # Stored as they are, they cannot unpack to more than the file has.
                if entry.compress_type != zipfile.ZIP_STORED or entry.file_size > len(content):
                    raise _damaged(path, f"{entry.filename}: is compressed")
                _check_header(path, entry.filename, archive.read(entry))
        with np.load(io.BytesIO(content), allow_pickle=False) as whole:
            return {name: np.asarray(whole[name]) for name in KINDS}
    except UNREADABLE as error:
        raise _damaged(path, f"cannot be read as arrays ({type(error).__name__})") from None


def _check_directory(path: Path, content: bytes) -> None:
    """BadInput for an archive whose directory is not that of a few arrays, before any entry of it is read.

    Each entry becomes an object, about ten times as large as its bytes. An archive of ours ends with the end
    record (APPNOTE 6.3.10, 4.3.16: entries at byte 10, bytes of the directory at 12), without a comment. A
    ZIP64 locator before it would put other numbers in its place.
    """
    end = content[-END:]
    if len(end) < END or not end.startswith(b"PK\5\6"):
        raise _damaged(path, "cannot be read as arrays (it does not end as an archive of arrays does)")
    entries, size = struct.unpack_from("<HL", end, 10)
    if entries != len(KINDS):
        raise _damaged(path, f"holds other arrays than {', '.join(KINDS)}")
    if size > DIRECTORY or content[-END - LOCATOR : -END].startswith(b"PK\6\7"):
        raise _damaged(
            path, "cannot be read as arrays (the list of its parts is larger than a training makes)"
        )


def _check_header(path: Path, name: str, content: bytes) -> None:
    """BadInput for an array of another kind, or one that says it has more numbers than there are."""
    file = io.BytesIO(content)
    if np.lib.format.read_magic(file) != (1, 0):
        raise _damaged(path, f"{name}: another format of arrays")
    shape, by_column, kind = np.lib.format.read_array_header_1_0(file, max_header_size=HEADER)
    count = 1
    for size in shape:
        count *= size
    if kind.str != KINDS[name.removesuffix(".npy")] or by_column:
        raise _damaged(path, f"{name}: numbers of another kind ({kind.str})")
    if min(shape, default=-1) < 0 or count * kind.itemsize != len(content) - file.tell():
        raise _damaged(path, f"{name}: says that it has {count:,} numbers, which it has not")


def _check_values(path: Path, found: Mapping[str, NDArray[Any]], width: int) -> None:
    for name in ("rarity", "mean", "spread", "dense", "intercept", "words"):
        values = found[name]
        if not (np.isfinite(values).all() and (np.abs(values) <= MOST).all()):
            raise _damaged(path, f"{name}: has values that no training makes")
    # What is shared is divided by these: smaller ones make numbers that are none.
    for name, least in (("spread", SMALLEST), ("rarity", 1.0)):
        if (found[name] < least).any():
            raise _damaged(path, f"{name}: has values that no training makes")
    columns, learned = found["columns"], found["learned"]
    inside = not len(columns) or (columns[0] >= 0 and columns[-1] < width)
    if not inside or (np.diff(columns) <= 0).any() or (learned[1:] <= learned[:-1]).any():
        raise _damaged(path, "columns, learned: are not in order")


def _damaged(path: Path, what: str) -> BadInput:
    return BadInput([Fault(str(path), f"{what}; restore the student, or train it anew")])
