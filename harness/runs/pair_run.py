"""Pair runs: run folders over production pairs, which have no golden grades and no score.

They are kept apart from evaluations, in runs/pairs/: manifest.json, pairs.jsonl, records.jsonl and what the
teacher saw.
"""

import contextlib
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from harness.errors import BadInput, Fault, refuse_faults
from harness.nouns.policy import Policy
from harness.nouns.records import Failed, Grade, Key, Outcome
from harness.policy.load import load_policy, policy_digest
from harness.runs.folder import PAIRS, misfits
from harness.runs.manifest import MANIFEST, Asked, Digests, Manifest, load_manifest
from harness.runs.pairs import ShownPair
from harness.runs.record_log import iter_records
from harness.storage.files import iter_nouns
from harness.storage.project import Project, folder_names
from harness.storage.regular import LINK

FOLDER = "pairs"


@dataclass(frozen=True, slots=True)
class PairRun:
    """The grades of production pairs under one policy version: the last outcome of each key."""

    folder: Path
    manifest: Manifest
    policy: Policy
    outcomes: Mapping[Key, Outcome]

    def grades(self, repeat: int = 0) -> dict[str, Grade]:
        """The readable answers by the pair's id."""
        return {
            id_: outcome
            for (id_, at), outcome in self.outcomes.items()
            if at == repeat and isinstance(outcome, Grade)
        }

    @property
    def unanswered(self) -> int:
        """How many questions have no answer; a resume asks them again."""
        asked = self.manifest.examples * self.manifest.asked.repeats
        return asked - sum(not isinstance(outcome, Failed) for outcome in self.outcomes.values())


def pairs_folder(project: Project) -> Path:
    """The folder of pair runs."""
    return project.runs / FOLDER


def pair_run_names(project: Project) -> list[str]:
    """The names of all pair runs, oldest first."""
    folder = pairs_folder(project)
    if folder.is_symlink():
        raise BadInput([Fault(str(folder), LINK)])
    return [name for name in folder_names(folder) if (folder / name / MANIFEST).exists()]


def find_pair_run(project: Project, asked: Asked, digests: Digests) -> Path | None:
    """The latest run, finished or not, with the same pairs, teacher, policy and prompt."""
    for name in reversed(pair_run_names(project)):
        folder = pairs_folder(project) / name
        with contextlib.suppress(BadInput):
            manifest = load_manifest(folder)
            if _settings(manifest.asked) == _settings(asked) and not manifest.digests.changed(digests):
                return folder
    return None


def _settings(asked: Asked) -> Asked:
    """What was asked for without the names of files: digests identify what is in them."""
    return asked.model_copy(update={"pairs": "", "paraphrases": ""})


def load_pair_run(folder: Path) -> PairRun:
    """Read and check a pair run. BadInput if it is damaged."""
    manifest, policy = load_manifest(folder), load_policy(folder / "policy.toml")
    pairs = {pair.id: pair.pair.digest for pair in iter_nouns(folder / PAIRS, ShownPair)}
    outcomes: dict[Key, Outcome] = {}
    wrong: dict[Key, list[Fault]] = {}
    for record in iter_records(folder):
        outcomes[record.key] = record.outcome
        wrong[record.key] = misfits(folder, policy, record, pairs.get(record.example))
    faults: list[Fault] = []
    if policy_digest(policy) != manifest.digests.policy:
        faults.append(Fault(str(folder / "policy.toml"), "is not what the manifest says it was made with"))
    faults += [fault for found in wrong.values() for fault in found]
    refuse_faults(faults)
    return PairRun(folder, manifest, policy, outcomes)
