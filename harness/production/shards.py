"""Write the shards of a label set from its store: the rows in their order, each with its pair's answer.

A shard depends only on the rows and their answers, so it is the same whenever it is written, and whichever
engine asked.
"""

import json
import os
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import BadInput
from harness.nouns.policy import Policy
from harness.nouns.records import Failed, Record, Reply, Ungraded
from harness.production.store import AnswerStore, StoredRow
from harness.runs.label_manifest import LabelManifest
from harness.runs.labels import PIECE, SHARD, SHARDS, shard_path, shard_schema
from harness.storage.parquet import parquet_file
from harness.storage.partial import beside_of, clear_partial

FAILED = "failed"
"""How many rows of a shard have no answer, in its metadata: one without any does not change any more."""
NEVER = "it was never asked"


def write_shards(folder: Path, store: AnswerStore, manifest: LabelManifest, policy: Policy) -> None:
    """Write every shard that is missing, or would be written differently now."""
    for number in open_shards(folder, store.rows, manifest):
        write_shard(folder, number, store, manifest, policy)


def open_shards(folder: Path, rows: int, manifest: LabelManifest) -> list[int]:
    """The shards of a set of so many rows that are still to be written."""
    (folder / SHARDS).mkdir(exist_ok=True)
    clear_partial(folder / SHARDS)
    sizes = [min(SHARD, rows - first) for first in range(0, rows, SHARD)]
    return [
        number
        for number, size in enumerate(sizes)
        if not _is_final(shard_path(folder, number), size, manifest.facts)
    ]


def write_shard(
    folder: Path, number: int, store: AnswerStore, manifest: LabelManifest, policy: Policy
) -> None:
    """Write one shard; the first is number 0."""
    rows = range(number * SHARD, min((number + 1) * SHARD, store.rows))
    schema = shard_schema().with_metadata(manifest.facts)
    tables = _tables(store, rows, manifest, policy.decided_actions or {}, schema)
    _write(shard_path(folder, number), schema, tables)


def _is_final(path: Path, rows: int, facts: Mapping[str, str]) -> bool:
    """Whether a shard has all its rows, of this set, and an answer to each."""
    if rows < SHARD or not os.path.lexists(path):
        return False
    try:
        with parquet_file(path, links=False) as file:
            told = dict(file.metadata.metadata or {})
            whole = file.metadata.num_rows == rows and file.schema_arrow.equals(shard_schema())
    except BadInput:
        return False
    wanted = {**facts, FAILED: "0"}
    return whole and all(told.get(name.encode()) == fact.encode() for name, fact in wanted.items())


def _write(path: Path, schema: Any, tables: Iterable[tuple[Any, int]]) -> None:
    """One shard, in one atomic step: a group of rows for each piece, so that memory stays flat."""
    import pyarrow.parquet

    beside, failed = beside_of(path), 0
    try:
        beside.unlink(missing_ok=True)
        with beside.open("xb") as file:
            with pyarrow.parquet.ParquetWriter(file, schema, compression="zstd") as writer:
                for table, without in tables:
                    failed += without
                    writer.write_table(table, row_group_size=PIECE)
                writer.add_key_value_metadata({FAILED: str(failed)})
            file.flush()
            os.fsync(file.fileno())
        beside.replace(path)
    finally:
        beside.unlink(missing_ok=True)


def _tables(
    store: AnswerStore, rows: range, manifest: LabelManifest, actions: Mapping[int, str], schema: Any
) -> Iterator[tuple[Any, int]]:
    """The rows as tables of PIECE rows, each with how many of them have no answer."""
    import pyarrow as pa

    constant = {
        "policy": manifest.digests.policy,
        "prompt": manifest.digests.prompt,
        "shots": manifest.digests.shots,
        "proven": manifest.proven is not None,
    }
    for piece in (rows[at : at + PIECE] for at in range(0, len(rows), PIECE)):
        parts, failed = list[Any](), 0
        for step in (piece[at : at + STEP] for at in range(0, len(piece), STEP)):
            found = store.labelled(step.start, len(step))
            cells = [{**row_of(one, actions), **constant} for one in found]
            failed += sum(cell["outcome"] == "failed" for cell in cells)
            parts.append(pa.RecordBatch.from_pylist(cells, schema=schema))
        yield pa.Table.from_batches(parts, schema=schema).combine_chunks(), failed


STEP = 1_000
"""Rows that are read from the store at a time."""


def row_of(one: StoredRow, actions: Mapping[int, str]) -> dict[str, Any]:
    """A row of a shard, without the columns that are the same in all rows."""
    pair = json.loads(one.pair)
    return {
        "item": one.item,
        "query": pair["query"],
        "title": pair["result"]["title"],
        "pair": one.pair,
        "digest": one.digest,
        "weight": one.weight,
        "stratum": one.stratum,
        "position": one.position,
        **_outcome(one.record, actions),
        "asked": one.first,
        **_spent(one.record, asked=one.first),
        "shot_query": one.shot_query,
    }


def _outcome(record: Record | None, actions: Mapping[int, str]) -> dict[str, Any]:
    """How the pair ended."""
    outcome = record.outcome if record else Failed(detail=NEVER)
    reply = record.reply if record else None
    found: dict[str, Any] = {"outcome": outcome.kind, "clauses": [], "model": reply.model if reply else None}
    found["cached"] = bool(record and record.cached_reply)
    if isinstance(outcome, Ungraded):
        return found | {"cause": outcome.cause, "detail": outcome.detail}
    if isinstance(outcome, Failed):
        return found | {"detail": outcome.detail}
    shares = reply.probabilities if reply else None
    return found | {
        "grade": outcome.value,
        "action": actions.get(outcome.value),
        "reasoning": outcome.reasoning,
        "clauses": list(outcome.clauses),
        "probabilities": None if shares is None else sorted(shares.items()),
        "confidence": None if shares is None else shares.get(outcome.value),
    }


def _spent(record: Record | None, *, asked: bool) -> dict[str, Any]:
    """Tokens and cost, on the first row of a pair alone: None where unknown, 0 where none were paid."""
    tokens = ("input_tokens", "cached_tokens", "output_tokens", "reasoning_tokens")
    if not asked or record is None or record.cached_reply:
        return {**dict.fromkeys(tokens, 0), "cost": 0.0}
    replies: list[Reply] = [one for one in (record.reply, record.unread) if one]
    used = [one.usage for one in replies if one.usage]
    known = len(used) == len(replies)
    counted = {name: sum(getattr(one, name) for one in used) if known else None for name in tokens}
    return {**counted, "cost": record.cost if replies else 0.0}
