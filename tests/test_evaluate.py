"""The loop against a real server that misbehaves: one outcome per example, or the run says why not."""

import json
from pathlib import Path
from typing import Any

import pytest
from builders import Ended, examples, harness, write_project
from fault_server import FaultServer, Turn, completion, error, fault_server, graded, item_of

from harness import evaluate
from harness.runs import load_run

DEV = [line for line in examples() if line["split"] == "dev"]
RIGHT = {(line["query"], line["result"]["title"]): line["grade"] for line in DEV}
KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def _no_waiting(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evaluate, "LONGEST_WAIT", 0.01)
    monkeypatch.setattr(evaluate, "_backoff", lambda state: 0.001)


def ask(server: FaultServer, *words: str) -> Ended:
    return harness(
        "eval",
        "--policy",
        "small",
        "--model",
        "openai/m",
        "--base-url",
        server.url,
        *words,
        OPENAI_API_KEY=KEY,
    )


def right(number: int, body: dict[str, Any]) -> Turn:
    """An oracle: it knows every golden grade."""
    pair = item_of(body)
    return graded(RIGHT[pair["query"], pair["result"]["title"]])


def only_run(here: Path) -> Path:
    (run,) = (here / "runs").iterdir()
    return run


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


UNREAD = {
    "refused": completion(None, refusal="I will not."),
    "filtered": completion("", finish="content_filter"),
    "cut_off": completion('{"reasoning": "it was', finish="length"),
    "no_answer": completion("A three, I would say."),
    "bad_json": completion('{"reasoning": "a", "clauses": [], "grade": "2"}'),
    "two_answers": completion('{"reasoning": "", "clauses": [], "grade": 2}' * 2),
    "unknown_grade": graded(7),
}


@pytest.mark.parametrize(("cause", "turn"), UNREAD.items(), ids=UNREAD)
def test_unreadable_answer_is_ungraded_and_asked_once(here: Path, cause: str, turn: Turn) -> None:
    write_project(here)
    with fault_server(lambda number, body: turn if number == 0 else right(number, body)) as server:
        ended = ask(server, "--json", "--max-connections", "1")
    assert ended.code == 0
    score = ended.json
    assert score["outcomes"] == {"graded": len(DEV) - 1, "ungraded": 1, "failed": 0}
    assert score["ungraded_causes"] == {cause: 1}
    assert score["kappa"]["value"] == 1.0 > score["kappa_worst_case"]
    assert len(server.requests) == len(DEV)


PASSING = {
    "429": error(429, "rate_limit_exceeded"),
    "429 with Retry-After": error(429, "rate_limit_exceeded", retry_after="1"),
    "500": error(500),
    "503": error(503, retry_after="soon"),
    "408": error(408),
    "dropped": Turn(drop=True),
    "html": Turn("<html>busy</html>"),
    "half a JSON": Turn('{"choices": [{"mess'),
    "no choices": Turn('{"choices": []}'),
    "no message": Turn('{"choices": [{"index": 0}]}'),
    "null": Turn("null"),
}


@pytest.mark.parametrize("turn", PASSING.values(), ids=PASSING)
def test_passing_fault_is_tried_again(here: Path, turn: Turn) -> None:
    write_project(here)
    with fault_server(lambda number, body: turn if number == 0 else right(number, body)) as server:
        ended = ask(server, "--json", "--max-connections", "1")
    assert (ended.code, ended.json["accuracy"]) == (0, 1.0)
    assert len(server.requests) == len(DEV) + 1
    assert sorted(r.attempts for r in load_run(only_run(here)).records.values()) == [1] * (len(DEV) - 1) + [2]


ODD_METADATA = {
    "usage null": {"usage": None},
    "usage without numbers": {"usage": {"prompt_tokens": None}},
    "usage in words": {"usage": "many"},
    "model null": {"model": None},
}


@pytest.mark.parametrize("change", ODD_METADATA.values(), ids=ODD_METADATA)
def test_odd_metadata_costs_no_answer(here: Path, change: dict[str, Any]) -> None:
    write_project(here)

    def odd(number: int, body: dict[str, Any]) -> Turn:
        return Turn(json.dumps({**json.loads(right(number, body).body), **change}))

    with fault_server(odd) as server:
        ended = ask(server, "--json")
    assert (ended.code, ended.json["accuracy"], len(server.requests)) == (0, 1.0, len(DEV))


FATAL = {
    "401": error(401, "invalid_api_key", f"Incorrect API key provided: {KEY}"),
    "403": error(403),
    "404 model": error(404, "model_not_found"),
    "spent quota": error(429, "insufficient_quota"),
}


@pytest.mark.parametrize("turn", FATAL.values(), ids=FATAL)
def test_hopeless_fault_stops_at_once_and_can_be_resumed(here: Path, turn: Turn) -> None:
    write_project(here)
    with fault_server(lambda number, body: right(number, body) if number < 3 else turn) as server:
        ended = ask(server, "--max-connections", "1")
    assert (ended.code, len(server.requests)) == (4, 4)
    assert f"harness eval --resume {only_run(here).name}" in ended.err
    with fault_server(right) as server:
        again = harness("eval", "--resume", "latest", "--base-url", server.url, "--json", OPENAI_API_KEY=KEY)
    assert (again.code, again.json["accuracy"], len(server.requests)) == (0, 1.0, len(DEV) - 3)


@pytest.mark.parametrize("turn", [*FATAL.values(), *PASSING.values()], ids=[*FATAL, *PASSING])
def test_key_is_nowhere_on_disk_nor_on_the_screen(here: Path, turn: Turn) -> None:
    write_project(here)
    with fault_server(lambda number, body: turn) as server:
        ended = ask(server, "--limit", "2")
    assert ended.code == 4
    assert KEY not in ended.out + ended.err
    for path in here.rglob("*"):
        assert path.is_dir() or KEY not in path.read_text(encoding="utf-8")


def test_server_that_is_gone_stops_the_run(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(500)) as server:
        ended = ask(server, "--max-connections", "1")
    assert ended.code == 4
    assert "5 examples in a row got no answer in 6 attempts each" in ended.err
    assert len(server.requests) == evaluate.DEAD * evaluate.ATTEMPTS


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
    assert "1 examples were never answered" in ended.err
    assert len(server.requests) == len(DEV)


def test_parameter_that_the_model_refuses_stops_the_run(here: Path) -> None:
    write_project(here)
    with fault_server(lambda number, body: error(400, message="temperature is not supported")) as server:
        ended = ask(server, "--temperature", "1", "--max-connections", "1")
    assert (ended.code, len(server.requests)) == (4, 3)
    assert "temperature is not supported" in ended.err


def test_drip_ends_at_the_deadline(here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_project(here)
    monkeypatch.setattr(evaluate, "DEADLINE", 0.2)

    def slow_once(number: int, body: dict[str, Any]) -> Turn:
        return Turn(wait=1.0) if number == 0 else right(number, body)

    with fault_server(slow_once) as server:
        ended = ask(server, "--json", "--limit", "3")
    assert (ended.code, ended.json["accuracy"]) == (0, 1.0)


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
        return (completion("no"), error(400))[number] if number < 2 else right(number, body)

    with fault_server(mixed) as server:
        ask(server, "--max-connections", "1")
    with fault_server(right) as server:
        ended = harness("eval", "--resume", "latest", "--base-url", server.url, "--json", OPENAI_API_KEY=KEY)
    assert len(server.requests) == 1
    assert ended.json["outcomes"] == {"graded": len(DEV) - 1, "ungraded": 1, "failed": 0}


def test_every_error_of_the_sdk_has_a_meaning_here() -> None:
    """An upgrade that brings a new kind of API error turns this red: give it a place in _translate."""
    import openai

    known = {
        "APIConnectionError", "APIError", "APIResponseValidationError", "APIStatusError", "APITimeoutError",
        "AuthenticationError", "BadRequestError", "ConflictError", "ContentFilterFinishReasonError",
        "InternalServerError", "LengthFinishReasonError", "NotFoundError", "OAuthError", "OpenAIError",
        "PermissionDeniedError", "RateLimitError", "UnprocessableEntityError",
    }  # fmt: skip
    found = {
        name
        for name, kind in list(vars(openai).items())
        if isinstance(kind, type) and issubclass(kind, openai.OpenAIError)
    }
    elsewhere = ("WebSocket", "Subject", "Workload", "_")  # live sessions, cloud identities, misuse
    assert [name for name in sorted(found - known) if not name.startswith(elsewhere)] == []
