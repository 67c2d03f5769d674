"""How often `harness improve` accepts: python benchmarks/improve.py [--searches 100] [--queries 26,40]

Whole searches against a simulated teacher and proposer on loopback. On random labels, with a teacher whose
answers change with every word of the prompt, what is accepted is accepted by chance: at most 5 % may be. With
one planted blind spot, which the proposer names once it is shown one of its pairs, 80 % have to be accepted.
"""

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent / "tests"))

from improving import at_random, blind_spot, golden, project, simulated

from harness.grading.job import Limits
from harness.improve.improve import improve
from harness.improve.planning import Wanted
from harness.runs.manifest import Asked


class _Silent:
    def started(self, *told: object) -> None: ...
    def recorded(self, *told: object) -> None: ...
    def elsewhere(self, count: int) -> None: ...
    def said(self, text: str) -> None: ...
    def stopping(self, in_flight: int) -> None: ...


def main() -> None:
    """Print the table."""
    words = argparse.ArgumentParser(description=__doc__)
    words.add_argument("--searches", type=int, default=100)
    words.add_argument("--queries", default="26,40")
    words.add_argument("--proposals", type=int, default=5)
    given = words.parse_args()
    say(f"{'':28}{'queries':>9}{'searches':>10}{'accepted':>10}{'tried':>8}{'seconds':>9}")
    for queries in map(int, given.queries.split(",")):
        for name in ("random labels", "one blind spot"):
            began = time.monotonic()
            found = [searched(name, queries, seed, given.proposals) for seed in range(given.searches)]
            accepted, tried = sum(one for one, _ in found), sum(n for _, n in found)
            took = time.monotonic() - began
            say(f"{name:28}{queries:>9}{len(found):>10}{accepted:>10}{tried:>8}{took:>9.0f}")


def searched(name: str, queries: int, seed: int, proposals: int) -> tuple[bool, int]:
    """One search: whether an edit was accepted, and how many were tried on select."""
    chance = name == "random labels"
    labels = random.Random(seed) if chance else None
    with tempfile.TemporaryDirectory() as scratch:
        made = project(Path(scratch), golden(queries, blind=not chance, labels=labels))
        with simulated(at_random if chance else blind_spot, seed) as server:
            asked = Asked(
                model="openai/sim",
                policy="small",
                prompt="teacher",
                splits=("dev",),
                base_url=server.url,
                no_cache=True,
            )
            wanted = Wanted(asked, "openai/sim", proposals, seed, server.url)
            found, _ = improve(made, wanted, _Silent(), Limits())
    return found.chosen is not None, len(found.candidates)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - a script that prints


if __name__ == "__main__":
    main()
