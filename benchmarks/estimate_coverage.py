"""How far `harness estimate` can be trusted: python benchmarks/estimate_coverage.py [--sets 5000]

Data sets are drawn from a process whose share is known, and the product's own functions judge them.

The process: a query has a size (the same for all, or very unequal) and a share of good rows, drawn from a
beta distribution whose mean falls with the size: large queries are worse. The teacher sees a good row as
good with the query's own sensitivity, and a bad one as bad with its own specificity, so that its errors
cluster too; both teachers overrate. Labelled queries are a random sample. The true share over items is E[n
p(n)] / E[n].

--thresholds tells how often the truth is held with other thresholds of the few-events rule, FEW_EVENTS and
SKEWED in harness/stats/few_events.py; --tuning with other values of LAMBDA_VARIES in
harness/stats/prediction_powered.py.
"""

import argparse
import math
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import product

import numpy as np

from harness.nouns.base import Interval
from harness.stats.agreement import Floats
from harness.stats.cluster_sums import ClusterSums
from harness.stats.few_events import exact_interval, few_events
from harness.stats.intervals import t_test
from harness.stats.prediction_powered import error, moments, powered_mean, with_tuning

SIZES = {
    "balanced": (np.array([5]), np.array([1.0])),
    # As in a query log: many queries with few rows, few with many. Kish's effective number of queries is 0.37
    # of their number; one row in four is of one query in twenty.
    "skewed": (
        np.array([2, 3, 4, 6, 10, 19, 35, 61]),
        np.array([0.27, 0.16, 0.12, 0.20, 0.10, 0.10, 0.03, 0.02]),
    ),
}
TEACHERS = {"good": (0.95, 0.92), "weak": (0.75, 0.65)}
"""Sensitivity and specificity, means over the queries."""
SHARES, LABELLED = (0.5, 0.05, 0.02), (40, 100, 200)
OTHERS = 2_000
"""Queries without a human grade."""
FALLS, ALIKE, ERRORS_ALIKE = 0.15, 0.3, 0.2
"""The power by which the share falls with the size; how alike a query's rows, and the errors on them, are."""
BATCH = 250


@dataclass(frozen=True, slots=True)
class Design:
    """One cell of the table."""

    sizes: str
    teacher: str
    share: float
    labelled: int


Job = tuple[int, Design, int]
"""A seed, a design, and how many sets of it."""


def drawn(design: Design, sets: int, seed: int) -> Iterator[ClusterSums]:
    """Data sets of a design: a batch of them at a time, since a query's sums are all that is needed."""
    random = np.random.default_rng([2026, seed])
    for start in range(0, sets, BATCH):
        shape = (min(BATCH, sets - start), design.labelled + OTHERS)
        n, good, seen = _sums(design, shape, random)
        rows = n[:, : design.labelled].sum(axis=1)
        labelled = np.arange(shape[1]) < design.labelled
        for at in range(shape[0]):
            mine = n[at] * labelled
            yield ClusterSums(
                human=good[at] * labelled,
                teacher=seen[at] * labelled,
                labelled=mine,
                unseen=seen[at] * ~labelled,
                unlabelled=n[at] - mine,
                rows=float(rows[at]),
                sizes=mine,
            )


def _sums(design: Design, shape: tuple[int, int], random: np.random.Generator) -> tuple[Floats, ...]:
    """Each query's rows, good rows, and rows that the teacher takes for good."""
    sizes, weights = SIZES[design.sizes]
    which = random.choice(len(sizes), size=shape, p=weights)
    mean = means(design)[which]
    n = sizes[which]
    good = random.binomial(n, _beta(mean, ALIKE, random))
    right, wrong = TEACHERS[design.teacher]
    hits = random.binomial(good, _beta(np.full(shape, right), ERRORS_ALIKE, random))
    false = random.binomial(n - good, _beta(np.full(shape, 1 - wrong), ERRORS_ALIKE, random))
    return n.astype(float), good.astype(float), (hits + false).astype(float)


def _beta(mean: Floats, alike: float, random: np.random.Generator) -> Floats:
    total = (1 - alike) / alike
    return np.asarray(random.beta(mean * total, (1 - mean) * total))


def means(design: Design) -> Floats:
    """The mean share of each size, so that the mean over items is the design's share."""
    sizes, weights = SIZES[design.sizes]
    falling = sizes**-FALLS
    rows = weights * sizes
    return np.asarray(design.share * falling / (falling @ rows / rows.sum()))


def row_of(design: Design, sets: int, seed: int) -> list[str]:
    """Coverage and width of one design."""
    held = few = none = 0
    ours, theirs, wider, lams, clustered = 0.0, 0.0, 0.0, 0.0, 0
    for sums in drawn(design, sets, seed):
        found = powered_mean(sums)
        few += found.few
        if found.ci is None or found.human.ci is None:
            none += 1
            continue
        held += _holds(found.ci, design.share)
        clustered += _holds(found.human.ci, design.share)
        widths = found.ci.high - found.ci.low, found.human.ci.high - found.human.ci.low
        ours, theirs, lams = ours + widths[0], theirs + widths[1], lams + found.lam
        wider = max(wider, widths[0] / widths[1])
    n = sets - none
    return [
        design.sizes, design.teacher, f"{design.share:g}", str(design.labelled),
        f"{held / n:.3f}", f"{clustered / n:.3f}", f"{ours / theirs:.2f}", f"{wider:.3f}", f"{lams / n:.2f}",
        f"{few / sets:.2f}", str(none),
    ]  # fmt: skip


def _holds(ci: Interval | None, truth: float) -> bool:
    return ci is not None and ci.low <= truth <= ci.high


def rules_of(design: Design, sets: int, seed: int) -> list[float]:
    """The coverage of the rule with each of the thresholds."""
    held = [0] * len(RULES)
    for sums in drawn(design, sets, seed):
        lam, apart = moments(sums).best, error(sums, 0.0)
        value, only = sums.at(lam), sums.human_only or 0.0
        assert value is not None
        se = error(sums, lam)
        by_t = se > 0 and _holds(t_test(value, se, design.labelled).ci, design.share)
        exact = _holds(exact_interval(sums, only, apart), design.share)
        for at, (least, skewed) in enumerate(RULES):
            held[at] += exact if few_events(sums, apart, least, skewed) else by_t
    return [count / sets for count in held]


def tuning_of(design: Design, sets: int, seed: int) -> list[float]:
    """The coverage of the t interval with each value of LAMBDA_VARIES."""
    held = [0] * len(VARIES)
    for sums in drawn(design, sets, seed):
        lam = moments(sums).best
        value, human = sums.at(lam), error(sums, 0.0)
        assert value is not None
        fixed, tuned = error(sums, lam), error(sums, lam, sums.best_without_each(sums.has_labels))
        for at, varies in enumerate(VARIES):
            se = with_tuning(fixed, tuned, human, varies)
            held[at] += _holds(t_test(value, se, design.labelled).ci, design.share)
    return [count / sets for count in held]


def _rows(job: Job) -> list[str]:
    seed, design, sets = job
    return row_of(design, sets, seed)


def _rules(job: Job) -> list[float]:
    seed, design, sets = job
    return rules_of(design, sets, seed)


def _tuning(job: Job) -> list[float]:
    seed, design, sets = job
    return tuning_of(design, sets, seed)


HEAD = (
    "| sizes | teacher | share | labelled queries | coverage | humans only | width | widest | lambda | few |"
    " none |\n"
    "|---|---|---|---|---|---|---|---|---|---|---|"
)
DESIGNS = [Design(*one) for one in product(SIZES, TEACHERS, SHARES, LABELLED)]


RULES = ((1, 0.0), (5, 0.0), (10, 0.0), (20, 0.0), (10, 15.0), (10, 20.0), (10, 25.0), (10, 30.0))
"""Fewer labelled queries with an event, and the factor of Cochran's rule."""
VARIES = (math.inf, 1.2, 1.1, 1.05, 1.0)
"""Values of LAMBDA_VARIES: with the first, lambda is held fixed."""


def thresholds(sets: int, workers: int) -> None:
    """Coverage of rules with other thresholds, by design: which of them keeps every design in bounds."""
    heads = [f"under {least}" + (f", {skewed:g}" if skewed else "") for least, skewed in RULES]
    compared(heads, _rules, [(at, design, sets) for at, design in enumerate(DESIGNS)], workers)


def tuning(sets: int, workers: int) -> None:
    """Coverage by the error of lambda, by design with a share of a half: the others have few events."""
    jobs = [(at, design, sets) for at, design in enumerate(DESIGNS) if design.share == 0.5]
    compared([f"{varies:g}" for varies in VARIES], _tuning, jobs, workers)


def compared(heads: Sequence[str], rule: Callable[[Job], list[float]], jobs: list[Job], workers: int) -> None:
    """Print a line of coverages for each design."""
    say(f"| sizes | teacher | share | labelled | {' | '.join(heads)} |")
    say("|---" * (4 + len(heads)) + "|")
    with ProcessPoolExecutor(workers) as pool:
        for (_, design, _), found in zip(jobs, pool.map(rule, jobs), strict=True):
            name = f"{design.sizes} | {design.teacher} | {design.share:g} | {design.labelled}"
            say(f"| {name} | " + " | ".join(f"{one:.3f}" for one in found) + " |")


def say(line: str) -> None:
    print(line, flush=True)  # noqa: T201 - a script that prints


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sets", type=int, default=5_000, help="data sets per design")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument(
        "--thresholds", action="store_true", help="try other thresholds of the few-events rule"
    )
    parser.add_argument("--tuning", action="store_true", help="try other values of LAMBDA_VARIES")
    given = parser.parse_args()
    if given.thresholds or given.tuning:
        (thresholds if given.thresholds else tuning)(given.sets, given.workers)
        return
    began = time.perf_counter()
    say(HEAD)
    with ProcessPoolExecutor(given.workers) as pool:
        for cells in pool.map(_rows, [(at, one, given.sets) for at, one in enumerate(DESIGNS)]):
            say(f"| {' | '.join(cells)} |")
    say(f"\n{given.sets:,} sets a design; {time.perf_counter() - began:.0f} s")


if __name__ == "__main__":
    main()
