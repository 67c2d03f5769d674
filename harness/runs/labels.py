"""Read a label set: its manifest, its policy, and its shards, streamed.

labels.json      what was labelled, by whom, and whether that teacher was proven
policy.toml      the policy as it was
shards/          part-00000.parquet, ...: the rows of the input in their order, with their grades
summary.json     derived; can be deleted
answers.sqlite3, calls.jsonl, events.log    what a later command continues from
"""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.policy import Policy
from harness.policy.load import load_policy, policy_digest
from harness.runs.label_manifest import MANIFEST, LabelManifest, load_label_manifest
from harness.runs.label_values import value_faults
from harness.scorecards.labels import LabelSummary
from harness.storage.files import load_noun
from harness.storage.parquet import parquet_file, pieces
from harness.storage.partial import is_partial
from harness.storage.plural import plural
from harness.storage.regular import LARGEST, SETTINGS, odd_files

SHARDS, SUMMARY, POLICY = "shards", "summary.json", "policy.toml"
SHARD = 100_000
"""How many rows a shard has; the last one may have fewer."""
PIECE = 10_000
"""How many rows are read or written at a time: a group of rows in a shard."""
MOST_STRATA = 1_000
"""The most different strata of a set: a column with more is an id."""
LONGEST_PIECE = 64 << 20
"""About the most bytes of rows that are read at a time."""
STEP = 100
"""How many rows are decoded before their length is known."""
WIDEST = 4 << 30
"""The most bytes of a shard, decoded: one that says it has more is damaged."""


@dataclass(frozen=True, slots=True)
class LabelSet:
    """A label set, read. Its rows stay on the disk."""

    folder: Path
    manifest: LabelManifest
    policy: Policy

    def shards(self) -> list[Path]:
        """The shards in the order of the rows. BadInput for a set that is not finished, or lacks one."""
        if self.manifest.finished_at is None:
            raise BadInput(
                [Fault(str(self.folder), "is not finished: repeat the `harness label` that made it")]
            )
        count = -(-self.manifest.rows // SHARD)
        wanted = [shard_path(self.folder, number) for number in range(count)]
        folder = self.folder / SHARDS
        refuse_faults(odd_files(folder))
        # A temporary file of another process, which may have been killed; readers skip it.
        there = {path.name for path in folder.iterdir() if not is_partial(path.name)}
        there -= {path.name for path in wanted}
        refuse_faults(
            [
                *(Fault(str(path), "no such file; restore it") for path in wanted if not path.exists()),
                *(
                    Fault(str(folder / name), "is not a shard of this set: remove it")
                    for name in sorted(there)
                ),
            ]
        )
        return wanted

    def batches(self, columns: Sequence[str] | None = None) -> Iterator[Any]:
        """The rows as pyarrow.RecordBatch, in their order; of all columns, or of some.

        BadInput for a shard that this program did not write so.
        """
        left = self.manifest.rows
        for path in self.shards():
            rows = min(left, SHARD)
            left -= rows
            for batch in _batches_of(path, self.manifest, rows, columns):
                refuse_faults(value_faults(path, batch, self.policy))
                yield batch

    def cells(self, columns: Sequence[str]) -> Iterator[tuple[Any, ...]]:
        """The cells of some columns, row by row."""
        for batch in self.batches(columns):
            yield from zip(*(batch.column(name).to_pylist() for name in columns), strict=True)

    def rows(self, columns: Sequence[str] | None = None) -> Iterator[dict[str, Any]]:
        """The rows as plain data."""
        for batch in self.batches(columns):
            yield from batch.to_pylist()


def is_label_set(folder: Path) -> bool:
    """Whether a folder holds a label set."""
    return (folder / MANIFEST).is_file()


def load_labels(folder: Path) -> LabelSet:
    """Read a label set; its shards are checked as they are read. BadInput if it is damaged, or not one."""
    manifest = load_label_manifest(folder)
    policy = load_policy(folder / POLICY)
    if policy_digest(policy) != manifest.digests.policy:
        raise BadInput([Fault(str(folder / POLICY), "is not what the manifest says the set was made with")])
    return LabelSet(folder, manifest, policy)


def read_summary(folder: Path, manifest: LabelManifest) -> LabelSummary | None:
    """What summary.json says of a finished set; None without the file. BadInput if it is damaged."""
    path = folder / SUMMARY
    if not os.path.lexists(path):
        return None
    found = load_noun(path, LabelSummary, SETTINGS, links=False)
    said = (found.rows, found.distinct, found.outcomes.model_dump(), found.proven)
    counted = manifest.outcomes.model_dump() if manifest.outcomes else None
    proven = manifest.proven.run if manifest.proven else None
    many = len(found.by_stratum) > MOST_STRATA + 1  # rows without a stratum count as one more
    if many or said != (manifest.rows, manifest.distinct, counted, proven):
        raise BadInput([Fault(str(path), f"does not fit {MANIFEST}; it is derived, and can be deleted")])
    return found


def shard_path(folder: Path, number: int) -> Path:
    """The file of a shard; the first is number 0."""
    return folder / SHARDS / f"part-{number:05d}.parquet"


def shard_schema() -> Any:
    """The columns of a shard, as a pyarrow.Schema."""
    import pyarrow as pa

    texts, numbers = pa.string(), pa.int64()
    coded = pa.dictionary(pa.int32(), texts)
    return pa.schema(
        {
            "item": texts, "query": texts, "title": texts, "pair": texts, "digest": texts,
            "weight": pa.float64(), "stratum": texts, "position": pa.int32(),
            "outcome": texts, "cause": texts, "detail": texts,
            "grade": pa.int32(), "action": texts, "reasoning": texts, "clauses": pa.list_(texts),
            "probabilities": pa.map_(pa.int32(), pa.float64()), "confidence": pa.float64(),
            "asked": pa.bool_(), "cached": pa.bool_(),
            "input_tokens": numbers, "cached_tokens": numbers, "output_tokens": numbers,
            "reasoning_tokens": numbers, "cost": pa.float64(), "model": texts, "shot_query": pa.bool_(),
            "policy": coded, "prompt": coded, "shots": coded, "proven": pa.bool_(),
        }
    )  # fmt: skip


def _batches_of(
    path: Path, manifest: LabelManifest, rows: int, columns: Sequence[str] | None
) -> Iterator[Any]:
    with parquet_file(path, links=False) as file:
        refuse_faults(_faults(path, file, manifest, rows))
        names = None if columns is None else list(columns)
        yield from pieces(file.iter_batches(batch_size=STEP, columns=names), PIECE, LONGEST_PIECE)


def _faults(path: Path, file: Any, manifest: LabelManifest, rows: int) -> Iterator[Fault]:
    """What is wrong with a shard, by its footer alone."""
    found, wanted = file.schema_arrow, shard_schema()
    if path.stat().st_size > LARGEST:
        yield Fault(str(path), f"larger than {LARGEST >> 20:,} MB, the most that is read of a shard")
    odd = [name for name in found.names if name not in wanted.names]
    lost = [name for name in wanted.names if name not in found.names]
    if odd or lost:
        what = [f"unknown columns: {', '.join(odd)}"] if odd else []
        what += [f"missing columns: {', '.join(lost)}"] if lost else []
        yield Fault(str(path), f"is not a shard of a label set ({'; '.join(what)})")
    elif not found.equals(wanted):
        kinds = [name for name in wanted.names if found.field(name).type != wanted.field(name).type]
        yield Fault(
            str(path), f"is not a shard of a label set (the types of {', '.join(kinds) or 'columns'})"
        )
    if file.metadata.num_rows != rows:
        yield Fault(
            str(path), f"has {plural(file.metadata.num_rows, 'row')}, and the set says {rows:,}; restore it"
        )
    groups = range(min(file.metadata.num_row_groups, SHARD))
    if sum(file.metadata.row_group(at).total_byte_size for at in groups) > WIDEST:
        yield Fault(str(path), f"says that it has more than {WIDEST >> 30} GB")
    told = {key.decode("utf-8", "replace"): value for key, value in (found.metadata or {}).items()}
    differing = [name for name, fact in manifest.facts.items() if told.get(name) != fact.encode()]
    if differing:
        yield Fault(str(path), f"is of another label set ({', '.join(differing)} differ from {MANIFEST})")
