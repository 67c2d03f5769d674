"""How the words of a query and a product meet, and how steps of a scale become probabilities."""

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.nouns.pair import Pair

Floats = NDArray[np.float64]
LEAST = 1e-6
"""The least probability of a grade."""


def shares_of(above: Floats) -> Floats:
    """P(grade) for each grade of a scale, from its steps' P(grade >= k), made non-increasing.

    One row a pair, one column a step (Frank & Hall 2001). Where steps cross, a grade between them gets the
    least probability: it was not ruled out.
    """
    steps = np.minimum.accumulate(above, axis=1)
    share = np.maximum(-np.diff(steps, axis=1, prepend=1.0, append=0.0), LEAST)
    return np.asarray(share / share.sum(axis=1, keepdims=True), dtype=np.float64)


def overlaps(pair: Pair) -> tuple[float, float, float, float]:
    """Shares: query words in the title, in the listing; the last one in the title; title words outside."""
    query, title = stems(pair.query), stems(pair.result.title)
    # Sets: a title may be a whole page, and each of its words would be sought among all of them.
    in_query, titled = {*query}, {*title}
    listing = titled.union(stems(description(pair)))
    in_title = [word in titled for word in query]
    return (
        _share(in_title),
        _share([word in listing for word in query]),
        float(bool(in_title) and in_title[-1]),
        _share([word not in in_query for word in title]),
    )


def met(pair: Pair) -> tuple[list[str], list[str]]:
    """The query's words that are in the listing, and those that are not."""
    listing = {*stems(pair.result.title), *stems(description(pair))}
    words = list(dict.fromkeys(stems(pair.query)))
    return [word for word in words if word in listing], [word for word in words if word not in listing]


def stems(text: str) -> list[str]:
    """Words without case and without a plural s."""
    words = re.findall(r"\w+", text.casefold())
    return [word[:-1] if len(word) > 3 and word.endswith("s") else word for word in words]


def description(pair: Pair) -> str:
    """All that a shopper sees beside the title and the price."""
    result = pair.result
    parts = [result.brand, result.category, result.description, *result.attributes.values()]
    return " ".join(part for part in parts if part)


def cosines(left: Any, right: Any) -> Floats:
    """Cosine of each row of a sparse matrix with the row beside it; the rows have length 1, or 0."""
    return np.asarray(left.multiply(right).sum(axis=1), dtype=np.float64).reshape(-1)


def _share(found: Sequence[bool]) -> float:
    return sum(found) / len(found) if found else 0.0
