"""How fast a run is: python benchmarks/throughput.py [--sdk anthropic] [--pairs 2000] [--connections 64]

A server on loopback answers every request after --latency milliseconds. `harness eval` and
benchmarks/bare_loop.py grade the same pairs in turn, as whole processes; the medians are what to quote.
"""

import argparse
import json
import os
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import NamedTuple

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent
WORDS = [
    "red",
    "blue",
    "steel",
    "oak",
    "wool",
    "glass",
    "tin",
    "soft",
    "large",
    "small",
    "quiet",
    "bright",
    "round",
    "flat",
    "long",
    "warm",
]
THINGS = [
    "kettle",
    "lamp",
    "chair",
    "pan",
    "hat",
    "jar",
    "table",
    "box",
    "sofa",
    "desk",
    "rug",
    "clock",
    "mirror",
    "shelf",
    "fan",
    "heater",
]


class Figures(NamedTuple):
    """One whole process."""

    wall: float
    cpu: float
    peak: float


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--sdk", choices=("openai", "anthropic"), default="openai")
    words.add_argument("--pairs", type=int, default=2000)
    words.add_argument("--connections", type=int, default=64)
    words.add_argument("--latency", type=float, default=50)
    words.add_argument("--rounds", type=int, default=9)
    given = words.parse_args()
    with tempfile.TemporaryDirectory() as scratch:
        root = Path(scratch)
        write_project(root, given.pairs)
        server, url = serve(given.latency)
        try:
            contest(root, url, given)
        finally:
            server.terminate()


def contest(root: Path, url: str, given: argparse.Namespace) -> None:
    """The two in turn, after one turn that does not count."""
    sdk, connections, rounds, pairs = given.sdk, str(given.connections), given.rounds, given.pairs
    prefix = root / "prefix.txt"
    golden = root / "golden/product-search/examples.jsonl"
    prefix.write_text(rendered(root), encoding="utf-8")
    bare = [str(HERE / "bare_loop.py"), sdk, url, str(golden), str(prefix), str(root / "bare.jsonl")]
    bare.append(connections)
    ours = ["-m", "harness", "eval", "--model", f"{sdk}/canned", "--base-url", url, "--no-report"]
    ours += ["--max-connections", connections, "--root", str(root)]
    found: dict[str, list[Figures]] = {"harness eval": [], "bare loop over the SDK": []}
    for turn in range(rounds + 1):
        for name, command in zip(found, (ours, bare), strict=True):
            shutil.rmtree(root / "runs")
            (root / "runs").mkdir()
            figures = timed([sys.executable, *command])
            if turn:
                found[name].append(figures)
    lines = [f"{sdk}, {pairs:,} pairs, {connections} connections, median of {rounds} (smallest to largest)"]
    lines.append(f"{'':24}{'wall seconds':>24}{'processor seconds':>24}{'peak MB':>26}")
    for name, runs in found.items():
        lines.append(f"{name:24}" + "".join(f"{spread(column):>25}" for column in zip(*runs, strict=True)))
    for name in ("wall", "cpu"):
        ratios = [
            getattr(one, name) / getattr(other, name) for one, other in zip(*found.values(), strict=True)
        ]
        lines.append(f"{name} seconds in multiples of the bare loop: {spread(ratios)}")
    print("\n".join(lines))  # noqa: T201 - a script that prints


def spread(values: Sequence[float]) -> str:
    """The median, and what it lies between."""
    return f"{statistics.median(values):.2f} ({min(values):.2f} to {max(values):.2f})"


def timed(command: list[str], **more: str) -> Figures:
    """Wall and processor seconds and peak megabytes of one process, with `more` in its environment."""
    began = time.monotonic()
    child = subprocess.Popen(
        command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment() | more
    )
    assert child.stderr is not None
    said = child.stderr.read()
    _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        sys.exit(f"{' '.join(command)} ended with {status}:\n{said.decode()}")
    return Figures(time.monotonic() - began, usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024)


def environment() -> dict[str, str]:
    """This process's environment, so that the package is found wherever the command runs."""
    keys = {"OPENAI_API_KEY": "none", "ANTHROPIC_API_KEY": "none"}
    # Compiled files are kept, as on a user's machine: compiling an SDK anew takes longer than the run.
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    return {**kept, **keys, "PYTHONPATH": str(ROOT)}


def write_project(root: Path, pairs: int) -> None:
    """The shipped policy and prompts, with made-up pairs to grade: eight to a query."""
    for name in ("policies", "prompts"):
        shutil.copytree(ROOT / name, root / name)
    (root / "runs").mkdir()
    (root / "golden/product-search").mkdir(parents=True)
    dice = random.Random(0)
    shipped = (ROOT / "golden/product-search/examples.jsonl").read_text(encoding="utf-8").splitlines()
    shots = [line for line in shipped if '"split": "shots"' in line or '"split":"shots"' in line]
    with (root / "golden/product-search/examples.jsonl").open("w", encoding="utf-8") as file:
        file.writelines(line + "\n" for line in shots)
        for at in range(pairs):
            query = f"{dice.choice(WORDS)} {dice.choice(THINGS)} {at // 8}"
            description = " ".join(dice.choices(WORDS, k=40))
            title = " ".join([*dice.sample(WORDS, 5), dice.choice(THINGS), f"model {at}"])
            example = {
                "id": f"pair-{at}", "query": query, "grade": dice.randrange(5), "split": "dev",
                "result": {"title": title, "brand": "Acme", "description": description},
                "reasoning": "Made up, to measure with.", "clauses": [], "policy_version": "v1",
            }  # fmt: skip
            file.write(json.dumps(example) + "\n")


def rendered(root: Path) -> str:
    """The system message that a run of the harness sends."""
    shown = [sys.executable, "-m", "harness", "prompt", "render", "teacher", "--json", "--root", str(root)]
    done = subprocess.run(shown, capture_output=True, text=True, check=True, env=environment())
    return str(json.loads(done.stdout)["messages"][0]["content"])


def serve(latency: float) -> tuple["subprocess.Popen[str]", str]:
    """The server, and its base URL."""
    words = ["-m", "harness", "demo-server", "--canned", "--latency", str(latency), "--port", "0"]
    server = subprocess.Popen(
        [sys.executable, *words], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    )
    assert server.stdout is not None
    for line in server.stdout:
        if found := re.search(r"http://[^ ]+/v1", line):
            return server, found[0]
    sys.exit("the server did not start")


if __name__ == "__main__":
    main()
