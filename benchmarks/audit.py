"""How often a bias audit finds a bias: one that was planted, and none. The tables of docs/audit.md.

Each set has queries with results; titles of better grades are longer, so that length and golden grade go
together. The teacher is off by a query's own error and by noise, rounded to the scale, and adds the planted
bias for each standard deviation of the title's length.

The second table is of rewritten pairs. Every answer has its own noise; that to a paraphrase, which a third
of the pairs have, is lower by the planted shift.
"""

import argparse
import math
from collections.abc import Callable
from pathlib import Path

import numpy as np

from harness.audit.effects import effects
from harness.audit.features import Subject
from harness.audit.moves import moves
from harness.audit.rewriting import pair_id, ways_with
from harness.nouns.pair import Example, Result
from harness.nouns.policy import Policy
from harness.policy.load import load_policy

FALSE_AT_MOST = 0.05
SCALE = (0, 1, 2, 3, 4)
POLICY = Path(__file__).resolve().parent.parent / "policies/product-search/v1.toml"
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


def products(rng: np.random.Generator, queries: int, each: int) -> list[Example]:
    """A golden set of products that every rewrite can change."""
    result = {
        "title": "Walnut desk, 30 cm",
        "brand": "Alder",
        "category": "Home",
        "price": "46.50",
        "description": "Solid and heavy. Made to last!",
        "attributes": {"width": "30 cm", "colour": "brown"},
    }
    known = {"policy_version": "v1", "split": "dev", "result": result}
    return [
        Example.model_validate(
            {**known, "id": f"{q}-{at}", "query": f"desk {q}", "grade": int(rng.integers(len(SCALE)))}
        )
        for q in range(queries)
        for at in range(int(rng.integers(1, 2 * each)))
    ]


def moved_in(rng: np.random.Generator, examples: list[Example], planted: float, policy: Policy) -> set[str]:
    """The rewrites whose shift is not chance, by Holm's p; a third of the examples have a paraphrase."""
    worded = {
        one.id: one.result.model_copy(update={"title": "Desk of walnut"})
        for one in examples
        if rng.random() < 1 / 3
    }
    ways = ways_with(worded, "a file")
    own = {one.query: rng.normal(0, 0.3) for one in examples}
    grades: dict[str, int] = {}
    for one in examples:
        for kind in ("plain", *ways):
            if kind != "paraphrase" or one.id in worded:
                shift = planted if kind == "paraphrase" else 0.0
                graded = round(one.grade + own[one.query] - shift + rng.normal(0, 0.5))
                grades[pair_id(one.id, kind)] = min(max(graded, SCALE[0]), SCALE[-1])
    found, _ = moves(examples, frozenset(grades), grades, policy, ways)
    return {one.kind for one in found if one.p_holm is not None and one.p_holm < FALSE_AT_MOST}


def moved_counts(
    queries: int, each: int, planted: float, sets: int, policy: Policy | None = None
) -> tuple[int, int]:
    """In how many sets the paraphrase was found, and in how many any other rewrite was."""
    rng = np.random.default_rng([1, queries, each, round(1000 * planted)])
    actions = policy or load_policy(POLICY)
    sought = false = 0
    for _ in range(sets):
        found = moved_in(rng, products(rng, queries, each), planted, actions)
        sought += "paraphrase" in found
        false += bool(found - {"paraphrase"})
    return sought, false


def table(head: str, count: Callable[[int, int, float, int], tuple[int, int]], sets: int) -> list[str]:
    """A table with a row for each size and each planted bias."""
    lines = [head, "|---|---|---|---|---|"]
    for queries, each in ((20, 5), (50, 5), (100, 5)):
        for bias in (0.0, 0.1, 0.2, 0.4):
            sought, false = count(queries, each, bias, sets)
            lines.append(f"| {queries} | {each} | {bias} | {sought / sets:.1%} | {false / sets:.1%} |")
    return lines


def main() -> None:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--sets", type=int, default=200, help="simulated golden sets of each row")
    sets = parser.parse_args().sets
    first = "| queries | results each | planted bias | title length found | another feature found |"
    second = "| queries | results each | planted shift | paraphrase found | another rewrite found |"
    lines = [*table(first, counts, sets), "", *table(second, moved_counts, sets)]
    print("\n".join(lines))  # noqa: T201 - a script that prints


if __name__ == "__main__":
    main()
