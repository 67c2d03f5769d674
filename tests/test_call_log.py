"""What may have been billed without an answer is on the disk: no later process spends that money again."""

import json
import os
import signal
import time
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from batched import Session, begin, made, session
from builders import Ended, harness, reply, write_project
from fault_server import FaultServer, Turn, error, fault_server, graded
from forked import alive, ended, started
from oracle import DEV, KEYS, ask, only_run, right

from harness.demo.batch_lines import Fate
from harness.demo.wire import Tokens
from harness.errors import BadInput
from harness.grading.budget import OverBudget
from harness.grading.job import Limits
from harness.nouns.records import Failed, Grade, Key, Record, Ungraded
from harness.runs.call_log import CALLS, Call, CallLog, unanswered_calls
from harness.runs.folder import load_run, open_run
from harness.runs.paid import PaidAnswers
from harness.score.reading import read_run

PRICES = '[models."openai/m"]\ninput = 1.0\noutput = 1.0\n'
LIMIT = 0.12
"""USD: a call costs at most about 0.017 here."""
SILENT = Turn(silent=True)


def priced(here: Path) -> Path:
    write_project(here)
    (here / "prices.toml").write_text(PRICES, encoding="utf-8")
    return here


def calls(here: Path) -> list[Call]:
    lines = (only_run(here) / CALLS).read_text("utf-8").splitlines()
    return [Call.model_validate_json(line) for line in lines]


def resumed(server: FaultServer, *words: str) -> Ended:
    return harness("eval", "--resume", "latest", "--base-url", server.url, "--no-cache", *words, **KEYS)


def spending(words: tuple[str, ...] = ("runs", "show", "latest", "--json")) -> dict[str, Any]:
    found: dict[str, Any] = harness(*words).json["spending"]
    return found


# --- one process after the other ----------------------------------------------------------------------


def killed(server: FaultServer, in_flight: int, *, signals: int, again: bool) -> None:
    """A process that ends with calls in flight: by kill -9, or by so many times Ctrl-C."""
    what = ("--resume", "latest") if again else ("--policy", "small", "--model", "openai/m")
    more = ("--base-url", server.url, "--no-cache", "--max-cost", str(LIMIT), "--max-connections", "2")

    def command() -> None:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        harness("eval", *what, *more)

    before, copy = len(server.requests), started(command)
    while len(server.requests) < before + in_flight and alive(copy):
        time.sleep(0.01)
    for _ in range(signals):
        os.kill(copy, signal.SIGINT)
        time.sleep(0.5)
    os.kill(copy, signal.SIGKILL)
    ended(copy)


@pytest.mark.slow
@pytest.mark.usefixtures("no_waiting")
def test_resumes_together_never_send_what_could_pass_the_limit(here: Path) -> None:
    """Two calls killed, one interrupted, some dropped: with every resume there is less to spend."""
    priced(here)
    answered: list[int] = []

    def script(number: int, body: dict[str, Any]) -> Turn:
        if number == 0:
            answered.append(number)
            return right(number, body)
        return SILENT if number < 4 else Turn(drop=True)

    with fault_server(script) as server:
        killed(server, 3, signals=0, again=False)
        killed(server, 1, signals=2, again=True)
        assert len(server.requests) == len(calls(here)) == 4
        ended = [resumed(server, "--max-cost", str(LIMIT)) for _ in range(3)]
        sent = [call for call in calls(here) if not call.free]
        assert len(sent) == len(server.requests) > 4
        most = sum(call.worst or 0 for call in sent[len(answered) :])
        paid = sum(record.cost or 0 for record in load_run(only_run(here)).each_record())
        assert 0 < paid < 0.001
        assert LIMIT - 0.018 < paid + most <= LIMIT
        assert [one.code for one in ended] == [4, 4, 4]
        assert "on calls without an answer" in ended[-1].err
        assert spending()["lost"] == pytest.approx(most)
        assert spending()["lost_calls"] == len(sent) - 1


def test_call_that_was_answered_later_is_not_counted_for_its_answer(here: Path) -> None:
    priced(here)
    with fault_server(lambda number, body: SILENT if number == 1 else right(number, body)) as server:
        killed(server, 2, signals=0, again=False)
        ended = resumed(server, "--max-cost", "9")
    assert ended.code == 0
    found = spending()
    # The killed calls are still open, at most two of them: the rest were answered.
    assert found["lost_calls"] == len(calls(here)) - len(DEV) in (1, 2)
    assert found["lost"] == pytest.approx(
        sum(call.worst or 0 for call in calls(here)[:1]) * found["lost_calls"], rel=0.1
    )
    shown = harness("runs", "show", "latest").out
    assert "more may have been billed without an answer, for " in shown and "At most $0.0" in shown


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("turn", [error(429), error(400), error(401)])
def test_call_that_was_refused_costs_nothing(here: Path, turn: Turn) -> None:
    priced(here)
    with fault_server(lambda number, body: turn if number == 1 else right(number, body)) as server:
        ask(server, "--no-cache", "--max-connections", "1")
    free = [call for call in calls(here) if call.free]
    assert len(free) == 1
    assert (spending()["lost_calls"], spending()["lost"]) == (0, 0)
    assert "may have been billed" not in harness("runs", "show", "latest").out


@pytest.mark.usefixtures("no_waiting")
@pytest.mark.parametrize("status", [422, 500])
def test_error_that_counts_its_tokens_costs_what_they_cost(here: Path, status: int) -> None:
    """In the process that asks, and in the next one, which has the log alone."""
    priced(here)
    usage = {"prompt_tokens": 4_000, "completion_tokens": 1_000}
    broken = Turn(json.dumps({"error": {"message": "no"}, "usage": usage}), status)
    with fault_server(lambda number, body: broken if number == 1 else right(number, body)) as server:
        # A call at its worst, 0.017, would leave no room for another one.
        ended = ask(server, "--no-cache", "--max-connections", "1", "--max-cost", "0.025")
        assert ended.code == (4 if status == 422 else 0), ended.err
        assert (spending()["lost_calls"], spending()["lost"]) == (1, pytest.approx(0.005))
        (counted,) = [call for call in calls(here) if call.counted]
        assert (counted.worst, counted.input_tokens, counted.output_tokens) == (0.005, 4_000, 1_000)
        assert resumed(server, "--max-cost", "0.025").code == 0
    assert spending()["lost"] == pytest.approx(0.005)


@pytest.mark.usefixtures("no_waiting")
def test_amount_is_unknown_where_an_old_version_made_calls_that_no_log_has(here: Path) -> None:
    priced(here)
    with fault_server(lambda number, body: error(500) if number == 1 else right(number, body)) as server:
        ask(server, "--no-cache", "--max-connections", "1")
    assert spending()["lost"] is not None
    path = only_run(here) / "records.jsonl"
    lines = [json.loads(line) for line in path.read_text("utf-8").splitlines()]
    lines[-1]["attempts"] = 3
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    assert (spending()["lost_calls"], spending()["lost"]) == (3, None)


@pytest.mark.usefixtures("no_waiting")
def test_server_that_is_not_there_bills_nothing(here: Path) -> None:
    priced(here)
    with fault_server(right) as server:
        gone = server.url
    assert harness("eval", "--policy", "small", "--model", "openai/m", "--base-url", gone, **KEYS).code == 4
    assert (spending()["lost_calls"], spending()["lost"]) == (0, 0)


@pytest.mark.usefixtures("no_waiting")
def test_unknown_price_makes_an_unknown_amount_until_a_price_is_given(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(500) if number == 1 else right(number, body)) as server:
        ask(server, "--no-cache", "--max-connections", "1")
        assert (spending()["lost_calls"], spending()["lost"]) == (1, None)
        shown = " ".join(harness("runs", "show", "latest").out.split())
        assert "An unknown amount may have been billed without an answer, for 1 call." in shown
        (here / "prices.toml").write_text(PRICES, encoding="utf-8")
        ended = resumed(server, "--max-cost", "0.001")
        assert ended.code == 0, "all was answered: there is nothing to hold back"


def test_graders_that_cost_nothing_have_no_log(here: Path) -> None:
    write_project(here)
    harness("eval", "--policy", "small", "--model", "builtin/majority")
    assert not (only_run(here) / CALLS).exists()
    assert (spending()["lost_calls"], spending()["lost"]) == (None, None)


def test_answer_to_a_prompt_that_was_cut_is_kept_and_counted(here: Path) -> None:
    priced(here)
    (here / "prompts/teacher/v1/system.j2").write_text("{{ policy.goal }} " * 99, encoding="utf-8")
    with fault_server(lambda number, body: graded(tokens=Tokens(new=20, out=1_000))) as server:
        ended = ask(server, "--max-cost", "1")
        assert (ended.code, len(server.requests)) == (4, 1)
        assert "it cut the prompt" in ended.err
        (record,) = load_run(only_run(here)).each_record()
        assert isinstance(record.outcome, Failed) and record.reply is not None
        usage = record.reply.usage
        assert usage is not None and record.cost == (usage.input_tokens + usage.output_tokens) / 1e6 > 0.001
        assert (spending()["cost"], spending()["lost_calls"]) == (record.cost, 0)
        # The next process knows: room for one call, less what the first answer cost.
        worst = max(call.worst or 0 for call in calls(here))
        assert resumed(server, "--max-cost", str(worst + 0.0005)).code == 4
        assert len(server.requests) == 1


# --- batches ------------------------------------------------------------------------------------------

HALF_PRICES = PRICES + "batch = 0.5\n"


@pytest.fixture
def small(here: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, key in KEYS.items():
        monkeypatch.setenv(name, key)
    write_project(here)
    (here / "prices.toml").write_text(HALF_PRICES, encoding="utf-8")
    return here


def lost_in(at: Session) -> tuple[int | None, float | None]:
    found = read_run(open_run(at.folder)).spending
    return found.lost_calls, found.lost


def worst_of(at: Session) -> float:
    """What one question of a batch can cost at most."""
    calls = map(Call.model_validate_json, (at.folder / CALLS).read_text("utf-8").splitlines())
    return max(call.worst or 0 for call in list(calls)[1:])


def test_answers_of_batches_leave_nothing_open(small: Path) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, "openai/m")
    assert lost_in(at) == (0, 0)
    assert worst_of(at) < 0.01, "the price of a batch"


def retry(most: float) -> Limits:
    return Limits(cache=False, only_failed=True, max_cost=most)


def test_batch_whose_results_are_gone_counts_in_the_next_session(small: Path) -> None:
    with fault_server(right, [Fate(gone=True)]) as server:
        at = session(small, server.url, "openai/m")
        count = len(DEV) - 1
        assert at.outcomes()["failed"] == count
        calls, lost = lost_in(at)
        assert calls == count and lost is not None
        # Read again, it counts once.
        room = 0.02 + lost + worst_of(at)
        with pytest.raises(OverBudget, match="on calls without an answer"):
            session(small, server.url, "openai/m", at, retry(lost + worst_of(at) / 2))
        again = session(small, server.url, "openai/m", at, retry(room + lost))
        assert len(made(server)) == 2
    assert again.outcomes()["grade"] == len(DEV)
    # Paid for twice, and answered once. One was answered live, and its dearer call is taken to be lost.
    calls_now, lost_now = lost_in(again)
    assert calls_now == calls
    assert lost_now == pytest.approx(lost + 0.0089, abs=0.0001)


def test_expired_part_of_a_batch_costs_nothing(small: Path) -> None:
    with fault_server(right, [Fate("expired", answered=4)]) as server:
        at = session(small, server.url, "openai/m")
    assert at.outcomes()["failed"] == len(DEV) - 5
    assert lost_in(at) == (0, 0)


def test_batch_that_may_have_arrived_counts_where_the_server_lists_none(small: Path) -> None:
    def control(call: str) -> Turn | None:
        return error(404, "not_found_error") if call.startswith("GET") and call.endswith("/batches") else None

    def stop(at: Session) -> None:
        raise KeyboardInterrupt

    with fault_server(right, [Fate(lost=True)], control) as server:
        at = begin(small, server.url, "openai/m")
        with pytest.raises(KeyboardInterrupt):
            session(small, server.url, "openai/m", at, nap=stop)
        again = session(small, server.url, "openai/m", at)
    assert again.outcomes()["grade"] == len(DEV)
    assert lost_in(again)[0] == len(DEV) - 1


def test_line_that_cannot_be_read_is_counted_until_it_is(small: Path) -> None:
    spoiled = [True]

    def spoil(lines: list[str]) -> list[str]:
        return ["{", *lines[1:]] if spoiled else lines

    with fault_server(right, [Fate(spoil=spoil)]) as server:
        at = session(small, server.url, "openai/m")
        assert lost_in(at)[0] == 1
        spoiled.clear()
        again = session(small, server.url, "openai/m", at)
    assert again.outcomes()["grade"] == len(DEV)
    assert lost_in(again) == (0, 0)


# --- the file -----------------------------------------------------------------------------------------


def call(example: str, worst: float = 1.0, *, free: bool = False) -> Call:
    return Call(example=example, worst=worst, free=free)


def logged(folder: Path, *lines: Call) -> Path:
    log = CallLog(folder)
    for line in lines:
        log.add(line)
    log.close()
    return folder


def left_in(folder: Path, answers: dict[Key, int] | None = None) -> list[Call]:
    return unanswered_calls(folder, Counter(answers)).calls


def test_calls_without_an_answer_are_those_left_over(tmp_path: Path) -> None:
    logged(tmp_path, call("a"), call("b"), call("a", 2.0), call("b", free=True), call("b"), call("c"))
    found = left_in(tmp_path)
    assert sorted(found, key=str) == [call("a"), call("a", 2.0), call("b"), call("c")]
    # It is not known which of two was answered: the amount is the most that it can be.
    assert left_in(tmp_path, {("a", 0): 1, ("b", 0): 1, ("c", 0): 1}) == [call("a", 2.0)]
    assert len(left_in(tmp_path, {("a", 0): 1, ("b", 0): 1, ("c", 0): 5})) == 1
    # Refused, then answered: nothing is left, in whichever order the answers are used up.
    (tmp_path / CALLS).unlink()
    again = logged(tmp_path, call("a"), call("a", free=True), call("a"))
    assert left_in(again, {("a", 0): 1}) == []


def test_log_cut_off_at_any_byte_goes_on_and_loses_no_whole_line(tmp_path: Path) -> None:
    whole = logged(tmp_path, call("a"), call("b")) / CALLS
    content = whole.read_bytes()
    for size in range(len(content) + 1):
        whole.write_bytes(content[:size])
        kept = content[:size].count(b"\n")
        assert len(left_in(tmp_path)) == kept
        logged(tmp_path, call("c"))
        assert [one.example for one in left_in(tmp_path)] == [*"ab"[:kept], "c"]


def test_damaged_log_is_said_and_a_run_without_one_has_lost_nothing(tmp_path: Path) -> None:
    assert left_in(tmp_path) == []
    (tmp_path / CALLS).write_text('{"example": "a"}\n{"example": \n', encoding="utf-8")
    with pytest.raises(BadInput, match="line 2, not a call") as found:
        left_in(tmp_path)
    assert "the file is damaged" in str(found.value)


@pytest.mark.parametrize(
    "field", ['"worst": -1000', '"worst": 1e999', '"input_tokens": -5', f'"output_tokens": {"9" * 401}']
)
def test_log_that_would_lift_the_limit_is_damaged(tmp_path: Path, field: str) -> None:
    (tmp_path / CALLS).write_text('{"example": "a", ' + field + "}\n", encoding="utf-8")
    with pytest.raises(BadInput, match="line 1, not a call"):
        left_in(tmp_path)


# --- the records --------------------------------------------------------------------------------------


def test_answer_that_a_second_record_includes_is_paid_for_once() -> None:
    first = reply("I cannot say.")
    one = {"example": "a", "pair": "p", "at": "", "seconds": 1.0}
    asked = Record(**one, outcome=Ungraded(cause="no_answer"), reply=first, attempts=1, cost=1.0)
    good = Grade(value=1, reasoning="", clauses=())
    again = Record(**one, outcome=good, reply=reply("ok"), unread=first, attempts=2, cost=3.0)
    stuck = Record(**one, outcome=asked.outcome, reply=first, attempts=2, cost=1.0)
    other = Record(**one, outcome=good, reply=reply("ok"), attempts=1, cost=1.0)
    failed = Record(**one, outcome=Failed(detail="gone"), attempts=6)
    for records, cost, answers in (
        ([asked, again], 3.0, 2),
        ([asked, stuck], 1.0, 1),
        ([asked, other], 2.0, 2),
        ([failed, other], 1.0, 1),
    ):
        paid = PaidAnswers()
        total = sum(sign * (found.cost or 0) for record in records for sign, found in paid.take(record))
        assert (total, paid.answers["a", 0]) == (cost, answers)
