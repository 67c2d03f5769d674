"""Ways to have a label set made: a new one is one file and one line in ENGINES."""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Protocol

from harness.errors import BadInput
from harness.grading.job import Job
from harness.nouns.policy import Policy
from harness.production.intake import Rows
from harness.production.local import Local
from harness.production.pairs import Input
from harness.production.ray_engine import Ray
from harness.production.ray_vllm import RayVllm
from harness.production.store import AnswerStore
from harness.runs.label_manifest import LabelManifest
from harness.runs.manifest import Asked


class Engine(Protocol):
    """Reads pairs, has the open pairs of a store answered, and writes shards.

    Every engine makes the same label set from the same pairs and answers. Each answer is in the store before
    it counts, so that a killed labelling goes on from there.
    """

    def check(self, asked: Asked) -> None:
        """BadInput if the engine cannot ask this teacher. Called before anything is written."""

    def reading(self, files: Sequence[Path], how: Input) -> Rows:
        """What reads the rows of these files."""

    def answer(self, job: Job, store: AnswerStore, resumed_by: str) -> int:
        """Ask the open pairs; returns how many have no answer after that.

        Unfinished or Interrupted, with `resumed_by`, if some were not asked.
        """

    def write(self, folder: Path, store: AnswerStore, manifest: LabelManifest, policy: Policy) -> None:
        """Write the shards that are not there as they would be written now."""

    def close(self) -> None:
        """Stop everything that the engine started."""


ENGINES: dict[str, Callable[[int | None], Engine]] = {"local": Local, "ray": Ray, "ray-vllm": RayVllm}
DEFAULT = "local"


def engine_of(name: str, actors: int | None = None) -> Engine:
    """An engine by its name, with so many actors at most. BadInput for an unknown one."""
    if name not in ENGINES:
        raise BadInput(f"unknown engine {name!r}; there are: {', '.join(ENGINES)}")
    return ENGINES[name](actors)
