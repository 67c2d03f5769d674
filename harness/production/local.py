"""Label in this process. Other engines override what they do differently."""

from collections.abc import Sequence
from pathlib import Path

from harness.errors import BadInput
from harness.grading.answering import ask_all
from harness.grading.job import Job
from harness.nouns.policy import Policy
from harness.production.intake import Rows, read_alone
from harness.production.pairs import Input
from harness.production.shards import write_shards
from harness.production.store import AnswerStore
from harness.runs.label_manifest import LabelManifest
from harness.runs.manifest import Asked


class Local:
    """Reads, asks and writes in this process, with the executors that `harness eval` has."""

    def __init__(self, actors: int | None = None) -> None:
        self._actors = actors

    def check(self, asked: Asked) -> None:
        """BadInput for actors; the executors check the rest."""
        if self._actors is not None:
            raise BadInput("--actors goes with --engine ray: one process has connections (--max-connections)")

    def reading(self, files: Sequence[Path], how: Input) -> Rows:
        """Read one file after the other."""
        return read_alone(files, how)

    def answer(self, job: Job, store: AnswerStore, resumed_by: str) -> int:
        """Ask live or by batches, as the job says."""
        return ask_all(job, store, resumed_by)

    def write(self, folder: Path, store: AnswerStore, manifest: LabelManifest, policy: Policy) -> None:
        """Write one shard after the other."""
        write_shards(folder, store, manifest, policy)

    def close(self) -> None:
        """Nothing was started."""
