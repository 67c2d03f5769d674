"""How often a bias audit finds a bias: one that was planted, and none. The table of docs/audit.md.

Each set has queries with results; titles of better grades are longer, so that length and golden grade go
together. The teacher is off by a query's own error and by noise, rounded to the scale, and adds the planted
bias for each standard deviation of the title's length.
"""

import argparse
import math

import numpy as np

from harness.audit.effects import effects
from harness.audit.features import Subject
from harness.nouns.pair import Result

FALSE_AT_MOST = 0.05
SCALE = (0, 1, 2, 3, 4)
BRANDS = (None, "Alder", "Birch", "Cedar", "Dogwood")


def subjects(rng: np.random.Generator, queries: int, each: int, bias: float) -> list[Subject]:
    """A golden set with the errors of a simulated teacher."""
    found: list[Subject] = []
    for query in range(queries):
        own = rng.normal(0, 0.3)
        for _ in range(int(rng.integers(1, 2 * each))):
            golden = int(rng.integers(len(SCALE)))
            length = 3 + golden + int(rng.poisson(4))
            known = int(rng.integers(0, 3))
            title = [f"q{query}w{at}" for at in range(known)] + [f"x{at}" for at in range(length - known)]
            spread = (math.log(length) - 2.2) / 0.3
            graded = round(golden + own + bias * spread + rng.normal(0, 0.5))
            found.append(
                Subject(
                    item=f"{query}-{len(found)}",
                    cluster=f"query {query}",
                    query=f"q{query}w0 q{query}w1 q{query}w2",
                    title=" ".join(title),
                    golden=golden,
                    error=float(min(max(graded, SCALE[0]), SCALE[-1]) - golden),
                    result=Result(
                        title="t", price=f"{rng.lognormal(3, 1):.2f}", brand=BRANDS[int(rng.integers(5))]
                    ),
                    position=len(found),
                    language=("en", "de")[query % 2],
                )
            )
    return found


def found_in(set_: list[Subject]) -> set[str]:
    """The features whose effect is not chance, by Holm's p."""
    return {one.feature for one in effects(set_) if one.p_holm is not None and one.p_holm < FALSE_AT_MOST}


def counts(queries: int, each: int, bias: float, sets: int) -> tuple[int, int]:
    """In how many sets title length was found, and in how many any other feature was."""
    rng = np.random.default_rng([queries, each, round(1000 * bias)])
    sought = false = 0
    for _ in range(sets):
        found = found_in(subjects(rng, queries, each, bias))
        sought += "title length" in found
        false += bool(found - {"title length"})
    return sought, false


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200, help="simulated golden sets of each row")
    sets = parser.parse_args().sets
    lines = [
        "| queries | results each | planted bias | title length found | another feature found |",
        "|---|---|---|---|---|",
    ]
    for queries, each in ((20, 5), (50, 5), (100, 5)):
        for bias in (0.0, 0.1, 0.2, 0.4):
            sought, false = counts(queries, each, bias, sets)
            lines.append(f"| {queries} | {each} | {bias} | {sought / sets:.1%} | {false / sets:.1%} |")
    print("\n".join(lines))  # noqa: T201 - a script that prints


if __name__ == "__main__":
    main()
