"""Ids that two files share by chance: what they say of an item tells whether it is one item."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd  # type: ignore[import-untyped]  # ships no types
import pytest
from builders import Ended, examples, harness, write_project
from comparing import run_of

from harness import gate2
from harness.errors import BadInput
from harness.golden.by_chance import Told, other_items

DEV = [one for one in examples() if one["split"] == "dev"]
CHANCE = "have the id of something else"


def grades_file(here: Path, name: str, other: int, *, by: str = "query", rater: bool = False) -> str:
    """Each dev example's golden grade, `other` under another query or title, the rest spelt loosely."""
    rows = [f"item,{by},grade" + ",rater" * rater]
    for at, one in enumerate(DEV):
        text = one["query"] if by == "query" else one["result"]["title"]
        said = f"no such thing {at}" if at < other else f" {text.upper()}!"
        rows += [f"{one['id']},{said},{one['grade']}{who}" for who in ((",ann", ",bob") if rater else ("",))]
    (here / name).write_text("\n".join(rows) + "\n", encoding="utf-8")
    return name


def gate2_of_files(here: Path, other: int, by: str) -> Ended:
    golden, grades = grades_file(here, "golden.csv", 0, by=by), grades_file(here, "g.csv", other, by=by)
    return harness("gate2", "--golden", golden, "--grades", grades, "--scale", "0-2")


def compare_of_files(here: Path, other: int, by: str) -> Ended:
    golden, base = grades_file(here, "golden.csv", 0, by=by), grades_file(here, "a.csv", 0, by=by)
    other_side = grades_file(here, "b.csv", other, by=by)
    return harness("compare", base, other_side, "--golden", golden, "--scale", "0-2")


def compare_of_a_run(here: Path, other: int, by: str) -> Ended:
    run = run_of(here, lambda at, golden: golden)
    return harness("compare", run, grades_file(here, "g.csv", other, by=by))


def ratings_of_files(here: Path, other: int, by: str) -> Ended:
    golden = grades_file(here, "golden.csv", 0)
    rated = grades_file(here, "r.csv", other, rater=True)
    return harness("gate2", "--golden", golden, "--grades", golden, "--scale", "0-2", "--ratings", rated)


def ratings_of_a_run(here: Path, other: int, by: str) -> Ended:
    run = run_of(here, lambda at, golden: golden)
    return harness("gate2", run, "--ratings", grades_file(here, "r.csv", other, rater=True))


def gate1_under_a_policy(here: Path, other: int, by: str) -> Ended:
    return harness("gate1", grades_file(here, "r.csv", other, rater=True), "--policy", "small")


def ratings_import(here: Path, other: int, by: str) -> Ended:
    rated = grades_file(here, "r.csv", other, by=by, rater=True)
    return harness("ratings", "import", rated, "--policy", "small", "--kind", "human")


def replay(here: Path, other: int, by: str) -> Ended:
    model = f"replay/{grades_file(here, 'g.csv', other, by=by)}"
    return harness("eval", "--policy", "small", "--model", model)


JOINS = (
    gate2_of_files, compare_of_files, compare_of_a_run, ratings_of_files, ratings_of_a_run,
    gate1_under_a_policy, ratings_import, replay,
)  # fmt: skip
BY_TITLE = (gate2_of_files, compare_of_files, compare_of_a_run, ratings_import, replay)


@pytest.mark.parametrize(
    ("join", "by"),
    [*((join, "query") for join in JOINS), *((join, "title") for join in BY_TITLE)],
    ids=lambda one: one if isinstance(one, str) else one.__name__,
)
def test_items_of_other_queries_are_named_or_refused(
    here: Path, join: Callable[[Path, int, str], Ended], by: str
) -> None:
    write_project(here)
    spelt = join(here, 0, by)
    assert spelt.code != 2 and CHANCE not in " ".join((spelt.out + spelt.err).split())
    few = join(here, 2, by)
    said = " ".join((few.out + few.err).split())
    assert few.code != 2 and f"2 of {len(DEV)} items of" in said and CHANCE in said
    assert f"the first: {DEV[0]['id']!r} is 'no such thing 0'" in said
    most = join(here, len(DEV) // 2 + 1, by)
    assert most.code == 2 and "the ids meet by chance" in " ".join(most.err.split())


def test_ratings_in_a_notebook_are_held_against_the_queries() -> None:
    names = [f"i{at}" for at in range(20)]
    golden = pd.Series([at % 3 for at in range(20)], index=names)
    queries = pd.Series([f"red shoe {at}" for at in range(20)], index=names)
    long: Any = pd.DataFrame(
        {
            "item": names * 2,
            "rater": ["ann"] * 20 + ["bob"] * 20,
            "grade": [*golden] * 2,
            "query": [*queries] * 2,
        }
    )
    assert not any(
        CHANCE in one for one in gate2(golden, golden, scale="0-2", queries=queries, ratings=long).warnings
    )
    with pytest.raises(BadInput, match="20 of 20 items of ratings have the id of something else"):
        gate2(golden, golden, scale="0-2", queries=queries, ratings=long.assign(query="blue lamp"))


def test_titles_count_where_a_query_is_missing() -> None:
    same = [("a", Told("q", "one"), Told("Q!", "another")), ("b", Told(None, "t"), Told("q", "t"))]
    assert other_items(same, "x", "y") == ()
    assert other_items([("a", Told(None), Told("q", "t"))], "x", "y") == ()
    (said,) = other_items([*same, ("c", Told(None, "t"), Told("q", "u"))], "x", "y")
    assert said == "1 of 3 items of x have the id of something else (the first: 'c' is 't' in x, 'u' in y)"
