"""The engine's parts by themselves, and what they promise together against a server that misbehaves."""

import asyncio
import json
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from builders import examples, harness, write_golden, write_project
from fault_server import FaultServer, Turn, completion, error, fault_server, graded, item_of
from hypothesis import given
from hypothesis import strategies as st
from oracle import DEV, KEYS, ask, only_run, right

from harness.errors import FatalError, TransientError, Unfinished
from harness.grading.live import breaker as breaker_module
from harness.grading.live.breaker import Breaker
from harness.grading.live.pace import CALM, START, Pace
from harness.grading.live.pool import Pool
from harness.grading.stop import DrainedError, Stop
from harness.nouns.records import Failed
from harness.runs.folder import load_run


class Clock:
    """Time that passes when a test says so."""

    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


# --- pace -------------------------------------------------------------------------------------------


def clean_round(pace: Pace) -> None:
    for _ in range(pace.limit):
        pace.answered(pace.limit)


def test_limit_doubles_with_every_clean_round_up_to_what_was_asked_for() -> None:
    pace = Pace(64)
    seen = [pace.limit]
    for _ in range(4):
        clean_round(pace)
        seen.append(pace.limit)
    assert seen == [START, 40, 64, 64, 64]
    assert Pace(4).limit == 4


def test_rate_limit_cuts_by_a_fifth_once_in_a_while_and_growth_is_slow_from_then_on() -> None:
    clock, said = Clock(), list[str]()
    pace = Pace(200, said.append, clock)
    pace.turned_away()
    pace.turned_away()
    assert pace.limit == 16
    clock.now = CALM
    pace.turned_away()
    assert pace.limit == 12
    clean_round(pace)
    assert pace.limit == 13
    assert said == [
        "connections 20 -> 16: the server's rate limit",
        "connections 16 -> 12: the server's rate limit",
        "connections 12 -> 13: a clean round",
    ]


def test_fault_of_the_server_begins_the_round_anew_and_cuts_nothing() -> None:
    pace = Pace(200)
    for _ in range(START - 1):
        pace.answered(START)
    pace.failed()
    pace.answered(START)
    assert pace.limit == START


def test_connections_that_lie_idle_prove_nothing() -> None:
    pace = Pace(200)
    for _ in range(100):
        pace.answered(START // 2)
    assert pace.limit == START


@given(st.lists(st.sampled_from(["answered", "failed", "turned_away"]), max_size=300), st.integers(1, 300))
def test_limit_stays_between_one_and_what_was_asked_for(events: list[str], most: int) -> None:
    clock = Clock()
    pace = Pace(most, clock=clock)
    for event in events:
        clock.now += 5
        pace.answered(pace.limit) if event == "answered" else getattr(pace, event)()
        assert 1 <= pace.limit <= most


# --- breaker ----------------------------------------------------------------------------------------

GONE = TransientError("gone")


def test_silence_with_faults_ends_the_run_and_an_answer_begins_it_anew() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    for _ in range(100):
        breaker.failed(GONE, 8)
    clock.now = breaker_module.SILENCE - 1
    breaker.failed(GONE, 8)
    breaker.answered()
    clock.now += breaker_module.SILENCE
    breaker.failed(GONE, 8)
    clock.now += breaker_module.SILENCE
    for _ in range(14):
        breaker.failed(GONE, 8)
    with pytest.raises(Unfinished, match="no answer for 30 s, in 16 attempts: gone"):
        breaker.failed(GONE, 8)


def test_server_that_only_asks_for_patience_is_given_more() -> None:
    clock = Clock()
    breaker = Breaker(clock)
    busy = TransientError("rate limit", busy=True)
    for _ in range(100):
        breaker.failed(busy, 8)
    clock.now = breaker_module.PATIENCE - 1
    breaker.failed(busy, 8)
    breaker.failed(GONE, 8)  # one fault among many waits ends nothing
    clock.now += 1
    with pytest.raises(Unfinished):
        breaker.failed(busy, 8)


# --- pool and stop ----------------------------------------------------------------------------------


def pooled(work: Callable[[int, Pool[int], Stop], Any], most: int = 8, n: int = 200) -> list[int]:
    """What was done of a stream of numbers."""
    done: list[int] = []

    async def run() -> None:
        stop = Stop()

        async def one(number: int) -> None:
            await work(number, pool, stop)
            done.append(number)

        pool: Pool[int] = Pool(iter(range(n)), one, Pace(most), stop)
        await pool.run()

    asyncio.run(run())
    return done


def test_pool_does_everything_once_with_as_many_workers_as_the_pace_allows() -> None:
    most = 0

    async def work(number: int, pool: Pool[int], stop: Stop) -> None:
        nonlocal most
        most = max(most, pool.working)
        await asyncio.sleep(0.0001)

    assert sorted(pooled(work)) == list(range(200))
    assert most == 8


def test_what_ends_the_run_lets_the_others_finish_and_starts_none() -> None:
    begun: list[int] = []

    async def work(number: int, pool: Pool[int], stop: Stop) -> None:
        begun.append(number)
        if number == 3:
            await asyncio.sleep(0.001)
            raise FatalError("no key")
        await asyncio.sleep(0.01)

    with pytest.raises(FatalError, match="no key"):
        pooled(work)
    assert begun == list(range(8))


def test_mistake_of_ours_is_not_hidden_in_a_group() -> None:
    async def work(number: int, pool: Pool[int], stop: Stop) -> None:
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        pooled(work)


def test_wait_ends_with_the_run() -> None:
    async def run() -> float:
        stop = Stop()
        asyncio.get_running_loop().call_later(0.01, stop.call, FatalError("no key"))
        began = time.monotonic()
        with pytest.raises(DrainedError):
            await stop.sleep(60)
        return time.monotonic() - began

    assert asyncio.run(run()) < 5


# --- together ---------------------------------------------------------------------------------------


def faulty(share: float, seed: int = 1) -> Callable[[int, dict[str, Any]], Turn]:
    """A good answer, but for a share of requests that fail in mixed ways."""
    draw = random.Random(seed)
    ways = [
        error(429, "rate_limit_exceeded", retry_after="0"),
        error(500),
        error(529, "overloaded_error"),
        Turn(drop=True),
        Turn("<html>busy</html>"),
        Turn('{"choices": [{"mess'),
        completion("I cannot say."),
        completion(None, refusal="no"),
        error(400, "invalid_request_error", "too long"),
    ]

    def script(number: int, body: dict[str, Any]) -> Turn:
        return draw.choice(ways) if number > 2 and draw.random() < share else graded(1)

    return script


@pytest.mark.usefixtures("no_waiting")
def test_every_example_ends_in_one_outcome_where_a_third_of_the_requests_fail(here: Path) -> None:
    golden = examples(queries=80)
    write_project(here, golden=golden)
    dev = {line["id"] for line in golden if line["split"] == "dev"}
    with fault_server(faulty(0.3)) as server:
        ended = ask(server, "--json")
    run = load_run(only_run(here))
    assert {example for example, _ in run.records} == dev
    assert sum(ended.json["outcomes"].values()) == len(dev)
    outcomes = [record.outcome for record in run.records.values()]
    # Only what the server says for good stays without a grade, and the outcome says why.
    assert {outcome.kind for outcome in outcomes} == {"grade", "ungraded", "failed"}
    failed = [outcome.detail for outcome in outcomes if isinstance(outcome, Failed)]
    assert all("the server rejected the request (400)" in detail for detail in failed)


def count_of(server: FaultServer) -> Iterator[int]:
    """How many requests came since the last time."""
    before = 0
    while True:
        now = len(server.requests)
        yield now - before
        before = now


def test_a_question_is_paid_for_once_across_runs_and_an_edit_asks_what_it_changed(here: Path) -> None:
    write_project(here)
    golden = examples()
    with fault_server(lambda number, body: graded(1)) as server:
        asked = count_of(server)
        assert ask(server).code == 0
        assert next(asked) == len(DEV)
        again = ask(server, "--json")
        assert (again.code, next(asked)) == (0, 0)
        assert all(record.cached_reply for record in load_run(Path(again.json["run"])).records.values())
        assert ask(server, "--no-cache").code == 0
        assert next(asked) == len(DEV)
        # One title: one pair. A grade: none, since no prompt shows it.
        edited = [dict(line) for line in golden]
        at = next(at for at, line in enumerate(edited) if line["split"] == "dev")
        edited[at]["result"] = {"title": "another thing"}
        edited[at + 1]["grade"] = 2 if edited[at + 1]["grade"] != 2 else 0
        write_golden(here, edited)
        assert ask(server).code == 0
        assert next(asked) == 1
        # A parameter, another model, a new prefix: everything.
        assert ask(server, "--temperature", "0.5").code == 0
        assert next(asked) == len(DEV)
        assert ask(server, model="openai/n").code == 0
        assert next(asked) == len(DEV)
        system = here / "prompts/teacher/v1/system.j2"
        system.write_text(system.read_text(encoding="utf-8") + "Be strict.", encoding="utf-8")
        assert ask(server).code == 0
        assert next(asked) == len(DEV)


def test_run_that_asks_anew_does_so_when_it_is_resumed_too(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ask(server)
    stops = {2: error(401)}
    with fault_server(lambda number, body: stops.get(number) or right(number, body)) as server:
        assert ask(server, "--no-cache", "--max-connections", "1").code == 4
    with fault_server(right) as server:
        assert harness("eval", "--resume", "latest", "--base-url", server.url, **KEYS).code == 0
        assert len(server.requests) == len(DEV) - 2


def test_repeats_are_answers_of_their_own(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: graded(number % 3)) as server:
        asked = count_of(server)
        ask(server, "--repeats", "2")
        assert next(asked) == 2 * len(DEV)
        ask(server, "--repeats", "3")
        assert next(asked) == len(DEV)


def test_unreadable_answer_is_kept_and_a_failure_is_not(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        turns = {1: completion(None, refusal="no"), 2: error(400, "x", "too long")}
        return turns.get(number) or right(number, body)

    with fault_server(script) as server:
        ask(server, "--max-connections", "1")
        asked = count_of(server)
        next(asked)
        ended = ask(server, "--json")
        assert next(asked) == 1
    assert ended.json["outcomes"] == {"graded": len(DEV) - 1, "ungraded": 1, "failed": 0}


def test_cache_says_what_it_holds_and_forgets_it(here: Path) -> None:
    write_project(here)
    assert harness("cache", "stats", "--json").json["replies"] == {}
    with fault_server(right) as server:
        ask(server)
    assert harness("cache", "stats", "--json").json["replies"] == {"openai/m": len(DEV)}
    assert f"{len(DEV)} replies" in harness("cache", "stats").out
    assert f"{len(DEV)} replies deleted" in harness("cache", "clear").err
    assert harness("cache", "stats", "--json").json["replies"] == {}


def test_spoiled_cache_is_said_and_can_be_done_without(here: Path) -> None:
    write_project(here)
    (here / "runs/.cache").mkdir()
    (here / "runs/.cache/replies.sqlite3").write_bytes(b"no database at all" * 100)
    with fault_server(right) as server:
        ended = ask(server)
        assert (ended.code, "harness cache clear" in ended.err) == (0, True)
        assert harness("cache", "stats").code == 2
        assert harness("cache", "clear").code == 0
        assert "harness cache clear" not in ask(server).err


def test_builtin_graders_keep_nothing(here: Path) -> None:
    write_project(here)
    assert harness("eval", "--policy", "small").code == 0
    assert not (here / "runs/.cache").exists()


# --- what to ask ------------------------------------------------------------------------------------


def test_chosen_examples_are_graded_alone_and_gate_nothing(here: Path) -> None:
    write_project(here)
    names = [str(line["id"]) for line in DEV[:2]]
    with fault_server(right) as server:
        ended = ask(server, "--only", f"{names[1]}, {names[0]}", "--json")
        assert (ended.code, len(server.requests)) == (0, 2)
        assert ended.json["verdict"] == "inconclusive"
        assert "2 chosen examples" in ended.json["reason"]
        wrong = ask(server, "--only", "nobody,q0-0")
    assert wrong.code == 2
    assert "--only nobody: no such example" in wrong.err
    assert "--only q0-0: is in split shots; the run grades dev" in wrong.err
    for words in (("--only", ""), ("--only", ","), ("--disagreements-of", ""), ("--resume", "")):
        with fault_server(right) as server:
            empty = ask(server, *words)
        assert (empty.code, len(server.requests)) == (2, 0)


def test_disagreements_of_a_run_are_asked_again_by_another_teacher(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: graded(1)) as server:
        ask(server)
        wrong = {line["id"] for line in DEV if line["grade"] != 1}
        ended = ask(server, "--disagreements-of", "latest", "--json", model="openai/n")
        assert {e.id for e in load_run(Path(ended.json["run"])).examples} == wrong
    with fault_server(right) as server:
        ask(server, model="openai/o")
        none = ask(server, "--disagreements-of", "latest")
    assert (none.code, "agrees with every golden grade" in none.err) == (2, True)


def test_only_what_failed_is_tried_again(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        if number == 1:
            return error(400, "x", "too long")
        return error(401) if number >= 4 else right(number, body)

    with fault_server(script) as server:
        assert ask(server, "--max-connections", "1").code == 4
    with fault_server(right) as server:
        ended = harness("eval", "--retry-failed", "--base-url", server.url, "--json", **KEYS)
        assert len(server.requests) == 1
    assert ended.json["outcomes"]["graded"] == 4
    assert ended.code == 4


# --- stopping ---------------------------------------------------------------------------------------


def started(here: Path, server: FaultServer, *words: str) -> "subprocess.Popen[bytes]":
    """`harness eval` in a process of its own, which heeds Ctrl-C as at a terminal."""
    command = [sys.executable, "-m", "harness", "eval", "--policy", "small", "--model", "openai/m"]
    command += ["--base-url", server.url, *words]
    heed = "import signal, os, sys; signal.signal(signal.SIGINT, signal.default_int_handler); "
    heed += "os.execv(sys.executable, sys.argv[1:])"
    return subprocess.Popen(
        [sys.executable, "-c", heed, *command], cwd=here, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )


@pytest.mark.parametrize("name", ["SIGINT", pytest.param("SIGTERM", marks=pytest.mark.slow)])
def test_first_signal_waits_for_what_is_in_flight(here: Path, name: str) -> None:
    write_project(here)
    with fault_server(lambda number, body: graded(wait=0.0 if number < 1 else 0.5)) as server:
        with started(here, server, "--max-connections", "3") as process:
            while len(server.requests) < 4:
                time.sleep(0.01)
            process.send_signal(getattr(signal, name))
            _, err = process.communicate(timeout=30)
        assert process.returncode == 130
        assert b"waiting for 3 answers in flight" in err
        assert f"interrupted with {len(DEV) - 4} answers to go" in err.decode()
        assert len(server.requests) == 4
    lines = (only_run(here) / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert [json.loads(line)["outcome"]["kind"] for line in lines] == ["grade"] * 4


@pytest.mark.slow
def test_second_signal_leaves_at_once(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: graded(wait=0.0 if number < 1 else 20.0)) as server:
        with started(here, server, "--max-connections", "3") as process:
            while len(server.requests) < 4:
                time.sleep(0.01)
            process.send_signal(signal.SIGINT)
            time.sleep(0.5)
            began = time.monotonic()
            process.send_signal(signal.SIGINT)
            _, err = process.communicate(timeout=15)
        assert time.monotonic() - began < 10
        assert process.returncode == 130
        assert b"harness eval --resume" in err
        assert b"Traceback" not in err


# --- what is paid for is kept -------------------------------------------------------------------------


def test_first_answer_is_kept_where_the_run_ends_before_a_second_one(here: Path) -> None:
    write_project(here)

    def script(number: int, body: dict[str, Any]) -> Turn:
        return completion("I cannot say.") if number == 0 else error(401)

    with fault_server(script) as server:
        assert ask(server, "--max-connections", "1").code == 4
        assert len(server.requests) == 2
    (line,) = (only_run(here) / "records.jsonl").read_text(encoding="utf-8").splitlines()
    assert json.loads(line)["outcome"]["cause"] == "no_answer"


@pytest.mark.usefixtures("no_waiting")
def test_examples_that_no_attempt_gets_through_do_not_keep_a_run_from_its_score(here: Path) -> None:
    write_project(here)
    poison = {(line["query"], line["result"]["title"]) for line in DEV[:6]}

    def script(number: int, body: dict[str, Any]) -> Turn:
        pair = item_of(body)
        return error(500) if (pair["query"], pair["result"]["title"]) in poison else right(number, body)

    with fault_server(script) as server:
        ask(server, "--max-connections", "1")
        ended = harness("eval", "--resume", "latest", "--base-url", server.url, "--json", **KEYS)
        if ended.code == 4 and not ended.out:
            ended = harness("eval", "--resume", "latest", "--base-url", server.url, "--json", **KEYS)
    assert ended.code == 4
    assert ended.json["outcomes"] == {"graded": len(DEV) - 6, "ungraded": 0, "failed": 6}


def test_key_that_is_refused_is_tried_once_however_many_wait(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(401)) as server:
        assert ask(server).code == 4
        assert len(server.requests) == 1


def test_half_a_letter_in_an_error_is_no_error_of_ours(here: Path) -> None:
    write_project(here)
    half = Turn('{"error": {"message": "too long: \\ud83d", "code": "x"}}', 400)
    with fault_server(lambda number, body: half if number == 1 else right(number, body)) as server:
        ended = ask(server, "--json", "--max-connections", "1")
    assert (ended.code, ended.json["outcomes"]["failed"]) == (4, 1)


def test_word_that_serves_as_a_key_is_not_taken_out_of_answers(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        words = ("--policy", "small", "--model", "vllm/m", "--base-url", server.url, "--json")
        ended = harness("eval", *words, VLLM_API_KEY="message")
    assert (ended.code, ended.json["accuracy"]) == (0, 1.0)
