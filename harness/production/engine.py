"""How a label set is made: in this process. Other engines override what they do differently."""

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


class Engine:
    """Reads pairs, has the open pairs of a store answered, and writes shards: here, in this process.

    Every engine makes the same label set from the same pairs and answers. Each answer is in the store before
    it counts, so that a killed labelling goes on from there.
    """

    def __init__(self, actors: int | None = None) -> None:
        self._actors = actors

    def check(self, asked: Asked) -> None:
        """BadInput if the engine cannot ask this teacher. Called before anything is written."""
        if self._actors is not None:
            raise BadInput("--actors goes with --engine ray: one process has connections (--max-connections)")

    def reading(self, files: Sequence[Path], how: Input) -> Rows:
        """What reads the rows of these files: here, one file after the other."""
        return read_alone(files, how)

    def answer(self, job: Job, store: AnswerStore, resumed_by: str) -> int:
        """Ask the open pairs, live or by batches; returns how many have no answer after that.

        Unfinished or Interrupted, with `resumed_by`, if some were not asked.
        """
        return ask_all(job, store, resumed_by)

    def write(self, folder: Path, store: AnswerStore, manifest: LabelManifest, policy: Policy) -> None:
        """Write the shards that are not there as they would be written now."""
        write_shards(folder, store, manifest, policy)

    def close(self) -> None:
        """Stop everything that the engine started."""
