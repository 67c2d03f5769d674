"""How far `harness signal` can be trusted, and how long it takes.

    python benchmarks/signal_recall.py [--logs 200]       planted contradictions: found, and found falsely
    python benchmarks/signal_recall.py --clauses          the same of the clauses that are contradicted
    python benchmarks/signal_recall.py --rows 1000000     a whole process on a table of so many rows

The process: users look at position k with probability 1/k, and click what they look at with the pair's own
attractiveness. That follows the grade, but for two planted clauses: pairs of grade 1 that cite `wanted` are
as attractive as grade 3, and pairs of grade 3 that cite `refused` as grade 0. For the other family of tests,
of grades on the same side of the line, other pairs of grades are planted. The ranker orders by a noisy
reading of the grade, anew each day, so that position and grade are confounded as in life. Beside what the
product does stands the same without a correction for positions: raw click rates.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from harness.signal.cells import CellBlock
from harness.signal.contradictions import LEVEL, PairTests, Sides, judge_pairs, judge_same_side
from harness.signal.counted import Counted
from harness.signal.evidence import Evidence
from harness.signal.exposure import Exposure
from harness.signal.graded import GradedPairs
from harness.signal.grouping import by_clause

SCALE = (0, 1, 2, 3, 4)
SIDES = Sides((0, 1), (2, 3, 4))
SHARES = (0.25, 0.2, 0.2, 0.2, 0.15)
RATES = (0.02, 0.04, 0.10, 0.20, 0.35)
"""How attractive each grade is."""
ALIKE = (0.02, 0.10, 0.10, 0.20, 0.35)
"""The same, but that behaviour does not feel the line between the grades 1 and 2."""
CLAUSES = ("kind-first", "brand-named", "condition", "bundle", "audience", "wanted", "refused")
SHOWN_ALIKE = (0.02, 0.04, 0.10, 0.10, 0.35)
"""The same of the grades 2 and 3, which are both shown."""
Planted = dict[str, tuple[int, int]]
"""By clause: the grade that its planted pairs have, and the grade that they behave like."""
PLANTED: Planted = {"wanted": (1, 3), "refused": (3, 0)}
TWO_GRADES: Planted = {"wanted": (2, 4), "refused": (4, 2)}
"""On the same side of the line: two grades away."""
ONE_GRADE: Planted = {"wanted": (2, 3), "refused": (3, 2)}
"""And one: as the median pair of the other grade, which no test can tell from that pair."""


@dataclass(frozen=True)
class Process:
    """What a log is drawn from.

    `views`: of a query, on average; `noise`: of the ranker, in grades; `spread`: of attractiveness within a
    grade, on the log scale.
    """

    queries: int = 200
    results: int = 10
    views: int = 2_000
    days: int = 5
    noise: float = 1.5
    spread: float = 0.15
    planted: Planted = field(default_factory=lambda: PLANTED)
    rates: tuple[float, ...] = RATES


@dataclass(frozen=True)
class Drawn:
    """A log, its graded pairs, and which of them are planted."""

    graded: GradedPairs
    counted: Counted
    planted: NDArray[np.bool_]


def draw(process: Process, seed: int) -> Drawn:
    """One log."""
    chance = np.random.default_rng(seed)
    shape = process.queries, process.results
    grade = chance.choice(len(SCALE), shape, p=SHARES)
    clause = chance.integers(len(CLAUSES), size=shape)
    like, planted = grade.copy(), np.zeros(shape, dtype=bool)
    for name, (its, behaves) in process.planted.items():
        mine = (clause == CLAUSES.index(name)) & (grade == its)
        like[mine], planted[mine] = behaves, True
    attractive = np.array(process.rates)[like] * np.exp(chance.normal(0, process.spread, shape))
    views = chance.lognormal(np.log(process.views) - 0.5, 1.0, (process.queries, 1))
    sums = np.zeros((2, process.queries * process.results, process.results))
    pair = np.arange(grade.size).reshape(shape)
    for _ in range(process.days):
        order = np.argsort(-(grade + chance.normal(0, process.noise, shape)), axis=1)
        rank = np.argsort(order, axis=1)
        seen = chance.poisson(np.broadcast_to(views / process.days, shape))
        clicks = chance.binomial(seen, np.minimum(attractive, 1) / (rank + 1))
        np.add.at(sums[0], (pair, rank), seen)
        np.add.at(sums[1], (pair, rank), clicks)
    graded = GradedPairs("simulated")
    for number in range(grade.size):
        query, result = divmod(number, process.results)
        its = int(grade[query, result])
        graded.add(f"query {query}", f"p{number}", its, (CLAUSES[clause[query, result]],))
    at, place = np.nonzero(sums[0])
    counts = {"views": sums[0][at, place], "clicks": sums[1][at, place]}
    counted = Counted(
        len(at), lambda: iter([CellBlock(at, place + 1, counts)]), tuple(counts), ungraded_views=0
    )
    return Drawn(graded, counted, planted.ravel())


def evidence(drawn: Drawn, *, raw: bool = False) -> Evidence:
    """What is known of each pair. `raw`: by click rates without a correction for positions."""
    given = dict.fromkeys(range(1, 201), 1.0) if raw else None
    return Evidence(Exposure(drawn.graded, drawn.counted, SCALE, "clicks", given))


def judged(drawn: Drawn, *, raw: bool = False, same_side: bool = False) -> PairTests:
    """What the product finds across the line, or on the same side of it."""
    known = evidence(drawn, raw=raw)
    across = judge_pairs(known, SIDES)
    return judge_same_side(known, SIDES, across) if same_side else across


def clause_outcome(process: Process, drawn: Drawn, *, raw: bool = False) -> tuple[float, float, int]:
    """The same of clauses, by their q-value: those that are planted are right."""
    known = evidence(drawn, raw=raw)
    found = {one.id for one in by_clause(known, judge_pairs(known, SIDES)) if one.q_value <= LEVEL}
    false = len(found - set(process.planted))
    recall = len(found & set(process.planted)) / max(1, len(process.planted))
    return recall, false / max(1, len(found)), len(found)


def outcome(drawn: Drawn, tests: PairTests) -> tuple[float, float, int]:
    """Recall, the share of what was found that is false, and how many were found."""
    found = tests.found
    right = int(drawn.planted[found].sum())
    recall = right / max(1, int(drawn.planted.sum()))
    return recall, (len(found) - right) / max(1, len(found)), len(found)


def say(text: str) -> None:
    """Print a line at once."""
    print(text, flush=True)  # noqa: T201 - a script that prints


TABLE = """| log | views of a query | method | recall | false discovery rate | logs with any alarm |
|---|---|---|---|---|---|"""


ACROSS = {
    "planted": Process(),
    "quiet": Process(planted={}),
    "quiet, 1 like 2": Process(planted={}, rates=ALIKE, spread=0),
}
SAME_SIDE = {
    "planted, two grades": Process(planted=TWO_GRADES),
    "planted, one grade": Process(planted=ONE_GRADE),
    "quiet": Process(planted={}),
    "quiet, 2 like 3": Process(planted={}, rates=SHOWN_ALIKE, spread=0),
}


def rows(logs: int, views: tuple[int, ...] = (2_000, 4_000, 8_000)) -> None:
    """Print the tables of planted and of quiet logs: across the line, and on the same side of it."""
    for same_side, processes in enumerate((ACROSS, SAME_SIDE)):
        say(TABLE)
        for kind, one in processes.items():
            for each in views:
                row(f"| {kind} | {each:,} |", replace(one, views=each), logs, same_side=bool(same_side))


def clause_rows(logs: int, views: tuple[int, ...] = (500, 1_000, 2_000, 4_000, 8_000)) -> None:
    """Print the table of clauses that are contradicted across the line."""
    say(TABLE)
    for kind, one in ACROSS.items():
        for each in views:
            row(f"| {kind} | {each:,} |", replace(one, views=each), logs, clauses=True)


def row(head: str, process: Process, logs: int, *, same_side: bool = False, clauses: bool = False) -> None:
    """Print what is found in so many logs, with a correction for positions and without: pairs, or clauses."""
    results: dict[str, list[tuple[float, float, int]]] = {"corrected": [], "raw click rates": []}
    for seed in range(logs):
        drawn = draw(process, seed)
        for raw, found in enumerate(results.values()):
            found.append(
                clause_outcome(process, drawn, raw=bool(raw))
                if clauses
                else outcome(drawn, judged(drawn, raw=bool(raw), same_side=same_side))
            )
    for method, found in results.items():
        recall, false, count = (np.array(column, dtype=float) for column in zip(*found, strict=True))
        what = f"{recall.mean():.3f} | {false.mean():.3f}" if process.planted else "- | -"
        say(f"{head} {method} | {what} | {(count > 0).mean():.3f} |")


def timed(count: int, form: str, queries: int) -> None:
    """Print what a whole process takes on a table of so many rows, one row a view."""
    with tempfile.TemporaryDirectory() as folder:
        log, labels = Path(folder) / f"log.{form}", Path(folder) / "labels.csv"
        write_views(log, labels, count, queries)
        words = ["signal", log, "--labels", labels, "--scale", "0-4", "--at-least", "2", "--json"]
        start = time.perf_counter()
        process = subprocess.Popen(
            [sys.executable, "-m", "harness", *map(str, words)], stdout=subprocess.DEVNULL
        )
        _, status, used = os.wait4(process.pid, 0)
        wall, size = time.perf_counter() - start, log.stat().st_size >> 20
        peak = used.ru_maxrss >> 10
        say(
            f"{count:,} rows, {form} ({size:,} MB): {wall:.0f} s, {used.ru_utime + used.ru_stime:.0f} CPU s, "
            f"peak {peak:,} MB, exit {os.waitstatus_to_exitcode(status)}",
        )


def write_views(log: Path, labels: Path, count: int, queries: int = 20_000, results: int = 10) -> None:
    """A log of one row a view, with sessions and outcomes, and the grades of its pairs."""
    import pyarrow as pa
    import pyarrow.csv
    import pyarrow.parquet

    chance = np.random.default_rng(1)
    grade = chance.choice(len(SCALE), (queries, results), p=SHARES)
    with labels.open("w", encoding="utf-8") as file:
        file.write("query,item,grade,clauses\n")
        for query in range(queries):
            for result in range(results):
                clause = CLAUSES[(query + result) % len(CLAUSES)]
                its = grade[query, result]
                file.write(f"something wanted {query},p{query * results + result},{its},{clause}\n")
    text = pa.array([f"something wanted {query}" for query in range(queries)])
    items = pa.array([f"p{item}" for item in range(queries * results)])
    writer, done, session = None, 0, 0
    while done < count:
        searches = min(50_000, (count - done) // results or 1)
        asked = chance.integers(queries, size=searches)
        order = np.argsort(-(grade[asked] + chance.normal(0, 1.5, (searches, results))), axis=1)
        item = asked[:, None] * results + order
        place = np.arange(1, results + 1)
        rate = np.array(RATES)[grade[asked[:, None], order]] / place
        clicks = (chance.random(rate.shape) < rate).astype(np.int64)
        bought = (chance.random(searches) < 0.02 + 0.05 * clicks.any(axis=1)).astype(np.int64)
        names = pa.array([f"s{number}" for number in range(session, session + searches)])
        each = pa.array(np.repeat(np.arange(searches), results))
        table = pa.table(
            {
                "query": text.take(pa.array(np.repeat(asked, results))),
                "item": items.take(pa.array(item.ravel())),
                "position": np.tile(place, searches),
                "clicks": clicks.ravel(),
                "session": names.take(each),
                "outcome": np.repeat(bought, results),
            }
        )
        if writer is None:
            make = pa.parquet.ParquetWriter if log.suffix == ".parquet" else pa.csv.CSVWriter
            writer = make(log, table.schema)
        writer.write_table(table)
        done, session = done + searches * results, session + searches
    if writer is not None:
        writer.close()


def main() -> None:
    """The command line."""
    options = argparse.ArgumentParser()
    options.add_argument("--logs", type=int, default=200)
    options.add_argument("--clauses", action="store_true")
    options.add_argument("--rows", type=int, nargs="*", default=[])
    options.add_argument("--queries", type=int, default=20_000)
    options.add_argument("--form", choices=("csv", "parquet"), default="csv")
    given = options.parse_args()
    for count in given.rows:
        timed(count, given.form, given.queries)
    if given.clauses:
        clause_rows(given.logs)
    elif not given.rows:
        rows(given.logs)


if __name__ == "__main__":
    main()
