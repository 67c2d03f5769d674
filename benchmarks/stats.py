"""How long the statistics take: python benchmarks/stats.py

Each figure is the median of five runs after one that is not counted.
"""

import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.nouns.pair import Rating
from harness.score.gate1 import score_gate1
from harness.score.gate2 import score_gate2
from harness.score.items import GradedItem, ItemAnswer
from harness.score.settings import ScoreSettings
from harness.score.threshold import Threshold
from harness.stats.agreement import renumbered
from harness.stats.bootstrap import cluster_bootstrap
from harness.stats.intervals import KappaTable, Spread, mean_spread

SCALE = (0, 1, 2, 3, 4)
FILES = ((500, 92), (200_000, 20_000), (1_000_000, 50_000))
TABLES = ((100_000, 5_000), (1_000_000, 50_000))


def main() -> None:
    """Print the table."""
    with tempfile.TemporaryDirectory() as folder:
        print_table(Path(folder))


def print_table(folder: Path) -> None:
    """A line for each thing timed; `folder` is for the files of grades."""
    small, large = graded(500, 92), graded(200_000, 20_000)
    items = [
        GradedItem(f"i{at}", str(c), SCALE[g], (ItemAnswer(SCALE[t], "graded"),))
        for at, (g, t, c) in enumerate(zip(large.rows, large.columns, large.clusters, strict=True))
    ]
    rows: list[tuple[str, Callable[[], object]]] = [
        ("interval, 500 items, 92 queries", lambda: interval(small)),
        ("interval, 200,000 items, 20,000 queries", lambda: interval(large)),
        ("cluster bootstrap, 10,000 draws, 500 items", lambda: cluster_bootstrap(small)),
        (
            "gate 2 scorecard, 200,000 items",
            lambda: score_gate2(items, ScoreSettings(SCALE, Threshold("none", 0.8))),
        ),
        *[
            (
                f"gate 1 scorecard, 500 raters, 200,000 ratings of {n:,} items",
                gate1_of(500, 200_000 // n, n),
            )
            for n in (400, 20_000)
        ],
        *[
            (f"harness gate2 on files, whole process, {n:,} items", whole_process(folder / str(n), n, q))
            for n, q in FILES
        ],
        *[
            (f"harness golden import, whole process, {n:,} rows", import_process(folder / f"import{n}", n, q))
            for n, q in TABLES
        ],
    ]
    for name, work in rows:
        print(f"{name:<60}{1000 * timed(work):>10.2f} ms")  # noqa: T201 - a script that prints
    # Linux counts in kilobytes.
    most = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss / 1024
    print(f"{'the largest of these processes':<60}{most:>10.2f} MB")  # noqa: T201 - as above


def graded(n: int, queries: int) -> KappaTable:
    """A made-up grader that is right two times in three."""
    random = np.random.default_rng(1)
    golden = random.integers(0, 5, n)
    teacher = np.where(random.random(n) < 2 / 3, golden, random.integers(0, 5, n))
    clusters = renumbered(random.integers(0, queries, n))
    return KappaTable(golden, teacher, clusters, SCALE, "none")


def interval(table: KappaTable) -> Spread:
    """The product's interval of one kappa."""
    n = len(table.rows)
    return mean_spread([table], [np.arange(n)], n, table.clusters)


def gate1_of(raters: int, each: int, items: int) -> Callable[[], object]:
    """Gate 1 on made-up raters who are right four times in five; each item is rated by as many."""
    random = np.random.default_rng(1)
    found = []
    for item, grade in enumerate(random.integers(0, 5, items)):
        who = random.choice(raters, each, replace=False)
        given = np.where(random.random(each) < 0.8, grade, random.integers(0, 5, each))
        found += [
            Rating(item=f"i{item}", rater=f"r{one}", grade=SCALE[at], query=f"q{item // 4}")
            for one, at in zip(who, given, strict=True)
        ]
    return lambda: score_gate1(found, SCALE, Threshold("none", 0.8))


def whole_process(folder: Path, n: int, queries: int) -> Callable[[], object]:
    """`harness gate2` on two files of grades in a folder, as a command."""
    table = graded(n, queries)
    folder.mkdir()
    golden = [
        f"i{at},q{c},{SCALE[g]}" for at, (g, c) in enumerate(zip(table.rows, table.clusters, strict=True))
    ]
    grades = [f"i{at},{SCALE[t]}" for at, t in enumerate(table.columns)]
    (folder / "golden.csv").write_text("item,query,grade\n" + "\n".join(golden), encoding="utf-8")
    (folder / "grades.csv").write_text("item,grade\n" + "\n".join(grades), encoding="utf-8")
    files = ["--golden", str(folder / "golden.csv"), "--grades", str(folder / "grades.csv")]
    command = [sys.executable, "-m", "harness", "gate2", *files, "--scale", "0-4"]
    return lambda: subprocess.run(command, check=False, capture_output=True)


def import_process(folder: Path, n: int, queries: int) -> Callable[[], object]:
    """`harness golden import` of a made-up table with titles, into a project of its own, as a command."""
    random = np.random.default_rng(1)
    (folder / "policies").mkdir(parents=True)
    rows = zip(*(random.integers(0, most, n).tolist() for most in (queries, n, n // 3, 500, 5)), strict=True)
    lines = (
        f"p{at},blue thing {query} for q{query % (queries // 10)},product {a} make {b},{price}.99,{grade}\n"
        for at, (query, a, b, price, grade) in enumerate(rows)
    )
    (folder / "table.csv").write_text("item,query,title,price,grade\n" + "".join(lines), encoding="utf-8")
    words = ["golden", "import", "table.csv", "--policy", "made", "--scale", "0-4"]
    replace = ["--replace", "--discard-judgements"]
    command = [sys.executable, "-m", "harness", *words, *replace]
    return lambda: subprocess.run(command, check=True, capture_output=True, cwd=folder)


def timed(work: Callable[[], object]) -> float:
    """Median seconds."""
    work()
    taken = []
    for _ in range(5):
        began = time.perf_counter()
        work()
        taken.append(time.perf_counter() - began)
    return statistics.median(taken)


if __name__ == "__main__":
    main()
