"""Ray: one of this machine, or the cluster that RAY_ADDRESS names. Nothing else imports the package."""

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from secrets import token_hex
from typing import Any

from harness.errors import BadInput, Unfinished

ADDRESS = "RAY_ADDRESS"
"""The variable of the environment by which Ray itself finds a cluster."""
SPARE = 2
"""Cores that actors do not use: a pool that takes all cores leaves none for reading, and waits for ever."""
QUIET = {
    # Ray tells its authors about each start, unless this says no.
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    # A thread of Ray Data that outlives our cluster would start another one.
    "RAY_ENABLE_AUTO_CONNECT": "0",
}
PRIVATE = {
    # Ray's servers run whatever they are sent: on this machine alone they listen to nobody else,
    "RAY_ENABLE_WINDOWS_OR_OSX_CLUSTER": "0",
    # and to no other user of it.
    "RAY_AUTH_MODE": "token",
}
TOKEN = "RAY_AUTH_TOKEN"
DATA_THREADS = ("StreamingExecutor", "iter_threaded")
"""How Ray Data names its threads that end by themselves once nobody takes what they make."""
LONGEST_END = 10.0
"""Seconds that a thread of Ray Data gets to end after it was told to."""


@dataclass(frozen=True, slots=True)
class Cluster:
    """Ray, started. `ray` is the package, `actors` how many there may be, `node` the id of this machine."""

    ray: Any
    actors: int
    node: str


def need_ray() -> Any:
    """The package, configured before it is loaded. BadInput with the command that installs it."""
    alone = {} if os.environ.get(ADDRESS) else {**PRIVATE, TOKEN: token_hex(32)}
    for name, value in (QUIET | alone).items():
        os.environ.setdefault(name, value)
    try:
        import ray
        import ray.data
    except ImportError as error:
        what = f"--engine ray takes one more package ({error}): pip install 'teacher-harness[ray]'"
        raise BadInput(what) from error
    return ray


@contextmanager
def cluster(most: int | None = None) -> Iterator[Cluster]:
    """Ray while the block runs; a cluster of one machine starts and ends with it.

    `most`: how many actors there may be, instead of as many as cores. Unfinished where Ray does not start.
    """
    ray = need_ray()
    address = os.environ.get(ADDRESS)
    actors = most or len(os.sched_getaffinity(0))
    try:
        if address:
            ray.init(log_to_driver=False, logging_level=logging.ERROR)
            actors = most or max(1, int(ray.cluster_resources().get("CPU", 1)) - SPARE)
        else:
            ray.init(
                address="local", num_cpus=actors + SPARE, include_dashboard=False, log_to_driver=False,
                logging_level=logging.ERROR,
            )  # fmt: skip
    except (ConnectionError, RuntimeError, TimeoutError, OSError, ValueError) as error:
        where = f"the cluster at {address} ({ADDRESS})" if address else "a local cluster"
        raise Unfinished(f"Ray: {where} did not start: {error}") from error
    try:
        _quiet_data(ray)
        yield Cluster(ray, actors, here())
    finally:
        _wait_for_data()
        ray.shutdown()


def _wait_for_data() -> None:
    """Wait for the threads of Ray Data: one that finds Ray shut down would end the process."""
    for thread in threading.enumerate():
        if thread.name.startswith(DATA_THREADS):
            thread.join(LONGEST_END)


def here() -> str:
    """The id of the machine that this process runs on."""
    import ray

    return str(ray.get_runtime_context().get_node_id())


def _quiet_data(ray: Any) -> None:
    """Turn off Ray's own progress and log: we show progress and faults ourselves."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.execution_options.verbose_progress = False
    logging.getLogger("ray.data").setLevel(logging.CRITICAL)


def said_of(error: Exception) -> str:
    """The last line of a fault of Ray, which comes with the traceback of another process."""
    return str(error).strip().splitlines()[-1][:500]
