"""Content digests: equal content has an equal digest, whatever the order of keys."""

import hashlib
import heapq
import json
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from itertools import islice
from operator import itemgetter
from pathlib import Path
from typing import IO, Any

from harness.storage.regular import reading

_ENCODER = json.JSONEncoder(sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)


def canonical_json(value: Any) -> bytes:
    """JSON with sorted keys and no spare white space, as UTF-8. NaN and infinity are refused."""
    return _ENCODER.encode(value).encode("utf-8", "surrogatepass")


def digest(value: Any) -> str:
    """`sha256:<hex>` of a JSON value's canonical form."""
    return digest_bytes(canonical_json(value))


def short_of(digest: str, letters: int) -> str:
    """The first letters of a digest, to name what it is of."""
    return digest.removeprefix("sha256:")[:letters]


def key_of_digest(digest: str) -> bytes:
    """A digest as its bytes: a third of the room."""
    return bytes.fromhex(digest.removeprefix("sha256:"))


def digest_bytes(content: bytes) -> str:
    """`sha256:<hex>` of bytes."""
    return "sha256:" + hashlib.sha256(content).hexdigest()


def digest_file(path: Path) -> str:
    """`sha256:<hex>` of a file's bytes, which are not held. BadInput if it cannot be read."""
    whole = hashlib.sha256()
    with reading(path) as file:
        while part := file.read(1 << 20):
            whole.update(part)
    return f"sha256:{whole.hexdigest()}"


def digest_of_beginnings(path: Path, sizes: Iterable[int]) -> dict[int, str]:
    """`sha256:<hex>` of the first bytes of a file, for each of these sizes that it has, in one reading."""
    whole, at, found = hashlib.sha256(), 0, dict[int, str]()
    with reading(path) as file:
        for size in sorted(set(sizes)):
            while at < size and (part := file.read(min(1 << 20, size - at))):
                whole.update(part)
                at += len(part)
            if at < size:
                break
            found[size] = f"sha256:{whole.hexdigest()}"
    return found


def keyed_digest(values: Iterable[tuple[str, bytes]]) -> str:
    """The digest of {key: value} from each value's canonical JSON, in any order, in bounded memory."""
    whole = hashlib.sha256(b"{")
    for at, (key, text) in enumerate(_by_key(iter(values))):
        whole.update((b"," if at else b"") + canonical_json(key) + b":" + text)
    whole.update(b"}")
    return f"sha256:{whole.hexdigest()}"


HELD = 10_000
"""The number of values to sort in memory; more are sorted in parts on disk."""


def _by_key(values: Iterator[tuple[str, bytes]]) -> Iterator[tuple[str, bytes]]:
    with ExitStack() as files:
        parts: list[Iterator[tuple[str, bytes]]] = []
        while part := sorted(islice(values, HELD)):
            parts.append(iter(part) if len(part) < HELD else _put_by(part, files))
        yield from heapq.merge(*parts, key=itemgetter(0))


def _put_by(part: list[tuple[str, bytes]], files: ExitStack) -> Iterator[tuple[str, bytes]]:
    # The exit stack closes it.
    file: IO[str] = files.enter_context(tempfile.TemporaryFile("w+", encoding="ascii"))  # noqa: SIM115
    file.writelines(json.dumps([key, text.decode("utf-8", "surrogatepass")]) + "\n" for key, text in part)
    file.seek(0)
    return ((key, text.encode("utf-8", "surrogatepass")) for key, text in map(json.loads, file))
