"""What --engine ray takes: python benchmarks/label_ray.py [--pairs 2000,20000] [--rounds 5] [--actors 1]

`harness label` of the same pairs by one process and by Ray on this machine, in turn: against a server on
loopback that takes --latency milliseconds, and by a grader that takes nothing. Each is run at two sizes. What
a pair takes is the slope between them; what is left at no pair is the start.

Processor seconds are user and system time of every process that a command started, by /proc: the command
(`driver`), Ray's worker processes (`workers`: actors, readers, writers, idle ones), and what else Ray runs
(`Ray`: raylet, GCS, agents, log monitor). The server that answers is not counted.
"""

import argparse
import ctypes
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Collection, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from statistics import median
from typing import NamedTuple

from label import say, write_pairs
from throughput import ROOT, environment, serve

sys.path.insert(0, str(ROOT / "tests"))
from shipped import ship

SUBREAPER = 36
"""PR_SET_CHILD_SUBREAPER: processes that lose their parent become ours, with what they took."""
LOOK = 0.1
"""Seconds between two looks at the processes."""
ROLES = ("driver", "workers", "Ray")
LINE = "{:12}{:16}{:>10}{:>14}{:>18}" + "{:>9}" * len(ROLES)
TITLE = ("", "", "start CPU", "CPU ms a pair", "times one process", *ROLES)


class Whole(NamedTuple):
    """A command with every process that it started: wall seconds, and processor seconds by role."""

    wall: float
    cpu: dict[str, float]


class Slope(NamedTuple):
    """One engine in one round: processor seconds of the start, and milliseconds a pair by role."""

    start: float
    each: dict[str, float]

    @property
    def whole(self) -> float:
        """Milliseconds a pair."""
        return sum(self.each.values())


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    words.add_argument("--pairs", default="2000,20000", help="the two sizes")
    words.add_argument("--rounds", type=int, default=5)
    words.add_argument("--actors", default="1", help="numbers of actors")
    words.add_argument("--connections", type=int, default=64)
    words.add_argument("--latency", type=float, default=50)
    words.add_argument("--graders", default="server,free")
    given = words.parse_args()
    ctypes.CDLL(None).prctl(SUBREAPER, 1, 0, 0, 0)
    with tempfile.TemporaryDirectory() as scratch:
        root = ship(Path(scratch))
        server, url = serve(given.latency)
        asked = ["openai/m", "--base-url", url, "--max-connections", str(given.connections), "--no-cache"]
        graders = {"server": asked, "free": [f"replay/{root / 'grades.csv'}"]}
        say(LINE.format(*TITLE))
        try:
            for grader in given.graders.split(","):
                compare(root, grader, graders[grader], given, server.pid)
        finally:
            server.terminate()


def compare(root: Path, grader: str, model: list[str], given: argparse.Namespace, server: int) -> None:
    """Every engine in every round, and the medians. The ratio is that of one round each time."""
    engines = {"one process": ["--engine", "local"]}
    engines |= {f"Ray, actors: {n}": ["--engine", "ray", "--actors", n] for n in given.actors.split(",")}
    few, many = (int(part) for part in given.pairs.split(","))
    found: dict[str, list[Slope]] = {name: [] for name in engines}
    for _ in range(given.rounds):
        for name, engine in engines.items():
            line = ["--model", *model, *engine]
            found[name].append(slope(few, many, *(labelled(root, n, line, server) for n in (few, many))))
    base = found["one process"]
    for name, rounds in found.items():
        ratios = [one.whole / other.whole for one, other in zip(rounds, base, strict=True)]
        spread = f"{median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f})"
        each = [f"{median(one.each.get(role, 0.0) for one in rounds):.3f}" for role in ROLES]
        start, whole = (median(getattr(one, name) for one in rounds) for name in ("start", "whole"))
        say(LINE.format(grader, name, f"{start:.1f}", f"{whole:.3f}", spread, *each))


def slope(few: int, many: int, first: Whole, second: Whole) -> Slope:
    """What a pair takes between two sizes, and what is left at none."""
    each = {role: (second.cpu[role] - first.cpu[role]) / (many - few) * 1000 for role in second.cpu}
    return Slope(sum(first.cpu.values()) - sum(each.values()) * few / 1000, each)


def labelled(root: Path, pairs: int, engine: list[str], server: int) -> Whole:
    """One command."""
    write_pairs(root, pairs, pairs)
    with tempfile.TemporaryDirectory() as labels:
        line = ["label", str(root / "pairs.csv"), "-o", f"{labels}/L", "--unproven", "--root", str(root)]
        line += ["--policy", "product-search@v1", "--json", *engine]
        return whole([sys.executable, "-m", "harness", *line], server)


def whole(command: list[str], server: int) -> Whole:
    """Wall and processor seconds of a command and of all that it started.

    Looked up again and again: what a process took is lost with it where its parent waits for no child.
    """
    began = time.monotonic()
    with tempfile.TemporaryFile() as said:
        child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=said, env=environment())
        taken: dict[tuple[int, str], float] = {}
        workers = set[tuple[int, str]]()
        wall = 0.0
        while True:
            found = descendants() - {server}
            now = dict(one for pid in found for one in seconds_of(pid))
            taken |= now
            workers |= {one for one in now if is_worker(one[0])}
            if not wall and child.poll() is not None:
                wall = time.monotonic() - began
                if child.returncode:
                    said.seek(0)
                    sys.exit(f"{command} ended with {child.returncode}:\n{said.read().decode()}")
            if wall and not found:
                return Whole(wall, by_role(taken, workers, child.pid))
            for pid in found - {child.pid}:
                with suppress(ChildProcessError):
                    os.waitpid(pid, os.WNOHANG)
            time.sleep(LOOK)


def by_role(
    taken: Mapping[tuple[int, str], float], workers: Collection[tuple[int, str]], driver: int
) -> dict[str, float]:
    """Processor seconds of each role."""
    found = dict.fromkeys(ROLES, 0.0)
    for process, seconds in taken.items():
        role = "driver" if process[0] == driver else "workers" if process in workers else "Ray"
        found[role] += seconds
    return found


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


def seconds_of(pid: int) -> Iterator[tuple[tuple[int, str], float]]:
    """What a process took until now, by its id and the time of its start: ids come again."""
    with suppress(OSError):
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        yield (pid, fields[19]), (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def is_worker(pid: int) -> bool:
    """Whether a process is a worker of Ray, by its command line; one that has ended has none any more."""
    with suppress(OSError):
        words = Path(f"/proc/{pid}/cmdline").read_bytes()
        return words.startswith(b"ray::") or b"default_worker.py" in words
    return False


if __name__ == "__main__":
    main()
