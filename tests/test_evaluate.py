"""The loop against a real server that misbehaves: one outcome per example, or the run says why not."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import harness, write_project
from fault_server import Turn, completion, error, fault_server
from oracle import DEV, KEY, ask, only_run, right

from harness.grading.live import ask as attempts
from harness.grading.live import breaker
from harness.runs.folder import load_run

pytestmark = pytest.mark.usefixtures("no_waiting")


def test_oracle_gets_kappa_1(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ended = ask(server, "--json")
    assert ended.code == 0
    score = ended.json
    assert (score["kappa"]["value"], score["accuracy"], score["coverage"]) == (1.0, 1.0, 1.0)
    assert (score["band"], score["verdict"], score["n"]) == ("strong", "inconclusive", len(DEV))
    run = load_run(Path(score["run"]))
    assert run.manifest.model_answered == ("test-model-2026-11-01",)
    record = next(iter(run.records.values()))
    assert record.reply is not None
    assert record.reply.usage is not None
    assert (record.reply.usage.input_tokens, record.reply.usage.cached_tokens) == (100, 64)


def test_request_carries_prompt_and_schema_and_nothing_that_was_not_asked_for(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        ask(server)
        ask(server, "--temperature", "0", "--seed", "7")
    plain, asked = server.requests[0], server.requests[-1]
    assert sorted(plain) == ["messages", "model", "response_format"]
    assert (asked["temperature"], asked["seed"]) == (0, 7)
    schema = plain["response_format"]["json_schema"]
    assert (schema["strict"], schema["schema"]["properties"]["grade"]["enum"]) == (True, [0, 1, 2])
    assert len({json.dumps(body["messages"][0]) for body in server.requests[: len(DEV)]}) == 1
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_server_that_is_gone_stops_the_run(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(500)) as server:
        ended = ask(server, "--max-connections", "1")
    assert ended.code == 4
    assert "5 examples in a row got no answer in any attempt" in ended.err
    assert len(server.requests) == breaker.EXHAUSTED * attempts.ATTEMPTS


def test_server_that_is_not_there_is_said_to_be_so(here: Path) -> None:
    write_project(here)
    with fault_server(right) as server:
        pass
    ended = ask(server, "--limit", "1", "--json")
    assert ended.code == 4
    (record,) = load_run(only_run(here)).records.values()
    assert "Cannot connect to host 127.0.0.1" in record.outcome.model_dump()["detail"]


def test_one_rejected_example_fails_and_the_rest_goes_on(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(400) if number == 1 else right(number, body)) as server:
        ended = ask(server, "--json", "--max-connections", "1")
    assert (ended.code, ended.json["outcomes"]["failed"]) == (4, 1)
    assert "1 example has no answer" in ended.err
    assert len(server.requests) == len(DEV)


def test_parameter_that_the_model_refuses_stops_the_run(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(400, message="temperature is not supported")) as server:
        ended = ask(server, "--temperature", "1", "--max-connections", "1")
    # Without the schema, its strictness and the temperature it is tried once each, whatever the words.
    assert (ended.code, len(server.requests)) == (4, 7)
    assert "temperature is not supported" in ended.err


def test_no_key_and_no_server_of_ones_own_says_where_to_put_it(here: Path) -> None:
    write_project(here)
    ended = harness("eval", "--policy", "small", "--model", "openai/gpt-6-luna")
    assert ended.code == 4
    assert "OPENAI_API_KEY is not set" in ended.err
    assert not list((here / "runs").iterdir())


def test_key_may_lie_in_dot_env(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(here)
    monkeypatch.setenv("OPENAI_API_KEY", "")
    monkeypatch.delenv("OPENAI_API_KEY")
    (here / ".env").write_text(f"OPENAI_API_KEY={KEY}\n", encoding="utf-8")
    with fault_server(right) as server:
        harness("eval", "--policy", "small", "--model", "openai:m", "--base-url", server.url, "--limit", "1")
    assert server.headers[0]["authorization"] == f"Bearer {KEY}"


def test_user_and_password_in_a_url_are_refused_and_not_repeated(here: Path) -> None:
    write_project(here)
    for url in (
        "https://user:hunter2@127.0.0.1/v1",
        "not a url",
        "http://h:abc/v1",
        "http://[::1",
        "ftp://h/v1",
    ):
        ended = harness("eval", "--policy", "small", "--model", "openai/m", "--base-url", url)
        assert ended.code == 2
        assert "hunter2" not in ended.err
        assert not list((here / "runs").iterdir())


def test_key_that_cannot_be_one_is_said_without_showing_it(here: Path) -> None:
    write_project(here)
    ended = harness("eval", "--policy", "small", "--model", "openai/m", OPENAI_API_KEY="sk-schlüssel")
    assert ended.code == 4
    assert "OPENAI_API_KEY holds characters" in ended.err
    assert "schlüssel" not in ended.err


def test_failed_examples_are_asked_again_and_ungraded_ones_never(here: Path) -> None:
    write_project(here)

    def mixed(number: int, body: dict[str, Any]) -> Turn:
        return (completion(None, refusal="no"), error(400))[number] if number < 2 else right(number, body)

    with fault_server(mixed) as server:
        ask(server, "--max-connections", "1")
    with fault_server(right) as server:
        ended = harness("eval", "--resume", "latest", "--base-url", server.url, "--json", OPENAI_API_KEY=KEY)
    assert len(server.requests) == 1
    assert ended.json["outcomes"] == {"graded": len(DEV) - 1, "ungraded": 1, "failed": 0}
