"""Items, raters and scores in a line each, and oracles that know nothing of our formulas."""

import io
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from builders import example
from rich.console import RenderableType
from scipy import stats
from sklearn.metrics import cohen_kappa_score

from harness.nouns.base import Weighting
from harness.nouns.pair import Rating
from harness.nouns.policy import Gates
from harness.report.console import SafeConsole
from harness.score.gate1 import score_gate1
from harness.score.gate2 import score_gate2
from harness.score.items import GradedItem, ItemAnswer, about_of
from harness.score.rating_matrix import rating_matrix_of
from harness.score.settings import Raters, ScoreSettings
from harness.score.threshold import Threshold
from harness.scorecards.gate1 import Gate1
from harness.scorecards.gate2 import Gate2
from harness.verdicts.gates import judge_gate1, judge_gate2

SCALE = (0, 1, 2)
ACTIONS = {0: "hide", 1: "hide", 2: "show"}
Rows = Mapping[str, Mapping[str, int]]
"""Item -> rater -> grade."""


def answer(grade: int | None, **more: Any) -> ItemAnswer:
    """One answer; an unread one where the grade is None."""
    return ItemAnswer(grade, *(("ungraded", "bad_json") if grade is None else ("graded",)), **more)


def item(name: str, golden: int, *grades: int | None, query: str | None = None, **about: Any) -> GradedItem:
    """An item with an answer for each grade; `about` makes it an example with tags, clauses and so on."""
    told = about_of(example(name, grade=golden, **about)) if about else None
    return GradedItem(name, query or name, golden, tuple(answer(grade) for grade in grades), told)


def gate2(
    items: Sequence[GradedItem],
    scale: tuple[int, ...] = SCALE,
    *,
    gates: Gates | None = None,
    rows: Rows | None = None,
    **settings: Any,
) -> Gate2:
    """A grader scored and judged, with raters beside it where there are `rows`."""
    chosen = gates or Gates()
    raters = Raters(rating_matrix_of(ratings(rows), scale)) if rows else None
    bar = Threshold(chosen.weighting, chosen.gate2.bar)
    return judge_gate2(
        score_gate2(items, ScoreSettings(scale, bar, chosen, **settings), raters), chosen, None
    )


def ratings(rows: Rows, queries: Mapping[str, str] | None = None) -> list[Rating]:
    """Rows as ratings."""
    return [
        Rating(item=name, rater=rater, grade=grade, query=(queries or {}).get(name))
        for name, given in rows.items()
        for rater, grade in given.items()
    ]


def gate1(
    rows: Rows,
    scale: tuple[int, ...] = SCALE,
    queries: Mapping[str, str] | None = None,
    names: Mapping[int, str] | None = None,
    **more: Any,
) -> Gate1:
    """Raters scored and judged."""
    return judge_gate1(score_gate1(ratings(rows, queries), scale, Threshold("none", 0.8), **more), names)


def text_of(parts: Iterator[RenderableType], width: int = 80) -> str:
    """What a terminal shows."""
    out = io.StringIO()
    console = SafeConsole(width=width, file=out, highlight=False, emoji=False, markup=False)
    for part in parts:
        console.print(part)
    return out.getvalue()


def leaves(value: Any, at: str = "") -> Iterator[tuple[str, Any]]:
    """Every value in nested data, with the path to it."""
    if isinstance(value, Mapping):
        for key, inside in value.items():
            yield from leaves(inside, f"{at}.{key}")
    elif isinstance(value, list | tuple):
        for number, inside in enumerate(value):
            yield from leaves(inside, f"{at}[{number}]")
    else:
        yield at, value


def differing(one: Any, other: Any) -> list[str]:
    """Where two scorecards differ by more than the rounding of a sum in another order."""
    mine, theirs = dict(leaves(one.model_dump())), dict(leaves(other.model_dump()))
    return [at for at in {**mine, **theirs} if not _same(mine.get(at, "absent"), theirs.get(at, "absent"))]


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, float) and isinstance(other, float):
        return math.isclose(one, other, rel_tol=1e-9, abs_tol=1e-9)
    return bool(one == other)


def _likely(rng: np.random.Generator, golden: int, missing: float) -> int | None:
    """An answer that is right more often than not."""
    if rng.random() < missing:
        return None
    return golden if rng.random() < 0.7 else int(rng.integers(0, 3))


def many(draws: int, missing: float = 0.1, seed: int = 7) -> list[GradedItem]:
    """300 items in 60 queries; some queries are harder than others."""
    rng = np.random.default_rng(seed)
    made = []
    for at in range(300):
        golden = int(rng.integers(0, 3))
        grades = [_likely(rng, golden, missing) for _ in range(draws)]
        made.append(item(f"i{at:03}", golden, *grades, query=f"q{at // 5:02}"))
    return made


# --- oracles -------------------------------------------------------------------------------------------


def sklearn_kappa(
    rows: Sequence[int],
    columns: Sequence[int],
    scale: Sequence[int],
    weighting: Weighting = "none",
    sample_weight: Any = None,
) -> float:
    """Cohen's kappa by scikit-learn, on a scale without gaps."""
    weights = None if weighting == "none" else weighting
    return float(
        cohen_kappa_score(rows, columns, labels=list(scale), weights=weights, sample_weight=sample_weight)
    )


def plain_kappa(
    rows: Sequence[int], columns: Sequence[int], scale: Sequence[int], weighting: Weighting, weights: Any
) -> float:
    """The same by its definition, on a scale 0, 1, 2, ...: a hundred times as fast, for derivatives."""
    table = np.zeros((len(scale), len(scale)))
    np.add.at(table, (np.asarray(rows), np.asarray(columns)), weights)
    apart = np.abs(np.subtract.outer(np.arange(len(scale)), np.arange(len(scale))))
    cost = {"none": apart > 0, "linear": apart, "quadratic": apart**2}[weighting]
    expected = np.outer(table.sum(axis=1), table.sum(axis=0)) / table.sum()
    return float(1 - (cost * table).sum() / (cost * expected).sum())


def numeric_error(kappa: Callable[[Any], float], clusters: Sequence[str], step: float = 1e-4) -> float:
    """The clustered error of a weighted statistic, from its slope in each cluster's weight."""
    names = np.array(clusters)
    slopes = []
    for name in sorted(set(clusters)):
        inside = np.where(names == name, step, 0.0)
        slopes.append((kappa(1 + inside) - kappa(1 - inside)) / (2 * step))
    return math.sqrt(len(slopes) / (len(slopes) - 1) * sum(slope**2 for slope in slopes))


def jackknife_error(kappa: Callable[[Any], float], clusters: Sequence[str]) -> float:
    """The error of a weighted statistic by leaving out one cluster at a time."""
    names = np.array(clusters)
    without = np.array([kappa(np.where(names == name, 0.0, 1.0)) for name in sorted(set(clusters))])
    return math.sqrt((len(without) - 1) / len(without) * float(((without - without.mean()) ** 2).sum()))


def fisher_z(kappa: float, error: float, clusters: int) -> tuple[float, float]:
    """The 95 % interval of a kappa by Fisher's z."""
    half = float(stats.t.ppf(0.975, clusters - 1)) * error / (1 - kappa**2)
    return math.tanh(math.atanh(kappa) - half), math.tanh(math.atanh(kappa) + half)
