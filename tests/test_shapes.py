"""Arrays and frames of any shape and library: the right rows, or BadInput in words, and nothing else."""

from collections import OrderedDict, deque
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # ships no types
import pyarrow as pa
import pytest
from datasets import Dataset
from hypothesis import given
from hypothesis import strategies as st

from harness import compare, gate1, gate2, gate2_files
from harness.errors import BadInput

G = [0, 1, 2, 3] * 5
N = len(G)
GAPS: list[Any] = [None, *G[1:]]


def polars(make: str, *values: Any) -> Any:
    """A series or frame of polars."""
    return getattr(import_module("polars"), make)(*values)


FLAT: dict[str, Callable[[list[Any]], Any]] = {
    "tuple": tuple,
    "deque": deque,
    "values of a dict": lambda one: dict(enumerate(one)).values(),
    "object array": lambda one: np.array(one, dtype=object),
    "float array": lambda one: np.array(one, dtype=float),
    "masked array": lambda one: np.ma.masked_array(
        [value or 0 for value in one], mask=[value is None for value in one]
    ),
    "numpy numbers": lambda one: [None if value is None else np.int64(value) for value in one],
    "decimals": lambda one: [None if value is None else Decimal(value) for value in one],
    "fractions": lambda one: [None if value is None else Fraction(value) for value in one],
    "NaN": lambda one: [float("nan") if value is None else value for value in one],
    "NaN of decimals": lambda one: [Decimal("sNaN") if value is None else value for value in one],
    "NA": lambda one: [pd.NA if value is None else value for value in one],
    "NaT": lambda one: [pd.NaT if value is None else value for value in one],
    "series": lambda one: pd.Series(one, dtype=object),
    "nullable series": lambda one: pd.Series(one, dtype="Int64"),
    "arrow series": lambda one: pd.Series(one, dtype="int64[pyarrow]"),
    "categorical series": lambda one: pd.Series(one, dtype=object).astype("category"),
    "categorical": lambda one: pd.Categorical(one),
    "pandas array": lambda one: pd.array(one, dtype="Int64"),
    "arrow": pa.array,
    "chunked arrow": lambda one: pa.chunked_array([one[:7], one[7:]]),
    "polars": lambda one: polars("Series", one),
    "data set": lambda one: Dataset.from_dict({"grade": one})["grade"],
    "dict": lambda one: {str(at): value for at, value in enumerate(one)},
    "ordered dict": lambda one: OrderedDict(enumerate(one)),
    "repeat": lambda one: [[value] for value in one],
    "frame": lambda one: pd.DataFrame({"grade": one}),
    "arrow table": lambda one: pa.table({"grade": one}),
    "polars frame": lambda one: polars("DataFrame", {"grade": one}),
    "data set of grades": lambda one: Dataset.from_dict({"grade": one}),
}


@pytest.mark.parametrize("shape", FLAT)
def test_grades_of_any_shape_are_the_same_grades(shape: str) -> None:
    want = gate2(G, GAPS, scale="0-3")
    assert want.outcomes.ungraded == 1
    assert gate2(G, FLAT[shape](GAPS), scale="0-3") == want
    moved = compare(G, G, FLAT[shape](GAPS), scale="0-3")
    assert moved == compare(G, G, GAPS, scale="0-3")


@pytest.mark.parametrize(
    "shape", [name for name in FLAT if not {"repeat", "frame", "table"} & {*name.split()}]
)
def test_queries_of_any_shape_are_the_same_queries(shape: str) -> None:
    if shape in ("float array", "masked array", "data set of grades", "nullable series", "arrow series"):
        return  # of numbers alone
    queries = [None, *(f"q{at // 4}" for at in range(1, N))]
    make = FLAT[shape] if shape not in ("numpy numbers", "decimals", "fractions", "pandas array") else list
    assert gate2(G, G, scale="0-3", queries=make(queries)) == gate2(G, G, scale="0-3", queries=queries)


WIDE: dict[str, Callable[[dict[str, list[Any]]], Any]] = {
    "frame": pd.DataFrame,
    "nullable frame": lambda one: pd.DataFrame(one).astype("Int64"),
    "arrow table": pa.table,
    "polars": lambda one: polars("DataFrame", one),
    "data set": Dataset.from_dict,
}


@pytest.mark.parametrize("shape", WIDE)
def test_ratings_of_any_shape_are_the_same_ratings(shape: str) -> None:
    wide: dict[str, list[Any]] = {"ann": G, "bob": [None, *reversed(G[1:])]}
    assert gate1(WIDE[shape](wide), scale="0-3") == gate1(pd.DataFrame(wide), scale="0-3")
    grades = [*wide["ann"], *wide["bob"]]
    rows: dict[str, list[Any]] = {
        "item": [*range(N), *range(N)],
        "rater": ["ann"] * N + ["bob"] * N,
        "grade": grades,
    }
    long = pd.DataFrame(rows) if shape == "nullable frame" else WIDE[shape](rows)
    assert gate1(long, scale="0-3") == gate1(pd.DataFrame(wide), scale="0-3")


ODD: dict[str, Any] = {
    "none": [],
    "no repeats": [[] for _ in G],
    "text": "0123" * 5,
    "bytes": bytes(G),
    "set": {f"q{at}" for at in range(N)},
    "keys": dict.fromkeys(map(str, range(N))).keys(),
    "generator": (one for one in G),
    "number": 3,
    "array of none": np.array(3),
    "three dimensions": np.array([[[one, one], [one, 3 - one]] for one in G]),
    "lists in rows": [[[one], [one]] for one in G],
    "ragged": [[one] * (1 + one) for one in G],
    "some rows": [*G[:-1], [3]],
    "dict of lists": {"ann": G, "bob": G},
    "records": np.array([(one, one) for one in G], dtype=[("a", int), ("b", int)]),
    "true": [one >= 2 for one in G],
    "true of numpy": np.array(G) >= 2,
    "true of pandas": pd.Series(G) >= 2,
    "complex": [complex(one) for one in G],
    "complex array": np.array(G, dtype=complex),
    "datetimes": np.array(G, dtype="datetime64[ns]"),
    "timedeltas": np.array(G, dtype="timedelta64[ns]"),
    "a timedelta": [np.timedelta64(1, "s"), *G[1:]],
    "timestamps": pd.Series(pd.to_datetime(G)),
    "strings": [str(one) for one in G],
    "numpy strings": np.array(G, dtype=str),
    "numpy bytes": np.array(G, dtype=bytes),
    "infinite": [float("inf"), *G[1:]],
    "halves": [0.5, *G[1:]],
    "digits": [10**5000, *G[1:]],
    "an array": [np.array([1, 2]), *G[1:]],
    "a dict": [{}, *G[1:]],
    "a class": [object(), *G[1:]],
    "grade and confidence": pd.DataFrame({"grade": G, "confidence": [1] * N}),
    "item and grade": pd.DataFrame({"item": range(N), "grade": G}),
    "no columns": pd.DataFrame(index=range(N)),
    "a lazy frame": object,
    "series in a list": [pd.Series(G), pd.Series(G)],
    "series in a tuple": (pd.Series(G, index=[f"d{at}" for at in range(N)]),) * N,
}


@pytest.mark.parametrize("shape", ODD)
def test_other_shapes_are_refused_in_words(shape: str) -> None:
    for call in (
        lambda: gate2(ODD[shape], G, scale="0-3"),
        lambda: gate2(G, ODD[shape], scale="0-3"),
        lambda: compare(G, G, ODD[shape], scale="0-3"),
        lambda: gate1(ODD[shape], scale="0-3"),
    ):
        with pytest.raises(BadInput) as refused:
            call()
        assert len(str(refused.value).splitlines()[0]) < 300


@pytest.mark.parametrize(
    ("call", "what"),
    [
        (lambda: gate2([], [], scale="0-3"), "golden: no item"),
        (lambda: gate2([0, 1], {"a": 0}, scale="0-3"), "grades: 1 for 2 golden grades"),
        (lambda: gate2(G, [[] for _ in G], scale="0-3"), "grades: no values"),
        (lambda: gate2(G, ODD["three dimensions"], scale="0-3"), "grades: more than two dimensions"),
        (lambda: gate1(ODD["series in a list"], scale="0-3"), "ratings: a list of series, each"),
        (lambda: gate2(G, ODD["ragged"], scale="0-3"), "grades: rows of different lengths"),
        (lambda: gate2(ODD["true"], G, scale="0-3"), r"golden\[0\]: False is not on the scale 0-3"),
        (lambda: gate2(G, ODD["grade and confidence"], scale="0-3"), "columns are repeats, .*'confidence'"),
        (lambda: gate2(G, G, scale="0-3", queries={"a", "b"}), "queries: a list, .* of type set"),
        (lambda: gate2(G, G, scale="0-3", queries=[b"q"] * N), r"queries\[0\]: b'q' is not text"),
        (lambda: gate2(G, G, scale="0-3", queries=["\ud800"] * N), r"queries\[0\]: .* is not text"),
        (lambda: gate1(pd.DataFrame({"ann": G, "bob": G}, index=[b"x", *range(1, N)]), scale="0-3"),
         r"ratings, index\[0\]: b'x' is not text"),
        (lambda: gate1(pd.DataFrame({"item": G, "ann": G, "bob": G}), scale="0-3"), "raters, here is 'item'"),
        (lambda: gate1(pd.DataFrame({"Query": G, "ann": G, "bob": G}), scale="0-3"), "here is 'Query'"),
        (lambda: gate1(pd.DataFrame({"Jos\u00e9": G, "Jose\u0301": G}), scale="0-3"), "columns are called"),
        (lambda: gate2(G, G, scale="0-3", coverage_floor=7), "coverage_floor 7: a share lies between 0"),
        (lambda: gate2(G, G, scale="0-3", bar="0.8"), "bar '0.8': a kappa lies"),  # type: ignore[arg-type]
        (lambda: gate2(G, G, scale="0-3", bar=True), "bar True: a kappa lies"),
        (lambda: gate2(G, G, scale="0-3", weighting=["none"]), "weighting .* is not one of"),  # type: ignore[arg-type]
        (lambda: gate2(G, G, scale=3), "scale: a list, .* of type int"),  # type: ignore[arg-type]
        (lambda: gate2(G, G, scale=[True, False]), "invalid scale 'True,False'"),
        (lambda: gate2(G, G, scale=f"0-{'9' * 5000}"), "invalid scale '0-9999"),
    ],
)  # fmt: skip
def test_what_is_refused_is_said(call: Callable[[], Any], what: str) -> None:
    with pytest.raises(BadInput, match=what):
        call()


def test_masked_grades_are_missing() -> None:
    assert gate2(G, np.ma.masked_array([0] * N, mask=[True] * N), scale="0-3").coverage == 0
    rows = np.ma.masked_array([[one, one] for one in G], mask=[[at < 4, False] for at in range(N)])
    assert gate1(rows, scale="0-3").pairs[0].n == N - 4


def test_a_dict_is_matched_by_its_keys() -> None:
    golden = {f"i{at}": one for at, one in enumerate(G)}
    turned = dict(reversed(golden.items()))
    assert gate2(golden, turned, scale="0-3").accuracy == 1.0
    queries = {f"i{at}": f"q{at // 5}" for at in reversed(range(N))}
    assert gate2(golden, G, scale="0-3", queries=queries).n_clusters == 4
    with pytest.raises(BadInput, match=r"1 of 20 items of golden are not in it .the first: .i0.\)"):
        gate2(golden, dict(list(turned.items())[:-1]), scale="0-3")


@pytest.mark.parametrize("golden", [list, pd.Series], ids=["plain", "row numbers"])
def test_ratings_that_are_named_belong_to_no_row_number_but_their_own(golden: Callable[[Any], Any]) -> None:
    wide = pd.DataFrame({"ann": G, "bob": [1, *G[1:]]})
    long = wide.rename_axis("item").reset_index().melt("item", var_name="rater", value_name="grade")
    want = gate2(golden(G), G, scale="0-3", ratings=wide.to_numpy()).ceiling
    assert want is not None
    for same in (wide, long, long[::-1]):
        found = gate2(golden(G), G, scale="0-3", ratings=same).ceiling
        assert found is not None and (found.grader, found.n) == (want.grader, want.n)
    for other in (wide.set_axis(range(1, N + 1)), long.assign(item=long["item"] + 1)):
        with pytest.raises(
            BadInput, match=r"ratings: items 1, 2, 3\.\.\., and what is graded has row numbers"
        ):
            gate2(golden(G), G, scale="0-3", ratings=other)
    part = wide[::2]
    if golden is list:
        with pytest.raises(BadInput, match="ratings: items 0, 2, 4"):
            gate2(golden(G), G, scale="0-3", ratings=part)
    else:
        assert gate2(golden(G), G, scale="0-3", ratings=part).ceiling is not None


def test_ratings_of_other_items_are_left_out_with_a_warning() -> None:
    names = [f"i{at}" for at in range(N)]
    wide = pd.DataFrame({"ann": G, "bob": G}, index=[*names[:-1], "x"])
    found = gate2(pd.Series(G, index=names), G, scale="0-3", ratings=wide)
    said = "1 of 20 items of ratings (2 ratings) is not in what is graded"
    assert any(said in one for one in found.warnings)
    assert found.ceiling is not None and found.ceiling.n == N - 1


def test_one_file_in_every_form_is_one_scorecard(here: Path) -> None:
    grades = [*G[4:], 0, 0, 1, None]
    rows: dict[str, Any] = {
        "item": [f"{at}" for at in range(N)],
        "query": [f"q{at // 2}" for at in range(N)],
        "grade": grades,
    }
    frame = pd.DataFrame(rows).astype({"grade": "Int64"})
    golden = frame.assign(grade=G)
    for name, table in (("golden", golden), ("grades", frame)):
        table.to_csv(f"{name}.csv", index=False)
        table.to_parquet(f"{name}.parquet")
        table.to_json(f"{name}.jsonl", orient="records", lines=True)
        table.to_excel(f"{name}.xlsx", index=False)
    queries = rows["query"]
    want = gate2(G, grades, scale="0-3", queries=queries)
    byitem = frame.set_index("item")
    series = golden.set_index("item")["grade"]
    for found in (
        gate2(tuple(G), np.array(grades, dtype=object), scale="0-3", queries=tuple(queries)),
        gate2(series.to_dict(), byitem["grade"].to_dict(), scale="0-3", queries=byitem["query"].to_dict()),
        gate2(series, byitem["grade"][::-1], scale="0-3", queries=byitem["query"]),
        gate2(series, byitem[["grade"]], scale="0-3", queries=byitem["query"]),
        gate2(pa.array(G), pa.array(grades), scale="0-3", queries=pa.array(queries)),
        gate2(G, Dataset.from_pandas(frame)["grade"], scale="0-3", queries=Dataset.from_dict(rows)["query"]),
    ):
        assert found == want
    files = [
        gate2_files(f"golden.{end}", f"grades.{end}", scale="0-3")
        for end in ("csv", "parquet", "jsonl", "xlsx")
    ]
    assert all(found == files[0] for found in files)
    # Only a file has texts, and only there ratings could have been named.
    apart: dict[str, Any] = {"misses": (), "provisional": None}
    assert files[0].model_copy(update=apart) == want.model_copy(update=apart)


ODD_VALUES: list[Any] = [
    pd.NA, pd.NaT, np.nan, np.ma.masked, np.bool_(True), np.int8(1), np.float32(2), np.datetime64("NaT"),
    np.timedelta64(1, "s"), np.array(1), np.array([1, 2]), object(), {}, set(), range(2), int,
]  # fmt: skip
VALUES = st.one_of(
    st.integers(0, 3), st.none(), st.booleans(), st.integers(), st.floats(), st.decimals(), st.fractions(),
    st.complex_numbers(), st.text(max_size=3), st.binary(max_size=3), st.dates(), st.datetimes(), st.uuids(),
    st.integers(0, len(ODD_VALUES) - 1).map(ODD_VALUES.__getitem__),
)  # fmt: skip
SIDES = st.one_of(
    VALUES,
    st.lists(VALUES, max_size=4),
    st.lists(st.lists(VALUES, max_size=3), max_size=4),
    st.dictionaries(st.text(max_size=2) | st.integers() | st.none(), VALUES, max_size=4),
)


@given(SIDES, SIDES, st.none() | SIDES, st.none() | SIDES)
def test_whatever_comes_is_scored_or_refused(golden: Any, grades: Any, queries: Any, ratings: Any) -> None:
    for call in (
        lambda: gate2(golden, grades, scale="0-3", queries=queries, ratings=ratings),
        lambda: gate2([0, 1, 2], grades, scale="0-3", queries=queries),
        lambda: gate1(ratings, scale="0-3", queries=queries),
    ):
        try:
            call()
        except BadInput:
            continue


class Unreadable(list[int]):
    """Values of a library that has lost them."""

    def tolist(self) -> list[int]:
        raise OSError("the file is gone")


def test_what_a_library_says_of_its_own_values_is_told_with_their_type() -> None:
    with pytest.raises(BadInput, match=r"a value of type Unreadable \(OSError: the file is gone\)$"):
        gate2(Unreadable(G), G, scale="0-3")
