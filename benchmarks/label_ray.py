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
                few, all_ = (labelled(root, n, line) for n in (FEW, given.pairs))
                each = (all_.cpu - few.cpu) / (given.pairs - FEW)
                base = base or each
                figures = (f"{all_.wall:.1f}", f"{all_.cpu:.1f}", f"{few.cpu:.1f}")
                say(LINE.format(name, *figures, f"{each * 1000:.3f}", f"{each / base:.2f}"))
        finally:
            server.terminate()


def labelled(root: Path, pairs: int, engine: list[str]) -> Whole:
    """One command."""
    write_pairs(root, pairs, pairs)
    with tempfile.TemporaryDirectory() as labels:
        line = ["label", str(root / "pairs.csv"), "-o", f"{labels}/L", "--unproven", "--root", str(root)]
        line += ["--policy", "product-search@v1", "--model", "openai/m", "--no-cache", "--json", *engine]
        return whole([sys.executable, "-m", "harness", *line])


def whole(command: list[str]) -> Whole:
    """Wall and processor seconds of a command and of all that it started."""
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment())
        cpu, wall = 0.0, 0.0
        while True:
            try:
                pid, status, usage = os.wait4(-1, 0 if not wall else os.WNOHANG)
            except ChildProcessError:
                return Whole(wall, cpu)
            if not pid:
                if len(Path(f"/proc/self/task/{os.getpid()}/children").read_text().split()) == 1:
                    return Whole(wall, cpu)  # the server, which is ours too, goes on
                time.sleep(0.2)
                continue
            cpu += usage.ru_utime + usage.ru_stime
            if pid == child.pid:
                wall, child.returncode = time.monotonic() - began, os.waitstatus_to_exitcode(status)
                if child.returncode:
                    said.seek(0)
                    sys.exit(f"{command} ended with {child.returncode}:\n{said.read().decode()}")


if __name__ == "__main__":
    main()
