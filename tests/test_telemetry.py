"""Telemetry of a run: what a real collector is sent by a run with a real server, and what it is not."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, harness, write_project
from collector import Collector, attributes, collector
from fault_server import Turn, completion, error, fault_server, graded
from opentelemetry.proto.trace.v1.trace_pb2 import Span, Status

from harness.golden.rating.sheet import code_of
from harness.grading.telemetry import export, recorder
from harness.nouns.pair import Pair

ROOT = Path(recorder.__file__).parents[3]
KEY = "sk-secret-0123456789"
TOKEN = "Bearer%20collector-token"
ONE = ("eval", "--policy", "small", "--limit", "1", "--no-report", "--model", "openai/m")


def run(server: Any, held: Collector, *words: str, **env: str) -> Ended:
    """One question of a small project, asked of a real server and told to a real collector."""
    where = {"OTEL_EXPORTER_OTLP_ENDPOINT": held.url, "OPENAI_API_KEY": KEY, **env}
    return harness(*ONE, "--base-url", server.url, "--telemetry", *words, **where)


def test_a_question_is_a_trace_with_a_span_for_its_call_and_an_event_for_its_grade(here: Path) -> None:
    write_project(here)
    with fault_server(lambda *asked: graded(2)) as server, collector() as held:
        ended = run(server, held, "--temperature", "0.5", "--seed", "7", "--max-tokens", "900")
    assert ended.code == 0, ended.err
    said = f"telemetry: spans to {held.url}/v1/traces, grades as events to {held.url}/v1/logs, without"
    assert f"{said} prompts, replies and ids" in ended.err
    [question], [call], [event] = held.named("grade small"), held.named("chat m"), held.events
    folder = next((here / "runs").glob("2*"))
    [record] = [json.loads(line) for line in (folder / "records.jsonl").read_text("utf-8").splitlines()]
    usage = record["reply"]["usage"]
    own = {"harness.run": folder.name, "harness.policy": "small@v1", "harness.prompt": "teacher@v1"}
    assert attributes(call) == {
        "gen_ai.operation.name": "chat", "gen_ai.provider.name": "openai", "gen_ai.request.model": "m",
        "gen_ai.request.temperature": 0.5, "gen_ai.request.seed": 7, "gen_ai.request.max_tokens": 900,
        "gen_ai.output.type": "json", "server.address": "127.0.0.1",
        "server.port": int(server.url.split(":")[2].removesuffix("/v1")),
        "gen_ai.response.model": record["reply"]["model"], "gen_ai.response.finish_reasons": ["stop"],
        "gen_ai.usage.input_tokens": usage["input_tokens"],
        "gen_ai.usage.output_tokens": usage["output_tokens"],
        "gen_ai.usage.cache_read.input_tokens": usage["cached_tokens"],
        "gen_ai.usage.cache_creation.input_tokens": usage["written_tokens"],
        "gen_ai.usage.reasoning.output_tokens": usage["reasoning_tokens"],
        **own,
    }  # fmt: skip
    score = {
        "gen_ai.evaluation.name": "small@v1", "gen_ai.evaluation.score.value": 2.0,
        "gen_ai.evaluation.score.label": "Grade 2", "harness.pair": record["pair"].split(":")[1][:10], **own,
    }  # fmt: skip
    assert attributes(event) == score
    assert attributes(question) == {**score, "harness.attempts": 1}
    assert event.event_name == "gen_ai.evaluation.result"
    assert (event.trace_id, event.span_id) == (call.trace_id, call.span_id)
    assert (call.trace_id, call.parent_span_id) == (question.trace_id, question.span_id)
    assert (len(call.trace_id), len(call.span_id), question.parent_span_id) == (16, 8, b"")
    assert (call.kind, question.kind) == (Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_INTERNAL)
    times = question.start_time_unix_nano, call.start_time_unix_nano, call.end_time_unix_nano
    assert list(times) == sorted(times) and call.end_time_unix_nano <= question.end_time_unix_nano
    assert event.time_unix_nano == question.end_time_unix_nano
    assert call.status.code == question.status.code == Status.STATUS_CODE_UNSET


def test_who_sends_is_said_of_spans_and_events(here: Path) -> None:
    write_project(here)
    told = {"OTEL_RESOURCE_ATTRIBUTES": "team=search%20quality,service.name=x", "OTEL_SERVICE_NAME": "judge"}
    with fault_server(lambda *asked: graded()) as server, collector() as held:
        run(server, held, **told)
    for one in (held.traces[0].resource_spans[0], held.logs[0].resource_logs[0]):
        found = attributes(one.resource)
        assert found == {"service.name": "judge", "service.version": "0.1.0", "team": "search quality"}


def test_no_content_and_no_key_leaves_unless_content_is_asked_for(here: Path) -> None:
    write_project(here)
    reply = json.dumps({"reasoning": "Secretly red.", "clauses": [], "grade": 1})
    ways = ((), ("--telemetry-content",))
    for words in ways:
        with fault_server(lambda *asked: completion(reply)) as server, collector() as held:
            ended = run(
                server, held, "--no-cache", *words, OTEL_EXPORTER_OTLP_HEADERS=f"Authorization={TOKEN}"
            )
        body = b"".join(held.bodies)
        sent = server.requests[0]["messages"]
        query = sent[-1]["content"].split('"query": "')[1].split('"')[0]
        assert (b"Secretly red." in body) == bool(words)
        assert (query.encode() in body) == bool(words)
        record = json.loads(next((here / "runs").glob("2*/records.jsonl")).read_text("utf-8"))
        assert (record["example"].encode() in body) == bool(words)
        assert KEY.encode() not in body and b"collector-token" not in body
        assert "collector-token" not in ended.err and KEY not in ended.err
        assert all(one["authorization"] == "Bearer collector-token" for one in held.asked)
    [call], [event] = held.named("chat m"), held.events
    said = attributes(call)
    assert json.loads(said["gen_ai.system_instructions"]) == [{"type": "text", "content": sent[0]["content"]}]
    assert json.loads(said["gen_ai.input.messages"]) == [
        {"role": "user", "parts": [{"type": "text", "content": sent[1]["content"]}]}
    ]
    assert json.loads(said["gen_ai.output.messages"]) == [
        {"role": "assistant", "parts": [{"type": "text", "content": reply}], "finish_reason": "stop"}
    ]
    assert attributes(event)["gen_ai.evaluation.explanation"] == "Secretly red."


@pytest.mark.parametrize(
    ("said", "content"), [("true", True), ("SPAN_ONLY", True), ("no_content", False), ("", False)]
)
def test_the_standard_variable_asks_for_content_too(here: Path, said: str, content: bool) -> None:
    write_project(here)
    with fault_server(lambda *asked: graded()) as server, collector() as held:
        run(server, held, OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=said)
    assert ("gen_ai.input.messages" in attributes(held.named("chat")[0])) == content


def test_retries_are_spans_of_one_trace(here: Path) -> None:
    write_project(here)
    turns = [error(429, message="slow, sk-abc", **{"Retry-After": "0"}), error(500), graded(1)]
    with fault_server(lambda number, body: turns[min(number, 2)]) as server, collector() as held:
        assert run(server, held).code == 0
    calls, [question] = held.named("chat m"), held.named("grade small")
    assert [attributes(one).get("error.type") for one in calls] == ["rate_limit", "transient", None]
    assert [attributes(one).get("harness.attempt") for one in calls] == [None, 2, 3]
    failed = Status.STATUS_CODE_ERROR
    assert [one.status.code == failed for one in calls] == [True, True, False]
    # A server's words can repeat the prompt.
    assert {one.status.message for one in calls} == {""}
    assert {one.trace_id for one in calls} == {question.trace_id}
    assert {one.parent_span_id for one in calls} == {question.span_id}
    assert len({one.span_id for one in calls}) == 3
    assert (attributes(question)["harness.attempts"], question.status.code) == (3, Status.STATUS_CODE_UNSET)
    assert held.events[0].span_id == calls[-1].span_id


@pytest.mark.parametrize(
    ("turn", "kind", "call"),
    [
        (completion(None, refusal="I will not."), "refused", None),
        (error(400, message="no such thing"), "failed", "rejected"),
    ],
)
def test_what_has_no_grade_is_an_error_with_its_cause(
    here: Path, turn: Turn, kind: str, call: str | None
) -> None:
    write_project(here)
    answers = [graded(), turn]
    with fault_server(lambda number, body: answers[min(number, 1)]) as server, collector() as held:
        run(server, held, "--limit", "2")
    question = next(one for one in held.named("grade") if one.status.code == Status.STATUS_CODE_ERROR)
    event = next(one for one in held.events if one.trace_id == question.trace_id)
    for found in (attributes(question), attributes(event)):
        assert found["error.type"] == kind
        assert "gen_ai.evaluation.score.value" not in found and "gen_ai.evaluation.score.label" not in found
    [asked] = [one for one in held.named("chat") if one.trace_id == question.trace_id][-1:]
    assert attributes(asked).get("error.type") == call
    assert len(held.events) == 2


def test_a_cached_reply_has_an_event_and_no_call(here: Path) -> None:
    write_project(here)
    with fault_server(lambda *asked: graded(1)) as server:
        for _ in range(2):
            with collector() as held:
                run(server, held)
    [question], [event] = held.spans, held.events
    assert question.name == "grade small" and attributes(question)["harness.cached_reply"] is True
    assert (event.trace_id, event.span_id) == (question.trace_id, question.span_id)


def test_a_builtin_grader_calls_no_model(here: Path) -> None:
    write_project(here)
    with collector() as held:
        ended = harness(
            "eval", "--policy", "small", "--no-report", "--telemetry", OTEL_EXPORTER_OTLP_ENDPOINT=held.url
        )
    assert ended.code == 0, ended.err
    assert not held.named("chat") and len(held.events) == len(held.named("grade")) > 1


def test_the_pair_of_an_event_is_the_code_of_rating_sheets(here: Path) -> None:
    write_project(here)
    with collector() as held:
        harness(
            "eval", "--policy", "small", "--no-report", "--telemetry", OTEL_EXPORTER_OTLP_ENDPOINT=held.url
        )
    lines = (here / "golden/small/examples.jsonl").read_text("utf-8").splitlines()
    dev = [one for one in map(json.loads, lines) if one["split"] == "dev"]
    pairs = [Pair(query=one["query"], result=one["result"]) for one in dev]
    assert {attributes(one)["harness.pair"] for one in held.events} == set(map(code_of, pairs))
    # So that a score of a trace or of its first span tells the pair.
    for one in held.named("grade"):
        code = attributes(one)["harness.pair"]
        assert (one.trace_id.hex()[:10], one.span_id.hex()[:10]) == (code, code)
    assert len({one.trace_id for one in held.named("grade")}) == len(held.named("grade"))


@pytest.mark.slow
def test_without_the_option_nothing_is_sent_and_nothing_imported(here: Path) -> None:
    write_project(here)
    code = (
        "import sys\nfrom harness.cli.app import app\n"
        "app(['eval', '--policy', 'small', '--no-report'], standalone_mode=False)\n"
        "print(*(name for name in sys.modules if name.startswith(('opentelemetry', 'google'))))"
    )
    with collector() as held:
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, cwd=here,
            env={"OTEL_EXPORTER_OTLP_ENDPOINT": held.url, "PYTHONPATH": str(ROOT)},
        )  # fmt: skip
    assert (done.returncode, done.stdout.splitlines()[-1:]) == (0, [""]), done.stderr
    assert not held.paths


def test_a_project_cannot_turn_it_on_nor_say_where(here: Path) -> None:
    write_project(here)
    with fault_server(lambda *asked: graded()) as server, collector() as held, collector() as other:
        lines = (
            f"OTEL_EXPORTER_OTLP_ENDPOINT={other.url}", f"OTEL_EXPORTER_OTLP_LOGS_ENDPOINT={other.url}",
            "HARNESS_EVAL_TELEMETRY=1", "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT=true",
        )  # fmt: skip
        (here / ".env").write_text("\n".join(lines), encoding="utf-8")
        ended = harness(*ONE, "--base-url", server.url, OPENAI_API_KEY=KEY)
        assert ended.code == 0
        assert "HARNESS_EVAL_TELEMETRY" in ended.err and "is ignored" in ended.err
        run(server, held)
    assert not other.paths and len(held.events) == 1
    assert b"gen_ai.input" not in b"".join(held.bodies)


@pytest.mark.parametrize(
    ("statuses", "paths", "lost"),
    [
        ([404], 2, "404 Not Found"),
        ([307], 2, "307 Temporary Redirect"),
        ([503], 6, "503 Service Unavailable"),
        ([503, 429, 200], 4, ""),
    ],
)
def test_a_collector_that_fails_is_told_of_and_ends_no_run(
    here: Path, monkeypatch: pytest.MonkeyPatch, statuses: list[int], paths: int, lost: str
) -> None:
    monkeypatch.setattr(export, "WAITS", (0.01, 0.01))
    write_project(here)
    with fault_server(lambda *asked: graded()) as server, collector(statuses=statuses) as held:
        held.headers["Location"] = f"{server.url}/elsewhere"
        ended = run(server, held)
    assert (ended.code, len(held.paths)) == (0, paths)
    said = [
        f"2 spans did not arrive at {held.url}/v1/traces: {lost}",
        f"1 event did not arrive at {held.url}",
    ]
    assert all((one in ended.err) == bool(lost) for one in said), ended.err
    assert len(server.requests) == 1


def test_a_collector_that_is_not_there_or_hangs_ends_no_run(here: Path) -> None:
    write_project(here)
    with fault_server(lambda *asked: graded()) as server:
        with collector() as gone:
            pass
        ended = run(server, gone, OTEL_TRACES_EXPORTER="none", OTEL_EXPORTER_OTLP_TIMEOUT="200")
        assert ended.code == 0
        assert (
            f"telemetry: grades as events to {gone.url}/v1/logs" in ended.err
            and "/v1/traces" not in ended.err
        )
        assert f"1 event did not arrive at {gone.url}/v1/logs: Cannot connect to host 127.0.0.1" in ended.err
        with collector(wait=0.6) as slow:
            ended = run(server, slow, OTEL_LOGS_EXPORTER="none", OTEL_EXPORTER_OTLP_TIMEOUT="150")
    assert ended.code == 0 and f"1 span did not arrive at {slow.url}/v1/traces: no answer" in ended.err


def test_a_collector_that_takes_a_part_says_so(here: Path) -> None:
    write_project(here)
    with fault_server(lambda *asked: graded()) as server, collector(rejects=1) as held:
        ended = run(server, held, OTEL_LOGS_EXPORTER="none")
    assert f"telemetry: 1 span did not arrive at {held.url}/v1/traces: too old" in ended.err


@pytest.mark.parametrize("step", ["begin", "answered", "recorded", "end"])
def test_a_mistake_of_ours_ends_no_run(here: Path, monkeypatch: pytest.MonkeyPatch, step: str) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a mistake")

    monkeypatch.setattr(recorder.Recorder, step, broken)
    write_project(here)
    with fault_server(lambda *asked: graded()) as server, collector() as held:
        ended = run(server, held, "--limit", "3")
    assert ended.code == 0
    assert ended.err.count("telemetry: ValueError: a mistake; this run goes on without it") == 1


def test_a_question_that_was_broken_off_has_a_span_too(here: Path) -> None:
    write_project(here)
    with fault_server(lambda *asked: error(401)) as server, collector() as held:
        assert run(server, held).code == 4
    [question], [call] = held.named("grade"), held.named("chat")
    assert attributes(question)["error.type"] == "interrupted" and not held.events
    assert (attributes(call)["error.type"], call.status.code) == ("fatal", Status.STATUS_CODE_ERROR)


def test_many_questions_go_in_several_requests(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(export, "BATCH", 4)
    write_project(here)
    with fault_server(lambda *asked: graded()) as server, collector() as held:
        ended = run(server, held, "--limit", "8", OTEL_EXPORTER_OTLP_COMPRESSION="gzip")
    assert ended.code == 0 and len(held.traces) > 2
    assert all(one["content-encoding"] == "gzip" for one in held.asked)
    assert {one["content-type"] for one in held.asked} == {"application/x-protobuf"}
    assert len(held.events) == len(held.named("grade")) == len(held.named("chat"))


def test_each_kind_has_its_own_address_and_headers(here: Path) -> None:
    write_project(here)
    with fault_server(lambda *asked: graded()) as server, collector() as held:
        named = f"{held.url.replace('//', '//user:word@')}/api/otel/v1/traces?x=1"
        own = {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": named, "OTEL_EXPORTER_OTLP_LOGS_HEADERS": "x-kind=logs"}
        ended = run(server, held, OTEL_EXPORTER_OTLP_HEADERS="x-kind=all", **own)
    assert {(path, one["x-kind"]) for path, one in zip(held.paths, held.asked, strict=True)} == {
        ("/api/otel/v1/traces?x=1", "all"),
        ("/v1/logs", "logs"),
    }
    assert f"spans to {held.url}/api/otel/v1/traces, grades" in ended.err
    assert "user:word" not in ended.err


def test_wrong_variables_are_named_all_at_once_before_a_call(here: Path) -> None:
    write_project(here)
    wrong = {
        "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", "OTEL_EXPORTER_OTLP_TRACES_TIMEOUT": "soon",
        "OTEL_EXPORTER_OTLP_LOGS_ENDPOINT": "collector:4318", "OTEL_EXPORTER_OTLP_HEADERS": "secret-word",
        "OTEL_EXPORTER_OTLP_CERTIFICATE": "none.pem", "OTEL_EXPORTER_OTLP_COMPRESSION": "zstd",
        "OTEL_INSTRUMENTATION_GENAI_CAPTURE_MESSAGE_CONTENT": "maybe",
    }  # fmt: skip
    with fault_server(lambda *asked: graded()) as server, collector() as held:
        ended = run(server, held, **wrong)
        assert run(server, held, OTEL_TRACES_EXPORTER="console").code == 2
        assert harness(*ONE, "--telemetry-content").code == 2
        off = run(server, held, OTEL_SDK_DISABLED="true")
    assert ended.code == 2 and not held.paths and len(server.requests) == 1
    assert all(name in ended.err for name in wrong), ended.err
    assert "secret-word" not in ended.err
    assert off.code == 0 and "telemetry: nothing is sent" in off.err


def test_without_the_package_the_extra_is_named(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("harness.grading.telemetry.settings.find_spec", lambda name: None)
    write_project(here)
    ended = harness(*ONE, "--telemetry", OPENAI_API_KEY=KEY)
    assert (ended.code, "pip install 'teacher-harness[otel]'" in ended.err) == (2, True)
