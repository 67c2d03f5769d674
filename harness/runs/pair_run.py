"""Pair runs: run folders over production pairs, whose right grades nobody knows.

They lie apart, in runs/pairs/, so that nobody takes one for an evaluation: manifest.json, pairs.jsonl,
records.jsonl and what the teacher saw, but no golden grade and no score.
"""

import contextlib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, Fault
from harness.nouns.policy import Policy
from harness.nouns.records import Failed, Grade, Key, Record, latest
from harness.policy.load import load_policy, policy_digest
from harness.runs.folder import PAIRS
from harness.runs.manifest import MANIFEST, Asked, Digests, Manifest, load_manifest
from harness.runs.pairs import ShownPair
from harness.runs.record_log import RECORDS, iter_records
from harness.storage.files import iter_nouns
from harness.storage.project import Project, folder_names

FOLDER = "pairs"


@dataclass(frozen=True, slots=True)
class PairRun:
    """What one policy version says of production pairs. `records` holds the one that counts for each key."""

    folder: Path
    manifest: Manifest
    policy: Policy
    records: Mapping[Key, Record]

    def grades(self, repeat: int = 0) -> dict[str, Grade]:
        """The readable answers by the pair's id."""
        outcomes = {id_: record.outcome for (id_, at), record in self.records.items() if at == repeat}
        return {id_: outcome for id_, outcome in outcomes.items() if isinstance(outcome, Grade)}

    @property
    def unanswered(self) -> int:
        """How many questions the teacher never answered: a resume asks them again."""
        asked = self.manifest.examples * self.manifest.asked.repeats
        return asked - sum(not isinstance(record.outcome, Failed) for record in self.records.values())


def pairs_folder(project: Project) -> Path:
    """Where pair runs lie."""
    return project.runs / FOLDER


def pair_run_names(project: Project) -> list[str]:
    """The names of all pair runs, oldest first."""
    folder = pairs_folder(project)
    return [name for name in folder_names(folder) if (folder / name / MANIFEST).exists()]


def find_pair_run(project: Project, asked: Asked, digests: Digests) -> Path | None:
    """The latest run of the same pairs by the same teacher under the same words, finished or not."""
    for name in reversed(pair_run_names(project)):
        folder = pairs_folder(project) / name
        with contextlib.suppress(BadInput):
            manifest = load_manifest(folder)
            if _settings(manifest.asked) == _settings(asked) and not manifest.digests.changed(digests):
                return folder
    return None


def _settings(asked: Asked) -> Asked:
    """What was asked for, whatever the file was called: a digest says whether the pairs are the same."""
    return asked.model_copy(update={"pairs": ""})


def load_pair_run(folder: Path) -> PairRun:
    """A pair run. BadInput for a folder that is damaged."""
    manifest, policy = load_manifest(folder), load_policy(folder / "policy.toml")
    pairs = {pair.id: pair.pair.digest for pair in iter_nouns(folder / PAIRS, ShownPair)}
    records = latest(record for record, _ in iter_records(folder))
    faults: list[Fault] = []
    if policy_digest(policy) != manifest.digests.policy:
        faults.append(Fault(str(folder / "policy.toml"), "is not what the manifest says it was made with"))
    faults += _misfits(folder, policy, pairs, records)
    if faults:
        raise BadInput(faults)
    return PairRun(folder, manifest, policy, records)


def _misfits(
    folder: Path, policy: Policy, pairs: Mapping[str, str], records: Mapping[Key, Record]
) -> Iterator[Fault]:
    """Records that do not belong to the pairs or to the scale."""
    for record in records.values():
        where = f"{folder / RECORDS}, {record.example}"
        if pairs.get(record.example) != record.pair:
            yield Fault(where, "a record of a pair that the run does not have")
        if isinstance(record.outcome, Grade) and record.outcome.value not in policy.scale:
            yield Fault(where, f"grade {record.outcome.value} is not on the scale of {policy.label}")
