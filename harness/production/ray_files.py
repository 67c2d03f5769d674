"""Ray Data reads the files of pairs and writes the shards, with the same reader and writer as one process."""

import json
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault, HarnessError, Unfinished
from harness.nouns.pair import Pair
from harness.nouns.policy import Policy
from harness.production.pairs import Input, InputRow, each_row
from harness.production.ray_cluster import Cluster, said_of
from harness.production.shards import write_shard
from harness.production.store import STORE, AnswerStore
from harness.runs.label_manifest import LabelManifest
from harness.storage.collecting import collect_rarely

PIECE = 10_000
"""Rows of a block."""
ROW, FAULTS, NO_TABLE, END = "row", "faults", "no table", "end"
"""The kinds of rows in a block. Each file ends with an end row."""
NODE = "ray.io/node-id"
"""The label of a machine by which Ray is told where to work."""


class FileRows:
    """The rows of several files, read at the same time, in their order."""

    def __init__(self, ray: Any, files: Sequence[Path], how: Input) -> None:
        self._found = _told(ray, lambda: _blocks(ray, tuple(path.resolve() for path in files), files, how))

    def __call__(self, path: Path) -> Iterator[InputRow | list[Fault]]:
        """The rows of the next file. BadInput where it is not a table."""
        for found in self._found:
            if found["kind"] == END:
                return
            faults = [Fault(*one) for one in json.loads(found["faults"] or "[]")]
            if found["kind"] == NO_TABLE:
                raise BadInput(faults)
            yield faults or _row_of(found)

    def close(self) -> None:
        """Read no further."""
        self._found.close()


def _told(ray: Any, make: Callable[[], Iterator[dict[str, Any]]]) -> Generator[dict[str, Any], None, None]:
    """Rows of a data set; Unfinished if Ray fails."""
    try:
        yield from make()
    except ray.exceptions.RayError as error:
        raise Unfinished(f"Ray: {said_of(error)}") from error


def _blocks(ray: Any, files: Sequence[Path], names: Sequence[Path], how: Input) -> Iterator[dict[str, Any]]:
    count = len(files)
    data = ray.data.range(count, override_num_blocks=count).map_batches(
        _read, fn_args=(tuple(files), tuple(names), how), batch_format="pyarrow"
    )
    data.context.execution_options.preserve_order = True
    for batch in data.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
        yield from batch.to_pylist()


def _read(batch: Any, files: Sequence[Path], names: Sequence[Path], how: Input) -> Iterator[Any]:
    """The rows of files, in blocks. Faults are rows too: an exception would hide other faults."""
    import pyarrow as pa

    schema = pa.schema(
        {
            "kind": pa.string(), "faults": pa.string(), "where": pa.string(), "item": pa.string(),
            "body": pa.string(), "digest": pa.string(), "weight": pa.float64(), "stratum": pa.string(),
            "position": pa.int64(),
        }
    )  # fmt: skip
    collect_rarely()
    for number in batch["id"].to_pylist():
        cells = _cells(files[number], str(names[number]), how)
        while piece := list(islice(cells, PIECE)):
            yield pa.Table.from_pylist(piece, schema=schema)


def _cells(path: Path, name: str, how: Input) -> Iterator[dict[str, Any]]:
    def told(faults: Sequence[Fault]) -> str:
        # Files are named as the user named them.
        return json.dumps([(one.where.replace(str(path), name, 1), one.what, one.kind) for one in faults])

    try:
        for row in each_row(path, how):
            if isinstance(row, list):
                yield {"kind": FAULTS, "faults": told(row)}
            else:
                cells = row._asdict() | {"where": row.where.replace(str(path), name, 1)}
                yield {"kind": ROW, **cells, "digest": cells.pop("pair").digest}
    except BadInput as error:
        yield {"kind": NO_TABLE, "faults": told(error.faults)}
        return
    yield {"kind": END}


def _row_of(found: dict[str, Any]) -> InputRow:
    pair = Pair.model_validate_json(found["body"]).with_digest(found["digest"])
    names = [name for name in InputRow._fields if name != "pair"]
    return InputRow(pair=pair, **{name: found[name] for name in names})


@dataclass(frozen=True, slots=True)
class Shards:
    """The shards of a label set that are to be written."""

    folder: Path
    numbers: tuple[int, ...]
    manifest: LabelManifest
    policy: Policy


def write_together(found: Cluster, shards: Shards) -> None:
    """Write shards at the same time, on this machine: it has the store. Unfinished where one cannot be."""
    data, count = found.ray.data, len(shards.numbers)
    done = data.range(count, override_num_blocks=count).map(
        _written, fn_args=(shards,), label_selector={NODE: found.node}
    )
    for row in _told(found.ray, done.iter_rows):
        if row["why"]:
            raise Unfinished(row["why"])


def _written(row: dict[str, Any], shards: Shards) -> dict[str, Any]:
    collect_rarely()
    number, why = shards.numbers[int(row["id"])], ""
    try:
        with AnswerStore(shards.folder / STORE) as store:
            write_shard(shards.folder, number, store, shards.manifest, shards.policy)
    except HarnessError as error:
        why = str(error)
    except OSError as error:
        why = f"{error.filename or shards.folder}: {error.strerror or error}"
    return {"shard": number, "why": why}
