"""What --engine ray takes: python benchmarks/label_ray.py [--pairs 20000] [--connections 64] [--latency 50]

`harness label` of the same pairs by one process and by Ray on this machine, against a server on loopback,
with one actor, two, and so on up to the cores. Processor seconds are those of every process that a command
started, since Ray starts a dozen; those of a few pairs are the start, which is told apart.
"""

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from label import say, write_pairs
from throughput import ROOT, environment, serve

sys.path.insert(0, str(ROOT / "tests"))
from shipped import ship

FEW = 100
"""Pairs that are labelled to see what the start takes."""
SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: processes that lose their parent become ours, with what they took."""
LINE = "{:32}{:>9}{:>9}{:>11}{:>14}{:>11}"


class Whole(NamedTuple):
    """A command with every process that it started."""

    wall: float
    cpu: float


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--pairs", type=int, default=20_000)
    words.add_argument("--connections", type=int, default=64)
    words.add_argument("--latency", type=float, default=50)
    given = words.parse_args()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    engines = [("one process", ["--engine", "local"])]
    for count in range(1, len(os.sched_getaffinity(0)) + 1):
        engines.append((f"Ray, actors: {count}", ["--engine", "ray", "--actors", str(count)]))
    say(LINE.format("", "wall s", "CPU s", "start CPU", "CPU ms a pair", "times one"))
    with tempfile.TemporaryDirectory() as scratch:
        root, base = ship(Path(scratch)), 0.0
        server, url = serve(given.latency)
        try:
            for name, engine in engines:
                line = [*engine, "--base-url", url, "--max-connections", str(given.connections)]
                few, all_ = (labelled(root, n, line, server.pid) for n in (FEW, given.pairs))
                each = (all_.cpu - few.cpu) / (given.pairs - FEW)
                base = base or each
                figures = (f"{all_.wall:.1f}", f"{all_.cpu:.1f}", f"{few.cpu:.1f}")
                say(LINE.format(name, *figures, f"{each * 1000:.3f}", f"{each / base:.2f}"))
        finally:
            server.terminate()


def labelled(root: Path, pairs: int, engine: list[str], server: int) -> Whole:
    """One command."""
    write_pairs(root, pairs, pairs)
    with tempfile.TemporaryDirectory() as labels:
        line = ["label", str(root / "pairs.csv"), "-o", f"{labels}/L", "--unproven", "--root", str(root)]
        line += ["--policy", "product-search@v1", "--model", "openai/m", "--no-cache", "--json", *engine]
        return whole([sys.executable, "-m", "harness", *line], server)


def whole(command: list[str], server: int) -> Whole:
    """Wall and processor seconds of a command and of all that it started.

    Looked up again and again: what a process took is lost with it where its parent waits for no child.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment())
        taken: dict[str, float] = {}
        wall = 0.0
        while True:
            found = descendants() - {server}
            taken |= {name: seconds for pid in found for name, seconds in seconds_of(pid)}
            if not wall and child.poll() is not None:
                wall = time.monotonic() - began
                if child.returncode:
                    said.seek(0)
                    sys.exit(f"{command} ended with {child.returncode}:\n{said.read().decode()}")
            if wall and not found:
                return Whole(wall, sum(taken.values()))
            for pid in found - {child.pid}:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(0.1)


def descendants() -> set[int]:
    """Every process that comes from this one."""
    parents = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):
            parents[int(path.parent.name)] = int(path.read_text().rpartition(")")[2].split()[1])
    found, more = set[int](), {os.getpid()}
    while more:
        more = {pid for pid, parent in parents.items() if parent in more}
        found |= more
    return found


def seconds_of(pid: int) -> Iterator[tuple[str, float]]:
    """What a process took until now, by its id and the time of its start: ids come again."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        yield f"{pid} {fields[19]}", (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


if __name__ == "__main__":
    main()
