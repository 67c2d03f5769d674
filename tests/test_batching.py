"""Batches: nothing is lost and nothing paid twice, however they end and whenever the run stops."""

import asyncio
import json
import os
import signal
import subprocess
import sys
import time
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from batched import Killed, Session, begin, kill, made, paid, session
from builders import example, harness, policy, write_project
from fault_server import FaultServer, Turn, completion, error, fault_server, graded
from oracle import DEV, KEY, KEYS, RIGHT, ask, only_run, right

from harness.comparison.sides import side_of_run
from harness.demo.batch_lines import Fate
from harness.errors import BadInput, FatalError, Unfinished
from harness.grading.batch import session as turns
from harness.grading.batch import submit
from harness.grading.budget import OverBudget, worst_case
from harness.grading.events import EVENTS
from harness.grading.job import Limits
from harness.grading.live.ask import ATTEMPTS
from harness.grading.plan import make_plan
from harness.nouns.records import Failed, Grade, Message, Prompt, Record, Ungraded
from harness.pricing.prices import price_of
from harness.providers import PROVIDERS, batches_of, open_teacher, sold_as
from harness.providers.base import Setup
from harness.providers.served import Served
from harness.report.money import lost_words
from harness.runs.batch_log import BATCHES, BatchLog
from harness.runs.folder import load_run
from harness.runs.manifest import Asked
from harness.runs.record_log import RECORDS, iter_records
from harness.score.reading import read_run
from harness.scorecards.money import Spending
from harness.storage.project import Project

pytestmark = pytest.mark.usefixtures("no_waiting")

BATCHED = [name for name, known in PROVIDERS.items() if known.batches]
ALL = len(DEV)
each = pytest.mark.parametrize("provider", ["openai", "anthropic"])
"""One provider of each batch API."""
every = pytest.mark.parametrize("provider", BATCHED)


@pytest.fixture(autouse=True)
def _keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in KEYS:
        monkeypatch.setenv(variable, KEY)


@pytest.fixture
def small(here: Path) -> Path:
    """The small project."""
    write_project(here)
    return here


def assert_all_right_and_each_paid_once(at: Session, server: FaultServer) -> None:
    assert at.outcomes() == {"grade": ALL, "ungraded": 0, "failed": 0}
    titles = {line["id"]: (line["query"], line["result"]["title"]) for line in DEV}
    for record in at.records.values():
        assert isinstance(record.outcome, Grade)
        assert record.outcome.value == RIGHT[titles[record.example]]
    assert sorted(paid(server)) == sorted(f"{query}: {title}" for query, title in titles.values())
    assert_key_is_nowhere(at)


def assert_key_is_nowhere(at: Session) -> None:
    assert KEY not in "".join(at.said_)
    for path in at.folder.iterdir():
        assert KEY not in path.read_text(encoding="utf-8")


# --- the command ---------------------------------------------------------------------------------


@every
def test_command_grades_by_batch_and_scores(
    small: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "QUICKEST", 0.01)
    with fault_server(right) as server:
        ended = ask(server, "--batch", "--json", model=f"{provider}/m")
    assert (ended.code, ended.json["accuracy"], len(server.requests)) == (0, 1.0, 1)
    assert f"{ALL - 1} questions submitted" in ended.err
    assert load_run(only_run(small)).manifest.asked.batch


@pytest.mark.parametrize("model", ["builtin/lexical", "vllm/m", "openai-decisions/m"])
def test_command_refuses_a_batch_where_there_is_none_and_leaves_no_folder(small: Path, model: str) -> None:
    ended = harness("eval", "--policy", "small", "--model", model, "--batch", **KEYS)
    assert (ended.code, "has no batch API" in ended.err) == (2, True)
    assert not list((small / "runs").iterdir())


# --- how they go ---------------------------------------------------------------------------------


@every
def test_every_question_is_answered_one_live_and_the_rest_in_a_batch(small: Path, provider: str) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, f"{provider}/m")
    assert_all_right_and_each_paid_once(at, server)
    assert (len(server.requests), made(server)) == (1, [ALL - 1])
    assert len(at.told) == ALL
    assert any(f"{ALL - 1} questions submitted" in line for line in at.said_)
    assert {record.attempts for record in at.records.values()} == {1}


@every
def test_records_are_those_of_a_live_run(small: Path, provider: str) -> None:
    model = f"{provider}/m"
    with fault_server(right) as server:
        at = session(small, server.url, model)
    with fault_server(right) as server:
        live = _live(small, server.url, model)
    assert _plain(at.records.values()) == _plain(live.values())


def _live(here: Path, url: str, model: str) -> dict[Any, Record]:
    ended = harness("eval", "--policy", "small", "--model", model, "--base-url", url, "--json", **KEYS)
    return {record.key: record for record in iter_records(Path(ended.json["run"]))}


def _plain(records: Any) -> list[dict[str, Any]]:
    """Records without what the clock says."""
    found = [record.model_dump(exclude={"at", "seconds"}) for record in records]
    return sorted(found, key=lambda record: str(record["example"]))


@each
def test_repeats_are_questions_too(small: Path, provider: str) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, f"{provider}/m", repeats=2)
    assert {repeat for _, repeat in at.records} == {0, 1}
    assert (len(at.records), at.outcomes()["grade"], len(paid(server))) == (2 * ALL, 2 * ALL, 2 * ALL)


@each
def test_lines_in_any_order_twice_or_of_nobody_do_no_harm(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(odd=True)]) as server:
        at = session(small, server.url, f"{provider}/m")
    assert_all_right_and_each_paid_once(at, server)


@each
def test_looks_become_rarer_up_to_a_limit(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(looks=14)]) as server:
        at = session(small, server.url, f"{provider}/m")
    assert at.waits[:3] == [5.0, 7.5, 11.25]
    assert (len(at.waits), at.waits[-1]) == (14, turns.SLOWEST)
    assert sorted(at.waits) == at.waits
    # What is said is said once, however often it is looked at.
    assert len(at.said_) == len(set(at.said_))


@each
def test_batch_is_no_larger_than_the_api_takes(
    small: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "MOST", 4)
    with fault_server(right) as server:
        at = session(small, server.url, f"{provider}/m")
    assert_all_right_and_each_paid_once(at, server)
    assert made(server) == [4, 4, 3]


@each
def test_batch_has_no_more_bytes_than_the_api_takes(
    small: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(submit, "LARGEST", 6000)
    with fault_server(right) as server:
        at = session(small, server.url, f"{provider}/m")
    assert_all_right_and_each_paid_once(at, server)
    assert server.desk is not None
    sizes = [sum(len(json.dumps(body)) for _, body in made.requests) for made in server.desk.made.values()]
    assert len(sizes) > 1
    assert max(sizes) < 6000


@every
def test_what_the_server_does_not_take_is_found_out_before_anything_is_handed_over(
    small: Path, provider: str
) -> None:
    def plain(number: int, body: dict[str, Any]) -> Turn:
        schema = "json_schema" in json.dumps(body)
        return error(400, message="json_schema is not supported") if schema else right(number, body)

    with fault_server(plain) as server:
        at = session(small, server.url, f"{provider}/m")
    assert at.outcomes()["grade"] == ALL
    assert server.desk is not None
    assert not [id for made in server.desk.made.values() for id, item in made.items if item[0] != 200]


def test_wait_for_a_batch_is_not_compared_with_the_time_of_an_answer(small: Path) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, "openai/m")
    assert side_of_run(read_run(load_run(at.folder))).seconds is None


# --- how they end --------------------------------------------------------------------------------

ENDS = {
    "expired": Fate("expired", answered=5),
    "expired, and silent about it": Fate("expired", answered=5, silent=True),
    "cancelled": Fate("cancelled", answered=5),
    "expired with nothing done": Fate("expired", answered=0),
}


@pytest.mark.crossed
@every
@pytest.mark.parametrize("case", ENDS)
def test_what_has_no_answer_is_failed_and_asked_again(small: Path, provider: str, case: str) -> None:
    fate = ENDS[case]
    with fault_server(right, [fate]) as server:
        at = session(small, server.url, f"{provider}/m")
        left = ALL - 1 - (fate.answered or 0)
        assert at.outcomes() == {"grade": ALL - left, "ungraded": 0, "failed": left}
        details = {r.outcome.detail for r in at.records.values() if isinstance(r.outcome, Failed)}
        assert all("expired" in detail or "cancel" in detail or "ended" in detail for detail in details)
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


@each
def test_cancelled_by_somebody_else_it_keeps_what_was_done(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(answered=5, looks=99)]) as server:

        def cancel(at: Session) -> None:
            assert server.desk is not None
            if len(at.waits) == 2:
                (batch,) = server.desk.made.values()
                batch.cancelled = True

        at = session(small, server.url, f"{provider}/m", nap=cancel)
    assert at.outcomes() == {"grade": 6, "ungraded": 0, "failed": ALL - 6}


@pytest.mark.parametrize("provider", [name for name in BATCHED if name != "anthropic"])
def test_batch_that_is_refused_as_a_whole_says_why(small: Path, provider: str) -> None:
    with fault_server(right, [Fate("failed")]) as server:
        at = session(small, server.url, f"{provider}/m")
        assert at.outcomes()["failed"] == ALL - 1
        assert any(
            "refused as a whole: Enqueued token limit reached. (code token" in line for line in at.said_
        )
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


FAULTS = {
    "rejected": (error(400, "invalid_request_error", "too long"), "failed", "too long"),
    "server failed": (error(500, "api_error"), "failed", "500"),
    "spent quota": (error(429, "insufficient_quota"), "failed", "the quota is spent"),
    "an echo of the key": (error(401, "authentication_error", f"bad key {KEY}"), "failed", "bad key ***"),
    "filter": (error(400, "content_filter"), "ungraded", "filtered"),
    "refused": (completion(None, refusal="I will not."), "ungraded", "refused"),
    "filtered": (completion("", finish="content_filter"), "ungraded", "f"),
    "cut off": (completion('{"reasoning": "it', finish="length"), "ungraded", "cut_off"),
    "a grade of 7": (graded(7), "ungraded", "unknown_grade"),
    "no content": (graded(choices=[{"index": 0}], output=None, content=None), "failed", "answer is not"),
}


@pytest.mark.crossed
@every
@pytest.mark.parametrize("case", FAULTS)
def test_fault_of_one_request_is_that_request_s_alone(small: Path, provider: str, case: str) -> None:
    turn, kind, words = FAULTS[case]
    # The first request of the batch, not the live one before it.
    seen: list[int] = []

    def faulty(number: int, body: dict[str, Any]) -> Turn:
        seen.append(number)
        return turn if len(seen) == 2 else right(number, body)

    with fault_server(faulty) as server:
        at = session(small, server.url, f"{provider}/m")
    assert at.outcomes() == {"grade": ALL - 1, "ungraded": 0, "failed": 0, kind: 1}
    (odd,) = [record.outcome for record in at.records.values() if record.outcome.kind == kind]
    said = odd.detail if isinstance(odd, Failed) else odd.cause if isinstance(odd, Ungraded) else ""
    assert words in said
    assert_key_is_nowhere(at)


@each
@pytest.mark.parametrize("text", ["A three.", '{"reasoning": "a", "clauses": [], "grade": "2"}'])
def test_unreadable_answer_is_asked_for_once_more_in_another_batch(
    small: Path, provider: str, text: str
) -> None:
    def once(number: int, body: dict[str, Any]) -> Turn:
        first_of_batch = number in (0, 1) and len(server.requests) == 1 and made(server) == []
        return completion(text) if first_of_batch and body is not server.requests[0] else right(number, body)

    with fault_server(once) as server:
        at = session(small, server.url, f"{provider}/m")
    assert (at.outcomes()["grade"], made(server)) == (ALL, [ALL - 1, 2])
    second = [record for record in at.records.values() if record.unread]
    assert [(record.attempts, record.unread and record.unread.text) for record in second] == [(2, text)] * 2
    # Each question is told of once, when its outcome is the last word.
    assert len(at.told) == ALL


@each
@pytest.mark.parametrize("fates", [[Fate(), Fate("expired", answered=0)], []])
def test_unreadable_answer_stays_where_no_better_one_comes_and_is_not_asked_for_a_third_time(
    small: Path, provider: str, fates: list[Fate]
) -> None:
    def never(number: int, body: dict[str, Any]) -> Turn:
        return completion("A three.") if "model 1x2" in json.dumps(body) else right(number, body)

    with fault_server(never, fates) as server:
        at = session(small, server.url, f"{provider}/m")
        session(small, server.url, f"{provider}/m", at)
    assert at.outcomes() == {"grade": ALL - 1, "ungraded": 1, "failed": 0}
    assert made(server) == [ALL - 1, 1]
    assert len(paid(server)) == ALL + (not fates)
    (odd,) = [record for record in at.records.values() if isinstance(record.outcome, Ungraded)]
    assert (odd.attempts, odd.reply and odd.reply.text) == (2, "A three.")


# --- when the run stops ----------------------------------------------------------------------------


@each
def test_killed_before_the_server_says_what_it_calls_the_batch(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(lost=True)]) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, nap=kill)
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)
    assert (len(server.requests), made(server)) == (1, [ALL - 1])


@each
def test_killed_before_the_server_hears_of_the_batch(small: Path, provider: str) -> None:
    refused = True

    def control(call: str) -> Turn | None:
        return Turn(drop=True) if refused and call.startswith("POST") else None

    with fault_server(right, control=control) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, nap=kill)
        refused = False
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)
    assert any("the server has no batch with them" in line for line in again.said_)


@each
def test_lost_word_of_the_server_is_looked_for_before_the_batch_is_sent_again(
    small: Path, provider: str
) -> None:
    with fault_server(right, [Fate(lost=True)]) as server:
        at = session(small, server.url, f"{provider}/m")
    assert_all_right_and_each_paid_once(at, server)
    assert made(server) == [ALL - 1]


@each
def test_batch_that_may_have_arrived_is_looked_for_though_the_next_try_was_refused(
    small: Path, provider: str
) -> None:
    """The list does not show it yet, and then the key is revoked."""
    posts = 0

    def control(call: str) -> Turn | None:
        nonlocal posts
        if call.startswith("GET") and posts == 1:
            return Turn('{"data": [], "has_more": false}')
        posts += call.startswith("POST") and call.endswith("/batches")
        return error(401, "authentication_error") if posts == 2 else None

    with fault_server(right, [Fate(lost=True)], control) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Unfinished, match="the server refused the batch"):
            session(small, server.url, f"{provider}/m", at)
        posts = 3
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)
    assert made(server) == [ALL - 1]


@each
def test_batch_of_somebody_else_is_not_taken_for_ours(small: Path, provider: str) -> None:
    """Anthropic's carry no label: another run's of the same size, made in the same second, looks alike."""
    model = f"{provider}/m"
    with fault_server(right, [Fate(lost=True), *[Fate()] * 5]) as server:
        at = begin(small, server.url, model)
        with pytest.raises(Killed):
            session(small, server.url, model, at, nap=kill)
        for _ in range(3):  # on the list they come before ours, on two pages
            session(small, server.url, model)
        again = session(small, server.url, model, at)
        assert again.outcomes()["grade"] == ALL
        assert (len(server.requests), made(server)) == (4, [ALL - 1] * 4)
        assert {record.model_dump()["outcome"]["value"] for record in again.records.values()} == {0, 1, 2}


def test_batch_that_only_looked_like_ours_is_given_up_for_the_next(small: Path) -> None:
    model = "anthropic/m"
    with fault_server(right, [Fate(), Fate(lost=True)]) as server:
        assert server.desk is not None
        session(small, server.url, model)
        at = begin(small, server.url, model)
        with pytest.raises(Killed):
            session(small, server.url, model, at, nap=kill)
        other, ours = server.desk.made.values()
        other.created = meant_at(at)  # nearer to it than ours
        again = session(small, server.url, model, at)
    assert (again.outcomes()["grade"], len(server.requests), made(server)) == (ALL, 2, [ALL - 1] * 2)
    named = [json.loads(line).get("batch") for line in (at.folder / BATCHES).read_text().splitlines()]
    assert named == [None, other.id, ours.id, None]


@each
def test_batch_of_somebody_else_is_not_waited_for(small: Path, provider: str) -> None:
    """OpenAI's by its label, though it holds no answer that would betray it; Anthropic's by its size."""
    model = f"{provider}/m"
    size: dict[str, Any] = {"limit": 4} if provider == "anthropic" else {}
    others = Fate("expired", answered=0, silent=True, looks=40)
    with fault_server(right, [Fate(lost=True), others, others]) as server:
        at = begin(small, server.url, model)
        with pytest.raises(Killed):
            session(small, server.url, model, at, nap=kill)
        for _ in range(2):
            with pytest.raises(Killed):
                session(small, server.url, model, nap=kill, **size)
        assert server.desk is not None
        for other in list(server.desk.made.values())[1:]:
            other.created = meant_at(at)  # nearer to it than ours
        again = session(small, server.url, model, at)
    assert (again.outcomes()["grade"], len(server.requests), len(again.waits)) == (ALL, 3, 1)


def meant_at(at: Session) -> datetime:
    """When its only batch was about to be sent."""
    with BatchLog(at.folder) as log:
        (logged,) = log.batches
    return datetime.fromisoformat(logged.meant_at)


@each
def test_server_that_lists_no_batches_makes_it_loud(small: Path, provider: str) -> None:
    def control(call: str) -> Turn | None:
        return error(404, "not_found_error") if call.startswith("GET") and call.endswith("/batches") else None

    with fault_server(right, [Fate(lost=True)], control) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, nap=kill)
        again = session(small, server.url, f"{provider}/m", at)
    assert again.outcomes()["grade"] == ALL
    assert any(f"{ALL - 1} questions may be paid twice" in line for line in again.said_)


@each
def test_stopped_while_it_waits_it_goes_on_with_the_same_batch(small: Path, provider: str) -> None:
    def stop(at: Session) -> None:
        if len(at.waits) == 3:
            raise KeyboardInterrupt

    with fault_server(right, [Fate(looks=4)]) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(KeyboardInterrupt):
            session(small, server.url, f"{provider}/m", at, nap=stop)
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)
    assert (len(server.requests), made(server)) == (1, [ALL - 1])
    assert any("questions were sent before" in line for line in again.said_)


@each
def test_stopped_while_it_takes_in_it_takes_in_the_rest(small: Path, provider: str) -> None:
    with fault_server(right) as server:
        at = begin(small, server.url, f"{provider}/m")
        count = 0

        def recorded(record: Record) -> None:
            nonlocal count
            count += 1
            if count == 5:
                raise Killed

        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, hear=recorded)
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)
    assert len(list(iter_records(at.folder))) == ALL


@each
def test_log_cut_off_at_any_byte_costs_nothing(small: Path, provider: str) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, f"{provider}/m")
        whole = (at.folder / BATCHES).read_bytes()
        kept = (at.folder / RECORDS).read_bytes().split(b"\n")[0] + b"\n"  # the live answer alone
        first_line = whole.index(b"\n") + 1
        for size in range(first_line, len(whole), 23):
            (at.folder / BATCHES).write_bytes(whole[:size])
            (at.folder / RECORDS).write_bytes(kept)
            again = session(small, server.url, f"{provider}/m", at)
            assert_all_right_and_each_paid_once(again, server)
            with BatchLog(at.folder) as log:
                assert [logged.step for logged in log.batches] == ["over"]


@each
def test_records_that_a_power_cut_took_are_taken_in_again(small: Path, provider: str) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, f"{provider}/m")
        lines = (at.folder / RECORDS).read_bytes().split(b"\n")
        (at.folder / RECORDS).write_bytes(b"\n".join(lines[:5]) + b"\n")
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


def test_damage_inside_the_log_is_refused_with_its_line(small: Path) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, "openai/m")
        lines = (at.folder / BATCHES).read_text().splitlines(keepends=True)
        for damaged in ([lines[0][:20] + "\n", *lines[1:]], lines[1:], ['{"mark": 3}\n', *lines]):
            (at.folder / BATCHES).write_text("".join(damaged))
            with pytest.raises(BadInput, match=r"(?s)batches\.jsonl.*it lists the batches that are paid for"):
                session(small, server.url, "openai/m", at)


@each
def test_batch_is_on_the_disk_before_it_is_at_the_server(small: Path, provider: str) -> None:
    steps: list[list[str]] = []

    def control(call: str) -> Turn | None:
        lines = (at.folder / BATCHES).read_text().splitlines()
        steps.append([json.loads(line)["step"] for line in lines])
        return None

    with fault_server(right, control=control) as server:
        at = begin(small, server.url, f"{provider}/m")
        session(small, server.url, f"{provider}/m", at)
    uploads = 1 if provider == "anthropic" else 2
    assert steps[:uploads] == [["meant"]] * uploads
    assert set(map(tuple, steps[uploads:])) == {("meant", "sent")}
    (last,) = [json.loads(line)["step"] for line in (at.folder / BATCHES).read_text().splitlines()][-1:]
    assert last == "over"


CHILD = """
import sys
from pathlib import Path
sys.path.insert(0, sys.argv[1])
import batched
from batched import Session, session
session(Path(sys.argv[2]), sys.argv[3], sys.argv[4], Session(Path(sys.argv[5])))
"""


@pytest.mark.slow
@pytest.mark.parametrize("provider", ["openai", "anthropic"])
def test_process_killed_outright_between_handing_over_and_the_name(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(held=True)]) as server:
        assert server.desk is not None
        at = begin(small, server.url, f"{provider}/m")
        words = [str(Path(__file__).parent), str(small), server.url, f"{provider}/m", str(at.folder)]
        child = subprocess.Popen([sys.executable, "-c", CHILD, *words], env={**os.environ, **KEYS})
        deadline = time.monotonic() + 60
        while not server.desk.made and time.monotonic() < deadline:
            time.sleep(0.005)
        os.kill(child.pid, signal.SIGKILL)
        assert child.wait() == -signal.SIGKILL
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)
    assert (len(server.requests), made(server)) == (1, [ALL - 1])


# --- money, and the cache ---------------------------------------------------------------------------

LIVE, HALF = 120e-6, 60e-6
"""What one answer of 100 tokens in and 10 out costs, by itself and in a batch."""


def write_prices(here: Path, model: str) -> None:
    """A dollar for a million tokens in and two out, and half of it in a batch."""
    text = f'[models."{model}"]\ninput = 1.0\noutput = 2.0\nbatch = 0.5\n'
    (here / "prices.toml").write_text(text, encoding="utf-8")


@each
def test_answer_of_a_batch_costs_what_a_batch_costs(small: Path, provider: str) -> None:
    def once(number: int, body: dict[str, Any]) -> Turn:
        seen.append(number)
        return completion("A three.") if len(seen) == 2 else right(number, body)

    seen: list[int] = []
    write_prices(small, f"{provider}/m")
    with fault_server(once) as server:
        at = session(small, server.url, f"{provider}/m")
    assert made(server) == [ALL - 1, 1]
    costs = sorted(record.cost or 0 for record in at.records.values())
    # One that was read the second time has cost two of a batch: as much as the live one.
    assert costs == pytest.approx([HALF] * (ALL - 2) + [2 * HALF, LIVE])


@each
def test_limit_holds_back_what_could_go_beyond_it_until_room_is_free(small: Path, provider: str) -> None:
    write_prices(small, f"{provider}/m")
    # At worst a question costs a third of a tenth of a dollar live, and half of that in a batch.
    with fault_server(right) as server:
        at = session(small, server.url, f"{provider}/m", limits=Limits(cache=False, max_cost=0.08))
    assert_all_right_and_each_paid_once(at, server)
    assert made(server) == [4, 4, 3]
    assert sum(record.cost or 0 for record in at.records.values()) < 0.08


@each
def test_what_fails_while_a_limit_holds_the_rest_back_waits_for_the_next_session(
    small: Path, provider: str
) -> None:
    write_prices(small, f"{provider}/m")
    with fault_server(right, [Fate("expired", answered=0)]) as server:
        at = session(small, server.url, f"{provider}/m", limits=Limits(cache=False, max_cost=0.08))
        assert (at.outcomes(), at.left) == ({"grade": ALL - 4, "ungraded": 0, "failed": 4}, 4)
        assert made(server) == [4, 4, 3]
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


@each
def test_limit_that_no_batch_fits_into_ends_the_session(small: Path, provider: str) -> None:
    model = f"{provider}/m"
    write_prices(small, model)
    dear = (small / "prices.toml").read_text().replace("batch = 0.5", "batch = 1.0")
    (small / "prices.toml").write_text(dear)
    with fault_server(right) as server:
        at = begin(small, server.url, model)
        worst = _worst(small, server.url, model)
        with pytest.raises(OverBudget, match="--max-cost"):
            session(small, server.url, model, at, Limits(cache=False, max_cost=worst + LIVE / 2))
        assert (len(server.requests), made(server)) == (1, [])
        again = session(small, server.url, model, at)
    assert_all_right_and_each_paid_once(again, server)


def _worst(here: Path, url: str, model: str) -> float:
    """What one question can cost at worst, the dearest of them."""
    project = Project(here)
    words = {"model": model, "policy": "small", "prompt": "teacher", "splits": ("dev",), "base_url": url}
    plan = make_plan(project, Asked.model_validate(words))
    worst = worst_case(price_of(project, model, url, sold_as), model, plan.policy)
    return max(worst.cost(plan.writer.prompt(one.id, one.pair)) or 0 for one in plan.examples)


@each
def test_what_is_out_already_counts_against_the_limit(small: Path, provider: str) -> None:
    model = f"{provider}/m"
    write_prices(small, model)
    with fault_server(right) as server:
        at = begin(small, server.url, model)
        with pytest.raises(Killed):
            session(small, server.url, model, at, Limits(cache=False, max_cost=0.08), nap=kill)
        assert made(server) == [4]
        again = session(small, server.url, model, at, Limits(cache=False, max_cost=0.045))
    assert_all_right_and_each_paid_once(again, server)
    # The four that were out are more than the new limit allows: nothing went out before they were in.
    assert made(server) == [4, 2, 2, 2]
    lines = (at.folder / BATCHES).read_text().splitlines()
    assert [json.loads(line)["step"] for line in lines] == ["meant", "sent", "over"] * 4


@each
def test_reply_of_a_batch_spares_other_runs_the_question(small: Path, provider: str) -> None:
    with fault_server(right) as server:
        first = session(small, server.url, f"{provider}/m", limits=Limits())
        second = session(small, server.url, f"{provider}/m", limits=Limits(), limit=5)
        third = session(small, server.url, f"{provider}/m", limits=Limits(cache=False), limit=3)
    assert (len(server.requests), made(server)) == (2, [ALL - 1, 2])
    assert {record.cached_reply for record in second.records.values()} == {True}
    assert _plain_outcomes(second).items() <= _plain_outcomes(first).items()
    assert len(third.records) == 3


def _plain_outcomes(at: Session) -> dict[Any, Any]:
    return {key: record.outcome for key, record in at.records.items()}


@each
def test_only_what_failed_is_asked_where_that_is_wanted(small: Path, provider: str) -> None:
    with fault_server(right, [Fate("expired", answered=5)]) as server:
        at = session(small, server.url, f"{provider}/m")
        (at.folder / RECORDS).write_text(
            "".join((at.folder / RECORDS).read_text().splitlines(keepends=True)[1:])
        )  # one was never asked
        again = session(small, server.url, f"{provider}/m", at, Limits(cache=False, only_failed=True))
    assert (again.outcomes()["grade"], again.left) == (ALL - 1, 1)
    assert made(server) == [ALL - 1, ALL - 7]


@pytest.mark.slow
@each
def test_ctrl_c_while_it_waits_leaves_at_once(small: Path, provider: str) -> None:
    """The engine's own sleep, and a real signal."""
    code = CHILD.replace("session(Path", "batched.REAL_SLEEP = True\nsession(Path")
    with fault_server(right, [Fate(looks=99)]) as server:
        assert server.desk is not None
        at = begin(small, server.url, f"{provider}/m")
        words = [str(Path(__file__).parent), str(small), server.url, f"{provider}/m", str(at.folder)]
        child = subprocess.Popen(
            [sys.executable, "-c", code, *words],
            env={**os.environ, **KEYS},
            stderr=subprocess.PIPE,
            text=True,
        )
        deadline = time.monotonic() + 60
        while not any("GET" in call for call in server.controls) and time.monotonic() < deadline:
            time.sleep(0.005)
        began = time.monotonic()
        child.send_signal(signal.SIGINT)
        _, err = child.communicate()
        assert time.monotonic() - began < 4
        assert "Interrupted: interrupted" in err
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


# --- when the server fails -------------------------------------------------------------------------


@each
@pytest.mark.parametrize(
    ("fault", "waits"),
    [
        (error(500), 5.0),
        (error(429, "rate_limit_error", retry_after="7"), 7.0),
        (error(429, "rate_limit_error", retry_after="9999"), 300.0),
        (Turn("<html>busy</html>"), 5.0),
        (Turn("<html>busy</html>", headers={"Retry-After": "7"}), 7.0),
        (Turn('{"error": {"code": 429, "retry_after": 7}}'), 7.0),
        (Turn(drop=True), 5.0),
        (Turn('{"id": "ba'), 5.0),
    ],
)
def test_every_call_is_tried_again(small: Path, provider: str, fault: Turn, waits: float) -> None:
    """Each call of the batch API goes wrong once."""
    met: set[str] = set()

    def control(call: str) -> Turn | None:
        new = call not in met
        met.add(call)
        return fault if new else None

    with fault_server(right, control=control) as server:
        at = session(small, server.url, f"{provider}/m")
    assert_all_right_and_each_paid_once(at, server)
    assert at.waits[0] == waits


@each
def test_server_that_stays_away_ends_the_session_and_the_batch_is_kept(small: Path, provider: str) -> None:
    away = False

    def control(call: str) -> Turn | None:
        return error(503) if away else None

    def leave(at: Session) -> None:
        nonlocal away
        away = True

    with fault_server(right, control=control) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Unfinished, match="the server did not answer 20 times in a row"):
            session(small, server.url, f"{provider}/m", at, nap=leave)
        assert "did not answer 3 times in a row, and is asked again" in (at.folder / EVENTS).read_text()
        away = False
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


@each
def test_key_that_is_refused_while_it_waits_loses_no_batch(small: Path, provider: str) -> None:
    wrong = False

    def control(call: str) -> Turn | None:
        return error(401, "authentication_error", f"no: {KEY}") if wrong else None

    def revoke(at: Session) -> None:
        nonlocal wrong
        wrong = True

    with fault_server(right, control=control) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(FatalError) as raised:
            session(small, server.url, f"{provider}/m", at, nap=revoke)
        assert KEY not in str(raised.value)
        wrong = False
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


@each
def test_batch_that_is_unknown_at_the_address_is_not_given_up(small: Path, provider: str) -> None:
    with fault_server(right, [Fate(looks=3)]) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, nap=kill)
        with fault_server(right) as other, pytest.raises(Unfinished, match="the server does not know batch"):
            session(small, other.url, f"{provider}/m", at)
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)


@each
@pytest.mark.parametrize("fault", [error(400, message="no batches for this model"), error(404)])
def test_server_that_takes_no_batch_ends_the_session_in_a_sentence(
    small: Path, provider: str, fault: Turn
) -> None:
    refused = True

    def control(call: str) -> Turn | None:
        return fault if refused and call.startswith("POST") else None

    with fault_server(right, control=control) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Unfinished, match="the server refused the batch: "):
            session(small, server.url, f"{provider}/m", at)
        refused = False
        again = session(small, server.url, f"{provider}/m", at)
    assert_all_right_and_each_paid_once(again, server)
    # What was refused was never there: nobody looks for it.
    assert not [call for call in server.controls if call.startswith("GET") and call.endswith("/batches")]


@each
def test_nothing_is_handed_over_while_the_first_questions_get_no_answer(small: Path, provider: str) -> None:
    with fault_server(lambda number, body: error(503)) as server:
        at = begin(small, server.url, f"{provider}/m")
        with pytest.raises(Unfinished, match="the first 3 questions got no answer"):
            session(small, server.url, f"{provider}/m", at)
    assert (len(server.requests), server.controls) == (3 * ATTEMPTS, [])


@each
def test_call_that_never_ends_is_given_up_in_time(
    small: Path, provider: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(turns, "CALL", 0.3)
    met: set[str] = set()

    def control(call: str) -> Turn | None:
        hang = call not in met and call.startswith("GET")
        met.add(call)
        return Turn("{}", hang=True) if hang else None

    with fault_server(right, control=control) as server:
        at = session(small, server.url, f"{provider}/m")
    assert_all_right_and_each_paid_once(at, server)


# --- who has them -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "model", ["builtin/majority", "vllm/m", "llamacpp/m", "ollama/m", "openai-decisions/m"]
)
def test_provider_without_batches_says_so(small: Path, model: str) -> None:
    setup = Setup(policy=policy(), shots=(example(split="shots"),), base_url="http://127.0.0.1:1/v1")
    teacher = open_teacher(model, setup)
    provider = model.partition("/")[0]
    with pytest.raises(
        BadInput, match=f"{provider}/ has no batch API .*openai/, openai-responses/, anthropic/"
    ):
        batches_of(model, teacher)
    asyncio.run(teacher.close())


def test_log_says_what_was_meant_what_it_is_called_and_that_it_is_over(small: Path) -> None:
    with fault_server(right) as server:
        at = session(small, server.url, "openai/m")
    meant, sent, over = [json.loads(line) for line in (at.folder / BATCHES).read_text().splitlines()]
    assert (sorted(meant), len(meant["keys"])) == (["at", "keys", "mark", "step"], ALL - 1)
    assert (sent["batch"], over["detail"], over["step"]) == ("batch_0", "completed", "over")


async def _typed(provider: str, client: Any, lines: list[bytes]) -> Any:
    """Batches by the SDK's own typed methods: hand over, look, list, cancel."""
    if provider == "anthropic":
        requests = [json.loads(line) for line in lines]
        batch = await client.messages.batches.create(requests=requests)
        assert (await client.messages.batches.retrieve(batch.id)).processing_status == "in_progress"
        assert [one.id async for one in client.messages.batches.list()][-1] == "msgbatch_0"
        return (await client.messages.batches.cancel(batch.id)).processing_status
    file = await client.files.create(file=("m.jsonl", b"".join(lines)), purpose="batch")
    path = json.loads(lines[0])["url"]
    batch = await client.batches.create(
        input_file_id=file.id, endpoint=path, completion_window="24h", metadata={"harness_mark": "m"}
    )
    assert (await client.batches.retrieve(batch.id)).status == "in_progress"
    assert [one.id async for one in client.batches.list()][-1] == "batch_0"
    return (await client.batches.cancel(batch.id)).status


@every
def test_what_is_handed_over_is_what_the_typed_methods_send(small: Path, provider: str) -> None:
    """And what the server says is what the SDK understands."""
    setup_for = {"policy": policy(), "shots": (example(split="shots"),)}
    pair = example().pair
    messages = (Message(role="system", content="Policy."), Message(role="user", content="\u2028 ü"))

    async def both(url: str) -> Any:
        teacher = open_teacher(f"{provider}/m", Setup(base_url=url, **setup_for))  # type: ignore[arg-type]
        assert isinstance(teacher, Served)
        batches = batches_of(f"{provider}/m", teacher)
        prompts = [Prompt(item="a", repeat=at, messages=messages, pair=pair) for at in range(3)]
        lines = [batches.line(f"m-{at}", prompt) for at, prompt in enumerate(prompts)]
        try:
            await batches.submit(lines, "m")
            return await _typed(provider, teacher.wire._client, lines)
        finally:
            await teacher.close()

    with fault_server(lambda number, body: graded(1), [Fate(looks=9)] * 2) as server:
        assert asyncio.run(both(server.url)) in ("cancelled", "ended")
    assert server.desk is not None
    ours, typed = server.desk.made.values()
    assert (ours.path, ours.requests, ours.metadata) == (typed.path, typed.requests, typed.metadata)
    assert [id for id, _ in ours.requests] == ["m-0", "m-1", "m-2"]


# --- what may have been billed ---------------------------------------------------------------------


def spent(at: Session) -> Spending:
    return read_run(load_run(at.folder)).spending


@each
def test_batch_that_is_out_may_have_been_billed(small: Path, provider: str) -> None:
    model = f"{provider}/m"
    write_prices(small, model)

    def dies(record: Record) -> None:
        if len(list(iter_records(at.folder))) == 6:
            raise Killed

    with fault_server(right) as server:
        at = begin(small, server.url, model)
        with pytest.raises(Killed):
            session(small, server.url, model, at, nap=kill)
        found = spent(at)
        most = (ALL - 1) * _worst(small, server.url, model) / 2
        assert (found.lost_calls, found.batched) == (ALL - 1, ALL - 1)
        assert found.lost == pytest.approx(most, rel=0.02)
        assert f"for {ALL - 1} calls, {ALL - 1} of them in batches that are not coll" in lost_words(found)
        with pytest.raises(Killed):
            session(small, server.url, model, at, hear=dies)
        found = spent(at)
        assert found.batched == ALL - 6
        assert found.lost == pytest.approx(most * (ALL - 6) / (ALL - 1), rel=0.02)
        again = session(small, server.url, model, at)
    assert_all_right_and_each_paid_once(again, server)
    assert (spent(at).lost_calls, spent(at).batched, spent(at).lost) == (0, 0, 0)


@each
def test_question_that_failed_before_and_is_out_again_may_have_been_billed(
    small: Path, provider: str
) -> None:
    with fault_server(right, [Fate("expired", answered=5), Fate()]) as server:
        at = session(small, server.url, f"{provider}/m")
        assert spent(at).batched == 0
        with pytest.raises(Killed):
            session(small, server.url, f"{provider}/m", at, nap=kill)
        found = spent(at)
    # One call of its own finds out what the server takes.
    assert (found.batched, found.lost) == (ALL - 1 - 5 - 1, None)


@each
def test_what_is_out_beyond_the_limit_is_said(small: Path, provider: str) -> None:
    model = f"{provider}/m"
    write_prices(small, model)
    with fault_server(right) as server:
        at = begin(small, server.url, model)
        with pytest.raises(Killed):
            session(small, server.url, model, at, nap=kill)
        again = session(small, server.url, model, at, Limits(cache=False, max_cost=0.045))
    assert any("sent already can cost up to $" in line for line in again.said_)
