"""How far the interval and the gate can be trusted: python benchmarks/coverage.py [--sets 2000]

Data sets are drawn from a process whose kappa is known, and the product's own functions judge them.

The process: a query draws how its golden grades are mixed, from a Dirichlet about equal shares (few of the
five grades dominate each query), and how hard it is, a normal log-odds of an error. Both hold for all items
of the query, and that makes its items alike. An item draws its golden grade from the mix; with the query's
odds the teacher misses, and then mostly by one grade. Mix and difficulty are independent, so the joint
distribution of (golden, teacher) over the whole population has a closed form, with the mean error rate by
Gauss-Hermite quadrature; kappa follows from it, and a sample of a million items confirms it.
"""

import argparse
import math
import time
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass

import numpy as np
from scipy.optimize import brentq
from scipy.special import expit, ndtri, stdtrit

from harness.nouns.base import Interval, Weighting
from harness.stats.agreement import Floats, Integers, distances
from harness.stats.bootstrap import cluster_bootstrap
from harness.stats.intervals import KappaTable, Spread, mean_spread
from harness.stats.planning import items_for_delta, items_to_pass
from harness.stats.three_way import three_way

SCALE = (0, 1, 2, 3, 4)
SHARES = np.full(5, 0.2)
MIX = 2.0
"""The Dirichlet's concentration: small makes the queries differ more in their golden grades."""
SPREAD = 1.5
"""The standard deviation of a query's log-odds of an error: large makes their difficulty differ more."""
WEIGHTINGS: tuple[Weighting, ...] = ("none", "linear", "quadratic")
DRAWS, BAR, PER_QUERY = 1_000, 0.8, 5
PLANNED, LOOKS = 300, (20, 50, 100)
"""The planned pairs of a round, and after how many pairs somebody looks."""
CHEAP = 5
"""Times as many data sets where no bootstrap is drawn."""
DESIGNS = [(20, 5, 0.7), (50, 5, 0.7), (50, 10, 0.7), (100, 1, 0.7), (20, 5, 0.85), (50, 5, 0.85)]
NORMAL = float(ndtri(0.975))

_CLOSE = 4.0 ** -np.abs(np.subtract.outer(SCALE, SCALE)) * (1 - np.eye(5))
MISSES = _CLOSE / _CLOSE.sum(axis=1, keepdims=True)
"""Where a miss lands, by golden grade: each grade further away is four times less likely."""


@dataclass(frozen=True, slots=True)
class Process:
    """`log_odds`: of an error in a query of middling difficulty."""

    log_odds: float

    def joint(self) -> Floats:
        """The population's shares of (golden, teacher), 5 x 5."""
        at, weights = np.polynomial.hermite_e.hermegauss(99)
        error = float(weights @ expit(self.log_odds + SPREAD * at) / weights.sum())
        return np.asarray(SHARES[:, None] * ((1 - error) * np.eye(5) + error * MISSES), dtype=np.float64)

    def kappa(self, weighting: Weighting = "none") -> float:
        """The population's kappa."""
        p, d = self.joint(), distances(SCALE, weighting)
        return 1 - float((d * p).sum() / (p.sum(axis=1) @ d @ p.sum(axis=0)))

    def sample(
        self, random: np.random.Generator, queries: int, items: int, weighting: Weighting
    ) -> KappaTable:
        """One data set of `items` a query."""
        mixes = random.dirichlet(MIX * SHARES, queries)
        hard = expit(self.log_odds + SPREAD * random.standard_normal(queries))
        golden = _pick(np.repeat(mixes, items, axis=0), random)
        missed = random.random(queries * items) < np.repeat(hard, items)
        teacher = np.where(missed, _pick(MISSES[golden], random), golden)
        return KappaTable(golden, teacher, np.repeat(np.arange(queries), items), SCALE, weighting)


def _pick(shares: Floats, random: np.random.Generator) -> Integers:
    """One position for each row of shares."""
    steps = shares.cumsum(axis=1)[:, :-1]
    return np.asarray((random.random(len(shares))[:, None] >= steps).sum(axis=1), dtype=np.int64)


def process_at(kappa: float) -> Process:
    """The process whose unweighted kappa is this."""
    return Process(float(brentq(lambda log_odds: Process(log_odds).kappa() - kappa, -20, 5, xtol=1e-12)))


def data_sets(
    process: Process, queries: int, items: int, sets: int, weighting: Weighting = "none"
) -> Iterator[tuple[KappaTable, Spread]]:
    """The data sets of one design with the product's interval; the same ones under every weighting."""
    random = np.random.default_rng([2026, queries, items])
    for _ in range(sets):
        table = process.sample(random, queries, items, weighting)
        yield table, kappa_spread(table)


def kappa_spread(table: KappaTable) -> Spread:
    """The product's interval of one kappa."""
    n = len(table.rows)
    return mean_spread([table], [np.arange(n)], n, table.clusters)


def side(ci: Interval | None, truth: float) -> str:
    """Where an interval lies beside the truth."""
    if ci is None:
        return "none"
    return "above" if ci.low > truth else "below" if ci.high < truth else "holds"


def naive(table: KappaTable, spread: Spread) -> Interval | None:
    """Fleiss, Cohen and Everitt's interval for independent items: kappa +- 1.96 SE."""
    kappa = table.kappa.value
    if kappa is None or spread.se_iid is None:
        return None
    return Interval(kappa - NORMAL * spread.se_iid, kappa + NORMAL * spread.se_iid)


def truth_rows(_: int) -> list[list[str]]:
    """The closed form of kappa beside a million items, and how much the clustering costs."""
    rows = []
    for kappa in (0.7, 0.8, 0.9):
        for weighting in WEIGHTINGS:
            process = process_at(kappa)
            table = process.sample(np.random.default_rng(2026), 200_000, PER_QUERY, weighting)
            found, spread = table.kappa.value or math.nan, kappa_spread(table)
            cells = [process.kappa(weighting), found, spread.se or math.nan]
            rows.append([weighting, *(f"{x:.4f}" for x in cells), f"{spread.design_effect:.2f}"])
    return rows


def coverage_rows(sets: int) -> list[list[str]]:
    """(a) How often each interval holds the true kappa."""
    return [
        coverage_row(queries, items, kappa, weighting, sets)
        for queries, items, kappa in DESIGNS
        for weighting in WEIGHTINGS
    ]


def coverage_row(queries: int, items: int, kappa: float, weighting: Weighting, sets: int) -> list[str]:
    """One design under one weighting."""
    process = process_at(kappa)
    truth = process.kappa(weighting)
    by_naive, by_bootstrap, by_product = Counter[str](), Counter[str](), Counter[str]()
    for at, (table, spread) in enumerate(data_sets(process, queries, items, sets, weighting)):
        drawn = cluster_bootstrap(table, draws=DRAWS, seed=at)
        by_naive[side(naive(table, spread), truth)] += 1
        by_bootstrap[side(drawn.ci, truth)] += 1
        by_product[side(spread.ci, truth)] += 1
    holds = [one["holds"] / sets for one in (by_naive, by_bootstrap, by_product)]
    misses = [by_product[name] / sets for name in ("above", "below")]
    cells = [f"{share:.3f}" for share in (*holds, *misses)]
    return [f"{queries} x {items}", weighting, f"{truth:.3f}", *cells, str(by_product["none"])]


def gate_rows(sets: int) -> list[list[str]]:
    """(b) What the gate says at a known kappa."""
    rows, sets = [], CHEAP * sets
    for n in (100, 200, 500):
        for kappa in (0.75, 0.8, 0.85, 0.9):
            said, fooled = gate_counts(process_at(kappa), n, sets)
            shares = [said[verdict] / sets for verdict in ("pass", "fail", "inconclusive")]
            rows.append([str(n), f"{kappa:.2f}", *(f"{x:.1%}" for x in (*shares, fooled / sets))])
    return rows


def gate_counts(process: Process, n: int, sets: int) -> tuple[Counter[str], int]:
    """The gate's verdicts over n items, and how often the naive interval would pass."""
    said, fooled = Counter[str](), 0
    for table, spread in data_sets(process, n // PER_QUERY, PER_QUERY, sets):
        said[three_way(spread.ci, BAR) if spread.ci else "inconclusive"] += 1
        known = naive(table, spread)
        fooled += known is not None and known.low >= BAR
    return said, fooled


def guard_rows(sets: int) -> list[list[str]]:
    """(c) How often a small set's lower limit is above the truth, with the boundary guard and without."""
    process, rows, sets = process_at(0.91), [], CHEAP * sets
    for items in (1, PER_QUERY):
        for n in (10, 20, 30):
            count = Counter[str]()
            for table, spread in data_sets(process, n // items, items, sets):
                count["with"] += spread.ci is not None and spread.ci.low > 0.91
                count["without"] += unguarded_low(table, spread) > 0.91
                count["perfect"] += table.kappa.value == 1
                count["guarded"] += spread.guarded
            shares = [count[name] / sets for name in ("perfect", "guarded", "without", "with")]
            rows.append([str(n), f"{n // items} x {items}", *(f"{x:.1%}" for x in shares)])
    return rows


def unguarded_low(table: KappaTable, spread: Spread) -> float:
    """The Fisher-z limit alone; at kappa 1 its error is 0, and the limit 1."""
    kappa = table.kappa.value
    if kappa == 1:
        return 1.0
    if kappa is None or spread.se is None:
        return -1.0
    half = float(stdtrit(spread.clusters - 1, 0.975)) * spread.se / (1 - kappa**2)
    return math.tanh(math.atanh(kappa) - half)


def power_rows(sets: int) -> list[list[str]]:
    """(d) Does the number of items that the plan asks for pass as often as it says?"""
    rows, sets = [], CHEAP * sets
    for kappa in (0.85, 0.875, 0.9, 0.95):
        process = process_at(kappa)
        spread = kappa_spread(process.sample(np.random.default_rng(2026), 200_000, PER_QUERY, "none"))
        variance = 200_000 * PER_QUERY * (spread.se_iid or math.nan) ** 2
        effect = spread.design_effect or math.nan
        plain = items_for_delta(variance, kappa - BAR, 0.8, effect) or 0
        planned = items_to_pass(variance, kappa, BAR, 0.8, effect) or 0
        cells = []
        for asked in (plain, planned):
            said, _ = gate_counts(process, math.ceil(asked / PER_QUERY) * PER_QUERY, sets)
            cells += [str(asked), f"{said['pass'] / sets:.1%}"]
        rows.append([f"{kappa:g}", f"{spread.design_effect:.2f}", *cells])
    return rows


def looking_rows(sets: int) -> list[list[str]]:
    """(e) How often Gate 1 passes if somebody looks every few pairs and stops at the first pass.

    Two raters, whose kappa is the process's. The rule: no verdict before the planned number.
    """
    rows = []
    for kappa in (0.78, 0.79, 0.8):
        process = process_at(kappa)
        for step in LOOKS:
            first, planned = looking_counts(process, PLANNED, step, sets)
            rows.append([f"{kappa:g}", str(step), f"{first / sets:.1%}", f"{planned / sets:.1%}"])
    return rows


def looking_counts(process: Process, n: int, step: int, sets: int) -> tuple[int, int]:
    """How many of the data sets of n pairs pass at one look or another, and how many at the last one."""
    first = planned = 0
    for table, spread in data_sets(process, n // PER_QUERY, PER_QUERY, sets):
        at_last = passes(spread)
        planned += at_last
        first += at_last or any(passes(so_far(table, seen)) for seen in range(step, n, step))
    return first, planned


def so_far(table: KappaTable, n: int) -> Spread:
    """The product's interval after the first n pairs."""
    return kappa_spread(KappaTable(table.rows[:n], table.columns[:n], table.clusters[:n], SCALE, "none"))


def passes(spread: Spread) -> bool:
    """Whether the gate passes."""
    return spread.ci is not None and three_way(spread.ci, BAR) == "pass"


TABLES: dict[str, Callable[[int], list[list[str]]]] = {
    "True kappa: closed form, and a million items"
    "|weighting|true|sampled|SE of sampled|design effect at 5 a query": truth_rows,
    "(a) Share of 95 % intervals that hold the true kappa"
    "|queries x items|weighting|true kappa|naive Wald|cluster bootstrap|product"
    "|product above|product below|no interval": coverage_rows,
    f"(b) Verdicts at bar {BAR}, unweighted, {PER_QUERY} a query"
    "|items|true kappa|pass|fail|inconclusive|naive Wald passes": gate_rows,
    "(c) Lower limit above the true kappa .91 in small sets"
    "|items|queries x items|kappa is 1|guard decides|false-high, no guard|false-high, guard": guard_rows,
    f"(d) Share that passes bar {BAR} at a plan of 80 % power"
    "|true kappa|design effect|on kappa's own scale|passes|items_to_pass|passes": power_rows,
    f"(e) Gate 1 of two raters at bar {BAR}, {PLANNED} pairs planned: passes"
    "|true kappa|a look every|at the first look that passes|at the planned number": looking_rows,
}
"""Title and columns, set apart by |, and what makes the rows."""


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description="Coverage of the interval, and the gate's false passes")
    parser.add_argument(
        "--sets", type=int, default=2_000, help="data sets a row of (a); (b) to (d) take 5 x, (e) 1 x"
    )
    sets, began = parser.parse_args().sets, time.perf_counter()
    with ProcessPoolExecutor(2) as pool:
        jobs = [pool.submit(rows, sets) for rows in TABLES.values()]
        for head, job in zip(TABLES, jobs, strict=True):
            title, *columns = head.split("|")
            lines = [columns, ["---"] * len(columns), *job.result()]
            table = "\n".join(f"| {' | '.join(line)} |" for line in lines)
            print(f"### {title}\n\n{table}\n", flush=True)  # noqa: T201 - a script that prints
    took = f"{time.perf_counter() - began:.0f} s"
    print(f"{sets:,} data sets a row of (a), {CHEAP * sets:,} of (b) to (d); {took}")  # noqa: T201 - as above


if __name__ == "__main__":
    main()
