"""What `harness signal` holds, and what waits on disk: neither grows with the rows of a log."""

import os
import signal
import tempfile
import tracemalloc
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from forked import forked
from hypothesis import given
from hypothesis import strategies as st

from harness.signal import cells, nameless, searches, spill, text_hash
from harness.signal.cells import WIDTH, CellSums
from harness.signal.coded import Coded
from harness.signal.graded import GradedPairs
from harness.signal.searches import SearchCounts
from harness.signal.spill import Spill, parts_together
from harness.signal.text_hash import PairHash, PairIndex


def graded(count: int, each: int = 10) -> GradedPairs:
    """So many pairs of texts of 100 letters, `each` of a query."""
    found = GradedPairs("many")
    for at in range(count):
        found.add(f"{'q' * 92}{at // each:08}", f"{'i' * 92}{at:08}", at % 5, ("one",))
    return found


def held(count: int) -> int:
    """The bytes that Python and numpy hold for so many graded pairs."""
    tracemalloc.start()
    pairs = graded(count)
    assert len(pairs.query) == len(pairs.group) == count
    pairs.find(pa.array(["q"]), pa.array(["i"]))
    size = tracemalloc.get_traced_memory()[0]
    tracemalloc.stop()
    return size


def test_a_graded_pair_is_held_in_few_bytes_however_long_its_texts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(nameless, "SMALL", 1)
    held(1_000)  # what is imported on the way is not of the pairs
    few, many = held(20_000), held(60_000)
    assert many - few < 40_000 * 45


def added(sums: CellSums, rows: int, different: int, seed: int) -> None:
    chance = np.random.default_rng(seed)
    pair, place = np.divmod(chance.integers(0, different, rows), 10)
    sums.add(pair * WIDTH + place + 1, {"views": np.ones(rows), "clicks": place % 2.0})


def test_rows_of_the_same_cells_take_no_more_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "LEAST", 1_000)
    sums, sizes = CellSums(("views", "clicks")), []
    for seed in range(60):
        added(sums, 1_001, 3_000, seed)
        sizes.append(sums.on_disk)
    assert max(sizes[10:]) <= 2 * 3_000 + 1_001 and max(sizes[30:]) <= max(sizes[10:30])
    whole = list(sums.blocks())
    assert sum(len(one.pair) for one in whole) == 3_000
    assert sum(one.sums["views"].sum() for one in whole) == 60 * 1_001


def test_cells_come_some_pairs_at_a_time_and_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cells, "LEAST", 500)
    monkeypatch.setattr(cells, "SPAN", 16)
    sums = CellSums(("views", "clicks"))
    for seed in range(6):
        added(sums, 400, 2_000, seed)
    for _ in range(2):
        pairs = [set(one.pair.tolist()) for one in sums.blocks()]
        assert len(pairs) == -(-200 // 16) and sum(map(len, pairs)) == len(set().union(*pairs))
        assert all(len({pair // 16 for pair in each}) == 1 for each in pairs)


@given(st.lists(st.tuples(st.text(max_size=9), st.text(max_size=9)), min_size=1, max_size=40))
def test_pairs_are_found_by_their_texts(pairs: list[tuple[str, str]]) -> None:
    found = GradedPairs("texts")
    for query, item in pairs:
        found.add(query, item, 1)
    asked = [*pairs, *((item, query + "x") for query, item in pairs)]
    columns = (pa.array([one[at] for one in asked], pa.string()) for at in (0, 1))
    first: dict[tuple[str, str], int] = {}
    for at, pair in enumerate(pairs):
        first.setdefault(pair, at)
    assert found.find(*columns).tolist() == [first.get(one, -1) for one in asked]
    assert found.texts(np.arange(len(pairs))) == dict(enumerate(pairs))
    numbers: dict[str, int] = {}
    assert found.query.tolist() == [numbers.setdefault(query, len(numbers)) for query, _ in pairs]


def test_a_pair_without_a_text_is_none() -> None:
    found = GradedPairs("texts")
    found.add("", "", 1)
    texts = pa.array(["", None, ""])
    assert found.find(texts, pa.array(["", "", None])).tolist() == [0, -1, -1]


def test_a_pair_needs_its_check_too() -> None:
    numbers, checks = np.array([7, 3], dtype=np.uint64), np.array([1, 2], dtype=np.uint32)
    index = PairIndex.over(numbers, checks)
    asked = np.array([3, 3, 7, 9], dtype=np.uint64), np.array([2, 1, 1, 1], dtype=np.uint32)
    assert index.find(*asked).tolist() == [1, -1, 0, -1]


def test_a_hash_does_not_depend_on_the_piece(monkeypatch: pytest.MonkeyPatch) -> None:
    texts = pa.array(["a", "ab", "b", "", "é" * 300, "ab", "ab", "x" * 90, "ba"])
    drawn = PairHash()
    whole = drawn.of(texts, texts)
    monkeypatch.setattr(text_hash, "STEP", 3)
    for start in range(len(texts)):
        part = texts.slice(start)
        assert [one.tolist() for one in drawn.of(part, part)] == [one[start:].tolist() for one in whole]
    numbers = whole[0].tolist()
    assert len(set(numbers)) == 7 and numbers[1] == numbers[5] == numbers[6]
    assert PairHash().of(texts, texts)[0].tolist() != numbers


def test_values_are_held_once_and_found_by_their_entries() -> None:
    found = Coded[str]()
    for value in "abacab":
        found.append(value)
    members = {value: at.tolist() for value, at in found.members(np.array([5, 3, 0, 2, 1]))}
    assert members == {"a": [2, 3], "b": [0, 4], "c": [1]} and found[3] == "c"


def keyed(rows: int, keys: int) -> Any:
    return pa.table({"key": [f"k{at % keys}" for at in range(rows)], "value": list(range(rows))})


def test_a_part_that_is_too_large_is_parted_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(spill, "WAITING", 40)
    with Spill("key") as first, Spill("key") as second:
        first.add(keyed(4_000, 800))
        second.add(keyed(900, 900))
        both = list(parts_together(first, second))
    keys = [{*one.column("key").to_pylist()} for pair in both for one in pair if one is not None]
    assert sum(0 if one is None else one.num_rows for pair in both for one in pair) == 4_900
    assert max(len(each) for each in keys) <= 40 and len(both) > spill.PARTS
    alone = Spill("key")
    alone.add(keyed(100, 1))
    assert [one.num_rows for one in alone.parts() if one is not None] == [100]


def test_searches_come_some_at_a_time_with_sessions_whole(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(searches, "AT_ONCE", 7)
    pairs = graded(40)
    with SearchCounts(pairs, (0, 1, 2, 3, 4), (2,)) as counts:
        rows = 120
        session = pa.array([f"s{at // 3 % 20:02}" for at in range(rows)])
        query = pa.array([f"{'q' * 92}{at % 4:08}" for at in range(rows)])
        number = pa.array([at % 4 * 10 + 3 for at in range(rows)])
        ones = pa.array([1] * rows)
        counts.add(session, query, number, ones, ones)
        found = counts.searches()
        assert found is not None
        parts = list(found.parts())
    assert max(len(one.session) for one in parts) <= 7 + 4
    sessions = [set(one.session.tolist()) for one in parts]
    assert sum(map(len, sessions)) == len(set().union(*sessions)) == 20
    # Each row is of grade 3, at the first position.
    assert sum(float(one.dcg.sum()) for one in parts) == pytest.approx(3 * rows)


def test_a_killed_process_leaves_nothing_on_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(nameless, "SMALL", 1)
    monkeypatch.setattr(cells, "LEAST", 100)

    def killed() -> None:
        sums = CellSums(("views", "clicks"))
        added(sums, 1_000, 500, 1)
        assert sums.on_disk
        os.kill(os.getpid(), signal.SIGKILL)

    assert forked(killed) == -signal.SIGKILL
    assert not list(tmp_path.iterdir())
