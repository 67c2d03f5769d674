"""Ways to have a label set's pairs answered: a new one is one file and one line in ENGINES."""

from collections.abc import Callable
from typing import Protocol

from harness.errors import BadInput
from harness.grading.answering import ask_all
from harness.grading.job import Job
from harness.production.ray_engine import Ray
from harness.production.ray_vllm import RayVllm
from harness.production.store import AnswerStore
from harness.runs.manifest import Asked


class Engine(Protocol):
    """Answers the open pairs of a store.

    Each answer is in the store before it counts, so that a killed labelling goes on from there.
    """

    def check(self, asked: Asked) -> None:
        """BadInput if this cannot be asked in this way. Called before anything is written."""

    def answer(self, job: Job, store: AnswerStore, resumed_by: str) -> int:
        """Ask what is open; how many pairs have no answer after that.

        Unfinished or Interrupted, with `resumed_by`, where some were not asked.
        """


class Local:
    """This process, with the executors that `harness eval` has."""

    def __init__(self, actors: int | None = None) -> None:
        self._actors = actors

    def check(self, asked: Asked) -> None:
        """BadInput for actors; its executors check by themselves."""
        if self._actors is not None:
            raise BadInput("--actors goes with --engine ray: one process has connections (--max-connections)")

    def answer(self, job: Job, store: AnswerStore, resumed_by: str) -> int:
        """Ask live or by batches, as the job says."""
        return ask_all(job, store, resumed_by)


ENGINES: dict[str, Callable[[int | None], Engine]] = {"local": Local, "ray": Ray, "ray-vllm": RayVllm}
DEFAULT = "local"


def engine_of(name: str, actors: int | None = None) -> Engine:
    """An engine by its name, with so many actors at most. BadInput for an unknown one."""
    if name not in ENGINES:
        raise BadInput(f"unknown engine {name!r}; there are: {', '.join(ENGINES)}")
    return ENGINES[name](actors)
