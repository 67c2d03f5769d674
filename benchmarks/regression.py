"""How far compare and regress can be trusted: python benchmarks/regression.py [--sets 1000]

Two prompts grade the same golden set, drawn from the process of benchmarks/coverage.py, and the product's own
functions compare them. A prompt's errors are as in that process. Beside it, the two prompts' log-odds of an
error in a query correlate by QUERY, what decides whether one item is missed correlates by ITEM (a normal
copula), and where both miss an item they land on the same wrong grade with probability SAME. Both prompts
have the population's kappa that they are given, so that equal prompts are exactly equal.
"""

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial

import numpy as np
from coverage import MISSES, MIX, PER_QUERY, SCALE, SHARES, SPREAD, WEIGHTINGS, Process, _pick, process_at
from scipy.special import expit, ndtri

from harness.comparison.paired import compare_sides
from harness.comparison.sides import Side
from harness.nouns.base import Weighting
from harness.nouns.policy import Cell, Gates
from harness.score.items import GradedItem, ItemAnswer
from harness.stats.agreement import Floats, Integers
from harness.stats.intervals import KappaTable
from harness.stats.paired import delta_kappa
from harness.verdicts.regression import judge_regression

QUERY, ITEM, SAME = 0.8, 0.5, 0.5
ACTIONS = {0: "filter", 1: "filter", 2: "related", 3: "show", 4: "show"}
GATES = Gates(never_grow=(Cell(golden=0, action="show"),))
ANSWERS = {grade: (ItemAnswer(grade, "graded"),) for grade in SCALE}
DESIGNS = [(20, 5), (50, 5), (100, 5), (50, 10), (250, 1)]
GROWTH, CHEAP = 3, 2
"""By how much the cell may grow; times as many data sets where no flip is listed."""
SIZES = (50, 100, 200, 500, 1_500)
LOSSES = (0.0, 0.05, 0.10)
"""Of kappa: none, the margin, twice the margin."""


@dataclass(frozen=True, slots=True)
class Pair:
    """Two prompts; `query` is the correlation of their difficulty by query."""

    base: Process
    candidate: Process
    query: float = QUERY

    def sample(
        self, random: np.random.Generator, queries: int, items: int
    ) -> tuple[Integers, Integers, Integers, Integers]:
        """The golden grades of one data set, either prompt's grades, and the queries."""
        n = queries * items
        golden = _pick(np.repeat(random.dirichlet(MIX * SHARES, queries), items, axis=0), random)
        hard = _alike(random, queries, self.query)
        chance = _alike(random, n, ITEM)
        landed = [_pick(MISSES[golden], random) for _ in range(2)]
        landed[1] = np.where(random.random(n) < SAME, landed[0], landed[1])
        grades = [
            np.where(
                chance[at] < ndtri(np.repeat(expit(process.log_odds + SPREAD * hard[at]), items)), to, golden
            )
            for at, (process, to) in enumerate(zip((self.base, self.candidate), landed, strict=True))
        ]
        return golden, grades[0], grades[1], np.repeat(np.arange(queries), items)


def _alike(random: np.random.Generator, n: int, correlation: float) -> Floats:
    """2 x n standard normal values whose rows correlate."""
    shared, own = random.standard_normal(n), random.standard_normal((2, n))
    return np.asarray(math.sqrt(correlation) * shared + math.sqrt(1 - correlation) * own, dtype=np.float64)


def truth_rows(_: int) -> list[list[str]]:
    """What the process is like, on a million items."""
    rows = []
    for kappa in (0.7, 0.85):
        for query in (QUERY, 1.0):
            pair = Pair(process_at(kappa), process_at(kappa), query)
            golden, one, other, clusters = pair.sample(np.random.default_rng(2026), 200_000, PER_QUERY)
            tables = [KappaTable(golden, grades, clusters, SCALE, "none") for grades in (one, other)]
            found = delta_kappa(*tables)
            alone = delta_kappa(*(_unclustered(table) for table in tables))
            errors = float(np.corrcoef(one != golden, other != golden)[0, 1])
            effect = ((found.se or math.nan) / (alone.se or math.nan)) ** 2
            kappas = [f"{table.kappa.value:.4f}" for table in tables]
            figures = [f"{errors:.2f}", f"{(one != other).mean():.1%}", f"{effect:.2f}"]
            rows.append([f"{kappa:.2f}", f"{query:.1f}", *kappas, *figures])
    return rows


def _unclustered(table: KappaTable) -> KappaTable:
    return KappaTable(table.rows, table.columns, np.arange(len(table.rows)), table.scale, table.weighting)


def null_rows(sets: int) -> list[list[str]]:
    """(a) How often two prompts of equal quality are called different."""
    rows, sets = [], CHEAP * sets
    for query in (QUERY, 1.0):
        for kappa in (0.7, 0.85):
            for queries, items in DESIGNS:
                said = [null_share(queries, items, kappa, query, weighting, sets) for weighting in WEIGHTINGS]
                plain = null_share(queries, items, kappa, query, "none", sets, clustered=False)
                cells = [f"{share:.1%}" for share in (*said, plain)]
                rows.append([f"{query:.1f}", f"{kappa:.2f}", f"{queries} x {items}", *cells])
    return rows


def null_share(
    queries: int,
    items: int,
    kappa: float,
    query: float,
    weighting: Weighting,
    sets: int,
    clustered: bool = True,
) -> float:
    """The share of data sets whose 95 % interval of the difference leaves out 0."""
    pair, wrong = Pair(process_at(kappa), process_at(kappa), query), 0
    random = np.random.default_rng([2026, queries, items])
    for _ in range(sets):
        golden, one, other, clusters = pair.sample(random, queries, items)
        groups = clusters if clustered else np.arange(len(golden))
        found = delta_kappa(
            *(KappaTable(golden, grades, groups, SCALE, weighting) for grades in (one, other))
        )
        wrong += found.ci is not None and not found.ci.low <= 0 <= found.ci.high
    return wrong / sets


def regress_rows(sets: int, loss: float) -> list[list[str]]:
    """(b) What `harness regress` says of a candidate whose kappa is this much lower."""
    rows = []
    for kappa in (0.7, 0.85):
        for n in SIZES:
            said = verdicts(Pair(process_at(kappa), process_at(kappa - loss)), n, sets)
            columns = [("kappa", "pass"), ("kappa", "fail"), ("kappa", "inconclusive")]
            columns += [("whole", "pass"), ("whole", "fail"), ("grown", "pass"), ("grown", "fail")]
            rows.append([f"{kappa:.2f}", f"{n:,}", *(f"{said[one] / sets:.1%}" for one in columns)])
    return rows


def verdicts(pair: Pair, n: int, sets: int) -> Counter[tuple[str, str]]:
    """What kappa says alone, the whole check, and the whole check where the cell may grow by GROWTH."""
    said = Counter[tuple[str, str]]()
    for base, candidate in side_pairs(pair, n, sets):
        compared = compare_sides(base, candidate)
        cells = tuple(cell.model_copy(update={"allowed": GROWTH}) for cell in compared.never_grow)
        found = judge_regression(compared, GATES)
        grown = judge_regression(compared.model_copy(update={"never_grow": cells}), GATES)
        said["kappa", found.conditions[0].verdict] += 1
        said["whole", found.verdict] += 1
        said["grown", grown.verdict] += 1
    return said


def side_pairs(pair: Pair, n: int, sets: int) -> Iterator[tuple[Side, Side]]:
    """Data sets as the sides that `harness regress` takes."""
    random = np.random.default_rng([2026, n])
    for _ in range(sets):
        golden, one, other, clusters = pair.sample(random, n // PER_QUERY, PER_QUERY)
        yield _side("base", golden, one, clusters), _side("candidate", golden, other, clusters)


def _side(name: str, golden: Integers, grades: Integers, clusters: Integers) -> Side:
    rows = zip(golden.tolist(), grades.tolist(), clusters.tolist(), strict=True)
    items = {
        str(at): GradedItem(str(at), f"{cluster:05d}", right, ANSWERS[grade])
        for at, (right, grade, cluster) in enumerate(rows)
    }
    return Side(name, items, SCALE, "p@v1", ACTIONS, GATES)


HEAD = (
    "|kappa of the base|items|kappa alone: pass|fail|inconclusive|whole check: pass|fail"
    f"|growth {GROWTH} allowed: pass|fail"
)
TABLES: dict[str, Callable[[int], list[list[str]]]] = {
    "The process, on a million items"
    "|kappa|query correlation|base|candidate|correlation of errors|graded differently"
    "|design effect of the difference": truth_rows,
    "(a) Equal prompts that a 95 % interval calls different"
    "|query correlation|kappa|queries x items|clustered|linear|quadratic|paired, not clustered": null_rows,
    **{
        f"(b) Verdicts where the candidate's kappa is lower by {loss:g} (margin {GATES.margin:g})"
        + HEAD: partial(regress_rows, loss=loss)
        for loss in LOSSES
    },
}
"""Title and columns, set apart by |, and what makes the rows."""


def rows_of(head: str, sets: int) -> list[list[str]]:
    """The rows of one table."""
    return TABLES[head](sets)


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="False alarms and false passes of comparisons")
    parser.add_argument(
        "--sets", type=int, default=1_000, help="data sets a figure of (b); (a) takes twice as many"
    )
    sets, began = parser.parse_args().sets, time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        jobs = [pool.submit(rows_of, head, sets) for head in TABLES]
        for head, job in zip(TABLES, jobs, strict=True):
            title, *columns = head.split("|")
            lines = [columns, ["---"] * len(columns), *job.result()]
            table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
            print(f"### {title}\n\n{table}\n", flush=True)  # noqa: T201 - a script that prints
    took = f"{time.perf_counter() - began:.0f} s"
    print(f"{CHEAP * sets:,} data sets a figure of (a), {sets:,} of (b); {took}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
