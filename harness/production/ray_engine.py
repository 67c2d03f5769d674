"""--engine ray: Ray Data deals parts out to a pool of actors, each with its share of the connections.

This process alone has the answer store. It lays the open questions out as parts, and takes the answers of
each part over when an actor is done with it.
"""

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import BadInput, Interrupted, Unfinished
from harness.grading.answering import ask_all
from harness.grading.events import EventLog
from harness.grading.job import Answers, Job
from harness.grading.live.pace import AUTOMATIC
from harness.grading.questions import to_ask
from harness.grading.signals import draining
from harness.grading.stop import Stop
from harness.nouns.policy import Policy
from harness.production.engine import Engine
from harness.production.intake import Rows
from harness.production.pairs import Input
from harness.production.parts import join_part, join_parts, lay_out, part_folder
from harness.production.ray_actor import TOLD_EVERY, Order, PartAsker
from harness.production.ray_cluster import Cluster, cluster, need_ray, said_of
from harness.production.ray_coordinator import ENDS, Coordinator
from harness.production.ray_files import FileRows, Shards, write_together
from harness.production.shards import open_shards
from harness.production.store import AnswerStore
from harness.providers.base import Teacher
from harness.runs.call_log import CallLog
from harness.runs.label_manifest import LabelManifest
from harness.runs.manifest import Asked
from harness.storage.plural import plural
from harness.storage.project import Project
from harness.storage.stream import Stream

ROUNDS = 32
"""Questions of a part for each connection: enough that waiting for its last answer costs little."""
SMALLEST, LARGEST = 50, 2_000
"""Pairs of a part."""
IN_HAND = 2
"""Parts at an actor, with the one that it works on: no more, since another actor may be idle."""
SHARES = 4
"""The fewest parts for each actor, if there are enough pairs, so that none is idle for long."""


@dataclass(frozen=True, slots=True)
class PoolSizes:
    """How many actors there are, the connections of each, and the pairs of a part."""

    actors: int
    connections: int
    part: int


def sizes(most: int, connections: int | None, questions: int) -> PoolSizes:
    """An even split: together the actors have no more connections than one process would."""
    every = connections or AUTOMATIC
    actors = max(1, min(most, every, -(-questions // SMALLEST)))
    part = min(LARGEST, every // actors * ROUNDS, -(-questions // (SHARES * actors)))
    return PoolSizes(actors, every // actors, max(SMALLEST, part))


class Ray(Engine):
    """The engine. `actors`: how many there are at most; by default as many as the cores."""

    def __init__(self, actors: int | None = None) -> None:
        super().__init__(actors)
        self._started = ExitStack()
        self._cluster: Cluster | None = None

    def check(self, asked: Asked) -> None:
        """BadInput where the package is missing, or for batches, which need no cluster."""
        need_ray()
        if asked.batch:
            raise BadInput("--engine ray asks call by call, and a batch needs no cluster; remove --batch")

    def cluster(self) -> Cluster:
        """Ray, which starts when it is first needed."""
        if self._cluster is None:
            self._cluster = self._started.enter_context(cluster(self._actors))
        return self._cluster

    def reading(self, files: Sequence[Path], how: Input) -> Rows:
        """Read several files at the same time; a single file is read in this process."""
        if len(files) < 2:
            return super().reading(files, how)
        rows = FileRows(self.cluster().ray, files, how)
        self._started.callback(rows.close)
        return rows

    def answer(self, job: Job, store: AnswerStore, resumed_by: str) -> int:
        """Ask through the actors."""
        return ask_all(job, store, resumed_by, _Pool(store, self))

    def write(self, folder: Path, store: AnswerStore, manifest: LabelManifest, policy: Policy) -> None:
        """Write several shards at the same time."""
        if len(numbers := open_shards(folder, store.rows, manifest)) > 1:
            write_together(self.cluster(), Shards(folder.resolve(), tuple(numbers), manifest, policy))
        else:
            super().write(folder, store, manifest, policy)

    def close(self) -> None:
        """End Ray, or leave the cluster; its processes stop working on this job."""
        self._cluster = None
        self._started.close()


class OnCluster:
    """An executor on the cluster of an engine, which is closed where the executor fails."""

    priced_as_batch = waits = False

    def __init__(self, store: AnswerStore, engine: Ray) -> None:
        self._store, self._engine = store, engine

    def check(self, model: str, teacher: Teacher) -> None:
        """The engine has checked the teacher."""

    async def answer(self, job: Job, log: Answers) -> None:
        """Ask every open question."""
        if not (count := to_ask(job, log)):
            return
        try:
            await self._ask(job, self._engine.cluster(), count)
        except BaseException:
            self._engine.close()
            raise
        finally:
            # However it ended: take over what was answered and not taken over yet.
            join_parts(job.folder, self._store)

    async def _ask(self, job: Job, found: Cluster, count: int) -> None:
        """Ask `count` open questions on a cluster."""
        raise NotImplementedError

    def _lay_out(self, job: Job, size: int) -> int:
        """Write the open questions as parts of this size; returns how many parts."""
        return lay_out(job.folder, self._store, size, only_failed=job.limits.only_failed)


class _Pool(OnCluster):
    async def _ask(self, job: Job, found: Cluster, count: int) -> None:
        size = sizes(found.actors, job.limits.connections, count)
        parts = self._lay_out(job, size.part)
        job.watch.said(
            f"Ray: {plural(size.actors, 'process', 'processes')} with up to "
            f"{plural(size.connections, 'connection')} each, {plural(parts, 'part')}"
        )
        await _Labelling(job, self._store, found, size, parts).run()


class _Labelling:
    """One labelling by a pool of actors."""

    def __init__(self, job: Job, store: AnswerStore, found: Cluster, size: PoolSizes, parts: int) -> None:
        self._job, self._store, self._found, self._size, self._parts = job, store, found, size, parts
        made = found.ray.remote(num_cpus=0, max_concurrency=100_000)(Coordinator)
        self._coordinator = made.remote(job.budget)
        self._said: set[str] = set()

    async def run(self) -> None:
        """Distribute the parts, and take over each that is done."""
        stop, calls = Stop(), CallLog(self._job.folder)
        watching = asyncio.create_task(self._watch())
        try:
            with draining(stop, self._stopping):
                async for row in streamed(self._rows):
                    self._take(row, calls)
            why = await self._coordinator.why.remote()
        except self._found.ray.exceptions.RayError as error:
            raise Unfinished(f"Ray: {said_of(error)}") from error
        finally:
            watching.cancel()
            calls.close()
        if why:
            with EventLog(self._job.folder) as events:
                events.note(f"stopped: {why[1]}")
            raise ENDS[why[0]](why[1])

    def _rows(self) -> Iterator[dict[str, Any]]:
        """The parts that are done, in any order."""
        data = self._found.ray.data
        asking = data.range(self._parts, override_num_blocks=self._parts).map(
            PartAsker,
            fn_constructor_args=(order_of(self._job, self._size, self._found.node), self._coordinator),
            compute=data.ActorPoolStrategy(size=self._size.actors, max_tasks_in_flight_per_actor=IN_HAND),
            num_cpus=1,
        )
        for batch in asking.iter_batches(batch_size=None, batch_format="pyarrow", prefetch_batches=0):
            yield from batch.to_pylist()

    async def _watch(self) -> None:
        """Tell the user now and then how many answers the actors have: parts come in one after the other."""
        with suppress(self._found.ray.exceptions.RayError):  # told where the parts are waited for
            while True:
                self._job.watch.elsewhere(await self._coordinator.under_way.remote())
                await asyncio.sleep(TOLD_EVERY)

    def _take(self, row: dict[str, Any], calls: CallLog) -> None:
        """Take over a part that an actor is done with."""
        for text in row["said"]:
            if text not in self._said:
                self._said.add(text)
                self._job.watch.said(text)
        self._store.notes = tuple(dict.fromkeys((*self._store.notes, *row["notes"])))
        in_flight = self._size.actors * self._size.connections
        self._coordinator.taken.remote(row["part"])
        part = part_folder(self._job.folder, row["part"])
        if part.is_dir():  # else Ray did a part again that was taken over
            join_part(part, self._store, calls, lambda record: self._job.watch.recorded(record, in_flight))

    def _stopping(self) -> None:
        """The user wants to stop: in a thread, since a signal can come while Ray holds a lock."""
        stop = self._coordinator.stop.remote
        threading.Thread(target=stop, args=(Interrupted.__name__, "interrupted"), daemon=True).start()
        self._job.watch.stopping(self._size.actors * self._size.connections)


def order_of(job: Job, size: PoolSizes, node: str) -> Order:
    """The order for the actors: no stream of this process, and only absolute paths."""
    project = Project(job.project.root.resolve())
    plan = replace(job.plan, pairs=Stream(), examples=Stream())
    limits = replace(job.limits, connections=size.connections, only_failed=False, max_cost=None)
    limit = job.budget.limit if job.budget else None
    return Order(project, job.folder.resolve(), plan, job.price, limit, limits, node)


async def streamed(make: Callable[[], Iterator[Any]]) -> AsyncIterator[Any]:
    """The items of a blocking iterator, which runs in a thread of its own."""
    loop, found = asyncio.get_running_loop(), asyncio.Queue[tuple[str, Any]]()

    def put(kind: str, value: Any = None) -> None:
        with suppress(RuntimeError):  # the loop is gone: nobody waits for it any more
            loop.call_soon_threadsafe(found.put_nowait, (kind, value))

    def work() -> None:
        try:
            for value in make():
                put("value", value)
        except Exception as error:  # noqa: BLE001 - raised where it is waited for
            put("error", error)
        else:
            put("end")

    threading.Thread(target=work, daemon=True).start()
    while True:
        kind, value = await found.get()
        if kind == "end":
            return
        if kind == "error":
            raise value
        yield value
