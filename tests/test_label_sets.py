"""A label set as somebody sends it: what this program did not write so is refused, and named."""

import json
import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from builders import harness, write_project
from fault_server import fault_server
from labelling import by_title, label, rows, write_rows

from harness.errors import BadInput
from harness.production import shards
from harness.runs import labels as reading
from harness.runs.labels import load_labels, shard_path, shard_schema

ALONE = ("--unproven",)


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a label set of 10 rows by a builtin model."""
    root = tmp_path_factory.mktemp("labels")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        write_project(root)
        write_rows(root / "pairs.csv", rows(10, distinct=4))
        ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 0, ended.err
    return root


@pytest.fixture
def made(whole: Path, here: Path) -> Path:
    """The label set of a copy of it."""
    shutil.copytree(whole, here, dirs_exist_ok=True)
    return here / "L"


def refused(folder: Path) -> str:
    with pytest.raises(BadInput) as caught:
        list(load_labels(folder).rows())
    return str(caught.value)


def test_shards_hold_the_columns_of_the_contract_and_the_same_bytes_again(made: Path) -> None:
    shard = shard_path(made, 0)
    names = (
        "item query title pair digest weight stratum position outcome cause detail grade action reasoning "
        "clauses probabilities confidence asked cached input_tokens cached_tokens output_tokens "
        "reasoning_tokens cost model shot_query policy prompt shots proven"
    )
    assert pq.ParquetFile(shard).schema_arrow.names == names.split()
    told = pq.ParquetFile(shard).schema_arrow.metadata
    manifest = json.loads((made / "labels.json").read_text("utf-8"))
    for name in ("policy", "prompt", "prefix", "shots"):
        assert told[name.encode()].decode() == manifest["digests"][name]
    assert (told[b"proven"], told[b"model"]) == (b"false", b"builtin/majority")
    before = shard.read_bytes()
    shard.unlink()
    assert label(None, "pairs.csv", *ALONE, model="builtin/majority").code == 0
    assert shard.read_bytes() == before
    first = next(load_labels(made).rows())
    assert first["confidence"] == dict(first["probabilities"])[first["grade"]]


def test_long_sets_have_several_shards_and_only_what_changed_is_written(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (shards, reading):
        monkeypatch.setattr(module, "SHARD", 7)
        monkeypatch.setattr(module, "PIECE", 3)
    monkeypatch.setattr(shards, "STEP", 2)
    write_project(here)
    table = write_rows(here / "pairs.csv", rows(20))
    assert label(None, table, *ALONE, model="builtin/majority").code == 0
    paths = sorted(Path("L/shards").iterdir())
    assert [pq.ParquetFile(path).metadata.num_rows for path in paths] == [7, 7, 6]
    stamps = [path.stat().st_ino for path in paths]
    assert label(None, write_rows(table, rows(25)), *ALONE, model="builtin/majority").code == 0
    now = [path.stat().st_ino for path in sorted(Path("L/shards").iterdir())]
    assert (now[:2], now[2] == stamps[2], len(now)) == (stamps[:2], False, 4)
    assert [row["item"] for row in load_labels(Path("L")).rows()] == [f"p{n}" for n in range(25)]
    batches = list(load_labels(Path("L")).batches(["item", "grade"]))
    assert all(batch.schema.names == ["item", "grade"] for batch in batches)
    shard_path(Path("L"), 1).unlink()
    assert "part-00001.parquet: no such file" in refused(Path("L"))


def rewrite(path: Path, change: Callable[[Any], Any]) -> None:
    table = pq.read_table(path)
    changed = change(table)
    pq.write_table(changed.replace_schema_metadata(table.schema.metadata), path)


def test_a_foreign_shard_is_refused_by_its_columns(made: Path) -> None:
    shard = shard_path(made, 0)
    whole = shard.read_bytes()
    rewrite(shard, lambda table: table.append_column("extra", pa.array([1] * 10)))
    assert "unknown columns: extra" in refused(made)
    shard.write_bytes(whole)
    rewrite(shard, lambda table: table.drop_columns(["weight"]))
    assert "missing columns: weight" in refused(made)
    shard.write_bytes(whole)
    rewrite(shard, lambda table: table.set_column(5, "weight", table["weight"].cast(pa.string())))
    assert "the types of weight" in refused(made)
    shard.write_bytes(whole)
    rewrite(shard, lambda table: table.slice(1))
    assert "has 9 rows, and the set says 10" in refused(made)
    pq.write_table(pq.read_table(shard).cast(shard_schema()), shard)
    assert "is of another label set" in refused(made)
    shard.write_bytes(whole[:200])
    assert "not readable as Parquet" in refused(made)
    (made / "shards/more.parquet").write_bytes(whole)
    assert "more.parquet: is not a shard of this set" in refused(made)


@pytest.mark.parametrize(
    "name, value, what",
    [
        ("item", None, "is empty"),
        ("query", None, "is empty"),
        ("weight", None, "is empty"),
        ("weight", float("nan"), "no label set has"),
        ("weight", float("inf"), "no label set has"),
        ("weight", 1e13, "no label set has"),
        ("weight", 0.0, "no label set has"),
        ("weight", 1e-13, "no label set has"),
        ("digest", "sha256:12", "no label set has"),
        ("position", 0, "no label set has"),
        ("grade", 3, "no label set has"),
        ("grade", -1, "no label set has"),
        ("action", "\x1b[31m", "no label set has"),
        ("outcome", "good", "no label set has"),
        ("cost", float("nan"), "no label set has"),
        ("output_tokens", -1, "no label set has"),
    ],
)
def test_values_that_no_labelling_writes_are_refused(made: Path, name: str, value: Any, what: str) -> None:
    """One row of ten is enough, read with all columns or with its own alone."""
    field = shard_schema().field(name)

    def changed(table: pa.Table) -> pa.Table:
        values = [*table[name].to_pylist()[:-1], value]
        return table.set_column(table.schema.get_field_index(name), field, pa.array(values, field.type))

    rewrite(shard_path(made, 0), changed)
    assert f"{name}: " in refused(made) and what in refused(made)
    with pytest.raises(BadInput, match=what):
        list(load_labels(made).batches((name,)))


def test_a_text_that_is_repeated_without_end_is_read_a_few_rows_at_a_time(
    made: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A shard of 38 KB took 3 GB; of all that a footer says, nothing tells."""
    texts = [f"{at % 2}" * 1000 for at in range(10)]

    def changed(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index("pair")
        return table.set_column(at, table.schema.field("pair"), pa.array(texts))

    rewrite(shard_path(made, 0), changed)
    monkeypatch.setattr(reading, "STEP", 2)
    for most, sizes in ((20_000, [10]), (6_000, [6, 4]), (4_000, [4, 4, 2]), (2_000, [2] * 5), (1, [2] * 5)):
        monkeypatch.setattr(reading, "LONGEST_PIECE", most)
        parts = list(load_labels(made).batches(("pair",)))
        assert [part.num_rows for part in parts] == sizes
        assert [text for part in parts for text in part.column("pair").to_pylist()] == texts
        assert {part.schema.field("pair").type for part in parts} == {pa.string()}
    monkeypatch.setattr(reading, "LONGEST_PIECE", 1 << 20)
    monkeypatch.setattr(reading, "PIECE", 6)
    parts = list(load_labels(made).batches())
    assert [part.num_rows for part in parts] == [6, 4]
    assert all(part.schema.equals(shard_schema()) for part in parts)


@pytest.mark.slow
@pytest.mark.parametrize("repeated", [False, True])
def test_long_texts_of_a_shard_take_no_more_than_a_few_pieces(here: Path, repeated: bool) -> None:
    """10,000 rows of 50 KB in a file of some 200 KB: 500 MB of texts, each another one or all the same."""
    table = write_rows(here / "pairs.csv", rows(10_000))
    write_project(here)
    assert label(None, table, *ALONE, model="builtin/majority").code == 0

    def changed(found: pa.Table) -> pa.Table:
        at = found.schema.get_field_index("pair")
        long = [
            json.dumps({"query": f"{0 if repeated else n}", "result": {"title": "x" * 50_000}})
            for n in range(10_000)
        ]
        return found.set_column(at, found.schema.field("pair"), pa.array(long))

    rewrite(shard_path(Path("L"), 0), changed)
    code = (
        "from pathlib import Path\nfrom harness.runs.labels import load_labels\n"
        "rows = sum(one.num_rows for one in load_labels(Path('L')).batches(('item', 'digest', 'pair')))\n"
        "said = Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0]\n"
        "print(rows, int(said) // 1024)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    found, peak = map(int, done.stdout.split())
    assert found == 10_000
    assert peak < 800


def test_a_damaged_pair_is_named_where_it_is_drawn(made: Path) -> None:
    def changed(table: pa.Table) -> pa.Table:
        at = table.schema.get_field_index("pair")
        return table.set_column(at, table.schema.field("pair"), pa.array(["{"] * 10))

    rewrite(shard_path(made, 0), changed)
    ended = harness("sample", made, "--n", "2", "-o", "plan.jsonl")
    assert ended.code == 2 and "its pair is damaged" in ended.err


def test_a_set_that_says_it_is_proven_proves_nothing(made: Path) -> None:
    path = made / "labels.json"
    proof = {"run": "r", "gated": "kappa", "kappa": 1.0, "n": 500}
    changed = {**json.loads(path.read_text("utf-8")), "proven": proof, "unproven": False}
    path.write_text(json.dumps(changed), encoding="utf-8")
    ended = label(None, "pairs.csv", model="builtin/majority")
    assert ended.code == 2 and "is not proven" in ended.err
    assert label(None, "pairs.csv", *ALONE, model="builtin/majority").code == 0
    assert not any(row["proven"] for row in load_labels(made).rows())


@pytest.mark.parametrize(
    "change",
    [
        "rows SET weight = 'x'",
        "rows SET position = 'x'",
        "rows SET stratum = x'ff'",
        "sources SET before = -1",
    ],
)
def test_a_store_with_values_of_other_types_is_refused(made: Path, change: str) -> None:
    with sqlite3.connect(made / "answers.sqlite3") as connection:
        connection.execute(f"UPDATE {change}")
    ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 2 and "is damaged" in ended.err


def test_links_and_pipes_are_refused(made: Path, tmp_path: Path) -> None:
    shard = shard_path(made, 0)
    shard.rename(tmp_path / "away")
    shard.symlink_to(tmp_path / "away")
    assert "is a link" in refused(made)
    shard.unlink()
    os.mkfifo(shard)
    assert "is not a regular file" in refused(made)
    shard.unlink()
    (tmp_path / "away").rename(shard)
    (made / "calls.jsonl").symlink_to(tmp_path / "elsewhere")
    assert "is a link" in refused(made)
    ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 2 and "is a link" in ended.err
    (tmp_path / "M").symlink_to(made)
    assert "is a link" in refused(tmp_path / "M")


@pytest.mark.slow
def test_counts_beyond_reason_are_refused(made: Path) -> None:
    path = made / "labels.json"
    manifest = json.loads(path.read_text("utf-8"))
    for change in ({"rows": 10**14}, {"distinct": -1}, {"version": 2}, {"unheard": 1}):
        path.write_text(json.dumps({**manifest, **change}), encoding="utf-8")
        assert next(iter(change)) in refused(made)
    path.write_text(json.dumps({**manifest, "rows": 10 * 10**9}), encoding="utf-8")
    assert "no such file" in refused(made)


def test_a_foreign_store_is_refused(made: Path) -> None:
    store = made / "answers.sqlite3"
    with sqlite3.connect(store) as connection:
        connection.execute("CREATE TRIGGER t AFTER INSERT ON answers BEGIN DELETE FROM rows; END")
    ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 2 and "trigger t" in ended.err
    store.write_bytes(b"SQLite format 3\0" + b"\1" * 200)
    ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 2 and "answers.sqlite3" in ended.err
    (made / "answers.sqlite3-journal").write_bytes(b"x")
    ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 2 and "rollback journal" in ended.err


def test_a_damaged_answer_is_named(made: Path) -> None:
    with sqlite3.connect(made / "answers.sqlite3") as connection:
        connection.execute("UPDATE answers SET body = '{}' WHERE pair = 2")
    shard_path(made, 0).unlink()
    ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 2 and "answer" in ended.err and "is damaged" in ended.err


def test_a_set_with_another_policy_beside_it_is_refused(made: Path) -> None:
    policy = made / "policy.toml"
    policy.write_text(policy.read_text("utf-8").replace('goal = "', 'goal = "other '), encoding="utf-8")
    assert "is not what the manifest says" in refused(made)


def test_a_large_store_is_opened(made: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A million answers are more than the bound of other databases."""
    from harness.storage import databases

    monkeypatch.setattr(databases, "LARGEST", 1)
    with fault_server(by_title):
        assert label(None, "pairs.csv", *ALONE, model="builtin/majority").code == 0
    from harness.production import database

    monkeypatch.setattr(database, "MOST", 1)
    ended = label(None, "pairs.csv", *ALONE, model="builtin/majority")
    assert ended.code == 2 and "larger than" in ended.err
