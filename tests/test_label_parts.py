"""What --engine ray rests on, without Ray: shares, parts, one budget for all, blocks of rows."""

import asyncio
import gc
import os
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from builders import write_project
from fault_server import FaultServer, fault_server
from forked import forked
from hypothesis import given
from hypothesis import strategies as st
from labelling import answers, by_title, label, rows, write_rows

from harness.errors import BadInput
from harness.grading.answered import Answered, record_of
from harness.grading.budget import Budget, WorstCase
from harness.nouns.pair import Pair
from harness.nouns.records import Failed, Grade, Record, Usage
from harness.pricing.prices import Price, price_of
from harness.production import parts, ray_files
from harness.production.pairs import Input
from harness.production.parts import PARTS, PartItems, join_part, join_parts, lay_out, part_folder, part_log
from harness.production.ray_actor import Heard, Order, PartAsker
from harness.production.ray_coordinator import Coordinator
from harness.production.ray_engine import LARGEST, SMALLEST, sizes
from harness.production.store import STORE, AnswerStore
from harness.providers import sold_as
from harness.runs.call_log import CALLS, TAKEN_AT, Call, CallLog
from harness.runs.record_log import RecordLog, stored_text
from harness.storage.digest import digest_bytes, digest_of_beginnings
from harness.storage.project import Project


@given(st.integers(1, 64), st.one_of(st.none(), st.integers(1, 600)), st.integers(1, 10**7))
def test_actors_share_the_connections_of_one_process(most: int, given: int | None, questions: int) -> None:
    found = sizes(most, given, questions)
    assert 1 <= found.actors <= most and found.connections >= 1
    assert found.actors * found.connections <= (given or 200)
    assert found.actors * (found.connections + 1) > (given or 200)
    assert SMALLEST <= found.part <= LARGEST
    # None of them is idle, where there are questions for all.
    assert found.actors == min(most, given or 200, -(-questions // SMALLEST))


def test_sizes_by_hand() -> None:
    assert vars_of(2, 64, 20_000) == (2, 32, 1024)
    assert vars_of(2, 64, 1_000) == (2, 32, 125)
    assert vars_of(8, None, 10**6) == (8, 25, 800)
    assert vars_of(4, 2, 10**6) == (2, 1, 50)
    assert vars_of(1, 512, 10**6) == (1, 512, 2_000)


def vars_of(most: int, given: int | None, questions: int) -> tuple[int, int, int]:
    found = sizes(most, given, questions)
    return found.actors, found.connections, found.part


@pytest.fixture
def server() -> Iterator[FaultServer]:
    with fault_server(by_title) as server:
        yield server


@pytest.fixture
def begun(here: Path, server: FaultServer) -> Path:
    """A label set whose pairs are taken in; none of them was asked yet."""
    write_project(here)
    write_rows(here / "pairs.csv", rows(8))
    (here / "prices.toml").write_text('[models."openai/m"]\ninput = 1.0\noutput = 0.01\n', encoding="utf-8")
    ended = label(server, "pairs.csv", "--unproven", "--no-cache", "--max-cost", "0")
    assert ended.code == 4, ended.err
    return here / "L"


def answer(store: AnswerStore, item: str, value: int = 1) -> Record:
    pair = next(one for one in store if one.id == item).pair
    return record_of(item, 0, pair.digest, Answered(Grade(value=value, reasoning="r", clauses=())))


def left_behind(folder: Path, *records: Record, number: int = 0) -> Path:
    part = part_folder(folder, number)
    part.mkdir(parents=True)
    (part / "records.jsonl").touch()
    with RecordLog(part) as log:
        for record in records:
            log.append(record)
    calls = CallLog(part)
    calls.add(Call(example="p0", input_tokens=5, output_tokens=1, worst=0.5))
    calls.close()
    return part


def test_what_a_killed_command_left_is_taken_over_once(begun: Path) -> None:
    with AnswerStore(begun / STORE) as store:
        one, two = answer(store, "p0"), answer(store, "p1")
        lost = record_of("p2", 0, next(x for x in store if x.id == "p2").pair.digest,
                         Answered(Failed(detail="gone")))  # fmt: skip
        left_behind(begun, one, two, lost)
        assert join_parts(begun, store) == 3
        assert (store.count, store.failures, store.models) == (2, 1, set())
        assert not (begun / PARTS).exists()
        # The same once more, as where a kill came before the part was deleted: nothing is stored twice.
        left_behind(begun, one, two, lost)
        assert join_parts(begun, store) == 0
        assert (store.count, store.failures) == (2, 1)
        # Another answer to the one that had none is kept, and the one before it counts in what was paid.
        left_behind(begun, answer(store, "p2"), number=7)
        assert join_parts(begun, store) == 1
        assert (store.count, store.failures) == (3, 0)
    assert answers() == 4
    assert len((begun / CALLS).read_text("utf-8").splitlines()) == 3


def test_the_next_command_takes_over_by_itself(begun: Path, server: FaultServer) -> None:
    with AnswerStore(begun / STORE) as store:
        left_behind(begun, answer(store, "p0", 0))
    assert label(server, "pairs.csv", "--unproven", "--no-cache").code == 0
    assert len(server.requests) == 7


def test_a_part_that_somebody_sends_is_checked(begun: Path) -> None:
    with AnswerStore(begun / STORE) as store:
        known = answer(store, "p0")
        for strange in (
            known.model_copy(update={"example": "p99"}),
            known.model_copy(update={"pair": "sha256:" + "0" * 64}),
            known.model_copy(update={"pair": "no digest"}),
        ):
            part = left_behind(begun, strange)
            with pytest.raises(BadInput, match="has no such pair"):
                join_parts(begun, store)
            for file in part.iterdir():
                file.unlink()
            part.rmdir()
        (begun / PARTS / "other").mkdir()
        with pytest.raises(BadInput, match="is not a part of a label set"):
            join_parts(begun, store)
        (begun / PARTS / "other").rmdir()
        left_behind(begun, known)
        (begun / PARTS / "00000000/link.jsonl").symlink_to(begun / STORE)
        with pytest.raises(BadInput, match="link"):
            join_parts(begun, store)
        assert store.count == 0


def test_a_part_that_a_process_still_answers_is_left_alone(
    begun: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from harness.errors import Unfinished

    monkeypatch.setattr(parts, "WAIT", 0.05)
    with AnswerStore(begun / STORE) as store:
        part = left_behind(begun, answer(store, "p0"))
        with RecordLog(part), pytest.raises(Unfinished, match="still answers it"):
            join_parts(begun, store)
        assert join_parts(begun, store) == 1


def budget(here: Path, limit: float) -> Budget:
    (here / "prices.toml").write_text('[models."openai/m"]\ninput = 1.0\noutput = 1.0\n', encoding="utf-8")
    price = price_of(Project(here), "openai/m", None, sold_as)
    assert isinstance(price, Price)
    return Budget(limit, WorstCase(price))


def test_one_budget_for_all(here: Path) -> None:
    async def work() -> None:
        shared = Coordinator(budget(here, 1.0))
        first = await shared.reserve(0, 0.6)
        waiting = asyncio.create_task(shared.reserve(1, 0.6))
        await asyncio.sleep(0.01)
        assert isinstance(first, int) and not waiting.done()
        await shared.settle(first, Usage(input_tokens=100_000, output_tokens=0))  # USD 0.1
        second = await waiting
        assert isinstance(second, int)
        # The process of part 1 died: its call may have been billed, and the rest waits for nobody.
        assert await shared.begin(1) == 1
        assert "one more call could cost up to" in str(await shared.reserve(0, 0.4))
        third = await shared.reserve(0, 0.3)
        assert isinstance(third, int)
        await shared.release(third)
        assert isinstance(await shared.reserve(0, 0.3), int)

    asyncio.run(work())


def test_the_first_reason_to_stop_counts() -> None:
    async def work() -> None:
        shared = Coordinator(None)
        assert await shared.why() is None
        waiting = asyncio.create_task(shared.stopped())
        await shared.stop("FatalError", "no such key")
        await shared.stop("Unfinished", "later")
        assert await waiting == await shared.why() == ("FatalError", "no such key")
        assert [await shared.begin(3) for _ in range(3)] == [1, 2, 3]

    asyncio.run(work())


def test_a_block_says_where_its_file_ends_and_what_is_no_table(here: Path) -> None:
    path = write_rows(here / "pairs.csv", [*rows(2), ("", "tent", "tent", 1, "", "")])
    cells = list(ray_files._cells(path, "asked.csv", Input()))
    assert [one["kind"] for one in cells] == ["row", "row", "faults", "end"]
    assert cells[0]["where"] == "asked.csv, line 2" and "asked.csv, line 4" in cells[2]["faults"]
    made = ray_files._row_of({"position": None, "stratum": None, **cells[1]})
    assert (made.item, made.pair.query, made.weight) == ("p1", rows(2)[1][1], 2.0)
    assert made.pair.digest == made.pair.model_copy().digest == cells[1]["digest"]
    (here / "odd.csv").write_text("a,b\n1,2\n", encoding="utf-8")
    (odd,) = ray_files._cells(here / "odd.csv", "odd.csv", Input())
    assert odd["kind"] == "no table" and "query" in odd["faults"]
    (gone,) = ray_files._cells(here / "gone.csv", "gone.csv", Input())
    assert "no such file" in gone["faults"] and str(here) not in gone["faults"]


def again(record: Record, value: int) -> Record:
    """The next answer to the same question."""
    grade = Grade(value=value, reasoning="again", clauses=())
    return record_of(record.example, 0, record.pair, Answered(grade))


@pytest.mark.slow
def test_a_kill_at_any_step_takes_no_answer_and_no_call_over_twice(begun: Path) -> None:
    with AnswerStore(begun / STORE) as store:
        first, other = answer(store, "p0", 0), answer(store, "p1")
    # The process of the part died in between: its next one asked the first question once more.
    left_behind(begun, first, other, again(first, 2))
    left_behind(begun, number=3)
    steps = 0
    saved = shutil.copytree(begun, begun.with_name("saved"))
    while True:
        steps += 1
        shutil.rmtree(begun)
        shutil.copytree(saved, begun)
        killed = forked(lambda: dies_at(begun, steps)) == KILLED  # noqa: B023 - it is run at once
        with AnswerStore(begun / STORE) as store:
            join_parts(begun, store)
            assert (store.count, store.failures) == (2, 0)
            bodies = Counter(record.model_dump_json() for record in store.records())
        assert sorted(bodies.values()) == [1, 1, 1], steps
        calls = (begun / CALLS).read_text("utf-8").splitlines()
        assert len(calls) == 2, steps
        assert not (begun / PARTS).exists()
        if not killed:
            break
    assert steps > 15


KILLED = 71


def dies_at(folder: Path, step: int) -> None:
    """Take the parts over in a process that dies at a step: before it opens, renames or deletes a file."""
    left = [step]

    def die(event: str, _: object) -> None:
        if event in ("open", "os.rename", "os.remove", "os.rmdir", "shutil.rmtree"):
            left[0] -= 1
            if not left[0]:
                os._exit(KILLED)

    with AnswerStore(folder / STORE) as store:
        sys.addaudithook(die)
        calls = CallLog(folder)
        for number in (3, 0):  # as actors are done with them
            join_part(part_folder(folder, number), store, calls)


def test_a_part_is_taken_over_whole_or_not_at_all(begun: Path) -> None:
    with AnswerStore(begun / STORE) as store:
        known = answer(store, "p0")
        part = left_behind(begun, known, known.model_copy(update={"example": "p99"}))
        with pytest.raises(BadInput, match="has no such pair"):
            join_parts(begun, store)
        assert store.count == 0 and not list(store.records())
        (part / "records.jsonl").write_text("no record\n", encoding="utf-8")
        with pytest.raises(BadInput, match="not a record"):
            join_parts(begun, store)
        assert part.exists()


def test_a_damaged_mark_of_the_calls_is_refused(begun: Path) -> None:
    part = left_behind(begun)
    (part / TAKEN_AT).write_text("-1", encoding="utf-8")
    with AnswerStore(begun / STORE) as store, pytest.raises(BadInput, match="is damaged"):
        join_parts(begun, store)
    assert (part / CALLS).exists()


def test_a_part_has_the_texts_of_the_store(begun: Path) -> None:
    with AnswerStore(begun / STORE) as store:
        asked = [(one.id, one.pair, one.pair.digest) for one in store]
        store.append(answer(store, "p1"))
        lost = record_of("p4", 0, asked[4][2], Answered(Failed(detail="gone")))
        store.append(lost)
        assert lay_out(begun, store, 5) == 2
        found = [one for number in (0, 1) for one in PartItems(part_folder(begun, number))]
        assert [one.id for one in found] == ["p0", "p2", "p3", "p4", "p5", "p6", "p7"]
        made = [(one.id, Pair.model_validate(one.pair.data()), one.pair.digest) for one in found]
        assert made == [one for one in asked if one[0] != "p1"]
        assert all(one[1].digest == one[2] for one in made)
        # What an actor writes is what the store has of it, byte for byte.
        with part_log(part_folder(begun, 0)) as log:
            log.append(again(lost, 2))
        line = (part_folder(begun, 0) / "records.jsonl").read_text("utf-8").rstrip("\n")
        assert join_parts(begun, store) == 1
        ((body,),) = store.fetch("SELECT body FROM answers WHERE pair = 5")
        assert body == line == stored_text(Record.model_validate_json(line))
        store.append(lost.model_copy(update={"example": "p6", "pair": asked[6][2]}))
        assert lay_out(begun, store, 5, only_failed=True) == 1
        assert [one.id for one in PartItems(part_folder(begun, 0))] == ["p6"]


def test_actors_say_how_far_they_are() -> None:
    async def work() -> None:
        shared = Coordinator(None)
        for part in (0, 1):
            await shared.begin(part)
        await shared.answered(0, 40)
        await shared.answered(1, 2)
        await shared.answered(0, 50)
        assert await shared.under_way() == 52
        await shared.taken(0)
        assert await shared.under_way() == 2
        # What was under way when the part was taken over comes too late.
        await shared.answered(0, 50)
        assert await shared.under_way() == 2

    asyncio.run(work())


def test_actors_are_those_of_ray(here: Path) -> None:
    write_project(here)
    write_rows(here / "pairs.csv", rows(2))
    ended = label(None, "pairs.csv", "--unproven", "--actors", "2", model="builtin/lexical")
    assert (ended.code, "--actors goes with --engine ray" in ended.err) == (2, True)


@given(st.binary(max_size=40), st.lists(st.integers(0, 50), max_size=6))
def test_the_beginnings_of_a_file_have_the_digests_of_its_first_bytes(
    content: bytes, sizes: list[int]
) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "f")
        path.write_bytes(content)
        wanted = {size: digest_bytes(content[:size]) for size in sizes if size <= len(content)}
        assert digest_of_beginnings(path, sizes) == wanted


def test_an_actor_collects_cycles_as_rarely_as_the_command() -> None:
    before = gc.get_threshold()
    gc.set_threshold(700, 10, 10)
    try:
        PartAsker(None, None)._loop.close()  # type: ignore[arg-type]
        assert gc.get_threshold() == (100_000, 20, 100)
    finally:
        gc.set_threshold(*before)


def test_a_part_that_was_taken_over_is_not_asked_again(tmp_path: Path) -> None:
    """Where a process dies, Ray does a part again that it had done; a folder that no one sees is a fault."""
    order = Order(None, tmp_path / "L", None, None, None, None, "")  # type: ignore[arg-type]
    asker, heard = PartAsker(order, None), Heard()
    with pytest.raises(BadInput, match="every machine of the cluster has to see"):
        asker._loop.run_until_complete(asker._ask(0, heard))
    (tmp_path / "L").mkdir()
    asker._loop.run_until_complete(asker._ask(0, heard))
    asker._loop.close()
    assert heard.count == 0
